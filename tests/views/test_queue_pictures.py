"""views.messages, views.queue_depth and the data behind them, on a real cloud."""

import json
from types import SimpleNamespace

import boto3
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilambda
from minilambda import views
from minilambda.trace import Trace
from minilambda.views import queues
from minilambda.views.queues import State


@pytest.fixture(scope="module")
def shop():
    """Five messages: two deleted at once, one late and deleted, one twice, one dead."""
    with minilambda.Cloud(durations="modelled", sandbox="inline") as cloud:
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"][
            "QueueArn"]
        url = sqs.create_queue(QueueName="orders", Attributes={
            "VisibilityTimeout": "30",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})})[
                "QueueUrl"]

        def receive(keep):
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for message in found[keep:]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

        for body in "abcd":
            sqs.send_message(QueueUrl=url, MessageBody=body)
        sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=20)
        cloud.run(seconds=1)
        receive(keep=2)
        cloud.run(seconds=31)
        receive(keep=1)
        cloud.run(seconds=31)
        receive(keep=0)
        cloud.run(seconds=7)
        yield SimpleNamespace(cloud=cloud, url=url, dead=dead, arn=arn.replace("dead", "orders"),
                              clock=cloud.clock, trace=cloud.trace)


def words(figure):
    return figure.layout.meta["sentence"]


def rows(figure):
    return [tuple(row) for row in figure.layout.meta["rows"]]


