"""The functions of every account and region: made, read, changed, deleted.

Stands for: CreateFunction, GetFunction, ListFunctions, UpdateFunctionCode,
UpdateFunctionConfiguration, DeleteFunction and the tag operations of the Lambda API.
AWS page: *CreateFunction* (and so on) in the Lambda API reference.
Leaves out (so far): everything ``aws/options.py`` refuses. Versions and aliases: ``versions``.

Requests are mappings with botocore's member names, already checked against the service model
(``aws/validation.py``). What is decided here needs to know the cloud: its limits, the other
functions, the role, the code. The answers come as immutable :class:`FunctionConfiguration`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from . import errors
from .clock import Clock
from .event_config import EventConfigs
from .function import LATEST, CodePackage, FunctionConfiguration
from .function_name import FunctionName
from .function_urls import FunctionUrls
from .layer import LayerVersion
from .layers import Layers
from .limits import Limits
from .model import Model
from .package import check_archive, unzipped_size
from .permissions import Permissions
from .policy import Asking
from .reserved_names import RESERVED_VARIABLES, known_runtimes
from .states import States
from .versions import Target, Versions
from .vpc import Networks

OnChange = Callable[[FunctionConfiguration, FunctionConfiguration | None], None]

_ROLE_ACCOUNT = re.compile(r"arn:aws:iam::(\d{12}):role/")
_PAGE = 50  # functions in one answer of ListFunctions, however many are asked for


class Registry:
    """All functions of one cloud.

    Args:
        clock: gives revision ids and the time of a change.
        limits: the profile in force.
        fetch_code: ``(account, region, bucket, key, version or None) -> bytes`` of an S3 object;
            raises LambdaError when there is none.
        role_trusts_lambda: whether this role (an ARN) exists and Lambda may assume it.
        organization_of: the id of the organization that an account belongs to, None without one.
        check_dead_letter: raises LambdaError if the function can't have the dead-letter queue it has.
        on_change: called with the old configuration and the new one (None: deleted) after code or
            configuration changed. Not called for a new function, nor for tags, which no execution
            environment can see.
        on_create: called with a new function's configuration.
    """

    def __init__(self, clock: Clock, limits: Limits, *,
                 fetch_code: Callable[[str, str, str, str, str | None], bytes],
                 role_trusts_lambda: Callable[[str], bool],
                 organization_of: Callable[[str], str | None] = lambda account: None,
                 check_dead_letter: Callable[[FunctionConfiguration], None] = lambda function: None,
                 networks: Networks | None = None, on_change: OnChange | None = None,
                 on_create: Callable[[FunctionConfiguration], None] | None = None) -> None:
        self.clock, self.limits = clock, limits
        self.on_change, self.on_create = on_change, on_create
        self._fetch_code, self._role_trusts_lambda = fetch_code, role_trusts_lambda
        self._check_dead_letter, self._networks = check_dead_letter, networks or Networks()
        self._functions: dict[tuple[str, str, str], FunctionConfiguration] = {}
        self._lock = threading.RLock()
        self.runtimes = known_runtimes(limits)
        self.versions = Versions(clock, self._lock)
        self.states = States(clock, limits, Model.load(), self._lock, self._tell,
                             self._networks)
        self.permissions = Permissions(clock, limits, self.versions, self._lock, self._touch)
        self.urls = FunctionUrls(clock, self.versions, self._lock)
        self.event_configs = EventConfigs(clock, self._lock)
        self.organization_of = organization_of
        self.layers = Layers(clock, limits, self._code, organization_of)

    # -- reading -----------------------------------------------------------------------------------

    def get(self, account: str, region: str, name: str, qualifier: str | None = None,
            *, action: str = "lambda:GetFunction") -> FunctionConfiguration:
        """The function of that name, partial ARN or ARN, in the version that the qualifier names.

        ``account`` and ``region`` are the caller's; ``action`` is what a refusal of another
        account's function names.
        """
        wanted = FunctionName.parse(account, region, name, qualifier)
        return self.versions.get(self._find(account, wanted, action), wanted.qualifier)

    def target(self, account: str, region: str, name: str, qualifier: str | None = None) -> Target:
        """What a request to invoke is for: an alias may share it out."""
        wanted = FunctionName.parse(account, region, name, qualifier)
        found = self._find(account, wanted, "lambda:InvokeFunction")
        target = self.versions.target(self.states.in_force(found), wanted.qualifier)
        self.states.check_invocable(target.function)
        return target

    def named(self, account: str, region: str, name: str, qualifier: str | None, *, action: str
              ) -> tuple[FunctionConfiguration, str | None]:
        """``$LATEST`` of the function, and the qualifier that the request has for it."""
        wanted = FunctionName.parse(account, region, name, qualifier)
        return self._find(account, wanted, action), wanted.qualifier

    def latest(self, account: str, region: str, name: str, *, action: str
               ) -> FunctionConfiguration:
        """``$LATEST`` of the function; a qualifier in its name is refused."""
        wanted = FunctionName.parse(account, region, name)
        found = self._find(account, wanted, action)
        if wanted.qualifier not in (None, LATEST):
            raise errors.qualifier_not_allowed(wanted.arn)
        return found

    def find(self, wanted: FunctionName) -> FunctionConfiguration | None:
        """``$LATEST`` of the function, whoever asks and whatever the qualifier."""
        with self._lock:
            return self._functions.get((wanted.account, wanted.region, wanted.name))

    def _find(self, account: str, wanted: FunctionName, action: str) -> FunctionConfiguration:
        found = self.find(wanted)
        if wanted.account != account and not (found and self.permissions.lets(
                found, wanted.qualifier, Asking(
                    action, account=account, organization=self.organization_of(account)))):
            raise errors.other_account(account, action, wanted.arn)
        if found is None:
            raise errors.function_not_found(wanted.arn)
        return found

    def list(self, account: str, region: str, marker: str | None = None,
             max_items: int | None = None, every_version: bool = False
             ) -> tuple[list[FunctionConfiguration], str | None]:
        """One page of a region's functions in the order of their names, and the next marker."""
        with self._lock:
            here = sorted(
                (f for (a, r, _), f in self._functions.items() if (a, r) == (account, region)),
                key=lambda function: function.name)
            if every_version:
                here = [v for f in here for v in (f, *self.versions.published(f))]
        place = lambda f: (f.name, _number(f.version))  # noqa: E731
        name, _, version = (marker or "").partition(":")
        rest = [f for f in here if marker is None or place(f) > (name, _number(version))]
        page = rest[:min(max_items or _PAGE, _PAGE)]
        more = len(rest) > len(page)
        return page, f"{page[-1].name}:{page[-1].version}" if more else None

    def __iter__(self):
        """Every function of every account and region."""
        with self._lock:
            return iter(list(self._functions.values()))

    def code_storage(self, account: str, region: str) -> int:
        """Bytes that a region's deployment packages and layers take."""
        functions = sum(
            version.code.size for f in self if (f.account, f.region) == (account, region)
            for version in (f, *self.versions.published(f)))
        return functions + self.layers.storage(account, region)

    # -- changing ----------------------------------------------------------------------------------

    def create(self, account: str, region: str, request: Mapping[str, Any]
               ) -> FunctionConfiguration:
        """A new function from a CreateFunction request."""
        wanted = FunctionName.parse(account, region, request["FunctionName"])
        if wanted.account != account:
            raise errors.function_of_another_account()
        if wanted.qualifier:
            raise errors.invalid(f"Invalid function name: {request['FunctionName']}")
        key = (account, region, wanted.name)
        if not request.get("Runtime") or not request.get("Handler"):
            raise errors.runtime_and_handler_needed()
        settings = self._settings(account, region, request)
        tags = self.check_tags(request.get("Tags") or {})
        with self._lock:
            if key in self._functions:
                raise errors.function_exists(wanted.name)
        function = self._stamped(FunctionConfiguration(
            name=wanted.name, account=account, region=region, tags=tags,
            code=self._code(account, region, request["Code"], "CreateFunction",
                            settings.get("layers", ())),
            **({"timeout": self.limits.timeout_default,
                "memory_size": self.limits.memory_default,
                "ephemeral_storage": self.limits.tmp_default} | settings)))
        self._check_dead_letter(function)
        self._networks.check(function)
        with self._lock:
            if key in self._functions:
                raise errors.function_exists(wanted.name)
            self._functions[key] = function
        self.states.created(function)
        if self.on_create is not None:
            self.on_create(function)
        return function

    def update_configuration(self, account: str, region: str, request: Mapping[str, Any]
                             ) -> FunctionConfiguration:
        """Change what an UpdateFunctionConfiguration request names; the rest stays."""
        old = self._current(account, region, request, "lambda:UpdateFunctionConfiguration")
        settings = self._settings(account, region, request)
        if settings.keys() & {"dead_letter", "role", "network"}:
            self._check_dead_letter(replace(old, **settings))
            self._networks.check(replace(old, **settings))
        return self._swap(old, request, **settings)

    def update_code(self, account: str, region: str, request: Mapping[str, Any]
                    ) -> FunctionConfiguration:
        """New code from an UpdateFunctionCode request. With ``DryRun`` nothing changes."""
        old = self._current(account, region, request, "lambda:UpdateFunctionCode")
        code = self._code(account, region, request, "UpdateFunctionCode", old.layers)
        if request.get("DryRun"):
            return replace(old, code=code)
        return self._swap(old, request, code=code)

    def delete(self, account: str, region: str, name: str, qualifier: str | None = None) -> None:
        """Delete the function with all its versions and aliases, or one version of it."""
        wanted = FunctionName.parse(account, region, name, qualifier)
        if wanted.qualifier == LATEST:
            raise errors.invalid("$LATEST version cannot be deleted without deleting the function.")
        # AWS's refusal names the function without the qualifier.
        old = self._find(account, replace(wanted, qualifier=None), "lambda:DeleteFunction")
        if wanted.qualifier:
            version = self.versions.delete(old, wanted.qualifier)
            self.permissions.forget(old, wanted.qualifier)
            self.event_configs.forget(old, wanted.qualifier)
            if version is not None:
                self.states.forget(version)
                self._tell(version, None)
            return
        with self._lock:
            self._functions.pop((old.account, old.region, old.name), None)
            versions = self.versions.forget(old)
            self.permissions.forget(old)
            self.event_configs.forget(old)
            self.states.forget(old)
            self.urls.forget(old)
        for version in (old, *versions):
            self._tell(version, None)

    def publish(self, account: str, region: str, request: Mapping[str, Any],
                settled: bool = True) -> FunctionConfiguration:
        """A version from a PublishVersion request; ``settled``: only if nothing is in progress."""
        with self._lock:
            latest = self.latest(account, region, request["FunctionName"],
                                 action="lambda:PublishVersion")
            if settled:
                self.states.check_settled(latest)
            if self.code_storage(account, region) + latest.code.size > self.limits.code_storage:
                raise errors.code_storage_exceeded()
            version, new = self.versions.publish(latest, request)
        if new:
            self.states.created(version)
            if self.on_create is not None:
                self.on_create(version)
        return version

    # -- inside ------------------------------------------------------------------------------------

    def _current(self, account: str, region: str, request: Mapping[str, Any],
                 action: str) -> FunctionConfiguration:
        old = self.latest(account, region, request["FunctionName"], action=action)
        self.states.check_settled(old)
        if request.get("RevisionId") and request["RevisionId"] != old.api_revision:
            raise errors.revision_mismatch()
        return old

    def _swap(self, old: FunctionConfiguration, request: Mapping[str, Any],
              **changes: Any) -> FunctionConfiguration:
        """Put the changed function in the old one's place."""
        key = (old.account, old.region, old.name)
        with self._lock:
            current = self._functions.get(key)
            if current is None:  # deleted while its code was being read
                raise errors.function_not_found(old.arn)
            if request.get("RevisionId") and current.api_revision != old.api_revision:
                raise errors.revision_mismatch()
            changed = replace(current, **changes)
            if changes.keys() & {"code", "layers"}:
                self._check_size(changed)
            new = self._functions[key] = self._stamped(changed)
        self.states.updated(current, new)
        return new

    def _stamped(self, function: FunctionConfiguration) -> FunctionConfiguration:
        return replace(function, revision_id=self.clock.uuid(), touched=0,
                       last_modified=self.clock.api_date())

    def _touch(self, latest: FunctionConfiguration, qualifier: str | None) -> None:
        """What the qualifier names has changed in a way that no environment can see."""
        if qualifier is not None:
            self.versions.touch(latest, qualifier)
            return
        key = (latest.account, latest.region, latest.name)
        if key in self._functions:
            self._functions[key] = replace(self._functions[key], touched=latest.touched + 1)

    def _tell(self, old: FunctionConfiguration, new: FunctionConfiguration | None) -> None:
        if self.on_change is not None:
            self.on_change(old, new)

    def retag(self, account: str, region: str, name: str,
              change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Other tags, and so another revision; no execution environment can see them."""
        with self._lock:
            wanted = FunctionName.parse(account, region, name)
            if wanted.qualifier:
                raise errors.tags_of_a_version()
            old = self._find(account, wanted, "lambda:TagResource")
            self.states.check_settled(old)
            self._functions[old.account, old.region, old.name] = replace(
                old, tags=self.check_tags(change(old.tags)), touched=old.touched + 1)

    def check_tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        if len(tags) > self.limits.tags:
            raise errors.too_many_tags()
        return MappingProxyType(dict(tags))

    def _settings(self, account: str, region: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a FunctionConfiguration that a request sets."""
        found = {field: request[member] for member, field in _SETTINGS.items()
                 if request.get(member) is not None}
        if (request.get("TracingConfig") or {}).get("Mode"):
            found["tracing"] = request["TracingConfig"]["Mode"]
        if (dead_letter := request.get("DeadLetterConfig")) is not None:
            found["dead_letter"] = dead_letter.get("TargetArn") or ""
        if request.get("VpcConfig") is not None:
            found["network"] = self._networks.network(account, region, request["VpcConfig"])
        if "EphemeralStorage" in request:
            found["ephemeral_storage"] = request["EphemeralStorage"]["Size"]
        if "Environment" in request:
            found["environment"] = self._environment(request["Environment"].get("Variables") or {})
        if request.get("Layers") is not None:
            found["layers"] = self.layers.resolve(account, region, request["Layers"])
        if found.get("runtime", self.runtimes[0]) not in self.runtimes:
            raise errors.runtime_unknown(found["runtime"], self.runtimes)
        if "role" in found:
            self._check_role(account, found["role"])
        return found

    def _environment(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        reserved = [name for name in variables if name in RESERVED_VARIABLES]
        if reserved:
            raise errors.environment_reserved(reserved)
        if errors.environment_size(variables) > self.limits.env_bytes:
            raise errors.environment_too_big(variables)
        return MappingProxyType(dict(variables))

    def _check_role(self, account: str, role: str) -> None:
        owner = _ROLE_ACCOUNT.match(role)
        if owner is not None and owner[1] != account:
            raise errors.role_of_another_account()
        if not self._role_trusts_lambda(role):
            raise errors.role_not_assumable()

    def _code(self, account: str, region: str, source: Mapping[str, Any],
              operation: str, layers: tuple[LayerVersion, ...] = ()) -> CodePackage:
        """The archive that ``ZipFile`` holds or ``S3Bucket``, ``S3Key`` point at.

        What it unpacks to must fit beside the function's ``layers``.
        """
        archive, bucket, key = (source.get(m) for m in ("ZipFile", "S3Bucket", "S3Key"))
        if archive is not None:
            if bucket or key or source.get("S3ObjectVersion"):
                raise errors.zip_file_or_s3()
            if len(archive) > self.limits.zip_direct:
                # What AWS limits is the request, where the archive stands in base64.
                raise errors.request_too_large(-(-self.limits.zip_direct * 4 // 3), operation)
        elif bucket and key:
            archive = self._fetch_code(account, region, bucket, key, source.get("S3ObjectVersion"))
        else:
            raise errors.code_source_needed()
        check_archive(archive, self.limits, sum(layer.unzipped for layer in layers))
        if self.code_storage(account, region) + len(archive) > self.limits.code_storage:
            raise errors.code_storage_exceeded()
        return CodePackage.of(archive)

    def _check_size(self, function: FunctionConfiguration) -> None:
        """Whether code and layers that are there already fit together."""
        if function.layers:
            actual = unzipped_size(function.code.archive) + sum(
                layer.unzipped for layer in function.layers)
            if actual > self.limits.unzipped:
                raise errors.code_and_layers_too_big(self.limits.unzipped, actual)


_SETTINGS = {"Runtime": "runtime", "Role": "role", "Handler": "handler",
             "Description": "description", "Timeout": "timeout", "MemorySize": "memory_size"}


def _number(version: str) -> int:
    """Where a version stands in a list: ``$LATEST`` first."""
    return int(version) if version.isdigit() else 0
