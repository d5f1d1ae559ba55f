"""Asynchronous invocation: 202, tries and waits, ages, throttles, and that no event is lost."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda import Cloud
from minilambda.views.reading import Phase
from minilambda.views.timeline import part

from .conftest import Lab, need_tier

FAILS = "def handler(event, context):\n    print('try')\n    raise ValueError('because')\n"
# Fails as often as the event says; what it remembers is in its environment.
FAILS_AT_FIRST = """
tries = {}
def handler(event, context):
    tries[event["id"]] = tries.get(event["id"], 0) + 1
    if tries[event["id"]] <= event["fails"]:
        raise RuntimeError(tries[event["id"]])
    return {"after": tries[event["id"]]}
"""
NAP = "import time\ndef handler(event, context):\n    time.sleep(event)\n"


_shared = []


def shared(**options):
    """One cloud for many tests, started anew when one of them has started another."""
    if not _shared or not _shared[-1].cloud.is_open or _shared[-1].options != options:
        _shared.append(Lab(Cloud(durations="modelled", sandbox="inline", **options)))
        _shared[-1].options = options
    return _shared[-1]


@pytest.fixture
def quick():
    return shared()


@pytest.fixture(params=["process", "bubblewrap"])
def real(request):
    """A cloud of its own, with processes."""
    need_tier(request.param)
    with Cloud(durations="modelled", sandbox=request.param) as cloud:
        yield Lab(cloud)


def send(lab, name, event=None, **options):
    """Invoke asynchronously; the request's id."""
    reply = lab.client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event),
                              **options)
    assert (reply["StatusCode"], reply["Payload"].read()) == (202, b"")
    assert "FunctionError" not in reply and "LogResult" not in reply and (
        "ExecutedVersion" not in reply)
    return reply["ResponseMetadata"]["RequestId"]


def configure(lab, name, **settings):
    lab.client.put_function_event_invoke_config(FunctionName=name, **settings)


def end(lab, request_id):
    """How an event ended: the one trace event that says it."""
    (found,) = lab.cloud.trace.select("async.ended", request_id=request_id)
    return found["condition"], found["invoke_count"]


def tries(lab, request_id):
    """The instants of all tries, throttled ones too."""
    return [e.at for e in lab.cloud.trace.select("request.accepted", request_id=request_id)]


def total(lab, metric, name):
    now = lab.cloud.now
    found = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=metric, Period=60, Statistics=["Sum"],
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(hours=12), EndTime=now + timedelta(hours=1))
    return sum(point["Sum"] for point in found["Datapoints"])


# -- accepting -----------------------------------------------------------------------------------

def test_202_is_not_done(real):
    name = real.deploy("def handler(event, context):\n    print('did', event)\n")
    request_id = send(real, name, {"n": 1}, LogType="Tail")
    assert real.cloud.trace.select(request_id=request_id)[-1].kind == "async.queued"
    real.cloud.run_until_idle()
    assert end(real, request_id) == ("Success", 1)
    assert f"START RequestId: {request_id} Version: $LATEST" in "".join(real.log_lines(name))
    assert "did {'n': 1}" in "".join(real.log_lines(name))


def test_the_old_operation_still_works(quick):
    name = quick.deploy("def handler(event, context):\n    return event\n")
    reply = quick.client.invoke_async(FunctionName=name, InvokeArgs=b"[1]")
    assert reply["Status"] == 202
    quick.cloud.run_until_idle()
    assert end(quick, reply["ResponseMetadata"]["RequestId"]) == ("Success", 1)


def test_no_client_context_comes_through(quick):
    """AWS page *Invoke*: it is passed on for synchronous invocations only."""
    name = quick.deploy("def handler(event, context):\n    print(context.client_context)\n")
    send(quick, name, ClientContext="e30=")
    quick.cloud.run_until_idle()
    assert "None" in quick.log_lines(name) and "{}" not in quick.log_lines(name)


@pytest.mark.parametrize(("profile", "limit"), [("course", 262144), ("today", 1048576)])
def test_an_event_has_a_size(profile, limit):
    with Cloud(durations="modelled", sandbox="inline", limits=profile) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("def handler(event, context):\n    print(len(event))\n")
        send(lab, name, "x" * (limit - 2))
        with pytest.raises(ClientError) as caught:
            send(lab, name, "x" * (limit - 1))
        assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
        assert caught.value.response["Error"]["Message"] == (
            f"{limit + 1} byte payload is too large for the Event invocation type "
            f"(limit {limit} bytes)")
        with pytest.raises(ClientError, match="RequestEntityTooLarge.*limit 262144 bytes"):
            lab.client.invoke_async(FunctionName=name, InvokeArgs=b'"' + b"x" * 262143 + b'"')
        cloud.run_until_idle()
        assert f"{limit - 2}" in lab.log_lines(name)


