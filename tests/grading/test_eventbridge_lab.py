"""Lab 08 graded: the solution, the untouched notebook, and what one gets wrong with rules."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_8 = Class("08-eventbridge")
changed = LAB_8.changed
FULL = [3, 3, 2, 2]
PERMISSION = LAB_8.solutions["bell-rule"].split("lambda_.add")[1].split("###")[0]

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "lets-nobody-in": (
        {"bell_rule": changed("bell-rule", f"lambda_.add{PERMISSION}", "")},
        [1, 3, 2, 2], "In a week bell wasn't invoked once"),
    "lets-every-rule-in": (
        {"bell_rule": changed("bell-rule", " SourceArn=opening,", "")},
        [2, 3, 2, 2], "Only the rule opening should be let in"),
    "five-fields": (
        {"bell_rule": changed("bell-rule", "cron(30 8 ? * MON-FRI *)", "cron(30 8 * * 1-5)")},
        [0, 3, 2, 2], "There is no rule opening"),
    "one-is-monday": (
        {"bell_rule": changed("bell-rule", "MON-FRI", "1-5")},
        [2, 3, 2, 2], "In a cron expression of EventBridge 1 is Sunday"),
    "hours-first": (
        {"bell_rule": changed("bell-rule", "cron(30 8 ?", "cron(8 30 ?")},
        [0, 3, 2, 2], "There is no rule opening"),
    "once-a-day": (
        {"bell_rule": changed("bell-rule", "cron(30 8 ? * MON-FRI *)", "rate(1 day)")},
        [2, 3, 2, 2], "The bell should ring at 08:30 UTC"),
    "every-tea": (
        {"stock_rule": changed("stock-rule", '"tea": ["assam", "darjeeling"],', "")},
        [3, 2, 2, 2], "packets of sencha are left. buyer was told 1 times"),
    "ten-is-few": (
        {"stock_rule": changed("stock-rule", '["<", 10]', '["<=", 10]')},
        [3, 2, 2, 2], "10 packets of assam are left. buyer was told 1 times"),
    "any-source": (
        {"stock_rule": changed("stock-rule", '"source": ["tea.stock"], ', "")},
        [3, 2, 2, 2], "buyer was told of an event of coffee.stock"),
    "a-number-as-text": (
        {"stock_rule": changed("stock-rule", '[{"numeric": ["<", 10]}]',
                               '[str(n) for n in range(10)]')},
        [3, 0, 0, 1], "Seven packets of assam are left. buyer was told 0 times"),
    "in-the-place-of-the-buyer": (
        {"board_target": changed("board-target", '"Id": "board"', '"Id": "buyer"'),
         "letters_set": "pass"},
        [3, 0, 2, 0], "There is no rule low with the target buyer"),
    "the-whole-event": (
        {"board_target": changed("board-target", ', "InputTransformer": {\n        "InputPathsMap": '
                                 '{"tea": "$.detail.tea", "left": "$.detail.left"},\n        '
                                 '"InputTemplate": \'{"line": "only <left> left of <tea>", \'\n'
                                 '                         \'"left": <left>}\'}', "")},
        [3, 3, 1, 2], "board was given"),
    "left-in-quotation-marks": (
        {"board_target": changed("board-target", '"left": <left>}', '"left": "<left>"}')},
        [3, 3, 1, 2], "board was given"),
    "a-queue-that-lets-nobody-in": (
        {"letters_set": changed("letters-set", "events.amazonaws.com", "lambda.amazonaws.com")},
        [3, 3, 2, 1], "Does the queue's policy let events.amazonaws.com in?"),
    "the-functions-dead-letters": (
        {"letters_set": changed("letters-set", ',\n    "DeadLetterConfig": {"Arn": queue_arn}', "")},
        [3, 3, 2, 0], "should have undelivered as its dead-letter queue"),
}


def test_points_and_tasks():
    assert LAB_8.lab.points == 10
    assert list(LAB_8.lab.tasks) == ["bell", "stock", "board", "letters"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_8.given_away("1 is Sunday", "MON-FRI", "Only the rule opening") == []


TestGraded = lab_tests(
    LAB_8, WRONG_ANSWERS, FULL, untouched=["There is no rule opening with the target bell"],
    # Where AWS refuses the rule nothing rings; and what reaches the board is one reason for both.
    also={"five-fields": ["lets-nobody-in", "hours-first"],
          "hours-first": ["lets-nobody-in", "five-fields"],
          "the-whole-event": ["left-in-quotation-marks"],
          "left-in-quotation-marks": ["the-whole-event"],
          "a-number-as-text": ["the-whole-event", "left-in-quotation-marks",
                               "a-queue-that-lets-nobody-in"]})
