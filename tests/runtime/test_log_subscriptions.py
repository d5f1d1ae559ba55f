"""Log groups that tell functions what is written to them."""

import base64
import gzip
import json
import random

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab

# Keeps what it is told in a queue.
KEEPS = """
import base64, gzip, json, boto3
def handler(event, context):
    document = gzip.decompress(base64.b64decode(event["awslogs"]["data"])).decode()
    if json.loads(document)["messageType"] == "DATA_MESSAGE":
        boto3.client("sqs").send_message(QueueUrl="%s", MessageBody=document)
"""
PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
GROUP = "/app"
UNABLE = ("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
          "execute your function.")


@pytest.fixture
def logs(fresh):
    return group()


def group(name=GROUP, *streams):
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=name)
    for stream in streams or ("s",):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return logs


def function(lab, source=None, group=GROUP, principal="logs.amazonaws.com", end=":*"):
    """Its ARN and the queue that has what it was told."""
    lab.count += 1
    url = boto3.client("sqs").create_queue(QueueName=f"told-{lab.count}")["QueueUrl"]
    name = lab.deploy(source or KEEPS % url)
    if principal:
        lab.client.add_permission(
            FunctionName=name, StatementId="logs", Action="lambda:InvokeFunction", Principal=principal,
            SourceArn=f"arn:aws:logs:eu-west-2:123456789012:log-group:{group}{end}")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"], url


def subscribe(arn, pattern="", name="filter", group=GROUP, **options):
    boto3.client("logs").put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=arn, **options)


def refused(*args, **options):
    with pytest.raises(ClientError) as error:
        subscribe(*args, **options)
    return error.value.response["Error"]["Message"]


def write(lab, *messages, stream="s", group=GROUP):
    boto3.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": lab.cloud.clock.timestamp_ns() // 10**6, "message": one} for one in messages])


def documents(lab, url):
    lab.cloud.run_until_idle()
    sqs, found = boto3.client("sqs"), []
    while more := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in more]
    return found


def told(lab, url):
    return [event["message"] for document in documents(lab, url) for event in document["logEvents"]]


def counted(lab, name, group=GROUP):
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Logs", MetricName=name, StartTime=lab.cloud.clock.at(-60),
        EndTime=lab.cloud.clock.at(1e6), Period=3_600_000, Statistics=["Sum"],
        Dimensions=[{"Name": "LogGroupName", "Value": group}, {"Name": "FilterName", "Value": "filter"},
                    {"Name": "DestinationType", "Value": "Lambda"}])["Datapoints"]
    return sum(point["Sum"] for point in found)


# -- the event ----------------------------------------------------------------------------------------

def test_the_message_member_by_member(fresh, logs):
    arn, url = function(fresh)
    subscribe(arn)
    write(fresh, "one", "zwei ü")
    (document,) = documents(fresh, url)
    ids = [event.pop("id") for event in document["logEvents"]]
    assert document == {
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": GROUP, "logStream": "s",
        "subscriptionFilters": ["filter"], "logEvents": [
            {"timestamp": 1583139600000, "message": "one"},
            {"timestamp": 1583139600000, "message": "zwei ü"}]}
    assert all(len(one) == 56 and one.isdecimal() for one in ids) and ids == sorted(set(ids))
    shown = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert [event["eventId"] for event in shown] == ids


def test_what_a_handler_gets_is_compressed_and_first_a_health_check(fresh, logs):
    arn, _ = function(fresh, PRINTS)
    subscribe(arn)
    write(fresh, "x" * 1000)
    fresh.cloud.run_until_idle()
    events = [json.loads(line) for line in fresh.log_lines(arn.split(":")[6]) if line.startswith("{")]
    assert [event.keys() for event in events] == [{"awslogs"}] * 2
    packed = [base64.b64decode(event["awslogs"]["data"]) for event in events]
    check, data = (json.loads(gzip.decompress(one)) for one in packed)
    assert len(packed[1]) < 400 and packed[1][4:8] == bytes(4)  # no hour in it
    assert check["messageType"] == "CONTROL_MESSAGE" and check["owner"] == "CloudwatchLogs"
    assert (check["logGroup"], check["logStream"], check["subscriptionFilters"]) == ("", "", [])
    assert check["logEvents"][0]["message"].startswith("CWL CONTROL MESSAGE: Checking health")
    assert data["logEvents"][0]["message"] == "x" * 1000


def test_extracted_fields(fresh, logs):
    arn, url = function(fresh)
    subscribe(arn, "[level=E*, ..., ms>100]")
    write(fresh, "ERROR in 250", "ERROR in 50", "INFO in 250")
    (document,) = documents(fresh, url)
    assert [event["extractedFields"] for event in document["logEvents"]] == [
        {"$level": "ERROR", "$2": "in", "$ms": "250"}]


