"""Every error type of the Lambda API, and AWS's own sentences.

Stands for: the *Errors* section of each operation in the Lambda API reference.
Leaves out: errors of services that functions only use (moto raises those).

A factory's name says the case; it returns the error, the caller raises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


class LambdaError(Exception):
    """An error as the Lambda API answers it.

    ``code`` is AWS's error type, ``status`` the HTTP status, ``extra`` further members of the
    error's shape (``Type`` is in it unless the error has none; ``Reason`` for throttles).
    ``request_id`` is that of the request refused, if it had one by then.
    """

    request_id: str | None = None

    def __init__(self, code: str, message: str, status: int = 400, *, type_: str | None = "User",
                 **extra: str) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.extra = ({"Type": type_} if type_ else {}) | extra

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


# -- asking for what isn't there -----------------------------------------------------------------

def function_not_found(arn: str) -> LambdaError:
    return LambdaError("ResourceNotFoundException", f"Function not found: {arn}", 404)


def wrong_region(asked: str, here: str) -> LambdaError:
    return LambdaError(
        "ResourceNotFoundException",
        f"Functions from '{asked}' are not reachable in this region ('{here}')", 404)


def other_account(caller: str, action: str, arn: str) -> LambdaError:
    return LambdaError(
        "AccessDeniedException",
        f"User: arn:aws:iam::{caller}:root is not authorized to perform: {action} on resource: "
        f"{arn} because no resource-based policy allows the {action} action", 403, type_=None)


def function_exists(name: str) -> LambdaError:
    return LambdaError("ResourceConflictException", f"Function already exist: {name}", 409)


def revision_mismatch() -> LambdaError:
    return LambdaError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id", 412)


def qualifier_mismatch() -> LambdaError:
    return invalid("The derived qualifier from the function name does not match the specified "
                   "qualifier.")


# -- bad input -----------------------------------------------------------------------------------

def invalid(message: str) -> LambdaError:
    return LambdaError("InvalidParameterValueException", message)


def validation(violations: Iterable[str]) -> LambdaError:
    """``violations`` as :func:`violation` words them."""
    found = list(violations)
    noun = "error" if len(found) == 1 else "errors"
    return LambdaError(
        "ValidationException",
        f"{len(found)} validation {noun} detected: {'; '.join(found)}", type_=None)


def violation(path: str, value: Any, constraint: str, *, hidden: bool = False) -> str:
    """One violated constraint. ``path`` as AWS writes it: ``environment.variables``.

    A ``hidden`` value (what the model marks sensitive) isn't repeated.
    """
    if isinstance(value, list):
        value = f"[{', '.join(map(str, value))}]"
    elif isinstance(value, Mapping):
        value = "{" + ", ".join(f"{name}={item}" for name, item in value.items()) + "}"
    shown = "" if hidden else " null" if value is None else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def unreadable_request(reason: str) -> LambdaError:
    """The request isn't what its operation takes: not JSON, or a member of another type."""
    return LambdaError("SerializationException", reason, type_=None)


def runtime_unknown(runtime: str, known: Iterable[str]) -> LambdaError:
    return invalid(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must "
                   f"satisfy enum value set: [{', '.join(known)}] or be a valid ARN")


def runtime_and_handler_needed() -> LambdaError:
    return invalid("Runtime and Handler are mandatory parameters for functions created with "
                   "deployment packages.")


def environment_size(variables: Mapping[str, str]) -> int:
    """Bytes as AWS measures them: of the variables as one JSON object."""
    return len(_environment_json(variables).encode())


def _environment_json(variables: Mapping[str, str]) -> str:
    return json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)


def environment_too_big(variables: Mapping[str, str]) -> LambdaError:
    measured = _environment_json(variables)
    shown = measured if len(measured) <= 80 else measured[:80] + "..."
    return invalid("Lambda was unable to configure your environment variables because the "
                   "environment variables you have provided exceeded the 4KB limit. "
                   f"String measured: {shown}")


def environment_reserved(names: Iterable[str]) -> LambdaError:
    return invalid("Lambda was unable to configure your environment variables because the "
                   "environment variables you have provided contains reserved keys that are "
                   "currently not supported for modification. Reserved keys used in this request: "
                   f"{', '.join(names)}")


