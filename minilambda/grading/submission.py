"""What students handed in: finding it, and taking nothing from it but the answers.

A submission is data that anyone may have written. It is read as JSON, never as a notebook to run:
of each answer cell (known by its id) the source is taken; stored outputs, metadata, check cells,
kernel names and all other cells count for nothing. What can't be read gets a reason, and no points.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .lab import Lab, is_name

MOST_BYTES = 10 << 20
MOST_ANSWER = 1 << 20  # characters in one answer cell


class SubmissionsError(ValueError):
    """There is nothing to grade here. Says why."""


class Malformed(ValueError):
    """This file can't be a submission. Says why, in words for the student."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that was handed in. ``lab``: as its metadata say; ``problem``: it can't be read."""

    student: str
    path: Path
    lab: str | None = None
    cells: list[Any] = field(default_factory=list, repr=False)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The sources of the answer cells that are there, by id, and remarks for the student."""

    sources: dict[str, str]
    notes: list[str]


def find(folder: Path) -> list[Submission]:
    """All submissions in a folder: ``NAME.ipynb`` files, or ``NAME/*.ipynb``. Sorted by name.

    Raises:
        SubmissionsError: no such folder, or nothing in it.
    """
    if folder.is_file() and folder.suffix == ".ipynb":
        return [read(folder.stem, folder)]
    if not folder.exists():
        raise SubmissionsError(f"no folder {str(folder)!r}")
    if not folder.is_dir():
        raise SubmissionsError(f"{str(folder)!r} is neither a folder nor a notebook (.ipynb)")
    found: list[Submission] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".ipynb" and (path.is_symlink() or not path.is_dir()):
            found.append(read(path.stem, path))
        elif path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            inside = sorted(path.glob("*.ipynb"))
            found += [read(path.name, file) for file in inside]
            if not inside:
                found.append(Submission(path.name, path, problem="there is no notebook (.ipynb) in "
                                        "the folder"))
    if not found:
        raise SubmissionsError(f"no submissions in {str(folder)!r}: it should hold NAME.ipynb "
                               "files, or a folder for each student with notebooks in it")
    return _only_once(found)


def read(student: str, path: Path) -> Submission:
    """Read a file; never raises for what is in it."""
    try:
        document = _parse(_bytes(path))
        about = document.get("metadata", {})
        about = about.get("minilambda", {}) if isinstance(about, dict) else {}
        lab = about.get("lab") if isinstance(about, dict) else None
        return Submission(student, path, lab if is_name(lab) else None, document["cells"])
    except Malformed as error:
        return Submission(student, path, problem=str(error))


def answers(submission: Submission, lab: Lab) -> Answers:
    """The answer cells of a submission that could be read."""
    sources: dict[str, str] = {}
    notes: list[str] = []
    known = {cell.id for cell in lab.notebook.cells}
    own = 0
    for cell in submission.cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        cell_id = cell.get("id")
        if not isinstance(cell_id, str) or cell_id not in known:
            own += 1
        elif cell_id in lab.answers and cell_id in sources:
            notes.append(f"There are two cells with the id {cell_id}; the first one counts.")
        elif cell_id in lab.answers:
            try:
                sources[cell_id] = _source(cell)
            except Malformed as error:
                notes.append(f"The answer cell {cell_id} was left out: {error}.")
    missing = [cell_id for cell_id in lab.answers if cell_id not in sources]
    if missing:
        notes.append(f"Answer cells that aren't in the notebook: {', '.join(missing)}. Start again "
                     "from the lab's student.ipynb if you have lost one.")
    if own:
        notes.append(f"{own} code {'cell' if own == 1 else 'cells'} of your own: only the lab's "
                     "answer cells are run when it is graded.")
    return Answers(sources, notes)


def _bytes(path: Path) -> bytes:
    """The content of an ordinary file that isn't too big."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise Malformed("it is a symbolic link, not a file") from None
        raise Malformed(f"it can't be opened ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Malformed("it is not an ordinary file")
        if about.st_size > MOST_BYTES:
            raise Malformed(f"it is bigger than {MOST_BYTES >> 20} MB: clear its outputs, save, "
                            "and hand it in again")
        return file.read(MOST_BYTES + 1)[:MOST_BYTES]


def _parse(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise Malformed("the file is empty")
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError):
        raise Malformed("it is not a notebook (not JSON)") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise Malformed("it is not a notebook (no list of cells)")
    form = document.get("nbformat"), document.get("nbformat_minor")
    if form[0] != 4 or not isinstance(form[1], int) or form[1] < 5:
        raise Malformed(f"it is a notebook of format {form[0]}.{form[1]}; the lab's is 4.5, whose "
                        "cells have ids: start from the lab's student.ipynb and save with a "
                        "current JupyterLab")
    return document


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Malformed("its source is not text")
    if len(source) > MOST_ANSWER:
        raise Malformed(f"it is longer than {MOST_ANSWER} characters")
    return source.encode("utf-8", "replace").decode()  # no lone surrogates


def _only_once(found: list[Submission]) -> list[Submission]:
    """A student hands in one notebook a lab; of several none can be preferred."""
    times: dict[tuple, int] = {}
    for submission in found:
        key = submission.student, submission.lab
        times[key] = times.get(key, 0) + 1
    return [
        submission if times[submission.student, submission.lab] == 1 or submission.problem else
        Submission(submission.student, submission.path, submission.lab,
                   problem="more than one notebook was handed in for this lab: keep one")
        for submission in found
    ]
