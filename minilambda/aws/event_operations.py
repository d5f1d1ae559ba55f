"""The Lambda API's operations on events: accepted, and what is set for them.

Stands for: *Invoke* with InvocationType Event, *InvokeAsync*, *PutFunctionEventInvokeConfig* and its
sisters in the Lambda API reference.

What becomes of an event lives in ``minilambda.async_queue``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import async_errors
from ..destination_arn import check_destination
from ..errors import LambdaError
from ..event_config import EventConfig, check_request
from ..function import LATEST, FunctionConfiguration
from . import payload
from .execution_role import role_may


class EventOperations:
    """The part of ``service.LambdaApi`` that is about asynchronous invocation."""

    runtime: Any

    def invoke_event(self, params: Mapping[str, Any], event: bytes, limit: int,
                     caller: Any) -> dict[str, Any]:
        """Invoke asynchronously. AWS passes no ClientContext on, and has no log to show."""
        if len(event) > limit:
            raise async_errors.event_too_large(len(event), limit)
        payload.check(event)
        target = self.runtime.registry.target(
            caller.account, caller.region, params["FunctionName"], params.get("Qualifier"))
        trace_header = self.recursion.admit(target.function, caller.trace_header)
        request_id = self.runtime.frontend.invoke_event(
            target, event, trace_header=trace_header, appointment=caller.appointment)
        return {"StatusCode": 202, "Payload": b"", "RequestId": request_id}

    def InvokeAsync(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        answer = self.invoke_event(params, params.get("InvokeArgs") or b"{}",
                                   self.runtime.limits.payload_invoke_async, caller)
        return {"Status": 202, "RequestId": answer["RequestId"]}

    def PutFunctionEventInvokeConfig(self, params: Mapping[str, Any], caller: Any
                                     ) -> dict[str, Any]:
        return self._set(params, caller, "lambda:PutFunctionEventInvokeConfig", update=False)

    def UpdateFunctionEventInvokeConfig(self, params: Mapping[str, Any], caller: Any
                                        ) -> dict[str, Any]:
        return self._set(params, caller, "lambda:UpdateFunctionEventInvokeConfig", update=True)

    def GetFunctionEventInvokeConfig(self, params: Mapping[str, Any], caller: Any
                                     ) -> dict[str, Any]:
        latest, qualifier = self._named(params, caller, "GetFunctionEventInvokeConfig")
        config = self._configs.get(latest, qualifier)
        if config is None:
            raise async_errors.no_event_config(f"{latest.arn}:{qualifier or LATEST}")
        return _describe(latest, qualifier, config)

    def DeleteFunctionEventInvokeConfig(self, params: Mapping[str, Any], caller: Any
                                        ) -> dict[str, Any]:
        self._configs.delete(*self._named(params, caller, "DeleteFunctionEventInvokeConfig"))
        return {}

    def ListFunctionEventInvokeConfigs(self, params: Mapping[str, Any], caller: Any
                                       ) -> dict[str, Any]:
        latest = self._existing(params, caller, "lambda:ListFunctionEventInvokeConfigs")[0]
        page, marker = self._configs.list(latest, params.get("Marker"), params.get("MaxItems"))
        return {"FunctionEventInvokeConfigs": [
            _describe(latest, qualifier, config) for qualifier, config in page
        ]} | ({"NextMarker": marker} if marker else {})

    @property
    def _configs(self) -> Any:
        return self.runtime.registry.event_configs

    def _set(self, params: Mapping[str, Any], caller: Any, action: str, update: bool
             ) -> dict[str, Any]:
        check_request(params)
        latest, qualifier = self._existing(params, caller, action)
        config = self._configs.make(latest, qualifier, params, update)
        function = self.runtime.registry.versions.get(latest, qualifier)
        for member, text in (("OnSuccess", config.on_success), ("OnFailure", config.on_failure)):
            if text and member in (params.get("DestinationConfig") or {}):
                check_destination(function, text, member == "OnSuccess", self.runtime.limits,
                                  role_may)
                self._check_function(caller, text)
        self._configs.put(latest, qualifier, config)
        return _describe(latest, qualifier, config)

    def _check_function(self, caller: Any, text: str) -> None:
        """A function that is a destination must exist."""
        if text.startswith("arn:aws:lambda:"):
            try:
                self.runtime.registry.target(caller.account, caller.region, text)
            except LambdaError:
                raise async_errors.destination_invalid(text) from None

    def _existing(self, params: Mapping[str, Any], caller: Any, action: str
                  ) -> tuple[FunctionConfiguration, str | None]:
        """As ``_named``, but here AWS has a sentence of its own for what doesn't exist."""
        try:
            named = self.runtime.registry.named(
                caller.account, caller.region, params["FunctionName"], params.get("Qualifier"),
                action=action)
            self.runtime.registry.versions.get(*named)
        except LambdaError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise async_errors.function_missing() from None
        return named


def _describe(latest: FunctionConfiguration, qualifier: str | None, config: EventConfig
              ) -> dict[str, Any]:
    """A configuration as the API prints it (the *FunctionEventInvokeConfig* shape)."""
    found: dict[str, Any] = {
        "LastModified": config.last_modified,
        "FunctionArn": f"{latest.arn}:{qualifier or LATEST}",
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {}}}
    if config.retries is not None:
        found["MaximumRetryAttempts"] = config.retries
    if config.age is not None:
        found["MaximumEventAgeInSeconds"] = config.age
    return found
