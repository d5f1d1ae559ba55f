"""A lab, as its author wrote it: one notebook with the task, the solution and the checks.

The marking scheme is nbgrader's where nbgrader has one, and one entry of cell metadata otherwise:

- In an answer cell, what stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is the
  solution. The student gets ``# YOUR CODE HERE`` in its place; all else in the cell stays.
- Every code cell says in its metadata what it is, as ``"minilambda": {"role": …}``:

  ==========  ==============================================================================
  ``setup``   the author's code that both sides run (imports, ``cloud = Cloud(…)``, events)
  ``answer``  the student's to fill in; the only cells that are taken from a submission;
              belongs to a ``task``
  ``check``   "check yourself": stays in the student's notebook; needs a ``task``, ``points``
              (a whole number) and a ``title`` for the feedback
  ``hidden``  a check that the student doesn't get; needs the same
  ``author``  for the author only: neither released nor run (text cells may have this role)
  ==========  ==============================================================================

- The notebook's metadata names the lab and its tasks, in order: ``"minilambda": {"lab":
  "01-first-function", "title": …, "tasks": [["role", "Task 1 · A role"], …]}``.

A check passes if its cell runs without an exception and prints what it prints in the author's
notebook; it then earns all of its points. Checks look at the cloud, never at printed text. In the
judge they all run after the last answer.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

AUTHOR_FILE = "lab.ipynb"
STUDENT_FILE = "student.ipynb"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# YOUR CODE HERE"
ROLES = ("setup", "answer", "check", "hidden", "author")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class LabError(ValueError):
    """The lab isn't there, or its notebook doesn't keep to the marking scheme. Says what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what it is worth. ``cell`` is the author's, with its stored outputs."""

    id: str
    task: str
    title: str
    points: int
    hidden: bool
    cell: NotebookNode


@dataclass(frozen=True)
class Lab:
    """A lab read by :meth:`load`, and found to be in order."""

    folder: Path
    name: str
    title: str
    tasks: dict[str, str]  # id -> title, in order
    notebook: NotebookNode

    @classmethod
    def load(cls, folder: Path) -> Lab:
        """Read ``folder/lab.ipynb``.

        Raises:
            LabError: there is none, or a cell that breaks the marking scheme.
        """
        path = folder / AUTHOR_FILE
        if not path.is_file():
            raise LabError(f"{str(folder)!r} is not a lab: it holds no {AUTHOR_FILE}")
        try:
            text = path.read_text(encoding="utf-8")
            ids = [cell["id"] for cell in json.loads(text)["cells"]]
            notebook = nbformat.reads(text, as_version=4)
            nbformat.validate(notebook)
        except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
            raise LabError(f"{path} is not a notebook of format 4.5: {error!r}") from None
        if len(set(ids)) < len(ids):  # nbformat would give the second one a new id, silently
            twice = next(cell_id for cell_id in ids if ids.count(cell_id) > 1)
            raise LabError(f"{path}: several cells have the same id, {twice!r}")
        about = notebook.metadata.get("minilambda", {})
        name = folder.resolve().name
        if about.get("lab") != name:
            raise LabError(f"{path}: its metadata must say minilambda.lab = {name!r} (the folder's "
                           f"name), not {about.get('lab')!r}")
        for key in ("title", "tasks"):
            if not about.get(key):
                raise LabError(f"{path}: its metadata lack minilambda.{key}")
        lab = cls(folder, name, about["title"], dict(about["tasks"]), notebook)
        lab._validate()
        return lab

    def cells(self, *roles: str) -> Iterator[NotebookNode]:
        """Cells with one of the roles, in order."""
        return (cell for cell in self.notebook.cells if role_of(cell) in roles)

    @cached_property
    def answers(self) -> dict[str, NotebookNode]:
        """Answer cells by their id, in order."""
        return {cell.id: cell for cell in self.cells("answer")}

    @cached_property
    def checks(self) -> list[Check]:
        """All checks, in order."""
        found = []
        for cell in self.cells("check", "hidden"):
            about = cell.metadata["minilambda"]
            found.append(Check(cell.id, about["task"], about["title"], about["points"],
                               about["role"] == "hidden", cell))
        return found

    @property
    def points(self) -> int:
        """The most that can be earned."""
        return sum(check.points for check in self.checks)

    def _validate(self) -> None:
        for cell in self.notebook.cells:
            problem = _problem(cell, self.tasks)
            if problem:
                raise LabError(f"{self.folder / AUTHOR_FILE}, cell {cell.id!r}: {problem}")
        without = self.tasks.keys() - {check.task for check in self.checks}
        if without:
            raise LabError(f"{self.folder / AUTHOR_FILE}: no check for task {sorted(without)[0]!r}")


