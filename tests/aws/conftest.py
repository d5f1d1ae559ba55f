"""A cloud whose functions answer what the test says: the AWS surface without any sandbox."""

import json
from types import SimpleNamespace

import boto3
import pytest

from minilambda import aws
from minilambda.clock import COURSE_START, Clock
from minilambda.concurrency import Concurrency
from minilambda.invocation import Outcome, Report, Status
from minilambda.limits import Limits
from minilambda.model import Model
from minilambda.package import zip_handler
from minilambda.provisioned import Provisioned
from minilambda.registry import Registry
from minilambda.trace import Trace

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole"}]})
ROLE = "arn:aws:iam::123456789012:role/lambda-role"


class Rooms:
    """Stands in for ``minilambda.placement`` where environments are provisioned: ready at once."""

    def __init__(self, limits):
        self.setting = SimpleNamespace(limits=limits, model=Model.load())

    def provision(self, function, places):
        class Environment:
            state = "frozen"
        environment = Environment()
        environment.places = places
        places.environments[environment] = None
        return environment

    def init_steps(self, environment):
        return True
        yield

    def end_provisioned(self, environment, reason):
        environment.places.environments.pop(environment, None)


class EchoFrontend:
    """Stands in for ``minilambda.frontend``: echoes the payload, remembers the calls."""

    def __init__(self, clock):
        self.clock, self.calls, self.outcome, self.error = clock, [], {}, None
        self.events = []
        self.concurrency = Concurrency(1000, 100)

    def invoke(self, target, payload, *, client_context=None, trace_header=None,
               appointment=None):
        function = target.function
        self.calls.append(SimpleNamespace(function=function, payload=payload,
                                          client_context=client_context,
                                          trace_header=trace_header))
        if self.error is not None:
            raise self.error
        return Outcome(**{
            "request_id": self.clock.uuid(), "status": Status.SUCCESS, "payload": payload,
            "report": Report(1.0, 100, function.memory_size, 30)} | self.outcome)

    def invoke_event(self, target, payload, *, trace_header=None, appointment=None):
        request_id = self.clock.uuid()
        self.events.append((target.function.name, payload, request_id))
        return request_id


def make_runtime(profile="course", seed=0, on_request=None):
    clock, limits = Clock(start=COURSE_START, seed=seed), Limits.load(profile)
    runtime = SimpleNamespace(slow_notifications=0.0,
        clock=clock, trace=Trace(), limits=limits, account_id="123456789012", region="eu-west-2",
        frontend=EchoFrontend(clock),
        registry=Registry(clock, limits, fetch_code=aws.fetch_code,
                          role_trusts_lambda=aws.role_trusts_lambda,
                          organization_of=aws.organization_of))
    runtime.provisioned = Provisioned(
        clock, runtime.trace, runtime.frontend.concurrency, Rooms(limits),
        runtime.registry.versions)
    if on_request is not None:
        runtime.on_request = on_request
    return runtime


class Running:
    """A runtime that is being served, and this process bound to it."""

    def __init__(self, runtime):
        self.runtime = runtime
        aws.install(runtime)
        self.server = aws.Server()
        self.server.start()
        self.guard = aws.Guard(self.server.url)
        self.guard.apply()
        boto3.client("iam").create_role(RoleName="lambda-role", AssumeRolePolicyDocument=TRUST)

    def close(self):
        self.guard.restore()
        self.server.stop()
        aws.uninstall()


@pytest.fixture
def run():
    """Start a served runtime: ``run(profile="today")``."""
    started = []

    def start(**options):
        started.append(Running(make_runtime(**options)))
        return started[-1]

    yield start
    for running in reversed(started):
        running.close()


@pytest.fixture
def cloud(run):
    return run()


@pytest.fixture
def lambda_(cloud):
    return boto3.client("lambda")


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def handler(event, context):\n    return event\n")
    return zip_handler(file)


@pytest.fixture
def spec(archive):
    """What create_function takes for a plain function ``f``."""
    return {"FunctionName": "f", "Runtime": "python3.8", "Role": ROLE, "Handler": "app.handler",
            "Code": {"ZipFile": archive}}
