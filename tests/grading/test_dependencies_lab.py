"""Lab 18 in the judge: the solution, nothing at all, and what one gets wrong about packages."""

from minilambda.grading.release import student_notebook

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_18 = Class("18-dependencies")
FULL = [2, 3, 2, 3]


def changed(cell_id, *changes):
    """The answers with that of a cell different."""
    return {cell_id.replace("-", "_"): LAB_18.changed(
        cell_id, *(text for change in changes for text in change))}


INSTALL = "--upgrade --target package aws-xray-sdk"
# As right as the solution, and quicker: pip takes what is named and nothing else.
LEAN = changed("function-pack", (INSTALL, INSTALL + " wrapt --no-deps"))


# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "library-left-at-home": (
        LEAN | changed("function-create", ('"branches.py", "package"', '"branches.py"'),
                       ("print(json.load", "# print(json.load"))
        | {"lean_update": "# it is lean already", "trace_on": "# nothing to trace"},
        [2, 0, 0, 0], "No module named 'aws_xray_sdk'"),
    "without-what-it-requires": (
        changed("function-pack", (INSTALL, INSTALL + " --no-deps"))
        | changed("function-create", ("print(json.load", "# print(json.load"))
        | {"trace_on": "# nothing to trace"},
        [2, 0, 0, 0], "No module named 'wrapt'"),
    "hard-coded-branches": (
        LEAN | changed("function-code", (
            "    buckets = [bucket", '    return ["camden", "soho"]\n    buckets = [bucket')),
        [2, 1, 2, 1], "A branch opened in Brixton"),
    "brings-the-sdk-along": (
        {"lean_update": "# It works, so I left it as it was."},
        [2, 3, 0, 3], "botocore is most of it, and Lambda has that"),
    "traces-nothing": (
        LEAN | changed("function-code", ("patch_all()\n", "")),
        [2, 3, 2, 1], "The SDK notes down calls only after patch_all()"),
    "tracing-never-switched-on": (
        LEAN | {"trace_on": "# The SDK is in the package, so it must be on."},
        [2, 3, 2, 0], "The tracing mode of list-branches is PassThrough"),
    "role-may-do-everything": (
        LEAN | changed("role-create", ('actions = ["s3:ListAllMyBuckets",',
                                       'actions = ["s3:*", "s3:ListAllMyBuckets",')),
        [1, 3, 2, 3], "The role allows s3:*, which this function doesn't need"),
}


def test_points_and_tasks():
    assert LAB_18.lab.points == 10 and len(LAB_18.lab.tasks) == len(FULL)


# A function that can't start answers for no branch, and nobody had it traced; one that asks S3
# nothing has no call to trace.
ALSO = {"hard-coded-branches": ["traces-nothing"]} | dict.fromkeys(
    ["library-left-at-home", "without-what-it-requires"],
    ["hard-coded-branches", "tracing-never-switched-on"])

TestGraded = lab_tests(LAB_18, WRONG_ANSWERS, FULL,
                      untouched=["there is no role named 'branches-role'"],
                      options=["--time-limit", "400"], also=ALSO)


def test_hidden_checks_are_not_given_away():
    released = "".join(cell.source for cell in student_notebook(LAB_18.lab).cells)
    assert "tea-brixton" not in released and "green-tea" not in released
    assert "SOLUTION" not in released
