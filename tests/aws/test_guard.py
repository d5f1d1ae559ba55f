"""The process belongs to the cloud, and comes back as it was."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import botocore.handlers
import pytest

from minilambda import aws
from minilambda.aws import guard as guard_module
from minilambda.aws.loopback import RealAWSRefused, is_loopback

REAL = {"AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL", "AWS_SECRET_ACCESS_KEY": "real-secret",
        "AWS_SESSION_TOKEN": "real-token", "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_SQS": "https://elsewhere", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_DEFAULT_REGION": "us-east-1",
        "HTTP_PROXY": "http://proxy:1", "no_proxy": "intranet"}


@pytest.fixture
def real_credentials(monkeypatch, tmp_path):
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAHOME\naws_secret_access_key = s\n"
        "[production]\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n")
    monkeypatch.setenv("HOME", str(tmp_path))


def snapshot():
    return dict(os.environ), list(botocore.handlers.BUILTIN_HANDLERS), boto3.DEFAULT_SESSION


def test_real_credentials_are_neither_used_nor_lost(real_credentials, run):
    before = snapshot()
    running = run()
    for name, value in REAL.items():
        assert os.environ.get(name) != value
    found = boto3.Session().get_credentials()
    assert (found.access_key, found.token) == (guard_module.ACCESS_KEY_ID, None)
    assert boto3.Session().available_profiles == ["default"]
    assert boto3.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    running.close()
    assert snapshot() == before
    assert boto3.Session().available_profiles == ["default", "production"]


def test_the_courses_region_is_the_default(cloud):
    assert boto3.client("lambda").meta.region_name == "eu-west-2"


def test_without_the_override_a_call_fails_at_once_and_says_so(cloud, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("a name was looked up"))
    client = boto3.client("sqs")
    with pytest.raises(RealAWSRefused, match=r"sqs\.eu-west-2\.amazonaws\.com.*AWS_ENDPOINT_URL"):
        client.list_queues()


def test_a_session_of_ones_own_is_guarded_too(cloud):
    client = boto3.session.Session().client("s3", endpoint_url="https://s3.amazonaws.com")
    with pytest.raises(RealAWSRefused):
        client.list_buckets()


def test_other_programs_meet_a_dead_proxy(cloud):
    code = ("import urllib.request\n"
            "try: urllib.request.urlopen('http://sqs.eu-west-2.amazonaws.com', timeout=5)\n"
            "except OSError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Connection refused" in done.stdout


def test_guards_may_overlap_and_end_in_any_order():
    before = snapshot()
    first, second = aws.Guard("http://127.0.0.1:1"), aws.Guard("http://127.0.0.1:2", "eu-west-1")
    first.apply()
    folder = Path(os.environ["AWS_CONFIG_FILE"]).parent
    second.apply()
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"
    first.restore()
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"
    assert os.environ["AWS_REGION"] == "eu-west-1"
    second.restore()
    second.restore()
    assert snapshot() == before
    assert not folder.exists()


def test_the_inner_guards_end_gives_the_process_back_to_the_outer():
    with aws.Guard("http://127.0.0.1:1"):
        with aws.Guard("http://127.0.0.1:2"):
            pass
        assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_an_error_inside_puts_everything_back():
    before = snapshot()
    with pytest.raises(ZeroDivisionError), aws.Guard("http://127.0.0.1:1"):
        1 / 0
    assert snapshot() == before


def test_variables_the_reader_sets_meanwhile_stay_unless_they_are_awss(monkeypatch):
    monkeypatch.delenv("READERS_OWN", raising=False)
    with aws.Guard("http://127.0.0.1:1"):
        os.environ["READERS_OWN"] = "kept"
        os.environ["AWS_PROFILE"] = "dropped"
    assert os.environ.pop("READERS_OWN") == "kept"
    assert "AWS_PROFILE" not in os.environ


def test_a_process_that_just_ends_leaves_no_folder():
    code = ("from minilambda import aws; import os; g = aws.Guard('http://127.0.0.1:1'); "
            "g.apply(); print(os.environ['AWS_CONFIG_FILE'])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not Path(done.stdout.strip()).parent.exists()


@pytest.mark.parametrize(("host", "loopback"), [
    ("127.0.0.1", True), ("127.8.9.1", True), ("localhost", True), ("::1", True),
    ("bucket.localhost", True), ("10.0.0.1", False), ("localhost.example.com", False),
    ("169.254.169.254", False), ("", False), ("127.0.0.1.example.com", False),
])
def test_what_counts_as_this_machine(host, loopback):
    assert is_loopback(host) is loopback
