"""What the views' tests share: a fake Lambda client, made-up clouds, a real one, a browser."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from view_fakes import FakeLambda

import minilambda

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from browser_driver import (  # noqa: E402, F401 - the fixtures are used by name
    chromium,
    run_again_when_the_browser_died,
    start_chromium,
)

HANDLER = """\
import time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    hoard = bytearray(event.get("mb", 0) << 20)
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"memory": context.memory_limit_in_mb}
"""


def pytest_collection_modifyitems(items):
    """A browser that dies is started again."""
    run_again_when_the_browser_died(items)


@pytest.fixture
def fake():
    return FakeLambda()


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    """The file with HANDLER in it."""
    source = tmp_path_factory.mktemp("code") / "app.py"
    source.write_text(HANDLER)
    return source


@pytest.fixture(scope="module")
def cloud(handler):
    """A real Cloud with modelled durations and the function `hello` (see HANDLER)."""
    with new_cloud(handler) as cloud:
        yield cloud


def new_cloud(handler, *names, reserved=None):
    """The same for any names; the first one has so much reserved concurrency."""
    cloud, names = minilambda.Cloud(durations="modelled"), names or ("hello",)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    role = boto3.client("iam").create_role(
        RoleName="hello", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    lam = boto3.client("lambda")
    for name in names:
        lam.create_function(
            FunctionName=name, Runtime="python3.8", Role=role, Handler="app.handler",
            Code={"ZipFile": minilambda.zip_handler(handler)})
    if reserved is not None:
        lam.put_function_concurrency(FunctionName=names[0], ReservedConcurrentExecutions=reserved)
    return cloud


def burst(cloud, callers, event, name="hello"):
    """So many callers at one instant, none of whom tries again. Gives how many were refused."""
    lam = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1},
                                               max_pool_connections=callers))

    def call(_):
        try:
            lam.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()
        except lam.exceptions.TooManyRequestsException:
            return 1
        return 0

    with cloud.hold(callers), ThreadPoolExecutor(callers) as pool:
        return sum(pool.map(call, range(callers)))
