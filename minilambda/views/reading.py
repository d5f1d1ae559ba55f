"""What a trace says, read once: lanes of segments, requests, throttles.

Stands for what AWS's page *Understanding the Lambda execution environment lifecycle* draws, and for
the requests that never came that far. A trace only grows, so whoever draws it again and again, as a
live picture does, reads each time only what is new: :func:`read` keeps one Reading a trace.
Leaves out: extensions and the Shutdown phase's own time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from threading import Lock
from weakref import WeakKeyDictionary

from ..trace import Event, Trace
from . import words
from .counts import IDLE, INIT, INVOKE, NOWHERE, Counts


class Phase(StrEnum):
    INIT = "init"
    INVOKE = "invoke"
    FROZEN = "frozen"


@dataclass(slots=True)
class Segment:
    """A stretch of one environment's life. Times in seconds since the cloud's start.

    ``number`` is that of the trace's event that began it. ``end`` is None while it goes on.
    ``ending`` is an invocation's status (or an init's). ``ended`` is the trace's ``invoke.ended``
    event, with the figures of the REPORT line.
    """

    phase: Phase
    start: float
    number: int
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
    """One execution environment. ``number`` counts a function's environments from 1.

    Its segments are made when somebody first asks for them: a picture of very many environments
    never does. ``begun`` is how many there are.
    """

    function: str
    environment: str
    number: int
    shutdown: tuple[float, str] | None = None  # when, and the trace's reason
    phase: int = NOWHERE  # at the trace's end, as counts.py has it
    begun: int = 0
    events: list[Event] = field(default_factory=list)  # of which no segments have been made yet
    made: list[Segment] = field(default_factory=list)

    @property
    def segments(self) -> list[Segment]:
        """The stretches of its life, in order. Shared: look, don't change."""
        for event in self.events:
            self._take(event)
        self.events.clear()
        return self.made

    def with_segments(self, segments: list[Segment], shutdown: tuple[float, str] | None) -> Lane:
        """The same environment with some of its segments only."""
        return Lane(self.function, self.environment, self.number, shutdown, self.phase,
                    len(segments), [], segments)

    def _take(self, event: Event) -> None:
        made = self.made
        last = made[-1] if made else None
        match event.kind:
            case "init.started":
                made.append(Segment(Phase.INIT, event.at, event.number))
            case "init.ended":
                last.end, last.ending = event.at, event.data["status"]
                last.error_type = event.data["error_type"]
            case "invoke.started":
                _close(last, event.at)
                if last and last.phase is Phase.INIT and last.end < event.at:
                    # An init cut off at 10 s runs again as part of the invocation.
                    made.append(Segment(Phase.INIT, last.end, event.number, event.at))
                made.append(Segment(Phase.INVOKE, event.at, event.number,
                                    request_id=event.data["request_id"], cold=event.data["cold"]))
            case "invoke.ended":
                last.end, last.ending, last.ended = event.at, event.data["status"], event
                last.error_type = event.data["error_type"]
            case "environment.frozen":
                made.append(Segment(Phase.FROZEN, event.at, event.number))
            case _:  # thawed, shut down
                _close(last, event.at)


@dataclass(slots=True)
class Throttle:
    """A request that was refused a place, at an instant and for one of AWS's reasons."""

    at: float
    number: int
    function: str
    request_id: str
    reason: str


@dataclass(slots=True)
class Request:
    """A request that came in, and how far it came. Seconds; None where it hasn't come yet.

    It holds a place among the concurrent executions from ``taken`` to ``freed``; ``taken`` is None
    while it was only throttled. Its Invoke phase began at ``started``. ``ended`` is the trace's ``invoke.ended`` event; with extensions the
    caller has had its answer a little before that.
    """

    request_id: str
    function: str
    arrived: float
    number: int
    taken: float | None
    freed: float | None = None
    started: float | None = None
    cold: bool = False
    ended: Event | None = None