def role_of(cell: NotebookNode) -> str | None:
    return cell.metadata.get("minilambda", {}).get("role")


def stub(source: str) -> str:
    """An answer cell's source with each solution replaced by :data:`STUB`.

    Raises:
        ValueError: a mark without its partner, or no mark at all.
    """
    lines, inside, marks = [], False, 0
    for line in source.split("\n"):
        text = line.strip()
        if text == BEGIN and not inside:
            inside, marks = True, marks + 1
            lines.append(line[:line.index("#")] + STUB)
        elif text == END and inside:
            inside = False
        elif text in (BEGIN, END):
            raise ValueError(f"{text!r} without its partner")
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError(f"{BEGIN!r} without its partner")
    if not marks:
        raise ValueError(f"an answer needs {BEGIN!r} and {END!r} around the solution")
    return "\n".join(lines)


def find(name: str | Path, labs: Path) -> Path:
    """The folder of a lab, given by its name in the folder ``labs`` or by a path.

    Raises:
        LabError: there is no such lab; names those that there are.
    """
    for folder in (labs / name, Path(name)):
        if (folder / AUTHOR_FILE).is_file():
            return folder
    there = sorted(path.parent.name for path in labs.glob(f"*/{AUTHOR_FILE}"))
    raise LabError(f"no lab {str(name)!r}; in {str(labs)!r} there are: "
                   f"{', '.join(there) or 'none'}")


def is_name(name: Any) -> bool:
    """Whether this may be a lab's name (a submission may say anything)."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _problem(cell: NotebookNode, tasks: dict[str, str]) -> str | None:
    """What is wrong with an author's cell, if anything."""
    role, about = role_of(cell), cell.metadata.get("minilambda", {})
    if cell.cell_type != "code":
        return None if role in (None, "author") else f"a text cell can't have the role {role!r}"
    if role not in ROLES:
        return f"a code cell needs a role, one of {', '.join(ROLES)}: see minilambda.grading.lab"
    if role in ("answer", "check", "hidden") and about.get("task") not in tasks:
        return f"it must name one of the tasks {', '.join(tasks)}, not {about.get('task')!r}"
    if role in ("check", "hidden"):
        points = about.get("points")
        if not isinstance(points, int) or isinstance(points, bool) or points < 1:
            return f"a check needs points, a whole number from 1, not {points!r}"
        if not about.get("title"):
            return "a check needs a title"
    if role != "answer":
        marked = BEGIN in cell.source or END in cell.source
        return "only answer cells hold solutions" if marked else None
    try:
        _compile(stub(cell.source))
    except SyntaxError as error:
        return (f"without its solution it isn't valid Python ({error.msg}, line {error.lineno}): "
                "put the marks around whole statements, and leave a function a docstring")
    except ValueError as error:
        return str(error)
    return None


def _compile(source: str) -> None:
    """Raise SyntaxError unless this is a cell that IPython takes, or a Python file it writes."""
    first, _, rest = source.partition("\n")
    if first.startswith("%%writefile"):
        ast.parse(rest if first.split()[-1].endswith(".py") else "")
    else:
        ast.parse(TransformerManager().transform_cell(source))
