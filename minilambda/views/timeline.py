"""What a trace says of execution environments' lives, as data: lanes of segments.

Stands for what AWS's page *Understanding the Lambda execution environment lifecycle* draws.
Leaves out: extensions and the Shutdown phase's own time, as the runtime does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..trace import Event, Trace
from . import words


class Phase(StrEnum):
    INIT = "init"
    INVOKE = "invoke"
    FROZEN = "frozen"


@dataclass(slots=True)
class Segment:
    """A stretch of one environment's life. Times in seconds since the cloud's start.

    ``end`` is None while it goes on. ``ending`` is an invocation's status (or an init's).
    ``ended`` is the trace's ``invoke.ended`` event, with the figures of the REPORT line.
    """

    phase: Phase
    start: float
    end: float | None = None
    ending: str | None = None
    request_id: str | None = None
    cold: bool = False
    ended: Event | None = None
    error_type: str | None = None

    @property
    def killed(self) -> bool:
        return self.ending in words.KILLED

    @property
    def failed(self) -> bool:
        return self.ending not in (None, "success")

    def seconds(self, now: float) -> float:
        return (now if self.end is None else self.end) - self.start


@dataclass(slots=True)
class Lane:
    """One execution environment. ``number`` counts a function's environments from 1."""

    function: str
    environment: str
    number: int
    segments: list[Segment] = field(default_factory=list)
    shutdown: tuple[float, str] | None = None  # when, and the trace's reason

    @property
    def invocations(self) -> list[Segment]:
        return [s for s in self.segments if s.phase is Phase.INVOKE]


def lanes(trace: Trace, request_id: str | None = None, function: str | None = None,
          since: float = 0.0) -> list[Lane]:
    """Lanes in the order in which their environments were created.

    Args:
        request_id: only this invocation, with the init before it and what came after it.
        function: only this function's environments.
        since: only what began at this instant or later (seconds since the cloud's start).

    Raises:
        ValueError: nothing in the trace fits.
    """
    found: dict[str, Lane] = {}
    counts: dict[str, int] = {}
    for event in trace:
        if event.kind == "environment.created":
            counts[event.function] = counts.get(event.function, 0) + 1
            lane = Lane(event.function, event.environment, counts[event.function])
            found[event.environment] = lane
        elif event.environment in found:
            _add(found[event.environment], event)
    kept = [
        lane for lane in found.values() if lane.segments and function in (None, lane.function)
    ]
    if since:
        kept = [part for lane in kept if (part := _since(lane, since))]
    if request_id is not None:
        kept = [part for lane in kept if (part := _around(lane, request_id))]
    if not kept:
        raise ValueError(_nothing(trace, request_id, function))
    return kept


def _add(lane: Lane, event: Event) -> None:
    last = lane.segments[-1] if lane.segments else None
    match event.kind:
        case "init.started":
            lane.segments.append(Segment(Phase.INIT, event.at))
        case "init.ended":
            last.end, last.ending = event.at, event["status"]
            last.error_type = event["error_type"]
        case "invoke.started":
            _close(last, event.at)
            if last and last.phase is Phase.INIT and last.end < event.at:
                # An init cut off at 10 s runs again as part of the invocation.
                lane.segments.append(Segment(Phase.INIT, last.end, event.at))
            lane.segments.append(Segment(Phase.INVOKE, event.at, request_id=event["request_id"],
                                         cold=event["cold"]))
        case "invoke.ended":
            last.end, last.ending, last.ended = event.at, event["status"], event
            last.error_type = event["error_type"]
        case "environment.frozen":
            lane.segments.append(Segment(Phase.FROZEN, event.at))
        case "environment.thawed":
            _close(last, event.at)
        case "environment.shutdown":
            _close(last, event.at)
            lane.shutdown = (event.at, event["reason"])


def _close(segment: Segment | None, at: float) -> None:
    if segment is not None and segment.end is None:
        segment.end = at


def _since(lane: Lane, since: float) -> Lane | None:
    """The part of a lane that began at ``since`` or later; None if there is none."""
    kept = [segment for segment in lane.segments if segment.start >= since]
    return Lane(lane.function, lane.environment, lane.number, kept, lane.shutdown) if kept else None


def _around(lane: Lane, request_id: str) -> Lane | None:
    """The part of a lane that one invocation is about; None if it wasn't served there."""
    for place, segment in enumerate(lane.segments):
        if segment.request_id != request_id:
            continue
        first = place
        while segment.cold and first and lane.segments[first - 1].phase is Phase.INIT:
            first -= 1
        after = lane.segments[place + 1 : place + 2]
        last = after[0].phase is Phase.FROZEN if after else False
        kept = lane.segments[first : place + 1 + last]
        ends_here = kept[-1] is lane.segments[-1]
        return Lane(lane.function, lane.environment, lane.number, kept,
                    lane.shutdown if ends_here else None)
    return None


def _nothing(trace: Trace, request_id: str | None, function: str | None) -> str:
    if request_id is not None:
        throttled = trace.select("request.throttled", request_id=request_id)
        if throttled:
            return (f"request {request_id} was throttled ({throttled[0]['reason']}): it never"
                    " reached an execution environment, so there is no life to draw")
        return (f"no execution environment served request {request_id!r}: take the id from"
                " response['ResponseMetadata']['RequestId'] of an invoke on this cloud")
    if function is not None:
        return f"function {function!r} has not run on this cloud yet: invoke it first"
    return "no function has run on this cloud yet: invoke one first"
