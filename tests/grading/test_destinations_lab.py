"""Lab 11 graded: the solution, the untouched notebook, and what one gets wrong about who is told."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_11 = Class("11-destinations")
changed = LAB_11.changed
FULL = [3, 2, 3, 2]

WAITED = """
reply = lambda_.invoke(FunctionName="parcel:live", Payload=json.dumps({"id": "P-7"}))
lambda_.tag_resource(
    Resource=find_function(cloud, "parcel").configuration["FunctionArn"],
    Tags={"request": reply["ResponseMetadata"]["RequestId"],
          "condition": "RetriesExhausted", "tries": "2"})
"""
COUNTED_LETTERS = """
dead = sqs.get_queue_attributes(
    QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"],
    AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
"""

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "allowed-everything": (
        {"told_set": changed("told-set", '"sqs:SendMessage"', '"sqs:*"')},
        [2, 2, 3, 2], "The role parcel may do more than it needs: 'sqs:*'"),
    "allowed-everywhere": (
        {"told_set": changed("told-set", "delivered_arn, returned_arn)", '"*")')},
        [2, 2, 3, 2], "but it is to ['*']"),
    "not-for-the-alias": (
        {"told_set": changed("told-set", "update_function_event", "put_function_event",
                             'Qualifier="live", ', "")},
        [1, 0, 3, 2], "a Qualifier says for what"),
    "put-anew": (
        {"told_set": changed("told-set", "update_function_event", "put_function_event")},
        [2, 2, 3, 2], "A parcel without an address was tried 3 times"),
    "the-other-way-round": (
        {"told_set": changed("told-set", '"Destination": delivered_arn', '"Destination": QUEUE',
                             '"Destination": returned_arn', '"Destination": delivered_arn',
                             "QUEUE", "returned_arn")},
        [1, 0, 3, 2], "OnSuccess of live should be the queue delivered"),
    "waited-for-the-answer": (
        {"record_read": WAITED},
        [3, 0, 3, 2], "Of an invocation that somebody waits for there is no record"),
    "the-status": (
        {"record_read": changed("record-read", 'context["condition"]', '"200"')},
        [3, 1, 3, 2], "The tag 'condition' says '200'"),
    "three-as-always": (
        {"record_read": changed("record-read", 'str(context["approximateInvokeCount"])', '"3"')},
        [3, 1, 3, 2], "The parcel was tried 2 times. The tag 'tries' says '3'"),
    "read-it-like-a-dead-letter": (
        {"desk_write": changed("desk-write", 'event["requestPayload"]["id"]', 'event["id"]')},
        [3, 2, 1, 2], "The event of desk is the record; the letter is in it"),
    "the-request-id": (
        {"desk_write": changed("desk-write", 'event["requestPayload"]["id"]',
                               'event["requestContext"]["requestId"]')},
        [3, 2, 1, 2], "The event of desk is the record; the letter is in it"),
    "the-condition-for-the-reason": (
        {"desk_write": changed("desk-write", 'event["responsePayload"]["errorMessage"]',
                               'event["requestContext"]["condition"]')},
        [3, 2, 2, 2], "'why' says 'RetriesExhausted'"),
    "told-of-successes": (
        {"desk_write": changed("desk-write", '"OnFailure"', '"OnSuccess"')},
        [3, 2, 0, 2], "The destination for failures of letter should be desk, but is None"),
    "nobody-may-call-the-desk": (
        {"desk_write": changed("desk-write", 'allow("letter", "tell", "lambda:InvokeFunction", desk_arn)', "")},
        [3, 2, 0, 2], "letter has no settings for asynchronous events"),
    "counted-dead-letters": (
        {"lost_mend": COUNTED_LETTERS + changed(
            "lost-mend", 'str(total("telegram", "DestinationDeliveryFailures"))',
            'dead["ApproximateNumberOfMessages"]')},
        [3, 2, 3, 1], "The metric counts something else"),
    "read-the-other-metric": (
        {"lost_mend": changed("lost-mend", "DestinationDeliveryFailures", "DeadLetterErrors")},
        [3, 2, 3, 1], "The tag 'untold' of telegram says '0'"),
    "one-for-the-other": (
        {"lost_mend": changed("lost-mend", "dead_arn, alarms_arn)", "alarms_arn)")},
        [3, 2, 3, 1], "brought 1 messages to alarms and 0 to dead"),
    "mended-another-role": (
        {"lost_mend": changed("lost-mend", 'allow("telegram"', 'allow("letter"')},
        [3, 2, 3, 1], "brought 0 messages to alarms and 1 to dead"),
}


def test_points_and_tasks():
    assert LAB_11.lab.points == 10
    assert list(LAB_11.lab.tasks) == ["told", "record", "desk", "lost"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_11.given_away("leaves the rest as it is", "the letter is in it", "RetriesExhausted") == []


SAME_REASON = ["the-request-id", "read-it-like-a-dead-letter"]
TestGraded = lab_tests(
    LAB_11, WRONG_ANSWERS, FULL,
    also={SAME_REASON[0]: SAME_REASON[1:], SAME_REASON[1]: SAME_REASON[:1],
          "read-the-other-metric": ["counted-dead-letters"]},
    untouched=["The destination OnSuccess of live should be the queue delivered, but is ''"])
