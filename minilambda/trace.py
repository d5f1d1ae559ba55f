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

_TRIGGER = frozenset({"source", "resource", "target", "event_id"})
_S3 = frozenset({"bucket", "key", "event_name", "configuration", "target", "sequencer"})
KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # the front door
        "request.accepted": frozenset({"request_id"}),
        "request.throttled": frozenset({"request_id", "reason"}),
        # of a version that has provisioned concurrency, set on ``qualifier``: an environment of it
        # serves the request, or (all are busy) an ordinary one
        "request.provisioned": frozenset({"request_id", "qualifier", "version"}),
        "request.spilled": frozenset({"request_id", "qualifier", "version"}),
        # provisioned concurrency was set, has come about, failed, or (``requested`` is 0) was taken
        # away; how many environments there are (``allocated``), and may be used (``available``)
        "provisioned.changed": frozenset({"qualifier", "version", "requested", "allocated",
                                          "available", "status", "reason"}),
        # what it has cost in dollars while so many were requested, for so many seconds
        "provisioned.billed": frozenset({"qualifier", "version", "requested", "seconds", "cost"}),
        # an execution environment's life
        "environment.created": frozenset({"version", "memory_size", "timeout"}),
        # it is one of provisioned concurrency: initialised before there is a request
        "environment.provisioned": frozenset({"qualifier"}),
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
        # the asynchronous event queue. Every ``async.queued`` has one ``async.ended``, and so has
        # every ``async.duplicated``, the queue delivering an event once more (``copy``)
        "async.queued": frozenset({"request_id", "source"}),
        "async.duplicated": frozenset({"request_id"}),
        # taken from the queue to be invoked, after ``age_ms`` in it; the try itself is a
        # ``request.accepted`` with the same id
        "async.taken": frozenset({"request_id", "attempt", "age_ms", "copy"}),
        # back to the queue for ``wait`` seconds. ``reason``: error (of the function: one of its
        # tries is used up), not-found, throttle or system
        "async.retried": frozenset({"request_id", "reason", "wait", "copy"}),
        # ``condition``: Success, RetriesExhausted, EventAgeExceeded or ZeroReservedConcurrency, as
        # an invocation record has it; all but the first are drops (AsyncEventsDropped)
        "async.ended": frozenset({"request_id", "condition", "invoke_count", "copy"}),
        # sent to ``target`` (an ARN); ``role``: dead-letter, on-success or on-failure
        "async.delivered": frozenset({"request_id", "target", "role"}),
        # or not, which AWS shows in a metric only
        "async.undelivered": frozenset({"request_id", "target", "role", "reason"}),
        # a connection to a database: had, or refused for want of places
        "database.connected": frozenset({"database", "accepted"}),
        # a message in an SQS queue (by its ARN). ``function`` is whose code asked for it, "" the
        # reader or nobody (time ran out); ``via`` the service that was asked: sqs, or sns, s3 …
        # which then sent it; None if nobody asked
        "message.sent": frozenset({"queue", "message_id", "delay_seconds", "group_id", "via"}),
        "message.received": frozenset(
            {"queue", "message_id", "receive_count", "visibility_timeout"}),
        "message.visibility_changed": frozenset({"queue", "message_id", "visibility_timeout"}),
        # its delay or visibility timeout has run out
        "message.visible": frozenset({"queue", "message_id", "receive_count"}),
        # ``reason``: deleted, purged, or queue deleted
        "message.deleted": frozenset({"queue", "message_id", "receive_count", "reason"}),
        "message.expired": frozenset({"queue", "message_id", "receive_count"}),
        # moved from ``queue`` to its dead-letter queue ``target``
        "message.redriven": frozenset({"queue", "message_id", "receive_count", "target"}),
        # something happened to an object, and a configuration of its bucket is for it (``function`` is
        # whose code did it, "" the reader); ``target`` was told of it after a while (an event for a
        # function has a ``request_id`` from then on), or wasn't
        "s3.event": _S3,
        "s3.delivered": _S3 | {"delay_ms", "request_id"},
        "s3.dropped": _S3 | {"delay_ms", "reason"},
        # another service (``source``: "sns") has an event of its ``resource``'s (an ARN) for a ``target``:
        # it was handed over (a function has a ``request_id`` from then on), it wasn't this time, or it
        # never will be. ``function`` is the target's name, if it is one
        "trigger.event": _TRIGGER,
        "trigger.delivered": _TRIGGER | {"attempt", "request_id"},
        "trigger.failed": _TRIGGER | {"attempt", "reason"},
        "trigger.dropped": _TRIGGER | {"attempts", "reason"},
        # a record in a Kinesis stream (by its ARN); and a GetRecords: it stood after one sequence
        # number, read ``count`` records, stands after another, and was so far behind the tip then
        "record.put": frozenset({"stream", "shard_id", "sequence_number", "partition_key", "via"}),
        "record.read": frozenset(
            {"stream", "shard_id", "after", "upto", "count", "behind_ms"}),
        # a CloudWatch alarm (by its name) went from one state to another; ``reason`` in CloudWatch's
        # words; ``function`` is the value of its dimension FunctionName, if it has one
        "alarm.changed": frozenset({"alarm", "old", "new", "reason"}),
        # Application Auto Scaling changes a target's capacity (``target`` is its ResourceId), and that
        # is fulfilled or not (AWS's StatusCode); a scheduled action sets its limits
        "autoscaling.started": frozenset({"target", "activity_id", "before", "wanted", "cause"}),
        "autoscaling.ended": frozenset({"target", "activity_id", "wanted", "status", "message"}),
        "autoscaling.bounds": frozenset({"target", "minimum", "maximum", "cause"}),
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
