"""The inline tier: the whole engine with no thread, process or socket."""

import os
import socket
import subprocess
import threading

import boto3
import pytest

from minilambda import Cloud

from .conftest import Lab, need_tier
from .layer_files import zipped

STORY = [
    ("def handler(e, c):\n    print('hello', e)\n    return {'got': e}\n", {}),
    ("import time\nprint('init')\ndef handler(e, c):\n    time.sleep(1.5)\n    return e\n", {}),
    ("import time\ndef handler(e, c):\n    print('before')\n    time.sleep(60)\n    print('no')\n", {}),
    ("def handler(e, c):\n    raise ValueError('because')\n", {}),
    ("import nosuchmodule\n", {}),
    ("def handler(e, c)\n    pass\n", {}),
    ("1 / 0\n", {}),
    ("x = 1\n", {}),
    ("import sys\ndef handler(e, c):\n    sys.exit(3)\n", {}),
    ("import sys\nsys.exit(0)\n", {}),
    ("def handler(e, c):\n    return object()\n", {}),
    ("count = 0\ndef handler(e, c):\n    global count\n    count += 1\n    return count\n", {}),
    ("def handler(e, c):\n    return c.get_remaining_time_in_millis(), c.function_name\n",
     {"Timeout": 7}),
    ("import os\ndef handler(e, c):\n    return os.environ['COLOUR'], sorted(os.listdir('.'))\n",
     {"Environment": {"Variables": {"COLOUR": "blue"}}}),
]


def tell(sandbox):
    """Every function of the story, invoked twice: what came back, and what was recorded."""
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        lab, replies = Lab(cloud), []
        for source, configuration in STORY:
            name = lab.deploy(source, **configuration)
            for event in ("first", "second"):
                reply = lab.invoke(name, event)
                replies.append((reply.error, reply.payload, reply.log))
        cloud.run(minutes=20)
        return replies, [(e.at, e.kind, e.environment, dict(e.data)) for e in cloud.trace]


@pytest.fixture
def bare(monkeypatch):
    """A machine without threads, processes and sockets."""

    def refuse(*arguments, **options):
        raise AssertionError("the inline tier must do without")

    for owner, name in [(threading.Thread, "start"), (subprocess, "Popen"), (os, "fork"),
                        (os, "posix_spawn"), (os, "pipe"), (socket, "socket"),
                        (socket, "socketpair"), (socket, "create_connection")]:
        monkeypatch.setattr(owner, name, refuse)


def test_the_same_story_as_in_a_process(bare, monkeypatch):
    inline = tell("inline")
    monkeypatch.undo()
    process = tell("process")
    for mine, theirs in zip(inline[0], process[0], strict=True):
        if b"importlib" not in mine[1]:  # an Init's traceback names this machine's Python
            assert mine == theirs
    assert [e for e in inline[1] if e[1] != "log.line"] == [
        e for e in process[1] if e[1] != "log.line"]


def test_the_same_story_in_both_tiers_of_processes():
    need_tier("bubblewrap")
    replies, trace = tell("process")
    others, other_trace = tell("bubblewrap")
    assert others == replies
    assert other_trace == trace


def test_handlers_reach_aws_and_each_other(bare):
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        boto3.client("sqs").create_queue(QueueName="q")
        lab.deploy("import time\ndef handler(e, c):\n    time.sleep(1)\n    return e * 2\n",
                   name="inner")
        outer = lab.deploy("""
            import json, boto3
            def handler(event, context):
                before = context.get_remaining_time_in_millis()
                url = boto3.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
                boto3.client("sqs").send_message(QueueUrl=url, MessageBody="from inside")
                reply = boto3.client("lambda").invoke(FunctionName="inner", Payload="21")
                return json.load(reply["Payload"]), before - context.get_remaining_time_in_millis()
        """, Timeout=10)
        value, spent = lab.invoke(outer).value
        assert value == 42
        assert spent == 12 + 12 + 110 + 1001 + 8  # two calls of SQS, Init, sleep, Lambda's latency
        url = boto3.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        message = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"][0]
        assert message["Body"] == "from inside"


def test_environments_have_modules_of_their_own(bare):
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        first = lab.deploy("name = 'first'\ndef handler(e, c): return name\n")
        second = lab.deploy("name = 'second'\ndef handler(e, c): return name\n")
        assert [lab.invoke(f).value for f in (first, second, first)] == ["first", "second", "first"]
        before = dict(os.environ)
        lab.invoke(first)
        assert dict(os.environ) == before
        assert "app" not in __import__("sys").modules


def test_modules_of_layers_are_found(bare):
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        arns = [lab.client.publish_layer_version(
            LayerName=f"layer-{number}", Content={"ZipFile": zipped({
                "python/shared.py": f"number = {number}", f"python/only{number}.py": ""})},
        )["LayerVersionArn"] for number in (1, 2)]
        source = "import shared\nprint(shared.__file__)\n" \
                 "def handler(event, context): return shared.number\n"
        for layers, number in ((arns, 2), (arns[::-1], 1), (arns[:1], 1)):
            reply = lab.invoke(lab.deploy(source, Layers=layers))
            assert reply.value == number and "/opt/python/shared.py\n" in reply.log
        assert lab.run(source).value["errorMessage"] == (
            "Unable to import module 'app': No module named 'shared'")
