"""What a trace says of messages in queues, as data: lives of messages, a queue's depth and age.

Stands for: what one would follow with ReceiveMessage's attributes and SQS's metrics. AWS pages:
*Amazon SQS visibility timeout*; *Available CloudWatch metrics for Amazon SQS*
(ApproximateNumberOfMessagesVisible, …NotVisible, …Delayed, ApproximateAgeOfOldestMessage).
Leaves out: that AWS's figures are approximate, and a minute old. These are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from ..trace import Event, Trace

ENDS = ("message.deleted", "message.expired", "message.redriven")


class State(StrEnum):
    DELAYED = "delayed"
    VISIBLE = "visible"
    IN_FLIGHT = "in flight"


@dataclass(slots=True)
class Stretch:
    """A time in which one message was in one state in one queue (an ARN).

    Times in seconds since the cloud's start; ``end`` is None while it goes on. ``receive_count`` is
    how often it had been received, ``by`` the function that received it ("": the reader).
    """

    state: State
    queue: str
    start: float
    end: float | None = None
    receive_count: int = 0
    by: str = ""


@dataclass(slots=True)
class Life:
    """One message. ``number`` counts from 1 in the order in which they came."""

    message_id: str
    number: int
    came: Event  # message.sent; or redriven, into the only queue that is asked for
    stretches: list[Stretch] = field(default_factory=list)
    moves: list[Event] = field(default_factory=list)  # message.redriven
    end: Event | None = None  # message.deleted or message.expired; or redriven, out of sight

    @property
    def receives(self) -> list[Stretch]:
        """Its receipts, by the stretches that they began."""
        found: dict[int, Stretch] = {}
        for stretch in self.stretches:
            if stretch.state is State.IN_FLIGHT:
                found.setdefault(stretch.receive_count, stretch)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages were in a queue from ``at`` on (seconds since the cloud's start)."""

    at: float
    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


def name_of(queue: str) -> str:
    """A queue's name, of its ARN or URL."""
    return queue.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def arn_of(trace: Trace, queue: str) -> str:
    """The ARN of a queue that the trace speaks of, by its name, URL or ARN.

    Raises:
        ValueError: no message has been in such a queue; or several queues have this name.
    """
    known = list(dict.fromkeys(arn for e in _messages(trace) for arn in _queues(e)))
    found = [arn for arn in known if queue == arn or (
        ":sqs:" not in queue and name_of(arn) == name_of(queue))]
    if not found:
        others = ", ".join(dict.fromkeys(name_of(arn) for arn in known))
        raise ValueError(f"no message has been in queue {queue!r} on this cloud yet"
                         + (f"; in these there were: {others}" if others else ": send one first"))
    if len(found) > 1:
        raise ValueError(f"several queues are named {queue!r}: give one's ARN, "
                         + " or ".join(found))
    return found[0]


def lives(trace: Trace, queue: str | None = None, since: float = 0.0) -> list[Life]:
    """The messages of a queue (name, URL or ARN), or of all queues, in the order in which they came.

    With a queue, only what happened in it. ``since``: only messages that came at this instant or
    later (seconds since the cloud's start).

    Raises:
        ValueError: no such queue, or nothing fits.
    """
    arn = arn_of(trace, queue) if queue is not None else None
    found: dict[str, Life] = {}
    for event in _messages(trace):
        if arn is None or arn in _queues(event):
            life = found.setdefault(event["message_id"], Life(event["message_id"], 0, event))
            _add(life, event, arn)
    kept = [life for life in found.values() if life.stretches[0].start >= since]
    if not kept:
        raise ValueError("no message has been in a queue on this cloud"
                         + (f" since {since} s" if since else " yet: send one first"))
    for number, life in enumerate(kept, 1):
        life.number = number
    return kept


def depth(trace: Trace, queue: str) -> list[Depth]:
    """How many messages a queue (name, URL or ARN) held, one entry an instant at which it changed.

    Raises:
        ValueError: no message has been in such a queue.
    """
    arn = arn_of(trace, queue)
    steps: dict[float, dict[State, int]] = {}
    for life in lives(trace, arn):
        for stretch in life.stretches:
            for at, change in ((stretch.start, 1), (stretch.end, -1)):
                if at is not None:
                    counts = steps.setdefault(round(at, 9), dict.fromkeys(State, 0))
                    counts[stretch.state] += change
    found, now = [], dict.fromkeys(State, 0)
    for at in sorted(steps):
        now = {state: now[state] + steps[at][state] for state in State}
        found.append(Depth(at, now[State.VISIBLE], now[State.IN_FLIGHT], now[State.DELAYED]))
    return found


def oldest(trace: Trace, queue: str, until: float) -> list[tuple[float, float]]:
    """How old a queue's oldest message was: (instant, seconds), corner points of a sawtooth.

    Between two points the age grows with the time; at an instant with two points it falls. As in
    AWS's metric a message in a dead-letter queue is as old as its stay there. ``until``: the last
    instant (seconds since the cloud's start).

    Raises:
        ValueError: no message has been in such a queue.
    """
    stays = [(life.stretches[0].start, life.stretches[-1].end)
             for life in lives(trace, arn_of(trace, queue))]
    stays = [(round(came, 9), round(until if left is None else left, 9)) for came, left in stays]
    stays.sort(key=lambda stay: (stay[0], -stay[1]))
    points: list[tuple[float, float]] = []
    now = stays[0][0]
    for came, left in stays:
        if left <= now:
            continue  # somebody older was there all the while
        if came > now:
            points += [(now, 0.0), (came, 0.0)]  # the queue was empty
            now = came
        points += [(now, now - came), (left, left - came)]
        now = max(now, left)
    if now < until:
        points += [(now, 0.0), (until, 0.0)]
    return [point for place, point in enumerate(points) if not place or point != points[place - 1]]


def _messages(trace: Trace) -> Iterator[Event]:
    """In the order of time: on the wall clock some things are noticed late."""
    return iter(sorted((e for e in trace if e.kind.startswith("message.")), key=lambda e: e.at))


def _queues(event: Event) -> tuple[str, ...]:
    target = event.data.get("target")
    return (event["queue"],) if target is None else (event["queue"], target)


def _add(life: Life, event: Event, only: str | None) -> None:
    last = life.stretches[-1] if life.stretches else None
    at, queue, data = event.at, event["queue"], event.data
    count = data.get("receive_count", last.receive_count if last else 0)

    def begin(state: State, where: str = queue, by: str = "") -> None:
        if last is not None and last.end is None:
            last.end = at
        life.stretches.append(Stretch(state, where, at, None, count, by))

    match event.kind:
        case "message.sent":
            begin(State.DELAYED if data["delay_seconds"] else State.VISIBLE)
        case "message.visible":
            begin(State.VISIBLE)
        case "message.received":
            begin(State.IN_FLIGHT, by=event.function)
            if not data["visibility_timeout"]:
                last = life.stretches[-1]
                begin(State.VISIBLE)
        case "message.visibility_changed":
            hidden = bool(data["visibility_timeout"])
            if hidden != (last.state is State.IN_FLIGHT):
                begin(State.IN_FLIGHT if hidden else State.VISIBLE, by=event.function)
        case "message.redriven":
            if only == data["target"] != queue:
                begin(State.VISIBLE, data["target"])
            else:
                life.moves.append(event)
                if only is None:
                    begin(State.VISIBLE, data["target"])
                else:
                    last.end, life.end = at, event
        case _:
            last.end, life.end = at, event
