"""What AWS itself answered, and what is answered here: field by field, word by word.

The evidence is LocalStack's tests of the Lambda API, which were run against AWS and whose answers were
recorded (repository localstack/localstack, ``tests/aws/services/lambda_/test_lambda_api.snapshot.json``
and ``event_source_mapping/test_api.snapshot.json``, recorded from November 2023 to February 2025).
Expectations here are typed anew from it; above each test is the name of the recorded one. A regular
expression, a length or a list of runtimes in a sentence is today's model's, not the recorded day's.

Where these answers differ from AWS's still:

- SnapStart and container images are answered with 501;
- an account's name in AccessDeniedException; AWS leaves the message empty.
"""

import io
import json
import zipfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ME, HERE = "123456789012", "eu-west-2"
ARN = f"arn:aws:lambda:{HERE}:{ME}:function:"
ROLE = f"arn:aws:iam::{ME}:role/lambda-role"
NOT_FOUND, INVALID, BAD = (
    "ResourceNotFoundException", "InvalidParameterValueException", "ValidationException")
NO_RESOURCE = (404, NOT_FOUND, "The resource you requested does not exist.", "User")


@pytest.fixture
def client(run):
    """As the recorded tests do it: after each change it is waited until it has come about."""
    running = run(profile="today")
    client = boto3.client("lambda", config=Config(parameter_validation=False))
    for operation in ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration",
                      "PublishVersion"):
        client.meta.events.register(f"after-call.lambda.{operation}",
                                    lambda **_: running.runtime.clock.run(5))
    return client


@pytest.fixture
def made(client, spec):
    """A function ``f`` as the recorded tests make theirs: with an empty environment."""
    client.create_function(**spec | {"Runtime": "python3.12"}, Environment={"Variables": {}})
    return client


def body(answer):
    """An answer without what boto3 adds."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def status(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def refusal(call, **params):
    """(HTTP status, error type, message, Type); also that AWS's letter case of *message* is met."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    code, words = answer["Error"]["Code"], answer["Error"]["Message"]
    # These shapes have a capital M in the model, all others of the service a small one. boto3 adds
    # the small one to what it parsed of a shape that it knows.
    if code in (NOT_FOUND, "CodeSigningConfigNotFoundException"):
        assert answer["Message"] == words
    return status(answer), code, words, answer.get("Type")


