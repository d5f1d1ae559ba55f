"""The Lambda API's operations: parameters in, result out.

Stands for: the *Actions* of the Lambda API reference.
Leaves out: every operation that isn't a method here; ``options`` answers 501 for those.

Each operation is a method of its own name. What a function *is* lives in ``registry``; what an
invocation *does* in ``frontend``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.model import OperationModel

from .. import errors
from ..clock import Clock
from ..concurrency import Concurrency
from ..function import LATEST, FunctionConfiguration
from ..invocation import Outcome
from ..limits import Limits
from ..registry import FunctionName, Registry
from . import options, payload, validation
from .downloads import Downloads
from .layer_operations import LayerOperations


class Frontend(Protocol):
    """What runs an invocation and waits for its outcome (``minilambda.frontend``)."""

    concurrency: Concurrency

    def invoke(self, function: FunctionConfiguration, payload: bytes, *,
               client_context: str | None = None, trace_header: str | None = None) -> Outcome: ...


class Runtime(Protocol):
    """What the AWS surface needs of a cloud. ``on_request`` is optional: see ``server``."""

    clock: Clock
    limits: Limits
    registry: Registry
    frontend: Frontend
    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, where, and by which address of ours."""

    account: str
    region: str
    endpoint: str  # scheme, host and port the request came in by
    trace_header: str | None = None


class LambdaApi(LayerOperations):
    """The Lambda API of one cloud."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.downloads = Downloads(runtime.clock)

    def call(self, operation: OperationModel, params: Mapping[str, Any],
             caller: Caller) -> dict[str, Any]:
        """Check a request and carry it out.

        The result has the members of the operation's output shape. ``RequestId`` is in it too
        where the work done has an id of its own (an invocation).

        Raises:
            LambdaError: as AWS would answer, or 501 for what isn't implemented.
        """
        if operation.name in options.IMPLEMENTED:
            validation.check(operation, params, self.runtime.limits)
        options.check(operation.name, params)
        return getattr(self, operation.name)(params, caller)

    # -- functions ---------------------------------------------------------------------------------

    def CreateFunction(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return describe(self.runtime.registry.create(caller.account, caller.region, params))

    def GetFunction(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:GetFunction")
        path = (f"/awslambda-{function.region}-tasks/snapshots/{function.account}/"
                f"{function.name}-{function.revision_id}")
        result = {
            "Configuration": describe(function, self._qualifier(params, caller)),
            "Code": {"RepositoryType": "S3",
                     "Location": caller.endpoint + self.downloads.offer(path, function.code)},
        }
        reserved = self.runtime.frontend.concurrency.reserved(function)
        if reserved is not None:
            result["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return result | ({"Tags": function.tags} if function.tags else {})

    def GetFunctionConfiguration(self, params: Mapping[str, Any],
                                 caller: Caller) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:GetFunctionConfiguration")
        return describe(function, self._qualifier(params, caller))

    def ListFunctions(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        page, marker = self.runtime.registry.list(
            caller.account, caller.region, params.get("Marker"), params.get("MaxItems"))
        qualifier = LATEST if params.get("FunctionVersion") == "ALL" else None
        functions = [describe(function, qualifier) for function in page]
        for function in functions:  # AWS leaves the states out of lists
            del function["State"], function["LastUpdateStatus"]
        return {"Functions": functions} | ({"NextMarker": marker} if marker else {})

    def UpdateFunctionCode(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return describe(self.runtime.registry.update_code(caller.account, caller.region, params))

    def UpdateFunctionConfiguration(self, params: Mapping[str, Any],
                                    caller: Caller) -> dict[str, Any]:
        return describe(
            self.runtime.registry.update_configuration(caller.account, caller.region, params))

    def DeleteFunction(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.runtime.registry.delete(caller.account, caller.region, params["FunctionName"],
                                     params.get("Qualifier"))
        return {"StatusCode": 204}

    # -- invoking ----------------------------------------------------------------------------------

    def Invoke(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        limits = self.runtime.limits
        event = params.get("Payload") or b"{}"
        if len(event) > limits.payload_sync:
            raise errors.request_too_large(limits.payload_sync, "InvokeFunction")
        payload.check(event)
        function = self._get(params, caller, "lambda:InvokeFunction")
        if params.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        outcome = self.runtime.frontend.invoke(
            function, event, client_context=params.get("ClientContext"),
            trace_header=caller.trace_header)
        result: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": function.version,
                                  "Payload": outcome.payload, "RequestId": outcome.request_id}
        if outcome.failed:
            result["FunctionError"] = "Unhandled"
        if params.get("LogType") == "Tail":
            log = "".join(f"{line.rstrip(chr(10))}\n" for line in outcome.log).encode()
            result["LogResult"] = base64.b64encode(log[-limits.log_tail:]).decode()
        return result

    # -- concurrency -------------------------------------------------------------------------------

    def PutFunctionConcurrency(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:PutFunctionConcurrency")
        places = params["ReservedConcurrentExecutions"]
        self.runtime.frontend.concurrency.reserve(function, places)
        return {"ReservedConcurrentExecutions": places}

    def GetFunctionConcurrency(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:GetFunctionConcurrency")
        reserved = self.runtime.frontend.concurrency.reserved(function)
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def DeleteFunctionConcurrency(self, params: Mapping[str, Any],
                                  caller: Caller) -> dict[str, Any]:
        self.runtime.frontend.concurrency.release(
            self._get(params, caller, "lambda:DeleteFunctionConcurrency"))
        return {}

    # -- tags and the account ----------------------------------------------------------------------

    def ListTags(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return {"Tags": self.runtime.registry.get(
            caller.account, caller.region, params["Resource"], action="lambda:ListTags").tags}

    def TagResource(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.runtime.registry.tag(caller.account, caller.region, params["Resource"],
                                  params["Tags"])
        return {}

    def UntagResource(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.runtime.registry.untag(caller.account, caller.region, params["Resource"],
                                    params["TagKeys"])
        return {}

    def GetAccountSettings(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        limits, registry = self.runtime.limits, self.runtime.registry
        here = [f for f in registry if (f.account, f.region) == (caller.account, caller.region)]
        return {
            "AccountLimit": {
                "TotalCodeSize": limits.code_storage, "CodeSizeUnzipped": limits.unzipped,
                "CodeSizeZipped": limits.zip_direct, "ConcurrentExecutions": limits.concurrency,
                "UnreservedConcurrentExecutions": self.runtime.frontend.concurrency.unreserved(
                    caller.account, caller.region),
            },
            "AccountUsage": {
                "TotalCodeSize": registry.code_storage(caller.account, caller.region),
                "FunctionCount": len(here)},
        }

    # -- inside ------------------------------------------------------------------------------------

    def _get(self, params: Mapping[str, Any], caller: Caller, action: str) -> FunctionConfiguration:
        return self.runtime.registry.get(caller.account, caller.region, params["FunctionName"],
                                         params.get("Qualifier"), action=action)

    def _qualifier(self, params: Mapping[str, Any], caller: Caller) -> str | None:
        return FunctionName.parse(caller.account, caller.region, params["FunctionName"],
                                  params.get("Qualifier")).qualifier


def describe(function: FunctionConfiguration, qualifier: str | None = None) -> dict[str, Any]:
    """A function as the API prints it (the *FunctionConfiguration* shape)."""
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
    if function.layers:
        found["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.content.size}
                           for layer in function.layers]
    if function.environment:
        found["Environment"] = {"Variables": function.environment}
    return found
