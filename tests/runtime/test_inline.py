"""The inline tier: the whole engine with no thread, process or socket."""

import os
import socket
import subprocess
import threading
import time
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

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
    ("def handler(e, c):\n    yield 1\n", {}),
    ("def handler(e, c):\n    a = []\n    a.append(a)\n    return a\n", {}),
    ("def handler(e, c):\n    return '\\ud83d é'\n", {}),
    ("def handler(e, c):\n    return b'[1]'\n", {}),
    ("from decimal import Decimal\ndef handler(e, c):\n    return Decimal('1.10')\n", {}),
    ("def handler(e, c):\n    raise KeyboardInterrupt\n", {}),
    ("import sys\ndef handler(e, c):\n    sys.exit('bye')\n", {}),
    ("import sys\nsys.exit(4)\n", {}),
    ("import time\ntime.sleep(12)\ndef handler(e, c):\n    return 'late'\n", {"Timeout": 20}),
    ("import time\ntime.sleep(12)\ndef handler(e, c):\n    return 'never'\n", {"Timeout": 5}),
    ("import time\ndef handler(e, c):\n    return time.time(), c.get_remaining_time_in_millis()\n",
     {}),
    ("import open_sesame_not_there.deeper\n", {}),
    ("def handler(e, c):\n    def deep(n): raise RuntimeError(n)\n    deep(1)\n", {}),
    ("import logging\nlogging.getLogger().setLevel('INFO')\n"
     "def handler(e, c):\n    logging.info('logged %s', e)\n    print('printed')\n", {}),
    ("import os\ndef handler(e, c):\n    return {n: v for n, v in os.environ.items() if n in ("
     "'TZ', 'LANG', '_X_AMZN_TRACE_ID', 'AWS_XRAY_CONTEXT_MISSING', 'AWS_LAMBDA_LOG_STREAM_NAME')}\n",
     {}),
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


def test_every_part_of_the_api_does_without(bare):
    """Code from S3, updates, layers and their permissions, limits, logs, metrics, DryRun, tags."""
    with Cloud(durations="modelled", sandbox="inline", limits="today") as cloud:
        lab, s3 = Lab(cloud), boto3.client("s3")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={
            "LocationConstraint": "eu-west-2"})
        s3.put_object(Bucket="code", Key="one.zip",
                      Body=lab.archive("def handler(e, c): return 'one'\n"))
        lab.client.create_function(
            FunctionName="stored", Runtime="python3.8", Role=lab.role, Handler="app.handler",
            Code={"S3Bucket": "code", "S3Key": "one.zip"}, Tags={"a": "b"})
        lab.client.get_waiter("function_active_v2").wait(FunctionName="stored")
        assert lab.invoke("stored").value == "one"
        lab.client.update_function_code(
            FunctionName="stored", ZipFile=lab.archive("def handler(e, c): return 'two'\n"))
        lab.updated("stored")
        assert lab.invoke("stored").value == "two"
        lab.client.update_function_configuration(
            FunctionName="stored", MemorySize=256, EphemeralStorage={"Size": 1024})
        found = lab.client.get_function(FunctionName="stored")
        assert found["Configuration"]["MemorySize"] == 256 and found["Tags"] == {"a": "b"}
        assert lab.client.invoke(FunctionName="stored", InvocationType="DryRun")["StatusCode"] == 204
        assert [f["FunctionName"] for f in lab.client.list_functions()["Functions"]] == ["stored"]

        layer = lab.client.publish_layer_version(
            LayerName="shared", Content={"ZipFile": zipped({"python/shared.py": "number = 7"})})
        lab.client.add_layer_version_permission(
            LayerName="shared", VersionNumber=1, StatementId="all", Principal="*",
            Action="lambda:GetLayerVersion")
        assert lab.client.get_layer_version_policy(LayerName="shared", VersionNumber=1)["Policy"]
        user = lab.deploy("import shared\ndef handler(e, c): return shared.number\n",
                          Layers=[layer["LayerVersionArn"]])
        assert lab.invoke(user).value == 7
        lab.client.delete_layer_version(LayerName="shared", VersionNumber=1)

        with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
            lab.invoke("stored", "x" * 6_291_456)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            lab.invoke("nobody")
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            lab.deploy("", Environment={"Variables": {"AWS_REGION": "x"}})
        who = lab.run("import boto3\ndef handler(e, c):\n"
                      "    return boto3.client('sts').get_caller_identity()['Arn']\n").value
        assert ":assumed-role/role/function-" in who

        lines = lab.log_lines("stored")
        assert sum(line.startswith("REPORT") for line in lines) == 2
        sums = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Invocations", Period=60, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": "stored"}],
            StartTime=cloud.now - timedelta(hours=1), EndTime=cloud.now + timedelta(hours=1))
        assert sum(point["Sum"] for point in sums["Datapoints"]) == 2
        lab.client.delete_function(FunctionName="stored")
        cloud.run_until_idle()


def test_a_handler_finds_its_own_paths_and_time_zone(bare):
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        here = time.tzname
        value = lab.run("""
            import mine, time
            def handler(event, context): return mine.here, time.strftime("%Z")
        """, Environment={"Variables": {"TZ": "XST-5"}}).value
        assert value["errorType"] == "Runtime.ImportModuleError"
        lab.client.create_function(
            FunctionName="paths", Runtime="python3.8", Role=lab.role, Handler="app.handler",
            Code={"ZipFile": zipped({
                "app.py": "import mine, time\ndef handler(e, c): return mine.here, time.strftime('%Z')",
                "lib/mine.py": "here = 1"})},
            Environment={"Variables": {"TZ": "XST-5", "PYTHONPATH": "/var/task/lib"}})
        assert lab.invoke("paths").value == [1, "XST"]
        assert time.tzname == here


@pytest.mark.parametrize("sandbox", ["inline", "process"])
def test_a_result_too_big_in_the_same_words(sandbox):
    """Not a part of the story: memory isn't measured inline."""
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        reply = Lab(cloud).run("def handler(e, c): return 'x' * 7_000_000\n")
        assert reply.value == {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
                            "(6291556 bytes)."}
        assert "[ERROR] Function.ResponseSizeTooLarge: Response payload size exceeded" in reply.log
