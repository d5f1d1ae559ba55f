"""Versions that never change, and aliases that send requests to them."""

import json
from collections import Counter

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda import Cloud

from .conftest import Lab

APP = """
import os

def handler(event, context):
    return ["{}", context.function_version, context.invoked_function_arn.split(":", 6)[6],
            os.environ["AWS_LAMBDA_FUNCTION_VERSION"], context.log_stream_name.split("]")[0]]
"""


class Shop(Lab):
    def change(self, name, text):
        self.client.update_function_code(FunctionName=name, ZipFile=self.archive(APP.replace("{}", text)))

    def publish(self, name, text=None, **options):
        if text is not None:
            self.change(name, text)
        return self.client.publish_version(FunctionName=name, **options)

    def says(self, name, qualifier=None, **options):
        more = {"Qualifier": qualifier} if qualifier else {}
        return self.invoke(name, **more, **options).value[0]

    def alias(self, name, alias, version, **weights):
        routing = {"AdditionalVersionWeights": {k[1:]: w for k, w in weights.items()}}
        return self.client.create_alias(
            FunctionName=name, Name=alias, FunctionVersion=version,
            **({"RoutingConfig": routing} if weights else {}))


@pytest.fixture(scope="module")
def shop():
    with Cloud(durations="modelled") as cloud:
        yield Shop(cloud)


@pytest.fixture
def name(shop):
    return shop.deploy(APP.replace("{}", "zero"))


def refused(call, *given, **named):
    with pytest.raises(ClientError) as caught:
        call(*given, **named)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def arn(shop, name, qualifier):
    return f"arn:aws:lambda:eu-west-2:123456789012:function:{name}:{qualifier}"


def test_a_version_stays_as_it_was(shop, name):
    one = shop.publish(name, "one")
    shop.client.update_function_configuration(FunctionName=name, MemorySize=256, Timeout=9)
    two = shop.publish(name, "two")
    assert (one["Version"], two["Version"]) == ("1", "2")
    assert one["FunctionArn"] == arn(shop, name, "1")
    shop.change(name, "three")
    assert [shop.says(name, q) for q in ("1", "2", "$LATEST", None)] == [
        "one", "two", "three", "three"]
    found = shop.client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (found["MemorySize"], found["Timeout"], found["Version"]) == (128, 3, "1")
    assert found["CodeSha256"] == one["CodeSha256"] != two["CodeSha256"]
    assert len({found["RevisionId"], two["RevisionId"], shop.client.get_function_configuration(
        FunctionName=name)["RevisionId"]}) == 3


def test_what_a_handler_sees_of_its_version(shop, name):
    shop.publish(name, "one")
    shop.alias(name, "live", "1")
    _, version, called, variable, stream = shop.invoke(name, Qualifier="live").value
    assert (version, called, variable) == ("1", f"{name}:live", "1")
    assert stream.endswith("[1")
    assert shop.invoke(name).value[1:4] == ["$LATEST", name, "$LATEST"]
    reply = shop.invoke(name, Qualifier="live")
    assert reply.raw["ExecutedVersion"] == "1"
    assert f"START RequestId: {reply.raw['ResponseMetadata']['RequestId']} Version: 1" in reply.log


@pytest.mark.parametrize("form", ["{name}:live", "123456789012:function:{name}:live",
                                  "arn:aws:lambda:eu-west-2:123456789012:function:{name}:live"])
def test_an_alias_in_the_function_s_name(shop, name, form):
    shop.publish(name, "one")
    shop.alias(name, "live", "1")
    shop.change(name, "two")
    assert shop.says(form.format(name=name)) == "one"
    code, message = refused(shop.client.invoke, FunctionName=form.format(name=name), Qualifier="1")
    assert code == "InvalidParameterValueException" and "derived qualifier" in message


def test_nothing_changed_nothing_published(shop, name):
    assert shop.publish(name)["Version"] == "1"
    assert shop.publish(name, Description="again")["Version"] == "1"
    shop.client.update_function_configuration(FunctionName=name, Timeout=4)
    assert shop.publish(name, Description="slower")["Description"] == "slower"
    shop.client.update_function_configuration(FunctionName=name, Timeout=3)
    assert shop.publish(name)["Version"] == "3"
    versions = shop.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST", "1", "2", "3"]
    assert versions[0]["FunctionArn"] == arn(shop, name, "$LATEST") and "State" not in versions[0]


