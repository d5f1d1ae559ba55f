"""Under load, failure and change nothing is lost: what was accepted ends, and places come back."""

import random
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
