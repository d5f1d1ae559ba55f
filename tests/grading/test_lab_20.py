"""Lab 20 graded: the solution, the untouched notebook, and what it takes to get something wrong."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_20 = Class("20-layers")
changed = LAB_20.changed
FULL = [2, 3, 2, 1, 2]

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
        {"version_publish": LAB_20.solutions["version-publish"] + (
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


def test_points_and_tasks():
    assert LAB_20.lab.points == 10
    assert list(LAB_20.lab.tasks) == ["layer", "functions", "version", "share", "runtime"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_20.given_away("3618", "milk") == []  # (of hidden checks)


TestGraded = lab_tests(LAB_20, WRONG_ANSWERS, FULL,
                      untouched=["there is no layer named 'tea-prices'"],
                      # (Without a module receipt can't go on with the old rate either.)
                      also={"module-at-the-root": ["rolled-out-to-both"]})
