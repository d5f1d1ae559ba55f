"""AWS's own sentences about asynchronous invocation: refused events and refused settings.

Stands for: the *Errors* of Invoke, PutFunctionEventInvokeConfig and its sisters, and of a function's
DeadLetterConfig. Sentences were recorded from AWS by others' tests and bug reports; where none was
found, it says so.
"""

from __future__ import annotations

from .errors import LambdaError, invalid

# The one sentence that a dead-letter queue gets when reserved concurrency is 0, AWS's own slip in it.
ZERO_CONCURRENCY = ("Function not invoked. Function isconfigured with zero reserved concurrent "
                    "executions")


def event_too_large(size: int, limit: int) -> LambdaError:
    return LambdaError(
        "RequestEntityTooLargeException",
        f"{size} byte payload is too large for the Event invocation type (limit {limit} bytes)", 413)


# -- event invoke configurations -----------------------------------------------------------------

def nothing_set() -> LambdaError:
    return invalid("You must specify at least one of error handling or destination setting.")


def function_missing() -> LambdaError:
    return LambdaError("ResourceNotFoundException", "The function doesn't exist.", 404)


def no_event_config(arn: str) -> LambdaError:
    return LambdaError("ResourceNotFoundException",
                       f"The function {arn} doesn't have an EventInvokeConfig", 404)


def destination_invalid(arn: str) -> LambdaError:
    return invalid(f"The destination ARN {arn} is invalid.")


def destinations_invalid(on_success: str | None, on_failure: str | None) -> LambdaError:
    """A service that can't be a destination."""
    success = f"OnSuccess(destination={on_success})" if on_success else "null"
    failure = f"OnFailure(destination={on_failure})" if on_failure else "null"
    return invalid("The provided destination config DestinationConfig("
                   f"onSuccess={success}, onFailure={failure}) is invalid.")


def destination_is_itself() -> LambdaError:
    return invalid("You can't specify the function as a destination for itself.")


def destination_not_permitted(operation: str, arn: str) -> LambdaError:
    return invalid("The function's execution role does not have permissions to call "
                   f"{operation} on {arn}")


# -- dead-letter queues --------------------------------------------------------------------------

def _dead_letter(reason: str) -> LambdaError:
    return invalid(f"Invalid dead letter queue ARN: {reason}")


def dead_letter_service() -> LambdaError:
    return _dead_letter("The service specified by the TargetArn is not supported for dead letter "
                        "configuration.")


def dead_letter_region() -> LambdaError:
    return _dead_letter("The resource specified by the TargetArn must be in the same region as the "
                        "Lambda function it's associated with.")


def dead_letter_fifo(kind: str) -> LambdaError:
    """``kind``: SQS queue or SNS topic."""
    return _dead_letter(f"FIFO {kind} is not supported for dead letter configuration")


def dead_letter_not_permitted(operation: str, service: str) -> LambdaError:
    """``service``: SQS or SNS."""
    return invalid("The provided execution role does not have permissions to call "
                   f"{operation} on {service}")
