"""Rules that hand events to functions, queues, topics and log groups, and rules that run on a schedule."""

import json
from datetime import datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud
from minilambda.errors import LambdaError

from .conftest import Lab

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
ACCOUNT, WHO = "123456789012", "events.amazonaws.com"


@pytest.fixture
def events(fresh):
    return boto3.client("events")


def function(lab, source=PRINTS, rule="*"):
    """A function's ARN. ``rule``: which may invoke it."""
    name = lab.deploy(source)
    if rule:
        lab.client.add_permission(
            FunctionName=name, StatementId="events", Action="lambda:InvokeFunction", Principal=WHO,
            SourceArn=f"arn:aws:events:eu-west-2:{ACCOUNT}:rule/{rule}")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def rule(*targets, name="r", pattern=None, schedule=None, **more):
    events = boto3.client("events")
    what = {"ScheduleExpression": schedule} if schedule else {
        "EventPattern": json.dumps(pattern or {"source": ["shop"]})}
    arn = events.put_rule(Name=name, **what, **more)["RuleArn"]
    for number, target in enumerate(targets):
        put(name, target, str(number))
    return arn


def put(name, target, number="0"):
    target = {"Arn": target} if isinstance(target, str) else target
    boto3.client("events").put_targets(Rule=name, Targets=[{"Id": number} | target])


def send(detail=None, **more):
    entry = {"Source": "shop", "DetailType": "order", "Detail": json.dumps(detail or {})} | more
    return boto3.client("events").put_events(Entries=[entry])["Entries"][0]


def seen(lab, arn):
    lab.cloud.run_until_idle()
    try:
        lines = lab.log_lines(arn.split(":")[6])
    except ClientError:
        return []
    return [json.loads(line) for line in lines if line.startswith(("{", "[", '"'))]


def queue(*principals, name="q", **attributes):
    """URL and ARN of a queue whose policy lets these services send."""
    arn = f"arn:aws:sqs:eu-west-2:{ACCOUNT}:{name}"
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": who}, "Resource": arn,
                             "Action": "sqs:SendMessage"} for who in principals]}
    return boto3.client("sqs").create_queue(QueueName=name, Attributes={
        "Policy": json.dumps(policy) if principals else ""} | attributes)["QueueUrl"], arn


def messages(url):
    return boto3.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", [])


def total(name, rule="r"):
    metrics = boto3.client("cloudwatch").get_metric_data(
        StartTime=datetime(2020, 1, 1), EndTime=datetime(2021, 1, 1), MetricDataQueries=[{
            "Id": "a", "MetricStat": {"Stat": "Sum", "Period": 31_536_000, "Metric": {
                "Namespace": "AWS/Events", "MetricName": name,
                "Dimensions": [{"Name": "RuleName", "Value": rule}]}}}])
    return sum(metrics["MetricDataResults"][0]["Values"])


# -- events that match ------------------------------------------------------------------------------

