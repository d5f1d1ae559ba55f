"""The layers of every account and region: published, read, shared, deleted, and given to functions.

Stands for: PublishLayerVersion, GetLayerVersion, ListLayers, ListLayerVersions, DeleteLayerVersion,
the permissions of layer versions, and the checks of a function's ``Layers``.
AWS pages: *Managing Lambda dependencies with layers*; the operations in the Lambda API reference.
Leaves out: AWS's own layers, the limit of a policy's length.

A function holds the layer versions it uses, not their names. So deleting a version keeps it from
new functions only, as on AWS. A version's number is never given again, deleted or not.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .clock import Clock
from .function import CodePackage
from .layer import LayerPolicy, LayerVersion, allowing
from .limits import Limits
from .package import unzipped_size

_ARN = re.compile(r"arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
                  r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<version>\d+))?")
_PAGE = 50  # items in one answer of a list, however many are asked for

# account, region, source (ZipFile or S3…), operation -> the archive, checked
TakeCode = Callable[[str, str, Mapping[str, Any], str], CodePackage]
# account -> the id of the organization it belongs to, if any
OrganizationOf = Callable[[str], str | None]


@dataclass(slots=True)
class _Layer:
    """One name's versions. ``last`` only grows, so that no number comes twice."""

    last: int = 0
    versions: dict[int, LayerVersion] = field(default_factory=dict)
    policies: dict[int, LayerPolicy] = field(default_factory=dict)


