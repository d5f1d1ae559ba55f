"""One submission, put together anew: the author's notebook with the student's answers in it.

Two things come of it. The *cells to run* in the sandbox: the author's set-up cells and the
student's answers, in the author's order. And the *check notebook*, which nbval runs in the judge's
own kernel: the author's set-up and check cells as they are in the author's notebook, stored outputs
included, and three cells of the judge's. No byte of it is the student's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from .lab import Check, Lab, role_of

# The name is the judge's own in that kernel.
BEGIN = "from minilambda.grading.judge import Judge\n_judge = Judge({plan!r})"
RUN = "_judge.run(cloud)"
FINISH = "cloud.close()"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to run in the sandbox. ``role``: setup or answer."""

    id: str
    role: str
    task: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``entries``: for each code cell of the check notebook its check; None: the judge's work."""

    cells: list[Cell]
    notebook: NotebookNode
    entries: list[Check | None]


def rebuild(lab: Lab, answers: Mapping[str, str], plan: str) -> Rebuilt:
    """Of an answer cell that isn't in ``answers`` (id -> source) nothing is run.

    ``plan`` names the file that the judge will find its plan in (see ``judge``).
    """
    checks = {check.id: check for check in lab.checks}
    to_run, notebook = [], nbformat.v4.new_notebook()
    entries: list[Check | None] = []

    def add(cell: NotebookNode, check: Check | None = None) -> None:
        notebook.cells.append(cell)
        entries.append(check)

    add(_cell(BEGIN.format(plan=plan)))
    started = False
    for cell in lab.cells("setup", "answer", "check", "hidden"):
        role = role_of(cell)
        if role == "answer":
            if not started:
                add(_cell(RUN))
                started = True
            if cell.id in answers:
                task = cell.metadata["minilambda"]["task"]
                to_run.append(Cell(cell.id, role, task, answers[cell.id]))
        elif role == "setup":
            to_run.append(Cell(cell.id, role, None, cell.source))
            add(_cell(cell.source))
        else:
            add(nbformat.from_dict(cell), checks[cell.id])
    add(_cell(FINISH))
    return Rebuilt(to_run, notebook, entries)


def _cell(source: str) -> NotebookNode:
    """Never run, as far as nbval can see: its outputs are not compared."""
    return nbformat.v4.new_code_cell(source)