def test_publishing_while_creating_and_while_changing(shop):
    made = shop.client.create_function(
        FunctionName="at-once", Runtime="python3.8", Role=shop.role, Handler="app.handler",
        Code={"ZipFile": shop.archive(APP)}, Publish=True)
    # (As recorded from AWS: the version's number, and the function's ARN.)
    assert (made["Version"], made["FunctionArn"]) == (
        "1", arn(shop, "at-once", "1").removesuffix(":1"))
    changed = shop.client.update_function_code(
        FunctionName="at-once", ZipFile=shop.archive(APP + "#"), Publish=True)
    assert changed["Version"] == "2"
    shop.client.update_function_code(
        FunctionName="at-once", ZipFile=shop.archive(APP), Publish=True, DryRun=True)
    assert len(shop.client.list_versions_by_function(FunctionName="at-once")["Versions"]) == 3


def test_publish_what_you_have_seen(shop, name):
    seen = shop.client.get_function_configuration(FunctionName=name)
    shop.change(name, "one")
    now = shop.client.get_function_configuration(FunctionName=name)
    assert refused(shop.publish, name, CodeSha256=seen["CodeSha256"]) == (
        "InvalidParameterValueException",
        f"CodeSHA256 ({seen['CodeSha256']}) is different from current CodeSHA256 in $LATEST "
        f"({now['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")
    assert refused(shop.publish, name, RevisionId=seen["RevisionId"])[0] == (
        "PreconditionFailedException")
    assert shop.publish(name, CodeSha256=now["CodeSha256"], RevisionId=now["RevisionId"])[
        "Version"] == "1"


def test_a_version_s_environments_live_on_when_latest_changes(shop, name):
    shop.publish(name, "one")
    for qualifier in ("1", "$LATEST"):
        shop.says(name, qualifier)
    shop.change(name, "two")
    for qualifier in ("1", "$LATEST"):
        shop.says(name, qualifier)
    created = shop.cloud.trace.select("environment.created", function=name)
    assert [e["version"] for e in created] == ["1", "$LATEST", "$LATEST"]


def test_an_alias_moves(shop, name):
    shop.publish(name, "one")
    shop.publish(name, "two")
    made = shop.alias(name, "live", "1")
    assert made["AliasArn"] == arn(shop, name, "live") and "RoutingConfig" not in made
    assert shop.says(name, "live") == "one"
    moved = shop.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert shop.says(name, "live") == "two"
    assert moved["RevisionId"] != made["RevisionId"]
    assert refused(shop.client.update_alias, FunctionName=name, Name="live",
                   RevisionId=made["RevisionId"], Description="late")[0] == (
        "PreconditionFailedException")
    found = shop.client.get_alias(FunctionName=name, Name="live")
    assert (found["FunctionVersion"], found["Description"]) == ("2", "")
    shop.client.delete_alias(FunctionName=name, Name="live")
    shop.client.delete_alias(FunctionName=name, Name="live")
    assert refused(shop.client.get_alias, FunctionName=name, Name="live") == (
        "ResourceNotFoundException", f"Cannot find alias arn: {arn(shop, name, 'live')}")
    assert refused(shop.client.invoke, FunctionName=name, Qualifier="live") == (
        "ResourceNotFoundException", f"Function not found: {arn(shop, name, 'live')}")


def test_a_canary_gets_its_share(shop, name):
    shop.publish(name, "old")
    shop.publish(name, "new")
    shop.alias(name, "live", "1", v2=0.2)
    served = [shop.invoke(name, Qualifier="live") for _ in range(150)]
    counts = Counter(reply.value[0] for reply in served)
    assert 15 <= counts["new"] <= 48  # 30 are due; outside of this it's one seed in a thousand
    assert {(r.value[0], r.raw["ExecutedVersion"]) for r in served} == {
        ("old", "1"), ("new", "2")}
    assert {r.value[2] for r in served} == {f"{name}:live"}
    shop.client.update_alias(FunctionName=name, Name="live",
                             RoutingConfig={"AdditionalVersionWeights": {}})
    assert {shop.says(name, "live") for _ in range(20)} == {"old"}


