"""When an environment is kept, and when the next invocation is cold."""

import pytest

from minilambda import Cloud

from .conftest import Lab
from .layer_files import zipped

HANDLER = """
import os, sys, time
count = 0
def handler(event, context):
    global count
    count += 1
    match event:
        case "raise": raise ValueError("because")
        case "unserialisable": return object()
        case "too much": return "x" * 7_000_000
        case "sleep": time.sleep(60)
        case "exit": sys.exit(0)
        case "die": os.kill(os.getpid(), 9)
        case "hog": return [b"x" * 10**6 for _ in range(10**3)]
    return count, os.environ.get("COLOUR")
"""


@pytest.mark.parametrize(("event", "kept"), [
    ("raise", True), ("unserialisable", True), ("too much", True),
    ("sleep", False), ("exit", False), ("die", False), ("hog", False)])
def test_what_an_environment_survives(lab, event, kept):
    name = lab.deploy(HANDLER)
    assert lab.invoke(name).value == [1, None]
    assert lab.invoke(name, event).error == "Unhandled"
    after = lab.invoke(name)
    assert after.value == ([3, None] if kept else [1, None])
    assert ("Init Duration" in after.log) == (not kept)
    assert len(lab.environments(name)) == (1 if kept else 2)


@pytest.mark.parametrize("change", [
    {"Environment": {"Variables": {"COLOUR": "blue"}}}, {"Timeout": 9}, {"MemorySize": 256},
    {"Description": "new words"}])
def test_after_a_change_of_configuration_the_next_invocation_is_cold(lab, change):
    name = lab.deploy(HANDLER)
    lab.invoke(name)
    lab.client.update_function_configuration(FunctionName=name, **change)
    reply = lab.invoke(name)
    assert "Init Duration" in reply.log
    assert reply.value == [1, "blue" if "Environment" in change else None]
    ended, = lab.cloud.trace.select("environment.shutdown", function=name)
    assert ended["reason"] == "configuration"
    assert "Init Duration" not in lab.invoke(name).log


def test_after_a_change_of_code_the_next_invocation_is_cold(lab):
    name = lab.deploy(HANDLER)
    lab.invoke(name)
    lab.client.update_function_code(FunctionName=name, ZipFile=zipped(
        {"app.py": "def handler(event, context): return 'new'\n"}))
    reply = lab.invoke(name)
    assert reply.value == "new" and "Init Duration" in reply.log


def test_a_change_while_it_runs_ends_the_environment_after(lab):
    name = lab.deploy("""
        import boto3
        def handler(event, context):
            boto3.client("lambda").update_function_configuration(
                FunctionName=context.function_name, Description="changed by itself")
            return "done"
    """, Timeout=30)
    assert lab.invoke(name).value == "done"
    assert "Init Duration" in lab.invoke(name).log


def test_init_is_cut_off_at_10_seconds_of_computing_too():
    """With measured durations: then again as part of the invocation, on its own share and timeout."""
    source = """
        import time
        began = time.process_time()
        time.sleep(9.9)
        while time.process_time() - began < 0.3:
            pass
        def handler(event, context): return "ready"
    """
    with Cloud() as cloud:
        lab = Lab(cloud)
        assert lab.run(source, Timeout=60, MemorySize=1792).value == "ready"
        ended, = cloud.trace.select("init.ended")
        assert (ended["status"], ended["duration_ms"]) == ("timeout", 10_000)
        assert cloud.trace.select("invoke.ended")[-1]["duration_ms"] >= 10_000
        name = lab.deploy(source, Timeout=5)
        assert "Task timed out after 5.00 seconds" in lab.invoke(name).value["errorMessage"]
