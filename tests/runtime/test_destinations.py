"""Where an event's end is told: dead-letter queues, destinations, permissions, and what is lost."""

import json
import random
import re
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minilambda import Cloud

from .conftest import Lab
from .test_async_queue import FAILS, configure, end, send, shared, total

ACCOUNT, REGION = "123456789012", "eu-west-2"
ECHO = "def handler(event, context):\n    return {'echo': event}\n"
ALL = [("sqs", "SendMessage"), ("sns", "Publish"), ("lambda", "InvokeFunction"),
       ("events", "PutEvents"), ("s3", "PutObject")]


def arn(service, name):
    region = "" if service == "s3" else f"{REGION}:{ACCOUNT}"
    return f"arn:aws:{service}:{region}:{name}" if region else f"arn:aws:s3:::{name}"


def allow(*actions, resource="*", effect="Allow", name="own"):
    boto3.client("iam").put_role_policy(
        RoleName="role", PolicyName=name, PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": effect, "Action": list(actions), "Resource": resource}]}))


def deny_everything():
    iam = boto3.client("iam")
    for name in iam.list_role_policies(RoleName="role")["PolicyNames"]:
        iam.delete_role_policy(RoleName="role", PolicyName=name)


def queue(name):
    return boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]


def messages(url):
    found, sqs = [], boto3.client("sqs")
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600,
                                     MessageAttributeNames=["All"]).get("Messages"):
        found += got
    return found


def bodies(url):
    return [json.loads(message["Body"]) for message in messages(url)]


@pytest.fixture
def free():
    """A cloud of today's; the role may do everything, and changes of functions are waited for."""
    lab = shared(limits="today")
    allow("*")
    for operation in ("CreateFunction", "PublishVersion", "UpdateFunctionConfiguration"):
        lab.client.meta.events.register(
            f"after-call.lambda.{operation}", lambda **_: lab.cloud.run(seconds=5),
            unique_id=operation)
    return lab


# -- dead-letter queues ----------------------------------------------------------------------------

def test_a_dead_letter_queue_gets_the_event_and_three_attributes(free):
    url = queue("dead")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "dead")})
    assert free.client.get_function_configuration(FunctionName=name)["DeadLetterConfig"] == {
        "TargetArn": arn("sqs", "dead")}
    reply = free.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"a" : 1.50}')
    request_id = reply["ResponseMetadata"]["RequestId"]
    free.cloud.run_until_idle()
    (message,) = messages(url)
    assert message["Body"] == '{"a" : 1.50}'  # as it came
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "because"}}
    (sent,) = [e for e in free.cloud.trace.select("message.sent")
               if e["queue"] == arn("sqs", "dead")]
    assert (sent["via"], sent.function) == ("lambda", "")


def test_a_dead_letter_topic(free):
    sns, url = boto3.client("sns"), queue("listens")
    topic = sns.create_topic(Name="dead")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", "listens"))
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": topic})
    request_id = send(free, name, {"b": 2})
    free.cloud.run_until_idle()
    (body,) = bodies(url)
    assert json.loads(body["Message"]) == {"b": 2} and body["TopicArn"] == topic
    assert body["MessageAttributes"]["RequestID"]["Value"] == request_id
    assert body["MessageAttributes"].keys() == {"RequestID", "ErrorCode", "ErrorMessage"}


def test_a_long_error_message_is_cut_at_1_kb(free):
    url = queue("long")
    name = free.deploy("def handler(e, c):\n    raise ValueError('é' * 2000)\n",
                       DeadLetterConfig={"TargetArn": arn("sqs", "long")})
    configure(free, name, MaximumRetryAttempts=0)
    send(free, name)
    free.cloud.run_until_idle()
    assert messages(url)[0]["MessageAttributes"]["ErrorMessage"]["StringValue"] == "é" * 512


