"""Topic rules that hand what is published to functions and others."""

import base64
import json

import boto3
import pytest
from botocore.exceptions import ClientError

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
RULE = "arn:aws:iot:eu-west-2:123456789012:rule/rule"


def function(lab, permitted=True, source_arn=RULE):
    name = lab.deploy(PRINTS)
    if permitted:
        lab.client.add_permission(
            FunctionName=name, StatementId="iot", Action="lambda:InvokeFunction",
            Principal="iot.amazonaws.com", SourceArn=source_arn, SourceAccount="123456789012")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def rule(sql, *actions, name="rule", **settings):
    boto3.client("iot").create_topic_rule(ruleName=name, topicRulePayload={
        "sql": sql, "actions": list(actions), **settings})


def to(arn):
    return {"lambda": {"functionArn": arn}}


def publish(topic, payload):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    boto3.client("iot-data").publish(topic=topic, qos=1, payload=body)


def role(*actions):
    iam = boto3.client("iam")
    arn = iam.create_role(RoleName="iot", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"},
            "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    if actions:
        iam.put_role_policy(RoleName="iot", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn


def test_a_function_gets_what_is_selected_and_nothing_else(fresh):
    arn = function(fresh)
    rule("SELECT temperature AS t, topic(2) AS room FROM 'dt/+/temp' WHERE temperature > 20", to(arn))
    publish("dt/kitchen/temp", {"temperature": 21})
    publish("dt/kitchen/temp", {"temperature": 19})
    publish("dt/kitchen/light", {"temperature": 30})
    assert fresh.printed(arn) == [{"t": 21, "room": "kitchen"}]
    (given,) = fresh.cloud.trace.select("trigger.delivered")
    assert given.data["resource"] == RULE and given.data["request_id"]


def test_a_rule_of_another_arn_is_not_let_in_and_the_error_action_is_told(fresh):
    arn = function(fresh, source_arn=RULE + "2")
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    rule("SELECT * FROM 'a'", to(arn), errorAction={
        "sqs": {"queueUrl": queue, "roleArn": role("sqs:SendMessage")}})
    publish("a", {"x": 1})
    assert fresh.printed(arn) == []
    (sent,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(sent["Body"])
    assert json.loads(base64.b64decode(body["base64OriginalPayload"])) == {"x": 1}
    (failure,) = body["failures"]
    assert body["ruleName"] == "rule" and body["topic"] == "a" and body["clientId"] == "N/A"
    assert failure["failedAction"] == "LambdaAction" and failure["failedResource"] == arn
    assert "policy" in failure["errorMessage"]


def test_a_disabled_rule_does_nothing_until_it_is_enabled(fresh):
    arn = function(fresh)
    rule("SELECT * FROM 'a'", to(arn), ruleDisabled=True)
    publish("a", {"x": 1})
    assert fresh.printed(arn) == []
    boto3.client("iot").enable_topic_rule(ruleName="rule")
    publish("a", {"x": 2})
    assert fresh.printed(arn) == [{"x": 2}]


def test_queue_topic_bucket_and_another_topic(fresh):
    arn = function(fresh)
    may = role("sqs:SendMessage", "s3:PutObject", "iot:Publish", "sns:Publish")
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    boto3.client("s3").create_bucket(
        Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    rule("SELECT * FROM 'a/#'", {"sqs": {"queueUrl": queue, "roleArn": may, "useBase64": False}},
         {"s3": {"bucketName": "bkt", "key": "${topic(2)}/${n}", "roleArn": may}},
         {"republish": {"topic": "b/${topic(2)}", "roleArn": may}}, name="first")
    rule("SELECT *, topic() AS via FROM 'b/+'", to(arn))
    publish("a/z", {"n": 3})
    assert fresh.printed(arn) == [{"n": 3, "via": "b/z"}]
    (sent,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(sent["Body"]) == {"n": 3}
    assert json.load(boto3.client("s3").get_object(Bucket="bkt", Key="z/3")["Body"]) == {"n": 3}


def test_a_role_that_may_not_is_a_failure(fresh):
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    rule("SELECT * FROM 'a'", {"sqs": {"queueUrl": queue, "roleArn": role()}})
    publish("a", {})
    fresh.cloud.run_until_idle()
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=queue)
    (failed,) = fresh.cloud.trace.select("trigger.failed")
    assert "sqs:SendMessage" in failed.data["reason"]


def test_what_is_not_json(fresh):
    arn = function(fresh)
    rule("SELECT encode(*, 'base64') AS data FROM 'a'", to(arn))
    publish("a", b"\xff\x00")
    assert fresh.printed(arn) == [{"data": "/wA="}]


def test_bad_rules_are_refused(fresh):
    for sql in ("SELECT FROM 'a'", "SELECT * FROM 'a' WHERE x IN [1]"):
        with pytest.raises(ClientError) as error:
            rule(sql, to("arn:aws:lambda:eu-west-2:123456789012:function:f"))
        assert error.value.response["Error"]["Code"] == "SqlParseException"
    with pytest.raises(ClientError) as error:
        rule("SELECT * FROM 'a'", {"firehose": {"roleArn": "r" * 20, "deliveryStreamName": "s"}})
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert boto3.client("iot").list_topic_rules()["rules"] == []


def test_a_replacement_that_is_refused_leaves_the_rule(fresh):
    arn = function(fresh)
    rule("SELECT * FROM 'a'", to(arn))
    with pytest.raises(ClientError):
        boto3.client("iot").replace_topic_rule(ruleName="rule", topicRulePayload={
            "sql": "SELEKT", "actions": [to(arn)]})
    publish("a", {"x": 1})
    assert fresh.printed(arn) == [{"x": 1}]