def test_what_an_alias_can_t_be(shop, name):
    shop.publish(name, "one")
    shop.publish(name, "two")
    shop.alias(name, "live", "1")
    invalid = "InvalidParameterValueException"
    assert refused(shop.alias, name, "live", "2") == (
        "ResourceConflictException", f"Alias already exists: {arn(shop, name, 'live')}")
    assert refused(shop.alias, name, "next", "9") == (
        "ResourceNotFoundException", f"Function not found: {arn(shop, name, '9')}")
    assert refused(shop.alias, name, "next", "1", v9=0.5)[0] == "ResourceNotFoundException"
    assert refused(shop.alias, name, "next", "live")[0] == "ValidationException"  # alias on alias
    assert refused(shop.alias, name, "77", "1")[0] == "ValidationException"
    assert refused(shop.alias, name, "next", "1", v2=1.5) == (
        "ValidationException",
        "1 validation error detected: Value '{2=1.5}' at 'routingConfig.additionalVersionWeights' "
        "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value "
        "less than or equal to 1.0, Member must have value greater than or equal to 0.0, "
        "Member must not be null]")
    assert refused(shop.alias, name, "next", "$LATEST", v2=0.5) == (
        invalid, "$LATEST is not supported for an alias pointing to more than 1 version")
    assert refused(shop.alias, name, "next", "1", v1=0.5)[1].startswith("Invalid function version 1.")
    assert refused(shop.alias, name, "next", "1", v1=0.5, v2=0.2)[1] == (
        "Number of items in AdditionalVersionWeights cannot be greater than 1")
    assert [a["Name"] for a in shop.client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]


def test_an_alias_may_follow_latest(shop, name):
    shop.alias(name, "dev", "$LATEST")
    shop.change(name, "newest")
    assert shop.says(name, "dev") == "newest"