def test_what_the_attributes_say_when_it_never_ran(free, monkeypatch):
    url = queue("never")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "never")})
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": arn("sqs", "never")}},
              MaximumEventAgeInSeconds=60)
    free.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    request_id = send(free, name)
    free.cloud.run_until_idle()
    record, letter = messages(url)
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorMessage": {"DataType": "String", "StringValue": "Function not invoked. Function "
                         "isconfigured with zero reserved concurrent executions"}}
    body = json.loads(record["Body"])
    assert body["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert body["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in body and "responsePayload" not in body

    free.client.delete_function_concurrency(FunctionName=name)
    monkeypatch.setattr(free.cloud.frontend.concurrency, "take",
                        lambda *given, **named: "ConcurrentInvocationLimitExceeded")
    send(free, name)
    free.cloud.run_until_idle()
    record, letter = messages(url)
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "Rate Exceeded."
    body = json.loads(record["Body"])
    assert body["requestContext"]["condition"] == "EventAgeExceeded"
    assert body["responseContext"] == {"statusCode": 429} and "responsePayload" not in body


def test_a_deleted_functions_events_still_reach_its_queue(free):
    url = queue("orphans")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "orphans")})
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": arn("sqs", "orphans")}})
    request_id = send(free, name, "x")
    free.cloud.run(seconds=1)
    free.client.delete_function(FunctionName=name)
    free.cloud.run_until_idle()
    record, letter = messages(url)
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "404"},
        "ErrorMessage": {"DataType": "String", "StringValue":
                         f"Function not found: {arn('lambda', 'function:' + name)}:$LATEST"}}
    assert json.loads(record["Body"])["responseContext"] == {"statusCode": 404}


def test_a_version_keeps_its_dead_letter_queue(free):
    url, other = queue("old"), queue("new")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "old")})
    free.client.publish_version(FunctionName=name)
    free.client.update_function_configuration(
        FunctionName=name, DeadLetterConfig={"TargetArn": arn("sqs", "new")})
    send(free, name, 1, Qualifier="1")
    send(free, name, 2)
    free.cloud.run_until_idle()
    assert (bodies(url), bodies(other)) == ([1], [2])
    free.client.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in free.client.get_function_configuration(FunctionName=name)


@pytest.mark.parametrize(("target", "sentence"), [
    ("arn:aws:lambda:eu-west-2:123456789012:function:f",
     "Invalid dead letter queue ARN: The service specified by the TargetArn is not supported for "
     "dead letter configuration."),
    ("arn:aws:sqs:eu-west-1:123456789012:q",
     "Invalid dead letter queue ARN: The resource specified by the TargetArn must be in the same "
     "region as the Lambda function it's associated with."),
    ("arn:aws:sqs:eu-west-2:123456789012:q.fifo",
     "Invalid dead letter queue ARN: FIFO SQS queue is not supported for dead letter configuration"),
    ("arn:aws:sns:eu-west-2:123456789012:t.fifo",
     "Invalid dead letter queue ARN: FIFO SNS topic is not supported for dead letter configuration"),
])
def test_what_can_not_be_a_dead_letter_queue(free, target, sentence):
    with pytest.raises(ClientError) as caught:
        free.deploy(FAILS, DeadLetterConfig={"TargetArn": target})
    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterValueException", "Message": sentence}


def test_the_role_must_be_allowed_to_send_when_the_queue_is_set(free):
    deny_everything()
    sentence = "The provided execution role does not have permissions to call SendMessage on SQS"
    with pytest.raises(ClientError, match=sentence):
        free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "dead")})
    name = free.deploy(FAILS)
    with pytest.raises(ClientError, match=sentence):
        free.client.update_function_configuration(
            FunctionName=name, DeadLetterConfig={"TargetArn": arn("sqs", "dead")})
    with pytest.raises(ClientError, match="does not have permissions to call Publish on SNS"):
        free.client.update_function_configuration(
            FunctionName=name, DeadLetterConfig={"TargetArn": arn("sns", "dead")})
    assert "DeadLetterConfig" not in free.client.get_function_configuration(FunctionName=name)
    allow("sqs:SendMessage", resource=arn("sqs", "dead"))
    free.client.update_function_configuration(
        FunctionName=name, DeadLetterConfig={"TargetArn": arn("sqs", "dead")})
    with pytest.raises(ClientError, match=sentence):
        free.client.update_function_configuration(
            FunctionName=name, DeadLetterConfig={"TargetArn": arn("sqs", "other")})


