"""The numbers Lambda publishes about each invocation.

Stands for: the ``AWS/Lambda`` namespace in CloudWatch. AWS page: *Types of metrics for Lambda
functions*. So far: Invocations, Errors, Duration (ms), Throttles; each by function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .trace import Event, Trace

NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True, slots=True)
class Datum:
    """One data point. ``at`` in seconds on the cloud's clock; ``unit`` as CloudWatch names it."""

    name: str
    value: float
    unit: str
    at: float
    function: str


MetricSink = Callable[[list[Datum]], None]


class Metrics:
    """Turns the trace's events into data points and hands them to a sink."""

    def __init__(self, trace: Trace, sink: MetricSink) -> None:
        self.sink = sink
        trace.listen(self.on_event)

    def on_event(self, event: Event) -> None:
        match event.kind:
            case "invoke.ended":
                failed = event["status"] != "success"
                self._publish(event, ("Invocations", 1.0, "Count"),
                              ("Errors", float(failed), "Count"),
                              ("Duration", event["duration_ms"], "Milliseconds"))
            case "request.throttled":
                self._publish(event, ("Throttles", 1.0, "Count"))

    def _publish(self, event: Event, *values: tuple[str, float, str]) -> None:
        self.sink([Datum(name, value, unit, event.at, event.function)
                   for name, value, unit in values])
