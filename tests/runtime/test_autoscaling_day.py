"""Provisioned concurrency that follows a schedule, and the traffic: real functions, by boto3, for a day."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config

import minilambda

HANDLER = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n"
TARGET = {"ServiceNamespace": "lambda", "ResourceId": "function:shop:live",
          "ScalableDimension": "lambda:function:ProvisionedConcurrency"}
MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture
def start(tmp_path):
    """A cloud with a function ``shop`` and its alias ``live``; anew at each call."""
    (tmp_path / "app.py").write_text(HANDLER)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    clouds = []

    def begin():
        clouds.append(minilambda.Cloud(durations="modelled", sandbox="process"))
        role = boto3.client("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        lambda_ = boto3.client("lambda")
        lambda_.create_function(
            FunctionName="shop", Runtime="python3.8", Role=role, Handler="app.handler", Timeout=60,
            Publish=True, Code={"ZipFile": minilambda.zip_handler(tmp_path / "app.py")})
        lambda_.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
        return clouds[-1]

    yield begin
    for cloud in clouds:
        cloud.close()


class Traffic:
    """Callers of shop:live who come at their instants and stay for ``seconds``."""

    def __init__(self, cloud, name, instants, seconds):
        self.seconds, self.pool = seconds, ThreadPoolExecutor(20)
        self.client = boto3.session.Session().client("lambda", config=Config(
            retries={"total_max_attempts": 1}, max_pool_connections=20))
        self.client.meta.events.register(
            "before-send.lambda.Invoke",
            lambda request, **_: request.headers.__setitem__("X-Minilambda-Appointment", name))
        self.appointments = cloud.appoint(name, instants, self.come)

    def come(self, callers):
        for _ in range(callers):
            self.pool.submit(self.client.invoke, FunctionName="shop:live",
                             Payload=json.dumps(self.seconds))


def wanted(cloud):
    return [(e.at, e["before"], e["wanted"]) for e in cloud.trace.select("autoscaling.started")]


def test_a_day_with_a_scheduled_action(start):
    cloud = start()
    scaling = boto3.client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=10)
    for name, schedule, low, high in (("open", "cron(45 17 * * ? *)", 3, 10),
                                      ("close", "cron(0 20 * * ? *)", 0, 0)):
        scaling.put_scheduled_action(
            **TARGET, ScheduledActionName=name, Schedule=schedule, Timezone="Europe/London",
            ScalableTargetAction={"MinCapacity": low, "MaxCapacity": high})
    # three at once at 17:00 and at 19:00, for two days from 9:00 on
    traffic = Traffic(cloud, "t", [(day * 24 * HOUR + hour * HOUR, 3)
                                   for day in range(2) for hour in (8, 10)], 1)
    cloud.finish(traffic.appointments)
    cloud.run(hours=2)
    opened, closed = 8.75 * HOUR, 11 * HOUR
    assert wanted(cloud) == [(opened, 0, 3), (closed, 3, 0), (opened + 24 * HOUR, 0, 3),
                             (closed + 24 * HOUR, 3, 0)]
    cold = [(round(e.at / HOUR) % 24, e["cold"]) for e in cloud.trace.select("invoke.started")]
    assert cold == ([(8, True)] * 3 + [(10, False)] * 3) * 2
    assert len(cloud.trace.select("request.provisioned")) == 6
    assert not cloud.trace.select("request.spilled")
    activities = scaling.describe_scaling_activities(ServiceNamespace="lambda")["ScalingActivities"]
    assert [(a["Description"], a["Cause"], a["StatusCode"]) for a in activities[:4]] == [
        ("Setting desired concurrency to 0.", "maximum capacity was set to 0", "Successful"),
        ("Setting min capacity to 0 and max capacity to 0",
         "scheduled action name close was triggered", "Successful"),
        ("Setting desired concurrency to 3.", "minimum capacity was set to 3", "Successful"),
        ("Setting min capacity to 3 and max capacity to 10",
         "scheduled action name open was triggered", "Successful")]
    # prepared for a minute, then initialised: well before the customers came
    assert 60 < (activities[2]["EndTime"] - activities[2]["StartTime"]).total_seconds() < 120


def rush_hour(cloud):
    """Four callers a minute for twenty minutes, then one a minute for forty, then nobody."""
    scaling = boto3.client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=8)
    scaling.put_scaling_policy(
        **TARGET, PolicyName="follow", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.7, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}})
    instants = [(minute * MINUTE + 5, 4 if minute < 22 else 1) for minute in range(2, 62)]
    traffic = Traffic(cloud, "rush", instants, 30)
    cloud.finish(traffic.appointments)
    cloud.run(hours=3)


def test_target_tracking_follows_the_traffic(start):
    cloud = start()
    rush_hour(cloud)
    # Two of two, three of three are busy: 1 / 0.7 as many are wanted. Four of six are 0.67: enough.
    # An alarm takes three minutes each time: while there are more to come, the busy ones are a smaller
    # part of all. Then one of six for fifteen minutes, and the minimum is reached.
    assert wanted(cloud) == [
        (0, 0, 2), (5 * MINUTE, 2, 3), (9 * MINUTE, 3, 5), (13 * MINUTE, 5, 6),
        (37 * MINUTE, 6, 2)]
    ended = cloud.trace.select("autoscaling.ended")
    assert [e["status"] for e in ended] == ["Successful"] * 5
    high, low = [a["AlarmName"] for a in boto3.client("application-autoscaling")
                 .describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"][0]["Alarms"]]
    states = [(e.at / MINUTE, e["alarm"] == high, e["new"])
              for e in cloud.trace.select("alarm.changed") if e["new"] in ("OK", "ALARM")]
    assert [(at, new) for at, is_high, new in states if is_high] == [
        (5, "ALARM"), (6, "OK"), (9, "ALARM"), (10, "OK"), (13, "ALARM"), (14, "OK")]
    # Nobody comes any more: no data, so no scaling in, as on AWS.
    assert [(e.at / MINUTE > 62, e["new"]) for e in cloud.trace.select("alarm.changed")
            if e["alarm"] in (high, low)][-2:] == [(True, "INSUFFICIENT_DATA")] * 2
    cause = boto3.client("application-autoscaling").describe_scaling_activities(
        ServiceNamespace="lambda")["ScalingActivities"][0]["Cause"]
    assert cause == f"monitor alarm {low} in state ALARM triggered policy follow"
    spilled = [e.at / MINUTE for e in cloud.trace.select("request.spilled")]
    assert spilled and max(spilled) < 10  # from five on there is room for four


def test_the_same_day_again_is_the_same_to_the_byte(start):
    days = []
    for _ in range(2):
        cloud = start()
        rush_hour(cloud)
        days.append([(e.number, e.at, e.kind, e.function, e.environment, dict(e.data))
                     for e in cloud.trace])
    assert days[0] == days[1]


def test_an_alarm_on_a_functions_own_metrics(start):
    cloud = start()
    cloudwatch, lambda_ = boto3.client("cloudwatch"), boto3.client("lambda")
    settings = {"Namespace": "AWS/Lambda", "Period": 60, "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    function = [{"Name": "FunctionName", "Value": "shop"}]
    cloudwatch.put_metric_alarm(**settings, AlarmName="errors", MetricName="Errors", Statistic="Sum",
                                Threshold=1, Dimensions=function, TreatMissingData="notBreaching")
    cloudwatch.put_metric_alarm(**settings, AlarmName="all", MetricName="Errors", Statistic="Sum",
                                Threshold=1)
    cloudwatch.put_metric_alarm(**settings, AlarmName="slow", MetricName="Duration",
                                ExtendedStatistic="p50", Threshold=2000, Dimensions=function)
    cloudwatch.put_metric_alarm(**settings, AlarmName="busy", MetricName="ConcurrentExecutions",
                                Statistic="Maximum", Threshold=1, Dimensions=function)
    cloud.run(seconds=10)
    lambda_.invoke(FunctionName="shop", Payload="3")
    cloud.run(seconds=60)
    lambda_.invoke(FunctionName="shop", Payload='"no number"')
    cloud.run(minutes=10)
    changes = [(e["alarm"], e.at, e["new"], e.function) for e in cloud.trace.select("alarm.changed")]
    # (it looks at two periods more than one, so the error is seen for three minutes)
    assert [change[1:] for change in changes if change[0] == "errors"] == [
        (60.0, "OK", "shop"), (120.0, "ALARM", "shop"), (300.0, "OK", "shop")]
    assert ("all", 120.0, "ALARM", "") in changes
    assert ("slow", 60.0, "ALARM", "shop") in changes and ("busy", 60.0, "ALARM", "shop") in changes
