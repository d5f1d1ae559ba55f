"""A real ``minilambda serve``, started as anybody would, and its clients."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import boto3
import psutil
from botocore.config import Config

COMMAND = str(Path(sys.executable).with_name("minilambda"))
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole"}]})
ECHO = "def handler(event, context):\n    print('seen', event)\n    return event\n"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment(folder=None):
    """As in a shell that knows nothing of AWS; temporary files in ``folder``."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return mine | ({"TMPDIR": str(folder)} if folder else {})


class Served:
    """A running server: ``with Served("--clock", "virtual") as server``."""

    def __init__(self, *options, folder=None, port=0):
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port), *options], env=environment(folder), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.ready = self.process.stdout.readline()
        found = re.match(r"minilambda ready at (http://127\.0\.0\.1:(\d+)) ", self.ready)
        assert found, self.ready + self.process.communicate()[1]
        self.url, self.port = found[1], int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def family(self):
        """All processes that it has started (functions', too), as they are now."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number=signal.SIGTERM):
        """Ask it to stop; its exit code and what it wrote to stderr."""
        self.process.send_signal(number)
        errors = self.process.communicate()[1]
        return self.process.returncode, errors

    # -- its clients --------------------------------------------------------------------------------

    def client(self, service, region="eu-west-2", key="test", config=None, **options):
        return boto3.session.Session().client(
            service, endpoint_url=self.url, region_name=region, aws_access_key_id=key,
            aws_secret_access_key="test", config=config or Config(retries={"total_max_attempts": 1}),
            **options)

    def deploy(self, source=ECHO, name="f", region="eu-west-2", **configuration):
        """A function as on AWS: a role, its code, a waiter. It may take its time."""
        iam = self.client("iam")
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        lambda_ = self.client("lambda", region)
        lambda_.create_function(
            FunctionName=name, Runtime="python3.8", Role="arn:aws:iam::123456789012:role/role",
            Handler="app.handler", Code={"ZipFile": archive(source)},
            **{"Timeout": 900} | configuration)
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def invoke(self, name="f", event=None):
        reply = self.client("lambda", config=Config(read_timeout=300)).invoke(
            FunctionName=name, Payload=json.dumps(event))
        return json.loads(reply["Payload"].read())

    def http(self, path, body=None, method=None, headers=None):
        """Status, headers and text of an ordinary HTTP request."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with _direct.open(request) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    def ask(self, path, body=None, method=None):
        """What ``/_minilambda/<path>`` answers, when it is well."""
        status, _, text = self.http(f"/_minilambda/{path}", body, method)
        assert status == 200, text
        return json.loads(text)

    def trace(self, query=""):
        status, headers, text = self.http(f"/_minilambda/trace{query}")
        assert status == 200 and headers["Content-Type"] == "application/x-ndjson", text
        return [json.loads(line) for line in text.splitlines()]

    def reset(self):
        return self.ask("reset", method="POST")


def archive(source):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("app.py", textwrap.dedent(source))
    return file.getvalue()


def assert_gone(family):
    """None of these processes lives (a zombie that nobody has reaped yet doesn't)."""
    def lives(process):
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    psutil.wait_procs(family, timeout=60)
    assert [process for process in family if lives(process)] == []