def zipped(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("app.py", text)
    return stream.getvalue()


def configuration(given, **changes):
    """The members that AWS prints of such a function; ids and dates from ``given``."""
    return {
        "Architectures": ["x86_64"], "CodeSha256": given["CodeSha256"],
        "CodeSize": given["CodeSize"], "Description": "", "Environment": {"Variables": {}},
        "EphemeralStorage": {"Size": 512}, "FunctionArn": ARN + "f", "FunctionName": "f",
        "Handler": "app.handler", "LastModified": given["LastModified"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
        "MemorySize": 128, "PackageType": "Zip", "RevisionId": given["RevisionId"], "Role": ROLE,
        "Runtime": "python3.12",
        "RuntimeVersionConfig": {"RuntimeVersionArn":
                                 given.get("RuntimeVersionConfig", {}).get("RuntimeVersionArn")},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}, "State": "Active",
        "LastUpdateStatus": "Successful", "Timeout": 3, "TracingConfig": {"Mode": "PassThrough"},
        "Version": "$LATEST"} | changes


def under_way(configuration, **state):
    """The same while it is being created or updated: AWS has one reason for both."""
    settled = {name: value for name, value in configuration.items()
               if name not in ("State", "LastUpdateStatus")}
    return settled | state


CREATING = {"State": "Pending", "StateReason": "The function is being created.",
            "StateReasonCode": "Creating"}
UPDATING = {"State": "Active", "LastUpdateStatus": "InProgress", "LastUpdateStatusReasonCode":
            "Creating", "LastUpdateStatusReason": "The function is being created."}


def listed(given, **changes):
    """As lists print it: without states and the runtime's version."""
    left_out = ("State", "LastUpdateStatus", "RuntimeVersionConfig")
    return {name: value for name, value in configuration(given, **changes).items()
            if name not in left_out}


# -- functions -------------------------------------------------------------------------------------

def test_function_lifecycle(client, spec):
    """TestLambdaFunction::test_function_lifecycle"""
    created = client.create_function(**spec | {"Runtime": "python3.12"},
                                     Environment={"Variables": {}})
    assert status(created) == 201
    assert body(created) == under_way(configuration(created), **CREATING)
    runtime = created["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert runtime.startswith(f"arn:aws:lambda:{HERE}::runtime:")

    got = client.get_function(FunctionName="f")
    assert body(got) == {"Code": {"RepositoryType": "S3", "Location": got["Code"]["Location"]},
                         "Configuration": configuration(created)}
    changed = client.update_function_configuration(
        FunctionName="f", Description="Changed-Description", MemorySize=512, Timeout=10,
        Environment={"Variables": {"ENV_A": "a"}}, Runtime="python3.11")
    new = {"Description": "Changed-Description", "MemorySize": 512, "Timeout": 10,
           "Environment": {"Variables": {"ENV_A": "a"}}, "Runtime": "python3.11"}
    assert body(changed) == under_way(configuration(changed, **new), **UPDATING)
    assert changed["RevisionId"] != created["RevisionId"]
    assert changed["RuntimeVersionConfig"]["RuntimeVersionArn"] != runtime
    code = client.update_function_code(FunctionName="f", ZipFile=zipped("x = 1"))
    assert body(code) == under_way(configuration(code, **new), **UPDATING)
    assert code["CodeSha256"] != created["CodeSha256"]
    assert status(client.delete_function(FunctionName="f")) == 204
    gone = (404, NOT_FOUND, f"Function not found: {ARN}f", "User")
    assert refusal(client.get_function, FunctionName="f") == gone
    assert refusal(client.delete_function, FunctionName="f") == gone


def test_without_an_environment_none_is_printed(client, spec):
    """TestLambdaFunction::test_lambda_code_location_zipfile"""
    assert "Environment" not in client.create_function(**spec)
    assert "Environment" not in client.get_function_configuration(FunctionName="f")


@pytest.mark.parametrize("call", ["delete_function", "get_function", "get_function_configuration",
                                  "get_function_concurrency", "get_function_code_signing_config"])
def test_functions_that_are_not_there(client, call):
    """TestLambdaFunction::test_ops_on_nonexisting_fn, ::test_get_function_wrong_region"""
    assert refusal(getattr(client, call), FunctionName="none") == (
        404, NOT_FOUND, f"Function not found: {ARN}none", "User")
    elsewhere = f"arn:aws:lambda:us-east-1:{ME}:function:f"
    assert refusal(getattr(client, call), FunctionName=elsewhere) == (
        404, NOT_FOUND, f"Functions from 'us-east-1' are not reachable in this region ('{HERE}')",
        "User")


def test_qualifiers_that_do_not_match(client):
    """TestLambdaFunction::test_ops_with_arn_qualifier_mismatch, before any function is looked for"""
    for call in (client.delete_function, client.get_function, client.get_function_configuration):
        assert refusal(call, FunctionName=f"{ARN}some:$LATEST", Qualifier="1") == (
            400, INVALID, "The derived qualifier from the function name does not match the "
            "specified qualifier.", "User")
    assert refusal(client.delete_function, FunctionName=f"{ARN}some:$LATEST",
                   Qualifier="$LATEST") == (
        400, INVALID, "$LATEST version cannot be deleted without deleting the function.", "User")
    for call in (client.get_function, client.get_function_configuration):
        assert refusal(call, FunctionName=f"{ARN}some:$LATEST", Qualifier="$LATEST") == (
            404, NOT_FOUND, f"Function not found: {ARN}some:$LATEST", "User")


def test_versions_that_are_not_there(made):
    """TestLambdaFunction::test_ops_on_nonexisting_version, ::test_delete_on_nonexisting_version"""
    for call in (made.get_function, made.get_function_configuration):
        assert refusal(call, FunctionName="f", Qualifier="1221") == (
            404, NOT_FOUND, f"Function not found: {ARN}f:1221", "User")
    assert status(made.delete_function(FunctionName="f", Qualifier="1221")) == 204
    made.delete_function(FunctionName="f")
    assert refusal(made.delete_function, FunctionName="f", Qualifier="1221") == (
        404, NOT_FOUND, f"Function not found: {ARN}f", "User")


@pytest.mark.parametrize(("changes", "expected"), [
    ({"Runtime": "PYTHON3.9"}, (400, INVALID, "Value PYTHON3.9 at 'runtime' failed to satisfy "
                                "constraint: Member must satisfy enum value set: [", "User")),
    ({"Architectures": ["x86_64", "arm64"]}, (
        400, BAD, "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed "
        "to satisfy constraint: Member must have length less than or equal to 1", None)),
    ({"Architectures": ["X86_64"]}, (
        400, BAD, "1 validation error detected: Value '[X86_64]' at 'architectures' failed to "
        "satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
        "[x86_64, arm64], Member must not be null]", None)),
    ({"Code": {"ZipFile": b"this is not a zipfile, just a random string"}}, (
        400, INVALID, "Could not unzip uploaded file. Please check your file, then try to upload "
        "again.", "User")),
    ({"FunctionName": "a" * 65}, (
        400, INVALID, f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed "
        "to satisfy constraint: Member must have length less than or equal to 64", "User")),
    ({"FunctionName": f"arn:aws:lambda:ap-southeast-1:{ME}:function:x"}, (
        404, NOT_FOUND, "Functions from 'ap-southeast-1' are not reachable in this region "
        f"('{HERE}')", "User")),
    ({"FunctionName": f"arn:aws:lambda:{HERE}:000000000000:function:x"}, (
        403, "AccessDeniedException", "", None)),
    ({"SnapStart": {"ApplyOn": "invalidOption"}}, (
        400, BAD, "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed "
        "to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]",
        None)),
    ({"Layers": [f"arn:aws:lambda:{HERE}:{ME}:layer:none:1"]}, (
        400, INVALID, f"Layer version arn:aws:lambda:{HERE}:{ME}:layer:none:1 does not exist.",
        "User")),
    ({"Layers": [f"arn:aws:lambda:us-east-1:{ME}:layer:l:1"]}, (
        400, INVALID, "Layers are not in the same region as the function. Layers are expected to be "
        f"in region {HERE}.", "User")),
    ({"Layers": [f"arn:aws:lambda:{HERE}:{ME}:layer:l"]}, (
        400, BAD, f"1 validation error detected: Value '[arn:aws:lambda:{HERE}:{ME}:layer:l]' at "
        "'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have "
        "length less than or equal to 2048, Member must have length greater than or equal to 1, "
        "Member must satisfy regular expression pattern: ((arn:", None)),
])
def test_functions_that_can_not_be(client, spec, changes, expected):
    """TestLambdaFunction::test_create_lambda_exceptions, ::test_function_arns;
    TestLambdaSnapStart::test_snapstart_exceptions; TestLambdaLayer::test_layer_function_exceptions
    """
    answer = refusal(client.create_function, **spec | changes)
    assert (*answer[:2], answer[3]) == (*expected[:2], expected[3])
    assert answer[2].startswith(expected[2])
    assert expected[2].endswith(("[", "(arn:")) or answer[2] == expected[2]


def test_names_in_arns(client, spec):
    """TestLambdaFunction::test_function_arns"""
    for name in ("f", "function:f", f"{ME}:function:f", ARN + "f"):
        assert client.create_function(**spec | {"FunctionName": name})["FunctionArn"] == ARN + "f"
        client.delete_function(FunctionName=name)


def test_a_redundant_update_is_an_update(made):
    """TestLambdaFunction::test_redundant_updates"""
    first = made.update_function_configuration(FunctionName="f", Description="1st")
    again = made.update_function_configuration(FunctionName="f", Description="1st")
    assert first["RevisionId"] != again["RevisionId"]


def test_list_functions(client, spec):
    """TestLambdaFunction::test_list_functions"""
    spec["Runtime"] = "python3.12"
    client.create_function(**spec, Environment={"Variables": {}}, Publish=True)
    client.create_function(**spec | {"FunctionName": "g"}, Environment={"Variables": {}})
    assert refusal(client.list_functions, FunctionVersion="invalid") == (
        400, BAD, "1 validation error detected: Value 'invalid' at 'functionVersion' failed to "
        "satisfy constraint: Member must satisfy enum value set: [ALL]", None)
    first, version, other = client.list_functions(FunctionVersion="ALL")["Functions"]
    assert first == listed(first, FunctionArn=f"{ARN}f:$LATEST")
    assert version == listed(version, FunctionArn=f"{ARN}f:1", Version="1")
    assert other["FunctionArn"] == f"{ARN}g:$LATEST"
    first, other = client.list_functions()["Functions"]
    assert (first, other["FunctionArn"]) == (listed(first), ARN + "g")


@pytest.mark.parametrize("call", ["update_function_code", "update_function_configuration"])
def test_function_revisions(made, call, archive):
    """TestLambdaRevisions::test_function_revisions_basic"""
    more = {"ZipFile": archive} if call == "update_function_code" else {"Runtime": "python3.11"}
    assert refusal(getattr(made, call), FunctionName="f", RevisionId="wrong", **more) == (
        412, "PreconditionFailedException", "The Revision Id provided does not match the latest "
        "Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id", "User")
    revision = made.get_function_configuration(FunctionName="f")["RevisionId"]
    assert getattr(made, call)(FunctionName="f", RevisionId=revision, **more)[
        "RevisionId"] != revision


# -- versions and aliases --------------------------------------------------------------------------

def test_publish_on_create_and_update(client, spec):
    """TestLambdaVersions::test_publish_version_on_create, ::test_publish_with_update: the function's
    ARN after the one, the version's after the other"""
    created = client.create_function(**spec, Publish=True)
    assert (created["FunctionArn"], created["Version"]) == (ARN + "f", "1")
    got = client.get_function(FunctionName="f", Qualifier="1")["Configuration"]
    assert (got["FunctionArn"], got["Version"]) == (f"{ARN}f:1", "1")
    again = client.publish_version(FunctionName="f")
    assert (status(again), again["Version"], again["RevisionId"]) == (201, "1", got["RevisionId"])
    changed = client.update_function_code(FunctionName="f", ZipFile=zipped("x = 1"), Publish=True)
    assert (changed["FunctionArn"], changed["Version"], status(changed)) == (
        f"{ARN}f:2", "2", 200)


def test_versions(made):
    """TestLambdaVersions::test_version_lifecycle, ::test_publish_with_wrong_sha256"""
    sha = made.get_function_configuration(FunctionName="f")["CodeSha256"]
    assert refusal(made.publish_version, FunctionName="f", CodeSha256="none") == (
        400, INVALID, f"CodeSHA256 (none) is different from current CodeSHA256 in $LATEST ({sha}). "
        "Please try again with the CodeSHA256 in $LATEST.", "User")
    assert refusal(made.publish_version, FunctionName="f", RevisionId="wrong")[:2] == (
        412, "PreconditionFailedException")
    published = made.publish_version(FunctionName="f", Description="first")
    number_one = {"FunctionArn": f"{ARN}f:1", "Version": "1", "Description": "first"}
    assert body(published) == under_way(configuration(published, **number_one), **CREATING)
    latest, one = made.list_versions_by_function(FunctionName="f")["Versions"]
    assert latest == listed(latest, FunctionArn=f"{ARN}f:$LATEST")
    assert one == listed(published, **number_one)
    assert made.get_function(FunctionName="f", Qualifier="1")["Configuration"] == configuration(
        published, **number_one)


@pytest.fixture
def two(made):
    """Two versions of ``f``."""
    made.publish_version(FunctionName="f")
    made.update_function_configuration(FunctionName="f", Description="other")
    made.publish_version(FunctionName="f")
    return made


def test_aliases(two):
    """TestLambdaAlias::test_alias_lifecycle, ::test_alias_naming;
    TestLambdaRevisions::test_function_revisions_version_and_alias"""
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.2}}}
    alias = two.create_alias(FunctionName="f", Name="live", FunctionVersion="1",
                             Description="custom-alias", **weights)
    shape = {"AliasArn": f"{ARN}f:live", "Description": "custom-alias", "FunctionVersion": "1",
             "Name": "live"}
    assert (status(alias), body(alias)) == (
        201, shape | weights | {"RevisionId": alias["RevisionId"]})
    assert body(two.get_alias(FunctionName="f", Name="live")) == body(alias)
    plain = two.create_alias(FunctionName="f", Name="2024-01-02", FunctionVersion="$LATEST",
                             RoutingConfig={"AdditionalVersionWeights": {}})
    assert body(plain) == {"AliasArn": f"{ARN}f:2024-01-02", "Description": "", "Name":
                           "2024-01-02", "FunctionVersion": "$LATEST",
                           "RevisionId": plain["RevisionId"]}
    assert refusal(two.update_alias, FunctionName="f", Name="live", RevisionId="wrong")[:2] == (
        412, "PreconditionFailedException")
    changed = two.update_alias(FunctionName="f", Name="live", Description="new")
    assert (changed["Description"], changed["RevisionId"] != alias["RevisionId"]) == ("new", True)
    assert refusal(two.create_alias, FunctionName="f", Name="2024", FunctionVersion="1")[2].startswith(
        "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: ")
    assert status(two.delete_alias(FunctionName="f", Name="live")) == 204