# -- destinations ----------------------------------------------------------------------------------

def test_the_record_of_a_failure(free):
    url = queue("failures")
    name = free.deploy(FAILS)
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": arn("sqs", "failures")}})
    request_id = send(free, name, {"a": 1})
    free.cloud.run_until_idle()
    (record,) = bodies(url)
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload",
                            "responseContext", "responsePayload"]
    assert record["version"] == "1.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    assert record["requestContext"] == {
        "requestId": request_id, "functionArn": arn("lambda", f"function:{name}:$LATEST"),
        "condition": "RetriesExhausted", "approximateInvokeCount": 3}
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST",
                                         "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "because"
    assert record["responsePayload"]["requestId"] == request_id


def test_the_record_of_a_success(free):
    url, other = queue("successes"), queue("not-here")
    name = free.deploy(ECHO)
    free.client.publish_version(FunctionName=name)
    free.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    free.client.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", DestinationConfig={
            "OnSuccess": {"Destination": arn("sqs", "successes")},
            "OnFailure": {"Destination": arn("sqs", "not-here")}})
    request_id = send(free, name, [1], Qualifier="live")
    send(free, name, [2])  # not by the alias: nothing is set for that
    free.client.invoke(FunctionName=name, Qualifier="live", Payload="[3]")  # nor is that asynchronous
    free.cloud.run_until_idle()
    (record,) = bodies(url)
    assert record["requestContext"] == {
        "requestId": request_id, "functionArn": arn("lambda", f"function:{name}:live"),
        "condition": "Success", "approximateInvokeCount": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "1"}
    assert record["responsePayload"] == {"echo": [1]} and bodies(other) == []


def test_payloads_are_not_written_anew(free):
    url = queue("verbatim")
    name = free.deploy("def handler(event, context):\n    return 1\n")
    configure(free, name, DestinationConfig={"OnSuccess": {"Destination": arn("sqs", "verbatim")}})
    free.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1e999, "n" :1.0}')
    free.cloud.run_until_idle()
    assert '"requestPayload":{"n": 1e999, "n" :1.0},' in messages(url)[0]["Body"]


def test_a_function_as_destination_comes_through_the_same_door(free):
    url = queue("end")
    last = free.deploy("def handler(event, context):\n    raise KeyError('last')\n",
                       DeadLetterConfig={"TargetArn": arn("sqs", "end")})
    first = free.deploy(ECHO)
    configure(free, first, DestinationConfig={
        "OnSuccess": {"Destination": arn("lambda", f"function:{last}")}})
    request_id = send(free, first, "hello")
    free.cloud.run_until_idle()
    (queued,) = free.cloud.trace.select("async.queued", function=last)
    assert queued["source"] == "destination" and queued["request_id"] != request_id
    assert end(free, queued["request_id"]) == ("RetriesExhausted", 3)
    (record,) = bodies(url)  # the dead letter is the first function's record
    assert record["responsePayload"] == {"echo": "hello"}
    assert record["requestContext"]["requestId"] == request_id


@pytest.mark.parametrize(("source", "kind"), [(ECHO, "Success"), (FAILS, "Failure")])
def test_an_event_bus(free, source, kind):
    events, url = boto3.client("events"), queue(f"bus-{kind}")
    boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": "*"}]})})
    bus = events.create_event_bus(Name=f"bus-{kind}")["EventBusArn"]
    events.put_rule(Name="all", EventBusName=f"bus-{kind}",
                    EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="all", EventBusName=f"bus-{kind}",
                       Targets=[{"Id": "q", "Arn": arn("sqs", f"bus-{kind}")}])
    name = free.deploy(source)
    configure(free, name, DestinationConfig={
        "OnSuccess": {"Destination": bus}, "OnFailure": {"Destination": bus}})
    send(free, name, {"n": 1})
    free.cloud.run_until_idle()
    (event,) = bodies(url)
    assert event["detail-type"] == f"Lambda Function Invocation Result - {kind}"
    assert event["source"] == "lambda" and event["detail"]["requestPayload"] == {"n": 1}
    assert event["resources"] == [bus, arn("lambda", f"function:{name}:$LATEST")]


