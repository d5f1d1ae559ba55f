"""Anybody's client: boto3, the AWS CLI, curl; with credentials of its own choice."""

import json
import shutil
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.config import Config

from .serving import ECHO, TRUST, archive, environment


def test_boto3_deploys_waits_invokes_and_reads_logs(virtual):
    virtual.deploy(name="greet")
    assert virtual.invoke("greet", {"name": "Ada"}) == {"name": "Ada"}
    logs = virtual.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/lambda/greet")["events"]
    lines = [event["message"].rstrip("\n") for event in events]
    assert lines[0].startswith("START RequestId: ") and "seen {'name': 'Ada'}" in lines
    assert lines[-1].startswith("REPORT RequestId: ")


def test_functions_reach_the_other_services_on_the_same_port(virtual):
    virtual.client("s3").create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    virtual.client("dynamodb").create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    virtual.deploy("""
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="bucket", Key="k", Body=b"from within")
            boto3.client("dynamodb").put_item(TableName="t", Item={"k": {"S": "from within"}})
    """)
    virtual.invoke()
    assert virtual.client("s3").get_object(Bucket="bucket", Key="k")["Body"].read() == b"from within"
    assert virtual.client("dynamodb").scan(TableName="t")["Items"] == [{"k": {"S": "from within"}}]


def test_regions_and_accounts_are_apart(virtual):
    virtual.deploy("def handler(e, c): return 'London'\n")
    virtual.deploy("def handler(e, c): return 'Dublin'\n", region="eu-west-1")
    assert virtual.invoke() == "London"
    there = virtual.client("lambda", "eu-west-1")
    assert json.loads(there.invoke(FunctionName="f")["Payload"].read()) == "Dublin"
    assert ":eu-west-1:123456789012:" in there.get_function(
        FunctionName="f")["Configuration"]["FunctionArn"]
    account = virtual.client("organizations").create_organization(FeatureSet="ALL")
    assert account["Organization"]["MasterAccountId"] == "123456789012"
    made = virtual.client("organizations").create_account(
        Email="b@example.com", AccountName="b")["CreateAccountStatus"]["AccountId"]
    given = virtual.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{made}:role/OrganizationAccountAccessRole",
        RoleSessionName="session")["Credentials"]
    other = virtual.client("lambda", key=given["AccessKeyId"],
                           aws_session_token=given["SessionToken"])
    assert other.list_functions()["Functions"] == []
    assert virtual.client("sts", key=given["AccessKeyId"],
                          aws_session_token=given["SessionToken"]
                          ).get_caller_identity()["Account"] == made


def test_the_aws_cli(virtual, tmp_path):
    zipped = tmp_path / "f.zip"
    zipped.write_bytes(archive(ECHO))
    variables = environment() | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                                 "AWS_DEFAULT_REGION": "eu-west-2", "AWS_PAGER": ""}

    def aws(*words):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "--endpoint-url", virtual.url, *words],
            capture_output=True, text=True, cwd=tmp_path, env=variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    role = aws("iam", "create-role", "--role-name", "r",
               "--assume-role-policy-document", TRUST)["Role"]["Arn"]
    aws("lambda", "create-function", "--function-name", "f", "--runtime", "python3.8",
        "--handler", "app.handler", "--role", role, "--zip-file", f"fileb://{zipped}")
    aws("lambda", "wait", "function-active-v2", "--function-name", "f")
    assert aws("lambda", "invoke", "--function-name", "f", "--payload", '{"a": 1}',
               "out.json")["StatusCode"] == 200
    assert json.loads(Path(tmp_path, "out.json").read_text()) == {"a": 1}
    assert aws("sqs", "create-queue", "--queue-name", "q")["QueueUrl"].startswith(virtual.url)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl(virtual):
    def curl(*words):
        return subprocess.run(["curl", "-sS", "--noproxy", "*", *words], capture_output=True,
                              text=True, check=True).stdout

    assert json.loads(curl(f"{virtual.url}/_minilambda/health"))["service"] == "minilambda"
    now = json.loads(curl("-d", '{"seconds": 600}', f"{virtual.url}/_minilambda/clock"))
    assert now["seconds"] == 600
    assert "trace" in curl(f"{virtual.url}/_minilambda")


def test_the_name_localhost_and_a_bucket_in_it(virtual):
    virtual.client("s3").create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    virtual.client("s3").put_object(Bucket="bucket", Key="k", Body=b"here",
                                    ACL="public-read")
    for host, path in (("localhost", "/bucket/k"), ("bucket.localhost", "/k"),
                       ("127.0.0.1", "/bucket/k")):
        status, _, text = virtual.http(path, headers={"Host": f"{host}:{virtual.port}"})
        assert (host, status, text) == (host, 200, "here")


def test_code_location_can_be_fetched_from_outside(virtual):
    virtual.deploy()
    location = virtual.client("lambda").get_function(FunctionName="f")["Code"]["Location"]
    assert location.startswith(virtual.url)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(location) as answer:
        assert answer.read() == archive(ECHO)


def test_many_callers_at_once(virtual):
    virtual.deploy()
    client = virtual.client("lambda", config=Config(max_pool_connections=40, read_timeout=300))

    def call(number):
        return json.loads(client.invoke(FunctionName="f", Payload=str(number))["Payload"].read())

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(call, range(200))) == list(range(200))
    assert len(virtual.trace("?kind=invoke.ended")) == 200
