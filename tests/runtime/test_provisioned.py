"""Provisioned concurrency as boto3 sees it: how it changes, what AWS refuses."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda import Cloud, views

from .provision_shop import AHEAD, BAD, CODE, INIT, LATER, PREPARATION, Shop


@pytest.fixture(scope="module")
def shop():
    with Cloud(durations="modelled") as cloud:
        yield Shop(cloud)


def refused(call, *arguments):
    with pytest.raises(ClientError) as error:
        call(*arguments)
    return error.value.response["Error"]


def test_an_alias_takes_its_environments_along(shop):
    name = shop.published(alias="live")
    shop.put(name, "live", 1)
    shop.cloud.run(minutes=2)
    shop.client.update_function_code(FunctionName=name, ZipFile=shop.archive(CODE + "\n# newer"))
    shop.client.publish_version(FunctionName=name)
    shop.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert shop.shut(name) == ["deprovisioned"]
    assert shop.counts(name, "live") == (1, 0, 0, "IN_PROGRESS")
    assert shop.invoke(name, 0, Qualifier="live").value == [LATER, "2"]
    shop.cloud.run(minutes=2)
    assert shop.counts(name, "live") == (1, 1, 1, "READY")
    assert shop.invoke(name, 0, Qualifier="live").value == [AHEAD, "2"]
    assert shop.invoke(name, 0, Qualifier="1").value == [LATER, "1"]
    shop.client.delete_alias(FunctionName=name, Name="live")
    assert shop.invoke(name, 0, Qualifier="2").value == [LATER, "2"]
    assert shop.client.list_provisioned_concurrency_configs(FunctionName=name)[
        "ProvisionedConcurrencyConfigs"] == []


def test_an_init_that_fails_fails_it(shop):
    name = shop.published(BAD, alias="live")
    shop.put(name, "live", 2)
    shop.cloud.run(minutes=2)
    found = shop.get(name, "live")
    assert (found["Status"], found["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert shop.counts(name, "live") == (2, 0, 0, "FAILED")
    assert shop.shut(name) == ["init-error"] * 2
    shop.client.update_function_code(FunctionName=name, ZipFile=shop.archive(CODE))
    shop.client.publish_version(FunctionName=name)
    shop.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    shop.cloud.run(minutes=2)
    assert shop.counts(name, "live") == (2, 2, 2, "READY")
    assert "StatusReason" not in shop.get(name, "live")


def test_an_init_that_takes_too_long_fails_it(shop):
    """It has 130 s, or the function's timeout if that is longer, instead of ten."""
    name = shop.published("import time\ntime.sleep(200)\nhandler = print", Timeout=3)
    shop.put(name, "1", 1)
    shop.cloud.run(seconds=PREPARATION + 130 - 0.01)
    assert shop.counts(name, "1") == (1, 0, 0, "IN_PROGRESS")
    shop.cloud.run(seconds=0.01)
    assert shop.get(name, "1")["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    [line] = shop.log_lines(name)
    assert line == "INIT_REPORT Init Duration: 130000.00 ms\tPhase: init\tStatus: timeout\t"


def test_one_that_crashes_is_replaced(shop):
    name = shop.published()
    shop.put(name, "1", 1)
    shop.cloud.run(minutes=2)
    assert shop.invoke(name, "crash", Qualifier="1").error == "Unhandled"
    assert shop.counts(name, "1") == (1, 0, 0, "READY")
    shop.cloud.run(seconds=INIT)
    assert shop.counts(name, "1") == (1, 1, 1, "READY")
    assert shop.invoke(name, 0, Qualifier="1").value == [AHEAD, "1"]


def test_more_and_fewer(shop):
    name = shop.published()
    shop.put(name, "1", 1)
    shop.cloud.run(minutes=2)
    shop.put(name, "1", 3)
    assert shop.counts(name, "1") == (3, 1, 1, "IN_PROGRESS")  # what there is goes on serving
    shop.cloud.run(minutes=2)
    assert shop.counts(name, "1") == (3, 3, 3, "READY")
    shop.put(name, "1", 2)
    assert shop.shut(name) == ["deprovisioned"]
    shop.cloud.run(minutes=2)
    assert shop.counts(name, "1") == (2, 2, 2, "READY")


FEWER = """
import boto3, time

def handler(event, context):
    if event == "fewer":
        boto3.client("lambda").put_provisioned_concurrency_config(
            FunctionName=context.function_name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    else:
        time.sleep(event)
"""


def test_a_busy_one_that_is_too_many_ends_when_it_is_done(shop):
    name = shop.published(FEWER)
    shop.put(name, "1", 2)
    shop.cloud.run(minutes=2)
    assert shop.together(name, "1", "fewer", 5) == [None, None]
    [ended] = shop.cloud.trace.select("environment.shutdown", function=name)
    served = [e.at for e in shop.cloud.trace.select("invoke.ended", function=name)]
    assert ended["reason"] == "deprovisioned" and ended.at == min(served) < max(served)
    shop.cloud.run(minutes=2)
    assert shop.counts(name, "1") == (1, 1, 1, "READY") and len(shop.shut(name)) == 1


def test_a_deleted_version_s_and_a_deleted_function_s_are_gone(shop):
    free = lambda: shop.client.get_account_settings()["AccountLimit"][  # noqa: E731
        "UnreservedConcurrentExecutions"]
    name, before = shop.published(), free()
    shop.put(name, "1", 2)
    assert free() == before - 2
    shop.cloud.run(minutes=2)
    shop.client.delete_function(FunctionName=name, Qualifier="1")
    assert free() == before and shop.shut(name) == ["deprovisioned"] * 2
    name = shop.published(alias="live")
    shop.put(name, "live", 2)
    shop.cloud.run(seconds=PREPARATION + 1)  # in the middle of Init
    shop.client.delete_function(FunctionName=name)
    shop.cloud.run(minutes=2)
    assert free() == before and shop.shut(name) == ["deprovisioned"] * 2


def test_ten_requests_a_second_for_each_reserved_place(shop):
    name = shop.deploy("def handler(event, context): return event")
    shop.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    shop.invoke(name, 0)
    shop.cloud.run(seconds=1)
    for number in range(10):
        assert shop.invoke(name, number).value == number
    with pytest.raises(ClientError) as refused:
        shop.invoke(name, 0)
    assert refused.value.response["Reason"] == "ReservedFunctionInvocationRateLimitExceeded"
    shop.cloud.run(seconds=0.1)
    assert shop.invoke(name, 0).value == 0


def test_not_on_what_isn_t_published(shop):
    name = shop.published()
    shop.client.create_alias(FunctionName=name, Name="dev", FunctionVersion="$LATEST")
    for qualifier in ("$LATEST", "dev"):
        error = refused(shop.put, name, qualifier, 1)
        assert error["Code"] == "InvalidParameterValueException"
        assert error["Message"] == ("Provisioned Concurrency Configs cannot be applied to unpublished "
                                    "function versions.")
    assert refused(shop.put, name, "7", 1)["Code"] == "ResourceNotFoundException"
    assert refused(shop.put, name, "nobody", 1)["Code"] == "ResourceNotFoundException"
    careless = boto3.client("lambda", config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match="Member must have value greater than or equal to 1"):
        careless.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=0)
    assert refused(shop.get, name, "1") == {
        "Code": "ProvisionedConcurrencyConfigNotFoundException",
        "Message": "No Provisioned Concurrency Config found for this function"}
    with pytest.raises(shop.client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        shop.get(name, "1")
    assert refused(shop.get, name, "$LATEST")["Message"].endswith("a published version.")
    shop.client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")


def test_not_on_an_alias_and_its_version_both(shop):
    name = shop.published(alias="live")
    shop.put(name, "live", 1)
    error = refused(shop.put, name, "1", 1)
    assert (error["Code"], error["Message"]) == (
        "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
    shop.client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    shop.put(name, "1", 1)
    error = refused(shop.put, name, "live", 1)
    assert (error["Code"], error["Message"]) == (
        "ResourceConflictException", "Alias can't be used for Provisioned Concurrency configuration "
                                     "on an already Provisioned version")
    # Nor by moving an alias that has some.
    shop.client.update_function_configuration(FunctionName=name, Timeout=9)
    shop.client.publish_version(FunctionName=name)
    shop.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    shop.put(name, "live", 1)
    move = lambda version: shop.client.update_alias(  # noqa: E731
        FunctionName=name, Name="live", FunctionVersion=version)
    assert refused(move, "1")["Code"] == "ResourceConflictException"
    assert refused(move, "$LATEST")["Code"] == "InvalidParameterValueException"
    shop.client.create_alias(FunctionName=name, Name="canary", FunctionVersion="2", RoutingConfig={
        "AdditionalVersionWeights": {"1": 0.5}})
    assert refused(shop.put, name, "canary", 1)["Message"] == (
        "Alias with weights can not be used with Provisioned Concurrency")
    shop.client.delete_function(FunctionName=name)


def test_not_more_than_there_is(shop):
    name = shop.published(alias="live")
    shop.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    error = refused(shop.put, name, "live", 4)
    assert error == {"Code": "InvalidParameterValueException", "Message": (
        "Requested Provisioned Concurrency should not be greater than the "
        "reservedConcurrentExecution for function")}
    shop.put(name, "live", 3)
    reserve = lambda places: shop.client.put_function_concurrency(  # noqa: E731
        FunctionName=name, ReservedConcurrentExecutions=places)
    assert refused(reserve, 2)["Code"] == "InvalidParameterValueException"
    shop.cloud.run(minutes=2)
    # With all that is reserved provisioned nothing is left for $LATEST.
    answers = shop.together(name, "$LATEST", 0)
    assert answers == ["ReservedFunctionConcurrentInvocationLimitExceeded"]
    answers = shop.together(name, "live", 1, 1, 1, 1)
    assert sorted(map(str, answers)) == ["ReservedFunctionConcurrentInvocationLimitExceeded",
                                         *[str([AHEAD, "1"])] * 3]
    shop.client.delete_function(FunctionName=name)
    name = shop.published()
    assert "below its minimum value of [100]" in refused(shop.put, name, "1", 901)["Message"]
    assert "greater than account's unreserved concurrency" in refused(
        shop.put, name, "1", 1001)["Message"]


def test_a_list_of_them_in_pages(shop):
    name = shop.published(alias="live")
    shop.client.update_function_configuration(FunctionName=name, Timeout=9)
    shop.client.publish_version(FunctionName=name)
    shop.put(name, "live", 1)
    shop.put(name, "2", 2)
    pages = shop.client.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1})
    found = [config for page in pages for config in page["ProvisionedConcurrencyConfigs"]]
    assert [(c["FunctionArn"].split(":")[-1], c["RequestedProvisionedConcurrentExecutions"])
            for c in found] == [("2", 2), ("live", 1)]
    shop.client.delete_function(FunctionName=name)


def test_a_panel_s_control_of_it_works(shop):
    name = shop.published(alias="live")
    panel = views.panel(shop.cloud, name, 0, qualifier="live", record=False,
                        controls={"ProvisionedConcurrentExecutions": [None, 2]})
    assert LATER in panel.shown.document
    panel.turn("ProvisionedConcurrentExecutions", 2)
    assert AHEAD in panel.shown.document and panel.shown.init_ms is None
    panel.turn("ProvisionedConcurrentExecutions", None)
    assert LATER in panel.shown.document