def test_a_json_pattern_decides_what_is_told(fresh, logs):
    arn, url = function(fresh)
    subscribe(arn, '{ $.level = "error" && ($.ms > 100 || $.retry NOT EXISTS) }')
    lines = [{"level": "error", "ms": 5}, {"level": "error", "ms": 5, "retry": 1},
             {"level": "error", "ms": 500, "retry": 1}, {"level": "info", "ms": 500}]
    write(fresh, "error, but no JSON", *map(json.dumps, lines))
    assert list(map(json.loads, told(fresh, url))) == [lines[0], lines[2]]
    assert counted(fresh, "ForwardedLogEvents") == 2 and counted(fresh, "ForwardedBytes") > 100
    write(fresh, "nothing for it")
    fresh.cloud.run_until_idle()
    assert len(fresh.cloud.trace.select("trigger.event")) == 1


def test_a_functions_own_lines_come_in_one_message(fresh):
    writer = fresh.deploy("def handler(event, context):\n    print('hello')\n")
    where = f"/aws/lambda/{writer}"
    boto3.client("logs").create_log_group(logGroupName=where)
    arn, url = function(fresh, group=where)
    subscribe(arn, group=where)
    fresh.invoke(writer)
    (document,) = documents(fresh, url)
    assert document["logGroup"] == where and "[$LATEST]" in document["logStream"]
    assert [event["message"].split()[0] for event in document["logEvents"]] == [
        "START", "hello", "END", "REPORT"]


def test_a_stream_each_and_a_second_at_the_most(fresh):
    group(GROUP, "a", "b")
    arn, url = function(fresh)
    subscribe(arn)
    fresh.cloud.run_until_idle()
    start = fresh.cloud.seconds
    for stream, message in (("a", "1"), ("b", "2"), ("a", "3")):
        write(fresh, message, stream=stream)
        fresh.cloud.run(seconds=0.4)
    fresh.cloud.run(seconds=5)
    write(fresh, "4", stream="a")
    found = documents(fresh, url)
    assert sorted((d["logStream"], [e["message"] for e in d["logEvents"]]) for d in found) == [
        ("a", ["1", "3"]), ("a", ["4"]), ("b", ["2"])]
    delivered = fresh.cloud.trace.select("trigger.delivered")
    assert [round(e.at - start, 3) for e in delivered] == [1.0, 1.4, 7.2]
    queued = [e for e in fresh.cloud.trace.select("async.queued") if e["source"] == "logs"]
    assert [e["request_id"] for e in queued[1:]] == [e["request_id"] for e in delivered]
    assert delivered[0]["resource"] == f"arn:aws:logs:eu-west-2:123456789012:log-group:{GROUP}:*"


def test_a_function_may_tell_itself_for_ever(fresh):
    name = fresh.deploy("def handler(event, context):\n    print('again')\n")
    where = f"/aws/lambda/{name}"
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=where)
    fresh.client.add_permission(FunctionName=name, StatementId="l", Action="lambda:InvokeFunction",
                                Principal="logs.amazonaws.com")
    arn = fresh.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    subscribe(arn, "again", group=where)
    fresh.cloud.run(seconds=30)
    assert 15 < len(fresh.cloud.trace.select("invoke.ended")) < 32
    logs.delete_subscription_filter(logGroupName=where, filterName="filter")
    fresh.cloud.run_until_idle()


# -- putting a filter ---------------------------------------------------------------------------------

def test_permission_is_looked_at_when_a_filter_is_put(fresh, logs):
    assert refused(function(fresh, principal=None)[0]) == UNABLE
    assert refused(function(fresh, principal="sns.amazonaws.com")[0]) == UNABLE
    assert refused(function(fresh, group="/other")[0]) == UNABLE
    assert refused(function(fresh, end="")[0]) == UNABLE  # the ARN of a log group ends in ":*"
    assert refused("arn:aws:lambda:eu-west-2:123456789012:function:none") == UNABLE
    assert logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"] == []
    arn, _ = function(fresh)
    assert refused(arn, roleArn=fresh.role) == (
        "destinationArn for vendor lambda cannot be used with roleArn")
    subscribe(arn)


def test_the_service_of_a_region_will_do(fresh, logs):
    arn, url = function(fresh, principal="logs.eu-west-2.amazonaws.com")
    subscribe(arn)
    write(fresh, "m")
    assert told(fresh, url) == ["m"]
    assert refused(function(fresh, principal="logs.us-east-1.amazonaws.com")[0]) == UNABLE


def test_two_filters_of_which_each_can_be_put_again(fresh, logs):
    (one, first), (other, second), (third, _) = (function(fresh) for _ in range(3))
    subscribe(one, "a", "one")
    subscribe(other, "b", "two")
    assert refused(third, "", "three") == "Resource limit exceeded."
    subscribe(one, "c", "one")
    filters = logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert [(f["filterName"], f["filterPattern"]) for f in filters] == [("one", "c"), ("two", "b")]
    fresh.client.remove_permission(FunctionName=one, StatementId="logs")
    assert refused(one, "d", "one") == UNABLE
    assert logs.describe_subscription_filters(
        logGroupName=GROUP)["subscriptionFilters"][0]["filterPattern"] == "c"
    write(fresh, "a", "b", "bc")
    assert told(fresh, second) == ["b", "bc"] and told(fresh, first) == []


@pytest.mark.parametrize("pattern, words", [
    ("{ $.a = }", "Invalid filter pattern"), ("a.b", "Invalid character(s) in term '.'"),
    ("{ $.a", "If a filter pattern starts with '{' it must end with '}'")])
