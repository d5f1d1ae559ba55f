"""Modelled functions: chances in the place of code, through the engine that serves real ones."""

import json
import math
import statistics

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda import Cloud, FunctionModel
from minilambda.distributions import constant, exponential, lognormal, measured, uniform

from .conftest import Lab

SOURCE = "def handler(event, context): return 'code'"


@pytest.fixture(scope="module")
def modelled():
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        yield Lab(cloud)


def deploy(lab, model, places=None, **configuration):
    name = lab.deploy(SOURCE, **{"Timeout": 900} | configuration)
    lab.cloud.model(name, model)
    if places is not None:
        lab.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=places)
    return name


def erlang_b(load, servers):
    """The share of arrivals lost by ``servers`` places under a load in erlangs."""
    lost = 1.0
    for number in range(1, servers + 1):
        lost = load * lost / (number + load * lost)
    return lost


def interval(values):
    """Mean, and half the width of its interval: 99.9 % (Student's t of ten values or so)."""
    return statistics.mean(values), 4.8 * statistics.stdev(values) / math.sqrt(len(values))


# -- as any other function -----------------------------------------------------------------------

def test_it_is_invoked_as_any_other_and_takes_what_the_model_says(modelled):
    name = deploy(modelled, FunctionModel(duration=0.25, init=0.5))
    began = modelled.cloud.seconds
    first, second = modelled.invoke(name), modelled.invoke(name)
    assert first.value is None and first.error is None
    assert "Duration: 250.00 ms" in first.log and "Init Duration: 500.00 ms" in first.log
    assert "Duration: 250.00 ms" in second.log and "Init Duration" not in second.log
    assert modelled.cloud.seconds - began == pytest.approx(1.0)
    assert len(modelled.environments(name)) == 1
    assert any("REPORT" in line for line in modelled.log_lines(name))


def test_its_code_runs_again_when_the_model_is_taken_away(modelled):
    name = deploy(modelled, FunctionModel(duration=1))
    assert modelled.invoke(name).value is None
    modelled.cloud.model(name, None)
    assert modelled.invoke(name).value == "code"
    assert len(modelled.environments(name)) == 2


@pytest.mark.parametrize("model, error_type, environments", [
    (FunctionModel(duration=1, errors=1), "ModelledError", 1),
    (FunctionModel(duration=1, crashes=1), "Runtime.ExitError", 2),
])
def test_an_error_leaves_the_environment_and_a_crash_ends_it(modelled, model, error_type,
                                                             environments):
    name = deploy(modelled, model)
    for _ in range(2):
        reply = modelled.invoke(name)
        assert reply.error == "Unhandled" and reply.value["errorType"] == error_type
    assert len(modelled.environments(name)) == environments


def test_the_timeout_cuts_it_off(modelled):
    name = deploy(modelled, FunctionModel(duration=5), Timeout=3)
    began = modelled.cloud.seconds
    reply = modelled.invoke(name)
    assert reply.error and "Task timed out after 3.00 seconds" in reply.log
    assert modelled.cloud.seconds - began == pytest.approx(3)


def test_an_init_of_more_than_ten_seconds_goes_on_under_the_timeout(modelled):
    name = deploy(modelled, FunctionModel(duration=1, init=12), Timeout=60)
    began = modelled.cloud.seconds
    reply = modelled.invoke(name)
    assert "INIT_REPORT Init Duration: 10000.00 ms" in reply.log and "13000.00 ms" in reply.log
    assert modelled.cloud.seconds - began == pytest.approx(23)


def test_it_needs_no_runtime_that_is_installed_here(modelled):
    name = modelled.deploy(SOURCE)
    modelled.client.update_function_configuration(FunctionName=name, Runtime="dotnetcore3.1")
    modelled.cloud.model(name, FunctionModel(duration=1))
    assert modelled.invoke(name).value is None


# -- by the thousand -----------------------------------------------------------------------------

def test_told_requests_are_in_trace_log_and_metrics(modelled):
    name = deploy(modelled, FunctionModel(duration=0.1))
    modelled.cloud.simulate(name, instants=range(50), every=10)
    assert len(modelled.cloud.trace.select("invoke.ended", function=name)) == 5
    assert len([line for line in modelled.log_lines(name) if line.startswith("REPORT")]) == 5
    before = len(modelled.cloud.trace)
    modelled.cloud.simulate(name, instants=range(50), every=0)
    assert len(modelled.cloud.trace) == before  # a warm environment, and nothing is told


