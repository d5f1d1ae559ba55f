"""Numbers that rise and fall, published minute by minute: the highest that each has had.

Stands for: the concurrency metrics of Lambda in CloudWatch. AWS pages: *Types of metrics for Lambda
functions* (view them with Maximum) and *Monitoring concurrency* (their granularity is a minute). As
there, nothing is published of a minute in which nobody was served.

A change costs a comparison. At the end of a minute, by the time of day, one timer publishes all that
have changed in it; while something is in progress there is one for each following minute too.
"""

from __future__ import annotations

from .clock import Clock
from .metrics import Datum, MetricSink

MINUTE = 60.0


class Gauge:
    """One number. ``function`` "" : of all functions; ``resource``, ``version``: dimensions."""

    __slots__ = ("name", "unit", "where", "function", "resource", "version", "value", "peak",
                 "listed")

    def __init__(self, name: str, unit: str, where: tuple[str, str], function: str,
                 resource: str | None, version: str | None) -> None:
        self.name, self.unit, self.where = name, unit, where
        self.function, self.resource, self.version = function, resource, version
        self.value = self.peak = 0.0
        self.listed = False


class Gauges:
    """All of a cloud's. Use it with the clock's lock held."""

    def __init__(self, clock: Clock, sink: MetricSink) -> None:
        self.clock, self.sink = clock, sink
        self._offset = clock.start.timestamp() % MINUTE
        self._listed: list[Gauge] = []
        self._began = 0.0  # the minute that is being watched, in seconds on the clock

    def make(self, name: str, account: str, region: str, function: str = "",
             resource: str | None = None, version: str | None = None, unit: str = "Count") -> Gauge:
        return Gauge(name, unit, (account, region), function, resource, version)

    def set(self, gauge: Gauge, value: float) -> None:
        """It has this value from now on."""
        gauge.value = value
        if gauge.listed:
            if value > gauge.peak:
                gauge.peak = value
        elif value > 0:
            gauge.listed, gauge.peak = True, value
            self._listed.append(gauge)
            if len(self._listed) == 1:
                since = (self.clock.seconds + self._offset) // MINUTE * MINUTE - self._offset
                self._watch(since)

    def _watch(self, began: float) -> None:
        self._began = began
        # A nanosecond early: what happens in the very instant in which the next minute begins is that
        # one's, and who looks at this minute then (an alarm) finds it published.
        left = began + MINUTE - 1e-9 - self.clock.seconds
        self.clock.background(max(0.0, left)).callbacks.append(self._ring)

    def _ring(self, event: object) -> None:
        if self.clock.seconds < self._began + MINUTE - 1e-6:  # (the wall clock's steps lag behind)
            self._watch(self._began)
            return
        self.sink([Datum(g.name, g.peak, g.unit, max(0.0, self._began), g.function, g.resource,
                         g.version, g.where) for g in self._listed])
        kept = []
        for gauge in self._listed:
            gauge.peak, gauge.listed = gauge.value, gauge.value > 0
            if gauge.listed:
                kept.append(gauge)
        self._listed = kept
        if kept:
            self._watch(self._began + MINUTE)
