"""What happened, when: one append-only record that everything else reads.

Logs, metrics, bills, pictures, tests and the grader all read this record, so they can't disagree.
It stands for nothing of AWS's; the nearest relative is X-Ray.

An event has a kind, and every kind has the fields listed in :data:`KINDS`. Appending an event of
an unknown kind, or with other fields, is an error: a picture can rely on what is in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # the front door
        "request.accepted": frozenset({"request_id"}),
        "request.throttled": frozenset({"request_id", "reason"}),
        # an execution environment's life
        "environment.created": frozenset({"version", "memory_size", "timeout"}),
        "init.started": frozenset(),
        "init.ended": frozenset({"duration_ms", "status", "error_type"}),
        "environment.frozen": frozenset(),
        "environment.thawed": frozenset(),
        "environment.shutdown": frozenset({"reason"}),
        # extensions, and the Shutdown phase of environments that have any
        "extension.registered": frozenset({"name", "events", "external"}),
        "shutdown.started": frozenset({"reason", "limit_ms"}),
        "shutdown.ended": frozenset({"duration_ms", "status"}),
        # an invocation in an environment
        "invoke.started": frozenset({"request_id", "cold"}),
        "invoke.ended": frozenset(
            {"request_id", "status", "error_type", "duration_ms", "billed_ms", "memory_size",
             "max_memory_used", "init_ms", "cost"}
        ),
        # a connection to a database: had, or refused for want of places
        "database.connected": frozenset({"database", "accepted"}),
        # one line of a function's log (START, END and REPORT lines included)
        "log.line": frozenset({"request_id", "message"}),
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``at`` is in seconds since the cloud's start."""

    number: int
    at: float
    kind: str
    function: str
    environment: str | None = None  # the log stream's last part names it too
    data: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.data[name]


class Trace:
    """The record. Listeners are told of each event as it is appended, in order."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._listeners: list[Callable[[Event], None]] = []

    def append(self, at: float, kind: str, function: str, environment: str | None = None,
               **data: Any) -> Event:
        """Record one event; ``data`` must hold exactly the fields of its kind."""
        if kind not in KINDS or data.keys() != KINDS[kind]:
            raise ValueError(f"trace event {kind!r} with fields {sorted(data)}: see trace.KINDS")
        event = Event(len(self._events), at, kind, function, environment, MappingProxyType(data))
        self._events.append(event)
        for listener in self._listeners:
            listener(event)
        return event

    def listen(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def select(self, *kinds: str, function: str | None = None, environment: str | None = None,
               request_id: str | None = None) -> list[Event]:
        """Events that fit every criterion given, in order."""
        return [
            e
            for e in self._events
            if (not kinds or e.kind in kinds)
            and (function is None or e.function == function)
            and (environment is None or e.environment == environment)
            and (request_id is None or e.data.get("request_id") == request_id)
        ]
