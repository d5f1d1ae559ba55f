"""The numbers Lambda publishes about each invocation.

Stands for: the ``AWS/Lambda`` namespace in CloudWatch. AWS page: *Types of metrics for Lambda
functions*. So far: Invocations, Errors, Duration (ms), Throttles, and those of asynchronous invocation
(AsyncEventsReceived, AsyncEventAge, AsyncEventsDropped, DeadLetterErrors,
DestinationDeliveryFailures), each by function; what provisioned concurrency served and what spilled
over, by version or alias too. What rises and falls: ``gauges``. Leaves out: data points of 0 where
nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .trace import Event, Trace

NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True, slots=True)
class Datum:
    """One data point. ``at`` in seconds on the cloud's clock; ``unit`` as CloudWatch names it.

    ``function`` is "" for all together. ``resource`` (``name:alias``) and ``version`` are the
    dimensions Resource and ExecutedVersion; ``where`` is account and region, unless the cloud's.
    """

    name: str
    value: float
    unit: str
    at: float
    function: str
    resource: str | None = None
    version: str | None = None
    where: tuple[str, str] | None = None


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
            case "request.provisioned":
                self._publish_qualified(event, "ProvisionedConcurrencyInvocations")
            case "request.spilled":
                self._publish_qualified(event, "ProvisionedConcurrencySpilloverInvocations")
            case "async.queued":
                self._publish(event, ("AsyncEventsReceived", 1.0, "Count"))
            case "async.taken":
                self._publish(event, ("AsyncEventAge", event["age_ms"], "Milliseconds"))
            case "async.ended" if event["condition"] != "Success":
                self._publish(event, ("AsyncEventsDropped", 1.0, "Count"))
            case "async.undelivered":
                name = ("DeadLetterErrors" if event["role"] == "dead-letter"
                        else "DestinationDeliveryFailures")
                self._publish(event, (name, 1.0, "Count"))

    def _publish(self, event: Event, *values: tuple[str, float, str]) -> None:
        self.sink([Datum(name, value, unit, event.at, event.function)
                   for name, value, unit in values])

    def _publish_qualified(self, event: Event, name: str) -> None:
        self.sink([Datum(name, 1.0, "Count", event.at, event.function,
                         f"{event.function}:{event['qualifier']}", event["version"])])
