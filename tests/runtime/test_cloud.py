"""The on-switch: what it sets, what it puts back, and one clock for everything."""

import os
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from minilambda import Cloud

from .conftest import Lab

ROOT = Path(__file__).parents[2]


def test_it_starts_and_closes_and_leaves_the_process_as_it_was(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://sqs.example.com")
    before = dict(os.environ)
    with Cloud() as cloud:
        assert "AWS_PROFILE" not in os.environ and os.environ["AWS_SECRET_ACCESS_KEY"] != "real"
        assert boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"].startswith(
            cloud.endpoint_url)
        assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert boto3.session.Session().region_name == "eu-west-2"
    assert dict(os.environ) == before


def test_without_the_override_a_call_fails_at_once(fresh, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    began = time.monotonic()
    with pytest.raises(BotoCoreError, match="stopped a request to .*amazonaws.com"):
        boto3.client("lambda").list_functions()
    assert time.monotonic() - began < 5


def test_a_second_cloud_replaces_the_first():
    first = Cloud(durations="modelled")
    boto3.client("s3").create_bucket(
        Bucket="left", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    second = Cloud(durations="modelled")
    try:
        assert boto3.client("s3").list_buckets()["Buckets"] == []
        assert "closed" in repr(first)
        with pytest.raises(RuntimeError, match="this cloud is closed: start a new one"):
            first.run(minutes=1)
        first.close()  # harmless, and doesn't touch the second
        assert Lab(second).run("def handler(e, c): return 'second'\n").value == "second"
    finally:
        second.close()


def test_port_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken"):
            Cloud(port=port)
    with Cloud(port=port) as cloud:  # and nothing was left half started
        assert cloud.endpoint_url.endswith(f":{port}")


@pytest.mark.parametrize(("arguments", "message"), [
    ({"clock": "sundial"}, "clock must be 'virtual' or 'wall', not 'sundial'"),
    ({"durations": "guessed"}, "durations must be 'measured' or 'modelled'"),
    ({"limits": "2019"}, "2019"),
    ({"sandbox": "docker"}, "sandbox must be"),
    ({"speed": 2.0}, "speed is for the wall clock"),
    ({"clock": "wall", "speed": 0.0}, "speed must be greater than 0"),
    ({"start": datetime(2020, 1, 1)}, "aware datetime"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Cloud(**arguments)


def test_moto_reads_the_same_clock(fresh):
    cloud = fresh.cloud
    assert cloud.now == datetime(2020, 3, 2, 9, 0, tzinfo=UTC)
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    cloud.run(seconds=31)
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    assert cloud.now == datetime(2020, 3, 2, 9, 0, 31, tzinfo=UTC)
    with pytest.raises(ValueError, match="only moves forward"):
        cloud.run(minutes=-1)


def test_metrics_are_in_cloudwatch(fresh):
    name = fresh.deploy("def handler(e, c):\n    if e: raise ValueError(e)\n")
    for event in (None, "no", None, "no"):
        fresh.invoke(name, event)
    cloudwatch = boto3.client("cloudwatch")

    def total(metric, dimensions):
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=dimensions, Period=3600,
            StartTime=fresh.cloud.now - timedelta(hours=1),
            EndTime=fresh.cloud.now + timedelta(hours=1), Statistics=["Sum"])
        return sum(point["Sum"] for point in found["Datapoints"])

    mine = [{"Name": "FunctionName", "Value": name}]
    assert total("Invocations", mine) == 4
    assert total("Errors", mine) == 2
    assert total("Errors", []) == 2
    assert total("Duration", mine) == pytest.approx(4 * 1.4)


def test_an_idle_environment_expires(fresh):
    name = fresh.deploy("def handler(e, c): return 1\n")
    fresh.invoke(name)
    fresh.cloud.run_until_idle()
    assert fresh.cloud.now < datetime(2020, 3, 2, 9, 1, tzinfo=UTC)  # doesn't wait for that
    fresh.cloud.run(minutes=9)
    fresh.invoke(name)
    assert len(fresh.environments(name)) == 1
    fresh.cloud.run(minutes=11)
    ended = fresh.cloud.trace.select("environment.shutdown", function=name)
    assert [event["reason"] for event in ended] == ["expired"]
    fresh.invoke(name)
    assert len(fresh.environments(name)) == 2


def test_many_callers_at_once_scale_out(fresh):
    name = fresh.deploy("import time\ndef handler(e, c):\n    time.sleep(1)\n    return e\n")
    with fresh.cloud.hold(8), ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda n: fresh.invoke(name, n).value, range(8)))
    assert values == list(range(8))
    assert len(fresh.environments(name)) == 8
    fresh.invoke(name)
    assert len(fresh.environments(name)) == 8


def test_account_concurrency_throttles(fresh):
    fresh.cloud.frontend.concurrency.limit = 2
    name = fresh.deploy("import time\ndef handler(e, c):\n    time.sleep(1)\n")
    once = boto3.client("lambda", config=boto3.session.Config(retries={"total_max_attempts": 1}))

    def call(_):
        try:
            return once.invoke(FunctionName=name)["StatusCode"]
        except once.exceptions.TooManyRequestsException as error:
            return error.response["Error"]["Message"], error.response["Reason"]

    with fresh.cloud.hold(3), ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(call, range(3)))
    assert sorted(map(str, replies)) == [
        "('Rate Exceeded.', 'ConcurrentInvocationLimitExceeded')", "200", "200"]
    assert call(0) == 200  # places are given back


def test_held_callers_go_in_when_the_hold_ends(fresh):
    name = fresh.deploy("def handler(e, c): return 'in'\n")
    with ThreadPoolExecutor(1) as pool:
        with fresh.cloud.hold(5):
            waiting = pool.submit(fresh.invoke, name)
            time.sleep(0.2)
            assert not waiting.done()
        assert waiting.result(10).value == "in"
    with pytest.raises(ValueError, match="at least 1"), fresh.cloud.hold(0):
        pass


def test_measured_durations_follow_cpu_time_and_memory():
    source = """
        import time
        def handler(event, context):
            began = time.process_time()
            while time.process_time() - began < 0.2:
                pass
    """
    with Cloud(limits="course") as cloud:
        lab = Lab(cloud)
        durations = {}
        for memory in (256, 1792):
            name = lab.deploy(source, MemorySize=memory, Timeout=60)
            lab.invoke(name)
            ended = cloud.trace.select("invoke.ended", function=name)[-1]
            durations[memory] = ended["duration_ms"]
    assert 190 < durations[1792] < 300  # a whole vCPU: as long as it computed
    assert durations[256] == pytest.approx(7 * durations[1792], rel=0.2)


def test_wall_clock_runs_in_real_time():
    with Cloud(clock="wall", speed=10) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("import time\ndef handler(e, c):\n    time.sleep(3)\n    return e\n",
                          Timeout=10)
        began = time.monotonic()
        assert lab.invoke(name, "ok").value == "ok"
        assert 0.29 < time.monotonic() - began < 3
        late = lab.deploy("import time\ndef handler(e, c):\n    time.sleep(30)\n", Timeout=5)
        began = time.monotonic()
        assert "timed out after 5.00 seconds" in lab.invoke(late).value["errorMessage"]
        assert 0.49 < time.monotonic() - began < 3


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {root!r})
from concurrent.futures import ThreadPoolExecutor
from minilambda import Cloud
from tests.runtime.conftest import Lab
with Cloud(durations="modelled", seed=7) as cloud:
    lab = Lab(cloud)
    name = lab.deploy('''
import random, time
random.seed(0)
def handler(event, context):
    print("working on", event)
    time.sleep(event / 10)
    if event % 5 == 4: raise ValueError(event)
    return event
''')
    with cloud.hold(12), ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: lab.invoke(name, n), range(12)))
    for n in range(5):
        lab.invoke(name, n)
    print(hashlib.sha256(repr([(e.at, e.kind, e.environment, dict(e.data))
                               for e in cloud.trace]).encode()).hexdigest())
