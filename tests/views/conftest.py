"""What the views' tests share: a fake Lambda client, made-up clouds, a real one, a browser."""

import json
import os
import sys
from pathlib import Path

import boto3
import pytest
from playwright.sync_api import sync_playwright
from view_fakes import FakeLambda

import minilambda

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from browser_driver import FLAGS, HOW_TO_GET, chromium_path  # noqa: E402

HANDLER = """\
import time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    hoard = bytearray(event.get("mb", 0) << 20)
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"memory": context.memory_limit_in_mb}
"""


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


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium. Skips where none is installed; fails in CI."""
    path = chromium_path()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_GET)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
