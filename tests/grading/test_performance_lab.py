"""Lab 16 graded: the solution, the untouched notebook, and what one gets wrong in tuning."""

from minilambda.grading.release import student_notebook

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_16 = Class("16-performance-tuning")
changed = LAB_16.changed
FULL = [3, 3, 2, 2]

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


def test_points_and_tasks():
    assert LAB_16.lab.points == 10
    assert list(LAB_16.lab.tasks) == ["memory", "time", "once", "cache"]


def test_the_student_notebook_gives_nothing_away():
    cells = student_notebook(LAB_16.lab).cells
    released = "".join(cell.source for cell in cells)
    assert "SOLUTION" not in released
    assert "JPY" not in released and "quince" not in released  # of hidden checks
    # (Elsewhere the old handlers are shown, and share lines with the solutions.)
    to_write = {cell.id: cell.source for cell in cells}
    for cell_id, answer in LAB_16.lab.answers.items():
        solution = answer.source.split("### BEGIN SOLUTION\n")[1].split("### END")[0]
        lines = [line for line in solution.split("\n") if line.strip()]
        assert lines and not any(line in to_write[cell_id] for line in lines)


TestGraded = lab_tests(LAB_16, WRONG_ANSWERS, FULL,
                      untouched=[
    "You haven't invoked poster with", "there is no function named 'exchange'"])
