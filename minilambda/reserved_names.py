"""Names that Lambda gives a meaning to: its runtimes, and the environment variables it sets itself.

AWS pages: *Lambda runtimes*; *Working with Lambda environment variables*.
"""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader

from .limits import Limits

# Names a function's environment variables may not have.
# AWS page: Working with Lambda environment variables ("Defined runtime environment variables").
RESERVED_VARIABLES = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
})


def known_runtimes(limits: Limits) -> list[str]:
    """Names of runtimes a function may have.

    The profile's own come first, then every name botocore's service model knows: what runs is
    decided by what is installed on the reader's machine, not by the year.
    """
    return list(dict.fromkeys([*limits.runtimes, *_runtimes_of_the_model()]))


@cache
def _runtimes_of_the_model() -> list[str]:
    model = Loader().load_service_model("lambda", "service-2")
    return model["shapes"]["Runtime"]["enum"]
