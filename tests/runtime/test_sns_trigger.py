"""Topics that tell functions what is published to them."""

import base64
import json
import re

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud
from minilambda.triggers.sns import waits

from .conftest import Lab

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"


@pytest.fixture
def sns(fresh):
    return boto3.client("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="t")["TopicArn"]


def listening(lab, topic, source=PRINTS, permitted=True, **attributes):
    """A function that is subscribed: its ARN and the subscription's."""
    name = lab.deploy(source)
    if permitted:
        lab.client.add_permission(FunctionName=name, StatementId="sns", SourceArn=topic,
                                  Action="lambda:InvokeFunction", Principal="sns.amazonaws.com")
    arn = lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]
    return arn, boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes=attributes,
        ReturnSubscriptionArn=True)["SubscriptionArn"]


def records(lab, arn):
    """What a function was given."""
    return [record for event in lab.printed(arn) for record in event["Records"]]


def told(lab, arn):
    return [record["Sns"]["Message"] for record in records(lab, arn)]


def queue(name, topic=None):
    """URL and ARN; ``topic`` may send to it."""
    sqs = boto3.client("sqs")
    url, arn = sqs.create_queue(QueueName=name)["QueueUrl"], f"arn:aws:sqs:eu-west-2:123456789012:{name}"
    if topic:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]})})
    return url, arn


def messages(url):
    return [json.loads(m["Body"]) for m in boto3.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def refused(call, **request):
    with pytest.raises(ClientError) as error:
        call(**request)
    assert error.value.response["Error"]["Code"] == "InvalidParameter"
    return error.value.response["Error"]["Message"]


def counted(lab, name):
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SNS", MetricName=name, Dimensions=[{"Name": "TopicName", "Value": "t"}],
        StartTime=lab.cloud.clock.at(-60), EndTime=lab.cloud.clock.at(3e6), Period=3_600_000,
        Statistics=["Sum"])["Datapoints"]
    return sum(point["Sum"] for point in found)


# -- the event ----------------------------------------------------------------------------------------

