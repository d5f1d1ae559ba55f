"""A cloud with functions in it, on each tier of isolation that can be had here."""

import base64
import dataclasses
import json
import os
import pathlib
import tempfile
import textwrap

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud, zip_handler
from minilambda.callers import ServiceCaller
from minilambda.errors import LambdaError
from minilambda.sandbox.tiers import probe_bubblewrap

TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                   "Action": "sts:AssumeRole"}],
})


@dataclasses.dataclass
class Reply:
    """What came back from one Invoke."""

    raw: dict
    payload: bytes
    log: str

    @property
    def value(self):
        return json.loads(self.payload)

    @property
    def error(self):
        return self.raw.get("FunctionError")


class Lab:
    """Short ways to do with boto3 what every test does."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.client = boto3.client("lambda")
        self.role = boto3.client("iam").create_role(
            RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        self.count = 0

    def deploy(self, source, handler="app.handler", name=None, **configuration):
        """A function from the text of its app.py; gives its name."""
        self.count += 1
        name = name or f"function-{self.count}"
        self.client.create_function(
            FunctionName=name, Runtime="python3.8", Role=self.role, Handler=handler,
            Code={"ZipFile": self.archive(source)}, **configuration)
        if self.cloud.limits.function_states:
            self.client.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def updated(self, name):
        """Wait until what was changed is in force."""
        self.client.get_waiter("function_updated_v2").wait(FunctionName=name)

    def archive(self, source):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "app.py")
            path.write_text(textwrap.dedent(source))
            return zip_handler(path)

    def invoke(self, name, event=None, **options):
        reply = self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(),
                                   LogType="Tail", **options)
        log = base64.b64decode(reply.get("LogResult", "")).decode()
        return Reply(reply, reply["Payload"].read(), log)

    def run(self, source, event=None, **configuration):
        return self.invoke(self.deploy(source, **configuration), event)

    def log_lines(self, name):
        events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")
        return [event["message"] for event in events["events"]]

    def printed(self, function):
        """The JSON documents that a function (a name or an ARN) has printed, once all is quiet."""
        self.cloud.run_until_idle()
        try:
            lines = self.log_lines(function.split(":")[6] if ":" in function else function)
        except ClientError:  # it has never run
            return []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def environments(self, name):
        return [event.environment
                for event in self.cloud.trace.select("environment.created", function=name)]


@pytest.fixture
def lambda_refuses(monkeypatch):
    """Lambda doesn't take so many events from services: nothing in a cloud makes it do that."""
    def refuse(times, status=429):
        accept, left = ServiceCaller.accept, [times]

        def sometimes(self, *args, **kwargs):
            if left[0]:
                left[0] -= 1
                raise LambdaError("TooManyRequestsException", "Rate Exceeded.", status)
            return accept(self, *args, **kwargs)

        monkeypatch.setattr(ServiceCaller, "accept", sometimes)

    return refuse


def need_tier(tier):
    if tier == "bubblewrap" and probe_bubblewrap() is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have bubblewrap: {probe_bubblewrap()}")
        pytest.skip(f"no bubblewrap sandbox here ({probe_bubblewrap()}); apt install bubblewrap")


@pytest.fixture(scope="module", params=["process", "bubblewrap"])
def lab(request):
    """A cloud with modelled durations, one a module and tier."""
    need_tier(request.param)
    with Cloud(durations="modelled", sandbox=request.param) as cloud:
        yield Lab(cloud)


@pytest.fixture
def fresh():
    """A cloud of its own for a test that changes it."""
    with Cloud(durations="modelled") as cloud:
        yield Lab(cloud)
