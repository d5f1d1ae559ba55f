"""A whole class: every submission in a folder, judged side by side, and the gradebook written."""

from __future__ import annotations

import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ..sandbox import tiers
from . import gradebook
from .gradebook import Grade
from .jail import Allowance
from .lab import Lab, LabError, find
from .submission import Submission, answers
from .submission import find as find_submissions
from .worker import Stopped, Worker, remove

LABS = Path(__file__).resolve().parents[2] / "labs"  # beside the package, in the book's folder


class GradingError(Exception):
    """Grading can't start. Says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What ``minilambda grade`` is told. ``lab``: which one, instead of asking each submission."""

    lab: str | None = None
    labs: Path = LABS
    jobs: int = os.cpu_count() or 1
    allowance: Allowance = Allowance()
    allow_weak_sandbox: bool = False
    progress: bool = True


def grade(submissions: Path, out: Path, options: Options) -> list[Grade]:
    """Grade a folder and write the results into ``out``.

    Raises:
        GradingError, LabError, SubmissionsError: nothing was graded, and why.
    """
    tier = _tier(options.allow_weak_sandbox)
    only = Lab.load(find(options.lab, options.labs)) if options.lab else None
    found = find_submissions(submissions)
    _make(out)
    labs = _Labs(options.labs, only)
    stop = threading.Event()
    grades: list[Grade] = []
    work = Path(tempfile.mkdtemp(prefix="minilambda-grade-"))
    pool = ThreadPoolExecutor(options.jobs)
    try:
        worker = Worker(tier, options.allowance, work, stop)
        judged = [pool.submit(_judge, submission, labs, worker) for submission in found]
        for future in tqdm(as_completed(judged), total=len(judged), unit="submission",
                           desc="Grading", disable=not options.progress):
            grades.append(future.result())
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        remove(work)
    gradebook.write(grades, out)
    return grades


class _Labs:
    """Labs by what submissions call them, each loaded once."""

    def __init__(self, folder: Path, only: Lab | None) -> None:
        self.folder, self.only = folder, only
        self._loaded: dict[str, Lab] = {}
        self._lock = threading.Lock()

    def of(self, submission: Submission) -> Lab:
        """Raises LabError with words for the student."""
        if self.only is not None:
            if submission.lab not in (None, self.only.name):
                raise LabError(f"it is for the lab {submission.lab!r}, not {self.only.name!r}")
            return self.only
        if submission.lab is None:
            raise LabError("it doesn't say which lab it is for (its metadata lack minilambda.lab): "
                           "start from the lab's student.ipynb")
        with self._lock:
            if submission.lab not in self._loaded:
                self._loaded[submission.lab] = Lab.load(find(submission.lab, self.folder))
            return self._loaded[submission.lab]


def _judge(submission: Submission, labs: _Labs, worker: Worker) -> Grade:
    student, file = submission.student, submission.path
    if worker.stop.is_set():
        raise Stopped
    if submission.problem:
        return Grade(student, file, labs.only, problem=submission.problem)
    try:
        lab = labs.of(submission)
    except LabError as error:
        return Grade(student, file, labs.only, problem=str(error))
    given = answers(submission, lab)
    if not given.sources:
        return Grade(student, file, lab, problem="it holds none of the lab's answer cells: start "
                     "again from the lab's student.ipynb")
    verdict = worker.judge(lab, student, given.sources)
    if verdict.broken:
        return Grade(student, file, lab, notes=given.notes, failure=verdict.broken,
                     problem="the judge broke down over it; this is not the student's fault")
    return Grade(student, file, lab, verdict.results, verdict.transcript, given.notes,
                 problem=verdict.ended)


def _tier(allow_weak: bool) -> str:
    problem = tiers.probe_bubblewrap()
    if problem is None:
        return "bubblewrap"
    if allow_weak:
        return "process"
    raise GradingError(
        f"no sandbox for other people's code: {problem}. On Debian and Ubuntu: apt install "
        "bubblewrap. If every submission is your own, --allow-weak-sandbox grades without one.")


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        used = any(out.iterdir())
    except OSError as error:
        raise GradingError(f"{str(out)!r} can't be used for the results: {error}") from None
    if used:
        raise GradingError(f"{str(out)!r} holds something already: name another folder with --out, "
                           "or remove this one")