def test_a_bucket_for_failures(free):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": REGION})
    name = free.deploy(FAILS)
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::records"}})
    request_id = send(free, name)
    free.cloud.run_until_idle()
    (found,) = s3.list_objects_v2(Bucket="records")["Contents"]
    now = free.cloud.now
    assert re.fullmatch(
        rf"aws/lambda/async/{name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-"
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", found["Key"])
    record = json.load(s3.get_object(Bucket="records", Key=found["Key"])["Body"])
    assert record["requestContext"]["requestId"] == request_id


def test_both_at_once(free):
    one, other = queue("letters"), queue("records")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "letters")})
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": arn("sqs", "records")}})
    send(free, name, 5)
    free.cloud.run_until_idle()
    assert bodies(one) == [5] and bodies(other)[0]["requestPayload"] == 5
    assert total(free, "AsyncEventsDropped", name) == 1


def test_a_lost_permission_loses_records_and_shows_in_metrics_only(free):
    one, other = queue("lost-letters"), queue("lost-records")
    name = free.deploy(FAILS, DeadLetterConfig={"TargetArn": arn("sqs", "lost-letters")})
    configure(free, name, DestinationConfig={
        "OnFailure": {"Destination": arn("sqs", "lost-records")}})
    deny_everything()
    request_id = send(free, name)
    free.cloud.run_until_idle()
    assert bodies(one) == bodies(other) == []
    assert total(free, "DeadLetterErrors", name) == 1
    assert total(free, "DestinationDeliveryFailures", name) == 1
    assert [(e["role"], "may not call SendMessage" in e["reason"]) for e in
            free.cloud.trace.select("async.undelivered", request_id=request_id)] == [
        ("on-failure", True), ("dead-letter", True)]


@pytest.mark.parametrize("target", [
    arn("sqs", "gone"), arn("sns", "gone"), arn("events", "event-bus/gone"), "arn:aws:s3:::gone"])
def test_a_destination_that_is_not_there(free, target):
    name = free.deploy(FAILS)
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": target}},
              MaximumRetryAttempts=0)
    request_id = send(free, name)
    free.cloud.run_until_idle()
    assert end(free, request_id) == ("RetriesExhausted", 1)
    assert total(free, "DestinationDeliveryFailures", name) == 1
    (lost,) = free.cloud.trace.select("async.undelivered", request_id=request_id)
    assert (lost["target"], lost["role"]) == (target, "on-failure") and lost["reason"]


def test_a_record_that_is_too_large(free):
    url = queue("large")
    name = free.deploy("def handler(event, context):\n    return event * 2\n")
    configure(free, name, DestinationConfig={"OnSuccess": {"Destination": arn("sqs", "large")}})
    send(free, name, "x" * 600_000)
    free.cloud.run_until_idle()
    assert bodies(url) == [] and total(free, "DestinationDeliveryFailures", name) == 1


# -- what is set for events ------------------------------------------------------------------------

