"""Callers by appointment: at their instants, in one order, and no crank turned by them."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config

import minilambda

HANDLER = "import time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return 1\n"


@pytest.fixture
def cloud(tmp_path):
    (tmp_path / "app.py").write_text(HANDLER)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    with minilambda.Cloud(durations="modelled", sandbox="process") as cloud:
        role = boto3.client("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        boto3.client("lambda").create_function(
            FunctionName="nap", Runtime="python3.8", Role=role, Handler="app.handler", Timeout=60,
            Code={"ZipFile": minilambda.zip_handler(tmp_path / "app.py")})
        yield cloud


class Callers:
    """Threads that invoke `nap` when they are told to come."""

    def __init__(self, name, sleep=1.0, function="nap"):
        self.name, self.sleep, self.function = name, sleep, function
        self.pool, self.futures, self.told = ThreadPoolExecutor(50), [], []
        self.client = boto3.session.Session().client("lambda", config=Config(
            retries={"total_max_attempts": 1}, max_pool_connections=50))
        self.client.meta.events.register(
            "before-send.lambda.Invoke",
            lambda request, **_: request.headers.__setitem__("X-Minilambda-Appointment", name))

    def __call__(self, callers):
        self.told.append(callers)
        self.futures += [self.pool.submit(self.invoke) for _ in range(callers)]

    def invoke(self):
        return self.client.invoke(FunctionName=self.function,
                                  Payload=json.dumps({"sleep": self.sleep}))["StatusCode"]

    def answers(self):
        return [future.result(60) for future in self.futures]


def accepted(cloud):
    return [event.at for event in cloud.trace.select("request.accepted")]


def test_they_come_at_their_instants_while_others_are_still_running(cloud):
    callers = Callers("t")
    appointments = cloud.appoint("t", [(1.0, 3), (1.5, 2), (4.0, 1)], callers)
    cloud.run(seconds=10)
    assert accepted(cloud) == [1.0] * 3 + [1.5] * 2 + [4.0]
    assert callers.told == [3, 2, 1] and callers.answers() == [200] * 6
    assert len(cloud.trace.select("environment.created")) == 5
    assert appointments.over and cloud.seconds == 10


def test_nothing_moves_while_nobody_lets_time_pass(cloud):
    callers = Callers("t", sleep=5)
    appointments = cloud.appoint("t", [(1.0, 2), (2.0, 1)], callers)
    cloud.run(seconds=1.5)
    assert (cloud.seconds, callers.told, appointments.to_come) == (1.5, [2], 3)
    assert not any(future.done() for future in callers.futures)
    cloud.finish(appointments)
    assert callers.answers() == [200] * 3 and accepted(cloud) == [1.0, 1.0, 2.0]
    assert cloud.seconds == pytest.approx(7.1114, abs=0.01)


def test_another_caller_lets_time_pass_for_them_too(cloud):
    callers = Callers("t")
    appointments = cloud.appoint("t", [(1.0, 2)], callers)
    boto3.client("lambda").invoke(FunctionName="nap", Payload='{"sleep": 7}')
    assert callers.answers() == [200] * 2 and appointments.over


def test_the_same_trace_however_time_is_cut(cloud, tmp_path):
    def story(sandbox, steps):
        with minilambda.Cloud(durations="modelled", sandbox=sandbox) as cloud:
            role = boto3.client("iam").create_role(
                RoleName="r", AssumeRolePolicyDocument=json.dumps({
                    "Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
            boto3.client("lambda").create_function(
                FunctionName="nap", Runtime="python3.8", Role=role, Handler="app.handler",
                Code={"ZipFile": minilambda.zip_handler(tmp_path / "app.py")})
            callers = Callers("t", sleep=0.2)
            # Invocations of 0.2 s at every 0.1 s: ends and arrivals fall on the same instants.
            appointments = cloud.appoint("t", [(n / 10, 1 + n % 3) for n in range(30)], callers)
            for _ in range(steps):
                cloud.run(seconds=3 / steps)
            cloud.finish(appointments)
            callers.answers()
            return [(event.at, event.kind, event.environment, dict(event.data))
                    for event in cloud.trace]

    first = story("process", 1)
    assert len(first) > 300
    assert story("process", 7) == first
    assert story("process", 60) == first


def test_one_that_will_not_come_is_not_waited_for(cloud):
    callers = Callers("t")
    appointments = cloud.appoint("t", [(1.0, 2)], lambda number: (
        callers(1), threading.Timer(0.2, appointments.miss).start()))
    cloud.finish(appointments)
    assert callers.answers() == [200] and appointments.to_come == 0


def test_cancelled_nobody_else_comes(cloud):
    callers = Callers("t")
    appointments = cloud.appoint("t", [(1.0, 1), (2.0, 5)], callers)
    cloud.run(seconds=1.5)
    appointments.cancel()
    cloud.finish(appointments)
    cloud.run(seconds=5)
    assert callers.told == [1] and callers.answers() == [200]


def test_closing_the_cloud_ends_their_waiting(cloud):
    callers = Callers("t", sleep=50)
    cloud.appoint("t", [(0.0, 2)], callers)
    cloud.run(seconds=1)
    cloud.close()
    for future in callers.futures:
        assert future.exception(60) is not None


def test_a_hold_while_they_wait_is_its_own(cloud):
    callers = Callers("t", sleep=2)
    appointments = cloud.appoint("t", [(0.0, 1)], callers)
    cloud.run(seconds=0.5)
    with cloud.hold(2), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: boto3.session.Session().client("lambda").invoke(
            FunctionName="nap", Payload='{"sleep": 0}'), range(2)))
    assert accepted(cloud)[1:] == [0.5, 0.5]
    cloud.finish(appointments)
    assert callers.answers() == [200]


@pytest.mark.parametrize("instants, says", [
    ([(2.0, 1), (1.0, 1)], "in order"), ([(-1.0, 1)], "in the past"), ([(1.0, 0)], "at least 1")])
def test_instants_that_are_none_are_refused(cloud, instants, says):
    with pytest.raises(ValueError, match=says):
        cloud.appoint("t", instants, lambda callers: None)


def test_a_name_is_used_once(cloud):
    cloud.appoint("t", [], lambda callers: None)
    with pytest.raises(ValueError, match="already"):
        cloud.appoint("t", [], lambda callers: None)