class Reading:
    """All that the views know of a trace. ``lanes`` are in the order of their environments.

    ``failures`` are the ``invoke.ended`` events of invocations that failed; ``counts`` says how many
    environments, of whatever function, were in which phase when.
    """

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.requests: list[Request] = []
        self.throttles: list[Throttle] = []
        self.failures: list[Event] = []
        self.counts = Counts()
        self.seen = 0  # events
        self._lane: dict[str, Lane] = {}
        self._request: dict[str, Request] = {}
        self._served: dict[str, Request] = {}  # by environment
        self._counts: dict[str, int] = {}
        self._lock = Lock()
        self._do: dict[str, Callable[[Event], None]] = {
            "request.accepted": self._accepted,
            "request.throttled": self._throttled,
            "environment.created": self._created,
            "init.started": self._init_started,
            "init.ended": self._goes_on,
            "invoke.started": self._invoke_started,
            "invoke.ended": self._invoke_ended,
            "environment.frozen": self._frozen,
            "environment.thawed": self._goes_on,
            "environment.shutdown": self._shut_down,
        }

    def take_in(self, trace: Trace) -> None:
        """Read what the trace has got since the last time."""
        with self._lock:
            do = self._do
            for event in islice(iter(trace), self.seen, None):
                if event.kind in do:
                    do[event.kind](event)
                self.seen = event.number + 1

    @property
    def functions(self) -> int:
        """How many functions have had an environment."""
        return len(self._counts)

    # -- requests ----------------------------------------------------------------------------------

    def _accepted(self, event: Event) -> None:
        self._enter(event, event.data["request_id"])

    def _enter(self, event: Event, request_id: str) -> Request:
        request = Request(request_id, event.function, event.at, event.number,
                          event.at)
        self.requests.append(request)
        self._request[request_id] = request
        return request

    def _throttled(self, event: Event) -> None:
        request_id = event.data["request_id"]
        self.throttles.append(
            Throttle(event.at, event.number, event.function, request_id, event.data["reason"]))
        (self._request.get(request_id) or self._enter(event, request_id)).taken = None

    # -- environments ------------------------------------------------------------------------------

    def _created(self, event: Event) -> None:
        number = self._counts[event.function] = self._counts.get(event.function, 0) + 1
        lane = Lane(event.function, event.environment, number)
        self.lanes.append(lane)
        self._lane[event.environment] = lane

    def _init_started(self, event: Event) -> None:
        self._begin(event, INIT)

    def _begin(self, event: Event, phase: int) -> None:
        lane = self._lane[event.environment]
        lane.events.append(event)
        lane.begun += 1
        self.counts.move(event.at, lane.phase, phase)
        lane.phase = phase

    def _goes_on(self, event: Event) -> None:
        self._lane[event.environment].events.append(event)

    def _invoke_started(self, event: Event) -> None:
        self._begin(event, INVOKE)
        request_id = event.data["request_id"]
        request = self._request.get(request_id) or self._enter(event, request_id)
        request.started, request.cold = event.at, event.data["cold"]
        if request.taken is None:
            request.taken = event.at
        self._served[event.environment] = request

    def _invoke_ended(self, event: Event) -> None:
        self._lane[event.environment].events.append(event)
        self._served[event.environment].ended = event
        if event.data["status"] != "success":
            self.failures.append(event)

    def _frozen(self, event: Event) -> None:
        self._begin(event, IDLE)
        self._free(event)

    def _shut_down(self, event: Event) -> None:
        lane = self._lane[event.environment]
        lane.events.append(event)
        lane.shutdown = (event.at, event.data["reason"])
        self.counts.move(event.at, lane.phase, NOWHERE)
        lane.phase = NOWHERE
        self._free(event)

    def _free(self, event: Event) -> None:
        if (request := self._served.pop(event.environment, None)) is not None:
            request.freed = event.at


def _close(segment: Segment | None, at: float) -> None:
    if segment is not None and segment.end is None:
        segment.end = at


_readings: WeakKeyDictionary[Trace, Reading] = WeakKeyDictionary()


def read(trace: Trace) -> Reading:
    """The trace's Reading, up to date. Its parts are shared: look, don't change."""
    if (reading := _readings.get(trace)) is None:
        reading = _readings.setdefault(trace, Reading())
    reading.take_in(trace)
    return reading