def test_idle_environments_expire_under_simulation_too(modelled):
    name = deploy(modelled, FunctionModel(duration=0.1))
    tally = modelled.cloud.simulate(name, instants=[0, 599, 1300, 1301], every=0)
    assert tally.cold == 2  # at 0 s, and at 1,300 s: more than ten minutes after 599.1
    gone = modelled.cloud.trace.select("environment.shutdown", function=name)
    assert [event["reason"] for event in gone] == ["expired"]


def test_an_alias_shares_requests_out(modelled):
    name = deploy(modelled, FunctionModel(duration=0.01))
    modelled.client.publish_version(FunctionName=name)
    modelled.client.update_function_configuration(FunctionName=name, MemorySize=256)
    modelled.client.publish_version(FunctionName=name)
    modelled.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                                 RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    requests = 20_000
    tally = modelled.cloud.simulate(name, rate=100, requests=requests, qualifier="live", every=0)
    share, spread = tally.versions["2"] / requests, math.sqrt(0.1 * 0.9 / requests)
    assert abs(share - 0.1) < 4 * spread
    assert tally.versions["1"] + tally.versions["2"] == tally.served == requests


def test_errors_come_as_often_as_the_model_says(modelled):
    name = deploy(modelled, FunctionModel(duration=0.01, errors=0.2, crashes=0.1))
    tally = modelled.cloud.simulate(name, rate=100, requests=10_000, every=0)
    assert tally.statuses["error"] / 10_000 == pytest.approx(0.2, abs=0.02)
    assert tally.statuses["crash"] / 10_000 == pytest.approx(0.1, abs=0.015)
    assert tally.cold >= tally.statuses["crash"] - 1


@pytest.mark.parametrize("servers, load", [(4, 2.0), (8, 6.4), (8, 12.0), (50, 45.0)])
def test_the_throttle_rate_is_erlang_s(modelled, servers, load):
    """M/G/c/c: random arrivals, any service time, no queue. Ten replications, each from empty.

    Two service times of one mean: the formula doesn't mind which.
    """
    for duration in (exponential(1.0), constant(1.0)):
        name = deploy(modelled, FunctionModel(duration=duration), places=servers)
        found = [modelled.cloud.simulate(name, rate=load, requests=4000, every=0).throttle_rate
                 for _ in range(10)]
        mean, half = interval(found)
        filling_up = servers / load / 4000  # it begins empty: some of the first are never lost
        assert abs(mean - erlang_b(load, servers)) < half + filling_up
        assert half < 0.03  # an interval that says something


def test_cold_starts_are_as_likely_as_in_a_published_example(modelled):
    """SimFaaS's README: 0.9 requests a second, 1.991 s warm, 2.244 s cold, kept 600 s: 0.0014."""
    name = deploy(modelled, FunctionModel(duration=exponential(1.991),
                                          init=exponential(2.244 - 1.991)))
    modelled.cloud.simulate(name, rate=0.9, seconds=3600, every=0)
    found = [modelled.cloud.simulate(name, rate=0.9, requests=25_000, every=0).cold_rate
             for _ in range(8)]
    mean, half = interval(found)
    assert abs(mean - 0.0014) < half + 0.00005  # it is published with four digits
    assert half < 0.0006


@settings(deadline=None, max_examples=25)
@given(instants=st.lists(st.floats(0, 100), min_size=1, max_size=60).map(sorted),
       places=st.integers(0, 4), seconds=st.floats(0, 20), every=st.integers(0, 3))
def test_nothing_is_lost_and_no_place_is_held_twice(modelled, instants, places, seconds, every):
    name = deploy(modelled, FunctionModel(duration=seconds, init=0.1, crashes=0.2), places)
    tally = modelled.cloud.simulate(name, instants=instants, every=every)
    assert tally.requests == len(instants) == tally.served + tally.throttled.total()
    assert len(modelled.cloud.placement.environments(
        modelled.cloud.registry.latest("123456789012", "eu-west-2", name,
                                       action="lambda:GetFunction"))) <= places
    assert modelled.cloud.frontend.concurrency.running("123456789012", "eu-west-2") == 0


# -- what is refused -----------------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [
    {}, {"rate": 1}, {"rate": 0, "requests": 5}, {"rate": 1, "requests": 5, "seconds": 5},
    {"instants": [1], "rate": 1}, {"instants": [2, 1]}, {"instants": [1], "every": -1},
    {"instants": [math.inf]}, {"instants": [math.nan]}, {"instants": [-1]},
])
def test_arguments_that_say_nothing_or_too_much_are_refused(modelled, arguments):
    name = deploy(modelled, FunctionModel(duration=0.1))
    with pytest.raises(ValueError):
        modelled.cloud.simulate(name, **arguments)
    assert modelled.invoke(name).value is None  # and nothing is the worse for it


