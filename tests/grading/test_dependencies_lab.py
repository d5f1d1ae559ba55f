"""Lab 18 in the judge: the solution, nothing at all, and what one gets wrong about packages."""

import csv
import html
import os
import re
import subprocess
import sys
from copy import deepcopy

import pytest

from minilambda.grading.lab import Lab
from minilambda.grading.release import student_notebook

from .hand_in import ROOT, hand_in

LAB = Lab.load(ROOT / "labs" / "18-dependencies")
SOLUTIONS = {cell_id: cell.source for cell_id, cell in LAB.answers.items()}
FULL = [2, 3, 2, 3]
pytestmark = pytest.mark.timeout(1600)  # a class of nine, each with pip: long on a busy machine


def changed(cell_id, *changes):
    """The solution of a cell with some things in it different."""
    source = SOLUTIONS[cell_id]
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return {cell_id: source}


INSTALL = "--upgrade --target package aws-xray-sdk"
# As right as the solution, and quicker: pip takes what is named and nothing else.
LEAN = changed("function-pack", (INSTALL, INSTALL + " wrapt --no-deps"))


def notebook(answers):
    made = deepcopy(student_notebook(LAB))
    wanted = SOLUTIONS | answers
    assert wanted.keys() == SOLUTIONS.keys()
    for cell in made.cells:
        if cell.id in wanted:
            cell.source = wanted[cell.id]
    return made


# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "library-left-at-home": (
        LEAN | changed("function-create", ('"branches.py", "package"', '"branches.py"'),
                       ("print(json.load", "# print(json.load"))
        | {"lean-update": "# it is lean already", "trace-on": "# nothing to trace"},
        [2, 0, 0, 0], "No module named 'aws_xray_sdk'"),
    "without-what-it-requires": (
        changed("function-pack", (INSTALL, INSTALL + " --no-deps"))
        | changed("function-create", ("print(json.load", "# print(json.load"))
        | {"trace-on": "# nothing to trace"},
        [2, 0, 0, 0], "No module named 'wrapt'"),
    "hard-coded-branches": (
        LEAN | changed("function-code", (
            "    buckets = [bucket", '    return ["camden", "soho"]\n    buckets = [bucket')),
        [2, 1, 2, 1], "A branch opened in Brixton"),
    "brings-the-sdk-along": (
        {"lean-update": "# It works, so I left it as it was."},
        [2, 3, 0, 3], "botocore is most of it, and Lambda has that"),
    "traces-nothing": (
        LEAN | changed("function-code", ("patch_all()\n", "")),
        [2, 3, 2, 1], "The SDK notes down calls only after patch_all()"),
    "tracing-never-switched-on": (
        LEAN | {"trace-on": "# The SDK is in the package, so it must be on."},
        [2, 3, 2, 0], "The tracing mode of list-branches is PassThrough"),
    "role-may-do-everything": (
        LEAN | changed("role-create", ('actions = ["s3:ListAllMyBuckets",',
                                       'actions = ["s3:*", "s3:ListAllMyBuckets",')),
        [1, 3, 2, 3], "The role allows s3:*, which this function doesn't need"),
}


class Graded:
    def __init__(self, out):
        self.out = out
        with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
            self.rows = {row["student"]: row for row in csv.DictReader(file)}

    def points(self, student):
        row = self.rows[student]
        assert row["out of"] == "10"
        return [int(row[f"task {number}"]) for number in range(1, 5)]

    def text(self, student):
        [path] = (self.out / "feedback").glob(f"{student}*.html")
        return html.unescape(re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    place = tmp_path_factory.mktemp("class")
    hand_in(place / "in" / "honest.ipynb", notebook({}))
    hand_in(place / "in" / "untouched.ipynb", student_notebook(LAB))
    for name, (answers, _, _) in WRONG_ANSWERS.items():
        hand_in(place / "in" / f"{name}.ipynb", notebook(answers))
    done = subprocess.run(
        [sys.executable, "-m", "minilambda.cli", "grade", str(place / "in"), "--out",
         str(place / "out"), "--jobs", "2", "--time-limit", "400"],
        capture_output=True, text=True, env=dict(os.environ), timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return Graded(place / "out")


def test_the_solution_gets_full_marks(graded):
    assert graded.points("honest") == FULL, graded.text("honest")


def test_the_untouched_notebook_gets_nothing(graded):
    assert graded.points("untouched") == [0] * 4
    assert "there is no role named 'branches-role'" in graded.text("untouched")


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_fails_for_its_own_reason(graded, name):
    _, points, reason = WRONG_ANSWERS[name]
    assert graded.points(name) == points, graded.text(name)
    assert reason in graded.text(name)


def test_hidden_checks_are_not_given_away():
    released = "".join(cell.source for cell in student_notebook(LAB).cells)
    assert "tea-brixton" not in released and "green-tea" not in released
    assert "SOLUTION" not in released
