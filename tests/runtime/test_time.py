"""Time as a Python handler sees it is the cloud's, and waiting costs it."""

import subprocess
import sys
import textwrap

import pytest

TOOK = """
import asyncio, queue, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor

def took(action):
    began = time.monotonic()
    value = action()
    return round(time.monotonic() - began, 3), value
"""


def run(lab, body, **configuration):
    return lab.run(TOOK + textwrap.dedent(body), MemorySize=1024, Timeout=60, **configuration).value


def test_every_clock_reads_the_cloud_s(lab):
    began = lab.cloud.clock.timestamp()
    seen = run(lab, """
        import datetime, logging
        def handler(event, context):
            first = time.monotonic(), time.perf_counter(), time.monotonic_ns(), time.time()
            time.sleep(1.5)
            last = time.monotonic(), time.perf_counter(), time.monotonic_ns(), time.time()
            logging.getLogger().warning("logged")
            utc = datetime.datetime.now(datetime.timezone.utc)
            return {"time": first[3], "ns": time.time_ns(), "passed": [b - a for a, b in zip(first, last)],
                    "now": [str(datetime.datetime.now()), str(datetime.datetime.utcnow()),
                            str(datetime.datetime.today()), str(utc.replace(tzinfo=None))],
                    "today": str(datetime.date.today()), "text": time.strftime("%Y-%m-%d"),
                    "cpu": time.process_time()}
    """)
    assert seen["time"] == pytest.approx(began + 0.11, abs=1e-6)
    assert seen["ns"] / 1e9 == pytest.approx(began + 1.61, abs=1e-6)
    assert seen["passed"][:3] == pytest.approx([1.5, 1.5, 1.5e9])
    instant = lab.cloud.clock.at(began + 1.61 - lab.cloud.clock.start.timestamp())
    assert set(seen["now"]) == {f"{instant:%Y-%m-%d %H:%M:%S.%f}"}
    assert seen["today"] == seen["text"] == seen["now"][0][:10]
    assert 0 < seen["cpu"] < 5


def test_the_clock_is_there_from_the_first_instant(lab):
    """A runtime that is up before anybody has told it the time would count from 1970."""
    for _ in range(10):
        assert 100 <= run(lab, """
            began = time.monotonic()
            def handler(event, context): return began
        """) < 101


def test_dates_stay_dates(lab):
    assert run(lab, """
        import copy, pickle, datetime
        from datetime import date, datetime as dt, timedelta, timezone
        import dateutil.parser
        class Mine(dt): pass
        def handler(event, context):
            now, day = dt.now(), date.today()
            return [isinstance(dt(2020, 1, 1), dt), isinstance(now, date), issubclass(dt, date),
                    not isinstance(day, dt), type(now + timedelta(1)) is dt, type(now.date()) is date,
                    pickle.loads(pickle.dumps(now)) == now == copy.deepcopy(now),
                    pickle.loads(pickle.dumps(day)) == day, isinstance(dt.max, dt),
                    type(Mine.now()) is Mine, not isinstance(now, Mine), isinstance(Mine.now(), dt),
                    dateutil.parser.parse("2020-01-02") == dt(2020, 1, 2),
                    dt(2020, 1, 2) - dt(2020, 1, 1) == timedelta(1),
                    repr(dt(2020, 1, 2)) == "datetime.datetime(2020, 1, 2, 0, 0)",
                    now.astimezone(timezone.utc) > dt(2019, 1, 1, tzinfo=timezone.utc)]
    """) == [True] * 16


def test_waits_with_a_timeout_cost_time(lab):
    assert run(lab, """
        def empty():
            try:
                queue.Queue().get(timeout=2)
            except queue.Empty:
                return "empty"
        async def both():
            await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))
        async def late():
            try:
                await asyncio.wait_for(asyncio.sleep(50), 1.5)
            except asyncio.TimeoutError:
                return "late"
        def handler(event, context):
            return [took(lambda: threading.Event().wait(1)), took(empty),
                    took(lambda: asyncio.run(both())), took(lambda: asyncio.run(late()))]
    """) == [[1, False], [2, "empty"], [2, None], [1.5, "late"]]


