"""Which part of a trace a timeline is about: a function's, an instant's, a request's.

Stands for nothing of AWS's: it picks lanes and throttles out of a :mod:`reading`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from operator import attrgetter

from ..trace import Trace
from .reading import Lane, Phase, Reading, Segment, Throttle, read

_start, _number, _at = attrgetter("start"), attrgetter("number"), attrgetter("at")


@dataclass(frozen=True, slots=True)
class Part:
    """What a timeline shows: ``lanes`` that have segments, ``throttles``, and the cloud's ``now``."""

    lanes: list[Lane]
    throttles: list[Throttle]
    now: float

    @property
    def segments(self) -> int:
        return sum(lane.begun for lane in self.lanes)

    @property
    def start(self) -> float:
        """The first instant of which it has anything."""
        firsts = [(lane.made or lane.events)[0] for lane in self.lanes]
        firsts = [first.start if isinstance(first, Segment) else first.at for first in firsts]
        firsts += [t.at for t in self.throttles[:1]]
        return min(firsts)


def part(trace: Trace, now: float, request_id: str | None = None, function: str | None = None,
         since: float = 0.0) -> Part:
    """What a trace says that fits.

    Args:
        now: the cloud's present, in seconds since its start.
        request_id: only this invocation, with the init before it and what came after it.
        function: only this function's environments and requests.
        since: only what began at this instant or later (seconds since the cloud's start).

    Raises:
        ValueError: nothing in the trace fits.
    """
    reading = read(trace)
    kept = [lane for lane in reading.lanes if lane.begun and function in (None, lane.function)]
    throttles = reading.throttles
    if since:
        kept = [some for lane in kept if (some := _since(lane, since))]
        throttles = throttles[bisect_left(throttles, since, key=_at):]
    if function is not None:
        throttles = [t for t in throttles if t.function == function]
    if request_id is not None:
        kept, throttles = [some for lane in kept if (some := _around(lane, request_id))], []
    if not (kept or throttles):
        raise ValueError(_nothing(reading, request_id, function))
    return Part(kept, throttles, now)


def alive(trace: Trace, now: float, function: str | None = None, since: float = 0.0) -> Part:
    """The same as :func:`part`, but with whole lanes: what went on at ``since`` is in it too."""
    reading = read(trace)
    lanes = [lane for lane in reading.lanes if lane.begun and function in (None, lane.function)
             and (lane.shutdown is None or lane.shutdown[0] >= since)]
    throttles = [t for t in reading.throttles[bisect_left(reading.throttles, since, key=_at):]
                 if function in (None, t.function)]
    return Part(lanes, throttles, now)


def between(trace: Trace, now: float, first: int, last: int, function: str | None = None) -> Part:
    """What began with the trace's events from number ``first`` to before ``last``.

    ``now`` is the instant of the last of these: what went on past it is shown as going on.

    Raises:
        ValueError: nothing in the trace fits.
    """
    reading = read(trace)
    lanes = []
    for lane in reading.lanes:
        if function not in (None, lane.function):
            continue
        low = bisect_left(lane.segments, first, key=_number)
        high = bisect_left(lane.segments, last, key=_number)
        if any(s.phase is not Phase.FROZEN for s in lane.segments[low:high]):
            lanes.append(_up_to(_cut(lane, low, high), now))
    throttles = [t for t in reading.throttles
                 if first <= t.number < last and function in (None, t.function)]
    if not (lanes or throttles):
        raise ValueError(_nothing(reading, None, function))
    return Part(lanes, throttles, now)


def _cut(lane: Lane, low: int, high: int) -> Lane:
    """A lane with some of its segments; its shutdown if it has the last one."""
    whole = high >= len(lane.segments)
    return lane.with_segments(lane.segments[low:high], lane.shutdown if whole else None)


def _up_to(lane: Lane, now: float) -> Lane:
    """A lane as one knew it at an instant."""
    last = lane.segments[-1]
    if last.end is not None and last.end > now:
        last = replace(last, end=None, ending=None, ended=None, error_type=None)
        return lane.with_segments([*lane.segments[:-1], last], None)
    return lane


def _since(lane: Lane, since: float) -> Lane | None:
    """The part of a lane that began at ``since`` or later; None if there is none."""
    low = bisect_left(lane.segments, since, key=_start)
    return _cut(lane, low, len(lane.segments)) if low < len(lane.segments) else None


def _around(lane: Lane, request_id: str) -> Lane | None:
    """The part of a lane that one invocation is about; None if it wasn't served there.

    An asynchronous one may have been served there several times; others' invocations in between
    are left out.
    """
    places = [n for n, segment in enumerate(lane.segments) if segment.request_id == request_id]
    if not places:
        return None
    first, last = places[0], places[-1]
    while lane.segments[places[0]].cold and first and lane.segments[first - 1].phase is Phase.INIT:
        first -= 1
    after: list[Segment] = lane.segments[last + 1 : last + 2]
    end = last + 1 + (after[0].phase is Phase.FROZEN if after else False)
    if len(places) == 1:
        return _cut(lane, first, end)
    kept = [s for s in lane.segments[first:end]
            if s.phase is not Phase.INVOKE or s.request_id == request_id]
    return lane.with_segments(kept, lane.shutdown if end >= len(lane.segments) else None)


def _nothing(reading: Reading, request_id: str | None, function: str | None) -> str:
    if request_id is not None:
        for throttle in reading.throttles:
            if throttle.request_id == request_id:
                return (f"request {request_id} was throttled ({throttle.reason}): it never"
                        " reached an execution environment, so there is no life to draw")
        return (f"no execution environment served request {request_id!r}: take the id from"
                " response['ResponseMetadata']['RequestId'] of an invoke on this cloud")
    if function is not None:
        return f"function {function!r} has not run on this cloud yet: invoke it first"
    return "no function has run on this cloud yet: invoke one first"
