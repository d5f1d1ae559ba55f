"""Alarms on the cloud's clock, by boto3: when they change, what they say and whom they tell."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def cloudwatch(cloud):
    return boto3.client("cloudwatch", config=ONCE)


@pytest.fixture
def publish(cloudwatch):
    def put(value, **more):
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
            {"MetricName": "Orders", "Value": value} | more])

    return put


def put_alarm(cloudwatch, name="busy", **settings):
    cloudwatch.put_metric_alarm(**{
        "AlarmName": name, "Namespace": "Shop", "MetricName": "Orders", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold"} | settings)


def state(cloudwatch, name="busy"):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def changes(cloud, name="busy"):
    return [(e.at, e["old"], e["new"]) for e in cloud.runtime.trace.select("alarm.changed")
            if e["alarm"] == name]


def test_ok_to_alarm_and_back_at_exact_instants(cloud, cloudwatch, publish):
    clock = cloud.runtime.clock
    put_alarm(cloudwatch, EvaluationPeriods=2, DatapointsToAlarm=2)
    [new] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (new["StateValue"], new["StateReason"]) == (
        "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    clock.run(10)
    for value in (1, 2, 6, 7, 8, 3, 9):  # one a minute, from 9:00:10 on
        publish(value)
        clock.run(60)
    assert changes(cloud) == [(60.0, "INSUFFICIENT_DATA", "OK"), (240.0, "OK", "ALARM"),
                              (360.0, "ALARM", "OK")]
    [now] = cloudwatch.describe_alarms()["MetricAlarms"]
    changed = datetime(2020, 3, 2, 9, 6, tzinfo=UTC)
    assert now["StateUpdatedTimestamp"] == now["StateTransitionedTimestamp"] == changed
    assert now["StateReason"] == cloud.runtime.trace.select("alarm.changed")[-1]["reason"]
    data = json.loads(now["StateReasonData"])
    assert data["recentDatapoints"] == [8.0, 3.0]
    assert data["queryDate"] == "2020-03-02T09:06:00.000+0000"


def test_a_long_period_is_looked_at_every_minute(cloud, cloudwatch, publish):
    put_alarm(cloudwatch, Period=300)
    cloud.runtime.clock.run(90)
    publish(6)
    cloud.runtime.clock.run(1800)
    # the window is the five minutes before each minute, and two windows more
    assert changes(cloud) == [(120.0, "INSUFFICIENT_DATA", "ALARM"),
                              (1020.0, "ALARM", "INSUFFICIENT_DATA")]


def test_a_short_period_is_looked_at_every_ten_seconds(cloud, cloudwatch, publish):
    put_alarm(cloudwatch, Period=10)
    cloud.runtime.clock.run(3)
    publish(6)
    cloud.runtime.clock.run(100)
    assert changes(cloud) == [(10.0, "INSUFFICIENT_DATA", "ALARM"),
                              (40.0, "ALARM", "INSUFFICIENT_DATA")]


@pytest.mark.parametrize("treat, expected", [
    ("missing", [(60.0, "ALARM"), (240.0, "INSUFFICIENT_DATA")]),
    ("ignore", [(60.0, "ALARM")]),
    ("breaching", [(60.0, "ALARM")]),
    ("notBreaching", [(60.0, "ALARM"), (240.0, "OK")]),
])
def test_when_data_stop_coming(cloud, cloudwatch, publish, treat, expected):
    put_alarm(cloudwatch, TreatMissingData=treat)
    publish(6)
    cloud.runtime.clock.run(3600)
    assert [(at, new) for at, _, new in changes(cloud)] == expected


@pytest.mark.parametrize("treat, expected", [
    ("missing", []), ("ignore", []), ("breaching", [(60.0, "ALARM")]),
    ("notBreaching", [(60.0, "OK")])])
def test_when_no_data_ever_came(cloud, cloudwatch, treat, expected):
    put_alarm(cloudwatch, TreatMissingData=treat)
    cloud.runtime.clock.run(3600)
    assert [(at, new) for at, _, new in changes(cloud)] == expected


def test_idle_alarms_take_no_steps(cloud, cloudwatch, publish, monkeypatch):
    from minilambda.aws import alarms

    looks = []
    judge = alarms.judge
    monkeypatch.setattr(alarms, "judge", lambda *args: looks.append(1) or judge(*args))
    for number in range(20):
        put_alarm(cloudwatch, f"alarm-{number}", TreatMissingData="breaching")
    publish(6)
    cloud.runtime.clock.run(600)
    before = len(looks)
    assert 20 <= before <= 80  # while there is something to look at
    cloud.runtime.clock.run(30 * 86_400)
    assert len(looks) == before
    publish(1)
    cloud.runtime.clock.run(60)
    assert len(looks) == before + 20


def test_idle_time_has_no_end_of_its_own(cloud, cloudwatch, publish):
    put_alarm(cloudwatch)
    publish(6)
    cloud.runtime.clock.run_until_idle()  # doesn't wait for alarms
    assert cloud.runtime.clock.seconds == 0


def test_only_its_own_metric_counts(cloud, cloudwatch, publish):
    put_alarm(cloudwatch, Dimensions=[{"Name": "Till", "Value": "1"}], Unit="Count")
    publish(6, Unit="Count")
    publish(6, Unit="Count", Dimensions=[{"Name": "Till", "Value": "2"}])
    publish(6, Unit="Seconds", Dimensions=[{"Name": "Till", "Value": "1"}])
    cloudwatch.put_metric_data(Namespace="Other", MetricData=[
        {"MetricName": "Orders", "Value": 6, "Unit": "Count",
         "Dimensions": [{"Name": "Till", "Value": "1"}]}])
    cloud.runtime.clock.run(120)
    assert changes(cloud) == []
    publish(6, Unit="Count", Dimensions=[{"Name": "Till", "Value": "1"}])
    cloud.runtime.clock.run(60)
    assert changes(cloud) == [(180.0, "INSUFFICIENT_DATA", "ALARM")]


def test_data_published_before_the_alarm_and_with_a_time_of_their_own(cloud, cloudwatch, publish):
    clock = cloud.runtime.clock
    clock.run(600)
    publish(9, Timestamp=clock.now - timedelta(seconds=90))
    publish(9, Timestamp=clock.now - timedelta(minutes=9))  # too old to be looked at
    put_alarm(cloudwatch, Statistic="SampleCount", Threshold=0)
    clock.run(60)
    assert changes(cloud) == [(660.0, "INSUFFICIENT_DATA", "ALARM")]
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert "[1.0 (02/03/20 09:08:00)]" in alarm["StateReason"]


def test_statistic_sets_and_percentiles(cloud, cloudwatch):
    put_alarm(cloudwatch, "spread", Statistic="Maximum", Threshold=50)
    cloudwatch.put_metric_alarm(
        AlarmName="p90", Namespace="Shop", MetricName="Wait", ExtendedStatistic="p90", Period=60,
        EvaluationPeriods=1, Threshold=80, ComparisonOperator="GreaterThanOrEqualToThreshold")
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Orders", "StatisticValues": {
            "SampleCount": 4, "Sum": 70, "Minimum": 1, "Maximum": 60}},
        {"MetricName": "Wait", "Values": [float(n) for n in range(1, 101)]}])
    cloud.runtime.clock.run(60)
    assert (state(cloudwatch, "spread"), state(cloudwatch, "p90")) == ("ALARM", "ALARM")
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Wait", "Values": [1.0, 90.0], "Counts": [99, 1]}])
    cloud.runtime.clock.run(60)
    assert state(cloudwatch, "p90") == "OK"


def test_a_topic_is_told_of_each_change_once(cloud, cloudwatch, publish):
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="ops")["TopicArn"]
    url = sqs.create_queue(QueueName="mail")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic.replace(":sns:", ":sqs:").replace(
        ":ops", ":mail"))
    put_alarm(cloudwatch, AlarmActions=[topic], OKActions=[topic], AlarmDescription="too much",
              DatapointsToAlarm=1, TreatMissingData="notBreaching")
    for value in (6, 7, 8, 1):
        publish(value)
        cloud.runtime.clock.run(60)
    assert [(e.at, e["via"]) for e in cloud.runtime.trace.select("message.sent")] == [
        (60.0, "sns"), (240.0, "sns")]
    mails = [json.loads(m["Body"]) for m in sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]
    assert [mail["Subject"] for mail in mails] == [
        'ALARM: "busy" in EU (London)', 'OK: "busy" in EU (London)']
    told = json.loads(mails[0]["Message"])
    assert told["Trigger"] == {
        "MetricName": "Orders", "Namespace": "Shop", "StatisticType": "Statistic", "Statistic": "SUM",
        "Unit": None, "Dimensions": [], "Period": 60, "EvaluationPeriods": 1, "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0,
        "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": ""}
    assert {key: told[key] for key in told if key in (
        "AlarmName", "AlarmDescription", "NewStateValue", "OldStateValue", "StateChangeTime",
        "Region", "AWSAccountId")} == {
        "AlarmName": "busy", "AlarmDescription": "too much", "NewStateValue": "ALARM",
        "OldStateValue": "INSUFFICIENT_DATA", "StateChangeTime": "2020-03-02T09:01:00.000+0000",
        "Region": "EU (London)", "AWSAccountId": "123456789012"}


def test_disabled_actions_and_a_topic_that_is_gone(cloud, cloudwatch, publish):
    topic = "arn:aws:sns:eu-west-2:123456789012:nowhere"
    put_alarm(cloudwatch, "quiet", AlarmActions=[topic], ActionsEnabled=False)
    put_alarm(cloudwatch, "lost", AlarmActions=[topic])
    publish(6)
    cloud.runtime.clock.run(60)
    done = cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
    assert [(item["AlarmName"], item["HistorySummary"]) for item in done] == [
        ("lost", f"Failed to execute action {topic}")]


def test_history(cloud, cloudwatch, publish):
    put_alarm(cloudwatch)
    publish(6)
    cloud.runtime.clock.run(60)
    publish(1)
    cloud.runtime.clock.run(60)
    put_alarm(cloudwatch, Threshold=7)
    cloudwatch.delete_alarms(AlarmNames=["busy"])
    items = cloudwatch.describe_alarm_history(AlarmName="busy",
                                              ScanBy="TimestampAscending")["AlarmHistoryItems"]
    start = datetime(2020, 3, 2, 9, tzinfo=UTC)
    assert [((i["Timestamp"] - start).total_seconds(), i["HistoryItemType"], i["HistorySummary"])
            for i in items] == [
        (0, "ConfigurationUpdate", 'Alarm "busy" created'),
        (60, "StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        (120, "StateUpdate", "Alarm updated from ALARM to OK"),
        (120, "ConfigurationUpdate", 'Alarm "busy" updated'),
        (120, "ConfigurationUpdate", 'Alarm "busy" deleted')]
    told = json.loads(items[2]["HistoryData"])
    assert (told["oldState"]["stateValue"], told["newState"]["stateValue"]) == ("ALARM", "OK")
    assert told["newState"]["stateReasonData"]["recentDatapoints"] == [1.0]
    newest = cloudwatch.describe_alarm_history(MaxRecords=2)
    assert [i["HistorySummary"] for i in newest["AlarmHistoryItems"]] == [
        'Alarm "busy" deleted', 'Alarm "busy" updated']
    rest = cloudwatch.describe_alarm_history(NextToken=newest["NextToken"])["AlarmHistoryItems"]
    assert rest == items[2::-1]
    updates = cloudwatch.describe_alarm_history(
        HistoryItemType="StateUpdate", StartDate=start + timedelta(seconds=90))["AlarmHistoryItems"]
    assert updates == [items[2]]


def test_an_update_keeps_the_state_and_a_deleted_alarm_is_silent(cloud, cloudwatch, publish):
    put_alarm(cloudwatch)
    publish(6)
    cloud.runtime.clock.run(60)
    put_alarm(cloudwatch, Threshold=100)
    assert state(cloudwatch) == "ALARM"
    cloud.runtime.clock.run(60)
    assert state(cloudwatch) == "OK"  # by the new threshold
    publish(101)
    cloudwatch.delete_alarms(AlarmNames=["busy"])
    cloud.runtime.clock.run(60)
    assert len(changes(cloud)) == 2


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(cloud, cloudwatch, publish):
    put_alarm(cloudwatch, TreatMissingData="notBreaching")
    cloud.runtime.clock.run(90)
    assert state(cloudwatch) == "OK"
    cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a drill")
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "a drill")
    cloud.runtime.clock.run(60)
    assert changes(cloud)[1:] == [(90.0, "OK", "ALARM"), (120.0, "ALARM", "OK")]


def test_what_is_refused(cloudwatch):
    for settings, code in [
            ({"EvaluationPeriods": 1441}, "ValidationError"),
            ({"Period": 45}, "ValidationError"),
            ({"DatapointsToAlarm": 2}, "ValidationError"),
            ({"Statistic": "Median"}, "ValidationError"),
            ({"TreatMissingData": "whatever"}, "ValidationError"),
            ({"ExtendedStatistic": "p90"}, "InvalidParameterCombination"),
            ({"AlarmActions": ["arn:aws:lambda:eu-west-2:123456789012:function:f"]},
             "NotImplemented"),
            ({"AlarmActions": ["arn:aws:automate:eu-west-2:ec2:stop"]}, "NotImplemented"),
            ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplemented")]:
        with pytest.raises(ClientError) as refused:
            put_alarm(cloudwatch, **settings)
        assert code in refused.value.response["Error"]["Code"], settings
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_percentiles_that_are_none(cloudwatch):
    for wrong in ("p101", "pXX", "p", "tm90"):
        with pytest.raises(ClientError) as refused:
            cloudwatch.put_metric_alarm(
                AlarmName="busy", Namespace="Shop", MetricName="Orders", ExtendedStatistic=wrong,
                Period=60, EvaluationPeriods=1, Threshold=1,
                ComparisonOperator="LessThanThreshold")
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_a_subscriber_that_cant_be_told_stops_nobody(cloud, cloudwatch, publish):
    sns = boto3.client("sns")
    topics = {protocol: sns.create_topic(Name=protocol)["TopicArn"] for protocol in ("http", "sms")}
    sns.subscribe(TopicArn=topics["http"], Protocol="http", Endpoint="http://127.0.0.1:9/")
    for protocol, topic in topics.items():
        put_alarm(cloudwatch, protocol, AlarmActions=[topic])
    publish(6)
    cloud.runtime.clock.run(60)
    done = {item["AlarmName"]: json.loads(item["HistoryData"]) for item in
            cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]}
    assert done["http"]["actionState"] == "Failed" and "HTTP" in done["http"]["error"]
    assert done["sms"]["actionState"] == "Succeeded"


def test_composite_and_metric_math_alarms_are_refused(cloudwatch):
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_metric_alarm(
            AlarmName="m", EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold",
            Metrics=[{"Id": "e", "Expression": "1+1", "Period": 60}])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
