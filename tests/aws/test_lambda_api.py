"""The Lambda API as boto3 sees it."""

import base64
import json
import urllib.error
import urllib.request
from datetime import timedelta

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda import errors
from minilambda.invocation import Status

ROLE = "arn:aws:iam::123456789012:role/lambda-role"

SIGNED = {"Content-Type": "application/json", "Authorization": "AWS4-HMAC-SHA256 Credential="
          "AKIAMINILAMBDA000000/20200302/eu-west-2/lambda/aws4_request, SignedHeaders=host"}


def refused(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value


def said(error):
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


@pytest.fixture
def unchecked(cloud):
    """A client that sends what it is told, without boto3's own checks."""
    return boto3.client("lambda", config=Config(parameter_validation=False))


# -- a function's life ---------------------------------------------------------------------------

def test_a_functions_life(lambda_, spec, archive):
    made = lambda_.create_function(**spec, Description="echo", MemorySize=192, Timeout=5,
                                   Environment={"Variables": {"STAGE": "dev"}},
                                   Tags={"team": "red"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionArn"] == "arn:aws:lambda:eu-west-2:123456789012:function:f"
    assert (made["MemorySize"], made["Timeout"], made["Description"]) == (192, 5, "echo")
    assert made["Environment"] == {"Variables": {"STAGE": "dev"}}
    assert (made["State"], made["LastUpdateStatus"]) == ("Active", "Successful")
    assert (made["Version"], made["CodeSize"]) == ("$LATEST", len(archive))
    assert made["LastModified"] == "2020-03-02T09:00:00.000+0000"

    got = lambda_.get_function(FunctionName="f")
    del made["ResponseMetadata"]
    assert got["Configuration"] == made
    assert got["Tags"] == {"team": "red"}

    changed = lambda_.update_function_configuration(FunctionName="f", MemorySize=256)
    assert (changed["MemorySize"], changed["Timeout"]) == (256, 5)
    assert changed["RevisionId"] != made["RevisionId"]
    assert [f["FunctionName"] for f in lambda_.list_functions()["Functions"]] == ["f"]

    gone = lambda_.delete_function(FunctionName="f")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert said(refused(lambda_.get_function_configuration, FunctionName="f")) == (
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:eu-west-2:123456789012:function:f")


def test_waiters_return_at_once(lambda_, spec):
    lambda_.create_function(**spec)
    looks = []
    lambda_.meta.events.register("before-call.lambda", lambda model, **_: looks.append(model.name))
    waiters = "function_active", "function_active_v2", "function_exists", "function_updated"
    for name in waiters:
        lambda_.get_waiter(name).wait(FunctionName="f")
    assert len(looks) == len(waiters)  # one more would have come after 1 to 5 seconds


def test_the_code_can_be_downloaded_for_ten_minutes(cloud, lambda_, spec, archive):
    lambda_.create_function(**spec)
    where = lambda_.get_function(FunctionName="f")["Code"]
    assert where["RepositoryType"] == "S3"
    assert urllib.request.urlopen(where["Location"]).read() == archive
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(where["Location"][:-1])
    cloud.runtime.clock.run(600)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(where["Location"])


def test_lists_page_through_boto3s_paginator(lambda_, spec):
    for number in range(60):
        lambda_.create_function(**spec | {"FunctionName": f"f{number:02}"})
    pages = list(lambda_.get_paginator("list_functions").paginate())
    assert [len(page["Functions"]) for page in pages] == [50, 10]
    assert "State" not in pages[0]["Functions"][0]
    everything = lambda_.list_functions(FunctionVersion="ALL", MaxItems=1)["Functions"]
    assert everything[0]["FunctionArn"].endswith(":function:f00:$LATEST")


def test_new_code_by_zip_by_dry_run_and_by_revision(lambda_, spec, archive):
    made = lambda_.create_function(**spec)
    tried = lambda_.update_function_code(FunctionName="f", ZipFile=archive, DryRun=True)
    assert tried["RevisionId"] == made["RevisionId"]
    done = lambda_.update_function_code(FunctionName="f", ZipFile=archive)
    assert done["RevisionId"] != made["RevisionId"]
    error = refused(lambda_.update_function_code, FunctionName="f", ZipFile=archive,
                    RevisionId=made["RevisionId"])
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert error.response["Type"] == "User"


def test_last_modified_follows_the_clock(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    cloud.runtime.clock.run(90.25)
    changed = lambda_.update_function_configuration(FunctionName="f", Timeout=4)
    assert changed["LastModified"] == "2020-03-02T09:01:30.250+0000"


def test_by_arn_and_with_the_latest_qualifier(lambda_, spec):
    made = lambda_.create_function(**spec)
    assert lambda_.get_function_configuration(
        FunctionName=made["FunctionArn"])["FunctionArn"] == made["FunctionArn"]
    assert lambda_.get_function_configuration(
        FunctionName="f", Qualifier="$LATEST")["FunctionArn"] == made["FunctionArn"] + ":$LATEST"
    assert lambda_.invoke(FunctionName=made["FunctionArn"])["StatusCode"] == 200
    assert lambda_.invoke(FunctionName="123456789012:function:f")["StatusCode"] == 200


def test_tags_and_account_settings(lambda_, spec, archive):
    arn = lambda_.create_function(**spec)["FunctionArn"]
    lambda_.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    lambda_.untag_resource(Resource=arn, TagKeys=["a"])
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    settings = lambda_.get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountUsage"] == {"TotalCodeSize": len(archive), "FunctionCount": 1}


def test_regions_are_apart(lambda_, spec):
    lambda_.create_function(**spec)
    elsewhere = boto3.client("lambda", region_name="us-east-1")
    assert elsewhere.list_functions()["Functions"] == []
    assert said(refused(elsewhere.get_function, FunctionName=lambda_.get_function(
        FunctionName="f")["Configuration"]["FunctionArn"]))[1] == (
        "Functions from 'eu-west-2' are not reachable in this region ('us-east-1')")


# -- code from S3 --------------------------------------------------------------------------------

@pytest.fixture
def bucket(cloud):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return s3


def test_code_from_s3_newest_and_by_version(lambda_, bucket, spec, archive):
    bucket.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    first = bucket.put_object(Bucket="code", Key="a/app 1.zip", Body=archive)["VersionId"]
    bucket.put_object(Bucket="code", Key="a/app 1.zip", Body=b"junk")
    source = {"S3Bucket": "code", "S3Key": "a/app 1.zip"}
    assert "Could not unzip" in str(refused(lambda_.create_function, **spec | {"Code": source}))
    made = lambda_.create_function(**spec | {"Code": source | {"S3ObjectVersion": first}})
    assert made["CodeSize"] == len(archive)


@pytest.mark.parametrize(("source", "message"), [
    ({"S3Bucket": "nope", "S3Key": "k"}, "Error occurred while GetObject. S3 Error Code: "
     "NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
    ({"S3Bucket": "code", "S3Key": "nope"}, "Error occurred while GetObject. S3 Error Code: "
     "NoSuchKey. S3 Error Message: The specified key does not exist."),
    ({"S3Bucket": "code", "S3Key": "app.zip", "S3ObjectVersion": "nope"},
     "Error occurred while GetObject. S3 Error Code: NoSuchVersion. S3 Error Message: "
     "The specified version does not exist."),
])
def test_code_that_is_not_in_s3(lambda_, bucket, spec, archive, source, message):
    bucket.put_object(Bucket="code", Key="app.zip", Body=archive)
    assert said(refused(lambda_.create_function, **spec | {"Code": source})) == (
        "InvalidParameterValueException", message)


def test_code_in_a_bucket_of_another_region(lambda_, bucket, spec, archive):
    bucket.put_object(Bucket="code", Key="app.zip", Body=archive)
    elsewhere = boto3.client("lambda", region_name="us-east-1")
    assert "The bucket is in this region: eu-west-2." in str(refused(
        elsewhere.create_function, **spec | {"Code": {"S3Bucket": "code", "S3Key": "app.zip"}}))


# -- roles ---------------------------------------------------------------------------------------

def test_a_role_must_exist_and_trust_lambda(lambda_, spec):
    iam = boto3.client("iam")
    other = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName="for-ec2", AssumeRolePolicyDocument=json.dumps(other))[
        "Role"]["Arn"]
    for role in (arn, ROLE + "-absent"):
        assert said(refused(lambda_.create_function, **spec | {"Role": role})) == (
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.")
    other["Statement"][0]["Principal"]["Service"] = ["ec2.amazonaws.com", "lambda.amazonaws.com"]
    iam.update_assume_role_policy(RoleName="for-ec2", PolicyDocument=json.dumps(other))
    assert lambda_.create_function(**spec | {"Role": arn})["Role"] == arn


def test_a_role_that_is_not_an_arn(lambda_, spec):
    code, message = said(refused(lambda_.create_function, **spec | {"Role": "lambda-role"}))
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value 'lambda-role' at 'role' failed "
                              "to satisfy constraint: Member must satisfy regular expression "
                              "pattern: arn:(aws[a-zA-Z-]*)?:iam::")


# -- bad input -----------------------------------------------------------------------------------

@pytest.mark.parametrize(("profile", "setting", "constraint"), [
    ("course", {"MemorySize": 100}, "Value '100' at 'memorySize' failed to satisfy constraint: "
     "Member must have value greater than or equal to 128"),
    ("course", {"MemorySize": 3009}, "Value '3009' at 'memorySize' failed to satisfy constraint: "
     "Member must have value less than or equal to 3008"),
    ("course", {"MemorySize": 130}, "Value '130' at 'memorySize' failed to satisfy constraint: "
     "Member must have value that is a multiple of 64"),
    ("today", {"MemorySize": 10241}, "Value '10241' at 'memorySize' failed to satisfy constraint: "
     "Member must have value less than or equal to 10240"),
    ("course", {"Timeout": 0}, "Value '0' at 'timeout' failed to satisfy constraint: "
     "Member must have value greater than or equal to 1"),
    ("course", {"Timeout": 901}, "Value '901' at 'timeout' failed to satisfy constraint: "
     "Member must have value less than or equal to 900"),
    ("today", {"Timeout": 901}, "Value '901' at 'timeout' failed to satisfy constraint: "
     "Member must have value less than or equal to 900"),
    ("course", {"EphemeralStorage": {"Size": 1024}}, "Value '1024' at 'ephemeralStorage.size' "
     "failed to satisfy constraint: Member must have value less than or equal to 512"),
    ("course", {"Description": "x" * 257}, f"Value '{'x' * 257}' at 'description' failed to "
     "satisfy constraint: Member must have length less than or equal to 256"),
    ("course", {"Handler": "app handler"}, "Value 'app handler' at 'handler' failed to satisfy "
     "constraint: Member must satisfy regular expression pattern: [^\\s]+"),
    ("course", {"Environment": {"Variables": {"1A": "x"}}}, "Value at 'environment.variables' "
     "failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy "
     "regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"),
])
def test_settings_out_of_range(run, spec, profile, setting, constraint):
    run(profile=profile)
    client = boto3.client("lambda", config=Config(parameter_validation=False))
    error = refused(client.create_function, **spec | setting)
    assert said(error) == ("ValidationException", f"1 validation error detected: {constraint}")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_settings_in_range(run, spec):
    run(profile="today")
    client = boto3.client("lambda")
    made = client.create_function(**spec, MemorySize=130, Timeout=900,
                                  EphemeralStorage={"Size": 10240})
    assert (made["MemorySize"], made["EphemeralStorage"]) == (130, {"Size": 10240})


def test_the_same_checks_on_update(lambda_, unchecked, spec):
    lambda_.create_function(**spec)
    assert said(refused(unchecked.update_function_configuration, FunctionName="f",
                        MemorySize=3009))[0] == "ValidationException"
    assert lambda_.get_function_configuration(FunctionName="f")["MemorySize"] == 128


def test_several_mistakes_are_told_at_once(unchecked, spec):
    del spec["Role"]
    code, message = said(refused(unchecked.create_function, **spec, MemorySize=100, Timeout=0))
    assert message.startswith("3 validation errors detected: Value null at 'role' failed to "
                              "satisfy constraint: Member must not be null; Value '0' at")


@pytest.mark.parametrize("name", ["my function", "f.g", "x" * 65])
def test_bad_function_names(unchecked, spec, name):
    code, message = said(refused(unchecked.create_function, **spec | {"FunctionName": name}))
    # AWS gives a name that is too long another error type than any other bad name.
    assert code == ("InvalidParameterValueException" if len(name) > 64 else "ValidationException")
    assert message.startswith(f"1 validation error detected: Value '{name}' at 'functionName' "
                              "failed to satisfy constraint: Member must ")


def test_a_zip_that_is_none(lambda_, spec):
    assert said(refused(lambda_.create_function, **spec | {"Code": {"ZipFile": b"no zip"}})) == (
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.")


def test_members_of_another_type(unchecked, spec):
    assert said(refused(unchecked.create_function, **spec | {"Timeout": "soon"})) == (
        "SerializationException", "STRING_VALUE can not be converted to an Integer")
    assert said(refused(unchecked.create_function, **spec | {"Handler": 7}))[1] == (
        "NUMBER_VALUE can not be converted to a String")
    assert said(refused(unchecked.create_function, **spec | {"Publish": "yes"}))[1] == (
        "STRING_VALUE can not be converted to a Boolean")


def test_a_body_that_is_not_json(cloud):
    request = urllib.request.Request(cloud.server.url + "/2015-03-31/functions", b"{oops",
                                     method="POST", headers=SIGNED)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.headers["x-amzn-ErrorType"] == "SerializationException"


# -- what isn't implemented ----------------------------------------------------------------------

@pytest.mark.parametrize(("options", "named"), [
    ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"],
                    "Ipv6AllowedForDualStack": True}}, "VpcConfig"),
    ({"KMSKeyArn": "arn:aws:kms:eu-west-2:123456789012:key/k"}, "KMSKeyArn"),
    ({"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:eu-west-2:123456789012:"
                                    "access-point/fsap-01234567890123456",
                             "LocalMountPath": "/mnt/a"}]}, "FileSystemConfigs"),
    ({"ImageConfig": {"Command": ["x"]}}, "ImageConfig"),
    ({"PackageType": "Image"}, "PackageType Image"),
    ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "SnapStart"),
    ({"LoggingConfig": {"LogFormat": "JSON"}}, "LoggingConfig"),
    ({"LoggingConfig": {"LogGroup": "elsewhere"}}, "LoggingConfig"),
    ({"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {
        "CapacityProviderArn": "arn:aws:lambda:eu-west-2:123456789012:capacity-provider:c"}}},
     "CapacityProviderConfig"),
    ({"Architectures": ["arm64"]}, "Architectures"),
    ({"Code": {"ImageUri": "x.dkr.ecr/y"}}, "ImageUri"),
])
def test_options_not_implemented_are_refused_by_name(lambda_, spec, options, named):
    error = refused(lambda_.create_function, **spec | options)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert named in str(error)
    assert lambda_.list_functions()["Functions"] == []