def test_the_five_operations(free):
    client, name = free.client, free.deploy(ECHO)
    qualified = arn("lambda", f"function:{name}:$LATEST")
    empty = {"OnSuccess": {}, "OnFailure": {}}

    def seen(answer):
        assert abs(answer.pop("LastModified") - free.cloud.now) < timedelta(seconds=1)
        answer.pop("ResponseMetadata", None)
        return answer

    missing = f"The function {qualified} doesn't have an EventInvokeConfig"
    for ask in (client.get_function_event_invoke_config,
                client.delete_function_event_invoke_config):
        with pytest.raises(ClientError) as caught:
            ask(FunctionName=name)
        assert caught.value.response["Error"] == {
            "Code": "ResourceNotFoundException", "Message": missing}
    with pytest.raises(ClientError, match="doesn't have an EventInvokeConfig"):
        client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    with pytest.raises(ClientError) as caught:
        client.put_function_event_invoke_config(FunctionName=name)
    assert caught.value.response["Error"]["Message"] == (
        "You must specify at least one of error handling or destination setting.")
    with pytest.raises(ClientError) as caught:
        client.put_function_event_invoke_config(FunctionName="nobody", MaximumRetryAttempts=1)
    assert caught.value.response["Error"] == {
        "Code": "ResourceNotFoundException", "Message": "The function doesn't exist."}

    assert seen(client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0)) == {
        "FunctionArn": qualified, "MaximumRetryAttempts": 0, "DestinationConfig": empty}
    assert seen(client.update_function_event_invoke_config(
        FunctionName=name, MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnSuccess": {"Destination": arn("sqs", "q")}})) == {
        "FunctionArn": qualified, "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": empty | {"OnSuccess": {"Destination": arn("sqs", "q")}}}
    assert seen(client.get_function_event_invoke_config(
        FunctionName=name, Qualifier="$LATEST"))["MaximumEventAgeInSeconds"] == 60
    assert seen(client.put_function_event_invoke_config(  # replaces all
        FunctionName=name, MaximumEventAgeInSeconds=70)) == {
        "FunctionArn": qualified, "MaximumEventAgeInSeconds": 70, "DestinationConfig": empty}

    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        client.put_function_event_invoke_config(
            FunctionName=f"{name}:{qualifier}", MaximumRetryAttempts=1)
    listed = client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2})
    pages = [[c["FunctionArn"].rsplit(":", 1)[1] for c in page["FunctionEventInvokeConfigs"]]
             for page in listed]
    assert pages == [["$LATEST", "1"], ["live"]]
    client.delete_function_event_invoke_config(FunctionName=name)
    client.delete_alias(FunctionName=name, Name="live")
    client.delete_function(FunctionName=name, Qualifier="1")
    assert client.list_function_event_invoke_configs(
        FunctionName=name)["FunctionEventInvokeConfigs"] == []


@pytest.mark.parametrize(("settings_", "part"), [
    ({"MaximumRetryAttempts": 3}, "maximumRetryAttempts"),
    ({"MaximumRetryAttempts": -1}, "maximumRetryAttempts"),
    ({"MaximumEventAgeInSeconds": 59}, "maximumEventAgeInSeconds"),
    ({"MaximumEventAgeInSeconds": 21601}, "maximumEventAgeInSeconds")])
def test_bounds(free, settings_, part):
    client = boto3.session.Session().client("lambda", config=boto3.session.Config(
        parameter_validation=False))
    with pytest.raises(ClientError, match=f"ValidationException.*at '{part}' failed"):
        client.put_function_event_invoke_config(FunctionName=free.deploy(ECHO), **settings_)


@pytest.mark.parametrize("profile", ["course", "today"])
def test_the_models_bounds_are_the_profiles(profile):
    from botocore.loaders import Loader

    from minilambda.limits import Limits

    limits, shapes = Limits.load(profile), Loader().load_service_model("lambda", "service-2")["shapes"]
    assert (shapes["MaximumRetryAttempts"]["min"], shapes["MaximumRetryAttempts"]["max"]) == (
        0, limits.async_retries_max)
    assert limits.async_retries_max == limits.async_tries - 1
    assert (shapes["MaximumEventAgeInSeconds"]["min"], shapes["MaximumEventAgeInSeconds"]["max"]) == (
        limits.async_age_min, limits.async_age_max)


@pytest.mark.parametrize(("service", "operation"), ALL)
def test_the_role_must_be_allowed_to_send_when_a_destination_is_set(free, service, operation):
    name, other = free.deploy(ECHO), free.deploy(ECHO)
    target = arn(service, {"lambda": f"function:{other}", "events": "event-bus/default"}.get(
        service, "target"))
    deny_everything()
    with pytest.raises(ClientError) as caught:
        configure(free, name, DestinationConfig={"OnFailure": {"Destination": target}})
    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterValueException", "Message": "The function's execution role does "
        f"not have permissions to call {operation} on {target}"}
    allow(f"{service}:{operation}", resource=target + ("/*" if service == "s3" else ""))
    configure(free, name, DestinationConfig={"OnFailure": {"Destination": target}})