_WEIGHT = ("Member must have value less than or equal to 1.0, Member must have value greater than or "
           "equal to 0.0, Member must not be null")


@pytest.mark.parametrize(("version", "weights", "expected"), [
    ("1", {"1": 0.5, "2": 0.5}, (
        400, INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1",
        "User")),
    ("1", {"2": 2.0}, (
        400, BAD, "1 validation error detected: Value '{2=2.0}' at 'routingConfig."
        "additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: "
        f"[{_WEIGHT}]", None)),
    ("1", {"2": -1.0}, (
        400, BAD, "1 validation error detected: Value '{2=-1.0}' at 'routingConfig."
        "additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: "
        f"[{_WEIGHT}]", None)),
    ("1", {"1": 0.5}, (
        400, INVALID, "Invalid function version 1. Function version 1 is already included in "
        "routing configuration.", "User")),
    ("10", {}, (404, NOT_FOUND, f"Function not found: {ARN}f:10", "User")),
    ("1", {"10": 0.5}, (404, NOT_FOUND, f"Function not found: {ARN}f:10", "User")),
    ("$LATEST", {"1": 0.5}, (
        400, INVALID, "$LATEST is not supported for an alias pointing to more than 1 version",
        None)),
    ("1", {"$LATEST": 0.5}, (
        400, BAD, "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig."
        "additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: "
        "[Member must have length less than or equal to 1024, Member must have length greater than "
        "or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be "
        "null]", None)),
])
def test_aliases_that_can_not_be(two, version, weights, expected):
    """TestLambdaAlias::test_notfound_and_invalid_routingconfigs"""
    assert refusal(two.create_alias, FunctionName="f", Name="a", FunctionVersion=version,
                   RoutingConfig={"AdditionalVersionWeights": weights}) == expected


