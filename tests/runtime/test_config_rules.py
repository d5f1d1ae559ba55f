"""Custom rules of AWS Config: functions that judge buckets."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

JUDGES = """
import boto3, json
def handler(event, context):
    print(json.dumps(event))
    item = json.loads(event["invokingEvent"]).get("configurationItem")
    if item:
        boto3.client("config").put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
            "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
            "ComplianceType": "NON_COMPLIANT",
            "OrderingTimestamp": item["configurationItemCaptureTime"]}])
"""


def recorder():
    config = boto3.client("config")
    config.put_configuration_recorder(ConfigurationRecorder={
        "name": "default", "roleARN": "arn:aws:iam::123456789012:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": False}})
    bucket("delivery")
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "delivery"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return config


def bucket(name):
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})


def function(lab, permitted=True):
    name = lab.deploy(JUDGES)
    if permitted:
        lab.client.add_permission(FunctionName=name, StatementId="c", Action="lambda:InvokeFunction",
                                  Principal="config.amazonaws.com", SourceAccount="123456789012")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def rule(arn, kind="ConfigurationItemChangeNotification", types=("AWS::S3::Bucket",), **details):
    boto3.client("config").put_config_rule(ConfigRule={
        "ConfigRuleName": "rule", "Scope": {"ComplianceResourceTypes": list(types)},
        "InputParameters": '{"a": "b"}', "Source": {
            "Owner": "CUSTOM_LAMBDA", "SourceIdentifier": arn, "SourceDetails": [
                {"EventSource": "aws.config", "MessageType": kind, **details}]}})


def told(lab, arn):
    try:
        lines = lab.log_lines(arn.split(":")[6])
    except ClientError:
        return []
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_change_is_judged_and_the_judgement_kept(fresh):
    config, arn = recorder(), function(fresh)
    rule(arn)
    bucket("bkt")
    fresh.cloud.run_until_idle()
    event = next(one for one in told(fresh, arn) if '"bkt"' in one["invokingEvent"])
    stored = config.describe_config_rules()["ConfigRules"][0]
    assert event.pop("resultToken")
    invoking = json.loads(event.pop("invokingEvent"))
    assert event == {
        "version": "1.0", "ruleParameters": '{"a": "b"}', "eventLeftScope": False,
        "executionRoleArn": "arn:aws:iam::123456789012:role/config",
        "configRuleArn": stored["ConfigRuleArn"], "configRuleName": "rule",
        "configRuleId": stored["ConfigRuleId"], "accountId": "123456789012"}
    assert invoking["messageType"] == "ConfigurationItemChangeNotification"
    assert invoking["configurationItem"]["resourceType"] == "AWS::S3::Bucket"
    results = config.get_compliance_details_by_config_rule(ConfigRuleName="rule")["EvaluationResults"]
    assert "bkt" in {one["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]
                     for one in results if one["ComplianceType"] == "NON_COMPLIANT"}
    (judged,) = config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
    assert judged["Compliance"]["ComplianceType"] == "NON_COMPLIANT"


def test_other_types_are_not_asked_about(fresh):
    recorder()
    arn = function(fresh)
    rule(arn, types=["AWS::EC2::Instance"])
    bucket("bkt")
    fresh.cloud.run_until_idle()
    assert told(fresh, arn) == []


def test_a_schedule_comes_with_time_and_keeps_nobody_waiting(fresh):
    recorder()
    arn = function(fresh)
    rule(arn, "ScheduledNotification", MaximumExecutionFrequency="One_Hour")
    fresh.cloud.run_until_idle()
    assert told(fresh, arn) == []
    fresh.cloud.run(minutes=125)
    assert [json.loads(one["invokingEvent"])["messageType"] for one in told(fresh, arn)] == [
        "ScheduledNotification"] * 2


def test_who_may_not_be_invoked_is_refused(fresh):
    with pytest.raises(ClientError) as error:
        rule(function(fresh, permitted=False))
    assert error.value.response["Error"]["Code"] == "InsufficientPermissionsException"
