"""Lab 17 graded: the solution, the untouched notebook, and what one gets wrong about concurrency."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_17 = Class("17-concurrency")
changed = LAB_17.changed
FULL = [2, 3, 2, 3]

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "deleted-instead": (
        {"off_do": 'lambda_.delete_function(FunctionName="newsletter")'},
        [0, 3, 2, 3], "there is no function named 'newsletter'"),
    "one-isnt-off": (
        {"off_do": changed("off-do", "Executions=0", "Executions=1")},
        [0, 3, 2, 3], "newsletter may still run 1 at once"),
    "other-code-too": (
        {"off_do": LAB_17.solutions["off-do"] + """
Path("stopped.py").write_text("def handler(event, context): return None")
lambda_.update_function_code(FunctionName="newsletter",
                             ZipFile=zip_handler("stopped.py"))
"""},
        [1, 3, 2, 3], "Switched on again, newsletter should do what it did"),
    "more-than-connections": (
        {"limit_do": changed("limit-do", "Executions=20", "Executions=22")},
        [2, 0, 2, 3], "22 calls of seats may run at once"),
    "to-be-careful": (
        {"limit_do": changed("limit-do", "Executions=20", "Executions=15")},
        [2, 1, 2, 3], "Of 23 people at once 20 could have been served, but 15 were"),
    "nobody-came": (
        {"limit_do": changed("limit-do", 'came = calls_at_once("seats", 25, {"row": 3})',
                             'came = {"TooManyRequestsException": 5}')},
        [2, 2, 2, 3], "Nobody was turned away yet"),
    "average-is-enough": (
        {"keep_do": changed("keep-do", "=places)", "=3 * 2)")},
        [2, 3, 0, 3], "With 6 places, of 20,000 customers"),
    "as-many-as-there-are": (
        {"keep_do": changed("keep-do", "=places)", "=200)")},
        [2, 3, 1, 3], "checkout has 200 places. Fewer are enough"),
    "reserved-is-warm": (
        {"ready_do": changed(
            "ready-do", "put_provisioned_concurrency_config(",
            "put_function_concurrency(", ', Qualifier="live", ProvisionedConcurrent',
            ", ReservedConcurrent")},
        [2, 3, 2, 1], "Nothing is provisioned on plan's alias live: No Provisioned Concurrency"),
    "by-another-name": (
        {"ready_do": changed("ready-do", 'Name="live"', 'Name="prod"',
                             'Qualifier="live"', 'Qualifier="prod"')},
        [2, 3, 2, 0], "plan has no alias named live. It has ['prod']"),
    "three-for-five": (
        {"ready_do": changed("ready-do", "Executions=5", "Executions=3")},
        [2, 3, 2, 2], "Of five people at once 2 waited for init"),
}


def test_points_and_tasks():
    assert LAB_17.lab.points == 10
    assert list(LAB_17.lab.tasks) == ["off", "limit", "keep", "ready"]


def test_the_student_notebook_gives_nothing_away():
    # (How many places it takes, and what only the hidden checks ask.)
    assert LAB_17.given_away("13", "Ada", "Of 23 people", "waited for init") == []


TestGraded = lab_tests(LAB_17, WRONG_ANSWERS, FULL,
                      untouched=[
    "newsletter has no reserved concurrency", "plan has no alias named live"])