def test_the_event_member_by_member(fresh, events):
    target = function(fresh)
    rule(target)
    answer = send({"total": 12.5}, Resources=["arn:of:something"])
    fresh.cloud.run_until_idle()
    (event,) = seen(fresh, target)
    assert list(event) == ["version", "id", "detail-type", "source", "account", "time", "region",
                           "resources", "detail"]
    assert event == {
        "version": "0", "id": answer["EventId"], "detail-type": "order", "source": "shop",
        "account": ACCOUNT, "time": "2020-03-02T09:00:00Z", "region": "eu-west-2",
        "resources": ["arn:of:something"], "detail": {"total": 12.5}}
    (delivered,) = fresh.cloud.trace.select("trigger.delivered")
    assert (delivered["source"], delivered["event_id"], delivered["target"]) == (
        "events", answer["EventId"], target)
    assert {name: total(name) for name in ("MatchedEvents", "TriggeredRules", "Invocations",
                                           "FailedInvocations")} == {
        "MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 1, "FailedInvocations": 0}


def test_the_senders_time(fresh, events):
    target = function(fresh)
    rule(target)
    send(Time=datetime(2019, 5, 6, 7, 8, 9))
    fresh.cloud.run_until_idle()
    assert seen(fresh, target)[0]["time"] == "2019-05-06T07:08:09Z"


def test_only_what_matches_and_only_while_enabled(fresh, events):
    target = function(fresh)
    rule(target, pattern={"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}})
    for value in (5, 20):
        send({"total": value})
    send({"total": 20}, Source="another")
    events.disable_rule(Name="r")
    send({"total": 30})
    events.enable_rule(Name="r")
    send({"total": 40})
    fresh.cloud.run_until_idle()
    assert [event["detail"]["total"] for event in seen(fresh, target)] == [20, 40]


def test_numbers_keep_their_spelling_until_they_are_matched(fresh, events):
    target = function(fresh)
    rule(target, pattern={"detail": {"n": [300]}})
    for text in ('{"n": 300.0}', '{"n": 300}', '{"n": 3e2}'):
        send(Detail=text)
    fresh.cloud.run_until_idle()
    assert [event["detail"] for event in seen(fresh, target)] == [{"n": 300}]


def test_five_targets_and_each_gets_it(fresh, events):
    targets = [function(fresh) for _ in range(5)]
    rule(*targets)
    with pytest.raises(ClientError, match="LimitExceededException"):
        put("r", function(fresh), "6")
    put("r", targets[0], "0")  # the same one again is no more
    send()
    fresh.cloud.run_until_idle()
    assert [len(seen(fresh, target)) for target in targets] == [1] * 5


def test_a_bus_of_ones_own(fresh, events):
    target = function(fresh)
    events.create_event_bus(Name="orders")
    events.put_rule(Name="r", EventBusName="orders", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="r", EventBusName="orders", Targets=[{"Id": "1", "Arn": target}])
    send({"n": 1})
    send({"n": 2}, EventBusName="orders")
    assert "EventId" in send({"n": 3}, EventBusName="nowhere")
    fresh.cloud.run_until_idle()
    assert [event["detail"] for event in seen(fresh, target)] == [{"n": 2}]


@pytest.mark.parametrize(("entry", "code"), [
    ({"Source": ""}, "InvalidArgument"), ({"DetailType": ""}, "InvalidArgument"),
    ({"Detail": "["}, "MalformedDetail"), ({"Detail": "[1]"}, "MalformedDetail"),
    ({"Source": "aws.codepipeline"}, "NotAuthorizedForSourceException")])
def test_an_entry_that_is_wrong_is_refused_alone(fresh, events, entry, code):
    target = function(fresh)
    rule(target, pattern={"account": [ACCOUNT]})
    good = {"Source": "shop", "DetailType": "d", "Detail": "{}"}
    answer = events.put_events(Entries=[good | entry, good])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code and "EventId" in answer["Entries"][1]
    fresh.cloud.run_until_idle()
    assert len(seen(fresh, target)) == 1


def test_entries_that_are_too_many_or_too_large(fresh, events):
    good = {"Source": "shop", "DetailType": "d", "Detail": "{}"}
    with pytest.raises(ClientError, match="length less than or equal to 10"):
        events.put_events(Entries=[good] * 11)
    with pytest.raises(ClientError, match="over the limit"):
        events.put_events(Entries=[good | {"Detail": json.dumps({"x": "y" * 262_144})}])


def test_patterns_are_tested_by_the_service(fresh, events):
    event = {"id": "1", "account": ACCOUNT, "source": "shop", "time": "2020-01-01T00:00:00Z",
             "region": "eu-west-2", "resources": [], "detail-type": "order", "detail": {"n": 3}}
    def result(pattern):
        return events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]

    assert result('{"detail": {"n": [{"numeric": ["<", 4]}]}}') and not result('{"source": ["x"]}')
    with pytest.raises(ClientError, match="InvalidEventPatternException.*must be an object or an array"):
        result('{"source": "shop"}')
    with pytest.raises(ClientError, match="Parameter Event is not valid"):
        events.test_event_pattern(EventPattern='{"source": ["x"]}', Event="{}")
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        events.put_rule(Name="bad", EventPattern='{"source": [{"like": "x"}]}')
    assert events.list_rules()["Rules"] == []


def test_a_target_gets_what_its_transformer_makes(fresh, events):
    target = function(fresh)
    rule({"Arn": target, "InputTransformer": {
        "InputPathsMap": {"who": "$.detail.name", "when": "$.time"},
        "InputTemplate": '{"hello": <who>, "text": "at <when> by <aws.events.rule-name>"}'}},
        {"Arn": target, "InputPath": "$.detail"}, {"Arn": target, "Input": '{"fixed": true}'})
    send({"name": 'An "odd" name'})
    fresh.cloud.run_until_idle()
    assert seen(fresh, target) == [
        {"hello": 'An "odd" name', "text": "at 2020-03-02T09:00:00Z by r"},
        {"name": 'An "odd" name'}, {"fixed": True}]


def test_a_lambda_destination_comes_by_the_same_way(fresh, events):
    boto3.client("iam").put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]}))
    source, target = fresh.deploy("def handler(event, context): return 7"), function(fresh)
    fresh.client.put_function_event_invoke_config(FunctionName=source, DestinationConfig={
        "OnSuccess": {"Destination": f"arn:aws:events:eu-west-2:{ACCOUNT}:event-bus/default"}})
    rule(target, pattern={"source": ["lambda"]})
    fresh.client.invoke(FunctionName=source, InvocationType="Event")
    fresh.cloud.run_until_idle()
    (event,) = seen(fresh, target)
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["responsePayload"] == 7


