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
from ..code_signing import CodeSigning
from ..concurrency import Concurrency
from ..event_sources import EventSources
from ..function import FunctionConfiguration
from ..invocation import Outcome
from ..limits import Limits
from ..model import Model
from ..recursion import Recursion
from ..provisioned import Provisioned
from ..function_name import FunctionName
from ..registry import Registry
from ..runtime_management import RuntimeManagement
from ..trace import Trace
from ..versions import Target
from . import options, payload, validation, waiting
from .code_signing_operations import CodeSigningOperations
from .concurrency_operations import ConcurrencyOperations
from .description import describe
from .downloads import Downloads
from .event_operations import EventOperations
from .event_source_operations import EventSourceOperations
from .execution_role import role_may
from .function_setting_operations import FunctionSettingOperations
from .layer_operations import LayerOperations
from .permission_operations import PermissionOperations
from .sources import Sources
from .tag_operations import TagOperations
from .url_operations import UrlOperations
from .version_operations import VersionOperations


class Frontend(Protocol):
    """What runs an invocation and waits for its outcome (``minilambda.frontend``)."""

    concurrency: Concurrency

    def invoke(self, target: Target, payload: bytes, *,
               client_context: str | None = None, trace_header: str | None = None,
               appointment: str | None = None, patience: float | None = None) -> Outcome: ...

    def invoke_event(self, target: Target, payload: bytes, *, trace_header: str | None = None,
                     appointment: str | None = None) -> str: ...


class Runtime(Protocol):
    """What the AWS surface needs of a cloud. ``on_request`` is optional: see ``server``."""

    clock: Clock
    trace: Trace
    limits: Limits
    registry: Registry
    frontend: Frontend
    provisioned: Provisioned
    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, where, and by which address of ours."""

    account: str
    region: str
    endpoint: str  # scheme, host and port the request came in by
    trace_header: str | None = None
    appointment: str | None = None  # see ``minilambda.appointments``


class LambdaApi(CodeSigningOperations, ConcurrencyOperations, EventOperations,
                EventSourceOperations, FunctionSettingOperations, LayerOperations,
                PermissionOperations, TagOperations, UrlOperations, VersionOperations):
    """The Lambda API of one cloud."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.downloads = Downloads(runtime.clock)
        self.code_signing = CodeSigning(runtime.clock, runtime.registry)
        self.recursion = Recursion(runtime.limits.recursion_max)
        self.runtime_management = RuntimeManagement()
        self.event_sources = EventSources(
            runtime.clock, runtime.limits, runtime.registry, Sources(), may=role_may,
            seconds=Model.load().mapping_seconds)

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
        config = None
        if params.get("CodeSigningConfigArn"):
            config = self.code_signing.find(caller.account, caller.region,
                                            params["CodeSigningConfigArn"])
            self.code_signing.check(config, params["FunctionName"])
        registry = self.runtime.registry
        function = registry.create(caller.account, caller.region, params)
        if config is not None:
            self.code_signing.attach(function, config)
        if params.get("Publish"):  # AWS prints the version's number, and the function's ARN
            return self._describe(registry.publish(
                caller.account, caller.region, {"FunctionName": function.name}, settled=False))
        return self._describe(function)

    def GetFunction(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:GetFunction")
        path = (f"/awslambda-{function.region}-tasks/snapshots/{function.account}/"
                f"{function.name}-{function.revision_id}")
        result = {
            "Configuration": self._polled(function, params, caller),
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
        return self._polled(function, params, caller)

    def ListFunctions(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        every = params.get("FunctionVersion") == "ALL"
        page, marker = self.runtime.registry.list(
            caller.account, caller.region, params.get("Marker"), params.get("MaxItems"), every)
        functions = [describe(function, function.version if every else None)
                     for function in page]
        return {"Functions": functions} | ({"NextMarker": marker} if marker else {})

    def UpdateFunctionCode(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self.check_new_code(params, caller, "UpdateFunctionCode")
        function = self.runtime.registry.update_code(caller.account, caller.region, params)
        if params.get("Publish") and not params.get("DryRun"):
            return self._publish(function, caller)
        return self._describe(function)

    def UpdateFunctionConfiguration(self, params: Mapping[str, Any],
                                    caller: Caller) -> dict[str, Any]:
        if params.get("Layers"):
            self.check_new_code(params, caller, "UpdateFunctionConfiguration")
        return self._describe(
            self.runtime.registry.update_configuration(caller.account, caller.region, params))

    def DeleteFunction(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        registry, where = self.runtime.registry, (caller.account, caller.region)
        name, qualifier = params["FunctionName"], params.get("Qualifier")
        wanted = FunctionName.parse(*where, name, qualifier)
        function = registry.find(wanted)
        registry.delete(*where, name, qualifier)
        if function is not None:
            self.runtime_management.forget(function, wanted.qualifier)
            if wanted.qualifier is None:
                self.code_signing.detach(function)
                self.recursion.forget(function)
        return {"StatusCode": 204}

    # -- invoking ----------------------------------------------------------------------------------

    def Invoke(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        limits = self.runtime.limits
        event = params.get("Payload") or b"{}"
        if params.get("InvocationType") == "Event":
            return self.invoke_event(params, event, limits.payload_async, caller)
        if len(event) > limits.payload_sync:
            raise errors.request_too_large(limits.payload_sync, "InvokeFunction")
        payload.check(event)
        target = self.runtime.registry.target(
            caller.account, caller.region, params["FunctionName"], params.get("Qualifier"))
        if params.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        trace_header = self.recursion.admit(target.function, caller.trace_header)
        outcome = self.runtime.frontend.invoke(
            target, event, client_context=params.get("ClientContext"),
            trace_header=trace_header, appointment=caller.appointment)
        result: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": outcome.version,
                                  "Payload": outcome.payload, "RequestId": outcome.request_id}
        if outcome.failed:
            result["FunctionError"] = "Unhandled"
        if params.get("LogType") == "Tail":
            log = "".join(f"{line.rstrip(chr(10))}\n" for line in outcome.log).encode()
            result["LogResult"] = base64.b64encode(log[-limits.log_tail:]).decode()
        return result

    # -- the account -------------------------------------------------------------------------------

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

    def _describe(self, function: FunctionConfiguration, qualifier: str | None = None
                  ) -> dict[str, Any]:
        return describe(function, qualifier, self.runtime.registry.states)

    def _publish(self, function: FunctionConfiguration, caller: Caller) -> dict[str, Any]:
        """A version of what was created or updated in this very request."""
        version = self.runtime.registry.publish(
            caller.account, caller.region, {"FunctionName": function.name}, settled=False)
        return self._describe(version, version.version)

    def _polled(self, function: FunctionConfiguration, params: Mapping[str, Any],
                caller: Caller) -> dict[str, Any]:
        found = self._describe(function, self._qualifier(params, caller))
        if not self.runtime.registry.states.is_ready(function):
            waiting.let_a_poll_pass(self.runtime.clock)
        return found

    def _qualifier(self, params: Mapping[str, Any], caller: Caller) -> str | None:
        return FunctionName.parse(caller.account, caller.region, params["FunctionName"],
                                  params.get("Qualifier")).qualifier
