"""Operations on what is set beside a function's configuration: parameters in, result out.

Stands for: *GetFunctionRecursionConfig*, *PutFunctionRecursionConfig*, *GetRuntimeManagementConfig* and
*PutRuntimeManagementConfig* of the Lambda API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import errors
from ..function import FunctionConfiguration
from ..recursion import Recursion
from ..runtime_management import RuntimeManagement


class FunctionSettingOperations:
    """The part of ``service.LambdaApi`` that is about recursion and runtime versions."""

    runtime: Any
    recursion: Recursion
    runtime_management: RuntimeManagement

    def GetFunctionRecursionConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return {"RecursiveLoop": self.recursion.get(
            self._looping(params, caller, "GetFunctionRecursionConfig"))}

    def PutFunctionRecursionConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        function = self._looping(params, caller, "PutFunctionRecursionConfig")
        self.recursion.put(function, params["RecursiveLoop"])
        return {"RecursiveLoop": self.recursion.get(function)}

    def GetRuntimeManagementConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        function, arn = self._managed(params, caller, "GetRuntimeManagementConfig")
        return self.runtime_management.describe(function, arn)

    def PutRuntimeManagementConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        function, arn = self._managed(params, caller, "PutRuntimeManagementConfig")
        self.runtime_management.put(function, params["UpdateRuntimeOn"],
                                    params.get("RuntimeVersionArn"))
        return self.runtime_management.describe(function, arn)

    def _looping(self, params: Mapping[str, Any], caller: Any,
                 operation: str) -> FunctionConfiguration:
        if not self.recursion.limit:
            raise errors.not_implemented(
                f"{operation} under the limits of the course, when AWS had no loop detection")
        return self.runtime.registry.latest(
            caller.account, caller.region, params["FunctionName"], action=f"lambda:{operation}")

    def _managed(self, params: Mapping[str, Any], caller: Any,
                 operation: str) -> tuple[FunctionConfiguration, str]:
        where = caller.account, caller.region, params["FunctionName"], params.get("Qualifier")
        function = self.runtime.registry.get(*where, action=f"lambda:{operation}")
        _, qualifier = self.runtime.registry.named(*where, action=f"lambda:{operation}")
        return function, f"{function.arn}:{qualifier}" if qualifier else function.arn
