"""Lab 20 graded: the solution, the untouched notebook, and what it takes to get something wrong."""

import csv
import html
import re
import subprocess
import sys
from copy import deepcopy

import pytest

from minilambda.grading.lab import Lab
from minilambda.grading.release import student_notebook
from minilambda.sandbox.tiers import probe_bubblewrap

from .hand_in import ROOT, hand_in

pytestmark = [pytest.mark.skipif(probe_bubblewrap() is not None,
                                 reason="needs bubblewrap: apt install bubblewrap"),
              pytest.mark.timeout(900)]  # a class is graded; on a busy machine that takes a while
LAB = Lab.load(ROOT / "labs" / "20-layers")
SOLUTIONS = {cell_id: cell.source for cell_id, cell in LAB.answers.items()}
FULL = [2, 3, 2, 1, 2]


def notebook(**answers):
    """The student's notebook, every answer right but those given (``_`` for ``-`` in ids)."""
    made = deepcopy(student_notebook(LAB))
    wanted = SOLUTIONS | {name.replace("_", "-"): source for name, source in answers.items()}
    assert wanted.keys() == SOLUTIONS.keys()
    for cell in made.cells:
        if cell.id in wanted:
            cell.source = wanted[cell.id]
    return made


def changed(cell_id, *changes):
    """The solution of a cell with one thing (or several) in it different."""
    source = SOLUTIONS[cell_id]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in source
        source = source.replace(old, new)
    return source


# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "module-at-the-root": (
        {"layer_publish": changed("layer-publish", "zip_handler(\"layer\")",
                                  "zip_handler(\"prices.py\")")},
        [0, 0, 1, 1, 2], "Python doesn't look there"),
    "copies-in-the-packages": (
        {"functions_create": changed("functions-create", 'zip_handler(f"{name}.py")',
                                     'zip_handler(f"{name}.py", "prices.py")')},
        [2, 1, 1, 1, 2], "has a copy of prices.py of its own"),
    "published-and-not-rolled-out": (
        {"version_publish": changed("version-publish", "Layers=[second]", "Layers=[first]")},
        [2, 3, 1, 1, 2], "There is a version 2 of tea-prices, but the layers of quote are"),
    "rolled-out-to-both": (
        {"version_publish": SOLUTIONS["version-publish"] + (
            "\nlambda_.update_function_configuration(FunctionName='receipt', Layers=[second])\n")},
        [2, 3, 1, 1, 2], "receipt should go on with 20 %"),
    "open-to-everybody": (
        {"share_add": changed("share-add", '"111122223333"', '"*"')},
        [2, 3, 2, 0, 2], "is open to more than the one account"),
    "not-executable": (
        {"runtime_publish": changed("runtime-publish", "0o755", "0o644")},
        [2, 3, 2, 1, 0], "permission denied"),
    "failures-are-responses": (
        {"runtime_write": changed("runtime-write", '"$id/error"', '"$id/response"')},
        [2, 3, 2, 1, 1], "the runtime should post an error"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """(points of each task, the feedback's text) by the name of a submission."""
    place = tmp_path_factory.mktemp("class")
    for name, (answers, _, _) in WRONG_ANSWERS.items():
        hand_in(place / "in" / f"{name}.ipynb", notebook(**answers))
    hand_in(place / "in" / "solution.ipynb", notebook())
    hand_in(place / "in" / "untouched.ipynb", student_notebook(LAB))
    done = subprocess.run(
        [sys.executable, "-m", "minilambda.cli", "grade", str(place / "in"), "--out",
         str(place / "out"), "--jobs", "2"], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    with open(place / "out" / "gradebook.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            [page] = (place / "out" / "feedback").glob(f"{row['student']}*.html")
            text = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
            found[row["student"]] = [int(row[f"task {n}"]) for n in range(1, 6)], text
    return found


def test_points_and_tasks():
    assert LAB.points == 10
    assert list(LAB.tasks) == ["layer", "functions", "version", "share", "runtime"]


def test_the_student_notebook_gives_nothing_away():
    released = "".join(cell.source for cell in student_notebook(LAB).cells)
    assert "SOLUTION" not in released
    assert "3618" not in released and "milk" not in released  # of hidden checks
    for answer in LAB.answers.values():
        solution = answer.source.split("### BEGIN SOLUTION\n")[1].split("### END")[0]
        assert all(line not in released for line in solution.split("\n") if len(line) > 40)


def test_the_solution_gets_full_marks(graded):
    points, text = graded["solution"]
    assert points == FULL and "10 of 10 points" in text


def test_the_untouched_notebook_gets_nothing(graded):
    points, text = graded["untouched"]
    assert points == [0] * 5
    assert "there is no layer named 'tea-prices'" in text


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_fails_for_its_own_reason(graded, name):
    _, expected, reason = WRONG_ANSWERS[name]
    points, text = graded[name]
    assert (points, reason in text) == (expected, True), text[-3000:]
    others = {other for other in WRONG_ANSWERS
              if other != name and WRONG_ANSWERS[other][2] in text}
    # (Without a module receipt can't go on with the old rate either.)
    assert others == ({"rolled-out-to-both"} if name == "module-at-the-root" else set())