def function_of_another_account() -> LambdaError:
    """AWS says nothing more when it is asked to create one."""
    return LambdaError("AccessDeniedException", "", 403, type_=None)


def role_not_assumable() -> LambdaError:
    return invalid("The role defined for the function cannot be assumed by Lambda.")


def role_of_another_account() -> LambdaError:
    return LambdaError("AccessDeniedException", "Cross-account pass role is not allowed.", 403,
                       type_=None)


def no_tags() -> LambdaError:
    return invalid("An error occurred and the request cannot be processed.")


def too_many_tags() -> LambdaError:
    return invalid("Number of tags exceeds resource tag limit.")


# -- code ----------------------------------------------------------------------------------------

def not_a_zip() -> LambdaError:
    return invalid("Could not unzip uploaded file. Please check your file, then try to upload "
                   "again.")


def empty_zip() -> LambdaError:
    return invalid("Uploaded file must be a non-empty zip")


def unzipped_too_big(limit: int) -> LambdaError:
    return invalid(f"Unzipped size must be smaller than {limit} bytes")


def zip_file_or_s3() -> LambdaError:
    return invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")


def code_source_needed() -> LambdaError:
    return invalid("Please provide a source for function code.")


def s3_code_missing(s3_code: str, s3_message: str) -> LambdaError:
    return invalid(f"Error occurred while GetObject. S3 Error Code: {s3_code}. "
                   f"S3 Error Message: {s3_message}")


def code_storage_exceeded() -> LambdaError:
    return LambdaError("CodeStorageExceededException", "Code storage limit exceeded.")


# -- layers --------------------------------------------------------------------------------------

def layer_not_found() -> LambdaError:
    return LambdaError("ResourceNotFoundException", "The resource you requested does not exist.",
                       404)


def layer_version_not_found(arn: str) -> LambdaError:
    """For the operations on a version's permissions."""
    return LambdaError("ResourceNotFoundException", f"Layer version {arn} does not exist.", 404)


def layer_version_missing(arn: str) -> LambdaError:
    """A function asked for it."""
    return invalid(f"Layer version {arn} does not exist.")


def layer_version_below_one() -> LambdaError:
    return invalid("Layer Version Cannot be less than 1")


def layer_of_another_region(here: str) -> LambdaError:
    return invalid("Layers are not in the same region as the function. Layers are expected to be "
                   f"in region {here}.")


def too_many_layers(limit: int) -> LambdaError:
    return invalid(f"Cannot reference more than {limit} layers.")


def layer_twice(first: str, second: str) -> LambdaError:
    return invalid("Two different versions of the same layer are not allowed to be referenced in "
                   f"the same function. {first} and {second} are versions of the same layer.")


def layers_too_big(limit: int) -> LambdaError:
    return invalid(f"Layers consume more than the available size of {limit} bytes")


def code_and_layers_too_big(limit: int, actual: int) -> LambdaError:
    return invalid("Function code combined with layers exceeds the maximum allowed size of "
                   f"{limit} bytes. The actual size is {actual} bytes.")


def organization_without_all() -> LambdaError:
    """No record of AWS's own sentence was found for this one."""
    return invalid("OrganizationId can only be used when Principal is * (all accounts).")


def statement_exists(statement_id: str) -> LambdaError:
    return LambdaError(
        "ResourceConflictException",
        f"The statement id ({statement_id}) provided already exists. Please provide a new "
        "statement id, or remove the existing statement.", 409)


def statement_not_found(statement_id: str) -> LambdaError:
    return LambdaError("ResourceNotFoundException",
                       f"Statement {statement_id} is not found in resource policy.", 404)


def policy_of_latest() -> LambdaError:
    return invalid("We currently do not support adding policies for $LATEST.")


def principal_invalid() -> LambdaError:
    return invalid("The provided principal was invalid. Please check the principal and try again.")


def policy_too_long(size: int, limit: int) -> LambdaError:
    return LambdaError("PolicyLengthExceededException",
                       f"The final policy size ({size}) is bigger than the limit ({limit}).")


