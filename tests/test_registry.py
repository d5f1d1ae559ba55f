"""The functions of every account and region, without any server."""

import io
import zipfile

import pytest

from minilambda import errors
from minilambda.clock import COURSE_START, Clock
from minilambda.errors import LambdaError
from minilambda.limits import Limits
from minilambda.registry import Registry

ME, HERE = "123456789012", "eu-west-2"
ROLE = f"arn:aws:iam::{ME}:role/lambda-role"
ARN = f"arn:aws:lambda:{HERE}:{ME}:function:f"


def zipped(text="def handler(event, context): return event"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", text)
    return buffer.getvalue()


def make(profile="course", limits=None, **ports):
    ports = {"fetch_code": lambda *where: zipped("from s3"),
             "role_trusts_lambda": lambda role: role == ROLE} | ports
    return Registry(Clock(start=COURSE_START), limits or Limits.load(profile), **ports)


def request(name="f", **more):
    return {"FunctionName": name, "Runtime": "python3.8", "Role": ROLE, "Handler": "app.handler",
            "Code": {"ZipFile": zipped()}, **more}


def refused(call, *args):
    with pytest.raises(LambdaError) as caught:
        call(*args)
    return caught.value


@pytest.fixture
def registry():
    return make()


@pytest.fixture
def function(registry):
    return registry.create(ME, HERE, request())


def test_a_new_function_has_the_profiles_defaults(function):
    assert (function.memory_size, function.timeout, function.ephemeral_storage) == (128, 3, 512)
    assert function.arn == ARN
    assert function.version == "$LATEST"
    assert function.last_modified == "2020-03-02T09:00:00.000+0000"
    assert len(function.revision_id) == 36


@pytest.mark.parametrize("name", ["f", f"{ME}:function:f", "function:f", ARN, f"{ARN}:$LATEST"])
def test_a_function_by_any_form_of_its_name(registry, function, name):
    assert registry.get(ME, HERE, name) is function


def test_not_found_names_the_arn_that_was_meant(registry):
    assert refused(registry.get, ME, HERE, "nope").message == (
        f"Function not found: arn:aws:lambda:{HERE}:{ME}:function:nope")
    assert refused(registry.get, ME, HERE, "nope", "$LATEST").message.endswith(":nope:$LATEST")


def test_another_region_is_not_reachable(registry, function):
    error = refused(registry.get, ME, "us-east-1", ARN)
    assert error.message == "Functions from 'eu-west-2' are not reachable in this region " \
                            "('us-east-1')"
    assert refused(registry.get, ME, "us-east-1", "f").code == "ResourceNotFoundException"


def test_another_accounts_function_is_denied(registry, function):
    error = refused(registry.get, "210987654321", HERE, ARN)
    assert (error.status, error.code) == (403, "AccessDeniedException")


def test_a_qualifier_that_names_nothing(registry, function):
    error = refused(registry.get, ME, HERE, "f", "PROD")
    assert (error.status, error.message) == (404, f"Function not found: {ARN}:PROD")


def test_two_different_qualifiers(registry, function):
    assert refused(registry.get, ME, HERE, "f:1", "2").message == (
        "The derived qualifier from the function name does not match the specified qualifier.")


def test_the_same_name_again(registry, function):
    assert refused(registry.create, ME, HERE, request()).message == "Function already exist: f"
    assert registry.create(ME, "us-east-1", request()).region == "us-east-1"


def test_accounts_are_apart():
    registry = make(role_trusts_lambda=lambda role: True)
    for account in (ME, "210987654321"):
        registry.create(account, HERE, request(Role=f"arn:aws:iam::{account}:role/r"))
    assert len(registry.list(ME, HERE)[0]) == 1
    assert len(list(registry)) == 2


def test_a_change_makes_a_new_configuration_and_tells(registry, function):
    told = []
    registry.on_change = lambda old, new: told.append((old, new))
    changed = registry.update_configuration(ME, HERE, {"FunctionName": "f", "MemorySize": 256})
    assert (changed.memory_size, changed.timeout) == (256, 3)
    assert changed.revision_id != function.revision_id
    assert function.memory_size == 128  # the old one is as it was
    registry.delete(ME, HERE, "f")
    assert told == [(function, changed), (changed, None)]


def test_what_a_request_leaves_out_stays(registry):
    registry.create(ME, HERE, request(Environment={"Variables": {"STAGE": "dev"}}, Timeout=7,
                                      Description="first"))
    registry.update_configuration(ME, HERE, {"FunctionName": "f", "Description": ""})
    function = registry.get(ME, HERE, "f")
    assert (function.description, function.timeout) == ("", 7)
    assert dict(function.environment) == {"STAGE": "dev"}
    registry.update_configuration(ME, HERE, {"FunctionName": "f", "Environment": {}})
    assert dict(registry.get(ME, HERE, "f").environment) == {}


def test_a_revision_that_is_not_the_latest(registry, function):
    registry.update_configuration(ME, HERE, {"FunctionName": "f", "RevisionId":
                                             function.revision_id, "Timeout": 5})
    error = refused(registry.update_configuration, ME, HERE, {
        "FunctionName": "f", "RevisionId": function.revision_id, "Timeout": 9})
    assert (error.status, error.code) == (412, "PreconditionFailedException")
    assert registry.get(ME, HERE, "f").timeout == 5
    assert refused(registry.update_code, ME, HERE, {
        "FunctionName": "f", "RevisionId": "x", "ZipFile": zipped()}).status == 412


def test_new_code_and_a_dry_run_of_it(registry, function):
    update = {"FunctionName": "f", "ZipFile": zipped("x = 2")}
    tried = registry.update_code(ME, HERE, update | {"DryRun": True})
    assert registry.get(ME, HERE, "f") is function
    done = registry.update_code(ME, HERE, update)
    assert done.code.sha256 == tried.code.sha256 != function.code.sha256
    assert refused(registry.update_code, ME, HERE, {
        "FunctionName": "f", "ZipFile": b"junk", "DryRun": True}).message.startswith(
        "Could not unzip uploaded file.")


def test_lists_are_paged_by_fifty(registry):
    for number in range(120):
        registry.create(ME, HERE, request(f"f{number:03}"))
    registry.create(ME, "us-east-1", request("elsewhere"))
    names, marker, pages = [], None, 0
    while pages == 0 or marker:
        page, marker = registry.list(ME, HERE, marker, 10_000)
        names += [function.name for function in page]
        pages += 1
    assert names == [f"f{number:03}" for number in range(120)]
    assert pages == 3
    assert [f.name for f in registry.list(ME, HERE, "f117", 1)[0]] == ["f118"]


def test_deleting(registry, function):
    error = refused(registry.delete, ME, HERE, "f", "$LATEST")
    assert error.message == "$LATEST version cannot be deleted without deleting the function."
    registry.delete(ME, HERE, ARN)
    assert refused(registry.delete, ME, HERE, "f").code == "ResourceNotFoundException"


def test_a_role_that_lambda_may_not_assume(registry):
    error = refused(registry.create, ME, HERE, request(Role=ROLE + "x"))
    assert error.message == "The role defined for the function cannot be assumed by Lambda."
    other = "arn:aws:iam::210987654321:role/r"
    assert refused(registry.create, ME, HERE, request(Role=other)).message == (
        "Cross-account pass role is not allowed.")


def test_environment_over_4_kb(registry):
    fits = {"A": "x" * (4096 - len('{"A":""}'))}
    registry.create(ME, HERE, request(Environment={"Variables": fits}))
    error = refused(registry.create, ME, HERE, request("g", Environment={
        "Variables": {"A": fits["A"] + "x"}}))
    assert "exceeded the 4KB limit." in error.message


def test_reserved_environment_variables(registry):
    error = refused(registry.create, ME, HERE, request(Environment={
        "Variables": {"STAGE": "dev", "AWS_REGION": "eu-west-2"}}))
    assert error.message.endswith("Reserved keys used in this request: AWS_REGION")


def test_runtimes(registry):
    error = refused(registry.create, ME, HERE, request(Runtime="python9"))
    assert error.code == "InvalidParameterValueException"
    assert error.message.startswith("Value python9 at 'runtime' failed to satisfy constraint: "
                                    "Member must satisfy enum value set: [nodejs10.x, ")
    assert error.message.endswith("] or be a valid ARN")
    for name in ("python3.8", "python3.13", "provided.al2023"):
        registry.create(ME, HERE, request(name.replace(".", "-"), Runtime=name))


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_runtime_and_handler_are_needed(registry, missing):
    asked = request()
    del asked[missing]
    assert refused(registry.create, ME, HERE, asked).message.startswith(
        "Runtime and Handler are mandatory parameters")


def test_code_from_s3(registry):
    asked = []
    registry = make(fetch_code=lambda *where: asked.append(where) or zipped("from s3"))
    registry.create(ME, HERE, request(Code={"S3Bucket": "b", "S3Key": "k"}))
    registry.create(ME, HERE, request("g", Code={"S3Bucket": "b", "S3Key": "k",
                                                 "S3ObjectVersion": "v2"}))
    assert asked == [(ME, HERE, "b", "k", None), (ME, HERE, "b", "k", "v2")]


def test_code_from_nowhere_and_from_two_places(registry):
    assert refused(registry.create, ME, HERE, request(Code={})).message == (
        "Please provide a source for function code.")
    assert refused(registry.create, ME, HERE, request(
        Code={"ZipFile": zipped(), "S3Bucket": "b", "S3Key": "k"})).message == (
        "Please do not provide other FunctionCode parameters when providing a ZipFile.")


def test_a_zip_too_big_for_direct_upload_may_come_from_s3():
    figures = {**Limits.load("course").figures(), "zip_direct": 300}
    big = zipped("x" * 500)
    registry = make(limits=Limits("course", figures), fetch_code=lambda *where: big)
    error = refused(registry.create, ME, HERE, request(Code={"ZipFile": big}))
    assert error.code == "RequestEntityTooLargeException"
    assert error.message == (
        "Request must be smaller than 400 bytes for the CreateFunction operation")
    registry.create(ME, HERE, request(Code={"S3Bucket": "b", "S3Key": "k"}))


def test_the_direct_upload_limit_in_awss_own_figure():
    figures = Limits.load("course")
    error = refused(make().create, ME, HERE, request(
        Code={"ZipFile": bytes(figures.zip_direct + 1)}))
    assert error.message == (
        "Request must be smaller than 69905067 bytes for the CreateFunction operation")


def test_code_storage_of_a_region_is_limited():
    figures = {**Limits.load("course").figures(), "code_storage": len(zipped()) * 2}
    registry = make(limits=Limits("course", figures))
    registry.create(ME, HERE, request("a"))
    registry.create(ME, HERE, request("b"))
    assert refused(registry.create, ME, HERE, request("c")).code == "CodeStorageExceededException"


def test_tags_make_a_new_revision_that_no_environment_sees(registry, function):
    """AWS gives a function another RevisionId with every change of its tags."""
    registry.on_change = lambda old, new: pytest.fail("tags are no change of the function")
    registry.retag(ME, HERE, ARN, lambda old: {**old, "team": "red", "stage": "dev"})
    first = registry.get(ME, HERE, "f")
    registry.retag(ME, HERE, ARN, lambda old: {"team": old["team"]})
    tagged = registry.get(ME, HERE, "f")
    assert dict(tagged.tags) == {"team": "red"}
    assert tagged.revision_id == function.revision_id
    assert len({f.api_revision for f in (function, first, tagged)}) == 3
    assert refused(registry.retag, ME, HERE, ARN, lambda old: {
        **old, **{f"k{n}": "" for n in range(50)}}).message == errors.too_many_tags().message


def test_configurations_can_not_be_changed_behind_the_registrys_back(registry):
    variables = {"STAGE": "dev"}
    function = registry.create(ME, HERE, request(Environment={"Variables": variables}))
    variables["STAGE"] = "prod"
    assert function.environment["STAGE"] == "dev"
    with pytest.raises(TypeError):
        function.environment["STAGE"] = "prod"