def test_options_that_ask_for_nothing_pass(lambda_, spec):
    lambda_.create_function(
        **spec, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}, Layers=[], Publish=False,
        TracingConfig={"Mode": "PassThrough"}, PackageType="Zip", Architectures=["x86_64"],
        DeadLetterConfig={"TargetArn": ""}, SnapStart={"ApplyOn": "None"}, KMSKeyArn="",
        LoggingConfig={"LogFormat": "Text"}, EphemeralStorage={"Size": 512})


@pytest.mark.parametrize(("operation", "params"), [
    ("get_function_scaling_config", {"FunctionName": "f", "Qualifier": "1"}),
    ("list_capacity_providers", {}),
])
def test_operations_not_implemented_are_refused_at_once(lambda_, spec, operation, params):
    lambda_.create_function(**spec)
    error = refused(getattr(lambda_, operation), **params)
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert error.response["Error"]["Code"] == "NotImplementedException"
    assert error.operation_name in str(error).split("doesn't implement")[1]


def test_every_operation_of_the_model_answers_or_is_refused(cloud):
    """A new botocore's operation must never fall through to an HTML page."""
    service = botocore.session.get_session().get_service_model("lambda")
    missing = [name for name in service.operation_names if _status_of(cloud, service, name) not in
               (200, 204, 400, 404, 501)]
    assert missing == []


