"""``minilambda release`` and ``minilambda grade``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .grade import LABS, GradingError, Options, grade
from .jail import Allowance
from .lab import Lab, LabError, find
from .release import STUDENT_FILE, release, text
from .submission import SubmissionsError


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add both to the command line."""
    releasing = commands.add_parser("release", help="make a lab's student notebook",
                                    description=release.__doc__)
    releasing.add_argument("lab", metavar="LAB", help="the lab's folder, or its name")
    releasing.add_argument("--labs", type=Path, default=LABS, help="where labs are (%(default)s)")
    releasing.add_argument("--check", action="store_true",
                           help="write nothing; exit with 1 if the notebook isn't up to date")
    releasing.set_defaults(run=_release)

    grading = commands.add_parser(
        "grade", help="grade submissions", description="Grade every submission in a folder.")
    usual = Allowance()
    grading.add_argument("submissions", metavar="SUBMISSIONS", type=Path,
                         help="a folder of NAME.ipynb files, or of NAME folders with a notebook")
    grading.add_argument("--out", type=Path, required=True, metavar="DIR",
                         help="a new folder for gradebook.csv, index.html and the feedback pages")
    grading.add_argument("--lab", help="the lab (name or folder); else each notebook says")
    grading.add_argument("--labs", type=Path, default=LABS, help="where labs are (%(default)s)")
    grading.add_argument("-j", "--jobs", type=_count, default=Options().jobs, metavar="N",
                         help="how many to grade at a time (%(default)s)")
    grading.add_argument("--time-limit", type=_count, default=usual.seconds, metavar="S",
                         help="seconds for a notebook's cells together (%(default)s)")
    grading.add_argument("--memory-limit", type=_count, default=usual.memory_mb, metavar="MB",
                         help="memory for a notebook (%(default)s)")
    grading.add_argument("--output-limit", type=_count, default=usual.output_kb, metavar="KB",
                         help="what a notebook may print (%(default)s)")
    grading.add_argument("--allow-weak-sandbox", action="store_true",
                         help="where bubblewrap doesn't work: run submissions as ordinary "
                              "processes that can read your files; for notebooks you trust")
    grading.add_argument("--quiet", action="store_true", help="no progress bar")
    grading.set_defaults(run=_grade)


def _release(arguments: argparse.Namespace) -> int:
    try:
        lab = Lab.load(find(arguments.lab, arguments.labs))
        path = lab.folder / STUDENT_FILE
        if arguments.check:
            if path.is_file() and path.read_text(encoding="utf-8") == text(lab):
                return 0
            print(f"{path} isn't what {lab.name}'s notebook makes: run `minilambda release "
                  f"{arguments.lab}`", file=sys.stderr)
            return 1
        print(f"{release(lab)}: {len(lab.answers)} answer cells, {lab.points} points")
        return 0
    except (LabError, OSError) as error:
        return _refuse(error)


def _grade(arguments: argparse.Namespace) -> int:
    options = Options(
        lab=arguments.lab, labs=arguments.labs, jobs=arguments.jobs,
        allowance=Allowance(seconds=arguments.time_limit, memory_mb=arguments.memory_limit,
                            output_kb=arguments.output_limit),
        allow_weak_sandbox=arguments.allow_weak_sandbox, progress=not arguments.quiet)
    try:
        grades = grade(arguments.submissions, arguments.out, options)
    except (GradingError, LabError, SubmissionsError, OSError) as error:
        return _refuse(error)
    except KeyboardInterrupt:
        print("Called off; nothing was written.", file=sys.stderr)
        return 130
    failed = [grade for grade in grades if grade.failure]
    print(f"{len(grades)} graded: {arguments.out / 'index.html'}")
    for one in failed:
        print(f"not graded, {one.file}: {one.failure}", file=sys.stderr)
    return 1 if failed else 0


def _refuse(error: Exception) -> int:
    print(f"minilambda: {error}", file=sys.stderr)
    return 2


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