@pytest.mark.parametrize("wrong", [
    lambda: FunctionModel(duration=-1), lambda: FunctionModel(duration=1, errors=1.1),
    lambda: FunctionModel(duration=1, errors=0.6, crashes=0.6), lambda: exponential(0),
    lambda: uniform(3, 2), lambda: lognormal(2, 1), lambda: measured([]), lambda: constant(-1),
    lambda: measured([1, -1]), lambda: FunctionModel(duration=math.inf),
])
def test_models_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_what_is_no_model_and_what_is_no_modelled_function(modelled):
    name = modelled.deploy(SOURCE)
    with pytest.raises(TypeError):
        modelled.cloud.model(name, {"duration": 1})
    with pytest.raises(TypeError):
        FunctionModel(duration="1 s")
    with pytest.raises(ValueError, match="give it a model"):
        modelled.cloud.simulate(name, rate=1, requests=1)
    with pytest.raises(Exception, match="Function not found"):
        modelled.cloud.model("nobody", FunctionModel(duration=1))


def test_distributions_have_the_means_and_quantiles_they_say():
    import random
    draw = random.Random(5)
    sample = sorted(lognormal(0.2, 1.0)(draw) for _ in range(20_000))
    assert sample[10_000] == pytest.approx(0.2, rel=0.05)
    assert sample[19_800] == pytest.approx(1.0, rel=0.12)
    assert statistics.mean(exponential(2.0)(draw) for _ in range(20_000)) == pytest.approx(
        2.0, rel=0.05)
    assert {measured([1, 2, 3])(draw) for _ in range(100)} == {1, 2, 3}
    assert all(2 <= uniform(2, 3)(draw) <= 3 for _ in range(100))


def test_real_and_modelled_functions_share_the_account(modelled):
    """A simulated crowd takes the places that a real caller would have."""
    name = deploy(modelled, FunctionModel(duration=500))
    other = modelled.deploy(SOURCE)
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    crowd = modelled.cloud.simulate
    held = modelled.cloud.frontend.concurrency.unreserved("123456789012", "eu-west-2")
    seen = []
    real = deploy(modelled, FunctionModel(duration=lambda generator: seen.append(
        modelled.cloud.frontend.concurrency.running("123456789012", "eu-west-2")) or 0.1))
    crowd(real, instants=[0.0])
    assert seen == [1]
    waves = [60.0 * (number // 400) for number in range(held + 5)]  # no more than may scale out
    tally = crowd(name, instants=[120 + at * 2 for at in waves], every=0)
    assert tally.throttled == {"ConcurrentInvocationLimitExceeded": 5}
    assert json.loads(client.invoke(FunctionName=other)["Payload"].read()) == "code"
    with pytest.raises(ClientError):
        client.invoke(FunctionName="nobody")


def test_provisioned_environments_serve_simulated_requests_first(modelled):
    """A modelled function with provisioned concurrency: two ahead, the third request spills over."""
    name = deploy(modelled, FunctionModel(duration=1, init=0.5))
    modelled.client.publish_version(FunctionName=name)
    modelled.client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
    modelled.cloud.run(minutes=3)
    config = modelled.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert (config["Status"], config["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    for every in (0, 1):
        tally = modelled.cloud.simulate(name, instants=[0, 0, 0], qualifier="1", every=every)
        assert (tally.served, tally.cold) == (3, 1 - every)
        on_demand, ahead = 1024 ** -1 * 128 * 0.0000166667, 1024 ** -1 * 128 * 0.0000097222
        assert tally.cost == pytest.approx(2 * ahead + on_demand + 3 * 0.0000002, rel=1e-4)
    with pytest.raises(ValueError, match="provisioned"):
        modelled.cloud.model(name, None)


@pytest.mark.parametrize("every", [0, 1])
@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_a_distribution_that_gives_no_seconds_says_so_and_holds_no_place(modelled, wrong, every):
    name = deploy(modelled, FunctionModel(duration=lambda generator: wrong), places=1)
    began = modelled.cloud.seconds
    for _ in range(2):  # the place is free again
        with pytest.raises(ValueError, match="the model's duration gave"):
            modelled.cloud.simulate(name, instants=[0, 1], every=every)
    assert began <= modelled.cloud.seconds < began + 1000
    modelled.cloud.model(name, FunctionModel(duration=0.1))
    assert modelled.invoke(name).value is None


def test_a_new_function_of_the_name_runs_its_code(modelled):
    name = deploy(modelled, FunctionModel(duration=0.1))
    modelled.client.delete_function(FunctionName=name)
    assert modelled.deploy(SOURCE, name=name) == name
    assert modelled.invoke(name).value == "code"
