"""Lab 07 graded: the solution, the untouched notebook, and what one gets wrong with nobody waiting."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_7 = Class("07-async-dlq")
changed = LAB_7.changed
FULL = [3, 2, 3, 2]

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "allowed-everything": (
        {"letters_set": changed("letters-set", '"sqs:SendMessage"', '"sqs:*"')},
        [2, 2, 3, 2], "The role may do more than it needs: 'sqs:*'"),
    "allowed-anything": (
        {"letters_set": changed("letters-set", '"sqs:SendMessage"', '"*"',
                                '"Resource": queue_arn', '"Resource": "*"')},
        [2, 2, 3, 2], "The role may do more than it needs: '*'"),
    "allowed-everywhere": (
        {"letters_set": changed("letters-set", '"Resource": queue_arn', '"Resource": "*"')},
        [2, 2, 3, 2], "The role may send to more than lost-orders"),
    "tidied-up-afterwards": (
        {"letters_set": changed("letters-set", "### END SOLUTION",
                                "iam.delete_role_policy(RoleName='tea-shop', PolicyName='letters')")},
        [2, 2, 3, 2], "brought 0 messages to lost-orders"),
    "waited-for-the-answer": (
        {"send_it": changed("send-it", 'InvocationType="Event",', "")},
        [3, 1, 3, 2], "No asynchronous event of kitchen has the id"),
    "counted-too-early": (
        {"send_it": changed("send-it", "cloud.run_until_idle()", "cloud.run(seconds=1)")},
        [3, 1, 3, 2], "The tag 'tries' says '1'"),
    "the-draft": (
        {"once_write": 'Path("till.py").write_text(DRAFT)\ncreate("till")\n'},
        [3, 2, 1, 2], "whose printer jams brought 930"),
    "remembered-in-the-environment": (
        {"once_write": changed("once-write", "def handler", "last = None\n\ndef handler",
                               "        client.transact", "        global last\n        if last == event['id']:"
                               "\n            raise KeyError\n        last = event['id']\n"
                               "        client.transact", '{"Put": note}, ', "",
                               "except client.exceptions.TransactionCanceledException", "except KeyError")},
        [3, 2, 2, 2], "one of them sent twice"),
    "fails-no-more": (
        {"once_write": changed("once-write", 'raise OSError("no bill was printed")', "return")},
        [3, 2, 2, 2], "should still fail"),
    "one-try-in-all": (
        {"limits_set": changed("limits-set", "MaximumRetryAttempts=1", "MaximumRetryAttempts=0")},
        [3, 2, 3, 1], "Once more means two in all"),
    "an-hour": (
        {"limits_set": changed("limits-set", "=300", "=3600")},
        [3, 2, 3, 1], "should be 300 seconds old"),
}


def test_points_and_tasks():
    assert LAB_7.lab.points == 10
    assert list(LAB_7.lab.tasks) == ["letters", "send", "once", "limits"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_7.given_away("send to more than lost-orders", "should still", "Once more means") == []


TestGraded = lab_tests(LAB_7, WRONG_ANSWERS, FULL,
                      also={"the-draft": ["remembered-in-the-environment"]},
                      untouched=["The dead-letter queue of kitchen"])