def drawn(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


# -- lives --------------------------------------------------------------------------------------------


def test_the_stretches_of_a_message_follow_one_another(shop):
    first = queues.lives(shop.trace, "orders")[0]
    assert [(s.state, s.start, s.end) for s in first.stretches] == [
        (State.VISIBLE, 0, 1), (State.IN_FLIGHT, 1, 31), (State.VISIBLE, 31, 32),
        (State.IN_FLIGHT, 32, 62), (State.VISIBLE, 62, 63)]
    assert [s.receive_count for s in first.receives] == [1, 2]
    assert first.end.kind == "message.redriven"


def test_in_its_dead_letter_queue_it_came_by_moving(shop):
    [life] = queues.lives(shop.trace, "dead")
    assert life.came.kind == "message.redriven" and not life.receives and life.end is None
    assert [(s.start, s.end) for s in life.stretches] == [(63, None)]


def test_a_queue_goes_by_its_name_its_url_and_its_arn(shop):
    by = [len(queues.lives(shop.trace, name)) for name in ("orders", shop.url, shop.arn)]
    assert by == [5, 5, 5]


@pytest.mark.parametrize("make", [views.messages, views.queue_depth])
def test_a_queue_without_messages_is_an_error_in_words(shop, make):
    with pytest.raises(ValueError, match="no message has been in queue 'nope'.*orders, dead"):
        make(shop, "nope")
    with pytest.raises(ValueError, match="yet: send one first"):
        make(SimpleNamespace(trace=Trace(), clock=shop.clock), "orders")


def test_two_queues_of_one_name_must_be_told_apart():
    trace = Trace()
    for region in ("eu-west-1", "eu-west-2"):
        trace.append(0, "message.sent", "", queue=f"arn:aws:sqs:{region}:1:q", message_id=region,
                     delay_seconds=0, group_id=None, via="sqs")
    with pytest.raises(ValueError, match="several queues are named 'q': give one's ARN"):
        queues.lives(trace, "q")
    assert len(queues.lives(trace, "arn:aws:sqs:eu-west-1:1:q")) == 1


# -- the picture of messages -----------------------------------------------------------------------------


def test_messages_says_what_became_of_them(shop):
    figure = views.messages(shop, "orders")
    assert words(figure).startswith("5 messages in queue orders: 4 deleted and 1 moved to the DLQ."
                                    " 2 received more than once.")
    first = [row[1:4] for row in rows(figure) if row[0].startswith("1: ")]
    assert first == [
        ("sent", "0 ms", ""), ("waiting, visible", "0 ms", "1 s"),
        ("received (1st time), invisible", "1 s", "31 s"), ("waiting, visible", "31 s", "32 s"),
        ("received (2nd time), invisible", "32 s", "1 min 2 s"),
        ("waiting, visible", "1 min 2 s", "1 min 3 s"), ("moved to dead", "1 min 3 s", "")]
    assert len(drawn(figure, "deleted").x) == 4
    assert list(drawn(figure, "received (which time)").text).count("2") == 2
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len({bar.marker.pattern.shape for bar in bars}) == len(bars) == 3


def test_without_a_queue_a_row_goes_on_in_the_dead_letter_queue(shop):
    figure = views.messages(shop)
    assert "4 deleted and 1 still there" in words(figure)
    assert "1 went to a dead-letter queue" in words(figure)
    assert any("in queue dead" in text for text in drawn(figure, "waiting, visible").hovertext)


def test_only_messages_since_an_instant(shop):
    with pytest.raises(ValueError, match="since 1 s"):
        views.messages(shop, "orders", since=1)


def test_a_thousand_messages_are_cut_and_said_so():
    trace = Trace()
    for n in range(1000):
        trace.append(n / 10, "message.sent", "", queue="arn:aws:sqs:eu-west-2:1:q",
                     message_id=f"{n:08}", delay_seconds=0, group_id=None, via="sqs")
    figure = views.messages(SimpleNamespace(trace=trace, clock=SimpleNamespace(seconds=100.0)))
    assert "The first 60 of 1,000 are shown" in words(figure)
    assert len(drawn(figure, "waiting, visible").x) == 60


# -- depth and age ---------------------------------------------------------------------------------------


def test_depth_at_every_instant(shop):
    found = queues.depth(shop.trace, "orders")
    assert [(d.at, d.visible, d.in_flight, d.delayed) for d in found] == [
        (0, 4, 0, 1), (1, 0, 2, 1), (20, 1, 2, 1 - 1), (31, 3, 0, 0), (32, 0, 1, 0),
        (62, 1, 0, 0), (63, 0, 0, 0)]


def test_age_of_the_oldest(shop):
    assert queues.oldest(shop.trace, "orders", 70.0) == [
        (0, 0), (63, 63), (63, 0), (70, 0)]
    assert queues.oldest(shop.trace, "dead", 70.0) == [(63, 0), (70, 7)]


def test_queue_depth_is_drawn_to_scale(shop):
    figure = views.queue_depth(shop, "orders")
    assert words(figure) == ("Queue orders held 5 messages at the most; its oldest was 1 min 3 s old"
                             " at the most. It is empty now.")
    assert figure.layout.xaxis.title.text == "s since the cloud's start"
    assert list(drawn(figure, "in flight").y)[:3] == [0, 2, 2]
    shapes = [t.fillpattern.shape for t in figure.data if t.stackgroup]
    assert len(set(shapes)) == len(shapes) == 3
    assert rows(figure)[1] == ("1 s", "0", "2", "1", "1 s")
    assert words(views.queue_depth(shop, "dead")).endswith("Now it holds 1 message visible.")


def test_many_instants_are_thinned_and_keep_the_peak():
    trace = Trace()
    for n in range(5000):
        trace.append(n / 100, "message.sent", "", queue="arn:aws:sqs:eu-west-2:1:q",
                     message_id=str(n), delay_seconds=0, group_id=None, via="sqs")
    figure = views.queue_depth(SimpleNamespace(trace=trace, clock=SimpleNamespace(seconds=50.0)),
                               "q")
    [line] = [t for t in figure.data if t.stackgroup]
    assert len(line.x) <= 601 and max(line.y) == 5000
    assert len(pio.to_json(figure)) < 60_000


@pytest.mark.parametrize("make", [views.messages, views.queue_depth])
def test_the_same_trace_gives_the_same_bytes(shop, make):
    assert pio.to_json(make(shop, "orders")) == pio.to_json(make(shop, "orders"))


STAYS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=12)


@given(STAYS)
def test_depth_and_age_agree_with_counting(stays):
    """Against the definition, at every half second: how many are there, and since when."""
    trace, events = Trace(), []
    for n, (came, length) in enumerate(stays):
        events += [(came, n, "message.sent", {"delay_seconds": 0, "group_id": None, "via": "sqs"}),
                   (came + length, n, "message.deleted", {"receive_count": 0, "reason": "deleted"})]
    for at, n, kind, data in sorted(events, key=lambda e: e[0]):
        trace.append(at, kind, "", queue="arn:aws:sqs:eu-west-2:1:q", message_id=str(n), **data)
    steps, ages = queues.depth(trace, "q"), queues.oldest(trace, "q", 120.0)
    for at in (n + 0.5 for n in range(110)):
        there = [came for came, length in stays if came <= at < came + length]
        assert next((s.total for s in reversed(steps) if s.at <= at), 0) == len(there)
        if at >= ages[0][0]:
            (a, first), (b, last) = next(
                pair for pair in zip(ages, ages[1:], strict=False) if pair[0][0] <= at < pair[1][0])
            age = first + (last - first) * (at - a) / (b - a)
            assert age == pytest.approx(at - min(there) if there else 0)