def test_threads_sleep_side_by_side(lab):
    """And whoever waits for another thread isn't woken too late, nor too early."""
    assert run(lab, """
        def handler(event, context):
            rung, done = threading.Event(), threading.Event()
            def ring():
                time.sleep(1)
                rung.set()
            def compute():
                sum(range(3_000_000))
                done.set()
            with ThreadPoolExecutor(3) as pool:
                slept = took(lambda: list(pool.map(time.sleep, [1, 2, 3])))
            threading.Thread(target=ring).start()
            heard = took(lambda: rung.wait(5))
            threading.Thread(target=compute).start()
            return slept[0], heard, took(lambda: done.wait(30))
    """) == [3, [1, True], [0, True]]


def test_a_busy_machine_wakes_nobody_early(lab):
    """Threads that wait for a processor compute, though they get nothing done."""
    source = TOOK + textwrap.dedent("""
        def handler(event, context):
            with ThreadPoolExecutor(4) as pool:
                return took(lambda: list(pool.map(time.sleep, [1, 1, 2, 2])))[0]
    """)
    name = lab.deploy(source, MemorySize=1024, Timeout=60)
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        assert [lab.invoke(name).value for _ in range(5)] == [2] * 5
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def test_a_program_is_waited_for(lab):
    assert run(lab, """
        def handler(event, context):
            done = subprocess.run(["/bin/sh", "-c", "sleep 0.2; echo done"], capture_output=True,
                                  timeout=5)
            return done.stdout.decode()
    """) == "done\n"


def test_a_loop_that_reads_the_clock_ends(lab):
    passed, reads = run(lab, """
        def handler(event, context):
            def spin():
                reads, end = 0, time.time() + 0.1
                while time.time() < end:
                    reads += 1
                return reads
            return took(spin)
    """)
    assert passed == pytest.approx(0.1, abs=0.005)
    assert reads == pytest.approx(100_000, rel=0.05)  # a microsecond each


def test_on_the_wall_clock_time_goes_on_while_code_runs():
    from minilambda import Cloud

    from .conftest import Lab

    with Cloud(clock="wall") as cloud:
        passed = Lab(cloud).run("""
            import time
            def handler(event, context):
                began, cpu = time.time(), time.process_time()
                while time.process_time() - cpu < 0.2:
                    pass
                return time.time() - began
        """, MemorySize=1792, Timeout=30).value
        assert 0.2 <= passed < 10


def test_calls_at_one_instant_are_charged_to_those_that_make_them(lab):
    """Three functions start together; each pays for its own calls, however they are interleaved."""
    from concurrent.futures import ThreadPoolExecutor

    import boto3

    queue = boto3.client("sqs").create_queue(QueueName=f"instant-{lab.cloud.sandbox}")["QueueUrl"]
    source = """
        import boto3, time
        sqs, s3 = boto3.client("sqs"), boto3.client("s3")
        def handler(event, context):
            began, left = time.time(), context.get_remaining_time_in_millis()
            for _ in range(event["sqs"]):
                sqs.send_message(QueueUrl=event["queue"], MessageBody="x")
            for _ in range(event["s3"]):
                s3.list_buckets()
            return (began, round((time.time() - began) * 1000, 3),
                    left - context.get_remaining_time_in_millis())
    """
    names = [lab.deploy(source, MemorySize=1792, Timeout=60) for _ in range(3)]
    events = [{"queue": queue, "sqs": sqs, "s3": s3} for sqs, s3 in ((3, 0), (1, 2), (0, 0))]
    for name in names:
        lab.invoke(name, events[2])  # warm
    with ThreadPoolExecutor(3) as pool, lab.cloud.hold(3):
        values = [reply.value for reply in pool.map(lab.invoke, names, events)]
    assert len({began for began, _, _ in values}) == 1
    assert [(took, spent) for _, took, spent in values] == [(36, 36), (62, 62), (0, 0)]
