"""Points and reasons, written down: ``gradebook.csv``, a page for each submission, an index.

Everything of the student's (names, output, error messages) is text to be escaped, never markup.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from .lab import Lab
from .worker import CheckResult

FEEDBACK = "feedback"  # the folder of the pages


@dataclass(frozen=True, slots=True)
class Grade:
    """One submission's. ``problem``: why nothing could be graded (then ``results`` is empty).

    ``failure``: the judge broke down, and how (for the teacher); the points mean nothing then.
    """

    student: str
    file: Path
    lab: Lab | None
    results: list[CheckResult] = field(default_factory=list)
    transcript: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None
    failure: str | None = None

    @property
    def points(self) -> int:
        return sum(result.earned for result in self.results)

    @property
    def out_of(self) -> int:
        return self.lab.points if self.lab else 0

    def task_points(self, task: str) -> int:
        return sum(result.earned for result in self.results if result.check.task == task)

    def task_results(self, task: str) -> list[CheckResult]:
        return [result for result in self.results if result.check.task == task]


def write(grades: Iterable[Grade], out: Path) -> None:
    """Write the gradebook, the pages and the index into ``out``."""
    grades = sorted(grades, key=lambda grade: (grade.student, str(grade.file)))
    pages = _page_names(grades)
    (out / FEEDBACK).mkdir()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("minilambda.grading"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["visible"] = visible
    page = environment.get_template("feedback.html.j2")
    for grade, name in zip(grades, pages, strict=True):
        (out / FEEDBACK / name).write_text(page.render(grade=grade), encoding="utf-8")
    rows = list(zip(grades, pages, strict=True))
    index = environment.get_template("index.html.j2").render(rows=rows, folder=FEEDBACK)
    (out / "index.html").write_text(index, encoding="utf-8")
    with open(out / "gradebook.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table(grades))


def table(grades: list[Grade]) -> list[list[str | int]]:
    """The gradebook: a header, then one row a submission; tasks by their number."""
    tasks = max((len(grade.lab.tasks) for grade in grades if grade.lab), default=0)
    rows: list[list[str | int]] = [["student", "lab", "points", "out of",
                                    *(f"task {n + 1}" for n in range(tasks)), "remark"]]
    for grade in grades:
        each = [grade.task_points(task) for task in grade.lab.tasks] if grade.lab else []
        cells = [visible(grade.student), grade.lab.name if grade.lab else "", grade.points,
                 grade.out_of, *each, *[""] * (tasks - len(each)), visible(grade.problem or "")]
        rows.append([_no_formula(cell) for cell in cells])
    return rows


def visible(text: str) -> str:
    """Text in which nothing is hidden: control and direction characters are spelt out."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode()
                   for c in text)


def _no_formula(cell: str | int) -> str | int:
    """A spreadsheet must not take a student's name for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell


def _page_names(grades: list[Grade]) -> list[str]:
    """A file name for each: plain letters, and never the same twice."""
    names: list[str] = []
    for grade in grades:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", grade.student).strip("._")[:60] or "student"
        name = f"{plain}.html"
        if name in names or plain != grade.student:
            seed = f"{grade.student}/{grade.file}".encode(errors="surrogateescape")
            name = f"{plain}-{hashlib.sha256(seed).hexdigest()[:8]}.html"
        names.append(name)
    return names
