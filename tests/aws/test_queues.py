"""What the trace says of messages is what boto3 sees of them, whoever sends them."""

import json
from collections import Counter

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LIFE = ("message.sent", "message.received", "message.visibility_changed", "message.visible",
        "message.deleted", "message.expired", "message.redriven")


@pytest.fixture
def sqs(cloud):
    return boto3.client("sqs")


def make(sqs, name, **attributes):
    return sqs.create_queue(QueueName=name,
                            Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]


def arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"]


def held(sqs, url):
    """How many messages are in a queue, however hidden."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(found[name]) for name in (
        "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed"))


def story(cloud, *kinds):
    return [(e.at, e.kind.removeprefix("message."), dict(e.data))
            for e in cloud.runtime.trace.select(*(kinds or LIFE))]


def kinds(cloud):
    return [(at, kind) for at, kind, _ in story(cloud)]


def test_a_message_that_is_received_twice_and_deleted(cloud, sqs):
    url = make(sqs, "orders", VisibilityTimeout=30)
    sent = sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]
    cloud.runtime.clock.run(2)
    [first] = sqs.receive_message(QueueUrl=url)["Messages"]
    cloud.runtime.clock.run(30)  # at its very end the timeout is over
    [again] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])  # does nothing
    queue = arn(sqs, url)
    one = {"queue": queue, "message_id": sent}
    assert story(cloud) == [
        (0.0, "sent", one | {"delay_seconds": 0, "group_id": None, "via": "sqs"}),
        (2.0, "received", one | {"receive_count": 1, "visibility_timeout": 30}),
        (32.0, "visible", one | {"receive_count": 1}),
        (32.0, "received", one | {"receive_count": 2, "visibility_timeout": 30}),
        (32.0, "deleted", one | {"receive_count": 2, "reason": "deleted"}),
    ]
    cloud.runtime.clock.run(3600)
    assert len(cloud.runtime.trace) == 5 and held(sqs, url) == 0
    assert {e.function for e in cloud.runtime.trace} == {""}


def test_a_delayed_message_is_visible_when_its_delay_is_over(cloud, sqs):
    url = make(sqs, "slow", DelaySeconds=5)
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.send_message(QueueUrl=url, MessageBody="b", DelaySeconds=0)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["ApproximateNumberOfMessagesDelayed"] == "1"
    assert found["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1
    cloud.runtime.clock.run(5)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["a"]
    assert kinds(cloud) == [(0, "sent"), (0, "sent"), (0, "received"), (5, "visible"),
                            (5, "received")]


def test_the_third_failure_moves_it_to_the_dead_letter_queue(cloud, sqs):
    dlq = make(sqs, "dead")
    url = make(sqs, "live", VisibilityTimeout=10, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": arn(sqs, dlq), "maxReceiveCount": 2}))
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        sqs.receive_message(QueueUrl=url)
        cloud.runtime.clock.run(10)
    assert kinds(cloud) == [(0, "sent"), (0, "received"), (10, "visible"), (10, "received"),
                            (20, "visible"), (20, "redriven")]
    moved = story(cloud)[-1][2]
    assert (moved["queue"], moved["target"], moved["receive_count"]) == (
        arn(sqs, url), arn(sqs, dlq), 2)
    assert (held(sqs, url), held(sqs, dlq)) == (0, 1)


def test_a_dead_letter_queue_that_was_deleted_swallows_nothing(cloud, sqs):
    dlq = make(sqs, "dead")
    url = make(sqs, "live", RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": arn(sqs, dlq), "maxReceiveCount": 1}))
    sqs.delete_queue(QueueUrl=dlq)
    sqs.send_message(QueueUrl=url, MessageBody="m")
    for _ in range(3):
        sqs.receive_message(QueueUrl=url)
        cloud.runtime.clock.run(30)
    assert held(sqs, url) == 1
    assert not story(cloud, "message.redriven")


def test_retention_counts_from_when_it_was_sent_in_the_dead_letter_queue_too(cloud, sqs):
    dlq = make(sqs, "dead", MessageRetentionPeriod=100)
    url = make(sqs, "live", VisibilityTimeout=10, MessageRetentionPeriod=80,
               RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(sqs, dlq),
                                         "maxReceiveCount": 1}))
    for body in ("moves", "stays"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.receive_message(QueueUrl=url)
    cloud.runtime.clock.run(10)
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=300)
    cloud.runtime.clock.run(200)
    assert [(at, e["queue"]) for at, kind, e in story(cloud, "message.expired")] == [
        (80, arn(sqs, url)), (100, arn(sqs, dlq))]
    assert held(sqs, url) == held(sqs, dlq) == 0


def test_an_expired_message_hides_no_others(cloud, sqs):
    url = make(sqs, "q", MessageRetentionPeriod=60)
    sqs.send_message(QueueUrl=url, MessageBody="old")
    cloud.runtime.clock.run(59)
    sqs.send_message(QueueUrl=url, MessageBody="new")
    cloud.runtime.clock.run(1)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)[
        "Messages"]] == ["new"]


def test_a_retention_period_that_is_changed_counts_for_what_is_there(cloud, sqs):
    url = make(sqs, "q", MessageRetentionPeriod=60)
    for seconds, period in ((30, 600), (100, 200)):
        if period == 600:
            sqs.send_message(QueueUrl=url, MessageBody="m")
        cloud.runtime.clock.run(seconds)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": str(period)})
    cloud.runtime.clock.run(600)
    assert kinds(cloud) == [(0, "sent"), (200, "expired")]


def test_a_visibility_timeout_set_to_nothing_or_longer(cloud, sqs):
    url = make(sqs, "q", VisibilityTimeout=30)
    sqs.send_message(QueueUrl=url, MessageBody="m")
    for seconds in (0, 60):
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"],
                                      VisibilityTimeout=seconds)
    cloud.runtime.clock.run(30)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    cloud.runtime.clock.run(30)
    assert [k for _, k in kinds(cloud)] == ["sent", "received", "visibility_changed", "received",
                                            "visibility_changed", "visible"]
    assert kinds(cloud)[-1] == (60, "visible")


def test_purging_and_deleting_a_queue_ends_its_messages(cloud, sqs):
    url = make(sqs, "q")
    for end in (sqs.purge_queue, sqs.delete_queue):
        sqs.send_message(QueueUrl=url, MessageBody="m")
        end(QueueUrl=url)
    assert [e["reason"] for _, _, e in story(cloud, "message.deleted")] == [
        "purged", "queue deleted"]
    cloud.runtime.clock.run(5 * 86400)
    assert len(cloud.runtime.trace) == 4


def test_a_duplicate_in_a_fifo_queue_is_not_sent(cloud, sqs):
    url = make(sqs, "q.fifo", FifoQueue="true")
    for group in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId=group,
                         MessageDeduplicationId="same")
    assert [e["group_id"] for _, _, e in story(cloud)] == ["a"]


def test_whoever_sends_it_is_recorded(cloud, sqs):
    url = make(sqs, "q")
    sns, s3, events = boto3.client("sns"), boto3.client("s3"), boto3.client("events")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(sqs, url))
    sns.publish(TopicArn=topic, Message="from SNS")
    s3.create_bucket(Bucket="shop-photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{
        "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn(sqs, url),
        "Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}}]})})
    s3.put_bucket_notification_configuration(Bucket="shop-photos", NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn(sqs, url), "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket="shop-photos", Key="from-s3", Body=b"")
    cloud.runtime.clock.run(60)
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn(sqs, url)}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}])
    cloud.runtime.clock.run(1)
    sent = len(story(cloud, "message.sent"))
    assert sent == held(sqs, url) == 4  # S3 sends a test event of its own
    assert [e["via"] for _, _, e in story(cloud, "message.sent")] == [
        "sns", *["s3"] * (sent - 2), "events"]
    received = [m["MessageId"] for m in sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]
    assert received == [e["message_id"] for _, _, e in story(cloud, "message.sent")]


def test_a_refused_call_records_nothing(cloud, sqs):
    url = make(sqs, "q")
    with pytest.raises(ClientError):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")
    with pytest.raises(ClientError):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=1)
    with pytest.raises(ClientError):
        sqs.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=901)
    assert len(cloud.runtime.trace) == 0


# -- the rules, whatever a consumer does --------------------------------------------------------------

STEPS = st.lists(st.one_of(
    st.tuples(st.just("send"), st.sampled_from([0, 0, 0, 7])),
    st.tuples(st.just("receive"), st.integers(1, 10), st.sampled_from([0, 5, 20, 200])),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("change"), st.integers(0, 5), st.sampled_from([0, 9, 50])),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 7, 20, 61])),
), min_size=5, max_size=30)


class Book:
    """The life of every message as AWS's pages tell it, kept without looking at the trace."""

    def __init__(self, retention, most):
        self.now, self.retention, self.most = 0, retention, most
        self.sent, self.until, self.count, self.dead, self.handles = {}, {}, Counter(), [], {}

    def pass_time(self, seconds):
        self.now += seconds
        for message, at in list(self.sent.items()):
            if self.now >= at + self.retention:
                del self.sent[message]

    def receive(self, wanted):
        """Ids that a receive is to give, and those that it moves away instead."""
        given, moved = [], []
        for message in self.sent:
            if len(given) < wanted and self.until[message] <= self.now:
                (given if self.count[message] < self.most else moved).append(message)
        return given, moved


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_message_is_where_its_story_says(run, steps):
    cloud = run()
    try:
        _live(cloud, boto3.client("sqs"), steps)
    finally:
        cloud.close()