def test_aliases_that_are_not_there(two):
    """TestLambdaAlias::test_notfound_and_invalid_routingconfigs"""
    assert refusal(two.create_alias, FunctionName="none", Name="a", FunctionVersion="1") == (
        404, NOT_FOUND, f"Function not found: {ARN}none:1", "User")
    two.create_alias(FunctionName="f", Name="a", FunctionVersion="1")
    assert refusal(two.create_alias, FunctionName="f", Name="a", FunctionVersion="1") == (
        409, "ResourceConflictException", f"Alias already exists: {ARN}f:a", "User")
    assert refusal(two.get_alias, FunctionName="f", Name="none") == (
        404, NOT_FOUND, f"Cannot find alias arn: {ARN}f:none", "User")


# -- tags ------------------------------------------------------------------------------------------

def test_tags(made):
    """TestLambdaTag::test_tag_lifecycle, TestLambdaTags::test_tag_lifecycle"""
    revisions = [made.get_function_configuration(FunctionName="f")["RevisionId"]]
    arn = ARN + "f"
    assert body(made.list_tags(Resource=arn)) == {"Tags": {}}
    for tags, all_ in (({"A": "a"}, {"A": "a"}), ({"A": "b", "C": "c"}, {"A": "b", "C": "c"})):
        answer = made.tag_resource(Resource=arn, Tags=tags)
        assert (status(answer), body(answer)) == (204, {})
        assert body(made.list_tags(Resource=arn)) == {"Tags": all_}
        got = made.get_function(FunctionName="f")
        assert got["Tags"] == all_
        revisions.append(got["Configuration"]["RevisionId"])
    assert len(set(revisions)) == 3
    assert status(made.untag_resource(Resource=arn, TagKeys=["A", "none"])) == 204
    assert body(made.list_tags(Resource=arn)) == {"Tags": {"C": "c"}}
    made.untag_resource(Resource=arn, TagKeys=["C"])
    assert "Tags" not in made.get_function(FunctionName="f")