def test_what_can_not_be_invoked_is_refused_at_the_door(quick):
    with pytest.raises(ClientError, match="ResourceNotFoundException.*Function not found"):
        send(quick, "nobody")
    name = quick.deploy(FAILS)
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        quick.client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{oops")
    assert not quick.cloud.trace.select("async.queued", function=name)


# -- errors of the function ------------------------------------------------------------------------

def test_three_tries_one_and_two_minutes_after_the_failures(real):
    name = real.deploy(FAILS)
    request_id = send(real, name)
    began = real.cloud.seconds
    real.cloud.run_until_idle()
    trace = real.cloud.trace
    ended = [e.at for e in trace.select("invoke.ended", request_id=request_id)]
    assert tries(real, request_id) == [began, ended[0] + 60, ended[1] + 120]
    assert end(real, request_id) == ("RetriesExhausted", 3)
    assert {e["request_id"] for e in trace.select("invoke.started", function=name)} == {request_id}
    assert sum("START RequestId: " + request_id in line for line in real.log_lines(name)) == 3
    assert real.cloud.seconds == ended[2]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_how_many_retries_can_be_said(quick, retries):
    name = quick.deploy(FAILS)
    configure(quick, name, MaximumRetryAttempts=retries)
    request_id = send(quick, name)
    quick.cloud.run_until_idle()
    assert len(tries(quick, request_id)) == retries + 1
    assert end(quick, request_id) == ("RetriesExhausted", retries + 1)


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_try_that_succeeds_is_the_last(quick, fails):
    name = quick.deploy(FAILS_AT_FIRST)
    request_id = send(quick, name, {"id": 1, "fails": fails})
    quick.cloud.run_until_idle()
    assert len(tries(quick, request_id)) == fails + 1
    assert end(quick, request_id) == ("Success", fails + 1)
    assert total(quick, "AsyncEventsDropped", name) == 0


@pytest.mark.parametrize(("age", "count"), [(60, 1), (90, 2), (170, 2), (300, 3)])
def test_too_old_for_another_try_is_the_end_at_once(quick, age, count):
    """As recorded from AWS: 60 s allow one try, 90 s two."""
    name = quick.deploy(FAILS)
    configure(quick, name, MaximumEventAgeInSeconds=age)
    request_id = send(quick, name)
    quick.cloud.run_until_idle()
    assert end(quick, request_id) == ("RetriesExhausted" if count == 3 else "EventAgeExceeded", count)
    last = quick.cloud.trace.select("invoke.ended", request_id=request_id)[-1]
    assert quick.cloud.seconds == last.at


def test_what_is_set_while_an_event_waits_holds_for_it(quick):
    name = quick.deploy(FAILS)
    request_id = send(quick, name)
    quick.cloud.run(seconds=30)
    configure(quick, name, MaximumRetryAttempts=1)
    quick.cloud.run_until_idle()
    assert end(quick, request_id) == ("RetriesExhausted", 2)


@pytest.mark.parametrize(("source", "kind"), [
    ("import time\ndef handler(e, c):\n    time.sleep(60)\n", "timeout"),
    ("import sys\ndef handler(e, c):\n    sys.exit(1)\n", "crash"),
    ("import nosuchmodule\n", "error"),
])
def test_every_way_to_fail_is_retried(quick, source, kind):
    request_id = send(quick, quick.deploy(source))
    quick.cloud.run_until_idle()
    assert [e["status"] for e in quick.cloud.trace.select(
        "invoke.ended", request_id=request_id)] == [kind] * 3


def test_new_code_serves_the_retry(quick):
    name = quick.deploy(FAILS)
    request_id = send(quick, name)
    quick.cloud.run(seconds=10)
    quick.client.update_function_code(FunctionName=name, ZipFile=quick.archive(
        "def handler(event, context):\n    return 'mended'\n"))
    quick.cloud.run_until_idle()
    assert end(quick, request_id) == ("Success", 2)


def test_an_alias_is_followed_anew_by_every_try(quick):
    name = quick.deploy(FAILS)
    quick.client.publish_version(FunctionName=name)
    quick.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    request_id = send(quick, name, Qualifier="live")
    quick.cloud.run(seconds=10)
    quick.client.update_function_code(FunctionName=name, ZipFile=quick.archive(
        "def handler(event, context):\n    return 2\n"), Publish=True)
    quick.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    quick.cloud.run_until_idle()
    assert end(quick, request_id) == ("Success", 2)


def test_the_wait_can_be_set():
    with Cloud(durations="modelled", sandbox="inline", async_retry_wait=0.5) as cloud:
        lab = Lab(cloud)
        request_id = send(lab, lab.deploy(FAILS))
        cloud.run_until_idle()
        ended = [e.at for e in cloud.trace.select("invoke.ended", request_id=request_id)]
        assert tries(lab, request_id) == [0, ended[0] + 0.5, ended[1] + 1.0]


@pytest.mark.parametrize("options", [{"async_retry_wait": -1}, {"async_retry_wait": float("nan")},
                                     {"async_duplicates": 1.5}, {"async_duplicates": -0.1}])
def test_arguments_that_make_no_sense(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Cloud(**options)


# -- throttles and faults of the service -------------------------------------------------------------

def backoff(age):
    """The rule: from 1 s doubling to 5 minutes, while the event isn't too old."""
    instants, wait = [0], 1
    while instants[-1] + wait <= age:
        instants.append(instants[-1] + wait)
        wait = min(wait * 2, 300)
    return instants


@pytest.mark.parametrize("age", [21600, 3600, 60])
def test_throttles_wait_longer_and_longer_for_six_hours_or_the_age(quick, monkeypatch, age):
    name = quick.deploy(FAILS)
    if age != 21600:
        configure(quick, name, MaximumEventAgeInSeconds=age)
    monkeypatch.setattr(quick.cloud.frontend.concurrency, "take",
                        lambda *given, **named: "ConcurrentInvocationLimitExceeded")
    request_id, began = send(quick, name), quick.cloud.seconds
    quick.cloud.run_until_idle()
    # (seconds on a clock that doesn't begin at 0 are rounded)
    assert [round(at - began, 6) for at in tries(quick, request_id)] == backoff(age)
    assert end(quick, request_id) == ("EventAgeExceeded", 0)
    assert total(quick, "Throttles", name) == len(backoff(age))
    assert total(quick, "AsyncEventsDropped", name) == 1


def test_throttled_events_run_as_soon_as_there_is_a_place(real):
    name = real.deploy(NAP, Timeout=60)
    real.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    began = real.cloud.seconds
    first, second = send(real, name, 5), send(real, name, 5)
    real.cloud.run_until_idle()
    assert tries(real, first) == [began]
    assert tries(real, second) == [began + wait for wait in (0, 1, 3, 7)]
    assert end(real, first) == end(real, second) == ("Success", 1)


def test_a_throttle_uses_up_no_retry(quick):
    name = quick.deploy(FAILS)
    quick.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    stop = quick.cloud.frontend.concurrency
    taken = stop.take(quick.cloud.registry.get(quick.cloud.account_id, "eu-west-2", name))
    request_id = send(quick, name)
    quick.cloud.run(seconds=10)
    assert len(tries(quick, request_id)) == 4  # at 0, 1, 3 and 7 s
    stop.give_back(taken)
    quick.cloud.run_until_idle()
    assert end(quick, request_id) == ("RetriesExhausted", 3)
    assert len(tries(quick, request_id)) == 4 + 3


def test_a_fault_of_the_service_is_tried_again(quick, monkeypatch):
    name = quick.deploy("def handler(event, context):\n    return 1\n")
    placement = quick.cloud.placement
    good = placement.run_steps

    def broken(*given):
        raise OSError("no more processes")
        yield

    monkeypatch.setattr(placement, "run_steps", broken)
    request_id = send(quick, name)
    quick.cloud.run(seconds=2)
    monkeypatch.setattr(placement, "run_steps", good)
    quick.cloud.run_until_idle()
    retried = quick.cloud.trace.select("async.retried", function=name)
    assert [(e["reason"], e["wait"]) for e in retried] == [("system", 1), ("system", 2)]
    assert len(tries(quick, request_id)) == 3 and end(quick, request_id) == ("Success", 1)
    assert quick.cloud.frontend.concurrency.running(quick.cloud.account_id, "eu-west-2") == 0


def test_no_reserved_concurrency_is_the_end_without_a_try(quick):
    name = quick.deploy(FAILS)
    waiting = send(quick, name)
    quick.cloud.run(seconds=5)
    quick.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    request_id = send(quick, name)
    quick.cloud.run_until_idle()
    assert tries(quick, request_id) == [] and end(quick, request_id) == (
        "ZeroReservedConcurrency", 0)
    assert end(quick, waiting) == ("ZeroReservedConcurrency", 1)
    assert total(quick, "AsyncEventsDropped", name) == 2 and total(quick, "Throttles", name) == 0


def test_a_function_deleted_meanwhile(quick):
    name = quick.deploy(FAILS)
    request_id = send(quick, name)
    quick.cloud.run(seconds=5)
    quick.client.delete_function(FunctionName=name)
    quick.cloud.run_until_idle()
    assert len(tries(quick, request_id)) == 1 and end(quick, request_id) == ("RetriesExhausted", 3)
    assert [e["reason"] for e in quick.cloud.trace.select("async.retried", function=name)] == [
        "error", "not-found"]


def test_metrics(quick):
    name = quick.deploy(FAILS_AT_FIRST)
    for number, fails in enumerate([0, 1, 9]):
        send(quick, name, {"id": number, "fails": fails})
        quick.cloud.run_until_idle()  # one at a time: one environment remembers all
    assert total(quick, "AsyncEventsReceived", name) == 3
    assert total(quick, "AsyncEventsDropped", name) == 1
    assert total(quick, "Invocations", name) == 1 + 2 + 3 and total(quick, "Errors", name) == 0 + 1 + 3
    ages = [e["age_ms"] for e in quick.cloud.trace.select("async.taken", function=name)]
    assert total(quick, "AsyncEventAge", name) == pytest.approx(sum(ages)) and max(ages) > 180_000


# -- at least once -----------------------------------------------------------------------------------

def test_the_queue_may_deliver_twice():
    with Cloud(durations="modelled", sandbox="inline", async_duplicates=0.25, seed=3) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("def handler(event, context):\n    return event\n")
        sent = [send(lab, name, n) for n in range(80)]
        cloud.run_until_idle()
        twice = [e["request_id"] for e in cloud.trace.select("async.duplicated")]
        assert 8 < len(twice) < 35 and len(set(twice)) == len(twice) and set(twice) < set(sent)
        ended = cloud.trace.select("async.ended")
        assert sorted(e["request_id"] for e in ended if not e["copy"]) == sorted(sent)
        assert sorted(e["request_id"] for e in ended if e["copy"]) == sorted(twice)
        assert len(cloud.trace.select("invoke.started")) == len(sent) + len(twice)


# -- with everything else --------------------------------------------------------------------------

RECURSIVE = """
import boto3, json
def handler(event, context):
    if event:
        reply = boto3.client("lambda").invoke(
            FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps(event - 1))
        return reply["ResponseMetadata"]["RequestId"], reply["StatusCode"]
"""


@pytest.mark.parametrize("tier", ["inline", "process", "bubblewrap"])
def test_a_function_invokes_itself(tier):
    need_tier(tier)
    with Cloud(durations="modelled", sandbox=tier) as cloud:
        lab = Lab(cloud)
        name = lab.deploy(RECURSIVE, Timeout=30)
        lab.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
        child, status = lab.invoke(name, 3).value
        assert status == 202
        cloud.run_until_idle()
        queued = [e["request_id"] for e in cloud.trace.select("async.queued")]
        assert len(queued) == 3 and queued[0] == child
        assert [end(lab, request_id)[0] for request_id in queued] == ["Success"] * 3
        assert len(cloud.trace.select("invoke.ended", function=name)) == 4


def test_many_callers_at_one_instant(fresh):
    name = fresh.deploy(NAP)
    with fresh.cloud.hold(20), ThreadPoolExecutor(20) as callers:
        ids = list(callers.map(lambda n: send(fresh, name, n / 10), range(20)))
    assert len(set(ids)) == 20
    fresh.cloud.run_until_idle()
    assert {end(fresh, request_id) for request_id in ids} == {("Success", 1)}


def test_callers_by_appointment(fresh):
    name = fresh.deploy("def handler(event, context):\n    return event\n")
    client = boto3.session.Session().client("lambda", config=Config(max_pool_connections=50))
    client.meta.events.register("before-send.lambda.Invoke", lambda request, **_:
                                request.headers.__setitem__("X-Minilambda-Appointment", "t"))
    pool, answers = ThreadPoolExecutor(20), []

    def come(callers):
        answers.extend(pool.submit(client.invoke, FunctionName=name, InvocationType="Event")
                       for _ in range(callers))

    appointments = fresh.cloud.appoint("t", [(1.0, 5), (2.0, 3)], come)
    fresh.cloud.run(seconds=10)
    assert [a.result(60)["StatusCode"] for a in answers] == [202] * 8 and appointments.over
    assert [e.at for e in fresh.cloud.trace.select("async.queued")] == [1.0] * 5 + [2.0] * 3
    assert len(fresh.cloud.trace.select("async.ended")) == 8


@pytest.mark.parametrize("ended", ["close", "reset"])
@pytest.mark.parametrize("cranked", [False, True])
def test_a_cloud_ends_with_events_in_its_queue(ended, cranked):
    with Cloud(durations="modelled") as cloud:
        lab = Lab(cloud)
        name = lab.deploy(FAILS)
        lab.invoke(name)
        for _ in range(5):
            send(lab, name)
        if cranked:
            cloud.run(seconds=70)
        getattr(cloud, ended)()
        if ended == "reset":
            cloud.run(hours=1)
            assert not [e for e in cloud.trace if e.kind.startswith("async.")]
            lab = Lab(cloud)
            request_id = send(lab, lab.deploy(FAILS))
            cloud.run_until_idle()
            assert end(lab, request_id) == ("RetriesExhausted", 3)


def test_an_empty_queue_is_nothing_on_the_clock(quick, monkeypatch):
    name = quick.deploy(FAILS)
    send(quick, name)
    quick.cloud.run(hours=1)
    steps = []
    monkeypatch.setattr(quick.cloud.clock._sim, "step", lambda: steps.append(1))
    began = quick.cloud.seconds
    quick.cloud.run(hours=6)
    assert steps == [] and quick.cloud.seconds == began + 6 * 3600


def test_a_wall_clock_keeps_time_too():
    with Cloud(clock="wall", sandbox="inline", durations="modelled", async_retry_wait=0.2) as cloud:
        lab = Lab(cloud)
        request_id = send(lab, lab.deploy(FAILS))
        cloud.run_until_idle()
        at, ended = tries(lab, request_id), cloud.trace.select("invoke.ended", request_id=request_id)
        assert len(at) == 3 and at[1] - ended[0].at >= 0.2 and at[2] - ended[1].at >= 0.4
        assert end(lab, request_id) == ("RetriesExhausted", 3)


# -- the same every time ---------------------------------------------------------------------------

STORY = f"""
import json, sys
import boto3
from minilambda import Cloud
from tests.runtime.conftest import Lab
def tell(tier):
    with Cloud(durations="modelled", sandbox=tier, seed=5, async_duplicates=0.2) as cloud:
        lab = Lab(cloud)
        url = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        boto3.client("iam").attach_role_policy(
            RoleName="role", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
        names = [lab.deploy(source, Timeout=30, DeadLetterConfig={{
            "TargetArn": "arn:aws:sqs:eu-west-2:123456789012:q"}})
            for source in ({FAILS!r}, {FAILS_AT_FIRST!r}, {RECURSIVE!r})]
        lab.client.put_function_concurrency(FunctionName=names[1], ReservedConcurrentExecutions=2)
        for n in range(6):
            lab.client.invoke(FunctionName=names[0], InvocationType="Event")
            lab.client.invoke(FunctionName=names[1], InvocationType="Event",
                              Payload=json.dumps({{"id": n, "fails": n % 4}}))
            lab.client.invoke(FunctionName=names[2], InvocationType="Event", Payload=str(n % 3))
            cloud.run(seconds=7)
        cloud.run_until_idle()
        return [(e.at, e.kind, e.function, e.environment, sorted((k, v) for k, v in e.data.items()))
                for e in cloud.trace]
"""


def test_the_same_seed_gives_the_same_trace_in_two_processes():
    script = STORY + "\nfor event in tell('process'): print(event)\n"
    told = [subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout
            for _ in range(2)]
    assert told[0] == told[1] and told[0].count(b"async.ended") > 18


def test_the_same_story_in_every_tier():
    scope = {}
    exec(STORY, scope)

    def told(tier):  # memory isn't measured inline, and a log names this machine's Python
        return [(*e[:4], [d for d in e[4] if d[0] != "max_memory_used"])
                for e in scope["tell"](tier) if e[1] != "log.line"]

    assert told("inline") == told("process")


def test_a_picture_of_one_request_shows_all_its_tries(quick):
    name = quick.deploy(FAILS)
    request_id = send(quick, name)
    quick.cloud.run(seconds=30)
    quick.client.invoke(FunctionName=name)  # another's, in the same environment: not in the picture
    quick.cloud.run_until_idle()
    (lane,) = part(quick.cloud.trace, quick.cloud.seconds, request_id).lanes
    assert [s.phase for s in lane.segments].count(Phase.INVOKE) == 3
    assert lane.segments[0].phase is Phase.INIT
    started = quick.cloud.trace.select("invoke.started", request_id=request_id)
    assert [s.start for s in lane.segments if s.phase is Phase.INVOKE] == [e.at for e in started]
