"""IAM's evaluation of a principal's own policies."""

import pytest

from minilambda.identity_policy import allows

SEND, QUEUE = "sqs:SendMessage", "arn:aws:sqs:eu-west-2:123456789012:orders"


def allow(**more):
    return {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"} | more


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(("statement", "fits"), [
    (allow(), True),
    (allow(Action="SQS:sendMESSAGE"), True),  # upper and lower case don't matter in actions
    (allow(Action=["sns:*", "sqs:Send*"]), True),
    (allow(Action="sqs:Send?essage"), True),
    (allow(Action="sqs:Send"), False),
    (allow(Action="*"), True),
    (allow(Resource=QUEUE), True),
    (allow(Resource=QUEUE.upper()), False),  # they do in resources
    (allow(Resource="arn:aws:sqs:*:*:ord*"), True),
    (allow(Resource=["arn:aws:sqs:*:*:x", QUEUE]), True),
    (allow(Resource="arn:aws:sqs:eu-west-2:123456789012:[o]rders"), False),  # only * and ?
    ({"Effect": "Allow", "NotAction": "sns:*", "Resource": "*"}, True),
    ({"Effect": "Allow", "NotAction": "sqs:Send*", "Resource": "*"}, False),
    ({"Effect": "Allow", "Action": "sqs:*", "NotResource": QUEUE}, False),
    ({"Effect": "Allow", "Action": "sqs:*", "NotResource": "arn:aws:sqs:*:*:other"}, True),
    (allow(Effect="Deny"), False),
])
def test_one_statement(statement, fits):
    assert allows([policy(statement)], SEND, QUEUE) is fits
    assert allows([{"Statement": statement}], SEND, QUEUE) is fits  # need not be a list


def test_a_denial_wins_wherever_it_stands():
    deny = allow(Effect="Deny", Resource=QUEUE)
    for documents in ([policy(allow(), deny)], [policy(deny), policy(allow())]):
        assert not allows(documents, SEND, QUEUE)
        assert allows(documents, SEND, QUEUE + "-other")
    assert not allows([], SEND, QUEUE)


@pytest.mark.parametrize(("condition", "fits"), [
    ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
    ({"StringEquals": {"AWS:SOURCEACCOUNT": ["2", "1"]}}, True),
    ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
    ({"StringEquals": {"aws:Other": "1"}}, False),
    ({"StringEqualsIfExists": {"aws:Other": "1"}}, True),
    ({"StringNotEquals": {"aws:SourceAccount": "2"}}, True),
    ({"StringNotEquals": {"aws:SourceAccount": ["2", "1"]}}, False),
    ({"StringNotEquals": {"aws:Other": "1"}}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:1:function:*"}}, True),
    ({"ArnNotLike": {"aws:SourceArn": "arn:aws:lambda:*"}}, False),
    ({"Bool": {"aws:SecureTransport": True}}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False),
    ({"Null": {"aws:Other": "true"}}, True),
    ({"Null": {"aws:SourceAccount": "true"}}, False),
    ({"StringEquals": {"aws:SourceAccount": "1"}, "Null": {"aws:Other": "false"}}, False),
    ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3"}}, False),  # not known here: to be safe
])
def test_conditions(condition, fits):
    facts = {"aws:SourceAccount": "1", "aws:SourceArn": "arn:aws:lambda:x:1:function:f",
             "aws:SecureTransport": "true"}
    assert allows([policy(allow(Condition=condition))], SEND, QUEUE, facts) is fits
    unknown = "NumericLessThan" in condition
    denied = allows([policy(allow(), allow(Effect="Deny", Condition=condition))], SEND, QUEUE, facts)
    assert denied is not (fits or unknown)