def test_the_event_member_by_member(fresh, sns, topic):
    arn, subscription = listening(fresh, topic)
    message_id = sns.publish(TopicArn=topic, Message="grüße", MessageAttributes={
        "colour": {"DataType": "String", "StringValue": "red"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})["MessageId"]
    (record,) = records(fresh, arn)
    signature, certificate = record["Sns"].pop("Signature"), record["Sns"].pop("SigningCertUrl")
    assert record == {
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription,
        "Sns": {
            "Type": "Notification", "MessageId": message_id, "TopicArn": topic, "Subject": None,
            "Message": "grüße", "Timestamp": "2020-03-02T09:00:00.000Z", "SignatureVersion": "1",
            "UnsubscribeUrl": "https://sns.eu-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn="
                              + subscription,
            "MessageAttributes": {"colour": {"Type": "String", "Value": "red"},
                                  "raw": {"Type": "Binary", "Value": "AP8="}}}}
    assert len(base64.b64decode(signature, validate=True)) == 256
    assert re.fullmatch(r"https://sns\.eu-west-2\.amazonaws\.com/SimpleNotificationService-"
                        r"[0-9a-f]{32}\.pem", certificate)


def test_subject_and_a_body_for_each_protocol(fresh, sns, topic):
    arn, _ = listening(fresh, topic)
    url, queue_arn = queue("q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sns.publish(TopicArn=topic, Subject="news", MessageStructure="json",
                Message=json.dumps({"default": "for all", "lambda": "for functions"}))
    (record,) = records(fresh, arn)
    assert (record["Sns"]["Subject"], record["Sns"]["Message"]) == ("news", "for functions")
    assert messages(url)[0]["Message"] == "for all"
    for message, words in (("x", "JSON message body failed to parse"),
                           ('{"lambda": "x"}', "No default entry in JSON message body")):
        assert refused(sns.publish, TopicArn=topic, MessageStructure="json", Message=message) == (
            f"Invalid parameter: Message Structure - {words}")
    assert len(told(fresh, arn)) == 1


def test_at_the_instant_of_publishing_by_the_event_queue(fresh, sns, topic):
    arn, _ = listening(fresh, topic)
    fresh.cloud.run(seconds=5)
    sns.publish(TopicArn=topic, Message="m")
    assert fresh.cloud.seconds == 5
    assert told(fresh, arn) == ["m"]
    (event,), (delivered,), (queued,) = map(
        fresh.cloud.trace.select, ("trigger.event", "trigger.delivered", "async.queued"))
    assert event.at == delivered.at == queued.at == 5
    assert queued["source"] == delivered["source"] == event["source"] == "sns"
    assert queued["request_id"] == delivered["request_id"] and delivered["attempt"] == 1
    assert (event["resource"], event["target"], event.function) == (topic, arn, arn.split(":")[6])


def test_every_subscriber_is_told_and_one_that_fails_holds_up_nobody(fresh, sns, topic):
    good, _ = listening(fresh, topic)
    bad, _ = listening(fresh, topic, "def handler(event, context):\n    raise ValueError\n")
    sns.publish(TopicArn=topic, Message="m")
    assert told(fresh, good) == ["m"]
    ended = [e for e in fresh.cloud.trace.select("async.ended") if e.function == bad.split(":")[6]]
    assert ended[0]["invoke_count"] == 3  # the queue's tries; SNS had delivered it
    assert counted(fresh, "NumberOfNotificationsDelivered") == 2
    assert counted(fresh, "NumberOfMessagesPublished") == 1
    assert counted(fresh, "PublishSize") == 1


def test_an_alias_by_its_own_policy(fresh, sns, topic):
    name = fresh.deploy(PRINTS)
    version = fresh.client.publish_version(FunctionName=name)["Version"]
    alias = fresh.client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)["AliasArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=alias)
    sns.publish(TopicArn=topic, Message="early")
    assert told(fresh, alias) == []
    fresh.client.add_permission(FunctionName=name, Qualifier="live", StatementId="s", SourceArn=topic,
                                Action="lambda:InvokeFunction", Principal="sns.amazonaws.com")
    sns.publish(TopicArn=topic, Message="late")
    assert told(fresh, alias) == ["late"]


def test_a_batch(fresh, sns, topic):
    arn, _ = listening(fresh, topic, FilterPolicy='{"n": [1]}')
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[
        {"Id": f"e{n}", "Message": f"m{n}", "MessageAttributes": {
            "n": {"DataType": "Number", "StringValue": str(n % 2)}}} for n in range(4)] + [
        {"Id": "wrong", "Message": "{", "MessageStructure": "json"},
        {"Id": "long", "Message": "m", "Subject": "s" * 101}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["e0", "e1", "e2", "e3"]
    assert [(entry["Id"], entry["Message"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("wrong", "Invalid parameter: Message Structure - JSON message body failed to parse", True),
        ("long", "Invalid parameter: Subject", True)]
    assert told(fresh, arn) == ["m1", "m3"]


@pytest.mark.parametrize("subject", ["s" * 101, "two\nlines", "tab\t"])
def test_a_subject_that_is_none(fresh, sns, topic, subject):
    arn, _ = listening(fresh, topic)
    assert refused(sns.publish, TopicArn=topic, Message="m", Subject=subject) == (
        "Invalid parameter: Subject")
    assert told(fresh, arn) == [] and counted(fresh, "NumberOfMessagesPublished") == 0


# -- subscribing --------------------------------------------------------------------------------------

def test_what_can_be_no_subscriber(fresh, sns, topic):
    for endpoint in ("f", "arn:aws:sqs:eu-west-2:123456789012:q",
                     "arn:aws:lambda:eu-west-2:123456789012:layer:l"):
        assert refused(sns.subscribe, TopicArn=topic, Protocol="lambda", Endpoint=endpoint) == (
            "Invalid parameter: Lambda endpoint ARN")
    fifo = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    arn = "arn:aws:lambda:eu-west-2:123456789012:function:f"
    assert refused(sns.subscribe, TopicArn=fifo, Protocol="lambda", Endpoint=arn) == (
        "Invalid parameter: Invalid protocol type: lambda")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)  # there is none: SNS doesn't ask


@pytest.mark.parametrize("name, value, words", [
    ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON."),
    ("FilterPolicy", '{"a": [{"starts": "x"}]}', "FilterPolicy: Unrecognized match type starts"),
    ("FilterPolicy", '{"a": {"b": ["x"]}}',
     "Filter policy scope MessageAttributes does not support nested filter policy"),
    ("FilterPolicyScope", "Body",
     "FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes"),
    ("RawMessageDelivery", "true", "Delivery protocol [lambda] does not support raw message delivery."),
    ("RedrivePolicy", "x", "RedrivePolicy: failed to parse JSON."),
    ("RedrivePolicy", '{"deadLetterTargetArn": "q"}',
     "RedrivePolicy: deadLetterTargetArn is an invalid arn")])
def test_attributes_that_are_refused_leave_no_subscription(fresh, sns, topic, name, value, words):
    arn = "arn:aws:lambda:eu-west-2:123456789012:function:f"
    assert refused(sns.subscribe, TopicArn=topic, Protocol="lambda", Endpoint=arn,
                   Attributes={name: value}) == f"Invalid parameter: Attributes Reason: {words}"
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    _, subscription = listening(fresh, topic)
    assert refused(sns.set_subscription_attributes, SubscriptionArn=subscription,
                   AttributeName=name, AttributeValue=value) == f"Invalid parameter: {words}"


# -- filters ------------------------------------------------------------------------------------------

def test_a_filter_on_attributes_and_on_the_body(fresh, sns, topic):
    by_attribute, subscription = listening(fresh, topic, FilterPolicy='{"n": [{"numeric": [">", 1]}]}')
    by_body, _ = listening(fresh, topic, FilterPolicyScope="MessageBody",
                           FilterPolicy='{"order": {"state": [{"suffix": "ed"}]}}')
    for n, state in ((1, "placed"), (2, "open"), (3, "closed")):
        sns.publish(TopicArn=topic, Message=json.dumps({"order": {"state": state}}), MessageAttributes={
            "n": {"DataType": "Number", "StringValue": str(n)}})
    sns.publish(TopicArn=topic, Message="text")
    states = [[json.loads(m)["order"]["state"] for m in told(fresh, arn)]
              for arn in (by_attribute, by_body)]
    assert states == [["open", "closed"], ["placed", "closed"]]
    assert counted(fresh, "NumberOfNotificationsFilteredOut") == 4
    for sort in ("MessageAttributes", "NoMessageAttributes", "MessageBody", "InvalidMessageBody"):
        assert counted(fresh, f"NumberOfNotificationsFilteredOut-{sort}") == 1
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicyScope",
                                    AttributeValue="MessageBody")
    sns.publish(TopicArn=topic, Message='{"n": 5}')
    assert '{"n": 5}' in told(fresh, by_attribute)


def test_a_filter_for_a_queue_is_ours_too(fresh, sns, topic):
    url, arn = queue("q")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn,
                  Attributes={"FilterPolicy": '{"ip": [{"cidr": "10.0.0.0/8"}]}'})
    for ip in ("10.1.2.3", "192.0.2.1"):
        sns.publish(TopicArn=topic, Message=ip, MessageAttributes={
            "ip": {"DataType": "String", "StringValue": ip}})
    assert [m["Message"] for m in messages(url)] == ["10.1.2.3"]


# -- what can't be delivered --------------------------------------------------------------------------

def test_without_permission_it_is_dropped_at_once(fresh, sns, topic):
    arn, _ = listening(fresh, topic, permitted=False)
    other = sns.create_topic(Name="other")["TopicArn"]
    fresh.client.add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction",
                                Principal="sns.amazonaws.com", SourceArn=other)
    sns.publish(TopicArn=topic, Message="m")
    assert told(fresh, arn) == [] and fresh.cloud.seconds == 0
    (dropped,) = fresh.cloud.trace.select("trigger.dropped")
    assert "policy" in dropped["reason"] and dropped["attempts"] == 1
    assert counted(fresh, "NumberOfNotificationsFailed") == 1
    assert counted(fresh, "NumberOfNotificationsRedrivenToDlq") == 0


