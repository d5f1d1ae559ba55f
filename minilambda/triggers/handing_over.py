"""What the trace says of an event that a service hands over, once.

Stands for nothing of AWS's. It is for services that try a function's queue or another place once, and
have each event of a resource's (an ARN) known by an id.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock
from ..trace import Trace


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes on one event."""

    clock: Clock
    trace: Trace
    source: str  # "iot"
    resource: str
    event_id: str

    def event(self, target: str = "") -> None:
        self._note("trigger.event", target)

    def delivered(self, target: str, request_id: str | None = None) -> None:
        self._note("trigger.delivered", target, attempt=1, request_id=request_id)

    def failed(self, target: str, reason: str) -> None:
        self._note("trigger.failed", target, attempt=1, reason=reason)

    def dropped(self, target: str, reason: str) -> None:
        self._note("trigger.dropped", target, attempts=1, reason=reason)

    def _note(self, kind: str, target: str, **data: object) -> None:
        function = target.split(":")[6] if target.startswith("arn:aws:lambda:") else ""
        self.trace.append(self.clock.seconds, kind, function, None, source=self.source,
                          resource=self.resource, target=target, event_id=self.event_id, **data)
