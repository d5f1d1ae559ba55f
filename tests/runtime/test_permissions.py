"""Policies of functions, versions and aliases: who may invoke them, and by which name."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from minilambda import Cloud
from minilambda.policy import Asking, Policy

from .conftest import Lab

APP = "def handler(event, context):\n    return event\n"
ARN = "arn:aws:lambda:eu-west-2:123456789012:function:"


@pytest.fixture(scope="module")
def shop():
    with Cloud(durations="modelled") as cloud:
        yield Lab(cloud)


@pytest.fixture
def name(shop):
    found = shop.deploy(APP)
    shop.client.publish_version(FunctionName=found)
    shop.client.create_alias(FunctionName=found, Name="live", FunctionVersion="1")
    return found


def refused(call, **named):
    with pytest.raises(ClientError) as caught:
        call(**named)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def allow(shop, name, sid="one", principal="s3.amazonaws.com", **more):
    return json.loads(shop.client.add_permission(
        FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction", Principal=principal,
        **more)["Statement"])


def policy(shop, name, **more):
    return json.loads(shop.client.get_policy(FunctionName=name, **more)["Policy"])


def of_account(account, service="lambda"):
    keys = boto3.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/any", RoleSessionName="test")["Credentials"]
    return boto3.client(service, aws_access_key_id=keys["AccessKeyId"],
                        aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"])


def test_a_bucket_may_invoke(shop, name):
    statement = allow(shop, name, SourceArn="arn:aws:s3:::pictures", SourceAccount="123456789012")
    assert statement == {
        "Sid": "one", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": ARN + name,
        "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pictures"}}}
    assert policy(shop, name) == {"Version": "2012-10-17", "Id": "default",
                                  "Statement": [statement]}


def test_every_name_has_a_policy_of_its_own(shop, name):
    allow(shop, name)
    assert allow(shop, name, Qualifier="live")["Resource"] == f"{ARN}{name}:live"
    assert allow(shop, f"{name}:1", "two")["Resource"] == f"{ARN}{name}:1"
    assert [s["Sid"] for s in policy(shop, name, Qualifier="1")["Statement"]] == ["two"]
    assert [s["Sid"] for s in policy(shop, name)["Statement"]] == ["one"]
    assert refused(shop.client.add_permission, FunctionName=name, Qualifier="$LATEST",
                   StatementId="x", Action="lambda:*", Principal="*") == (
        "InvalidParameterValueException",
        "We currently do not support adding policies for $LATEST.")
    assert refused(shop.client.get_policy, FunctionName=name, Qualifier="none")[0] == (
        "ResourceNotFoundException")


def test_statements_come_and_go(shop, name):
    client = shop.client
    assert refused(client.get_policy, FunctionName=name) == (
        "ResourceNotFoundException", "The resource you requested does not exist.")
    assert refused(client.remove_permission, FunctionName=name, StatementId="one") == (
        "ResourceNotFoundException", "No policy is associated with the given resource.")
    allow(shop, name)
    assert refused(client.add_permission, FunctionName=name, StatementId="one", Action="lambda:*",
                   Principal="*") == (
        "ResourceConflictException",
        "The statement id (one) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.")
    revision = client.get_policy(FunctionName=name)["RevisionId"]
    allow(shop, name, "two", RevisionId=revision)
    assert refused(client.remove_permission, FunctionName=name, StatementId="one",
                   RevisionId=revision)[0] == "PreconditionFailedException"
    assert refused(client.remove_permission, FunctionName=name, StatementId="none") == (
        "ResourceNotFoundException", "Statement none is not found in resource policy.")
    for sid in ("one", "two"):
        client.remove_permission(FunctionName=name, StatementId=sid)
    assert refused(client.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


def test_a_policy_starts_no_environment_anew(shop, name):
    shop.invoke(name)
    allow(shop, name)
    shop.invoke(name)
    assert len(shop.environments(name)) == 1


@pytest.mark.parametrize("principal, printed", [
    ("*", "*"), ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
    ("arn:aws:iam::210987654321:role/r", {"AWS": "arn:aws:iam::210987654321:role/r"}),
    ("events.amazonaws.com", {"Service": "events.amazonaws.com"}), ("nobody", None)])
def test_principals(shop, name, principal, printed):
    if printed is None:
        with pytest.raises(ClientError, match="The provided principal was invalid"):
            allow(shop, name, principal=principal)
    else:
        assert allow(shop, name, principal=principal)["Principal"] == printed


def test_a_policy_has_a_size(shop, name):
    long = "arn:aws:s3:::" + "b" * 4700
    for number in range(4):
        allow(shop, name, f"s{number}", SourceArn=long)
    code, message = refused(shop.client.add_permission, FunctionName=name, StatementId="last",
                            Action="lambda:*", Principal="*", SourceArn=long)
    assert code == "PolicyLengthExceededException" and message.endswith(
        "is bigger than the limit (20480).")
    assert len(policy(shop, name)["Statement"]) == 4


def test_another_account_invokes_what_it_was_allowed_to(shop, name):
    other = of_account("210987654321")
    call = lambda target: json.load(other.invoke(  # noqa: E731
        FunctionName=ARN + target, Payload=b"7")["Payload"])
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        call(name)
    allow(shop, name, principal="210987654321", Qualifier="live")
    assert call(f"{name}:live") == 7
    for target in (name, f"{name}:1"):  # the alias's policy is for the alias's name
        with pytest.raises(ClientError, match="no resource-based policy allows"):
            call(target)
    with pytest.raises(ClientError, match="lambda:GetFunction action"):
        other.get_function(FunctionName=f"{ARN}{name}:live")
    shop.client.delete_alias(FunctionName=name, Name="live")
    with pytest.raises(ClientError):
        call(f"{name}:live")
    shop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        call(f"{name}:live")  # the new alias has no policy


def test_with_the_function_goes_its_policy(shop, name):
    allow(shop, name)
    shop.client.delete_function(FunctionName=name)
    shop.deploy(APP, name=name)
    assert refused(shop.client.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


# -- the rules themselves ----------------------------------------------------------------------------

def statement(principal, action="lambda:InvokeFunction", **condition):
    return {"Sid": "s", "Principal": principal, "Action": action} | (
        {"Condition": condition} if condition else {})


S3 = Asking("lambda:InvokeFunction", service="s3.amazonaws.com", source_arn="arn:aws:s3:::a",
            source_account="1")


@pytest.mark.parametrize("allowed, wanted", [
    (statement({"Service": "s3.amazonaws.com"}), True), (statement("*"), True),
    (statement({"Service": "sns.amazonaws.com"}), False),
    (statement({"Service": "s3.amazonaws.com"}, "lambda:*"), True),
    (statement({"Service": "s3.amazonaws.com"}, "lambda:GetFunction"), False),
    (statement({"Service": "s3.amazonaws.com"}, ArnLike={"AWS:SourceArn": "arn:aws:s3:::*"}), True),
    (statement({"Service": "s3.amazonaws.com"}, ArnLike={"AWS:SourceArn": "arn:aws:s3:::b"}), False),
    (statement({"Service": "s3.amazonaws.com"}, StringEquals={"AWS:SourceAccount": "1"}), True),
    (statement({"Service": "s3.amazonaws.com"}, StringEquals={"AWS:SourceAccount": "2"}), False),
    (statement({"Service": "s3.amazonaws.com"},
               StringEquals={"lambda:EventSourceToken": "t"}), False),
    (statement({"AWS": "arn:aws:iam::1:root"}), False)])
def test_what_a_statement_allows(allowed, wanted):
    assert Policy("r").with_statement(allowed, "r2").lets(S3) is wanted


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=20))
def test_a_policy_is_the_statements_that_were_added_and_not_taken_away(steps):
    policy, kept = Policy("0"), []
    for number, (sid, add) in enumerate(steps):
        if add and sid not in kept:
            policy, kept = policy.with_statement({"Sid": sid}, str(number)), [*kept, sid]
        elif not add:
            policy, kept = policy.without(sid, str(number)), [k for k in kept if k != sid]
        assert [s["Sid"] for s in json.loads(policy.document())["Statement"]] == kept
        assert all((sid in policy) == (sid in kept) for sid in "abcd")