"""


def test_the_same_seed_gives_the_same_trace_in_two_processes():
    runs = [subprocess.run([sys.executable, "-c", SCRIPT.format(root=str(ROOT))], text=True,
                           capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1] and len(runs[0].strip()) == 64


def test_closing_while_a_function_runs_ends_everything():
    script = textwrap.dedent(f"""
        import sys, threading, time
        sys.path.insert(0, {str(ROOT)!r})
        from minilambda import Cloud
        from tests.runtime.conftest import Lab
        cloud = Cloud(durations="modelled")
        lab = Lab(cloud)
        name = lab.deploy("def handler(e, c):\\n    while True: pass\\n", Timeout=60)
        def call():
            try:
                lab.client.invoke(FunctionName=name)
            except Exception as error:
                print(type(error).__name__)
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        time.sleep(0.7)
        began = time.monotonic()
        cloud.close()
        print(time.monotonic() - began < 5)
    """)
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True,
                          timeout=60)
    assert "True" in done.stdout, done.stderr


def test_what_isn_t_there_says_so_at_once(fresh):
    name = fresh.deploy("x = 1\n")
    fresh.client.update_function_configuration(FunctionName=name, Runtime="java11")
    asks = [
        lambda: fresh.client.invoke(FunctionName=name),
        lambda: fresh.client.list_capacity_providers(),
        lambda: boto3.client("lexv2-runtime").recognize_text(
            botId="abcdefghij", botAliasId="a", localeId="en_GB", sessionId="ab", text="hello"),
    ]
    for ask in asks:
        began = time.monotonic()
        with pytest.raises(ClientError, match="minilambda doesn't implement") as refused:
            ask()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert time.monotonic() - began < 2


THREADS = {
    "sleep": """
        import time
        from concurrent.futures import ThreadPoolExecutor
        def handler(event, context):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(time.sleep, [1] * 4))
    """,
    "call AWS": """
        import boto3
        from concurrent.futures import ThreadPoolExecutor
        s3 = boto3.client("s3")
        def handler(event, context):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda _: s3.list_buckets(), range(4)))
    """,
}


@pytest.mark.parametrize("durations", ["measured", "modelled"])
@pytest.mark.parametrize("what", THREADS)
def test_threads_of_a_handler_wait_side_by_side(what, durations):
    with Cloud(durations=durations) as cloud:
        lab = Lab(cloud)
        name = lab.deploy(THREADS[what], Timeout=10, MemorySize=1792)
        began = time.monotonic()
        for _ in range(4):
            assert lab.invoke(name).error is None
            spent = cloud.trace.select("invoke.ended")[-1]["duration_ms"]
            if what == "sleep":
                assert 1000 <= spent < 1100
            else:
                assert 25 <= spent < 4 * 25 + 300
        assert time.monotonic() - began < 20


def test_init_has_a_whole_processor():
    source = """
        import time
        began = time.process_time()
        while time.process_time() - began < 0.2:
            pass
        def handler(event, context): pass
    """
    with Cloud() as cloud:
        lab = Lab(cloud)
        lab.run(source, MemorySize=128, Timeout=60)
        ended = cloud.trace.select("init.ended")[-1]
    assert 190 < ended["duration_ms"] < 600  # on its memory's share it would be 2.8 s


def test_too_few_callers_are_told_so(fresh, monkeypatch):
    monkeypatch.setattr("minilambda.frontend.GATHER_SECONDS", 0.3)
    name = fresh.deploy("def handler(e, c): return 'in'\n")
    with fresh.cloud.hold(3), pytest.raises(ClientError, match="only 1 of 3 came"):
        fresh.client.invoke(FunctionName=name)
    assert fresh.invoke(name).value == "in"


def test_clients_of_the_last_cloud_reach_the_next():
    with Cloud(durations="modelled"):
        client = boto3.client("lambda")
    with Cloud(durations="modelled") as cloud:
        name = Lab(cloud).deploy("def handler(e, c): return 'again'\n")
        assert client.invoke(FunctionName=name)["Payload"].read() == b'"again"'