def test_tags_that_can_not_be(made):
    """TestLambdaTags::test_tag_exceptions, ::test_tag_limits, TestLambdaTag::test_tag_nonexisting…"""
    for call, more in ((made.tag_resource, {"Tags": {"a": "1"}}), (made.list_tags, {}),
                       (made.untag_resource, {"TagKeys": ["a"]})):
        assert refusal(call, Resource=ARN + "none", **more) == (
            404, NOT_FOUND, f"Function not found: {ARN}none", "User")
        assert refusal(call, Resource="arn:aws:something", **more)[2].startswith(
            "1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: arn:(aws")
    assert refusal(made.tag_resource, Resource=ARN + "none:v1", Tags={"a": "1"}) == (
        400, INVALID, "Tags on function aliases and versions are not supported. Please specify a "
        "function ARN.", "User")
    assert refusal(made.tag_resource, Resource=ARN + "f", Tags={}) == (
        400, INVALID, "An error occurred and the request cannot be processed.", "User")
    assert refusal(made.untag_resource, Resource=ARN + "f", TagKeys=[]) == (
        400, BAD, "1 validation error detected: Value null at 'tagKeys' failed to satisfy "
        "constraint: Member must not be null", None)
    fifty = {f"{number}_key": f"{number}_value" for number in range(50)}
    too_many = (400, INVALID, "Number of tags exceeds resource tag limit.", "User")
    assert refusal(made.tag_resource, Resource=ARN + "f", Tags={**fifty, "more": ""}) == too_many
    made.tag_resource(Resource=ARN + "f", Tags=fifty)
    assert refusal(made.tag_resource, Resource=ARN + "f", Tags={"more": ""}) == too_many


# -- concurrency and the account -------------------------------------------------------------------

def test_reserved_concurrency(made):
    """TestLambdaReservedConcurrency::test_function_concurrency, …_exceptions, …_limits"""
    assert refusal(made.put_function_concurrency, FunctionName="none",
                   ReservedConcurrentExecutions=1) == (
        404, NOT_FOUND, f"Function not found: {ARN}none:$LATEST", "User")
    made.publish_version(FunctionName="f")
    assert refusal(made.put_function_concurrency, FunctionName=f"{ARN}f:1",
                   ReservedConcurrentExecutions=1) == (
        400, INVALID, "This operation is permitted on Lambda functions only. Aliases and versions "
        "do not support this operation. Please specify either a function name or an unqualified "
        "function ARN.", "User")
    for places in (0, 1):
        answer = made.put_function_concurrency(FunctionName="f",
                                               ReservedConcurrentExecutions=places)
        assert (status(answer), body(answer)) == (200, {"ReservedConcurrentExecutions": places})
    assert body(made.get_function_concurrency(FunctionName="f")) == {
        "ReservedConcurrentExecutions": 1}
    for places in (901, 1001):
        assert refusal(made.put_function_concurrency, FunctionName="f",
                       ReservedConcurrentExecutions=places) == (
            400, INVALID, "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100].", None)
    assert status(made.delete_function_concurrency(FunctionName="f")) == 204
    assert body(made.get_function_concurrency(FunctionName="f")) == {}


def test_account_settings(made, archive):
    """TestLambdaAccountSettings: the members, and what counts as code"""
    settings = made.get_account_settings()
    assert {name: sorted(part) for name, part in body(settings).items()} == {
        "AccountLimit": ["CodeSizeUnzipped", "CodeSizeZipped", "ConcurrentExecutions",
                         "TotalCodeSize", "UnreservedConcurrentExecutions"],
        "AccountUsage": ["FunctionCount", "TotalCodeSize"]}
    used = [settings["AccountUsage"]["TotalCodeSize"]]
    for step in (
            lambda: made.update_function_configuration(FunctionName="f", Description="x"),
            lambda: made.publish_version(FunctionName="f"),
            lambda: made.publish_layer_version(LayerName="l", Content={"ZipFile": archive})):
        step()
        used.append(made.get_account_settings()["AccountUsage"]["TotalCodeSize"])
    size = len(archive)
    assert used == [size, size, 2 * size, 3 * size]


# -- permissions -----------------------------------------------------------------------------------

