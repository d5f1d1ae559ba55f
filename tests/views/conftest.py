"""What the views' tests share: a fake Lambda client, made-up clouds, a real one, a browser."""

import json
import sys
from pathlib import Path

import boto3
import pytest
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
def cloud(tmp_path_factory):
    """A real Cloud with modelled durations and the function `hello` (see HANDLER)."""
    source = tmp_path_factory.mktemp("code") / "app.py"
    source.write_text(HANDLER)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    with minilambda.Cloud(durations="modelled") as cloud:
        role = boto3.client("iam").create_role(
            RoleName="hello", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        boto3.client("lambda").create_function(
            FunctionName="hello", Runtime="python3.8", Role=role, Handler="app.handler",
            Code={"ZipFile": minilambda.zip_handler(source)})
        yield cloud
