"""Messages that functions send and receive: recorded with their name, the same in every tier and run."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from minilambda import Cloud

from .conftest import Lab, need_tier

WORKER = """
import boto3

def handler(event, context):
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    if "send" in event:
        for body in event["send"]:
            sqs.send_message(QueueUrl=url, MessageBody=body)
        return None
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in got[event["keep"]:]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in got]
"""


def tell(trace):
    return [(e.at, e.kind, e.function, e.environment, dict(e.data)) for e in trace]


def kinds(trace):
    return [(e.kind.removeprefix("message."), e.function) for e in trace
            if e.kind.startswith("message.")]


def shift(sandbox):
    """A story of a sender, a worker that loses one message, and the notebook."""
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        lab = Lab(cloud)
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})[
            "QueueUrl"]
        for name in ("sender", "worker"):
            lab.deploy(WORKER, name=name, Timeout=30)
        lab.invoke("sender", {"send": ["a", "b"]})
        assert lab.invoke("worker", {"keep": 1}).value == ["a", "b"]
        assert lab.invoke("worker", {"keep": 0}).value == []
        cloud.run(seconds=30)
        assert lab.invoke("worker", {"keep": 1}).value == ["a"]
        sqs.purge_queue(QueueUrl=url)
        return tell(cloud.trace), kinds(cloud.trace)


@pytest.mark.parametrize("tier", ["process", "bubblewrap", "inline"])
def test_the_story_of_two_functions_and_a_queue(tier):
    if tier == "bubblewrap":
        need_tier(tier)
    told, found = shift(tier)
    assert found == [
        ("sent", "sender"), ("sent", "sender"), ("received", "worker"), ("received", "worker"),
        ("deleted", "worker"), ("visible", ""), ("received", "worker"), ("deleted", "")]
    if tier != "process":
        there = shift("process")[0]
        if tier == "inline":  # where memory isn't measured
            told, there = ([e for e in story if e[1] not in ("log.line", "invoke.ended")]
                           for story in (told, there))
        assert told == there


@pytest.mark.parametrize("callers", [8])
def test_calls_of_one_instant_enter_in_one_order(callers):
    """Eight environments send at the same instant, whoever's thread is quicker."""

    def run():
        with Cloud(durations="modelled") as cloud:
            lab = Lab(cloud)
            boto3.client("sqs").create_queue(QueueName="orders")
            lab.deploy(WORKER, name="sender", Timeout=30)

            def call(n):
                lab.invoke("sender", {"send": ["x", "y"]})

            with cloud.hold(callers), ThreadPoolExecutor(callers) as pool:
                list(pool.map(call, range(callers)))
            return tell(cloud.trace)

    first = run()
    assert sum(kind == "message.sent" for _, kind, *_ in first) == 2 * callers
    assert len({at for at, kind, *_ in first if kind == "message.sent"}) == 2
    assert run() == first


def test_a_function_that_invokes_a_function_that_sends(fresh):
    """A call that makes an invocation doesn't keep others from being served meanwhile."""
    boto3.client("sqs").create_queue(QueueName="orders")
    fresh.deploy(WORKER, name="sender", Timeout=30)
    fresh.deploy("""
        import boto3, json
        def handler(event, context):
            answer = boto3.client("lambda").invoke(FunctionName="sender", Payload=json.dumps(event))
            return answer["StatusCode"]
    """, name="outer", Timeout=60)
    assert fresh.invoke("outer", {"send": ["m"]}).value == 200
    assert kinds(fresh.cloud.trace) == [("sent", "sender")]


def test_a_cloud_without_queues_schedules_nothing(fresh):
    fresh.run("def handler(event, context):\n    return 1\n")
    assert not [e for e in fresh.cloud.trace if e.kind.startswith(("message.", "record."))]


def test_what_sns_sends_is_not_the_functions_own_sending(fresh):
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    fresh.run("""
        import boto3
        def handler(event, context):
            boto3.client("sns").publish(TopicArn=event, Message="m")
    """, topic, Timeout=30)
    [sent] = fresh.cloud.trace.select("message.sent")
    assert (sent["via"], sent.function) == ("sns", "function-1")
    assert json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])["Message"] == "m"


def test_a_long_poll_on_the_wall_clock_ends_on_time():
    with Cloud(clock="wall", speed=100.0, durations="modelled", sandbox="inline") as cloud:
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "5"})[
            "QueueUrl"]
        began = cloud.seconds
        assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)
        assert cloud.seconds - began >= 10
        sqs.send_message(QueueUrl=url, MessageBody="m")
        assert sqs.receive_message(QueueUrl=url)["Messages"]
        again = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        assert len(again) == 1
        sent, received, visible, *_ = cloud.trace.select(
            "message.sent", "message.received", "message.visible")
        assert visible.at == pytest.approx(received.at + 5)