def _live(cloud, sqs, steps):
    dead = make(sqs, "dead", MessageRetentionPeriod=1209600)
    url = make(sqs, "live", MessageRetentionPeriod=60, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 3}))
    book = Book(60, 3)
    for step in steps:
        match step:
            case "send", delay:
                message = sqs.send_message(QueueUrl=url, MessageBody="m",
                                           DelaySeconds=delay)["MessageId"]
                book.sent[message], book.until[message] = book.now, book.now + delay
            case "receive", wanted, timeout:
                given, moved = book.receive(wanted)
                found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=wanted,
                                            VisibilityTimeout=timeout).get("Messages", [])
                assert [m["MessageId"] for m in found] == given
                for message in found:
                    name = message["MessageId"]
                    book.count[name] += 1
                    book.until[name] = book.now + timeout
                    book.handles[name] = message["ReceiptHandle"]
                for name in moved:
                    del book.sent[name]
                    book.dead.append(name)
            case ("delete" | "change"), which, *seconds:
                names = [name for name in book.handles if name in book.sent]
                if not names:
                    continue
                name = names[which % len(names)]
                if seconds:
                    sqs.change_message_visibility(
                        QueueUrl=url, ReceiptHandle=book.handles[name],
                        VisibilityTimeout=seconds[0])
                    book.until[name] = book.now + seconds[0]
                else:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=book.handles[name])
                    del book.sent[name]
            case "wait", seconds:
                cloud.runtime.clock.run(seconds)
                book.pass_time(seconds)
        assert held(sqs, url) == len(book.sent) and held(sqs, dead) == len(book.dead)
    _check(cloud.runtime.trace, arn(sqs, url), held(sqs, url), held(sqs, dead))


def _check(trace, queue, left, dead):
    """Read as a reader would: a message's events are possible in the order in which they stand."""
    state, counts, last = {}, Counter(), 0.0
    for event in trace:
        assert event.at >= last
        last = event.at
        assert event["queue"] == queue
        name, kind = event["message_id"], event.kind.removeprefix("message.")
        counts[kind] += 1
        match kind:
            case "sent":
                assert name not in state
                state[name] = "hidden" if event["delay_seconds"] else "visible"
            case "received":
                assert state[name] == "visible"
                state[name] = "hidden" if event["visibility_timeout"] else "visible"
            case "visibility_changed":
                assert state[name] in ("hidden", "visible")
                state[name] = "hidden" if event["visibility_timeout"] else "visible"
            case "visible":
                assert state[name] == "hidden"
                state[name] = "visible"
            case "redriven":
                assert state[name] == "visible" and event["receive_count"] == 3
                state[name] = "gone"
            case "deleted" | "expired":
                assert state[name] in ("hidden", "visible")
                state[name] = "gone"
    assert counts["sent"] == counts["deleted"] + counts["expired"] + counts["redriven"] + left
    assert counts["redriven"] == dead
