"""The Lambda API's operations on concurrency: parameters in, result out.

Stands for: *PutFunctionConcurrency*, *GetFunctionConcurrency*, *DeleteFunctionConcurrency*,
*PutProvisionedConcurrencyConfig*, *GetProvisionedConcurrencyConfig*,
*ListProvisionedConcurrencyConfigs* and *DeleteProvisionedConcurrencyConfig* of the Lambda API reference.

Reservations live in ``minilambda.concurrency``, provisioned concurrency in ``minilambda.provisioned``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import errors
from ..function import LATEST, FunctionConfiguration
from ..function_name import FunctionName
from ..provisioned import Config


class ConcurrencyOperations:
    """The part of ``service.LambdaApi`` that is about concurrency."""

    runtime: Any

    def PutFunctionConcurrency(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        wanted = FunctionName.parse(caller.account, caller.region, params["FunctionName"])
        if wanted.qualifier not in (None, LATEST):
            raise errors.functions_only()
        function = self._get({**params, "Qualifier": LATEST}, caller,
                             "lambda:PutFunctionConcurrency")
        places = params["ReservedConcurrentExecutions"]
        self.runtime.frontend.concurrency.reserve(function, places, self.runtime.clock.seconds)
        return {"ReservedConcurrentExecutions": places}

    def GetFunctionConcurrency(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        function = self._get(params, caller, "lambda:GetFunctionConcurrency")
        reserved = self.runtime.frontend.concurrency.reserved(function)
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def DeleteFunctionConcurrency(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        self.runtime.frontend.concurrency.release(
            self._get(params, caller, "lambda:DeleteFunctionConcurrency"))
        return {}

    def PutProvisionedConcurrencyConfig(self, params: Mapping[str, Any],
                                        caller: Any) -> dict[str, Any]:
        latest, qualifier = self._qualified(params, caller, "Put")
        return _describe(self.runtime.provisioned.put(
            latest, qualifier, params["ProvisionedConcurrentExecutions"]))

    def GetProvisionedConcurrencyConfig(self, params: Mapping[str, Any],
                                        caller: Any) -> dict[str, Any]:
        return _describe(self.runtime.provisioned.get(*self._qualified(params, caller, "Get")))

    def DeleteProvisionedConcurrencyConfig(self, params: Mapping[str, Any],
                                           caller: Any) -> dict[str, Any]:
        self.runtime.provisioned.delete(*self._qualified(params, caller, "Delete"))
        return {}

    def ListProvisionedConcurrencyConfigs(self, params: Mapping[str, Any],
                                          caller: Any) -> dict[str, Any]:
        latest = self.runtime.registry.latest(
            caller.account, caller.region, params["FunctionName"],
            action="lambda:ListProvisionedConcurrencyConfigs")
        page, marker = self.runtime.provisioned.list(
            latest, params.get("Marker"), params.get("MaxItems"))
        configs = [{"FunctionArn": f"{latest.arn}:{config.qualifier}"} | _describe(config)
                   for config in page]
        return {"ProvisionedConcurrencyConfigs": configs} | (
            {"NextMarker": marker} if marker else {})

    def _qualified(self, params: Mapping[str, Any], caller: Any, verb: str
                   ) -> tuple[FunctionConfiguration, str]:
        return self.runtime.registry.named(
            caller.account, caller.region, params["FunctionName"], params["Qualifier"],
            action=f"lambda:{verb}ProvisionedConcurrencyConfig")


def _describe(config: Config) -> dict[str, Any]:
    places = config.places
    return {
        "RequestedProvisionedConcurrentExecutions": places.wanted,
        "AvailableProvisionedConcurrentExecutions": places.available,
        "AllocatedProvisionedConcurrentExecutions": config.allocated,
        "Status": config.status,
        "LastModified": f"{config.last_modified:%Y-%m-%dT%H:%M:%S}+0000",
    } | ({"StatusReason": config.reason} if config.reason else {})
