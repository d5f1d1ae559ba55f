"""A function as the API prints it.

Stands for: the *FunctionConfiguration* data type of the Lambda API reference.
"""

from __future__ import annotations

from typing import Any

from ..function import FunctionConfiguration


def describe(function: FunctionConfiguration, qualifier: str | None = None,
             listed: bool = False) -> dict[str, Any]:
    """``qualifier``: what its ARN ends in. AWS leaves the states out of lists (``listed``)."""
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
        "RevisionId": function.revision_id,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "TracingConfig": {"Mode": function.tracing},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group},
        # Nothing here takes time to become ready, as outside a VPC when the course was made.
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    if listed:
        del found["State"], found["LastUpdateStatus"]
    if function.layers:
        found["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.content.size}
                           for layer in function.layers]
    if function.environment:
        found["Environment"] = {"Variables": function.environment}
    return found
