"""A function as the API prints it.

Stands for: the *FunctionConfiguration* data type of the Lambda API reference.
"""

from __future__ import annotations

from typing import Any

from ..function import FunctionConfiguration
from ..runtime_management import runtime_version
from ..states import States


def describe(function: FunctionConfiguration, qualifier: str | None = None,
             states: States | None = None) -> dict[str, Any]:
    """``qualifier``: what its ARN ends in. ``states``: None in lists, where AWS leaves them and the
    runtime's version out."""
    found: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{qualifier}" if qualifier else function.arn,
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code.size,
        "CodeSha256": function.code.sha256,
        "Description": function.description,
        "Timeout": function.timeout,
        "MemorySize": function.memory_size,
        "EphemeralStorage": {"Size": function.ephemeral_storage},
        "LastModified": function.last_modified,
        "Version": function.version,
        "RevisionId": function.api_revision,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "TracingConfig": {"Mode": function.tracing},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group},
    }
    if states:
        found["RuntimeVersionConfig"] = {"RuntimeVersionArn": runtime_version(function)}
        found |= states.describe(function)
    if function.layers:
        found["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.content.size}
                           for layer in function.layers]
    if function.dead_letter:
        found["DeadLetterConfig"] = {"TargetArn": function.dead_letter}
    if function.network is not None:
        found["VpcConfig"] = function.network.describe()
    if function.environment is not None:
        found["Environment"] = {"Variables": function.environment}
    return found
