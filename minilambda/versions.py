"""Published versions of functions, and the aliases that point at them.

Stands for: PublishVersion, ListVersionsByFunction and the alias operations of the Lambda API.
AWS pages: *Manage Lambda function versions*; *Create an alias for a Lambda function*; *Implement
Lambda canary deployments using a weighted alias*.
Leaves out: provisioned concurrency and permissions of a version or an alias.

A version is a FunctionConfiguration like ``$LATEST``, with a number and a revision of its own; nothing
can change it. Numbers are never given out twice, not even to a new function of the same name.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from . import errors
from .clock import Clock
from .function import LATEST, FunctionConfiguration, derived_revision

Key = tuple[str, str, str]  # account, region, function name
_PAGE = 50  # in one answer, however many are asked for
_NO_WEIGHTS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Alias:
    """``weights``: an additional version's share of the requests, 0 to 1; at most one has any."""

    name: str
    function_version: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=lambda: _NO_WEIGHTS)
    revision_id: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request to invoke is for. ``qualifier`` is what it said itself.

    ``others``: versions that a part of the requests goes to instead, and which part.
    """

    function: FunctionConfiguration
    qualifier: str | None = None
    others: tuple[tuple[FunctionConfiguration, float], ...] = ()

    def pick(self, dice: random.Random) -> FunctionConfiguration:
        """The version that serves one request. Draws only where there is a choice."""
        if self.others:
            point = dice.random()
            for function, weight in self.others:
                if point < weight:
                    return function
                point -= weight
        return self.function


class Versions:
    """``lock`` is the registry's: what is asked here and there together must agree."""

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self.clock, self._lock = clock, lock
        self._published: dict[Key, dict[str, FunctionConfiguration]] = {}
        self._aliases: dict[Key, dict[str, Alias]] = {}
        self._sources: dict[Key, FunctionConfiguration] = {}  # what the last version was made of
        self._given_out: Counter[Key] = Counter()

    # -- versions ----------------------------------------------------------------------------------

    def publish(self, latest: FunctionConfiguration, request: Mapping[str, Any]
                ) -> tuple[FunctionConfiguration, bool]:
        """A version of ``latest`` as it is; the last one if nothing has changed since.

        Value: the version, and whether it is new.

        Raises:
            LambdaError: the CodeSha256 or RevisionId that the request names isn't the present one.
        """
        wanted = request.get("CodeSha256")
        if wanted and wanted != latest.code.sha256:
            raise errors.code_sha_mismatch(wanted, latest.code.sha256)
        if request.get("RevisionId") and request["RevisionId"] != latest.api_revision:
            raise errors.revision_mismatch()
        key = key_of(latest)
        with self._lock:
            published = self._published.setdefault(key, {})
            last, source = published.get(str(self._given_out[key])), self._sources.get(key)
            if last is not None and source is not None and _matter(source) == _matter(latest):
                return last, False
            self._given_out[key] += 1
            made = replace(latest, version=str(self._given_out[key]), tags=MappingProxyType({}),
                           description=request.get("Description") or latest.description,
                           revision_id=self.clock.uuid(), touched=0)
            published[made.version], self._sources[key] = made, latest
            return made, True

    def get(self, latest: FunctionConfiguration, qualifier: str | None) -> FunctionConfiguration:
        """The version of that number, or the one that the alias of that name points at.

        Raises:
            LambdaError: ResourceNotFoundException.
        """
        if qualifier in (None, LATEST):
            return latest
        key = key_of(latest)
        with self._lock:
            alias = self._aliases.get(key, {}).get(qualifier)
            number = alias.function_version if alias else qualifier
            found = latest if number == LATEST else self._published.get(key, {}).get(number)
        if found is None:
            raise errors.function_not_found(f"{latest.arn}:{qualifier}")
        return found

    def target(self, latest: FunctionConfiguration, qualifier: str | None) -> Target:
        """What an invocation with this qualifier is for; raises as :meth:`get`."""
        with self._lock:
            function = self.get(latest, qualifier)
            alias = self._aliases.get(key_of(latest), {}).get(qualifier or "")
            others = () if alias is None else tuple(
                (self.get(latest, number), weight) for number, weight in alias.weights.items())
            return Target(function, qualifier, others)

    def revision(self, latest: FunctionConfiguration, qualifier: str | None) -> str:
        """The RevisionId of what the qualifier names; raises as :meth:`get`."""
        with self._lock:
            alias = self._aliases.get(key_of(latest), {}).get(qualifier or "")
            return alias.revision_id if alias else self.get(latest, qualifier).api_revision

    def touch(self, latest: FunctionConfiguration, qualifier: str) -> None:
        """Give a version or an alias another revision: its policy has changed."""
        key = key_of(latest)
        with self._lock:
            alias = self._aliases.get(key, {}).get(qualifier)
            if alias is not None:
                self._aliases[key][qualifier] = replace(
                    alias, revision_id=derived_revision(alias.revision_id, 1))
            elif (version := self._published.get(key, {}).get(qualifier)) is not None:
                self._published[key][qualifier] = replace(version, touched=version.touched + 1)

    def published(self, latest: FunctionConfiguration) -> list[FunctionConfiguration]:
        """All but ``$LATEST``, by number."""
        with self._lock:
            return sorted(self._published.get(key_of(latest), {}).values(),
                          key=lambda version: int(version.version))

    def list(self, latest: FunctionConfiguration, marker: str | None, max_items: int | None
             ) -> tuple[list[FunctionConfiguration], str | None]:
        """One page, ``$LATEST`` first, and the next marker."""
        return _page([latest, *self.published(latest)], lambda f: f.version, marker, max_items)

    def delete(self, latest: FunctionConfiguration, qualifier: str
               ) -> FunctionConfiguration | None:
        """Delete a version; value: what it was. Harmless when there is none."""
        key = key_of(latest)
        with self._lock:
            if qualifier in self._aliases.get(key, {}):
                raise errors.alias_deleted_as_version()
            found = self._published.get(key, {}).get(qualifier)
            if found is None:
                return None
            users = [alias.name for alias in self._aliases.get(key, {}).values()
                     if qualifier in (alias.function_version, *alias.weights)]
            if users:
                raise errors.version_in_use(users)
            return self._published[key].pop(qualifier)

    def forget(self, latest: FunctionConfiguration) -> list[FunctionConfiguration]:
        """The function is gone, and with it its versions (the value) and aliases."""
        with self._lock:
            found = self.published(latest)
            self._published.pop(key_of(latest), None)
            self._sources.pop(key_of(latest), None)
            self._aliases.pop(key_of(latest), None)
            return found

    # -- aliases -----------------------------------------------------------------------------------

    def create_alias(self, latest: FunctionConfiguration, request: Mapping[str, Any]) -> Alias:
        with self._lock:
            aliases = self._aliases.setdefault(key_of(latest), {})
            if request["Name"] in aliases:
                raise errors.alias_exists(f"{latest.arn}:{request['Name']}")
            alias = self._checked(latest, Alias(
                request["Name"], request["FunctionVersion"], request.get("Description") or "",
                _weights(request.get("RoutingConfig"))))
            aliases[alias.name] = alias
            return alias

    def get_alias(self, latest: FunctionConfiguration, name: str) -> Alias:
        with self._lock:
            found = self._aliases.get(key_of(latest), {}).get(name)
        if found is None:
            raise errors.alias_not_found(f"{latest.arn}:{name}")
        return found

    def update_alias(self, latest: FunctionConfiguration, request: Mapping[str, Any]) -> Alias:
        """Change what the request names; the rest stays."""
        with self._lock:
            old = self.get_alias(latest, request["Name"])
            if request.get("RevisionId") and request["RevisionId"] != old.revision_id:
                raise errors.revision_mismatch()
            changes: dict[str, Any] = {}
            if request.get("FunctionVersion"):
                changes["function_version"] = request["FunctionVersion"]
            if request.get("Description") is not None:
                changes["description"] = request["Description"]
            if request.get("RoutingConfig") is not None:
                changes["weights"] = _weights(request["RoutingConfig"])
            alias = self._checked(latest, replace(old, **changes))
            self._aliases[key_of(latest)][alias.name] = alias
            return alias

    def delete_alias(self, latest: FunctionConfiguration, name: str) -> None:
        """Harmless when there is none."""
        with self._lock:
            self._aliases.get(key_of(latest), {}).pop(name, None)

    def list_aliases(self, latest: FunctionConfiguration, version: str | None,
                     marker: str | None, max_items: int | None) -> tuple[list[Alias], str | None]:
        """One page, by name; only those that send requests to ``version``, if one is given."""
        with self._lock:
            found = sorted(self._aliases.get(key_of(latest), {}).values(),
                           key=lambda alias: alias.name)
        found = [alias for alias in found
                 if version is None or version in (alias.function_version, *alias.weights)]
        return _page(found, lambda alias: alias.name, marker, max_items)

    def _checked(self, latest: FunctionConfiguration, alias: Alias) -> Alias:
        """The alias with a revision of its own, if it may be as it is."""
        number = alias.function_version
        primary = self._of_number(latest, number)
        if len(alias.weights) > 1:
            raise errors.too_many_weights()
        for other in alias.weights:
            if other == number:
                raise errors.version_twice(number)
            if number == LATEST:
                raise errors.latest_in_routing()
            if self._of_number(latest, other).role != primary.role:
                raise errors.roles_differ(number, other)
        return replace(alias, revision_id=self.clock.uuid())

    def _of_number(self, latest: FunctionConfiguration, number: str) -> FunctionConfiguration:
        found = latest if number == LATEST else (
            self._published.get(key_of(latest), {}).get(number))
        if found is None:
            raise errors.function_not_found(f"{latest.arn}:{number}")
        return found


def key_of(function: FunctionConfiguration) -> Key:
    return function.account, function.region, function.name


def _matter(function: FunctionConfiguration) -> FunctionConfiguration:
    """The function without what two versions that are the same may differ in."""
    return replace(function, version="", revision_id="", touched=0, last_modified="",
                   tags=_NO_WEIGHTS)


def _weights(routing: Mapping[str, Any] | None) -> Mapping[str, float]:
    return MappingProxyType(dict((routing or {}).get("AdditionalVersionWeights") or {}))


def _page(items: list[Any], name: Any, marker: str | None, max_items: int | None
          ) -> tuple[list[Any], str | None]:
    """``marker`` is the name of the last item of the page before."""
    names = [name(item) for item in items]
    start = names.index(marker) + 1 if marker in names else 0
    stop = start + min(max_items or _PAGE, _PAGE)
    page = items[start:stop]
    return page, names[stop - 1] if stop < len(items) else None
