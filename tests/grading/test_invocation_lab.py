"""Lab 4 graded: the solution, the untouched notebook, and what one gets wrong in calling functions."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_4 = Class("04-cli-invocation")
changed = LAB_4.changed
FULL = [2, 2, 4, 2]

WAIT = "time.sleep(random.uniform(0, 0.2 * 2 ** attempt))"

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "one-pot": (
        {"call_order": changed("call-order", '"pots": 3', '"pots": 1')},
        [0, 2, 4, 2], "but not for 3 pots of assam: ['ordered 1 assam"),
    "looks-at-the-status-only": (
        {"failure_tag": changed("failure-tag", '"FunctionError" in reply',
                                'reply["StatusCode"] != 200')},
        [2, 0, 4, 2], "For shop-kettle Lambda reports something else than 'none'"),
    "takes-a-document-for-a-failure": (
        {"failure_tag": changed("failure-tag", 'result["errorType"] if "FunctionError" in reply '
                                'else "none"', 'result.get("errorType", result.get("error"))')},
        [2, 1, 4, 2], "For shop-cake Lambda reports 'none', not 'sold out'"),
    "no-second-attempt": (
        {"client_write": changed("client-write", "range(5)", "range(1)", "attempt == 4", "True")},
        [2, 2, 1, 2], "client made 1 attempts"),
    "swallows-the-error": (
        {"client_write": changed("client-write", "raise\n", "return 'closed'\n")},
        [2, 2, 3, 2], "should let the error out, but it returned 'closed'"),
    "always-the-same-wait": (
        {"client_write": changed("client-write", WAIT, "time.sleep(0.2)")},
        [2, 2, 2, 2], "the waits don't grow"),
    "back-off-without-jitter": (
        {"client_write": changed("client-write", WAIT, "time.sleep(0.2 * 2 ** attempt)")},
        [2, 2, 2, 2], "There is no jitter"),
    "waits-too-long": (
        {"client_write": changed("client-write", WAIT,
                                 "time.sleep(random.uniform(0, 0.2 * 3 ** attempt))")},
        [2, 2, 2, 2], "It should take up to"),
    "a-body-that-isnt-text": (
        {"web_write": changed("web-write", "json.dumps(said)", "said")},
        [2, 2, 4, 1], "API Gateway would say 502 to {'tea'"),
    "everything-is-200": (
        {"web_write": changed("web-write", "200 if found else 404", "200")},
        [2, 2, 4, 1], "For /coffee web should answer 404"),
}


def test_points_and_tasks():
    assert LAB_4.lab.points == 10
    assert list(LAB_4.lab.tasks) == ["call", "failure", "client", "web"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_4.given_away("There is no jitter", "/coffee", "would say 502 to") == []


TestGraded = lab_tests(LAB_4, WRONG_ANSWERS, FULL,
                      untouched=["Nobody has called shop-order yet"])
