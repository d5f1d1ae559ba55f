"""Lab 16 graded: the solution, the untouched notebook, and what one gets wrong in tuning."""

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
LAB = Lab.load(ROOT / "labs" / "16-performance-tuning")
SOLUTIONS = {cell_id: cell.source for cell_id, cell in LAB.answers.items()}
FULL = [3, 3, 2, 2]


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


IN_THE_HANDLER = """%%writefile exchange.py
import json
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    found = s3.get_object(Bucket="tea-data", Key="rates.json")
    rates = json.load(found["Body"])
    return {"price": event["pence"] * rates[event["currency"]] // 100}
"""

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "smallest-is-cheapest": (
        {"memory_sweep": changed("memory-sweep", "min(price, key=price.get)", "min(price)")},
        [1, 3, 2, 2], "poster has 128 MB. One of the sizes costs 93% of that"),
    "as-long-as-it-gets": (
        {"time_set": changed("time-set", "Timeout=300", "Timeout=900"),
         "split_write": changed("split-write", "< 60_000", "< 0")},
        [3, 1, 2, 2], "On the way through shelves up to 610 a call of inventory failed"),
    "so-many-shelves-a-call": (
        {"split_write": changed("split-write", "context.get_remaining_time_in_millis() < 60_000",
                                "shelf >= event['first'] + 80")},
        [3, 2, 2, 2], "On the way through shelves up to 1060 a call of inventory failed"),
    "rates-in-every-call": (
        {"once_write": IN_THE_HANDLER},
        [3, 3, 0, 2], "So it still asks S3 in every call"),
    "rates-in-the-package": (
        {"once_write": changed("once-write", 'json.load(found["Body"])',
                               '{"EUR": 117, "USD": 131}')},
        [3, 3, 1, 2], "With new rates in S3 a new environment should use them"),
    "one-name-for-all-lists": (
        {"cache_write": changed("cache-write", """f"/tmp/{event['list']}\"""",
                                '"/tmp/teas.csv"')},
        [3, 3, 2, 1], "line 2 of cakes.csv is 'crumpet,190'"),
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
            found[row["student"]] = [int(row[f"task {n}"]) for n in range(1, 5)], text
    return found


def test_points_and_tasks():
    assert LAB.points == 10
    assert list(LAB.tasks) == ["memory", "time", "once", "cache"]


def test_the_student_notebook_gives_nothing_away():
    cells = student_notebook(LAB).cells
    released = "".join(cell.source for cell in cells)
    assert "SOLUTION" not in released
    assert "JPY" not in released and "quince" not in released  # of hidden checks
    # (Elsewhere the old handlers are shown, and share lines with the solutions.)
    to_write = {cell.id: cell.source for cell in cells}
    for cell_id, answer in LAB.answers.items():
        solution = answer.source.split("### BEGIN SOLUTION\n")[1].split("### END")[0]
        lines = [line for line in solution.split("\n") if line.strip()]
        assert lines and not any(line in to_write[cell_id] for line in lines)


def test_the_solution_gets_full_marks(graded):
    points, text = graded["solution"]
    assert points == FULL and "10 of 10 points" in text, text[-3000:]


def test_the_untouched_notebook_gets_nothing(graded):
    points, text = graded["untouched"]
    assert points == [0] * 4, text[-3000:]
    assert "You haven't invoked poster with" in text
    assert "there is no function named 'exchange'" in text


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_fails_for_its_own_reason(graded, name):
    _, expected, reason = WRONG_ANSWERS[name]
    points, text = graded[name]
    assert (points, reason in text) == (expected, True), text[-3000:]
    assert not [other for other in WRONG_ANSWERS
                if other != name and WRONG_ANSWERS[other][2] in text]
