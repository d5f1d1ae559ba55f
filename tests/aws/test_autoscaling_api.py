"""Application Auto Scaling's control plane for provisioned concurrency, by boto3: shapes and refusals."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

TARGET = {"ServiceNamespace": "lambda", "ResourceId": "function:f:live",
          "ScalableDimension": "lambda:function:ProvisionedConcurrency"}
TRACKING = {"TargetValue": 0.7, "PredefinedMetricSpecification": {
    "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}}


@pytest.fixture
def scaling(cloud, lambda_, spec):
    lambda_.create_function(**spec, Publish=True)
    lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    return boto3.client("application-autoscaling", config=Config(
        retries={"total_max_attempts": 1}))


def register(scaling, **more):
    return scaling.register_scalable_target(**TARGET | {"MinCapacity": 1, "MaxCapacity": 5} | more)


def put_policy(scaling, name="p", **more):
    return scaling.put_scaling_policy(**TARGET, **{
        "PolicyName": name, "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING} | more)


def error(call, *args, **kwargs):
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    found = refused.value.response
    return found["Error"]["Code"], found["Error"]["Message"]


def test_a_target(cloud, scaling, lambda_):
    arn = register(scaling)["ScalableTargetARN"]
    [target] = scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    assert target.pop("CreationTime") == datetime(2020, 3, 2, 9, tzinfo=UTC)
    assert target == TARGET | {
        "MinCapacity": 1, "MaxCapacity": 5, "ScalableTargetARN": arn, "RoleARN":
        "arn:aws:iam::123456789012:role/aws-service-role/lambda.application-autoscaling.amazonaws.com"
        "/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"}
    config = lambda_.get_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    assert config["RequestedProvisionedConcurrentExecutions"] == 1
    [activity] = scaling.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
    assert activity.pop("ActivityId") and activity == {
        key: TARGET[key] for key in TARGET} | {
        "Description": "Setting desired concurrency to 1.", "Cause": "minimum capacity was set to 1",
        "StartTime": datetime(2020, 3, 2, 9, tzinfo=UTC), "StatusCode": "InProgress",
        "StatusMessage": "Successfully set desired concurrency to 1. Waiting for change to be "
                         "fulfilled by lambda."}


def test_limits_that_move_take_the_capacity_along(scaling, lambda_):
    register(scaling)
    register(scaling, MinCapacity=4)
    wanted = lambda: lambda_.get_provisioned_concurrency_config(  # noqa: E731
        FunctionName="f", Qualifier="live")["RequestedProvisionedConcurrentExecutions"]
    assert wanted() == 4
    register(scaling, MinCapacity=0, MaxCapacity=2)
    assert wanted() == 2
    register(scaling, MinCapacity=0, MaxCapacity=0)
    assert error(wanted)[0] == "ProvisionedConcurrencyConfigNotFoundException"
    statuses = [a["StatusCode"] for a in scaling.describe_scaling_activities(
        ServiceNamespace="lambda")["ScalingActivities"]]
    assert statuses == ["Successful", "Overridden", "Overridden", "Overridden"]


def test_a_capacity_that_cant_be_had_is_a_failed_activity(scaling):
    register(scaling, MinCapacity=901, MaxCapacity=950)
    [activity] = scaling.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith(
        "Failed to set desired concurrency to 901. Reason: Specified ConcurrentExecutions")


def test_targets_that_cant_be(scaling, lambda_):
    unsupported = "Unsupported service namespace, resource type or scalable dimension"
    for resource in ("function:f", "function:f:$LATEST", "functions:f:live", "f:live",
                     "function:f:live:1"):
        assert error(register, scaling, ResourceId=resource) == ("ValidationException", unsupported)
    for resource in ("function:f:nope", "function:g:live", "function:f:2"):
        code, message = error(register, scaling, ResourceId=resource)
        assert code == "ValidationException" and resource in message
    assert error(register, scaling, MinCapacity=6) == (
        "ValidationException", "Maximum capacity cannot be less than minimum capacity")
    assert error(scaling.register_scalable_target, **TARGET)[0] == "ValidationException"
    assert scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"] == []


def test_a_policy_makes_its_alarms_and_takes_them_along(scaling):
    register(scaling)
    made = put_policy(scaling)
    cloudwatch = boto3.client("cloudwatch")
    high, low = [cloudwatch.describe_alarms(AlarmNames=[a["AlarmName"]])["MetricAlarms"][0]
                 for a in made["Alarms"]]
    assert high["AlarmName"].startswith("TargetTracking-function:f:live-AlarmHigh-")
    assert low["AlarmName"].startswith("TargetTracking-function:f:live-AlarmLow-")
    shown = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold",
             "ComparisonOperator")
    assert [[alarm[name] for name in shown] for alarm in (high, low)] == [
        ["AWS/Lambda", "ProvisionedConcurrencyUtilization", "Average", 60, 3, 0.7,
         "GreaterThanThreshold"],
        ["AWS/Lambda", "ProvisionedConcurrencyUtilization", "Average", 60, 15, 0.63,
         "LessThanThreshold"]]
    assert high["Dimensions"] == [{"Name": "FunctionName", "Value": "f"},
                                  {"Name": "Resource", "Value": "f:live"}]
    assert high["AlarmActions"][0].startswith(made["PolicyARN"] + ":createdBy/")
    assert made["PolicyARN"].endswith(":resource/lambda/function:f:live:policyName/p")

    again = put_policy(scaling, TargetTrackingScalingPolicyConfiguration=TRACKING | {
        "TargetValue": 0.5, "DisableScaleIn": True})
    assert again["PolicyARN"] == made["PolicyARN"]
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["Threshold"], alarm["AlarmName"]) == (0.5, again["Alarms"][0]["AlarmName"])
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 0.5

    scaling.delete_scaling_policy(**TARGET, PolicyName="p")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_policy_may_track_a_metric_of_ones_own(scaling):
    register(scaling)
    put_policy(scaling, TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 0.7, "CustomizedMetricSpecification": {
            "MetricName": "ProvisionedConcurrencyUtilization", "Namespace": "AWS/Lambda",
            "Statistic": "Maximum", "Unit": "Count",
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}})
    for alarm in boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        assert (alarm["Statistic"], alarm["Unit"], alarm["Dimensions"]) == (
            "Maximum", "Count", [{"Name": "FunctionName", "Value": "f"}])


def test_policies_that_cant_be(scaling):
    missing = ("ObjectNotFoundException", "No scalable target registered for service namespace: "
               "lambda, resource ID: function:f:live, scalable dimension: "
               "lambda:function:ProvisionedConcurrency")
    assert error(put_policy, scaling) == missing
    assert error(scaling.deregister_scalable_target, **TARGET) == missing
    assert error(scaling.put_scheduled_action, **TARGET, ScheduledActionName="a",
                 Schedule="rate(1 hour)", ScalableTargetAction={"MinCapacity": 1}) == missing
    register(scaling)
    steps = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]}}
    code, message = error(scaling.put_scaling_policy, **TARGET, PolicyName="p", **steps)
    assert code == "ValidationException" and "StepScaling" in message
    for wrong in (
            {"TargetValue": 0.7},
            {"TargetValue": 0.7, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "DynamoDBReadCapacityUtilization"}},
            TRACKING | {"TargetValue": 0}):
        assert error(put_policy, scaling, TargetTrackingScalingPolicyConfiguration=wrong)[
            0] == "ValidationException"
    assert error(put_policy, scaling, TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 1, "CustomizedMetricSpecification": {"Metrics": [
            {"Id": "e", "Expression": "1+1"}]}})[0] == "NotImplementedException"
    assert scaling.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"] == []
    assert boto3.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_scheduled_actions(scaling):
    register(scaling)
    put = lambda **more: scaling.put_scheduled_action(**TARGET, **{  # noqa: E731
        "ScheduledActionName": "a", "Schedule": "cron(0 8 * * ? *)", "Timezone": "Europe/London",
        "ScalableTargetAction": {"MinCapacity": 3}} | more)
    put()
    [action] = scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 * * ? *)", "Europe/London")
    assert error(put, Schedule="cron(0 16 * * MON-FRI *)")[0] == "ValidationException"
    assert error(put, Schedule="cron(0 16 1 MON ? *)") == (
        "ValidationException", "Invalid schedule expression. Details: Invalid CRON expression: "
        "Invalid Month value: 'MON'")
    assert error(put, Timezone="Europe/Nowhere")[0] == "ValidationException"
    assert error(put, ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 2})[
        0] == "ValidationException"
    assert error(put, StartTime=datetime(2020, 3, 3), EndTime=datetime(2020, 3, 2))[
        0] == "ValidationException"
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="a")
    code, message = error(scaling.delete_scheduled_action, **TARGET, ScheduledActionName="a")
    assert code == "ObjectNotFoundException" and message.endswith("scheduled action name: a")
    put()
    put_policy(scaling)
    scaling.deregister_scalable_target(**TARGET)  # and all that is its
    assert scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"] == []
    assert boto3.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_activities_in_pages(scaling):
    for capacity in (1, 2, 3):
        register(scaling, MinCapacity=capacity)
    everything = scaling.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
    assert [a["Description"][-2] for a in everything] == ["3", "2", "1"]
    pages = scaling.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="lambda", PaginationConfig={"PageSize": 2})
    assert [a for page in pages for a in page["ScalingActivities"]] == everything
    assert scaling.describe_scaling_activities(
        ServiceNamespace="lambda", ResourceId="function:f:1")["ScalingActivities"] == []
    assert scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"] == []


def test_other_services_stay_what_moto_makes_of_them(scaling):
    table = {"ServiceNamespace": "dynamodb", "ResourceId": "table/t",
             "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scaling.register_scalable_target(**table, MinCapacity=1, MaxCapacity=5)
    made = scaling.put_scaling_policy(
        **table, PolicyName="p", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70, "PredefinedMetricSpecification": {
            "PredefinedMetricType": "DynamoDBReadCapacityUtilization"}})
    assert len(made["Alarms"]) == 4
    scaling.delete_scaling_policy(**table, PolicyName="p")
    assert json.dumps(scaling.describe_scaling_activities(ServiceNamespace="dynamodb")[
        "ScalingActivities"]) == "[]"
