"""Submissions for the first lab: the solution, and what it takes to get something wrong."""

import json
from copy import deepcopy
from pathlib import Path

from minilambda.grading.lab import Lab
from minilambda.grading.release import student_notebook

ROOT = Path(__file__).resolve().parents[2]
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
