"""Custom resources of CloudFormation: functions that answer by a URL."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

MAKER = """
import json, urllib.request
def handler(event, context):
    print(json.dumps(event))
    properties = event["ResourceProperties"]
    said = {"Status": "SUCCESS", "PhysicalResourceId": properties.get("Id", "thing"),
            "Data": {"Answer": "42"}, "NoEcho": properties.get("NoEcho") == "true",
            **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}}
    if event["RequestType"] == "Delete":
        said["PhysicalResourceId"] = event["PhysicalResourceId"]
    if properties.get("Mode") == "large":
        said["Data"] = {"x": "y" * 5000}
    if properties.get("Mode") == "failed" and event["RequestType"] == "Create":
        said |= {"Status": "FAILED", "Reason": "no luck"}
    if properties.get("Mode") == "silent" and event["RequestType"] == "Create":
        return
    for _ in range(2):
        try:
            put = urllib.request.Request(event["ResponseURL"], json.dumps(said).encode(), method="PUT")
            print("answered", urllib.request.urlopen(put).status)
        except urllib.error.HTTPError as error:
            print("answered", error.code)
"""


def function(lab, source=MAKER):
    return lab.client.get_function_configuration(FunctionName=lab.deploy(source))["FunctionArn"]


def template(arn, kind="Custom::Thing", **properties):
    return json.dumps({"Resources": {
        "Mine": {"Type": kind, "Properties": {"ServiceToken": arn, **properties}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {
            "QueueName": {"Fn::Join": ["", ["q", {"Fn::GetAtt": ["Mine", "Answer"]}]]}}}},
        "Outputs": {"Answer": {"Value": {"Fn::GetAtt": ["Mine", "Answer"]}},
                    "Id": {"Value": {"Ref": "Mine"}}}})


def told(lab, arn):
    return [json.loads(line) for line in lab.log_lines(arn.split(":")[6]) if line.startswith("{")]


def stack(name="s"):
    return boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def events(name="s"):
    found = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [(one["LogicalResourceId"], one["ResourceStatus"], one.get("ResourceStatusReason"))
            for one in reversed(found)]


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_a_stack_waits_for_its_function_and_has_what_it_says(fresh, kind):
    cloudformation, arn = boto3.client("cloudformation"), function(fresh)
    stack_id = cloudformation.create_stack(StackName="s", TemplateBody=template(
        arn, kind, Number=5, Yes=True, List=[1, {"a": False}]))["StackId"]
    assert stack()["StackStatus"] == "CREATE_IN_PROGRESS"
    assert "Outputs" not in stack()
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s")
    assert {one["OutputKey"]: one["OutputValue"] for one in stack()["Outputs"]} == {
        "Answer": "42", "Id": "thing"}
    assert boto3.client("sqs").get_queue_url(QueueName="q42")
    (event,) = told(fresh, arn)
    assert event.pop("ResponseURL").startswith("http")
    assert len(event.pop("RequestId")) == 36
    assert event == {"RequestType": "Create", "ServiceToken": arn, "StackId": stack_id,
                     "ResourceType": kind, "LogicalResourceId": "Mine", "ResourceProperties": {
                         "ServiceToken": arn, "Number": "5", "Yes": "true", "List": ["1", {"a": "false"}]}}
    assert [one for one in events() if one[0] == "Mine"] == [
        ("Mine", "CREATE_IN_PROGRESS", None), ("Mine", "CREATE_COMPLETE", None)]


def test_a_url_takes_one_response(fresh):
    arn = function(fresh)
    boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=template(arn))
    fresh.cloud.run_until_idle()
    assert [line.split()[1] for line in fresh.log_lines(arn.split(":")[6])
            if line.startswith("answered")] == ["200", "403"]


def test_update_and_delete(fresh):
    cloudformation, arn = boto3.client("cloudformation"), function(fresh)
    cloudformation.create_stack(StackName="s", TemplateBody=template(arn))
    fresh.cloud.run_until_idle()
    cloudformation.update_stack(StackName="s", TemplateBody=template(arn, Id="other"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s")
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s")
    old, new = {"ServiceToken": arn}, {"ServiceToken": arn, "Id": "other"}
    assert [(one["RequestType"], one.get("PhysicalResourceId"), one["ResourceProperties"],
             one.get("OldResourceProperties")) for one in told(fresh, arn)] == [
        ("Create", None, old, None), ("Update", "thing", new, old), ("Delete", "thing", old, None),
        ("Delete", "other", new, None)]


def test_without_a_response_the_stack_waits_for_an_hour(fresh):
    cloudformation, arn = boto3.client("cloudformation"), function(fresh)
    cloudformation.create_stack(StackName="s", TemplateBody=template(arn, Mode="silent"))
    fresh.cloud.run(seconds=3590)
    assert stack()["StackStatus"] == "CREATE_IN_PROGRESS"
    fresh.cloud.run_until_idle()
    assert stack()["StackStatus"] == "ROLLBACK_COMPLETE"
    (reason,) = [one[2] for one in events() if one[:2] == ("Mine", "CREATE_FAILED")]
    assert reason == ("CloudFormation did not receive a response from your custom resource. Please check "
                      f"your logs for requestId [{told(fresh, arn)[0]['RequestId']}].")
    assert [one["RequestType"] for one in told(fresh, arn)] == ["Create", "Delete"]


def test_a_timeout_of_its_own(fresh):
    arn, begun = function(fresh), fresh.cloud.clock.seconds
    boto3.client("cloudformation").create_stack(StackName="s", DisableRollback=True, TemplateBody=template(
        arn, Mode="silent", ServiceTimeout=90))
    fresh.cloud.run_until_idle()
    assert stack()["StackStatus"] == "CREATE_FAILED"
    assert 90 <= fresh.cloud.clock.seconds - begun < 120


def test_a_failure_is_in_the_events_and_rolled_back(fresh):
    cloudformation, arn = boto3.client("cloudformation"), function(fresh)
    cloudformation.create_stack(StackName="s", TemplateBody=template(arn, Mode="failed"))
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="s")
    fresh.cloud.run_until_idle()
    create, delete = told(fresh, arn)
    assert ("Mine", "CREATE_FAILED", "Received response status [FAILED] from custom resource. Message "
            f"returned: no luck (RequestId: {create['RequestId']})") in events()
    assert ("s", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Mine].") in events()
    assert (delete["RequestType"], delete["PhysicalResourceId"]) == ("Delete", "thing")
    assert stack()["StackStatus"] == "ROLLBACK_COMPLETE"


@pytest.mark.parametrize(("properties", "reason"), [
    ({"Mode": "large"}, "Response object is too long."),
    ({"ServiceTimeout": 3601}, "ServiceTimeout must be an integer from 1 to 3600, not '3601'"),
    ({"Id": ""}, "Invalid PhysicalResourceId"),
])
def test_what_is_wrong_is_said(fresh, properties, reason):
    boto3.client("cloudformation").create_stack(StackName="s", DisableRollback=True, TemplateBody=template(
        function(fresh), **properties))
    fresh.cloud.run_until_idle()
    assert ("Mine", "CREATE_FAILED", reason) in events()


def test_secrets_are_masked_in_outputs_only(fresh):
    boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=template(
        function(fresh), NoEcho=True))
    fresh.cloud.run_until_idle()
    assert {"OutputKey": "Answer", "OutputValue": "*****"} in stack()["Outputs"]
    assert boto3.client("sqs").get_queue_url(QueueName="q42")


def test_a_function_that_raises_is_tried_again_by_lambda(fresh):
    arn = function(fresh, "def handler(event, context):\n    raise ValueError\n")
    boto3.client("cloudformation").create_stack(StackName="s", DisableRollback=True,
                                                TemplateBody=template(arn))
    fresh.cloud.run_until_idle()
    assert len(fresh.cloud.trace.select("invoke.started", function=arn.split(":")[6])) == 3
    assert stack()["StackStatus"] == "CREATE_FAILED"


def test_topics_are_refused(fresh):
    with pytest.raises(ClientError) as error:
        boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=template(
            "arn:aws:sns:eu-west-2:123456789012:topic"))
    assert "SNS topic" in str(error.value)
    with pytest.raises(ClientError):
        stack()


def test_a_stacks_role_must_be_allowed(fresh):
    boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=template(function(fresh)),
                                                RoleARN=fresh.role, DisableRollback=True)
    fresh.cloud.run_until_idle()
    assert any("not authorized to perform: lambda:InvokeFunction" in str(one[2]) for one in events())
