"""Every event that a service sends reads as one: in Powertools for AWS Lambda's models and classes.

Powertools is AWS's own library for handlers; its models were made from events recorded on AWS. They
say which members there must be, and of which types. What the members say is each trigger's own test.
"""

import json

import boto3
import pytest
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.parser import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import test_config_rules as config_rules
from .test_s3_notifications import bucket_in, configure, listening

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
ACCOUNT = "123456789012"

EVERY = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:*", "s3:ObjectTagging:*",
         "s3:ObjectAcl:Put"]


def seen(lab, arn):
    """The events that a function has printed."""
    return lab.printed(arn)


def everything(value):
    """Read every property of a data class, and of what they are."""
    if isinstance(value, data_classes.common.DictWrapper):
        for name in dir(type(value)):
            if isinstance(getattr(type(value), name), property):
                everything(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            everything(part)
    elif hasattr(value, "__iter__") and not isinstance(value, str | bytes):
        for part in value:
            everything(part)


@pytest.mark.parametrize("versioned", [False, True])
def test_s3(fresh, versioned):
    s3 = bucket_in(fresh, versioned)
    function = listening(fresh)
    configure((function, EVERY))
    s3.put_object(Bucket="bkt", Key="a picture+1.jpg", Body=b"12")
    s3.copy_object(Bucket="bkt", Key="copy", CopySource={"Bucket": "bkt", "Key": "a picture+1.jpg"})
    s3.put_object_tagging(Bucket="bkt", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_object_acl(Bucket="bkt", Key="copy", ACL="public-read")
    s3.put_object(Bucket="bkt", Key="cold", Body=b"1", StorageClass="GLACIER")
    s3.restore_object(Bucket="bkt", Key="cold", RestoreRequest={"Days": 1})
    s3.delete_object(Bucket="bkt", Key="copy")
    found = seen(fresh, function)
    names = {event["Records"][0]["eventName"] for event in found}
    assert names >= {"ObjectCreated:Put", "ObjectCreated:Copy", "ObjectTagging:Put", "ObjectAcl:Put",
                     "ObjectRestore:Post",
                     "ObjectRemoved:DeleteMarkerCreated" if versioned else "ObjectRemoved:Delete"}
    for event in found:
        # Events of tags and ACLs have no size on AWS (recorded there), which Powertools' model wants.
        sized = not event["Records"][0]["eventName"].startswith(("ObjectTagging:", "ObjectAcl:"))
        record = models.S3Model(**event if sized else with_size(event)).Records[0]
        assert record.s3.bucket.name == "bkt" and record.eventSource == "aws:s3"
        data = data_classes.S3Event(event)
        if "ObjectCreated:" in record.eventName:  # (the classes know no others)
            everything(data)
        assert data.object_key in {"a picture+1.jpg", "copy", "cold"}
        assert bool(data.record.s3.get_object.version_id) == versioned


def with_size(event):
    """The same with the one member more. It must not have been there."""
    event = json.loads(json.dumps(event))
    assert event["Records"][0]["s3"]["object"].setdefault("size", 7) == 7
    return event


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1,
                   max_size=40).filter(lambda key: key.strip("./ ") == key))
def test_an_s3_key_comes_back_as_it_was(shared_bucket, key):
    s3, function, known = shared_bucket
    s3.put_object(Bucket="bkt", Key=key, Body=b"")
    found = seen(known["lab"], function)
    assert data_classes.S3Event(found[-1]).object_key == key
    s3.delete_object(Bucket="bkt", Key=key)


@pytest.fixture
def shared_bucket(fresh):
    s3 = bucket_in(fresh)
    function = listening(fresh)
    configure((function, ["s3:ObjectCreated:*"]))
    return s3, function, {"lab": fresh}


def subscriber(lab, service, source=PRINTS, **more):
    """The ARN of a function that this service may invoke."""
    name = lab.deploy(source)
    lab.client.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
                              Principal=f"{service}.amazonaws.com", **more)
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def test_sns(fresh):
    sns, function = boto3.client("sns"), subscriber(fresh, "sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    sns.publish(TopicArn=topic, Message="plain")
    sns.publish(TopicArn=topic, Message="full", Subject="s", MessageAttributes={
        "text": {"DataType": "String", "StringValue": "v"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"12"}})
    plain, full = seen(fresh, function)
    for event in (plain, full):
        (record,) = models.SnsModel(**event).Records
        assert record.Sns.TopicArn == topic
        assert record.EventSubscriptionArn == subscription["SubscriptionArn"]
        everything(data_classes.SNSEvent(event))
    assert data_classes.SNSEvent(full).sns_message == "full"


def test_eventbridge(fresh):
    events, function = boto3.client("events"), subscriber(fresh, "events")
    for name, what in (("p", {"EventPattern": '{"source": ["shop"]}'}),
                       ("s", {"ScheduleExpression": "rate(1 hour)"})):
        events.put_rule(Name=name, **what)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": function}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": '{"n": 1}'}])
    fresh.cloud.run(hours=1)
    order, hour = seen(fresh, function)
    for event in (order, hour):
        models.EventBridgeModel(**event)
        everything(data_classes.EventBridgeEvent(event | {"replay-name": "none"}))
    assert data_classes.EventBridgeEvent(order).detail == {"n": 1}
    assert data_classes.EventBridgeEvent(hour).detail_type == "Scheduled Event"


