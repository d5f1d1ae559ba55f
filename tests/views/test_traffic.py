"""Traffic against a real cloud: every request is counted, and the same seed is the same trace."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minilambda
from minilambda.views import patterns, traffic
from minilambda.views.film import Camera, summary
from minilambda.views.traffic import Traffic

CONSERVED = settings(max_examples=8, deadline=None,
                     suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def unreserved(cloud):
    """Each test starts without a reservation and without warm environments."""
    lam = boto3.client("lambda")
    lam.delete_function_concurrency(FunctionName="hello")
    lam.update_function_configuration(FunctionName="hello", Timeout=3, MemorySize=128)
    yield


def reserve(number):
    boto3.client("lambda").put_function_concurrency(
        FunctionName="hello", ReservedConcurrentExecutions=number)


def came_to(done):
    return tuple(done.counts[word] for word in ("answered", "throttled", "failed", "refused"))


def test_five_clients_and_a_reservation_of_two(cloud):
    reserve(2)
    done = traffic(cloud, "hello", patterns.burst(5, every=1, seconds=4), {"sleep": 0.3})
    assert came_to(done) == (8, 12, 0, 0) and done.waiting == 0
    assert repr(done) == (
        "20 requests (burst, 5 at once every 1 s): 8 answered, 12 throttled and 0 failed.")
    assert {call.said for call in done.calls if call.outcome == "throttled"} == {
        "TooManyRequestsException: Rate Exceeded."}


def test_they_come_when_the_pattern_says(cloud):
    pattern, first = patterns.poisson(rate=5, seconds=6, seed=3), len(cloud.trace)
    done = traffic(cloud, "hello", pattern)
    accepted = [event.at for event in list(cloud.trace)[first:] if event.kind == "request.accepted"]
    assert [round(at - done.start, 6) for at in accepted] == list(pattern.instants)
    assert cloud.seconds == pytest.approx(done.start + 6)


def test_failures_and_time_outs_are_failures(cloud):
    done = traffic(cloud, "hello", patterns.burst(2, 1, 2), {"fail": "no"})
    assert came_to(done) == (0, 0, 4, 0)
    assert {call.said for call in done.calls} == {"ValueError"}
    late = traffic(cloud, "hello", patterns.burst(2, 1, 1), {"sleep": 9})
    assert came_to(late) == (0, 0, 2, 0)
    assert cloud.seconds == pytest.approx(late.start + 3, abs=0.01)  # warm


def test_what_aws_refuses_is_counted_too(cloud):
    lam = boto3.client("lambda")
    where = lam.get_function(FunctionName="hello")["Configuration"]
    lam.create_function(FunctionName="soon-gone", Runtime="python3.8", Role=where["Role"],
                        Handler="app.handler", Code={"ZipFile": CODE})
    going = Traffic(cloud, "soon-gone", patterns.burst(3, 1, 2))
    going.advance(0.5)
    lam.delete_function(FunctionName="soon-gone")
    assert came_to(going.finish()) == (3, 0, 0, 3)
    assert "3 refused" in repr(going)


CODE = b""


@pytest.fixture(autouse=True, scope="module")
def code(tmp_path_factory):
    global CODE
    source = tmp_path_factory.mktemp("gone") / "app.py"
    source.write_text("def handler(event, context):\n    return 1\n")
    CODE = minilambda.zip_handler(source)


@CONSERVED
@given(st.integers(0, 3), st.integers(0, 12), st.sampled_from([0, 0.05, 0.4]), st.integers(0, 99),
       st.booleans())
def test_every_arrival_comes_to_something(cloud, reserved, rate, sleep, seed, fails):
    reserve(reserved)
    event = {"sleep": sleep} | ({"fail": "no"} if fails else {})
    pattern = patterns.poisson(rate + 1, 3, seed)
    first = len(cloud.trace)
    done = traffic(cloud, "hello", pattern, event)
    answered, throttled, failed, refused = came_to(done)
    assert answered + throttled + failed + refused == len(pattern.instants) == len(done.calls)
    film = summary(Camera(cloud.trace, "hello", done.start, first).take(cloud.seconds))
    assert (film["requests"], film["answered"], film["throttled"], film["failed"]) == (
        len(pattern.instants), answered, throttled, failed)
    assert film["most_at_once"] <= reserved and refused == 0
    assert (failed == 0) == (not fails or answered + failed == 0)


def test_it_stands_still_between_steps_and_can_be_stopped(cloud):
    going = Traffic(cloud, "hello", patterns.burst(2, every=1, seconds=10), {"sleep": 0.5})
    going.advance(1.2)
    now = cloud.seconds
    assert now == pytest.approx(going.start + 1.2)
    assert going.appointments.to_come == 18 and not going.over  # two are on their way
    assert "to come" in repr(going)
    going.stop()
    assert came_to(going) == (4, 0, 0, 0) and cloud.seconds < now + 1


def test_other_calls_go_on_beside_it(cloud):
    going = Traffic(cloud, "hello", patterns.burst(1, every=1, seconds=3), {"sleep": 0.5})
    going.advance(0.1)
    answer = boto3.client("lambda").invoke(FunctionName="hello", Payload='{"sleep": 1.5}')
    assert json.load(answer["Payload"]) == {"memory": "128"}
    with cloud.hold(2), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: boto3.session.Session().client("lambda").invoke(
            FunctionName="hello", Payload="{}"), range(2)))
    assert came_to(going.finish()) == (3, 0, 0, 0)


def test_a_function_that_is_not_there(cloud):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        traffic(cloud, "nope", patterns.burst(1, 1, 1))


def test_what_is_no_event_and_what_is_no_cloud(cloud):
    with pytest.raises(TypeError, match="what JSON can hold"):
        traffic(cloud, "hello", patterns.burst(1, 1, 1), {1, 2})
    with pytest.raises(TypeError, match="must be a minilambda.Cloud"):
        traffic(boto3.client("lambda"), "hello", patterns.burst(1, 1, 1))
