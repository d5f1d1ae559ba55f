"""Metric filters: log events that become data points."""

import boto3
import pytest
from botocore.exceptions import ClientError

GROUP = "/app"


@pytest.fixture
def logs(fresh):
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    return logs


def put(pattern, value="1", name="filter", group=GROUP, **metric):
    boto3.client("logs").put_metric_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=[
            {"metricName": "m", "metricNamespace": "n", "metricValue": value} | metric])


def write(lab, *messages):
    boto3.client("logs").put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=[
        {"timestamp": lab.cloud.clock.timestamp_ns() // 10**6, "message": one} for one in messages])


def minutes(lab):
    """By minute: the sum and how many values there were."""
    start = lab.cloud.clock.at(0)
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="n", MetricName="m", StartTime=start, EndTime=lab.cloud.clock.at(3600), Period=60,
        Statistics=["Sum", "SampleCount"])["Datapoints"]
    return {round((point["Timestamp"] - start).total_seconds() / 60): (point["Sum"], point["SampleCount"])
            for point in found}


def test_matches_are_counted_in_their_minute(fresh, logs):
    put("?ERROR ?WARN")
    write(fresh, "ERROR a", "INFO b", "WARN c")
    fresh.cloud.run(seconds=120)
    write(fresh, "INFO d", "ERROR e")
    assert minutes(fresh) == {0: (2, 2), 2: (1, 1)}


def test_a_value_out_of_json_or_of_a_field(fresh, logs):
    put("{ $.latency = * }", "$.latency")
    write(fresh, '{"latency": 50}', '{"latency": 2.5}', '{"latency": "slow"}', '{"other": 1}')
    assert minutes(fresh) == {0: (52.5, 2)}
    put("[..., status, bytes > 1000]", "$bytes")  # in its place: the name is the same
    assert len(logs.describe_metric_filters(logGroupName=GROUP)["metricFilters"]) == 1
    fresh.cloud.run(seconds=60)
    write(fresh, "GET 200 1534", "GET 200 15", '{"latency": 50}')
    assert minutes(fresh)[1] == (1534, 1)


def test_a_default_for_a_minute_without_a_match(fresh, logs):
    put("ERROR", "1", defaultValue=0.0)
    write(fresh, "INFO", "INFO")
    fresh.cloud.run(seconds=60)
    for line in ("INFO", "ERROR", "INFO"):
        write(fresh, line)
        fresh.cloud.run(seconds=10)
    fresh.cloud.run_until_idle()
    assert fresh.cloud.seconds == 120
    assert minutes(fresh) == {0: (0, 1), 1: (1, 1)}


def test_a_functions_lines_are_measured_too(fresh):
    name = fresh.deploy("def handler(event, context):\n    print('{\"price\": 7}')\n")
    group = f"/aws/lambda/{name}"
    boto3.client("logs").create_log_group(logGroupName=group)
    put("{ $.price > 5 }", "$.price", group=group)
    for _ in range(2):
        fresh.invoke(name)
    assert sum(total for total, _ in minutes(fresh).values()) == 14


def test_refusals(fresh, logs):
    def refused(*args, **options):
        with pytest.raises(ClientError) as error:
            put(*args, **options)
        return error.value.response["Error"]["Code"]

    assert refused("x", group="/none") == "ResourceNotFoundException"
    assert refused("x", "many") == refused("{ $.a") == "InvalidParameterException"
    assert refused("{ $.a = 1 }", dimensions={"a": "$.a"}) == "NotImplementedException"
