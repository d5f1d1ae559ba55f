"""What a function does about events: how often, how long, and where records of them go.

Stands for: the *FunctionEventInvokeConfig* data type, and PutFunctionEventInvokeConfig,
UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig, DeleteFunctionEventInvokeConfig and
ListFunctionEventInvokeConfigs of the Lambda API. AWS page: *Configuring error handling settings for
Lambda asynchronous invocations*.

``$LATEST``, each version and each alias have a configuration of their own; none inherits another's.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import async_errors
from .clock import Clock
from .function import LATEST, FunctionConfiguration
from .versions import Key, key_of

_PAGE = 50


@dataclass(frozen=True, slots=True)
class EventConfig:
    """``retries``, ``age`` (seconds): None where nothing is set. Destinations are ARNs or empty.

    ``last_modified``: seconds since 1970.
    """

    retries: int | None = None
    age: int | None = None
    on_success: str = ""
    on_failure: str = ""
    last_modified: float = 0.0

    def changed(self, request: Mapping[str, Any], now: float) -> EventConfig:
        """With what a request names; an empty destination takes one away."""
        changes: dict[str, Any] = {"last_modified": now}
        for member, name in (("MaximumRetryAttempts", "retries"), ("MaximumEventAgeInSeconds", "age")):
            if request.get(member) is not None:
                changes[name] = request[member]
        for member, name in (("OnSuccess", "on_success"), ("OnFailure", "on_failure")):
            wanted = (request.get("DestinationConfig") or {}).get(member) or {}
            if wanted.get("Destination") is not None:
                changes[name] = wanted["Destination"]
        return replace(self, **changes)


NOTHING_SET = EventConfig()


class EventConfigs:
    """Those of all functions of one cloud. ``lock`` is the registry's."""

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self.clock, self._lock = clock, lock
        self._configs: dict[tuple[Key, str], EventConfig] = {}

    def get(self, latest: FunctionConfiguration, qualifier: str | None) -> EventConfig | None:
        return self._configs.get((key_of(latest), qualifier or LATEST))

    def make(self, latest: FunctionConfiguration, qualifier: str | None,
             request: Mapping[str, Any], update: bool) -> EventConfig:
        """What a request asks for, in place of what there is or (``update``) as a change of it.

        Raises:
            LambdaError: nothing is set, or there is nothing to update.
        """
        check_request(request)
        old = self.get(latest, qualifier) if update else NOTHING_SET
        if old is None:
            raise async_errors.no_event_config(f"{latest.arn}:{qualifier or LATEST}")
        return old.changed(request, self.clock.timestamp())

    def put(self, latest: FunctionConfiguration, qualifier: str | None, config: EventConfig) -> None:
        with self._lock:
            self._configs[key_of(latest), qualifier or LATEST] = config

    def delete(self, latest: FunctionConfiguration, qualifier: str | None) -> None:
        with self._lock:
            if self._configs.pop((key_of(latest), qualifier or LATEST), None) is None:
                raise async_errors.no_event_config(f"{latest.arn}:{qualifier or LATEST}")

    def list(self, latest: FunctionConfiguration, marker: str | None, max_items: int | None
             ) -> tuple[list[tuple[str, EventConfig]], str | None]:
        """One page, by qualifier, and the next marker (the last qualifier of the page)."""
        with self._lock:
            found = sorted((qualifier, config) for (key, qualifier), config in self._configs.items()
                           if key == key_of(latest) and qualifier > (marker or ""))
        page = found[:min(max_items or _PAGE, _PAGE)]
        return page, page[-1][0] if len(found) > len(page) else None

    def forget(self, latest: FunctionConfiguration, qualifier: str | None = None) -> None:
        """The function is gone (or this version or alias of it)."""
        with self._lock:
            for key, name in list(self._configs):
                if key == key_of(latest) and qualifier in (None, name):
                    del self._configs[key, name]


def check_request(request: Mapping[str, Any]) -> None:
    """Whether a request sets anything at all."""
    if all(request.get(member) is None for member in (
            "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")):
        raise async_errors.nothing_set()
