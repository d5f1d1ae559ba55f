"""Buckets that tell functions, queues and topics what happens in them."""

import json
import re
import urllib.request
from urllib.parse import unquote_plus

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
CREATED, REMOVED = "s3:ObjectCreated:*", "s3:ObjectRemoved:*"
BUCKET = "arn:aws:s3:::bkt"


@pytest.fixture
def s3(fresh):
    return bucket_in(fresh)


def bucket_in(lab, versioned=False):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    if versioned:
        s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Enabled"})
    return s3


def listening(lab, source=PRINTS, permitted=True, name=None):
    """A function's ARN."""
    name = lab.deploy(source, name=name)
    if permitted:
        lab.client.add_permission(
            FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", SourceArn=BUCKET, SourceAccount="123456789012")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def configure(*rules, **options):
    """Rules: (target, event types, filters by name)."""
    found = {}
    for target, events, *filters in rules:
        kind, arn = {"lambda": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
                     "sqs": ("QueueConfigurations", "QueueArn"),
                     "sns": ("TopicConfigurations", "TopicArn")}[target.split(":")[2]]
        entry = {arn: target, "Events": [events] if isinstance(events, str) else events}
        if filters:
            entry["Filter"] = {"Key": {"FilterRules": [
                {"Name": name, "Value": value} for name, value in filters[0].items()]}}
        found.setdefault(kind, []).append(entry)
    boto3.client("s3").put_bucket_notification_configuration(
        Bucket="bkt", NotificationConfiguration=found, **options)


def refused(*rules, **options):
    with pytest.raises(ClientError) as error:
        configure(*rules, **options)
    assert error.value.response["Error"]["Code"] == "InvalidArgument"
    return error.value.response["Error"]["Message"]


def told(lab, arn):
    """The records that a function was given."""
    return [record for event in lab.printed(arn) for record in event["Records"]]


def queue(policy=True):
    """URL and ARN."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = "arn:aws:sqs:eu-west-2:123456789012:q"
    if policy:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": s3_may("sqs:SendMessage", arn)})
    return url, arn


def s3_may(action, arn):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": action,
        "Resource": arn, "Condition": {"ArnLike": {"aws:SourceArn": BUCKET}}}]})


def messages(url):
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


# -- the event ----------------------------------------------------------------------------------------

def test_the_event_field_by_field(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    rule = s3.get_bucket_notification_configuration(Bucket="bkt")["LambdaFunctionConfigurations"][0]
    put = s3.put_object(Bucket="bkt", Key="a/b.txt", Body=b"hello")
    (record,) = told(fresh, arn)
    answer = record.pop("responseElements")
    owner = record["userIdentity"]["principalId"]
    sequencer = record["s3"]["object"].pop("sequencer")
    assert record == {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-2",
        "eventTime": "2020-03-02T09:00:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": owner},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": rule["Id"],
               "bucket": {"name": "bkt", "ownerIdentity": {"principalId": owner}, "arn": BUCKET},
               "object": {"key": "a/b.txt", "size": 5, "eTag": put["ETag"].strip('"')}}}
    assert re.fullmatch("A[A-Z2-7]{13}", owner)
    assert re.fullmatch("[0-9A-F]{16}", answer["x-amz-request-id"])
    assert len(answer["x-amz-id-2"]) == 76
    assert re.fullmatch("00[0-9A-F]{16}", sequencer)


@pytest.mark.parametrize("key", ["my photo.jpg", "a+b", "grüße/日本.txt", "50% off&=?.txt"])
def test_the_key_is_url_encoded(fresh, s3, key):
    arn = listening(fresh)
    configure((arn, CREATED))
    s3.put_object(Bucket="bkt", Key=key, Body=b"")
    (record,) = told(fresh, arn)
    encoded = record["s3"]["object"]["key"]
    assert unquote_plus(encoded) == key and encoded.isascii() and " " not in encoded
    if key == "my photo.jpg":
        assert encoded == "my+photo.jpg"


def test_what_a_function_writes_has_its_session_as_principal(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    name = fresh.deploy("import boto3\ndef handler(event, context):\n"
                        "    boto3.client('s3').put_object(Bucket='bkt', Key='k', Body=b'x')\n")
    assert fresh.invoke(name).error is None
    (record,) = told(fresh, arn)
    assert re.fullmatch(f"AWS:AROA[A-Z0-9]+:{name}", record["userIdentity"]["principalId"])
    assert fresh.cloud.trace.select("s3.event")[0].function == name


# -- which requests are which events ------------------------------------------------------------------

def all_events(lab, target):
    configure((target, [CREATED, REMOVED, "s3:ObjectTagging:*", "s3:ObjectAcl:Put",
                        "s3:ObjectRestore:*"]))


def names(lab, arn):
    return sorted(record["eventName"] for record in told(lab, arn))


def test_put_copy_post_tagging_acl_and_delete(fresh, s3):
    arn = listening(fresh)
    all_events(fresh, arn)
    s3.put_object(Bucket="bkt", Key="a", Body=b"1", Tagging="x=y")  # one event: no tagging
    s3.copy_object(Bucket="bkt", Key="b", CopySource="bkt/a")
    s3.put_object_tagging(Bucket="bkt", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket="bkt", Key="a")
    s3.put_object_acl(Bucket="bkt", Key="a", ACL="public-read")
    s3.delete_objects(Bucket="bkt", Delete={"Objects": [{"Key": "a"}, {"Key": "nothing"}]})
    s3.delete_object(Bucket="bkt", Key="nothing")
    records = {record["eventName"]: record for record in told(fresh, arn)}
    assert names(fresh, arn) == [
        "ObjectAcl:Put", "ObjectCreated:Copy", "ObjectCreated:Put", "ObjectRemoved:Delete",
        "ObjectTagging:Delete", "ObjectTagging:Put"]
    assert records["ObjectTagging:Put"]["eventVersion"] == "2.3"
    assert records["ObjectTagging:Put"]["s3"]["object"].keys() == {"key", "eTag"}
    assert records["ObjectRemoved:Delete"]["s3"]["object"].keys() == {"key", "sequencer"}


def test_a_post_form(fresh, s3):
    arn = listening(fresh)
    all_events(fresh, arn)
    form = s3.generate_presigned_post("bkt", "k")
    boundary = "x" * 20
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in form["fields"].items()]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
                 f"body\r\n--{boundary}--\r\n")
    urllib.request.urlopen(urllib.request.Request(
        form["url"], "".join(parts).encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"})).close()
    assert names(fresh, arn) == ["ObjectCreated:Post"]


def test_a_multipart_upload_is_one_event(fresh, s3):
    arn = listening(fresh)
    all_events(fresh, arn)
    upload = s3.create_multipart_upload(Bucket="bkt", Key="big")["UploadId"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(
        Bucket="bkt", Key="big", UploadId=upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((1, b"x" * 5 * 2**20), (2, b"end"))]
    s3.complete_multipart_upload(Bucket="bkt", Key="big", UploadId=upload,
                                 MultipartUpload={"Parts": parts})
    (record,) = told(fresh, arn)
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert record["s3"]["object"]["size"] == 5 * 2**20 + 3
    assert record["s3"]["object"]["eTag"].endswith("-2")


def test_versions_and_delete_markers(fresh):
    s3, arn = bucket_in(fresh, versioned=True), listening(fresh)
    all_events(fresh, arn)
    first = s3.put_object(Bucket="bkt", Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="bkt", Key="k", Body=b"2")["VersionId"]  # at the same instant
    marker = s3.delete_object(Bucket="bkt", Key="k")["VersionId"]
    s3.delete_object(Bucket="bkt", Key="k", VersionId=first)
    found = sorted(told(fresh, arn), key=lambda record: record["s3"]["object"]["sequencer"])
    assert [(r["eventName"], r["s3"]["object"]["versionId"]) for r in found] == [
        ("ObjectCreated:Put", first), ("ObjectCreated:Put", second),
        ("ObjectRemoved:DeleteMarkerCreated", marker), ("ObjectRemoved:Delete", first)]


# -- filters, order, time -----------------------------------------------------------------------------

def test_prefixes_and_suffixes(fresh, s3):
    images, rest = listening(fresh), listening(fresh)
    configure((images, CREATED, {"prefix": "in/", "suffix": ".jpg"}),
              (rest, "s3:ObjectCreated:Put", {"Suffix": ".txt"}))
    for key in ("in/a.jpg", "out/a.jpg", "in/a.png", "in/a.txt", "b.txt"):
        s3.put_object(Bucket="bkt", Key=key, Body=b"")
    keys = [{r["s3"]["object"]["key"] for r in told(fresh, arn)} for arn in (images, rest)]
    assert keys == [{"in/a.jpg"}, {"in/a.txt", "b.txt"}]
    shown = s3.get_bucket_notification_configuration(Bucket="bkt")["LambdaFunctionConfigurations"]
    assert shown[1]["Filter"]["Key"]["FilterRules"] == [{"Name": "Suffix", "Value": ".txt"}]


def test_sequencers_grow_with_each_write_whatever_the_order_of_arrival(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    for n in range(8):
        s3.put_object(Bucket="bkt", Key="k", Body=b"x" * n)
        fresh.cloud.run(seconds=0.1)
    arrived = [(r["s3"]["object"]["sequencer"], r["s3"]["object"]["size"]) for r in told(fresh, arn)]
    assert [size for _, size in sorted(arrived)] == list(range(8))
    assert arrived != sorted(arrived)


def test_it_takes_a_second_or_so(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    s3.put_object(Bucket="bkt", Key="k", Body=b"")
    assert fresh.cloud.seconds == 0
    fresh.cloud.run_until_idle()
    (delivered,) = fresh.cloud.trace.select("s3.delivered")
    (queued,) = fresh.cloud.trace.select("async.queued")
    assert 500 <= delivered["delay_ms"] <= 1500 and delivered.at == queued.at
    assert queued["source"] == "s3" and queued["request_id"] == delivered["request_id"]


def test_some_take_a_minute_or_longer_if_the_reader_wants_that(fresh, s3):
    configure((listening(fresh), CREATED))
    for share in (0.0, 0.5, 1.0):
        fresh.cloud.slow_notifications = share
        for n in range(40):
            s3.put_object(Bucket="bkt", Key=f"{share}/{n}", Body=b"")
    fresh.cloud.run_until_idle()
    found = {share: [e["delay_ms"] for e in fresh.cloud.trace.select("s3.delivered")
                     if e["key"].startswith(f"{share}/")] for share in (0.0, 0.5, 1.0)}
    assert max(found[0.0]) <= 1500 and 60_000 <= min(found[1.0]) and max(found[1.0]) <= 120_000
    slow = [delay for delay in found[0.5] if delay > 1500]
    assert 10 <= len(slow) <= 30 and min(slow) >= 60_000 and len(found[0.5]) == 40
    with pytest.raises(ValueError, match="slow_notifications"):
        fresh.cloud.slow_notifications = 1.1
    assert fresh.cloud.slow_notifications == 1.0
    fresh.cloud.reset()
    assert fresh.cloud.slow_notifications == 0.0


def test_two_writes_at_one_instant_are_told_of_once(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    s3.put_object(Bucket="bkt", Key="k", Body=b"1")
    s3.put_object(Bucket="bkt", Key="k", Body=b"22")
    s3.put_object(Bucket="bkt", Key="other", Body=b"")
    fresh.cloud.run(seconds=0.001)
    s3.put_object(Bucket="bkt", Key="k", Body=b"333")  # another instant
    assert sorted(r["s3"]["object"]["size"] for r in told(fresh, arn)) == [0, 2, 3]
    (dropped,) = fresh.cloud.trace.select("s3.dropped")
    assert "same instant" in dropped["reason"]


def test_today_both_are_told_of():
    with Cloud(durations="modelled", limits="today") as cloud:
        lab = Lab(cloud)
        s3, arn = bucket_in(lab), listening(lab)
        configure((arn, CREATED))
        for body in (b"1", b"22"):
            s3.put_object(Bucket="bkt", Key="k", Body=body)
        assert sorted(r["s3"]["object"]["size"] for r in told(lab, arn)) == [1, 2]


def test_a_bucket_where_nothing_happens_costs_nothing(fresh, s3):
    configure((listening(fresh), CREATED))
    fresh.cloud.run_until_idle()
    assert fresh.cloud.seconds == 0 and not fresh.cloud.trace.select("s3.event")


def test_the_same_seed_gives_the_same_trace():
    def story():
        with Cloud(durations="modelled", seed=7) as cloud:
            lab = Lab(cloud)
            s3, arn = bucket_in(lab), listening(lab)
            configure((arn, CREATED), (queue()[1], REMOVED))
            for n in range(5):
                s3.put_object(Bucket="bkt", Key=f"k{n}", Body=b"x")
            s3.delete_object(Bucket="bkt", Key="k1")
            return told(lab, arn), [(e.at, e.kind, e.function, dict(e.data)) for e in cloud.trace]

    assert story() == story()


# -- refusals -----------------------------------------------------------------------------------------

def test_overlaps_are_refused_and_leave_what_was(fresh, s3):
    one, other = listening(fresh), listening(fresh)
    configure((one, CREATED))
    assert refused((one, CREATED), (other, "s3:ObjectCreated:Put")) == (
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
    assert refused((one, CREATED, {"prefix": "a"}), (other, CREATED, {"suffix": ".jpg"})) == (
        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
        "prefixes are overlapping for the same event type.")
    kept = s3.get_bucket_notification_configuration(Bucket="bkt")["LambdaFunctionConfigurations"]
    assert [rule["LambdaFunctionArn"] for rule in kept] == [one]
    configure((one, CREATED, {"prefix": "a"}), (other, CREATED, {"prefix": "b"}))
    configure((one, CREATED), (other, REMOVED))


UNABLE = "Unable to validate the following destination configurations"


def test_destinations_that_cannot_be_told(fresh, s3):
    function = listening(fresh, permitted=False)
    assert refused((function, CREATED)) == UNABLE
    assert refused((function + "-not-there", CREATED)) == UNABLE
    assert refused(("arn:aws:sqs:eu-west-2:123456789012:q", CREATED)) == UNABLE
    assert refused((queue(policy=False)[1], CREATED)) == UNABLE
    topic = boto3.client("sns").create_topic(Name="t")["TopicArn"]
    assert refused((topic, CREATED)) == UNABLE
    assert refused((topic.replace("eu-west-2", "us-east-1"), CREATED)).startswith(
        "The notification destination service region is not valid")
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(Bucket="bkt")
    configure((function, CREATED), SkipDestinationValidation=True)


def test_event_types_and_filters_that_there_are_not(fresh, s3):
    arn = listening(fresh)
    assert "not supported for notifications" in refused((arn, "s3:ObjectSeen"))
    assert "either prefix or suffix" in refused((arn, CREATED, {"infix": "x"}))
    assert "more than one prefix" in refused((arn, CREATED, {"prefix": "x", "Prefix": "y"}))
    configure((arn, ["s3:Replication:*", "s3:LifecycleExpiration:*", "s3:IntelligentTiering"]))


def test_a_permission_that_is_taken_away_later(fresh, s3):
    arn = listening(fresh)
    configure((arn, CREATED))
    fresh.client.remove_permission(FunctionName=arn, StatementId="s3")
    s3.put_object(Bucket="bkt", Key="k", Body=b"")
    assert told(fresh, arn) == []
    (dropped,) = fresh.cloud.trace.select("s3.dropped")
    assert "policy" in dropped["reason"] and not fresh.cloud.trace.select("async.queued")


# -- queues and topics --------------------------------------------------------------------------------

def test_a_queue(fresh, s3):
    url, arn = queue()
    configure((arn, CREATED))
    (test,) = messages(url)
    assert (test["Service"], test["Event"], test["Bucket"]) == ("Amazon S3", "s3:TestEvent", "bkt")
    assert test.keys() == {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    assert messages(url) == []
    fresh.cloud.run_until_idle()
    (event,) = messages(url)
    assert event["Records"][0]["s3"]["object"]["key"] == "k"
    boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    fresh.cloud.run_until_idle()
    assert messages(url) == []
    assert "do not allow S3" in fresh.cloud.trace.select("s3.dropped")[0]["reason"]


def test_a_topic(fresh, s3):
    url, arn = queue()
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy",
                             AttributeValue=s3_may("sns:Publish", topic))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    configure((topic, CREATED))
    assert json.loads(messages(url)[0]["Message"])["Event"] == "s3:TestEvent"
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    fresh.cloud.run_until_idle()
    (envelope,) = messages(url)
    assert envelope["Subject"] == "Amazon S3 Notification"
    assert json.loads(envelope["Message"])["Records"][0]["eventName"] == "ObjectCreated:Put"
