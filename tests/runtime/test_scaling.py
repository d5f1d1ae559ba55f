"""Provisioned concurrency, scaling rates and their metrics, each in a cloud of its own."""

import pytest

from minilambda import Cloud, views
from minilambda.rates import Rate

from .provision_shop import AHEAD, INIT, LATER, PREPARATION, Shop


@pytest.fixture
def alone():
    with Cloud(durations="modelled") as cloud:
        yield Shop(cloud)


def test_from_asked_for_to_spilled_over(alone):
    shop, name = alone, alone.published(alias="live")
    answer = shop.put(name, "live", 2)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["LastModified"] == "2020-03-02T09:00:00+0000" and "StatusReason" not in answer
    assert shop.counts(name, "live") == (2, 0, 0, "IN_PROGRESS")
    shop.cloud.run(seconds=PREPARATION + INIT - 0.01)
    assert shop.counts(name, "live") == (2, 0, 0, "IN_PROGRESS")
    shop.cloud.run(seconds=0.01)
    assert shop.counts(name, "live") == (2, 2, 2, "READY")
    assert len(shop.environments(name)) == 2
    reply = shop.invoke(name, 0, Qualifier="live")
    assert reply.value == [AHEAD, "1"] and "Init Duration" not in reply.log
    assert reply.log.count("REPORT") == 1 and "Duration: 1.40 ms" in reply.log
    # All names of the version are served by it; $LATEST never is.
    assert shop.invoke(name, 0, Qualifier="1").value == [AHEAD, "1"]
    assert shop.invoke(name, 0).value == [LATER, "$LATEST"]
    kinds = shop.kinds(*shop.together(name, "live", 1, 1, 1))
    assert sorted(kinds) == [LATER, AHEAD, AHEAD]
    shop.cloud.run(minutes=30)  # those on demand expire, these don't
    assert shop.shut(name) == ["expired"] * 2
    assert shop.kinds(shop.invoke(name, 0, Qualifier="live").value) == [AHEAD]
    assert [e["cold"] for e in shop.cloud.trace.select("invoke.started", function=name)].count(
        True) == 2  # $LATEST's and the one that spilled over
    spilled = shop.cloud.trace.select("request.spilled", function=name)
    assert [(e["qualifier"], e["version"]) for e in spilled] == [("live", "1")]
    picture = views.concurrency(shop.cloud, name)
    assert "served 5 requests; 1 spilled over" in str(picture.layout.meta)
    assert [line.name for line in picture.data].count("provisioned") == 1
    shop.client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert shop.shut(name) == ["expired"] * 2 + ["deprovisioned"] * 2
    [billed] = shop.cloud.trace.select("provisioned.billed", function=name)
    steps = -(-billed["seconds"] // 300)
    assert billed["cost"] == pytest.approx(2 * 128 / 1024 * steps * 300 * 0.0000041667)


def test_the_metrics_are_aws_s(alone):
    shop, name = alone, alone.published(alias="live")
    shop.put(name, "live", 4)
    shop.cloud.run(seconds=120)
    shop.together(name, "live", *[20] * 2)
    shop.together(name, "live", *[1] * 6)  # in the same minute: all four are busy, two are over
    shop.cloud.run(seconds=180)
    alias = {"FunctionName": name, "Resource": f"{name}:live"}
    assert shop.metric("ProvisionedConcurrencyInvocations", "Sum", **alias) == {120.0: 6.0}
    assert shop.metric("ProvisionedConcurrencyInvocations", "Sum") == {120.0: 6.0}
    for dimensions in ({}, alias, alias | {"ExecutedVersion": "1"}):
        assert list(shop.metric("ProvisionedConcurrencySpilloverInvocations", "Sum",
                                **dimensions).values()) == [2.0]
    assert shop.metric("ProvisionedConcurrencyUtilization", "Maximum", **alias) == {120.0: 1.0}
    assert shop.metric("ProvisionedConcurrentExecutions", "Maximum", **alias) == {120.0: 4.0}
    assert shop.metric("ConcurrentExecutions", "Maximum", FunctionName=name) == {120.0: 6.0}
    assert shop.metric("UnreservedConcurrentExecutions", "Maximum") == {120.0: 2.0}


def test_what_goes_on_for_minutes_has_a_point_in_each(alone):
    shop, name = alone, alone.published(alias="live", Timeout=900)
    shop.put(name, "live", 4)
    shop.cloud.run(seconds=90)
    shop.together(name, "live", 100, 1)
    shop.cloud.run(seconds=600)
    assert shop.metric("ProvisionedConcurrencyUtilization", "Maximum", FunctionName=name,
                       Resource=f"{name}:live") == {60.0: 0.5, 120.0: 0.25, 180.0: 0.25}
    assert shop.metric("ConcurrentExecutions", "Maximum") == {60.0: 2.0, 120.0: 1.0, 180.0: 1.0}


@pytest.mark.parametrize("limits, halfway", [("course", (3, 2, 2)), ("today", (3, 2, 0))])
def test_the_scaling_rate_holds_for_them_too(limits, halfway):
    """With a rate of two at once and two a minute the third starts half a minute later."""
    with Cloud(durations="modelled", limits=limits) as cloud:
        shop = Shop(cloud)
        cloud.frontend.concurrency._scaling = lambda region: Rate(2, 2, 60)
        name = shop.published()
        shop.put(name, "1", 3)
        cloud.run(seconds=PREPARATION + INIT)
        assert shop.counts(name, "1") == (*halfway, "IN_PROGRESS")
        cloud.run(seconds=30 - 0.01)
        assert shop.counts(name, "1") == (*halfway, "IN_PROGRESS")
        cloud.run(seconds=0.01)
        assert shop.counts(name, "1") == (3, 3, 3, "READY")


def test_environments_on_demand_start_no_faster_than_the_scaling_rate():
    with Cloud(durations="modelled") as cloud:
        shop = Shop(cloud)
        cloud.frontend.concurrency._scaling = lambda region: Rate(2, 2, 60)
        name = shop.published()
        answers = shop.together(name, "1", 1, 1, 1)
        assert sorted(map(str, answers)) == ["FunctionInvocationRateLimitExceeded",
                                             *[str([LATER, "1"])] * 2]
        assert len(shop.together(name, "1", 1, 1)) == 2  # warm ones may be used
        cloud.run(seconds=30)
        assert shop.together(name, "1", 1, 1, 1) == [[LATER, "1"]] * 3
        assert sum(shop.metric("Throttles", "Sum", FunctionName=name).values()) == 1


def test_the_same_seed_tells_the_same_story():
    def story():
        with Cloud(durations="modelled", seed=7) as cloud:
            shop = Shop(cloud)
            name = shop.published(alias="live")
            shop.put(name, "live", 3)
            cloud.run(minutes=2)
            shop.together(name, "live", 1, 2, "crash", 1, 2)
            shop.put(name, "live", 1)
            cloud.run(minutes=20)
            return [(e.at, e.kind, e.environment, dict(e.data)) for e in cloud.trace]

    assert story() == story()