# -- other targets ------------------------------------------------------------------------------------

def test_queues_topics_and_log_groups_if_their_policies_say_so(fresh, events):
    url, arn = queue(WHO)
    fifo_url, fifo = queue(WHO, name="f.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    closed_url, closed = queue(name="closed")
    topic = boto3.client("sns").create_topic(Name="t")["TopicArn"]
    boto3.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": WHO}, "Action": "sns:Publish",
            "Resource": topic}]}))
    heard_url, heard = queue("sns.amazonaws.com", name="heard")
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard)
    rule(arn, {"Arn": fifo, "SqsParameters": {"MessageGroupId": "g"}}, closed, topic)
    send({"n": 1})
    fresh.cloud.run_until_idle()
    assert json.loads(messages(url)[0]["Body"])["detail"] == {"n": 1}
    assert json.loads(messages(fifo_url)[0]["Body"])["detail"] == {"n": 1}
    assert messages(closed_url) == []
    assert json.loads(json.loads(messages(heard_url)[0]["Body"])["Message"])["detail"] == {"n": 1}
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert dropped["target"] == closed and "doesn't let events.amazonaws.com" in dropped["reason"]
    assert total("FailedInvocations") == 1 and total("Invocations") == 4


def test_a_log_group(fresh, events):
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="/aws/events/orders")
    group = f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:/aws/events/orders"
    rule(group)
    send({"n": 1})
    fresh.cloud.run_until_idle()
    logs.put_resource_policy(policyName="p", policyDocument=json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": WHO}, "Resource": f"{group}:*",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"]}]}))
    send({"n": 2})
    fresh.cloud.run_until_idle()
    found = logs.filter_log_events(logGroupName="/aws/events/orders")["events"]
    assert [json.loads(event["message"])["detail"] for event in found] == [{"n": 2}]


