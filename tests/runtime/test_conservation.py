"""Under load, failure and change nothing is lost: what was accepted ends, and places come back."""

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

HANDLER = """
import os, sys, time
def handler(event, context):
    match event["do"]:
        case "sleep": time.sleep(event["for"])
        case "raise": raise RuntimeError("asked to")
        case "exit": sys.exit(event["for"])
        case "die": os.kill(os.getpid(), 9)
        case "hog": return [b"x" * 10**6 for _ in range(10**3)]
        case "print": print("x" * 1000)
    return event["n"]
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_accepted_ends_once(fresh, seed):
    dice, cloud = random.Random(seed), fresh.cloud
    names = [fresh.deploy(HANDLER, Timeout=2) for _ in range(3)]
    jobs = [{"n": n, "do": dice.choice(["sleep", "raise", "exit", "die", "hog", "print", "nothing"]),
             "for": dice.choice([0, 1, 1, 5])} for n in range(60)]

    def call(job):
        name = dice.choice(names)
        if job["n"] % 15 == 7:
            fresh.client.update_function_configuration(
                FunctionName=name, MemorySize=128 + 64 * (job["n"] % 3))
        reply = fresh.invoke(name, job)
        fails = job["do"] in ("raise", "exit", "die", "hog") or (
            job["do"] == "sleep" and job["for"] == 5)
        assert (reply.error is not None) == fails, (job, reply)
        if not fails:
            assert reply.value == job["n"]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, jobs))
    trace = cloud.trace
    accepted = [e["request_id"] for e in trace.select("request.accepted")]
    ended = [e["request_id"] for e in trace.select("invoke.ended")]
    assert len(accepted) == 60 and sorted(accepted) == sorted(ended)
    assert cloud.frontend.concurrency.running(cloud.account_id, cloud.region) == 0
    assert not cloud.clock._working
    alive = {e.environment for e in trace.select("environment.created")} - {
        e.environment for e in trace.select("environment.shutdown")}
    assert alive == set(cloud.placement.setting.host.sandboxes)
    for environment in {e.environment for e in trace.select("invoke.started")}:
        story = [e.kind for e in trace.select("invoke.started", "invoke.ended",
                                              environment=environment)]
        assert story == ["invoke.started", "invoke.ended"] * (len(story) // 2)  # one at a time


def run_events(events, seed, *flags):
    return subprocess.Popen([sys.executable, *flags, "-m", "tests.runtime.hundred_thousand_events",
                             str(events), str(seed)], stdout=subprocess.PIPE, text=True)


def told_by(process):
    output, _ = process.communicate()
    assert process.returncode == 0
    return json.loads(output)


def nothing_is_unexplained(story):
    """accepted = succeeded + dropped; a drop is in a letter and a record, or in a metric for each."""
    ended, queued = story["ended"], story["queued"]
    dropped = sum(count for condition, count in ended.items() if condition != "Success")
    arrived, lost = story["delivered"], story["undelivered"]
    assert queued == story["sent"]["accepted"] == story["metrics"]["AsyncEventsReceived"]
    assert sum(ended.values()) == queued + story["duplicated"] and story["twice"] == 0
    assert story["metrics"]["AsyncEventsDropped"] == dropped
    for role in ("dead-letter", "on-failure"):
        assert arrived[role] + lost[role] == dropped
    assert arrived["on-success"] + lost["on-success"] == story["succeeded and told"]
    assert story["metrics"]["DeadLetterErrors"] == lost["dead-letter"]
    assert story["metrics"]["DestinationDeliveryFailures"] == lost["on-failure"] + lost["on-success"]
    assert story["queues"] == {"letters": arrived["dead-letter"],
                               "records": arrived["on-failure"] + arrived["on-success"]}
    assert story["running"] == 0
    # and everything that was to happen did
    assert set(ended) == {"Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"}
    assert set(story["tries"]) == {"0", "1", "2", "3"} and min(lost.values()) > 0 < story["duplicated"]


@pytest.mark.timeout(1500)
def test_nothing_is_unexplained_in_100_000_events():
    story = told_by(run_events(100_000, 1))
    nothing_is_unexplained(story)
    assert story["queued"] + story["sent"]["LambdaError"] == 100_000  # refused: the deleted one's


def test_the_same_seed_gives_the_same_story_in_two_processes():
    """Byte for byte: a digest of the whole trace. One of them orders sets by another hash."""
    running = [run_events(3_000, seed, *flags) for seed, flags in (
        (2, ["-X", "utf8"]), (2, ["-R"]), (3, []))]
    one, again, other = map(told_by, running)
    assert one == again and one["digest"] != other["digest"]
    for story in (one, other):
        nothing_is_unexplained(story)
