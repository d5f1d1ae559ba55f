"""The Lambda API's operations on versions and aliases: parameters in, result out.

Stands for: *PublishVersion*, *ListVersionsByFunction*, *CreateAlias* and the other alias *Actions* of
the Lambda API reference.
Leaves out: ``PublishTo`` of PublishVersion.

What a version or an alias *is* lives in ``minilambda.versions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..function import FunctionConfiguration
from ..versions import Alias, Versions
from .description import describe


class VersionOperations:
    """The part of ``service.LambdaApi`` that is about versions and aliases."""

    runtime: Any

    def PublishVersion(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        version = self.runtime.registry.publish(caller.account, caller.region, params)
        return describe(version, version.version)

    def ListVersionsByFunction(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:ListVersionsByFunction")
        page, marker = self._versions.list(latest, params.get("Marker"), params.get("MaxItems"))
        versions = [describe(version, version.version, listed=True) for version in page]
        return {"Versions": versions} | ({"NextMarker": marker} if marker else {})

    def CreateAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:CreateAlias")
        return _describe_alias(latest, self._versions.create_alias(latest, params))

    def GetAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:GetAlias")
        return _describe_alias(latest, self._versions.get_alias(latest, params["Name"]))

    def UpdateAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:UpdateAlias")
        return _describe_alias(latest, self._versions.update_alias(latest, params))

    def DeleteAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:DeleteAlias")
        self._versions.delete_alias(latest, params["Name"])
        self.runtime.registry.permissions.forget(latest, params["Name"])
        return {}

    def ListAliases(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:ListAliases")
        page, marker = self._versions.list_aliases(
            latest, params.get("FunctionVersion"), params.get("Marker"), params.get("MaxItems"))
        aliases = [_describe_alias(latest, alias) for alias in page]
        return {"Aliases": aliases} | ({"NextMarker": marker} if marker else {})

    @property
    def _versions(self) -> Versions:
        return self.runtime.registry.versions

    def _latest(self, params: Mapping[str, Any], caller: Any, action: str) -> FunctionConfiguration:
        return self.runtime.registry.latest(
            caller.account, caller.region, params["FunctionName"], action=action)


def _describe_alias(latest: FunctionConfiguration, alias: Alias) -> dict[str, Any]:
    """An alias as the API prints it (the *AliasConfiguration* shape)."""
    routing = {"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}}
    return {
        "AliasArn": f"{latest.arn}:{alias.name}", "Name": alias.name,
        "FunctionVersion": alias.function_version, "Description": alias.description,
        "RevisionId": alias.revision_id,
    } | (routing if alias.weights else {})