def test_versions_of_two_roles_share_no_alias(shop, name):
    shop.publish(name, "one")
    document = boto3.client("iam").get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]
    other = boto3.client("iam").create_role(
        RoleName=f"other-{name}", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    shop.client.update_function_configuration(FunctionName=name, Role=other)
    shop.publish(name, "two")
    code, message = refused(shop.alias, name, "live", "1", v2=0.5)
    assert code == "InvalidParameterValueException" and "execution role" in message


def test_a_version_in_use_can_t_be_deleted(shop, name):
    for text in ("one", "two", "three"):
        shop.publish(name, text)
    shop.alias(name, "live", "1", v2=0.1)
    delete = lambda qualifier: shop.client.delete_function(  # noqa: E731
        FunctionName=name, Qualifier=qualifier)
    for number in ("1", "2"):
        assert refused(delete, number) == (
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]")
    assert refused(delete, "live") == (
        "InvalidParameterValueException", "Deletion of aliases is not currently supported.")
    assert delete("9")["ResponseMetadata"]["HTTPStatusCode"] == 204  # as AWS: it isn't there
    shop.says(name, "3")
    delete("3")
    assert refused(shop.client.invoke, FunctionName=name, Qualifier="3")[0] == (
        "ResourceNotFoundException")
    assert shop.publish(name, "four")["Version"] == "4"  # a number is never given out again
    ended = shop.cloud.trace.select("environment.shutdown", function=name)
    assert [e["reason"] for e in ended] == ["deleted"]


def test_with_the_function_go_its_versions_and_aliases(shop, name):
    shop.publish(name, "one")
    shop.alias(name, "live", "1")
    shop.says(name, "live")
    shop.says(name)
    shop.client.delete_function(FunctionName=name)
    shop.deploy(APP, name=name)
    assert shop.client.list_aliases(FunctionName=name)["Aliases"] == []
    assert refused(shop.client.get_function, FunctionName=name, Qualifier="1")[0] == (
        "ResourceNotFoundException")
    assert shop.publish(name)["Version"] == "2"
    assert len(shop.cloud.trace.select("environment.shutdown", function=name)) == 2


def test_a_qualifier_where_a_function_as_a_whole_is_meant(shop, name):
    shop.publish(name, "one")
    for call, more in ((shop.client.update_function_configuration, {"Timeout": 4}),
                       (shop.client.publish_version, {}),
                       (shop.client.list_aliases, {})):
        assert refused(call, FunctionName=f"{name}:1", **more)[0] == (
            "InvalidParameterValueException")
    code, message = refused(shop.client.tag_resource, Resource=arn(shop, name, "1"), Tags={"a": "b"})
    assert code == "InvalidParameterValueException" and message.startswith("Tags on function aliases")


def test_pages(shop, name):
    for n in range(5):
        shop.publish(name, str(n))
        shop.alias(name, f"a{n}", str(n + 1))
    pages = shop.client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2})
    assert [[v["Version"] for v in page["Versions"]] for page in pages] == [
        ["$LATEST", "1"], ["2", "3"], ["4", "5"]]
    pages = shop.client.get_paginator("list_aliases").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2})
    assert [[a["Name"] for a in page["Aliases"]] for page in pages] == [
        ["a0", "a1"], ["a2", "a3"], ["a4"]]
    [only] = shop.client.list_aliases(FunctionName=name, FunctionVersion="3")["Aliases"]
    assert only["Name"] == "a2"
    every = [f for page in shop.client.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", PaginationConfig={"PageSize": 3}) for f in page["Functions"]]
    assert [f["Version"] for f in every if f["FunctionName"] == name] == [
        "$LATEST", "1", "2", "3", "4", "5"]
    assert len({f["FunctionArn"] for f in every}) == len(every)


def test_versions_take_storage(shop, name):
    usage = lambda: shop.client.get_account_settings()["AccountUsage"]["TotalCodeSize"]  # noqa: E731
    before = usage()
    size = shop.publish(name)["CodeSize"]
    assert usage() == before + size


actions = st.lists(st.one_of(
    st.tuples(st.just("change"), st.sampled_from("abc")), st.tuples(st.just("publish"), st.none()),
    st.tuples(st.just("delete"), st.integers(1, 6)),
    st.tuples(st.just("alias"), st.integers(1, 6)), st.tuples(st.just("unalias"), st.none())),
    max_size=14)


@settings(max_examples=12, deadline=None)
@given(actions)
def test_every_version_says_what_was_published(shop, steps):
    """Against the plainest account: a list of texts by number, and one alias."""
    name = shop.deploy(APP.replace("{}", "start"))
    text, last, versions, given, alias = "start", None, {}, 0, None
    for what, value in steps:
        if what == "change":
            shop.change(name, value)
            text = value
        elif what == "publish":
            number = shop.publish(name)["Version"]
            if last is None or last != text or str(given) not in versions:
                given += 1
                versions[str(given)] = last = text
            assert number == str(given)
        elif what == "delete":
            delete = (shop.client.delete_function, {"FunctionName": name, "Qualifier": str(value)})
            if str(value) not in versions:
                delete[0](**delete[1])  # as AWS, which doesn't mind
            elif alias == str(value):
                assert refused(delete[0], **delete[1])[0] == "ResourceConflictException"
            else:
                delete[0](**delete[1])
                del versions[str(value)]
        elif what == "alias" and str(value) in versions:
            (shop.alias(name, "it", str(value)) if alias is None else shop.client.update_alias(
                FunctionName=name, Name="it", FunctionVersion=str(value)))
            alias = str(value)
        elif what == "unalias":
            shop.client.delete_alias(FunctionName=name, Name="it")
            alias = None
    found = shop.client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in found] == ["$LATEST", *versions]
    for number, expected in versions.items():
        assert shop.says(name, number) == expected
    if alias is not None:
        assert shop.says(name, "it") == versions[alias]
    shop.client.delete_function(FunctionName=name)


def test_the_same_seed_shares_out_alike():
    def story():
        with Cloud(durations="modelled", seed=7) as cloud:
            shop = Shop(cloud)
            name = shop.deploy(APP)
            shop.publish(name, "old")
            shop.publish(name, "new")
            shop.alias(name, "live", "1", v2=0.5)
            return [shop.says(name, "live") for _ in range(20)]

    first = story()
    assert first == story() and set(first) == {"old", "new"}
