"""Code signing's enforcement, recursive loops and runtime management, as boto3 sees them."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda.recursion import mark_of, parse

ARN = "arn:aws:lambda:eu-west-2:123456789012:function:f"
PROFILE = "arn:aws:signer:eu-west-2:123456789012:/signing-profiles/p/1"


def refusal(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value


@pytest.fixture
def today(run, spec):
    running = run(profile="today")
    running.lambda_ = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    for operation in ("CreateFunction", "PublishVersion", "UpdateFunctionConfiguration",
                      "UpdateFunctionCode"):
        running.lambda_.meta.events.register(  # until it has come about
            f"after-call.lambda.{operation}", lambda **_: running.runtime.clock.run(5))
    running.lambda_.create_function(**spec)
    return running


@pytest.fixture
def configs(today):
    """The ARNs of two code signing configurations: one warns, one enforces."""
    return {policy: today.lambda_.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [PROFILE]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}, Tags={"a": "1"},
    )["CodeSigningConfig"]["CodeSigningConfigArn"] for policy in ("Warn", "Enforce")}


def test_unsigned_code_is_refused_where_signatures_are_enforced(today, configs, spec, archive):
    client = today.lambda_
    client.put_function_code_signing_config(FunctionName="f",
                                            CodeSigningConfigArn=configs["Enforce"])
    layer = client.publish_layer_version(LayerName="l", Content={"ZipFile": archive})
    for call, params in (
            (client.create_function, spec | {"FunctionName": "g",
                                             "CodeSigningConfigArn": configs["Enforce"]}),
            (client.update_function_code, {"FunctionName": "f", "ZipFile": archive}),
            (client.update_function_configuration, {
                "FunctionName": "f", "Layers": [layer["LayerVersionArn"]]})):
        error = refusal(call, **params)
        assert error.response["Error"]["Code"] == "CodeVerificationFailedException"
        assert str(error).endswith(
            "Lambda cannot deploy the function. The function or layer might be signed using a "
            "signature that the client is not configured to accept. Check the provided signature "
            f"for {params['FunctionName']}.")
    assert [f["FunctionName"] for f in client.list_functions()["Functions"]] == ["f"]
    client.update_function_configuration(FunctionName="f", Timeout=5)  # no code in that
    client.put_function_code_signing_config(FunctionName="f", CodeSigningConfigArn=configs["Warn"])
    client.update_function_code(FunctionName="f", ZipFile=archive)


def test_a_configuration_in_use_stays_until_its_functions_are_gone(today, configs, spec):
    client, arn = today.lambda_, configs["Warn"]
    client.create_function(**spec | {"FunctionName": "g"}, CodeSigningConfigArn=arn)
    assert client.get_function_code_signing_config(FunctionName="g")["CodeSigningConfigArn"] == arn
    error = refusal(client.delete_code_signing_config, CodeSigningConfigArn=arn)
    assert error.response["Error"]["Code"] == "ResourceConflictException"
    client.delete_function(FunctionName="g")
    client.create_function(**spec | {"FunctionName": "g"})
    assert "CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName="g")
    client.delete_code_signing_config(CodeSigningConfigArn=arn)


def test_lists_of_configurations_are_paged_and_tagged(today, configs):
    client = today.lambda_
    pages = list(client.get_paginator("list_code_signing_configs").paginate(
        PaginationConfig={"PageSize": 1}))
    assert [c["CodeSigningConfigArn"] for page in pages for c in page["CodeSigningConfigs"]] == [
        *configs.values()]
    client.tag_resource(Resource=configs["Warn"], Tags={"b": "2"})
    client.untag_resource(Resource=configs["Warn"], TagKeys=["a"])
    assert client.list_tags(Resource=configs["Warn"])["Tags"] == {"b": "2"}
    assert client.list_tags(Resource=configs["Enforce"])["Tags"] == {"a": "1"}


# -- recursive loops -------------------------------------------------------------------------------

def invoke(client, header):
    """Invoke with a trace header, as AWS's SDKs send it from inside a function."""
    def add(params, **_):
        params["headers"]["X-Amzn-Trace-Id"] = header

    client.meta.events.register("before-call.lambda.Invoke", add, unique_id="header")
    try:
        return client.invoke(FunctionName="f")
    finally:
        client.meta.events.unregister("before-call.lambda.Invoke", add, unique_id="header")


