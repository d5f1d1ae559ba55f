"""AWS's error types and sentences."""

import json

import pytest

from minilambda import errors

ARN = "arn:aws:lambda:eu-west-2:123456789012:function:f"


@pytest.mark.parametrize(("error", "status", "code", "message"), [
    (errors.function_not_found(ARN), 404, "ResourceNotFoundException",
     f"Function not found: {ARN}"),
    (errors.function_exists("f"), 409, "ResourceConflictException", "Function already exist: f"),
    (errors.role_not_assumable(), 400, "InvalidParameterValueException",
     "The role defined for the function cannot be assumed by Lambda."),
    (errors.not_a_zip(), 400, "InvalidParameterValueException",
     "Could not unzip uploaded file. Please check your file, then try to upload again."),
    (errors.unzipped_too_big(262144000), 400, "InvalidParameterValueException",
     "Unzipped size must be smaller than 262144000 bytes"),
    (errors.request_too_large(6291456, "InvokeFunction"), 413, "RequestEntityTooLargeException",
     "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
    (errors.throttled(), 429, "TooManyRequestsException", "Rate Exceeded."),
])
def test_sentences(error, status, code, message):
    assert (error.status, error.code, error.message) == (status, code, message)
    assert str(error) == f"{code}: {message}"


def test_a_throttle_has_its_reason():
    error = errors.throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
    assert error.extra == {"Type": "User",
                           "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}


def test_several_violations_in_one_sentence():
    error = errors.validation([
        errors.violation("memorySize", 100, "Member must have value greater than or equal to 128"),
        errors.violation("role", None, "Member must not be null")])
    assert error.code == "ValidationException"
    assert error.message == (
        "2 validation errors detected: Value '100' at 'memorySize' failed to satisfy constraint: "
        "Member must have value greater than or equal to 128; Value null at 'role' failed to "
        "satisfy constraint: Member must not be null")


def test_environment_is_measured_as_json():
    variables = {"A": "x" * 4000, "B": "é"}
    assert errors.environment_size(variables) == len(
        json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    message = errors.environment_too_big(variables).message
    assert message.startswith("Lambda was unable to configure your environment variables because "
                              "the environment variables you have provided exceeded the 4KB limit.")
    assert "x" * 100 not in message


def test_what_is_not_here_is_a_501_of_the_service():
    error = errors.not_implemented("layers")
    assert (error.status, error.extra["Type"]) == (501, "Service")
    assert "layers" in error.message