class Layers:
    """All layers of one cloud.

    In every method ``account`` and ``region`` are the caller's, and ``name`` is a layer's name or
    its ARN without a version.

    Args:
        clock: gives revision ids and dates.
        limits: the profile in force.
        take_code: gives the archive that a request's ``Content`` holds or points at.
        organization_of: gives the organization that an account belongs to.
    """

    def __init__(self, clock: Clock, limits: Limits, take_code: TakeCode,
                 organization_of: OrganizationOf) -> None:
        self.clock, self.limits, self._take_code = clock, limits, take_code
        self._organization_of = organization_of
        self._layers: dict[tuple[str, str, str], _Layer] = {}
        self._lock = threading.RLock()

    # -- versions ----------------------------------------------------------------------------------

    def publish(self, account: str, region: str, request: Mapping[str, Any]) -> LayerVersion:
        """The next version of a layer (its first, if there is none) from a request."""
        key = self._own(account, region, request["LayerName"], "lambda:PublishLayerVersion")
        content = self._take_code(account, region, request["Content"], "PublishLayerVersion")
        with self._lock:
            layer = self._layers.setdefault(key, _Layer())
            layer.last += 1
            published = layer.versions[layer.last] = LayerVersion(
                name=key[2], account=key[0], region=key[1], version=layer.last, content=content,
                unzipped=unzipped_size(content.archive), created=self.clock.api_date(),
                description=request.get("Description") or "",
                license_info=request.get("LicenseInfo"),
                compatible_runtimes=_names(request, "CompatibleRuntimes"),
                compatible_architectures=_names(request, "CompatibleArchitectures"))
        return published

    def get(self, account: str, region: str, name: str, version: int) -> LayerVersion:
        """A version of one's own, or of another account that allows it."""
        if version < 1:
            raise errors.layer_version_below_one()
        owner, where, bare = self._parse(account, region, name)
        with self._lock:
            found = self._find(owner, where, bare, version) if where == region else None
            if owner != account and not self._allowed(found, account):
                raise errors.other_account(account, "lambda:GetLayerVersion",
                                           _arn(owner, where, bare, version))
        if found is None:
            raise errors.layer_not_found()
        return found

    def get_by_arn(self, account: str, region: str, arn: str) -> LayerVersion:
        name, _, version = arn.rpartition(":")
        return self.get(account, region, name, int(version))

    def list(self, account: str, region: str, *, runtime: str | None = None,
             architecture: str | None = None, marker: str | None = None,
             max_items: int | None = None) -> tuple[list[LayerVersion], str | None]:
        """One page of a region's layers by name, each as its newest version that suits."""
        with self._lock:
            newest = [
                max(suiting, key=lambda found: found.version)
                for (owner, where, name), layer in sorted(self._layers.items())
                if (owner, where) == (account, region) and (marker is None or name > marker)
                and (suiting := [v for v in layer.versions.values()
                                 if v.suits(runtime, architecture)])
            ]
        page = newest[:min(max_items or _PAGE, _PAGE)]
        return page, page[-1].name if len(newest) > len(page) else None

    def versions(self, account: str, region: str, name: str, *, runtime: str | None = None,
                 architecture: str | None = None, marker: str | None = None,
                 max_items: int | None = None) -> tuple[list[LayerVersion], str | None]:
        """One page of a layer's versions, newest first. No such layer: none."""
        key = self._own(account, region, name, "lambda:ListLayerVersions")
        below = int(marker) if marker and marker.isdecimal() else None
        with self._lock:
            layer = self._layers.get(key, _Layer())
            found = [layer.versions[number] for number in sorted(layer.versions, reverse=True)
                     if (below is None or number < below)
                     and layer.versions[number].suits(runtime, architecture)]
        page = found[:min(max_items or _PAGE, _PAGE)]
        return page, str(page[-1].version) if len(found) > len(page) else None

    def delete(self, account: str, region: str, name: str, version: int) -> None:
        """Take a version away from new functions. Harmless when it is gone already."""
        if version < 1:
            raise errors.layer_version_below_one()
        key = self._own(account, region, name, "lambda:DeleteLayerVersion")
        with self._lock:
            layer = self._layers.get(key, _Layer())
            layer.versions.pop(version, None)
            layer.policies.pop(version, None)

    def storage(self, account: str, region: str) -> int:
        """Bytes that a region's layer archives take."""
        with self._lock:
            return sum(version.content.size
                       for (owner, where, _), layer in self._layers.items()
                       if (owner, where) == (account, region)
                       for version in layer.versions.values())

    # -- a function's layers -----------------------------------------------------------------------

    def resolve(self, account: str, region: str, arns: Sequence[str]) -> tuple[LayerVersion, ...]:
        """The versions that a function's ``Layers`` names, in that order."""
        if len(arns) > self.limits.layers:
            raise errors.too_many_layers(self.limits.layers)
        found: dict[str, LayerVersion] = {}
        for arn in arns:
            match = _ARN.fullmatch(arn)
            if match is None or match["version"] is None:
                raise errors.layer_version_missing(arn)
            version = self._usable(account, region, arn, match)
            if version.layer_arn in found:
                raise errors.layer_twice(found[version.layer_arn].arn, arn)
            found[version.layer_arn] = version
        if sum(version.unzipped for version in found.values()) > self.limits.unzipped:
            raise errors.layers_too_big(self.limits.unzipped)
        return tuple(found.values())

    def _usable(self, account: str, region: str, arn: str, match: re.Match[str]) -> LayerVersion:
        with self._lock:
            found = None
            if match["region"] == region:
                found = self._find(match["account"], region, match["name"], int(match["version"]))
            if match["account"] != account and not self._allowed(found, account):
                raise errors.other_account(account, "lambda:GetLayerVersion", arn)
        if match["region"] != region:
            raise errors.layer_of_another_region(region)
        if found is None:
            raise errors.layer_version_missing(arn)
        return found

    # -- permissions -------------------------------------------------------------------------------

    def add_permission(self, account: str, region: str, request: Mapping[str, Any]
                       ) -> tuple[dict[str, Any], str]:
        """Let another account, an organization or all use a version.

        Value: the statement, the policy's new revision id.
        """
        principal, organization = request["Principal"], request.get("OrganizationId")
        if organization and principal != "*":
            raise errors.organization_without_all()
        with self._lock:
            layer, version = self._policied(account, region, request,
                                            "lambda:AddLayerVersionPermission")
            policy = layer.policies.get(version.version) or LayerPolicy(self.clock.uuid())
            if request["StatementId"] in policy:
                raise errors.statement_exists(request["StatementId"])
            _check_revision(request, policy)
            statement = allowing(request["StatementId"], request["Action"], principal,
                                 organization, version.arn)
            layer.policies[version.version] = changed = policy.with_statement(
                statement, self.clock.uuid())
        return statement, changed.revision_id

    def remove_permission(self, account: str, region: str, request: Mapping[str, Any]) -> None:
        with self._lock:
            layer, version = self._policied(account, region, request,
                                            "lambda:RemoveLayerVersionPermission")
            policy = layer.policies.get(version.version) or LayerPolicy("")
            _check_revision(request, policy)
            if request["StatementId"] not in policy:
                raise errors.statement_not_found(request["StatementId"])
            layer.policies[version.version] = policy.without(request["StatementId"],
                                                             self.clock.uuid())

    def policy(self, account: str, region: str, request: Mapping[str, Any]) -> LayerPolicy:
        with self._lock:
            layer, version = self._policied(account, region, request,
                                            "lambda:GetLayerVersionPolicy")
            policy = layer.policies.get(version.version)
        if policy is None or not policy.statements:
            raise errors.no_policy()
        return policy

    def _policied(self, account: str, region: str, request: Mapping[str, Any],
                  action: str) -> tuple[_Layer, LayerVersion]:
        key = self._own(account, region, request["LayerName"], action)
        version = self._find(*key, request["VersionNumber"])
        if version is None:
            raise errors.layer_version_not_found(_arn(*key, request["VersionNumber"]))
        return self._layers[key], version

    # -- inside ------------------------------------------------------------------------------------

    def _find(self, account: str, region: str, name: str, version: int) -> LayerVersion | None:
        layer = self._layers.get((account, region, name))
        return layer.versions.get(version) if layer else None

    def _allowed(self, version: LayerVersion | None, account: str) -> bool:
        if version is None:
            return False
        layer = self._layers[version.account, version.region, version.name]
        policy = layer.policies.get(version.version)
        return policy is not None and policy.allows(account, self._organization_of(account))

    @staticmethod
    def _parse(account: str, region: str, name: str) -> tuple[str, str, str]:
        match = _ARN.fullmatch(name)
        return (match["account"], match["region"], match["name"]) if match else (
            account, region, name)

    def _own(self, account: str, region: str, name: str, action: str) -> tuple[str, str, str]:
        """The layer's key, if it is the caller's own and in this region."""
        owner, where, bare = self._parse(account, region, name)
        if owner != account:
            raise errors.other_account(account, action,
                                       f"arn:aws:lambda:{where}:{owner}:layer:{bare}")
        if where != region:
            raise errors.layer_not_found()
        return owner, where, bare


def _arn(account: str, region: str, name: str, version: int) -> str:
    return f"arn:aws:lambda:{region}:{account}:layer:{name}:{version}"


def _names(request: Mapping[str, Any], member: str) -> tuple[str, ...] | None:
    return tuple(request[member]) if request.get(member) is not None else None


def _check_revision(request: Mapping[str, Any], policy: LayerPolicy) -> None:
    if request.get("RevisionId") and request["RevisionId"] != policy.revision_id:
        raise errors.layer_revision_mismatch()
