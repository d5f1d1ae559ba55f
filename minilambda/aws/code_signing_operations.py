"""The Lambda API's operations on code signing: parameters in, result out.

Stands for: *CreateCodeSigningConfig*, *PutFunctionCodeSigningConfig* and the other code signing
*Actions* of the Lambda API reference.
Leaves out: what ``minilambda.code_signing`` leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..code_signing import CodeSigning, CodeSigningConfig
from ..function import FunctionConfiguration


class CodeSigningOperations:
    """The part of ``service.LambdaApi`` that is about code signing."""

    runtime: Any
    code_signing: CodeSigning

    def CreateCodeSigningConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return {"CodeSigningConfig": _describe(
            self.code_signing.create(caller.account, caller.region, params))}

    def GetCodeSigningConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return {"CodeSigningConfig": _describe(self.code_signing.get(
            caller.account, caller.region, params["CodeSigningConfigArn"]))}

    def UpdateCodeSigningConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return {"CodeSigningConfig": _describe(
            self.code_signing.update(caller.account, caller.region, params))}

    def DeleteCodeSigningConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        self.code_signing.delete(caller.account, caller.region, params["CodeSigningConfigArn"])
        return {}

    def ListCodeSigningConfigs(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        page, marker = self.code_signing.list(caller.account, caller.region, params.get("Marker"),
                                              params.get("MaxItems"))
        return {"CodeSigningConfigs": [_describe(config) for config in page]} | (
            {"NextMarker": marker} if marker else {})

    def ListFunctionsByCodeSigningConfig(self, params: Mapping[str, Any],
                                         caller: Any) -> dict[str, Any]:
        page, marker = self.code_signing.functions(
            caller.account, caller.region, params["CodeSigningConfigArn"], params.get("Marker"),
            params.get("MaxItems"))
        return {"FunctionArns": page} | ({"NextMarker": marker} if marker else {})

    def PutFunctionCodeSigningConfig(self, params: Mapping[str, Any],
                                     caller: Any) -> dict[str, Any]:
        # AWS looks for the configuration first.
        config = self.code_signing.find(caller.account, caller.region,
                                        params["CodeSigningConfigArn"])
        function = self._signed(params, caller, "PutFunctionCodeSigningConfig")
        self.code_signing.attach(function, config)
        return {"CodeSigningConfigArn": config.arn, "FunctionName": function.name}

    def GetFunctionCodeSigningConfig(self, params: Mapping[str, Any],
                                     caller: Any) -> dict[str, Any]:
        function = self._signed(params, caller, "GetFunctionCodeSigningConfig")
        config = self.code_signing.of(function)
        return {} if config is None else {
            "CodeSigningConfigArn": config.arn, "FunctionName": function.name}

    def DeleteFunctionCodeSigningConfig(self, params: Mapping[str, Any],
                                        caller: Any) -> dict[str, Any]:
        self.code_signing.detach(self._signed(params, caller, "DeleteFunctionCodeSigningConfig"))
        return {}

    def check_new_code(self, params: Mapping[str, Any], caller: Any, operation: str) -> None:
        """Before code (or a layer) is put into a function that is there.

        Raises:
            LambdaError: CodeVerificationFailedException.
        """
        function = self.runtime.registry.latest(
            caller.account, caller.region, params["FunctionName"], action=f"lambda:{operation}")
        self.code_signing.check(self.code_signing.of(function), function.name)

    def _signed(self, params: Mapping[str, Any], caller: Any,
                operation: str) -> FunctionConfiguration:
        return self.runtime.registry.latest(
            caller.account, caller.region, params["FunctionName"], action=f"lambda:{operation}")


def _describe(config: CodeSigningConfig) -> dict[str, Any]:
    """The *CodeSigningConfig* shape."""
    return {
        "CodeSigningConfigId": config.id, "CodeSigningConfigArn": config.arn,
        "Description": config.description, "LastModified": config.last_modified,
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.publishers)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy},
    }