@pytest.mark.parametrize(("target", "code", "words"), [
    ({"Arn": "nonsense"}, "ValidationException", "not in correct format"),
    ({"Arn": f"arn:aws:events:eu-west-2:{ACCOUNT}:event-bus/other"}, "NotImplementedException", "events"),
    ({"Arn": f"arn:aws:states:eu-west-2:{ACCOUNT}:stateMachine:s"}, "NotImplementedException", "states"),
    ({"Arn": f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:f", "RoleArn": "arn:aws:iam::1:role/r"},
     "NotImplementedException", "RoleArn"),
    ({"Arn": f"arn:aws:sqs:eu-west-2:{ACCOUNT}:q.fifo"}, "ValidationException", "SqsParameters"),
    ({"Arn": f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:f", "Input": "{"}, "ValidationException",
     "JSON syntax error in Input for target 0."),
    ({"Arn": f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:f",
      "RetryPolicy": {"MaximumRetryAttempts": 186}}, "ValidationException", "less than or equal to 185"),
    ({"Arn": f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:f",
      "DeadLetterConfig": {"Arn": f"arn:aws:sqs:eu-west-2:{ACCOUNT}:q.fifo"}}, "ValidationException",
     "standard queue")])
def test_what_can_be_no_target(fresh, events, target, code, words):
    rule()
    with pytest.raises(ClientError) as error:
        put("r", target)
    assert error.value.response["Error"]["Code"] == code and words in str(error.value)
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []


# -- what goes wrong ----------------------------------------------------------------------------------

def test_the_metrics_of_a_bus_of_ones_own_name_it(fresh, events):
    _, arn = queue(WHO)
    events.create_event_bus(Name="mine")
    events.put_rule(Name="r", EventBusName="mine", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="r", EventBusName="mine", Targets=[{"Id": "0", "Arn": arn}])
    send(EventBusName="mine")
    fresh.cloud.run_until_idle()
    found = boto3.client("cloudwatch").list_metrics(Namespace="AWS/Events")["Metrics"]
    assert {one["MetricName"] for one in found} == {
        "MatchedEvents", "TriggeredRules", "InvocationAttempts", "Invocations"}
    assert all(one["Dimensions"] == [{"Name": "EventBusName", "Value": "mine"},
                                     {"Name": "RuleName", "Value": "r"}] for one in found)


def test_what_a_bucket_tells_member_by_member(fresh, events):
    url, arn = queue(WHO)
    rule(arn, pattern={"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "in/"}]}}})
    events.create_event_bus(Name="mine")  # services use the default bus only
    events.put_rule(Name="m", EventBusName="mine", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="m", EventBusName="mine", Targets=[{"Id": "0", "Arn": arn}])
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_object(Bucket="bkt", Key="in/too early", Body=b"x")
    s3.put_bucket_notification_configuration(
        Bucket="bkt", NotificationConfiguration={"EventBridgeConfiguration": {}})
    etag = s3.put_object(Bucket="bkt", Key="in/a b", Body=b"12345")["ETag"].strip('"')
    s3.put_object(Bucket="bkt", Key="out", Body=b"x")
    fresh.cloud.run(seconds=1)
    s3.copy_object(Bucket="bkt", Key="in/copy", CopySource="bkt/in/a b")
    s3.delete_object(Bucket="bkt", Key="in/a b")
    fresh.cloud.run_until_idle()
    created, copied, deleted = (json.loads(message["Body"]) for message in messages(url))
    detail = created.pop("detail")
    assert len(created.pop("id")) == 36
    assert created == {"version": "0", "detail-type": "Object Created", "source": "aws.s3",
                       "account": ACCOUNT, "time": "2020-03-02T09:00:00Z", "region": "eu-west-2",
                       "resources": ["arn:aws:s3:::bkt"]}
    assert len(detail.pop("request-id")) == 16
    sequencer = detail["object"].pop("sequencer")
    assert detail == {"version": "0", "bucket": {"name": "bkt"}, "requester": ACCOUNT,
                      "object": {"key": "in/a b", "size": 5, "etag": etag},
                      "source-ip-address": "127.0.0.1", "reason": "PutObject"}
    assert copied["detail"]["reason"] == "CopyObject" and copied["time"] == "2020-03-02T09:00:01Z"
    assert deleted["detail-type"] == "Object Deleted"
    assert (deleted["detail"]["reason"], deleted["detail"]["deletion-type"]) == (
        "DeleteObject", "Permanently Deleted")
    assert sequencer < copied["detail"]["object"]["sequencer"] < deleted["detail"]["object"]["sequencer"]


def test_without_permission_nobody_is_told_but_a_metric(fresh, events):
    target = function(fresh, rule=None)
    rule(target)
    assert "EventId" in send()  # the sender hears nothing of it
    fresh.cloud.run_until_idle()
    assert seen(fresh, target) == [] and total("FailedInvocations") == 1
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert dropped["attempts"] == 1 and "policy doesn't let" in dropped["reason"]


def test_a_permission_for_another_rule_is_none(fresh, events):
    target = function(fresh, rule="another")
    rule(target)
    send()
    fresh.cloud.run_until_idle()
    assert seen(fresh, target) == [] and total("FailedInvocations") == 1


def test_the_dead_letter_queue_says_why(fresh, events):
    url, arn = queue(WHO)
    target = function(fresh)
    where = rule({"Arn": target, "DeadLetterConfig": {"Arn": arn}})
    fresh.client.delete_function(FunctionName=target.split(":")[6])
    send({"n": 1})
    fresh.cloud.run_until_idle()
    (message,) = messages(url)
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert said.pop("ERROR_MESSAGE")
    assert said == {"RULE_ARN": where, "TARGET_ARN": target, "ERROR_CODE": "NO_PERMISSIONS",
                    "RETRY_ATTEMPTS": "0"}
    assert total("InvocationsSentToDlq") == 1


def test_a_dead_letter_queue_that_lets_nobody_in(fresh, events):
    _, arn = queue()
    rule({"Arn": function(fresh, rule=None), "DeadLetterConfig": {"Arn": arn}})
    send()
    fresh.cloud.run_until_idle()
    assert total("InvocationsFailedToBeSentToDlq") == 1 and total("FailedInvocations") == 1


@pytest.mark.parametrize(("policy", "tries", "condition"), [
    ({}, 186, "MaximumRetryAttempts"),
    ({"MaximumRetryAttempts": 2}, 3, "MaximumRetryAttempts"),
    ({"MaximumEventAgeInSeconds": 60}, 6, "MaximumEventAgeInSeconds")])
def test_it_is_tried_again_when_lambda_does_not_take_it(fresh, events, monkeypatch, policy, tries,
                                                        condition):
    url, arn = queue(WHO)
    target = function(fresh)
    rule({"Arn": target, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": arn}})

    def full(*given, **named):
        raise LambdaError("TooManyRequestsException", "Rate Exceeded.", 429)

    monkeypatch.setattr(fresh.cloud.frontend, "accept", full)
    send()
    began = fresh.cloud.seconds
    fresh.cloud.run_until_idle()
    failed = [event.at - began for event in fresh.cloud.trace.select("trigger.failed")]
    assert [round(at) for at in failed[:6]] == [0, 1, 3, 7, 15, 31][:tries - 1]
    assert len(failed) == tries - 1 and total("InvocationAttempts") == tries
    assert total("Invocations") == 1  # tries that are followed by another aren't counted here
    assert total("FailedInvocations") == 1 and total("RetryInvocationAttempts") == tries - 1
    said = {name: value["StringValue"] for name, value in messages(url)[0]["MessageAttributes"].items()}
    assert said["EXHAUSTED_RETRY_CONDITION"] == condition and said["ERROR_CODE"] == "THROTTLING"
    assert fresh.cloud.seconds - began < 86_400


def test_a_function_that_fails_is_lambdas_business(fresh, events):
    target = function(fresh, "def handler(event, context): raise ValueError('no')\n")
    rule(target)
    send()
    fresh.cloud.run_until_idle()
    assert len(fresh.cloud.trace.select("async.taken")) == 3
    assert total("Invocations") == 1 and total("FailedInvocations") == 0


# -- schedules ------------------------------------------------------------------------------------------

def instants(lab, arn):
    return [event["time"] for event in seen(lab, arn)]


def test_the_event_of_a_schedule(fresh, events):
    target = function(fresh)
    where = rule(target, schedule="rate(1 hour)")
    fresh.cloud.run(hours=1)
    (event,) = seen(fresh, target)
    assert len(event.pop("id")) == 36
    assert event == {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events",
                     "account": ACCOUNT, "time": "2020-03-02T10:00:00Z", "region": "eu-west-2",
                     "resources": [where], "detail": {}}


@pytest.mark.parametrize(("expression", "days", "times"), [
    # 2020-03-02 is a Monday; the clock begins at 09:00
    ("rate(8 hours)", 1, ["02T17:00", "03T01:00", "03T09:00"]),
    ("cron(0 10 * * ? *)", 2, ["02T10:00", "03T10:00"]),
    ("cron(15 12 ? * TUE *)", 8, ["03T12:15"]),
    ("cron(0 18 ? * MON-FRI *)", 3, ["02T18:00", "03T18:00", "04T18:00"]),
    ("cron(0 8 5 * ? *)", 5, ["05T08:00"]),
    ("cron(0/30 20-21 2 * ? *)", 1, ["02T20:00", "02T20:30", "02T21:00", "02T21:30"]),
    ("cron(0 0 L * ? *)", 31, ["31T00:00"]),
    ("cron(0 0 ? * 6L *)", 31, ["27T00:00"]),
    ("cron(0 0 ? * 3#2 *)", 31, ["10T00:00"]),
    ("cron(0 0 8W * ? *)", 31, ["09T00:00"]),
    ("cron(0 0 1 1 ? 2021-2022)", 31, [])])
def test_schedules_on_the_clock(fresh, events, expression, days, times):
    target = function(fresh)
    rule(target, schedule=expression)
    fresh.cloud.run(hours=24 * days)
    assert instants(fresh, target) == [f"2020-03-{time}:00Z" for time in times]


@pytest.mark.parametrize("expression", [
    "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 seconds)", "every minute",
    "cron(0 10 * * * *)", "cron(0 10 * *)", "cron(60 * * * ? *)", "cron(0 0 ? * 8 *)",
    "at(2020-03-03T00:00:00)"])
def test_what_is_no_schedule(fresh, events, expression):
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid."):
        events.put_rule(Name="r", ScheduleExpression=expression)


def test_a_schedule_stops_and_starts_with_its_rule(fresh, events):
    target = function(fresh)
    rule(target, schedule="rate(10 minutes)")
    fresh.cloud.run(minutes=25)
    events.disable_rule(Name="r")
    fresh.cloud.run(hours=1)
    assert len(instants(fresh, target)) == 2
    events.enable_rule(Name="r")
    fresh.cloud.run(minutes=10)
    assert len(instants(fresh, target)) == 3
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    fresh.cloud.run(hours=1)
    assert len(instants(fresh, target)) == 3
    events.remove_targets(Rule="r", Ids=["0"])
    events.delete_rule(Name="r")
    fresh.cloud.run(hours=72)
    assert len(instants(fresh, target)) == 3


def test_only_the_default_bus_has_schedules(fresh, events):
    events.create_event_bus(Name="orders")
    with pytest.raises(ClientError, match="only on the default event bus"):
        events.put_rule(Name="r", EventBusName="orders", ScheduleExpression="rate(1 day)")


def test_nobody_waits_for_a_schedule(fresh, events):
    target = function(fresh)
    rule(target, schedule="rate(1 minute)")
    fresh.cloud.run_until_idle()
    assert fresh.cloud.seconds == 0 and instants(fresh, target) == []


def test_a_rule_that_does_not_fall_due_costs_nothing(fresh, events, monkeypatch):
    for number in range(10):
        rule(function(fresh), name=f"s{number}", schedule="rate(7 days)")
        rule(function(fresh), name=f"p{number}")
    fresh.cloud.run(minutes=1)
    before, steps, simulation = len(fresh.cloud.trace), [], fresh.cloud.clock._sim
    step = simulation.step
    monkeypatch.setattr(simulation, "step", lambda: steps.append(step()))
    fresh.cloud.run(hours=6)
    assert len(fresh.cloud.trace) == before and len(steps) <= 2  # (the end of the six hours is one)
    fresh.cloud.run(hours=24 * 7)
    assert len(steps) > 10  # and steps are counted


def test_the_same_seed_gives_the_same_trace():
    def story(seed):
        with Cloud(durations="modelled", sandbox="inline", seed=seed) as cloud:
            lab = Lab(cloud)
            target = function(lab)
            rule(target)
            rule(target, name="s", schedule="rate(3 minutes)")
            for n in range(3):
                send({"n": n})
                cloud.run(minutes=4)
            return [(e.at, e.kind, sorted((k, str(v)) for k, v in e.data.items()))
                    for e in cloud.trace]

    assert story(1) == story(1) != story(2)