@pytest.mark.parametrize(("destinations", "sentence"), [
    ({"OnFailure": arn("dynamodb", "table/t")}, "The provided destination config DestinationConfig("
     "onSuccess=null, onFailure=OnFailure(destination=arn:aws:dynamodb:eu-west-2:123456789012:"
     "table/t)) is invalid."),
    ({"OnSuccess": "arn:aws:s3:::records"}, "The destination ARN arn:aws:s3:::records is invalid."),
    ({"OnFailure": arn("sqs", "q.fifo")},
     f"The destination ARN {arn('sqs', 'q.fifo')} is invalid."),
    ({"OnFailure": arn("lambda", "function:nobody")},
     f"The destination ARN {arn('lambda', 'function:nobody')} is invalid."),
    ({"OnSuccess": arn("lambda", "function:itself")},
     "You can't specify the function as a destination for itself."),
])
def test_what_can_not_be_a_destination(free, destinations, sentence):
    if "itself" in str(destinations):
        free.deploy(ECHO, name="itself")
    name = "itself" if "itself" in str(destinations) else free.deploy(ECHO)
    with pytest.raises(ClientError) as caught:
        configure(free, name, DestinationConfig={
            member: {"Destination": target} for member, target in destinations.items()})
    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterValueException", "Message": sentence}


def test_a_bucket_was_no_destination_when_the_course_was_made():
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        allow("*")
        with pytest.raises(ClientError, match="arn:aws:s3:::b.* is invalid"):
            configure(lab, lab.deploy(ECHO), DestinationConfig={
                "OnFailure": {"Destination": "arn:aws:s3:::b"}})


# -- the role's policies -----------------------------------------------------------------------------

