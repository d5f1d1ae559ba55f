"""Submissions: of any lab (`Class`), and for the first lab what it takes to get something wrong."""

import csv
import html
import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from minilambda.grading.lab import Lab
from minilambda.grading.release import student_notebook
from minilambda.sandbox.tiers import probe_bubblewrap

ROOT = Path(__file__).resolve().parents[2]
# Marks of a module that has a class graded.
IN_THE_JUDGE = [
    pytest.mark.skipif(probe_bubblewrap() is not None,
                       reason="needs bubblewrap: apt install bubblewrap"),
    pytest.mark.timeout(1600)]  # on a busy machine that takes a while


class Class:
    """A lab's class: students who hand in, and the gradebook that comes of it."""

    def __init__(self, name):
        self.lab = Lab.load(ROOT / "labs" / name)
        self.solutions = {cell_id: cell.source for cell_id, cell in self.lab.answers.items()}

    def notebook(self, **answers):
        """The student's notebook, every answer right but those given (``_`` for ``-`` in ids)."""
        made = deepcopy(student_notebook(self.lab))
        wanted = self.solutions | {name.replace("_", "-"): source
                                   for name, source in answers.items()}
        assert wanted.keys() == self.solutions.keys()
        for cell in made.cells:
            if cell.id in wanted:
                cell.source = wanted[cell.id]
        return made

    def changed(self, cell_id, *changes):
        """The solution of a cell with one thing (or several) in it different."""
        source = self.solutions[cell_id]
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in source
            source = source.replace(old, new)
        return source

    def graded(self, place, wrong_answers, *options):
        """(points of each task, the feedback's text) by the name of a submission: those of
        ``wrong_answers``, ``solution`` and ``untouched``. ``options``: of ``minilambda grade``."""
        for name, (answers, _, _) in wrong_answers.items():
            hand_in(place / "in" / f"{name}.ipynb", self.notebook(**answers))
        hand_in(place / "in" / "solution.ipynb", self.notebook())
        hand_in(place / "in" / "untouched.ipynb", student_notebook(self.lab))
        done = subprocess.run(
            [sys.executable, "-m", "minilambda.cli", "grade", str(place / "in"), "--out",
             str(place / "out"), "--jobs", "2", *options],
            capture_output=True, text=True, timeout=1500)
        assert done.returncode == 0, done.stdout + done.stderr
        tasks = [f"task {number}" for number in range(1, len(self.lab.tasks) + 1)]
        found = {}
        with open(place / "out" / "gradebook.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                [page] = (place / "out" / "feedback").glob(f"{row['student']}*.html")
                text = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
                found[row["student"]] = [int(row[task]) for task in tasks], text
        return found

    def given_away(self, *secrets):
        """What of the solutions' lines, and of ``secrets``, the student's notebook shows."""
        cells = student_notebook(self.lab).cells
        released = "".join(cell.source for cell in cells)
        lines = [line for source in self.solutions.values() for line in
                 source.split("### BEGIN SOLUTION\n")[1].split("### END")[0].split("\n")
                 if len(line) > 40]
        assert lines
        return [text for text in ("SOLUTION", *secrets, *lines) if text in released]


def fails_for_its_own_reason(graded, wrong_answers, name, also=()):
    """Assert that a wrong answer has its points and its reason, and no other's but ``also``."""
    _, expected, reason = wrong_answers[name]
    points, text = graded[name]
    assert (points, reason in text) == (expected, True), text[-3000:]
    others = {other for other in wrong_answers
              if other != name and wrong_answers[other][2] in text}
    assert others == set(also), f"has the reason of {sorted(others)}, not only of {sorted(also)}"


def lab_tests(class_, wrong_answers, full, untouched, options=(), also=None):
    """What holds for every lab's class, as a class of tests for its module.

    Args:
        full: the points of each task for whoever has solved all.
        untouched: what the untouched notebook is told, some of it.
        options: of ``minilambda grade``.
        also: by name of a wrong answer, whose reasons it is given beside its own.
    """
    class Graded:
        @pytest.fixture(scope="class")
        @classmethod
        def graded(cls, tmp_path_factory):
            return class_.graded(tmp_path_factory.mktemp("class"), wrong_answers, *options)

        def test_the_solution_gets_full_marks(self, graded):
            points, text = graded["solution"]
            assert points == full and "10 of 10 points" in text, (points, text[-3000:])

        def test_the_untouched_notebook_gets_nothing(self, graded):
            points, text = graded["untouched"]
            assert points == [0] * len(full), (points, text[-3000:])
            assert [said for said in untouched if said not in text] == []

        @pytest.mark.parametrize("name", wrong_answers)
        def test_a_wrong_answer_fails_for_its_own_reason(self, graded, name):
            fails_for_its_own_reason(graded, wrong_answers, name, (also or {}).get(name, ()))

    return Graded


LAB = Lab.load(ROOT / "labs" / "01-first-function")
SOLUTIONS = {cell_id: cell.source for cell_id, cell in LAB.answers.items()}


def notebook(**answers):
    """The student's notebook, every answer right but those given (``_`` for ``-`` in ids)."""
    made = deepcopy(student_notebook(LAB))
    wanted = SOLUTIONS | {name.replace("_", "-"): source for name, source in answers.items()}
    assert wanted.keys() == SOLUTIONS.keys()
    for cell in made.cells:
        if cell.id in wanted:
            cell.source = wanted[cell.id]
    return made


def hand_in(path, made):
    """Write a notebook (or any JSON) as a submission."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made), encoding="utf-8")


def changed(cell_id, old, new):
    """The solution of a cell with one thing in it different."""
    assert old in SOLUTIONS[cell_id]
    return SOLUTIONS[cell_id].replace(old, new)


def before(cell_id, source):
    """The solution of a cell after something else."""
    return source + "\n" + SOLUTIONS[cell_id]


CONSTANT = 'return {"order": "A-17", "total": 980, "pieces": 3}'
RETURN = 'return {"order": name, "total": total, "pieces": pieces}'

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "role-for-another-service": (
        {"role_create": changed("role-create", "lambda.amazonaws.com", "ec2.amazonaws.com")},
        [0, 0, 0, 0, 0], "its trust policy doesn't let lambda.amazonaws.com assume it"),
    "function-never-created": (
        {"function_create": "# I wrote order.py, that must be it"},
        [1, 0, 0, 0, 0], "there is no function named 'order-total'"),
    "prints-instead-of-returning": (
        {"function_code": changed("function-code", RETURN, "print(total, pieces)"),
         "error_code": changed("error-code", RETURN, "print(total, pieces)")},
        [1, 0, 2, 2, 2], "It returned nothing (null)"),
    "hard-coded-answer": (
        {"function_code": changed("function-code", RETURN, CONSTANT),
         "error_code": changed("error-code", RETURN, CONSTANT)},
        [1, 1, 2, 2, 2], "but it returned {'order': 'A-17', 'total': 980"),
    "copied-request-id": (
        {"event_tag": changed("event-tag", 'reply["ResponseMetadata"]["RequestId"]',
                              '"12e0c8b2-bad6-40fb-9948-8dec4f65d4d9"')},
        [1, 3, 1, 2, 2], "That is no successful invocation of yours"),
    "wrong-memory": (
        {"memory_set": changed("memory-set", "MemorySize=256", "MemorySize=512")},
        [1, 3, 2, 0, 2], "order-total has 512 MB. It should have 256"),
    "swallows-the-exception": (
        {"error_code": changed("error-code", "raise ValueError(", 'return {"error": "bad"}  # ('),
         "error_deploy": changed("error-deploy", 'reply["FunctionError"]', '"no error"').replace(
             '["errorMessage"]', "")},
        [1, 3, 2, 2, 0], "should raise, but it returned {'error': 'bad'}"),
}