def test_a_pattern_that_is_none(fresh, logs, pattern, words):
    arn, _ = function(fresh)
    assert refused(arn, pattern) == words
    with pytest.raises(ClientError) as error:
        logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)
    assert error.value.response["Error"] == {"Code": "InvalidParameterException", "Message": words}
    with pytest.raises(ClientError):
        logs.put_metric_filter(logGroupName=GROUP, filterName="m", filterPattern=pattern,
                               metricTransformations=[{"metricName": "m", "metricNamespace": "n",
                                                       "metricValue": "1"}])


def test_filter_log_events_understands_patterns(fresh, logs):
    write(fresh, '{"n": 1}', '{"n": 2}', "n 3")

    def found(pattern):
        return [e["message"] for e in logs.filter_log_events(
            logGroupName=GROUP, filterPattern=pattern)["events"]]

    assert found("{ $.n > 1 }") == ['{"n": 2}'] and found("[n, x=3]") == ["n 3"]
    assert found("-3") == ['{"n": 1}', '{"n": 2}'] and len(found("")) == 3


def test_a_kinesis_stream_gets_what_its_pattern_lets_through(fresh, logs):
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="k", ShardCount=1)
    subscribe("arn:aws:kinesis:eu-west-2:123456789012:stream/k", "{ $.n = 2 }", roleArn=fresh.role)
    write(fresh, '{"n": 1}', '{"n": 2}')
    shard = kinesis.list_shards(StreamName="k")["Shards"][0]["ShardId"]
    (record,) = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(
        StreamName="k", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])["Records"]
    document = json.loads(gzip.decompress(record["Data"]))
    assert [event["message"] for event in document["logEvents"]] == ['{"n": 2}']


# -- what can't be delivered --------------------------------------------------------------------------

def test_a_permission_that_is_taken_away_disables_the_filter_for_ten_minutes(fresh, logs):
    arn, url = function(fresh)
    subscribe(arn)
    fresh.client.remove_permission(FunctionName=arn, StatementId="logs")
    write(fresh, "1")
    assert told(fresh, url) == []
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert "policy" in dropped["reason"] and dropped["attempts"] == 1
    fresh.client.add_permission(FunctionName=arn, StatementId="again", Action="lambda:InvokeFunction",
                                Principal="logs.amazonaws.com")
    write(fresh, "2")
    assert told(fresh, url) == []
    assert "disabled" in fresh.cloud.trace.select("trigger.dropped")[1]["reason"]
    fresh.cloud.run(seconds=600)
    write(fresh, "3")
    assert told(fresh, url) == ["3"] and counted(fresh, "DeliveryErrors") == 1


def test_a_throttled_delivery_is_tried_again(fresh, logs, lambda_refuses):
    arn, url = function(fresh)
    subscribe(arn)
    fresh.cloud.run_until_idle()
    start = fresh.cloud.seconds
    lambda_refuses(3)
    write(fresh, "m")
    assert told(fresh, url) == ["m"]
    assert [round(e.at - start, 3) for e in fresh.cloud.trace.select("trigger.failed")] == [1, 2, 4]
    assert fresh.cloud.trace.select("trigger.delivered")[0]["attempt"] == 4
    assert counted(fresh, "DeliveryThrottling") == 3


def test_for_a_day_at_the_most(fresh, logs, lambda_refuses):
    arn, url = function(fresh)
    subscribe(arn)
    fresh.cloud.run_until_idle()
    start = fresh.cloud.seconds
    lambda_refuses(-1, status=500)
    write(fresh, "m")
    assert told(fresh, url) == []
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert "24 hours" in dropped["reason"] and 86_000 < dropped.at - start < 86_402


def test_too_much_for_one_event_comes_in_several(fresh, logs):
    arn, url = function(fresh)
    subscribe(arn)
    noise = random.Random(1)  # which nothing compresses
    write(fresh, *(json.dumps({"n": n, "noise": base64.b64encode(noise.randbytes(9000)).decode()})
                   for n in range(40)))
    fresh.cloud.run_until_idle()
    assert len(fresh.cloud.trace.select("trigger.delivered")) == 2
    assert sorted(json.loads(m)["n"] for m in told(fresh, url)) == list(range(40))


# -- a cloud's own rules ------------------------------------------------------------------------------

def test_a_group_where_nothing_is_written_costs_nothing(fresh, logs):
    subscribe(function(fresh)[0])
    fresh.cloud.run_until_idle()
    before = fresh.cloud.seconds
    fresh.cloud.run_until_idle()
    assert fresh.cloud.seconds == before and not fresh.cloud.trace.select("trigger.event")


def test_the_same_seed_gives_the_same_trace():
    def story():
        with Cloud(durations="modelled", seed=7) as cloud:
            lab = Lab(cloud)
            group()
            arn, url = function(lab)
            subscribe(arn, "?a ?b")
            write(lab, "a", "b", "c")
            return documents(lab, url), [(e.at, e.kind, e.function, dict(e.data)) for e in cloud.trace]

    assert story() == story()