def test_the_dead_letter_queue_of_a_function_that_is_gone(fresh, sns, topic):
    url, dead = queue("dead", topic)
    arn, subscription = listening(fresh, topic, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
    fresh.client.delete_function(FunctionName=arn)
    message_id = sns.publish(TopicArn=topic, Subject="s", Message="m")["MessageId"]
    fresh.cloud.run_until_idle()
    (letter,) = messages(url)
    assert (letter["MessageId"], letter["Message"], letter["Subject"]) == (message_id, "m", "s")
    assert letter["TopicArn"] == topic and subscription in letter["UnsubscribeURL"]
    assert dead in fresh.cloud.trace.select("trigger.dropped")[0]["reason"]
    assert fresh.cloud.trace.select("message.sent")[0]["via"] == "sns"
    assert counted(fresh, "NumberOfNotificationsRedrivenToDlq") == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_dead_letter_queue_that_takes_nothing(fresh, sns, topic, there):
    if there:
        url, _ = queue("dead", topic + "-another")
    listening(fresh, topic, permitted=False, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": "arn:aws:sqs:eu-west-2:123456789012:dead"}))
    sns.publish(TopicArn=topic, Message="m")
    fresh.cloud.run_until_idle()
    assert counted(fresh, "NumberOfNotificationsFailedToRedriveToDlq") == 1
    assert ("policy" if there else "does not exist") in (
        fresh.cloud.trace.select("trigger.dropped")[0]["reason"].split("dead-letter")[1])
    assert not there or messages(url) == []


def test_a_queue_that_is_gone_does_not_make_publish_fail(fresh, sns, topic):
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-2:123456789012:gone")
    arn, _ = listening(fresh, topic)
    sns.publish(TopicArn=topic, Message="m")
    assert told(fresh, arn) == ["m"]
    assert counted(fresh, "NumberOfNotificationsFailed") == 1


def test_it_is_tried_again_when_lambda_does_not_take_it(fresh, sns, topic, lambda_refuses):
    arn, _ = listening(fresh, topic)
    lambda_refuses(7)
    sns.publish(TopicArn=topic, Message="m")
    assert told(fresh, arn) == ["m"]
    tries = fresh.cloud.trace.select("trigger.failed")
    assert [e.at for e in tries] == [0, 0, 0, 0, 1, 2, 3]
    (delivered,) = fresh.cloud.trace.select("trigger.delivered")
    assert delivered["attempt"] == 8 and delivered.at == pytest.approx(3 + 20 ** (1 / 9), abs=0.01)


def test_an_event_that_is_wrong_is_not_tried_again(fresh, sns, topic, lambda_refuses):
    listening(fresh, topic)
    lambda_refuses(1, status=413)
    sns.publish(TopicArn=topic, Message="m")
    fresh.cloud.run_until_idle()
    assert fresh.cloud.trace.select("trigger.dropped")[0]["attempts"] == 1
    assert fresh.cloud.seconds == 0


def test_the_delivery_policy_of_aws():
    found = list(waits())
    assert len(found) == 100_015
    assert found[:5] == [0, 0, 0, 1, 1] and (found[5], found[14]) == (1, 20)
    assert found[5:15] == sorted(found[5:15]) and set(found[15:]) == {20}
    assert 23 < sum(found) / 86_400 < 24


# -- a cloud's own rules ------------------------------------------------------------------------------

def test_a_topic_where_nothing_is_published_costs_nothing(fresh, sns, topic):
    listening(fresh, topic)
    fresh.cloud.run_until_idle()
    assert fresh.cloud.seconds == 0 and not fresh.cloud.trace.select("trigger.event")


def test_a_function_publishes_to_a_function(fresh, sns, topic):
    arn, _ = listening(fresh, topic)
    assert fresh.run(f"import boto3\ndef handler(event, context):\n"
                     f"    boto3.client('sns').publish(TopicArn='{topic}', Message='hello')\n").error is None
    assert told(fresh, arn) == ["hello"]


def test_a_bucket_tells_a_function_by_a_topic(fresh, sns, topic):
    arn, _ = listening(fresh, topic)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                       "Action": "sns:Publish", "Resource": topic}]}))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_bucket_notification_configuration(Bucket="bkt", NotificationConfiguration={
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    found = [record["Sns"] for record in records(fresh, arn)]
    assert {one["Subject"] for one in found} == {"Amazon S3 Notification"}
    assert [json.loads(one["Message"]).get("Event") for one in found] == ["s3:TestEvent", None]
    assert json.loads(found[1]["Message"])["Records"][0]["s3"]["object"]["key"] == "k"


def test_a_failure_tells_another_function_by_a_topic(fresh, sns, topic):
    """A function's dead letters: the attributes come along."""
    arn, _ = listening(fresh, topic)
    boto3.client("iam").put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}]}))
    name = fresh.deploy("def handler(event, context):\n    raise ValueError('no')\n",
                        DeadLetterConfig={"TargetArn": topic})
    fresh.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    (record,) = records(fresh, arn)
    assert json.loads(record["Sns"]["Message"]) == {"n": 1}
    assert record["Sns"]["MessageAttributes"]["ErrorMessage"] == {"Type": "String", "Value": "no"}


def test_the_same_seed_gives_the_same_trace():
    def story():
        with Cloud(durations="modelled", seed=7) as cloud:
            lab, sns = Lab(cloud), boto3.client("sns")
            topic = sns.create_topic(Name="t")["TopicArn"]
            arn, _ = listening(lab, topic)
            for n in range(3):
                sns.publish(TopicArn=topic, Message=str(n))
            return records(lab, arn), [(e.at, e.kind, e.function, dict(e.data)) for e in cloud.trace]

    assert story() == story()
