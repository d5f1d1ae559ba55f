"""What the API answers when provisioned concurrency can't be as it is asked for.

Stands for: the *Errors* of PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig and
PutFunctionConcurrency in the Lambda API reference. The sentences are AWS's, as people have reported
them, unless it says here that they aren't.
"""

from __future__ import annotations

from .errors import LambdaError, invalid


def not_published() -> LambdaError:
    """For $LATEST, or an alias that points at it."""
    return invalid("Provisioned Concurrency Configs cannot be applied to unpublished function "
                   "versions.")


def not_a_version() -> LambdaError:
    """Reading or deleting that of $LATEST."""
    return invalid("The function resource provided must be an alias or a published version.")


def not_found() -> LambdaError:
    return LambdaError("ProvisionedConcurrencyConfigNotFoundException",
                       "No Provisioned Concurrency Config found for this function", 404)


def alias_of_provisioned_version() -> LambdaError:
    return LambdaError("ResourceConflictException",
                       "Alias can't be used for Provisioned Concurrency configuration on an already "
                       "Provisioned version", 409)


def version_of_provisioned_alias() -> LambdaError:
    return LambdaError("ResourceConflictException",
                       "Version is pointed by a Provisioned Concurrency alias", 409)


def alias_with_weights() -> LambdaError:
    return invalid("Alias with weights can not be used with Provisioned Concurrency")


def above_reserved() -> LambdaError:
    return invalid("Requested Provisioned Concurrency should not be greater than the "
                   "reservedConcurrentExecution for function")


def above_unreserved(unreserved: int) -> LambdaError:
    return invalid("Specified ConcurrentExecutions for function is greater than account's unreserved "
                   f"concurrency [{unreserved}].")


def too_little_unreserved(minimum: int) -> LambdaError:
    return invalid("Specified ConcurrentExecutions for function decreases account's "
                   f"UnreservedConcurrentExecution below its minimum value of [{minimum}].")


def reserved_below_provisioned(places: int, provisioned: int) -> LambdaError:
    """AWS's rule; the words are ours."""
    return invalid(f"ReservedConcurrentExecutions {places} should not be lower than the function's "
                   f"total provisioned concurrency [{provisioned}].")