def no_policy_of(arn: str) -> LambdaError:
    """A permission is to be taken from a function that isn't there."""
    return LambdaError("ResourceNotFoundException", f"No policy found for: {arn}", 404)


def no_such_resource() -> LambdaError:
    return LambdaError("ResourceNotFoundException", "The resource you requested does not exist.",
                       404)


def no_policy() -> LambdaError:
    return LambdaError("ResourceNotFoundException",
                       "No policy is associated with the given resource.", 404)


def layer_revision_mismatch() -> LambdaError:
    return LambdaError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetLayerPolicy API to retrieve the latest Revision Id", 412)


# -- sizes and payloads --------------------------------------------------------------------------

def request_too_large(limit: int, operation: str) -> LambdaError:
    """``operation`` as AWS names it there: ``InvokeFunction``, ``CreateFunction``…"""
    return LambdaError("RequestEntityTooLargeException",
                       f"Request must be smaller than {limit} bytes for the {operation} operation",
                       413)


def code_sha_mismatch(wanted: str, present: str) -> LambdaError:
    return invalid(f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                   f"({present}). Please try again with the CodeSHA256 in $LATEST.")


def functions_only() -> LambdaError:
    return invalid("This operation is permitted on Lambda functions only. Aliases and versions do "
                   "not support this operation. Please specify either a function name or an "
                   "unqualified function ARN.")


def qualifier_not_allowed(arn: str) -> LambdaError:
    """The words are ours."""
    return invalid(f"This operation is for a function as a whole: leave the qualifier out of {arn}")


def tags_of_a_version() -> LambdaError:
    return invalid("Tags on function aliases and versions are not supported. Please specify a "
                   "function ARN.")


def version_in_use(aliases: Iterable[str]) -> LambdaError:
    return LambdaError("ResourceConflictException",
                       "Unable to delete version because the following aliases reference it: "
                       f"[{', '.join(aliases)}]", 409, type_="User")


def alias_deleted_as_version() -> LambdaError:
    return invalid("Deletion of aliases is not currently supported.")


def alias_exists(arn: str) -> LambdaError:
    return LambdaError("ResourceConflictException", f"Alias already exists: {arn}", 409,
                       type_="User")


def alias_not_found(arn: str) -> LambdaError:
    return LambdaError("ResourceNotFoundException", f"Cannot find alias arn: {arn}", 404,
                       type_="User")


def too_many_weights() -> LambdaError:
    return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")


def version_twice(version: str) -> LambdaError:
    return invalid(f"Invalid function version {version}. Function version {version} is already "
                   "included in routing configuration.")


def latest_in_routing() -> LambdaError:
    return LambdaError("InvalidParameterValueException", "$LATEST is not supported for an alias "
                       "pointing to more than 1 version", type_=None)


def roles_differ(version: str, other: str) -> LambdaError:
    """AWS's rule; the words are ours."""
    return invalid(f"Versions {version} and {other} have different execution roles: an alias can "
                   "only point at versions with the same one.")


def too_much_reserved(minimum: int) -> LambdaError:
    return LambdaError(
        "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function "
        "decreases account's UnreservedConcurrentExecution below its minimum value of "
        f"[{minimum}].", type_=None)


def payload_not_json(reason: str) -> LambdaError:
    return LambdaError("InvalidRequestContentException",
                       f"Could not parse request body into json: {reason}")


# -- running -------------------------------------------------------------------------------------

def throttled(reason: str = "ConcurrentInvocationLimitExceeded") -> LambdaError:
    """``reason`` is one of AWS's ThrottleReason values."""
    return LambdaError("TooManyRequestsException", "Rate Exceeded.", 429, Reason=reason)


def service_failure(message: str) -> LambdaError:
    """Something broke on the service's side (ours)."""
    return LambdaError("ServiceException", message, 500, type_="Service")


# -- not here (yet) ------------------------------------------------------------------------------

def not_implemented(what: str) -> LambdaError:
    """``what`` is not part of this runtime. 501, which no AWS SDK retries."""
    return LambdaError("NotImplementedException", f"minilambda doesn't implement {what} (yet).",
                       501, type_="Service")