def test_permissions(made):
    """TestLambdaPermissions::test_add_lambda_permission_aws, ::test_lambda_permission_fn_versioning,
    ::test_remove_multi_permissions: a policy's revision is the function's"""
    added = made.add_permission(FunctionName="f", StatementId="s3", Principal="s3.amazonaws.com",
                                Action="lambda:InvokeFunction", SourceArn="arn:aws:s3:::b")
    statement = {"Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                 "Action": "lambda:InvokeFunction", "Resource": ARN + "f",
                 "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}}
    assert status(added) == 201
    assert list(json.loads(added["Statement"]).items()) == list(statement.items())
    policy = made.get_policy(FunctionName="f")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default",
                                            "Statement": [statement]}
    assert policy["RevisionId"] == made.get_function_configuration(FunctionName="f")["RevisionId"]

    made.publish_version(FunctionName="f")
    assert refusal(made.get_policy, FunctionName="f", Qualifier="1") == NO_RESOURCE
    made.add_permission(FunctionName="f", Qualifier="1", StatementId="two", Principal="*",
                        Action="lambda:InvokeFunction")
    of_one = made.get_policy(FunctionName="f", Qualifier="1")
    assert of_one["RevisionId"] == made.get_function_configuration(
        FunctionName="f", Qualifier="1")["RevisionId"]
    assert refusal(made.remove_permission, FunctionName="f", StatementId="none") == (
        404, NOT_FOUND, "Statement none is not found in resource policy.", "User")
    assert status(made.remove_permission(FunctionName="f", StatementId="s3")) == 204
    assert refusal(made.get_policy, FunctionName="f") == NO_RESOURCE


def test_permission_revisions(made):
    """TestLambdaRevisions::test_function_revisions_permissions"""
    allow = {"FunctionName": "f", "StatementId": "s3", "Principal": "s3.amazonaws.com",
             "Action": "lambda:InvokeFunction"}
    mismatch = (412, "PreconditionFailedException", "The Revision Id provided does not match the "
                "latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest "
                "Revision Id", "User")
    assert refusal(made.add_permission, **allow, RevisionId="wrong") == mismatch
    revision = made.get_function_configuration(FunctionName="f")["RevisionId"]
    made.add_permission(**allow, RevisionId=revision)
    assert refusal(made.remove_permission, FunctionName="f", StatementId="s3",
                   RevisionId=revision) == mismatch
    revision = made.get_policy(FunctionName="f")["RevisionId"]
    made.remove_permission(FunctionName="f", StatementId="s3", RevisionId=revision)


