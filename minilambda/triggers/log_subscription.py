"""CloudWatch Logs hands log events to the functions that are subscribed to a log group.

Stands for: subscription filters with Lambda. AWS pages: *Log group-level subscription filters* (Example 2),
*Real-time processing of log data with subscriptions*, *Using Lambda with CloudWatch Logs*.
Leaves out: filters for an account's log groups, destinations in other accounts.

AWS says no more of the time than "near real-time". Here events of one log stream are gathered for a
second: an invocation's lines come together, in one message. How long Logs waits between two tries isn't
documented either; the waits double here, from a second to five minutes, for 24 hours in all. What the
health check says is written after those for Kinesis and Firehose, which are known.

A function that isn't to be invoked any more (its policy, or it is gone) disables the filter for ten
minutes, in which events are skipped. A function may be subscribed to its own log group. Each of its
invocations then writes lines that invoke it: that never ends, on AWS and here.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError

GATHER, DAY, DISABLED = 1.0, 86_400.0, 600.0  # seconds
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
SERVICE = "logs.amazonaws.com"
REFUSED = f"the function's policy doesn't let {SERVICE} invoke it, or it is gone"
HEALTH = "CWL CONTROL MESSAGE: Checking health of destination Lambda function."
_TOO_LARGE, _NOT_HERE = 413, 501

LogEvent = dict[str, Any]  # id, timestamp, message, and extractedFields if there are any


@dataclass(frozen=True, slots=True)
class Subscription:
    """A filter of a log group (``group`` and ``name``), and the function it is for (an ARN)."""

    account: str
    region: str
    group: str
    name: str
    target: str

    @property
    def resource(self) -> str:
        """The log group, as a function's policy names it."""
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.group}:*"


@dataclass(slots=True, eq=False)
class _Batch:
    subscription: Subscription
    stream: str
    events: list[LogEvent]

    @property
    def id(self) -> str:
        return self.events[0]["id"]


Count = Callable[[Subscription, str, float], None]  # the metric's name, by how much


class Subscriptions:
    """The deliveries of one cloud's log groups. ``count`` adds to a metric of a filter's."""

    def __init__(self, cloud: Cloud, count: Count) -> None:
        self.cloud, self.clock, self.trace, self._count = cloud, cloud.clock, cloud.trace, count
        self._open: dict[tuple[Subscription, str], _Batch] = {}  # being gathered
        self._disabled: dict[Subscription, float] = {}  # until then

    def begin(self, subscription: Subscription) -> None:
        """A filter was put: see whether the function can be invoked at all.

        Raises:
            NotPermitted, LambdaError: it can't.
        """
        with self.clock.lock:
            self._accept(subscription, payload(health_check(self._milliseconds())))
            self._disabled.pop(subscription, None)

    def forward(self, subscription: Subscription, stream: str, events: Sequence[LogEvent]) -> None:
        """Log events that the filter has let through. Nobody waits for their delivery."""
        with self.clock.lock:
            batch = self._open.get((subscription, stream))
            if batch is not None:
                batch.events += events
                return
            batch = _Batch(subscription, stream, list(events))
            self._note("trigger.event", batch)
            if self.clock.seconds < self._disabled.get(subscription, 0.0):
                self._drop(batch, 0, "the subscription filter is disabled for ten minutes")
                return
            self._open[subscription, stream] = batch
            self.clock.process(self._steps(batch))

    # -- a batch's life ----------------------------------------------------------------------------------

    def _steps(self, batch: _Batch) -> Steps:
        yield self.clock.timeout(GATHER)
        del self._open[batch.subscription, batch.stream]
        yield from self._deliver(batch)

    def _deliver(self, batch: _Batch) -> Steps:
        body = payload(message(batch.subscription, batch.stream, batch.events))
        latest, wait, attempts = self.clock.seconds + DAY, FIRST_WAIT, 0
        while True:
            attempts += 1
            try:
                request_id = self._accept(batch.subscription, body)
            except NotPermitted:
                self._give_up(batch, attempts, REFUSED)
                return
            except LambdaError as error:
                if error.status == _TOO_LARGE and len(batch.events) > 1:
                    yield from self._in_halves(batch)
                    return
                throttled = error.status == 429
                if not throttled and (error.status < 500 or error.status == _NOT_HERE):
                    self._give_up(batch, attempts, str(error))
                    return
                self._count(batch.subscription,
                            "DeliveryThrottling" if throttled else "DeliveryErrors", len(batch.events))
                self._note("trigger.failed", batch, attempt=attempts, reason=str(error))
                if self.clock.seconds + wait > latest:
                    self._drop(batch, attempts, f"24 hours have passed: {error}")
                    return
                yield self.clock.timeout(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self._count(batch.subscription, "ForwardedLogEvents", len(batch.events))
                self._count(batch.subscription, "ForwardedBytes", len(body))
                self._note("trigger.delivered", batch, attempt=attempts, request_id=request_id)
                return

    def _in_halves(self, batch: _Batch) -> Steps:
        """More than an event for a function may have."""
        middle = len(batch.events) // 2
        second = _Batch(batch.subscription, batch.stream, batch.events[middle:])
        del batch.events[middle:]
        yield from self._deliver(batch)
        self._note("trigger.event", second)
        yield from self._deliver(second)

    def _give_up(self, batch: _Batch, attempts: int, reason: str) -> None:
        self._count(batch.subscription, "DeliveryErrors", len(batch.events))
        self._disabled[batch.subscription] = self.clock.seconds + DISABLED
        self._drop(batch, attempts, reason)

    def _drop(self, batch: _Batch, attempts: int, reason: str) -> None:
        self._note("trigger.dropped", batch, attempts=attempts, reason=reason)

    # -- details -----------------------------------------------------------------------------------------

    def _accept(self, subscription: Subscription, body: bytes) -> str:
        """As the service, or as the one of its region: policies from before 2021 name that."""
        def caller(service: str) -> ServiceCaller:
            return ServiceCaller(self.cloud, service, subscription.account, subscription.region,
                                 subscription.resource)

        try:
            return caller(SERVICE).accept(subscription.target, body, source="logs")
        except NotPermitted:
            return caller(f"logs.{subscription.region}.amazonaws.com").accept(
                subscription.target, body, source="logs")

    def _note(self, kind: str, batch: _Batch, **data: Any) -> None:
        target = batch.subscription.target
        self.trace.append(self.clock.seconds, kind, target.split(":")[6], None, source="logs",
                          resource=batch.subscription.resource, target=target, event_id=batch.id,
                          **data)

    def _milliseconds(self) -> int:
        return self.clock.timestamp_ns() // 1_000_000


# -- what a function gets -------------------------------------------------------------------------------

def message(subscription: Subscription, stream: str, events: Sequence[LogEvent]) -> dict[str, Any]:
    return {"messageType": "DATA_MESSAGE", "owner": subscription.account,
            "logGroup": subscription.group, "logStream": stream,
            "subscriptionFilters": [subscription.name], "logEvents": list(events)}


def health_check(milliseconds: int) -> dict[str, Any]:
    return {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "",
            "logStream": "", "subscriptionFilters": [],
            "logEvents": [{"id": "", "timestamp": milliseconds, "message": HEALTH}]}


def payload(document: dict[str, Any]) -> bytes:
    """The event: compressed, and the same bytes each time (gzip would write the hour into them)."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    data = b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
    return json.dumps({"awslogs": {"data": data}}, separators=(",", ":")).encode()
