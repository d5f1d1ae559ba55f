"""The Lambda API's operations on layers: parameters in, result out.

Stands for: *PublishLayerVersion* and the other layer *Actions* of the Lambda API reference.
Leaves out: nothing of these operations' parameters.

What a layer *is* lives in ``minilambda.layers``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..layer import LayerVersion
from ..layers import Layers
from .downloads import Downloads


class LayerOperations:
    """The part of ``service.LambdaApi`` that is about layers."""

    runtime: Any
    downloads: Downloads

    def PublishLayerVersion(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._with_content(
            self._layers.publish(caller.account, caller.region, params), caller)

    def GetLayerVersion(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._with_content(self._layers.get(
            caller.account, caller.region, params["LayerName"], params["VersionNumber"]), caller)

    def GetLayerVersionByArn(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._with_content(
            self._layers.get_by_arn(caller.account, caller.region, params["Arn"]), caller)

    def ListLayers(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        page, marker = self._layers.list(caller.account, caller.region, **_filters(params))
        layers = [{"LayerName": version.name, "LayerArn": version.layer_arn,
                   "LatestMatchingVersion": describe(version)} for version in page]
        return {"Layers": layers} | ({"NextMarker": marker} if marker else {})

    def ListLayerVersions(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        page, marker = self._layers.versions(
            caller.account, caller.region, params["LayerName"], **_filters(params))
        return {"LayerVersions": [describe(version) for version in page]} | (
            {"NextMarker": marker} if marker else {})

    def DeleteLayerVersion(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        self._layers.delete(caller.account, caller.region, params["LayerName"],
                            params["VersionNumber"])
        return {}

    def AddLayerVersionPermission(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        statement, revision = self._layers.add_permission(caller.account, caller.region, params)
        return {"Statement": json.dumps(statement, separators=(",", ":")), "RevisionId": revision}

    def GetLayerVersionPolicy(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        policy = self._layers.policy(caller.account, caller.region, params)
        return {"Policy": policy.document(), "RevisionId": policy.revision_id}

    def RemoveLayerVersionPermission(self, params: Mapping[str, Any],
                                     caller: Any) -> dict[str, Any]:
        self._layers.remove_permission(caller.account, caller.region, params)
        return {}

    @property
    def _layers(self) -> Layers:
        return self.runtime.registry.layers

    def _with_content(self, version: LayerVersion, caller: Any) -> dict[str, Any]:
        """The *GetLayerVersionResponse* shape."""
        path = (f"/awslambda-{version.region}-layers/snapshots/{version.account}/"
                f"{version.name}-{version.version}")
        return describe(version) | {
            "LayerArn": version.layer_arn,
            "Content": {"Location": caller.endpoint + self.downloads.offer(path, version.content),
                        "CodeSha256": version.content.sha256,
                        "CodeSize": version.content.size},
        }


def describe(version: LayerVersion) -> dict[str, Any]:
    """A layer version as lists print it (the *LayerVersionsListItem* shape)."""
    found = {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "Description": version.description,
        "CreatedDate": version.created,
        "CompatibleRuntimes": version.compatible_runtimes,
        "CompatibleArchitectures": version.compatible_architectures,
        "LicenseInfo": version.license_info,
    }
    return {member: value for member, value in found.items() if value is not None}


def _filters(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"runtime": params.get("CompatibleRuntime"),
            "architecture": params.get("CompatibleArchitecture"),
            "marker": params.get("Marker"), "max_items": params.get("MaxItems")}
