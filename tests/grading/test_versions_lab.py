"""Lab 21 graded: the solution, the untouched notebook, and what one gets wrong in releases."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_21 = Class("21-versions-and-aliases")
changed = LAB_21.changed
FULL = [2, 2, 2, 2, 2]

PUBLISH_THEN_CONFIGURE = """first = lambda_.publish_version(FunctionName="menu", Description="winter")
lambda_.update_function_configuration(FunctionName="menu", MemorySize=256)
"""

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "published-before-it-was-configured": (
        {"version_publish": PUBLISH_THEN_CONFIGURE},
        [1, 2, 2, 2, 2], "Version 1 has 128 MB. It should have 256"),
    "production-is-the-draft": (
        {"alias_create": changed("alias-create", 'FunctionVersion="1"',
                                 'FunctionVersion="$LATEST"')},
        [2, 1, 2, 1, 2], "prod points at $LATEST"),
    "the-waiter-knows-a-number": (
        {"caller_create": changed("caller-create", 'prod["AliasArn"]', 'first["FunctionArn"]')},
        [2, 2, 1, 2, 2], "With prod moved to $LATEST waiter said"),
    "the-waiter-knows-the-draft": (
        {"caller_create": changed("caller-create", 'prod["AliasArn"]',
                                  'first["FunctionArn"].removesuffix(":1")')},
        [2, 2, 1, 2, 2], "With prod moved to 1 waiter said"),
    "all-at-once": (
        {"weight_shift": changed("weight-shift", 'Name="prod",\n    RoutingConfig='
                                 '{"AdditionalVersionWeights": {second["Version"]: 0.25}}',
                                 'Name="prod", FunctionVersion="2"')},
        [2, 2, 2, 1, 2], "Of the traffic of prod 100% goes to version 2"),
    "weights-the-wrong-way-round": (
        {"weight_shift": changed("weight-shift", 'Name="prod",', 'Name="prod", FunctionVersion="2",',
                                 'second["Version"]: 0.25', '"1": 0.25')},
        [2, 2, 2, 1, 2], "Of the traffic of prod 75% goes to version 2"),
    "published-without-a-deployment": (
        {"weight_shift": "second = lambda_.publish_version(FunctionName='menu')\n"},
        [2, 2, 2, 0, 2], "there is no version of 'menu' named '2'"),
    "weight-taken-from-the-good-one": (
        {"back_roll": changed("back-roll", 'Name="prod", FunctionVersion="2",', 'Name="prod",')},
        [2, 2, 2, 2, 0], "Of 20 bills through prod 20 failed"),
    "too-far-back": (
        {"back_roll": changed("back-roll", 'FunctionVersion="2"', 'FunctionVersion="1"')},
        [2, 2, 2, 2, 1], "It points at version 1 now"),
    "left-lying-about": (
        {"back_roll": changed("back-roll", "gone = lambda_.delete_function(", "gone = dict(")},
        [2, 2, 2, 2, 1], "Version 3 of orders is still there"),
}


def test_points_and_tasks():
    assert LAB_21.lab.points == 10
    assert list(LAB_21.lab.tasks) == ["version", "alias", "caller", "weight", "back"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_21.given_away("would miss a release", "It should have 256", "isn't there any more") == []


TestGraded = lab_tests(LAB_21, WRONG_ANSWERS, FULL,
                      untouched=["there is no version of 'menu' named '1'"])