def test_a_loop_is_stopped_after_sixteen_invocations(today):
    header, passed_on = "Root=1-5e5ccb90-000000000000000000000001;Parent=53995c3f42cd8ad8", []
    for _ in range(16):
        invoke(today.lambda_, header)
        header = today.runtime.frontend.calls[-1].trace_header
        passed_on.append(header)
    function = today.runtime.registry.get("123456789012", "eu-west-2", "f")
    assert [parse(text) for text in passed_on] == [{mark_of(function): n} for n in range(1, 17)]
    assert passed_on[-1].startswith("Root=1-5e5ccb90-000000000000000000000001;Parent=")
    error = refusal(invoke, client=today.lambda_, header=header)
    assert error.response["Error"]["Code"] == "RecursiveInvocationException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(today.runtime.frontend.calls) == 16
    today.lambda_.invoke(FunctionName="f")  # another chain of requests

    assert today.lambda_.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == (
        "Terminate")
    answer = today.lambda_.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    assert answer["RecursiveLoop"] == "Allow"
    invoke(today.lambda_, header)


def test_a_lineage_is_counted_function_by_function():
    assert parse("Root=1-a-b;Lineage=0000000a:3%7C0000000b:16") == {"0000000a": 3, "0000000b": 16}
    assert parse("Root=1-a-b;Sampled=0") == parse(None) == parse("Lineage=x:y") == {}


def test_the_course_knows_no_loop_detection(lambda_, cloud, spec):
    lambda_.create_function(**spec)
    function = cloud.runtime.registry.get("123456789012", "eu-west-2", "f")
    header = f"Root=1-5e5ccb90-000000000000000000000001;Lineage={mark_of(function)}:99"
    invoke(lambda_, header)
    assert cloud.runtime.frontend.calls[-1].trace_header == header
    error = refusal(lambda_.get_function_recursion_config, FunctionName="f")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


# -- runtime management ----------------------------------------------------------------------------

def test_runtime_management(today):
    client = today.lambda_
    version = client.get_function_configuration(FunctionName="f")["RuntimeVersionConfig"][
        "RuntimeVersionArn"]
    client.publish_version(FunctionName="f")

    def managed(**more):
        answer = client.get_runtime_management_config(FunctionName="f", **more)
        return {name: answer[name] for name in answer.keys() - {"ResponseMetadata"}}

    assert managed() == {"UpdateRuntimeOn": "Auto", "FunctionArn": ARN}
    client.put_runtime_management_config(FunctionName="f", UpdateRuntimeOn="Manual",
                                         RuntimeVersionArn=version)
    assert managed() == {"UpdateRuntimeOn": "Manual", "FunctionArn": ARN,
                         "RuntimeVersionArn": version}
    client.put_runtime_management_config(FunctionName="f", Qualifier="1",
                                         UpdateRuntimeOn="FunctionUpdate")
    assert managed(Qualifier="1") == {"UpdateRuntimeOn": "FunctionUpdate",
                                      "FunctionArn": f"{ARN}:1"}
    assert managed()["UpdateRuntimeOn"] == "Manual"
    for mode, arn in (("Manual", None), ("Auto", version), ("Manual", version[:-1] + "0" * 2)):
        error = refusal(client.put_runtime_management_config, FunctionName="f",
                        UpdateRuntimeOn=mode, **({"RuntimeVersionArn": arn} if arn else {}))
        assert error.response["Error"]["Code"] == "InvalidParameterValueException"
