"""The Lambda API's operations on versions and aliases: parameters in, result out.

Stands for: *PublishVersion*, *ListVersionsByFunction*, *CreateAlias* and the other alias *Actions* of
the Lambda API reference.
Leaves out: ``PublishTo`` of PublishVersion.

What a version or an alias *is* lives in ``minilambda.versions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import errors
from ..errors import LambdaError
from ..function import FunctionConfiguration
from ..function_name import FunctionName
from ..versions import Alias, Versions
from .description import describe


class VersionOperations:
    """The part of ``service.LambdaApi`` that is about versions and aliases."""

    runtime: Any

    def PublishVersion(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        version = self.runtime.registry.publish(caller.account, caller.region, params)
        return describe(version, version.version, self.runtime.registry.states)

    def ListVersionsByFunction(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:ListVersionsByFunction")
        page, marker = self._versions.list(latest, params.get("Marker"), params.get("MaxItems"))
        versions = [describe(version, version.version) for version in page]
        return {"Versions": versions} | ({"NextMarker": marker} if marker else {})

    def CreateAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        try:
            latest = self._latest(params, caller, "lambda:CreateAlias")
        except LambdaError as error:  # AWS names the version that it was to point at
            if error.message == f"Function not found: {self._arn(params, caller)}":
                raise errors.function_not_found(
                    f"{self._arn(params, caller)}:{params['FunctionVersion']}") from None
            raise
        return _describe_alias(latest, self._versions.create_alias(latest, params))

    def GetAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:GetAlias")
        return _describe_alias(latest, self._versions.get_alias(latest, params["Name"]))

    def UpdateAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:UpdateAlias")
        self.runtime.provisioned.check_alias(latest, params)
        alias = self._versions.update_alias(latest, params)
        self.runtime.provisioned.follow(latest, alias)
        return _describe_alias(latest, alias)

    def DeleteAlias(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:DeleteAlias")
        self._versions.delete_alias(latest, params["Name"])
        self.runtime.provisioned.drop(latest, params["Name"])
        self.runtime.registry.permissions.forget(latest, params["Name"])
        self.runtime.registry.event_configs.forget(latest, params["Name"])
        self.runtime.registry.urls.forget(latest, params["Name"])
        return {}

    def ListAliases(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest = self._latest(params, caller, "lambda:ListAliases")
        page, marker = self._versions.list_aliases(
            latest, params.get("FunctionVersion"), params.get("Marker"), params.get("MaxItems"))
        aliases = [_describe_alias(latest, alias) for alias in page]
        return {"Aliases": aliases} | ({"NextMarker": marker} if marker else {})

    def _arn(self, params: Mapping[str, Any], caller: Any) -> str:
        return FunctionName.parse(caller.account, caller.region, params["FunctionName"]).arn

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
