"""What a trace says of a stretch of traffic, as numbers that a page can play.

Stands for nothing of AWS's. A film is columns of whole numbers (times in tenths of a millisecond
since its start), because 10,000 invocations have to be read in a moment and a hundred have to be a
few kilobytes. ``live.js`` draws it up to whatever instant its reader has come to.

``spans`` are stretches of environments' lives: lane, start, length, kind (a place in KINDS; length
-1 while it goes on). ``throttles`` are instants; ``arrivals`` too, all requests', throttled ones included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..trace import Event, Trace
from . import words

KINDS = ("init", "answered", "error", "killed")
GOES_ON = -1
UNIT = 10_000  # of these numbers make a second


@dataclass(slots=True)
class Frames:
    """What happened since the last look, ready for JSON; ``until`` is how far the film goes."""

    until: int
    arrivals: list[int] = field(default_factory=list)
    throttles: list[int] = field(default_factory=list)
    spans: list[list[int]] = field(default_factory=lambda: [[], [], [], []])
    ended: list[list[int]] = field(default_factory=lambda: [[], [], []])  # span, length, kind

    def as_data(self) -> dict[str, Any]:
        return {"until": self.until, "arrivals": self.arrivals, "throttles": self.throttles,
                "spans": self.spans, "ended": self.ended}


class Camera:
    """Reads a trace on and on: one function's events.

    ``start`` is the film's, in s on the cloud's clock; ``first`` the place in the trace where it
    begins, the present end unless given.
    """

    def __init__(self, trace: Trace, function: str, start: float, first: int | None = None) -> None:
        self.trace, self.function, self.start = trace, function, start
        self._seen = len(trace) if first is None else first
        self._lanes: dict[str, int] = {}
        self._open: dict[str, int] = {}  # environment -> number of its span that goes on
        self._spans: list[int] = []  # their starts
        self._requests: set[str] = set()
        self.lanes = 0

    def take(self, until: float) -> Frames:
        """All that happened since the last take. ``until``: the present, s on the cloud's clock."""
        frames = Frames(self._at(until))
        events: Iterable[Event] = islice(self.trace, self._seen, None)
        for event in events:
            self._seen += 1
            if event.function == self.function:
                self._add(frames, event)
        return frames

    def _at(self, seconds: float) -> int:
        return round(round((seconds - self.start) * UNIT, 4))  # a sum's noise decides nothing

    def _add(self, frames: Frames, event: Event) -> None:
        at = self._at(event.at)
        match event.kind:
            case "request.accepted":
                frames.arrivals.append(at)
                self._requests.add(event["request_id"])
            case "request.throttled":
                frames.throttles.append(at)
            case "init.started":
                self._begin(frames, event.environment, at, 0)
            case "init.ended":
                status = event["status"]
                self._end(frames, event.environment, at, 0 if status == "success" else 3)
            case "invoke.started":
                self._begin(frames, event.environment, at, 1)
            case "invoke.ended":
                status = event["status"]
                if (event.environment not in self._open
                        and event["request_id"] in self._requests):  # it failed before it began
                    self._begin(frames, event.environment, at, 1)
                self._end(frames, event.environment, at,
                          3 if status in words.KILLED else 2 if status != "success" else 1)

    def _begin(self, frames: Frames, environment: str, at: int, kind: int) -> None:
        lane = self._lanes.get(environment)
        if lane is None:
            lane = self._lanes[environment] = self.lanes
            self.lanes += 1
        self._open[environment] = len(self._spans)
        self._spans.append(at)
        for column, value in zip(frames.spans, (lane, at, GOES_ON, kind), strict=True):
            column.append(value)

    def _end(self, frames: Frames, environment: str, at: int, kind: int) -> None:
        number = self._open.pop(environment, None)
        if number is None:  # it began before the film
            return
        first = len(self._spans) - len(frames.spans[0])
        if number >= first:
            frames.spans[2][number - first] = at - self._spans[number]
            frames.spans[3][number - first] = kind
        else:
            for column, value in zip(frames.ended, (number, at - self._spans[number], kind),
                                     strict=True):
                column.append(value)


def summary(frames: Frames) -> dict[str, int]:
    """A whole film's figures: what came, and what came of it."""
    _, starts, lengths, kinds = frames.spans  # an init has a place among the executions too
    invocations = [kind for kind, length in zip(kinds, lengths, strict=True)
                   if kind and length != GOES_ON]
    changes = sorted([(start, 1) for start in starts]
                     + [(start + length, -1) for start, length in
                        zip(starts, lengths, strict=True) if length != GOES_ON])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return {"requests": len(frames.arrivals), "answered": invocations.count(1),
            "failed": len(invocations) - invocations.count(1), "throttled": len(frames.throttles),
            "environments": len(set(frames.spans[0])), "most_at_once": most}