def test_s3_by_eventbridge(fresh):
    events, function, s3 = boto3.client("events"), subscriber(fresh, "events"), bucket_in(fresh)
    events.put_rule(Name="r", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": function}])
    s3.put_bucket_notification_configuration(
        Bucket="bkt", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket="bkt", Key="a picture", Body=b"12")
    s3.delete_object(Bucket="bkt", Key="a picture")
    made, gone = seen(fresh, function)
    for event in (made, gone):
        models.S3EventNotificationEventBridgeModel(**event)
    data = data_classes.S3EventBridgeNotificationEvent(made)
    assert (data.detail_type, data.detail.object.key) == ("Object Created", "a picture")


def test_logs(fresh):
    logs, function = boto3.client("logs"), subscriber(fresh, "logs")
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="s")
    logs.put_subscription_filter(logGroupName="/app", filterName="f", filterPattern="",
                                 destinationArn=function)
    logs.put_log_events(logGroupName="/app", logStreamName="s", logEvents=[
        {"timestamp": fresh.cloud.clock.timestamp_ns() // 10**6, "message": "it rains"}])
    found = seen(fresh, function)
    for event in found:
        model = models.CloudWatchLogsModel(**event)
        everything(data_classes.CloudWatchLogsEvent(event).parse_logs_data())
    assert model.awslogs.decoded_data.messageType == "DATA_MESSAGE"
    assert [one.message for one in model.awslogs.decoded_data.logEvents] == ["it rains"]


def test_ses(fresh):
    ses, function = boto3.client("ses"), subscriber(fresh, "ses")
    ses.verify_domain_identity(Domain="tea.example")
    ses.create_receipt_rule_set(RuleSetName="set")
    ses.set_active_receipt_rule_set(RuleSetName="set")
    ses.create_receipt_rule(RuleSetName="set", Rule={
        "Name": "r", "Enabled": True, "ScanEnabled": True,
        "Actions": [{"LambdaAction": {"FunctionArn": function}}]})
    ses.send_email(Source="ada@tea.example", Destination={"ToAddresses": ["bob@tea.example"]},
                   Message={"Subject": {"Data": "Tea"}, "Body": {"Text": {"Data": "hello"}}})
    (event,) = seen(fresh, function)
    (record,) = models.SesModel(**event).Records
    assert record.ses.mail.source == "ada@tea.example"
    data = data_classes.SESEvent(event)
    assert data.mail.common_headers.subject == "Tea"
    assert [header.name for header in data.mail.headers]


def test_config(fresh):
    config_rules.recorder()
    arn = config_rules.function(fresh)
    config_rules.rule(arn)
    config_rules.bucket("bkt")
    found = seen(fresh, arn)
    assert found
    for event in found:
        data = data_classes.AWSConfigRuleEvent(event)
        assert (data.config_rule_name, data.accountid, data.event_left_scope) == ("rule", ACCOUNT, False)
        assert data.invoking_event.configuration_item.resource_type == "AWS::S3::Bucket"
        assert data.rule_parameters == {"a": "b"} and data.result_token


CALLS_BACK = """
import json, urllib.request
def handler(event, context):
    print(json.dumps(event))
    answer = {"Status": "SUCCESS", "PhysicalResourceId": event["ResourceProperties"]["Name"],
              **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}}
    urllib.request.urlopen(urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"))
"""


def test_custom_resources(fresh):
    stacks = boto3.client("cloudformation")
    name = fresh.deploy(CALLS_BACK)
    arn = fresh.client.get_function_configuration(FunctionName=name)["FunctionArn"]

    def template(value):
        return json.dumps({"Resources": {"Thing": {"Type": "Custom::Thing", "Properties": {
            "ServiceToken": arn, "Name": value}}}})

    stacks.create_stack(StackName="s", TemplateBody=template("one"))
    fresh.cloud.run_until_idle()
    stacks.update_stack(StackName="s", TemplateBody=template("two"))
    fresh.cloud.run_until_idle()
    stacks.delete_stack(StackName="s")
    found = seen(fresh, arn)
    kinds = {"Create": models.CloudFormationCustomResourceCreateModel,
             "Update": models.CloudFormationCustomResourceUpdateModel,
             "Delete": models.CloudFormationCustomResourceDeleteModel}
    assert [event["RequestType"] for event in found] == ["Create", "Update", "Delete", "Delete"]
    for event in found:
        kinds[event["RequestType"]](**event)
        data = data_classes.CloudFormationCustomResourceEvent(event)
        assert data.resource_properties["Name"] in {"one", "two"} and data.service_token == arn


def test_a_stranger_is_noticed():
    """The models do refuse: or the tests above would say nothing."""
    with pytest.raises(ValueError, match="eventTime"):
        models.S3Model(**{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectRemoved:Delete",
                                       "s3": {"object": {"key": "k"}}}]})