def _status_of(cloud, service, name):
    http = service.operation_model(name).http
    path = http["requestUri"].split("?")[0]
    for part in ("FunctionName", "Resource", "UUID", "LayerName", "Name", "StatementId"):
        path = path.replace("{%s}" % part, "x")
    path = path.replace("{VersionNumber}", "1").replace("{", "").replace("}", "")
    request = urllib.request.Request(
        cloud.server.url + path, b"{}" if http["method"] in ("POST", "PUT") else None,
        method=http["method"], headers=SIGNED)
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        assert "x-amzn-ErrorType" in error.headers
        return error.code


# -- invoking ------------------------------------------------------------------------------------

def test_invoke(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    answer = lambda_.invoke(FunctionName="f", Payload=b'{"a": "\xc3\xa9"}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["Payload"].read() == b'{"a": "\xc3\xa9"}'
    assert "FunctionError" not in answer and "LogResult" not in answer
    call = cloud.runtime.frontend.calls[-1]
    assert call.function is cloud.runtime.registry.get("123456789012", "eu-west-2", "f")


def test_no_payload_is_an_empty_object(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    lambda_.invoke(FunctionName="f")
    assert cloud.runtime.frontend.calls[-1].payload == b"{}"


def test_client_context_reaches_the_function(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    context = base64.b64encode(b'{"custom": 1}').decode()
    lambda_.invoke(FunctionName="f", ClientContext=context)
    assert cloud.runtime.frontend.calls[-1].client_context == context


def test_the_log_tail_is_the_last_4_kb(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    lines = tuple(f"line {number}\n" for number in range(1000))
    cloud.runtime.frontend.outcome = {"log": lines}
    tail = base64.b64decode(lambda_.invoke(FunctionName="f", LogType="Tail")["LogResult"])
    assert tail == "".join(lines).encode()[-4096:]


def test_a_failed_function_is_not_a_failed_request(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    cloud.runtime.frontend.outcome = {"status": Status.ERROR, "error_type": "ValueError",
                                      "payload": b'{"errorType": "ValueError"}',
                                      "request_id": "00000000-0000-4000-8000-000000000007"}
    answer = lambda_.invoke(FunctionName="f")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"]) == {"errorType": "ValueError"}
    assert answer["ResponseMetadata"]["RequestId"] == "00000000-0000-4000-8000-000000000007"


def test_dry_run_runs_nothing(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    answer = lambda_.invoke(FunctionName="f", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""
    assert cloud.runtime.frontend.calls == []
    assert said(refused(lambda_.invoke, FunctionName="nope", InvocationType="DryRun"))[0] == (
        "ResourceNotFoundException")


def test_an_event_is_accepted_with_its_id_and_nothing_else(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    answer = lambda_.invoke(FunctionName="f", InvocationType="Event", LogType="Tail", Payload="[1]")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert cloud.runtime.frontend.events == [
        ("f", b"[1]", answer["ResponseMetadata"]["RequestId"])]
    assert answer.keys() == {"ResponseMetadata", "StatusCode", "Payload"}


def test_a_payload_over_6_mb(lambda_, spec):
    lambda_.create_function(**spec)
    fits = b'"' + b"x" * (6291456 - 2) + b'"'
    assert len(lambda_.invoke(FunctionName="f", Payload=fits)["Payload"].read()) == 6291456
    error = refused(lambda_.invoke, FunctionName="f", Payload=b'"x' + fits[1:])
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert said(error) == (
        "RequestEntityTooLargeException",
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation")


@pytest.mark.parametrize(("payload", "reason"), [
    (b"test data", "Unrecognized token 'test': was expecting (JSON String, Number, Array, Object "
     "or token 'null', 'true' or 'false')\n at [Source: (byte[])\"test data\"; line: 1, "
     "column: 6]"),
    (b"\x97abc", "Invalid UTF-8 start byte 0x97"),
    (b"NaN", "Non-standard token 'NaN'"),
    (b"{", "Expecting property name"),
    (b"[" * 100_000, ""),
])
def test_a_payload_that_is_not_json(lambda_, spec, payload, reason):
    lambda_.create_function(**spec)
    code, message = said(refused(lambda_.invoke, FunctionName="f", Payload=payload))
    assert code == "InvalidRequestContentException"
    assert message.startswith(
        f"Could not parse request body into json: Could not parse payload into json: {reason}")


def test_a_throttle_is_a_429_with_its_reason(cloud, lambda_, spec):
    lambda_.create_function(**spec)
    cloud.runtime.frontend.error = errors.throttled(
        "ReservedFunctionConcurrentInvocationLimitExceeded")
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    error = refused(client.invoke, FunctionName="f")
    assert said(error) == ("TooManyRequestsException", "Rate Exceeded.")
    assert error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert isinstance(error, client.exceptions.TooManyRequestsException)


def test_date_headers_follow_the_clock(cloud, lambda_):
    cloud.runtime.clock.run(timedelta(hours=1).total_seconds())
    headers = lambda_.get_account_settings()["ResponseMetadata"]["HTTPHeaders"]
    assert headers["date"] == "Mon, 02 Mar 2020 10:00:00 GMT"