def test_whatever_kind_of_policy_says_so(free):
    iam, name = boto3.client("iam"), free.deploy(ECHO)
    to = {"DestinationConfig": {"OnSuccess": {"Destination": arn("sqs", "q")}}}

    def refused():
        with pytest.raises(ClientError, match="does not have permissions to call SendMessage"):
            configure(free, name, **to)

    deny_everything()
    iam.attach_role_policy(RoleName="role", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    refused()
    iam.attach_role_policy(RoleName="role", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    configure(free, name, **to)
    allow("sqs:*", effect="Deny", resource=arn("sqs", "*"), name="no")
    refused()
    iam.delete_role_policy(RoleName="role", PolicyName="no")
    iam.detach_role_policy(RoleName="role", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    refused()
    own = iam.create_policy(PolicyName="mine", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "SQS:sendmessage", "Resource": arn("sqs", "?")}}))["Policy"]
    iam.attach_role_policy(RoleName="role", PolicyArn=own["Arn"])
    configure(free, name, **to)
    iam.put_role_permissions_boundary(
        RoleName="role", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    refused()
    iam.delete_role_permissions_boundary(RoleName="role")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.attach_role_policy(RoleName="role", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")


# -- conservation ------------------------------------------------------------------------------------

ACTS = """
import time
def handler(event, context):
    act = event["acts"].pop(0) if event["acts"] else "work"
    # A retry gets the event as it was sent: which try this is, only the clock says.
    age = time.time() - event["sent"]
    act = event["plan"][min(int(age > 50) + int(age > 170), 2)]
    if act == "raise": raise RuntimeError("asked to")
    if act == "long": time.sleep(9)
    if act == "exit": raise SystemExit(1)
    return act
"""

EVENTS = st.lists(st.tuples(
    st.integers(0, 2),  # which function
    st.lists(st.sampled_from(["work", "raise", "long", "exit"]), min_size=3, max_size=3),
    st.integers(0, 90)), min_size=1, max_size=12)
CHANGES = st.lists(st.sampled_from(
    ["allow", "deny", "reserve 0", "reserve 1", "release", "delete", "age", "retries", "throttle"]),
    max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=EVENTS, changes=CHANGES, seed=st.integers(0, 3), duplicates=st.sampled_from([0, 0.3]))
def test_every_event_ends_once_and_is_told_of(events, changes, seed, duplicates):
    """accepted = succeeded + dropped, and each drop is in a metric; each record is there or counted."""
    with Cloud(durations="modelled", sandbox="inline", seed=seed, async_duplicates=duplicates) as cloud:
        lab, dice = Lab(cloud), random.Random(seed)
        allow("*")
        letters, records = queue("letters"), queue("records")
        names = []
        for _ in range(3):
            name = lab.deploy(ACTS, Timeout=3, DeadLetterConfig={"TargetArn": arn("sqs", "letters")})
            configure(lab, name, DestinationConfig={
                "OnSuccess": {"Destination": arn("sqs", "records")},
                "OnFailure": {"Destination": arn("sqs", "records")}})
            names.append(name)
        take = cloud.frontend.concurrency.take
        sent, pending = {}, list(changes)
        for place, plan, wait in events:
            try:
                request_id = send(lab, names[place], {
                    "sent": cloud.now.timestamp(), "plan": plan, "acts": []})
                sent[request_id] = names[place]
            except ClientError as error:
                assert "Function not found" in str(error) and "delete" in changes
            if pending:
                change(lab, pending.pop(0), names, dice)
            cloud.run(seconds=wait)
        cloud.frontend.concurrency.take = take
        cloud.run_until_idle()
        trace = cloud.trace
        queued = [e["request_id"] for e in trace.select("async.queued")]
        copies = [e["request_id"] for e in trace.select("async.duplicated")]
        ended = trace.select("async.ended")
        assert sorted(queued) == sorted(sent)
        assert sorted(e["request_id"] for e in ended) == sorted(queued + copies)
        assert len(copies) == sum(e["copy"] for e in ended) and (duplicates or not copies)
        dropped = [e for e in ended if e["condition"] != "Success"]
        for name in names:
            mine = [e for e in dropped if e.function == name]
            assert total(lab, "AsyncEventsReceived", name) == list(sent.values()).count(name)
            assert total(lab, "AsyncEventsDropped", name) == len(mine)
            lost = trace.select("async.undelivered", function=name)
            assert total(lab, "DeadLetterErrors", name) == sum(
                e["role"] == "dead-letter" for e in lost)
            assert total(lab, "DestinationDeliveryFailures", name) == sum(
                e["role"] != "dead-letter" for e in lost)
        told = trace.select("async.delivered", "async.undelivered")
        assert len(told) == len(ended) + len(dropped)  # a record each, and a letter for each drop
        arrived = {role: sum(e["role"] in role for e in trace.select("async.delivered"))
                   for role in (("dead-letter",), ("on-success", "on-failure"))}
        assert len(messages(letters)) == arrived["dead-letter",]
        assert len(messages(records)) == arrived["on-success", "on-failure"]
        assert cloud.frontend.concurrency.running(cloud.account_id, REGION) == 0


def change(lab, what, names, dice):
    name, client = dice.choice(names), lab.client
    try:
        match what.split():
            case ["allow"]: allow("*")
            case ["deny"]: deny_everything()
            case ["reserve", places]: client.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=int(places))
            case ["release"]: client.delete_function_concurrency(FunctionName=name)
            case ["delete"]: client.delete_function(FunctionName=name)
            case ["age"]: client.update_function_event_invoke_config(
                FunctionName=name, MaximumEventAgeInSeconds=dice.choice([60, 100, 1000]))
            case ["retries"]: client.update_function_event_invoke_config(
                FunctionName=name, MaximumRetryAttempts=dice.randrange(3))
            case ["throttle"]:
                real = lab.cloud.frontend.concurrency.take
                lab.cloud.frontend.concurrency.take = lambda *given, **named: (
                    "ConcurrentInvocationLimitExceeded" if dice.random() < 0.5
                    else real(*given, **named))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
