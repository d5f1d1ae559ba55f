"""Function URLs: which function, or which alias of one, has an address of its own.

Stands for: CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig,
DeleteFunctionUrlConfig and ListFunctionUrlConfigs of the Lambda API.
AWS page: *Creating and managing Lambda function URLs*.
Leaves out: response streaming (``InvokeMode`` is always BUFFERED).

AWS has had them since April 2022. They aren't refused under the course's limits: nothing of the course
changes by them.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from . import errors
from .clock import Clock
from .function import FunctionConfiguration
from .versions import Key, Versions, key_of

_PAGE = 50  # in one answer, however many are asked for
NONE, AWS_IAM = "NONE", "AWS_IAM"


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """``qualifier``: of an alias, None for ``$LATEST``. Times as the API prints them."""

    key: Key
    function_arn: str
    qualifier: str | None
    auth_type: str
    cors: Mapping[str, Any]
    created: str
    modified: str

    @property
    def id(self) -> str:
        """32 letters and digits that depend on the account, the region and the function only."""
        digest = hashlib.sha256(self.function_arn.encode()).digest()[:20]
        return base64.b32encode(digest).decode().lower()

    @property
    def host(self) -> str:
        """Its name on this machine. On AWS it ends in ``on.aws``."""
        return f"{self.id}.lambda-url.{self.key[1]}.localhost"


class FunctionUrls:
    """``lock`` is the registry's."""

    def __init__(self, clock: Clock, versions: Versions, lock: threading.RLock) -> None:
        self.clock, self.versions, self._lock = clock, versions, lock
        self._urls: dict[tuple[Key, str | None], FunctionUrl] = {}

    def create(self, latest: FunctionConfiguration, qualifier: str | None,
               request: Mapping[str, Any]) -> FunctionUrl:
        """
        Raises:
            LambdaError: ResourceConflictException if there is one already,
                ResourceNotFoundException if there is no such alias.
        """
        place = key_of(latest), qualifier
        arn = f"{latest.arn}:{qualifier}" if qualifier else latest.arn
        with self._lock:
            if place in self._urls:
                raise errors.LambdaError(
                    "ResourceConflictException", "Failed to create function url config for "
                    f"[functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this "
                    "Lambda function", 409)
            if qualifier:
                self._check_alias(latest, qualifier)
            now = self._now()
            self._urls[place] = made = FunctionUrl(
                place[0], arn, qualifier, request["AuthType"],
                MappingProxyType(dict(request.get("Cors") or {})), now, now)
        return made

    def get(self, latest: FunctionConfiguration, qualifier: str | None) -> FunctionUrl:
        found = self._urls.get((key_of(latest), qualifier))
        if found is None:
            raise errors.no_such_resource()
        return found

    def update(self, latest: FunctionConfiguration, qualifier: str | None,
               request: Mapping[str, Any]) -> FunctionUrl:
        """Change what the request names; the rest stays. ``Cors`` is replaced as a whole."""
        changes: dict[str, Any] = {"modified": self._now()}
        if request.get("AuthType"):
            changes["auth_type"] = request["AuthType"]
        if request.get("Cors") is not None:
            changes["cors"] = MappingProxyType(dict(request["Cors"]))
        with self._lock:
            changed = replace(self.get(latest, qualifier), **changes)
            self._urls[key_of(latest), qualifier] = changed
        return changed

    def delete(self, latest: FunctionConfiguration, qualifier: str | None) -> None:
        with self._lock:
            self.get(latest, qualifier)
            del self._urls[key_of(latest), qualifier]

    def list(self, latest: FunctionConfiguration, marker: str | None, max_items: int | None
             ) -> tuple[list[FunctionUrl], str | None]:
        """One page in the order of the qualifiers, ``$LATEST``'s first, and the next marker."""
        with self._lock:
            found = sorted((url for (key, _), url in self._urls.items() if key == key_of(latest)),
                           key=lambda url: url.qualifier or "")
        rest = [url for url in found if marker is None or url.function_arn > marker]
        page = rest[:min(max_items or _PAGE, _PAGE)]
        return page, page[-1].function_arn if len(rest) > len(page) else None

    def find(self, id: str, region: str) -> FunctionUrl | None:
        """The one of that address."""
        with self._lock:
            return next((url for url in self._urls.values()
                         if url.id == id and url.key[1] == region), None)

    def forget(self, latest: FunctionConfiguration, qualifier: str | None = None) -> None:
        """The function is gone, or this alias of it."""
        with self._lock:
            for key, name in list(self._urls):
                if key == key_of(latest) and qualifier in (None, name):
                    del self._urls[key, name]

    def _check_alias(self, latest: FunctionConfiguration, qualifier: str) -> None:
        try:
            self.versions.get_alias(latest, qualifier)
        except errors.LambdaError:
            raise errors.LambdaError(
                "ResourceNotFoundException", "Function does not exist", 404) from None

    def _now(self) -> str:
        return f"{self.clock.now:%Y-%m-%dT%H:%M:%S.%f}Z"
