"""The environment variables that a function's code finds.

Stands for: what AWS's page *Working with Lambda environment variables* calls the defined runtime
environment variables. Those that a sandbox's own places decide (``LAMBDA_TASK_ROOT`` and so on) are
added by its tier.
"""

from __future__ import annotations

from .function import FunctionConfiguration
from .sandbox import runtimes
from .setting import Setting

SECRET = "minilambda"  # of every function's credentials, which are worth nothing elsewhere


def variables_of(function: FunctionConfiguration, setting: Setting, access_key: str,
                 log_stream: str, provisioned: bool = False) -> dict[str, str]:
    """Those a function may set, its own, then the reserved ones.

    ``TZ`` was called reserved on AWS's page until 2022, but a function could set it.
    """
    return {
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
                           "/var/task:/var/task/lib:/opt/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONHASHSEED": "0",
        **runtimes.library_path(function.runtime),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **(function.environment or {}),
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": (
            "provisioned-concurrency" if provisioned else "on-demand"),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_ACCESS_KEY": access_key,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": "minilambda",
        # Ours: the way to the cloud, and nowhere else.
        "AWS_ENDPOINT_URL": setting.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": setting.proxy, "http_proxy": setting.proxy,
        "HTTPS_PROXY": setting.proxy, "https_proxy": setting.proxy,
        "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
    }
