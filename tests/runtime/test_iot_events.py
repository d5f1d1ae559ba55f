"""The contract of AWS IoT Events: what a detector model hands a function, and by whose leave."""

import json

import boto3
import pytest

from minilambda.aws.execution_role import role_may
from minilambda.triggers.iot_events import Cause, Detector, hand_over, message

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
CAUSE = Cause("charged", "voltage", "64c75a34-068b-4a1d-ae58-c16215dc4efd")


def detector(allowed, key="100009"):
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="detector", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    if allowed:
        iam.put_role_policy(RoleName="detector", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}))
    return Detector("battery", "4", role, "123456789012", "eu-west-2", key, "Charged", {"v": 3.1})


def function(lab):
    name = lab.deploy(PRINTS)
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def test_the_event_field_by_field(fresh):
    arn = function(fresh)
    request_id = hand_over(fresh.cloud, role_may, detector(True), CAUSE, arn)
    fresh.cloud.run_until_idle()
    (line,) = [x for x in fresh.log_lines(arn.split(":")[6]) if x.startswith("{")]
    event = json.loads(line)["event"]
    (given,) = fresh.cloud.trace.select("trigger.delivered")
    assert given.data["request_id"] == request_id
    assert isinstance(event.pop("eventTime"), int)
    assert event == {"eventName": "charged", "payload": {
        "detector": {"detectorModelName": "battery", "detectorModelVersion": "4", "keyValue": "100009"},
        "eventTriggerDetails": {"triggerType": "Message", "inputName": "voltage",
                                "messageId": CAUSE.message_id},
        "actionExecutionId": given.data["event_id"],
        "state": {"stateName": "Charged", "variables": {"v": 3.1}, "timers": {}}}}


@pytest.mark.parametrize("allowed", [True, False])
def test_the_role_lets_it_in_and_not_the_functions_policy(fresh, allowed):
    arn = function(fresh)
    assert (hand_over(fresh.cloud, role_may, detector(allowed), CAUSE, arn) is not None) is allowed
    assert len(fresh.cloud.trace.select("trigger.dropped")) == (not allowed)


def test_a_function_that_is_gone_drops_the_event(fresh):
    arn = function(fresh)
    fresh.client.delete_function(FunctionName=arn)
    assert hand_over(fresh.cloud, role_may, detector(True), CAUSE, arn) is None


def test_a_detector_without_a_key_has_none():
    one = Detector("m", "1", "r", "1", "x")
    assert "keyValue" not in message(one, CAUSE, 1, "x")["event"]["payload"]["detector"]
