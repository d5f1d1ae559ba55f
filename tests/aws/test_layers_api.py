"""The Lambda API's layers, and sizes of packages, as boto3 sees them."""

import io
import json
import urllib.error
import urllib.request
import zipfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ARN = "arn:aws:lambda:eu-west-2:123456789012:layer:tools"
MB = 1 << 20


def refused(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response
    return (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"],
            error["Error"]["Message"])


def zeros(size, compress=zipfile.ZIP_DEFLATED):
    """An archive of one file of ``size`` zeros, written a piece at a time."""
    buffer = io.BytesIO()
    with (zipfile.ZipFile(buffer, "w", compress, compresslevel=1) as archive,
          archive.open("data.bin", "w") as file):
        for start in range(0, size, MB):
            file.write(bytes(min(MB, size - start)))
    return buffer.getvalue()


@pytest.fixture
def publish(lambda_, archive):
    def call(name="tools", **more):
        return lambda_.publish_layer_version(
            **{"LayerName": name, "Content": {"ZipFile": archive}} | more)

    return call


@pytest.fixture
def unchecked(cloud):
    return boto3.client("lambda", config=Config(parameter_validation=False))


@pytest.fixture
def bucket(cloud):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return s3


# -- a layer's life --------------------------------------------------------------------------------

def test_a_layers_life(cloud, lambda_, publish, archive):
    made = publish(Description="handy", LicenseInfo="MIT", CompatibleRuntimes=["python3.8"],
                   CompatibleArchitectures=["x86_64", "arm64"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (ARN, f"{ARN}:1", 1)
    assert (made["Description"], made["LicenseInfo"]) == ("handy", "MIT")
    assert made["CompatibleRuntimes"] == ["python3.8"]
    assert made["CompatibleArchitectures"] == ["x86_64", "arm64"]
    assert made["CreatedDate"] == "2020-03-02T09:00:00.000+0000"
    assert made["Content"]["CodeSize"] == len(archive)
    del made["ResponseMetadata"], made["Content"]["Location"]
    for got in (lambda_.get_layer_version(LayerName="tools", VersionNumber=1),
                lambda_.get_layer_version(LayerName=ARN, VersionNumber=1),
                lambda_.get_layer_version_by_arn(Arn=f"{ARN}:1")):
        assert urllib.request.urlopen(got["Content"].pop("Location")).read() == archive
        del got["ResponseMetadata"]
        assert got == made

    assert publish()["Version"] == 2
    gone = lambda_.delete_layer_version(LayerName="tools", VersionNumber=2)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    lambda_.delete_layer_version(LayerName="tools", VersionNumber=2)
    assert publish(LayerName=ARN)["LayerVersionArn"] == f"{ARN}:3"
    assert [v["Version"] for v in lambda_.list_layer_versions(LayerName="tools")[
        "LayerVersions"]] == [3, 1]


def test_content_can_be_downloaded_for_ten_minutes(cloud, lambda_, publish):
    where = publish()["Content"]["Location"]
    cloud.runtime.clock.run(599)
    urllib.request.urlopen(where)
    cloud.runtime.clock.run(1)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(where)


def test_lists_by_page_and_by_what_suits(lambda_, publish):
    publish("a", CompatibleRuntimes=["python3.8"], CompatibleArchitectures=["x86_64"])
    publish("a", CompatibleRuntimes=["nodejs12.x"])
    publish("b", CompatibleRuntimes=["python3.8", "python3.7"])
    publish("c")

    def newest(**filters):
        return {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"]
                for page in lambda_.get_paginator("list_layers").paginate(**filters)
                for layer in page["Layers"]}

    assert newest() == {"a": 2, "b": 1, "c": 1}
    assert newest(PaginationConfig={"PageSize": 1}) == {"a": 2, "b": 1, "c": 1}
    assert newest(CompatibleRuntime="python3.8") == {"a": 1, "b": 1}
    assert newest(CompatibleArchitecture="x86_64") == {"a": 1}
    page = lambda_.list_layers(MaxItems=1)
    assert [layer["LayerArn"][-8:] for layer in page["Layers"]] == [":layer:a"]
    assert lambda_.list_layers(Marker=page["NextMarker"])["Layers"][0]["LayerName"] == "b"
    versions = lambda_.list_layer_versions(LayerName="a", CompatibleRuntime="python3.8")
    assert [v["LayerVersionArn"][-2:] for v in versions["LayerVersions"]] == [":1"]
    first = lambda_.list_layer_versions(LayerName="a", MaxItems=1)
    assert first["LayerVersions"][0]["Version"] == 2 and "Content" not in first["LayerVersions"][0]
    rest = lambda_.list_layer_versions(LayerName="a", Marker=first["NextMarker"])
    assert rest["LayerVersions"][0]["Version"] == 1 and "NextMarker" not in rest
    assert lambda_.list_layer_versions(LayerName="nope")["LayerVersions"] == []


def test_lists_that_ask_for_what_there_can_not_be(unchecked, publish):
    publish()
    for call, options in ((unchecked.list_layers, {}),
                          (unchecked.list_layer_versions, {"LayerName": "tools"})):
        for more, said in (
                ({"MaxItems": 51}, "'maxItems' failed to satisfy constraint: Member must have value "
                 "less than or equal to 50"),
                ({"MaxItems": 0}, "Member must have value greater than or equal to 1"),
                ({"CompatibleRuntime": "cobol"}, "'compatibleRuntime' failed to satisfy constraint"),
                ({"CompatibleArchitecture": "z80"}, "'compatibleArchitecture' failed to satisfy")):
            status, code, message = refused(call, **options, **more)
            assert (status, code) == (400, "ValidationException") and said in message, more


def test_what_is_not_there(lambda_, publish):
    publish()
    missing = 404, "ResourceNotFoundException", "The resource you requested does not exist."
    assert refused(lambda_.get_layer_version, LayerName="tools", VersionNumber=2) == missing
    assert refused(lambda_.get_layer_version, LayerName="nope", VersionNumber=1) == missing
    assert refused(lambda_.get_layer_version_by_arn, Arn=f"{ARN}:9") == missing
    below = 400, "InvalidParameterValueException", "Layer Version Cannot be less than 1"
    assert refused(lambda_.get_layer_version, LayerName="tools", VersionNumber=0) == below
    assert refused(lambda_.delete_layer_version, LayerName="tools", VersionNumber=-1) == below


@pytest.mark.parametrize(("options", "constraint"), [
    ({"CompatibleRuntimes": ["python3.8", "cobol"]}, "Value '[python3.8, cobol]' at "
     "'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: ["
     "nodejs, "),
    ({"CompatibleRuntimes": ["python3.8"] * 6}, "Value '[python3.8, python3.8, python3.8, "
     "python3.8, python3.8, python3.8]' at 'compatibleRuntimes' failed to satisfy "
     "constraint: Member must have length less than or equal to 5"),
    ({"CompatibleArchitectures": ["z80"]}, "Value '[z80]' at 'compatibleArchitectures' failed to "
     "satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
     "[x86_64, arm64]]"),
    ({"Description": "x" * 257}, f"Value '{'x' * 257}' at 'description' failed to satisfy "
     "constraint: Member must have length less than or equal to 256"),
    ({"LicenseInfo": "x" * 513}, f"Value '{'x' * 513}' at 'licenseInfo' failed to satisfy "
     "constraint: Member must have length less than or equal to 512"),
    ({"LayerName": "my layer"}, "Value 'my layer' at 'layerName' failed to satisfy constraint: "
     "Member must satisfy regular expression pattern: "),
])
def test_what_a_layer_may_not_say(unchecked, archive, options, constraint):
    status, code, message = refused(unchecked.publish_layer_version, **{
        "LayerName": "tools", "Content": {"ZipFile": archive}} | options)
    assert (status, code) == (400, "ValidationException")
    assert message.startswith(f"1 validation error detected: {constraint}")
    assert unchecked.list_layers()["Layers"] == []


def test_today_a_layer_names_up_to_fifteen_runtimes(run, archive):
    run(profile="today")
    client = boto3.client("lambda", config=Config(parameter_validation=False))
    client.publish_layer_version(LayerName="tools", Content={"ZipFile": archive},
                                 CompatibleRuntimes=["python3.12"] * 15)
    assert "less than or equal to 15" in refused(
        client.publish_layer_version, LayerName="tools", Content={"ZipFile": archive},
        CompatibleRuntimes=["python3.12"] * 16)[2]


def test_content_from_s3(lambda_, bucket, publish, archive):
    bucket.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    version = bucket.put_object(Bucket="code", Key="layer.zip", Body=archive)["VersionId"]
    bucket.put_object(Bucket="code", Key="layer.zip", Body=b"junk")
    source = {"S3Bucket": "code", "S3Key": "layer.zip"}
    assert refused(lambda_.publish_layer_version, LayerName="tools", Content=source)[2] == (
        "Could not unzip uploaded file. Please check your file, then try to upload again.")
    made = publish(Content=source | {"S3ObjectVersion": version})
    assert (made["Version"], made["Content"]["CodeSize"]) == (1, len(archive))
    assert refused(lambda_.publish_layer_version, LayerName="tools",
                   Content={"S3Bucket": "code", "S3Key": "no.zip"})[2] == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The "
        "specified key does not exist.")


# -- permissions -----------------------------------------------------------------------------------

def test_permissions_of_a_version(lambda_, publish):
    publish()
    which = {"LayerName": "tools", "VersionNumber": 1}
    allow = which | {"StatementId": "friend", "Action": "lambda:GetLayerVersion",
                     "Principal": "111122223333"}
    assert refused(lambda_.get_layer_version_policy, **which) == (
        404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    added = lambda_.add_layer_version_permission(**allow)
    statement = {"Sid": "friend", "Effect": "Allow", "Action": "lambda:GetLayerVersion",
                 "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": f"{ARN}:1"}
    assert json.loads(added["Statement"]) == statement
    policy = lambda_.get_layer_version_policy(**which)
    assert policy["RevisionId"] == added["RevisionId"]
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default",
                                            "Statement": [statement]}
    assert refused(lambda_.add_layer_version_permission, **allow) == (
        409, "ResourceConflictException", "The statement id (friend) provided already exists. "
        "Please provide a new statement id, or remove the existing statement.")
    stale = (412, "PreconditionFailedException", "The Revision Id provided does not match the "
             "latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id")
    assert refused(lambda_.add_layer_version_permission, **allow | {
        "StatementId": "all", "Principal": "*", "RevisionId": "old"}) == stale
    lambda_.add_layer_version_permission(**allow | {
        "StatementId": "all", "Principal": "*", "RevisionId": added["RevisionId"]})
    remove = which | {"StatementId": "friend"}
    assert refused(lambda_.remove_layer_version_permission, **remove,
                   RevisionId=added["RevisionId"]) == stale
    gone = lambda_.remove_layer_version_permission(**remove)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(lambda_.remove_layer_version_permission, **remove) == (
        404, "ResourceNotFoundException", "Statement friend is not found in resource policy.")
    left = json.loads(lambda_.get_layer_version_policy(**which)["Policy"])["Statement"]
    assert [s["Principal"] for s in left] == ["*"]


def test_permissions_of_what_is_not_there(lambda_):
    assert refused(lambda_.add_layer_version_permission, LayerName="tools", VersionNumber=1,
                   StatementId="s", Action="lambda:GetLayerVersion", Principal="*") == (
        404, "ResourceNotFoundException", f"Layer version {ARN}:1 does not exist.")


def client_of(account, service="lambda"):
    """A client with credentials of another account, had as one has them on AWS."""
    keys = boto3.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
        RoleSessionName="visitor")["Credentials"]
    return boto3.client(service, aws_access_key_id=keys["AccessKeyId"],
                        aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"])


def may_use(account):
    try:
        client_of(account).get_layer_version_by_arn(Arn=f"{ARN}:1")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException"
        return False
    return True


def test_a_layer_of_another_account(lambda_, publish, archive):
    """Published by one, used by another once its policy says so; listed and changed by neither."""
    publish(Description="handy")
    friend, stranger = "111122223333", "444455556666"
    which = {"LayerName": "tools", "VersionNumber": 1}
    assert not may_use(friend)
    lambda_.add_layer_version_permission(
        **which, StatementId="friend", Action="lambda:GetLayerVersion", Principal=friend)
    assert may_use(friend) and not may_use(stranger)
    theirs = client_of(friend)
    got = theirs.get_layer_version_by_arn(Arn=f"{ARN}:1")
    assert urllib.request.urlopen(got["Content"]["Location"]).read() == archive
    role = client_of(friend, "iam").create_role(
        RoleName="f", AssumeRolePolicyDocument=json.dumps({"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
    made = theirs.create_function(FunctionName="f", Runtime="python3.8", Handler="app.handler",
                                  Role=role, Code={"ZipFile": archive}, Layers=[f"{ARN}:1"])
    assert [layer["Arn"] for layer in made["Layers"]] == [f"{ARN}:1"]
    assert refused(theirs.list_layer_versions, LayerName=ARN) == (
        403, "AccessDeniedException", f"User: arn:aws:iam::{friend}:root is not authorized to "
        f"perform: lambda:ListLayerVersions on resource: {ARN} because no resource-based policy "
        "allows the lambda:ListLayerVersions action")
    assert refused(theirs.delete_layer_version, LayerName=ARN, VersionNumber=1)[0] == 403
    assert refused(theirs.publish_layer_version, LayerName=ARN,
                   Content={"ZipFile": archive})[0] == 403
    lambda_.remove_layer_version_permission(**which, StatementId="friend")
    assert not may_use(friend)
    assert theirs.get_function(FunctionName="f")["Configuration"]["Layers"]  # keeps what it has


def test_a_layer_for_an_organization(lambda_, publish):
    publish()
    organizations = boto3.client("organizations")
    asked = {"LayerName": "tools", "VersionNumber": 1, "StatementId": "us",
             "Action": "lambda:GetLayerVersion", "Principal": "*"}
    of_ours = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    member = organizations.create_account(
        AccountName="member", Email="member@example.com")["CreateAccountStatus"]["AccountId"]
    stranger = "111122223333"
    assert not may_use(member)
    added = lambda_.add_layer_version_permission(**asked, OrganizationId=of_ours)
    assert json.loads(added["Statement"]) == {
        "Sid": "us", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion",
        "Resource": f"{ARN}:1", "Condition": {"StringEquals": {"aws:PrincipalOrgID": of_ours}}}
    assert may_use(member) and not may_use(stranger)
    lambda_.add_layer_version_permission(**asked | {"StatementId": "others"},
                                         OrganizationId="o-abcdefghij")
    assert not may_use(stranger)
    lambda_.remove_layer_version_permission(LayerName="tools", VersionNumber=1, StatementId="us")
    assert not may_use(member)
    lambda_.add_layer_version_permission(**asked)
    assert may_use(member) and may_use(stranger)
    assert lambda_.get_layer_version_by_arn(Arn=f"{ARN}:1")["Version"] == 1


def test_an_organization_that_makes_no_sense(unchecked, publish):
    publish()
    asked = {"LayerName": "tools", "VersionNumber": 1, "StatementId": "us",
             "Action": "lambda:GetLayerVersion"}
    status, code, message = refused(unchecked.add_layer_version_permission, **asked,
                                    Principal="111122223333", OrganizationId="o-abcdefghij")
    assert (status, code) == (400, "InvalidParameterValueException")
    assert "OrganizationId" in message and "Principal is *" in message
    for options in ({"Principal": "*", "OrganizationId": "mine"}, {"Principal": "Ada"},
                    {"Principal": "*", "Action": "lambda:ListLayerVersions"},
                    {"Principal": "*", "StatementId": "not this one"}):
        assert refused(unchecked.add_layer_version_permission,
                       **asked | options)[1] == "ValidationException", options
    assert refused(unchecked.get_layer_version_policy, LayerName="tools",
                   VersionNumber=1)[1] == "ResourceNotFoundException"


# -- a function's layers ---------------------------------------------------------------------------

def test_a_functions_layers_in_its_description(lambda_, publish, spec, archive):
    arns = [publish(name)["LayerVersionArn"] for name in ("one", "two")]
    made = lambda_.create_function(**spec, Layers=arns)
    assert made["Layers"] == [{"Arn": arn, "CodeSize": len(archive)} for arn in arns]
    kept = lambda_.update_function_configuration(FunctionName="f", Timeout=5)
    assert kept["Layers"] == made["Layers"]
    assert lambda_.list_functions()["Functions"][0]["Layers"] == made["Layers"]
    turned = lambda_.update_function_configuration(FunctionName="f", Layers=arns[::-1])
    assert [layer["Arn"] for layer in turned["Layers"]] == arns[::-1]
    assert "Layers" not in lambda_.update_function_configuration(FunctionName="f", Layers=[])
    assert "Layers" not in lambda_.get_function(FunctionName="f")["Configuration"]


def test_five_layers_and_a_sixth(lambda_, publish, spec):
    arns = [publish(f"l{number}")["LayerVersionArn"] for number in range(6)]
    assert refused(lambda_.create_function, **spec, Layers=arns) == (
        400, "InvalidParameterValueException", "Cannot reference more than 5 layers.")
    assert len(lambda_.create_function(**spec, Layers=arns[:5])["Layers"]) == 5
    assert refused(lambda_.update_function_configuration, FunctionName="f", Layers=arns)[2] == (
        "Cannot reference more than 5 layers.")


def test_layers_that_a_function_can_not_have(lambda_, unchecked, publish, spec):
    for _ in range(2):
        publish()
    elsewhere = boto3.client("lambda", region_name="us-east-1").publish_layer_version(
        LayerName="far", Content=spec["Code"])["LayerVersionArn"]
    theirs = "arn:aws:lambda:eu-west-2:111122223333:layer:theirs:1"
    for layers, answer in {
        (f"{ARN}:3",): (400, "InvalidParameterValueException",
                        f"Layer version {ARN}:3 does not exist."),
        (f"{ARN}:1", f"{ARN}:2"): (
            400, "InvalidParameterValueException", "Two different versions of the same layer are "
            f"not allowed to be referenced in the same function. {ARN}:1 and {ARN}:2 are versions "
            "of the same layer."),
        (elsewhere,): (400, "InvalidParameterValueException", "Layers are not in the same region "
                       "as the function. Layers are expected to be in region eu-west-2."),
        (theirs,): (403, "AccessDeniedException", "User: arn:aws:iam::123456789012:root is not "
                    f"authorized to perform: lambda:GetLayerVersion on resource: {theirs} because "
                    "no resource-based policy allows the lambda:GetLayerVersion action"),
    }.items():
        assert refused(lambda_.create_function, **spec, Layers=list(layers)) == answer
    status, code, message = refused(unchecked.create_function, **spec, Layers=[ARN])
    assert (status, code) == (400, "ValidationException")
    assert message.startswith(
        f"1 validation error detected: Value '[{ARN}]' at 'layers' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 2048, "
        "Member must have length greater than or equal to 1, Member must satisfy regular "
        "expression pattern: ")
    assert message.endswith(", Member must not be null]")
    assert lambda_.list_functions()["Functions"] == []


# -- sizes -----------------------------------------------------------------------------------------

def test_over_50_mb_directly_and_through_s3(lambda_, bucket, publish, spec):
    big = zeros(50 * MB, zipfile.ZIP_STORED)  # the archive is a little over 50 MB then
    said = "Request must be smaller than 69905067 bytes for the {} operation"
    for call, operation in (
        (lambda: refused(lambda_.create_function, **spec | {"Code": {"ZipFile": big}}),
         "CreateFunction"),
        (lambda: refused(lambda_.publish_layer_version, LayerName="tools",
                         Content={"ZipFile": big}), "PublishLayerVersion"),
    ):
        assert call() == (413, "RequestEntityTooLargeException", said.format(operation))
    bucket.put_object(Bucket="code", Key="big.zip", Body=big)
    source = {"S3Bucket": "code", "S3Key": "big.zip"}
    assert lambda_.create_function(**spec | {"Code": source})["CodeSize"] == len(big)
    assert publish(Content=source)["Content"]["CodeSize"] == len(big)


def test_250_mb_unzipped_is_the_end(lambda_, publish, spec):
    """Of a package, of a layer, of layers together, and of code with layers."""
    said = "Unzipped size must be smaller than 262144000 bytes"
    full = zeros(250 * MB)
    assert len(full) < 2 * MB  # it is small on the way
    assert refused(lambda_.create_function, **spec | {"Code": {"ZipFile": full}})[2] == said
    assert refused(lambda_.publish_layer_version, LayerName="tools",
                   Content={"ZipFile": full})[2] == said
    half = {"ZipFile": zeros(125 * MB)}
    one, two = (publish(name, Content=half)["LayerVersionArn"] for name in ("one", "two"))
    more = publish("more", Content={"ZipFile": zeros(1)})["LayerVersionArn"]
    lambda_.create_function(**spec, Layers=[one])
    code = len("def handler(event, context):\n    return event\n")
    assert refused(lambda_.update_function_configuration, FunctionName="f", Layers=[one, two]) == (
        400, "InvalidParameterValueException", "Function code combined with layers exceeds the "
        f"maximum allowed size of 262144000 bytes. The actual size is {262144000 + code} bytes.")
    assert refused(lambda_.update_function_configuration, FunctionName="f",
                   Layers=[one, two, more])[2] == (
        "Layers consume more than the available size of 262144000 bytes")
    assert refused(lambda_.update_function_code, FunctionName="f", **half)[2] == (
        "Unzipped size must be smaller than 131072000 bytes")