@pytest.mark.parametrize(("options", "expected"), [
    ({"StatementId": "example.com"}, (
        400, BAD, "1 validation error detected: Value 'example.com' at 'statementId' failed to "
        "satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        None)),
    ({"Qualifier": "$LATEST"}, (
        400, INVALID, "We currently do not support adding policies for $LATEST.", "User")),
    ({"Principal": "invalid"}, (
        400, INVALID, "The provided principal was invalid. Please check the principal and try "
        "again.", "User")),
    ({"FunctionName": "none"}, (404, NOT_FOUND, f"Function not found: {ARN}none", "User")),
    ({"Qualifier": "no-alias"}, (
        404, NOT_FOUND, f"Cannot find alias arn: {ARN}f:no-alias", "User")),
    ({"Qualifier": "42"}, (404, NOT_FOUND, f"Function not found: {ARN}f:42", "User")),
    ({"Qualifier": "with-$-but-none"}, (
        404, NOT_FOUND, f"Function not found: {ARN}f:with-$-but-none", "User")),
    ({"FunctionName": "f:alias-not-42", "Qualifier": "42"}, (
        400, INVALID, "The derived qualifier from the function name does not match the specified "
        "qualifier.", "User")),
])
def test_permissions_that_can_not_be(made, options, expected):
    """TestLambdaPermissions::test_permission_exceptions"""
    allow = {"FunctionName": "f", "StatementId": "s3", "Principal": "s3.amazonaws.com",
             "Action": "lambda:InvokeFunction"}
    assert refusal(made.add_permission, **allow | options) == expected


def test_policies_that_are_not_there(made):
    """TestLambdaPermissions::test_permission_exceptions"""
    assert refusal(made.get_policy, FunctionName="none") == (
        404, NOT_FOUND, f"Function not found: {ARN}none", "User")
    assert refusal(made.get_policy, FunctionName="f", Qualifier="1") == NO_RESOURCE
    remove = {"StatementId": "s3"}
    assert refusal(made.remove_permission, FunctionName="f", **remove) == (
        404, NOT_FOUND, "No policy is associated with the given resource.", "User")
    assert refusal(made.remove_permission, FunctionName="none", **remove) == (
        404, NOT_FOUND, f"No policy found for: {ARN}none", "User")
    assert refusal(made.remove_permission, FunctionName="f", Qualifier="no-alias", **remove) == (
        404, NOT_FOUND, f"Cannot find alias arn: {ARN}f:no-alias", "User")
    allow = {"FunctionName": "f", "StatementId": "s3", "Principal": "*",
             "Action": "lambda:InvokeFunction"}
    made.add_permission(**allow)
    assert refusal(made.add_permission, **allow) == (
        409, "ResourceConflictException", "The statement id (s3) provided already exists. Please "
        "provide a new statement id, or remove the existing statement.", "User")


# -- layers ----------------------------------------------------------------------------------------

LAYER = f"arn:aws:lambda:{HERE}:{ME}:layer:l"


def test_layers(client, archive):
    """TestLambdaLayer::test_layer_lifecycle, ::test_layer_s3_content, ::test_layer_exceptions"""
    full = {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": ["x86_64"],
            "LicenseInfo": "MIT", "Description": "words"}
    for given, printed in ((full, full), ({}, {"Description": ""}), (
            {"CompatibleRuntimes": [], "CompatibleArchitectures": []},
            {"CompatibleRuntimes": [], "CompatibleArchitectures": [], "Description": ""})):
        made = client.publish_layer_version(LayerName="l", Content={"ZipFile": archive}, **given)
        number = made["Version"]
        assert (status(made), body(made)) == (201, printed | {
            "Content": made["Content"], "CreatedDate": made["CreatedDate"], "LayerArn": LAYER,
            "LayerVersionArn": f"{LAYER}:{number}", "Version": number})
        assert sorted(made["Content"]) == ["CodeSha256", "CodeSize", "Location"]
        got = client.get_layer_version(LayerName="l", VersionNumber=number)
        got["Content"]["Location"] = made["Content"]["Location"]  # signed anew
        assert body(got) == body(made)
    for number in (1, 1, 9):  # harmless when there is none
        assert status(client.delete_layer_version(LayerName="l", VersionNumber=number)) == 204
    assert body(client.list_layer_versions(LayerName="none")) == {"LayerVersions": []}


@pytest.mark.parametrize(("call", "params", "expected"), [
    ("get_layer_version", {"LayerName": "none", "VersionNumber": 1}, NO_RESOURCE),
    ("get_layer_version", {"LayerName": "l", "VersionNumber": 2}, NO_RESOURCE),
    ("get_layer_version", {"LayerName": "l", "VersionNumber": 0}, (
        400, INVALID, "Layer Version Cannot be less than 1", "User")),
    ("delete_layer_version", {"LayerName": "l", "VersionNumber": -1}, (
        400, INVALID, "Layer Version Cannot be less than 1", "User")),
    ("get_layer_version_by_arn", {"Arn": f"{LAYER}:9"}, NO_RESOURCE),
    ("list_layers", {"CompatibleArchitecture": "none"}, (
        400, BAD, "1 validation error detected: Value 'none' at 'compatibleArchitecture' failed to "
        "satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]", None)),
    ("publish_layer_version", {"LayerName": "l", "Content": {}, "CompatibleArchitectures": [
        "invalidarch", "x86_64"]}, (
        400, BAD, "1 validation error detected: Value '[invalidarch, x86_64]' at "
        "'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must satisfy enum value set: [x86_64, arm64]]", None)),
    ("get_layer_version_policy", {"LayerName": "l", "VersionNumber": 1}, (
        404, NOT_FOUND, "No policy is associated with the given resource.", "User")),
    ("get_layer_version_policy", {"LayerName": "l", "VersionNumber": 2}, (
        404, NOT_FOUND, f"Layer version {LAYER}:2 does not exist.", "User")),
])
def test_layers_that_are_not_there(client, archive, call, params, expected):
    """TestLambdaLayer::test_layer_exceptions, ::test_layer_policy_exceptions"""
    client.publish_layer_version(LayerName="l", Content={"ZipFile": archive})
    assert refusal(getattr(client, call), **params) == expected


def test_runtimes_of_a_layer_that_are_none(client, archive):
    """TestLambdaLayer::test_layer_exceptions: worded as if the list were one value"""
    answer = refusal(client.publish_layer_version, LayerName="l", Content={"ZipFile": archive},
                     CompatibleRuntimes=["invalidruntime"], CompatibleArchitectures=["invalidarch"])
    assert answer[2].startswith("2 validation errors detected: ")  # AWS's order is another one
    assert ("Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: Member "
            "must satisfy enum value set: [") in answer[2]
    assert "Value '[invalidarch]' at 'compatibleArchitectures' failed to satisfy" in answer[2]


def test_layer_policies(client, archive):
    """TestLambdaLayer::test_layer_policy_lifecycle, ::test_layer_policy_exceptions"""
    client.publish_layer_version(LayerName="l", Content={"ZipFile": archive})
    allow = {"LayerName": "l", "VersionNumber": 1, "StatementId": "s1", "Principal": "*",
             "Action": "lambda:GetLayerVersion"}
    added = client.add_layer_version_permission(**allow)
    statement = {"Sid": "s1", "Effect": "Allow", "Principal": "*",
                 "Action": "lambda:GetLayerVersion", "Resource": f"{LAYER}:1"}
    assert (status(added), json.loads(added["Statement"])) == (201, statement)
    policy = client.get_layer_version_policy(LayerName="l", VersionNumber=1)
    assert (policy["RevisionId"], json.loads(policy["Policy"])) == (
        added["RevisionId"], {"Version": "2012-10-17", "Id": "default", "Statement": [statement]})
    assert refusal(client.add_layer_version_permission, **allow)[:2] == (
        409, "ResourceConflictException")
    wrong = (412, "PreconditionFailedException", "The Revision Id provided does not match the latest "
             "Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id", "User")
    assert refusal(client.add_layer_version_permission, **allow | {"StatementId": "s2"},
                   RevisionId="wrong") == wrong
    assert refusal(client.remove_layer_version_permission, LayerName="l", VersionNumber=1,
                   StatementId="s1", RevisionId="wrong") == wrong
    assert refusal(client.remove_layer_version_permission, LayerName="l", VersionNumber=1,
                   StatementId="none") == (
        404, NOT_FOUND, "Statement none is not found in resource policy.", "User")
    assert refusal(client.add_layer_version_permission, **allow | {"Action": "*"}) == (
        400, BAD, "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: lambda:GetLayerVersion", None)
    assert status(client.remove_layer_version_permission(
        LayerName="l", VersionNumber=1, StatementId="s1")) == 204


# -- code signing ----------------------------------------------------------------------------------

PROFILE = f"arn:aws:signer:{HERE}:{ME}:/signing-profiles/test"
NO_CONFIG = f"arn:aws:lambda:{HERE}:{ME}:code-signing-config:csc-00000000000000000"


@pytest.fixture
def config(client):
    return client.create_code_signing_config(
        Description="Testing", AllowedPublishers={"SigningProfileVersionArns": [PROFILE]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})["CodeSigningConfig"]


def test_code_signing(made, config):
    """TestCodeSigningConfig::test_function_code_signing_config"""
    arn = config["CodeSigningConfigArn"]
    assert config == {
        "AllowedPublishers": {"SigningProfileVersionArns": [PROFILE]}, "CodeSigningConfigArn": arn,
        "CodeSigningConfigId": arn.rpartition(":")[2], "Description": "Testing",
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
        "LastModified": config["LastModified"]}
    changed = made.update_code_signing_config(
        CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    warns = config | {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}}
    assert changed["CodeSigningConfig"] == warns
    assert made.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == warns
    assert body(made.list_code_signing_configs()) == {"CodeSigningConfigs": [warns]}
    assert body(made.get_function_code_signing_config(FunctionName="f")) == {}
    pair = {"CodeSigningConfigArn": arn, "FunctionName": "f"}
    assert body(made.put_function_code_signing_config(**pair)) == pair
    assert body(made.get_function_code_signing_config(FunctionName="f")) == pair
    assert body(made.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)) == {
        "FunctionArns": [ARN + "f"]}
    assert status(made.delete_function_code_signing_config(FunctionName="f")) == 204
    assert status(made.delete_code_signing_config(CodeSigningConfigArn=arn)) == 204


def test_code_signing_that_is_not_there(made, config):
    """TestCodeSigningConfig::test_code_signing_not_found_excs"""
    gone = (404, NOT_FOUND, f"The Lambda code signing configuration {NO_CONFIG} can not be found.",
            None)
    for call in (made.get_code_signing_config, made.update_code_signing_config,
                 made.delete_code_signing_config, made.list_functions_by_code_signing_config):
        assert refusal(call, CodeSigningConfigArn=NO_CONFIG) == gone
    for name in ("f", "none"):  # the configuration is looked for first
        assert refusal(made.put_function_code_signing_config, FunctionName=name,
                       CodeSigningConfigArn=NO_CONFIG) == (
            404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be "
            f"found. Check that the provided configuration is not deleted: {NO_CONFIG}.", "User")
    arn = config["CodeSigningConfigArn"]
    assert refusal(made.put_function_code_signing_config, FunctionName="none",
                   CodeSigningConfigArn=arn)[2] == f"Function not found: {ARN}none"
    assert refusal(made.delete_function_code_signing_config, FunctionName="none")[2] == (
        f"Function not found: {ARN}none")
    assert status(made.delete_function_code_signing_config(FunctionName="f")) == 204
    assert body(made.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)) == {
        "FunctionArns": []}


# -- event source mappings (their shapes: test_event_sources) --------------------------------------

def test_mappings_that_are_not_there(made):
    """TestLambdaEventSourceMappings::test_event_source_mapping_exceptions"""
    uuid = "00000000-0000-4000-8000-000000000000"
    for call in (made.get_event_source_mapping, made.update_event_source_mapping,
                 made.delete_event_source_mapping):
        assert refusal(call, UUID=uuid) == NO_RESOURCE
    assert refusal(made.create_event_source_mapping, FunctionName="none") == (
        400, INVALID, "Unrecognized event source.", "User")
    assert refusal(made.create_event_source_mapping, FunctionName="none",
                   EventSourceArn=f"arn:aws:sqs:{HERE}:{ME}:q") == (
        400, INVALID, "Function does not exist", "User")


def test_a_position_that_is_none(made):
    """TestLambdaEventSourceMappings::test_create_starting_position_validation_exceptions"""
    assert refusal(made.create_event_source_mapping, FunctionName="f", StartingPosition="0",
                   EventSourceArn=f"arn:aws:sqs:{HERE}:{ME}:q") == (
        400, BAD, "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy "
        "constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
        None)
