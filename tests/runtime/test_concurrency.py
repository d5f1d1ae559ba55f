"""Who gets a place to run: the account's concurrency, and what functions reserve of it."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from minilambda import Cloud
from minilambda.concurrency import ACCOUNT_FULL, FUNCTION_FULL, Concurrency, Lease
from minilambda.errors import LambdaError

from .conftest import Lab

SLEEP = """
import time

def handler(event, context):
    time.sleep(event)
    return event
"""
TOO_MUCH = ("Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100].")


@pytest.fixture(scope="module")
def shop():
    with Cloud(durations="modelled") as cloud:
        found = Lab(cloud)
        # An SDK tries again by itself; here each call is one request.
        found.client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
        yield found


@pytest.fixture
def make(shop):
    made = []

    def deploy():
        made.append(shop.deploy(SLEEP, Timeout=30))
        return made[-1]

    yield deploy
    for name in made:
        shop.client.delete_function(FunctionName=name)


def together(shop, calls):
    """(function, event) each, at one instant: the values, or the reasons for which there is none."""
    def call(name, event):
        try:
            return shop.invoke(name, event).value
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
            assert error.response["Error"]["Code"] == "TooManyRequestsException"
            return error.response["Reason"]

    with shop.cloud.hold(len(calls)), ThreadPoolExecutor(len(calls)) as callers:
        return list(callers.map(call, *zip(*calls, strict=True)))


def reserve(shop, name, places):
    return shop.client.put_function_concurrency(
        FunctionName=name, ReservedConcurrentExecutions=places)


def unreserved(shop):
    return shop.client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]


def test_a_reservation_is_a_limit(shop, make):
    name = make()
    assert reserve(shop, name, 2)["ReservedConcurrentExecutions"] == 2
    answers = together(shop, [(name, 1)] * 5)
    assert sorted(map(str, answers)) == ["1"] * 2 + [FUNCTION_FULL] * 3
    assert [e["reason"] for e in shop.cloud.trace.select("request.throttled", function=name)] == (
        [FUNCTION_FULL] * 3)
    assert together(shop, [(name, 0)] * 2) == [0, 0]  # the places have come back


def test_none_at_all_is_an_emergency_stop(shop, make):
    name = make()
    reserve(shop, name, 0)
    assert together(shop, [(name, 0)]) == [FUNCTION_FULL]
    assert shop.environments(name) == []
    shop.client.delete_function_concurrency(FunctionName=name)
    assert together(shop, [(name, 0)]) == [0]


def test_what_is_reserved_is_seen_changed_and_taken_back(shop, make):
    name, client = make(), shop.client
    seen = lambda: client.get_function_concurrency(FunctionName=name).get(  # noqa: E731
        "ReservedConcurrentExecutions")
    before = client.get_function_configuration(FunctionName=name)["RevisionId"]
    assert seen() is None and "Concurrency" not in client.get_function(FunctionName=name)
    reserve(shop, name, 20)
    reserve(shop, name, 30)
    assert seen() == 30 and unreserved(shop) == 970
    assert client.get_function(FunctionName=name)["Concurrency"] == {
        "ReservedConcurrentExecutions": 30}
    client.delete_function_concurrency(FunctionName=name)
    client.delete_function_concurrency(FunctionName=name)
    assert seen() is None and unreserved(shop) == 1000
    assert client.get_function_configuration(FunctionName=name)["RevisionId"] == before


def test_a_hundred_must_stay_unreserved(shop, make):
    one, other = make(), make()
    reserve(shop, one, 900)
    with pytest.raises(ClientError) as refused:
        reserve(shop, other, 1)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert refused.value.response["Error"]["Message"] == TOO_MUCH
    with pytest.raises(ClientError, match="below its minimum value"):
        reserve(shop, one, 901)
    reserve(shop, one, 899)  # its own places count as free for it
    reserve(shop, other, 1)
    assert unreserved(shop) == 100


def test_a_deleted_function_s_places_are_everybody_s_again(shop):
    name = shop.deploy(SLEEP)
    reserve(shop, name, 500)
    shop.client.delete_function(FunctionName=name)
    assert unreserved(shop) == 1000
    again = shop.deploy(SLEEP, name=name)
    assert "Concurrency" not in shop.client.get_function(FunctionName=again)


@pytest.mark.parametrize("places", [-1, "many"])
def test_what_is_no_number_of_places_is_refused(shop, make, places):
    client = boto3.client("lambda", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as refused:
        client.put_function_concurrency(FunctionName=make(), ReservedConcurrentExecutions=places)
    assert refused.value.response["Error"]["Code"] in (
        "ValidationException", "SerializationException")


def test_of_a_function_that_is_not_there(shop):
    for call in (shop.client.get_function_concurrency, shop.client.delete_function_concurrency):
        with pytest.raises(shop.client.exceptions.ResourceNotFoundException):
            call(FunctionName="nobody")


# -- the ledger itself -------------------------------------------------------------------------------

def function(name, region="a"):
    return SimpleNamespace(account="1", region=region, name=name, version="$LATEST")


steps = st.lists(st.one_of(
    st.tuples(st.just("take"), st.sampled_from("fgh"), st.sampled_from("ab")),
    st.tuples(st.just("give"), st.sampled_from("fgh"), st.sampled_from("ab")),
    st.tuples(st.just("reserve"), st.sampled_from("fg"), st.integers(0, 8)),
    st.tuples(st.just("release"), st.sampled_from("fg"), st.just(None))), max_size=60)


@given(st.integers(1, 8), st.integers(0, 3), steps)
def test_the_ledger_keeps_to_its_rules(limit, minimum, steps):
    """Against the plainest account of the rules: lists of leases, and a table of reservations."""
    ledger, held, table = Concurrency(limit, minimum), {}, {}
    for what, name, value in steps:
        if what == "take":
            key, lease = (name, value), ledger.take(function(name, value))
            places = table.get(name) if value == "a" else None
            everybody = sum(len(leases) for (_, region), leases in held.items() if region == value)
            if places is not None:
                expected = (FUNCTION_FULL if len(held.get(key, [])) >= places else
                            ACCOUNT_FULL if everybody >= limit else None)
            else:
                reserved = table if value == "a" else {}
                running = sum(len(leases) for (n, region), leases in held.items()
                              if region == value and n not in reserved)
                expected = ACCOUNT_FULL if running >= limit - sum(reserved.values()) else None
            assert (lease == expected) if expected else isinstance(lease, Lease)
            if expected is None:
                held.setdefault(key, []).append(lease)
        elif what == "give" and held.get((name, value)):
            ledger.give_back(held[name, value].pop())
        elif what == "reserve":
            left = limit - sum(n for other, n in table.items() if other != name) - value
            if left < minimum:
                with pytest.raises(LambdaError, match="UnreservedConcurrentExecution"):
                    ledger.reserve(function(name), value)
            else:
                ledger.reserve(function(name), value)
                table[name] = value
        elif what == "release":
            ledger.release(function(name))
            table.pop(name, None)
        assert ledger.unreserved("1", "a") == limit - sum(table.values())
        assert ledger.running("1", "a") == sum(
            len(leases) for (_, region), leases in held.items() if region == "a")


def test_a_lease_says_whose_it_is():
    lease = Concurrency(1).take(function("f", "b"))
    assert (lease.account, lease.region, lease.function) == ("1", "b", "f")
    assert lease.places is lease.spilled is None
