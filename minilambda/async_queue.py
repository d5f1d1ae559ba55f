"""The queue in which events wait for their function, and what is done when it fails.

Stands for: Lambda's asynchronous event queue. AWS pages: *Invoking a Lambda function asynchronously*;
*How Lambda handles errors and retries with asynchronous invocation*.
Leaves out: a queue so full that Lambda reads it more slowly, recursive loop detection.

An event is a process on the clock from its acceptance to its end; an empty queue is nothing at all.
AWS doesn't document all that it does. What is decided here, and on what grounds:

- A try that fails is the function's error: the profile's waits, and the retries are used up. The wait
  begins when the try has ended. A throttle or a fault of the service uses up none: the waits double.
- An event whose next try would come when it is too old ends at once, as recorded from AWS
  (MaximumEventAgeInSeconds of 60 gives one try).
- A function that was deleted meanwhile fails as if it ran; what it had set for events goes on to hold.
- With reserved concurrency 0 the event ends without a try.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from . import async_errors, errors
from .conversation import Steps
from .destinations import Destinations, Ending, Response
from .event_config import NOTHING_SET, EventConfig
from .frontend import Frontend
from .function import FunctionConfiguration
from .invocation import Outcome
from .limits import Limits
from .registry import Registry
from .versions import Target
from .xray import new_trace

DUPLICATE_SECONDS = 10.0  # within which a duplicate comes, at the latest


@dataclass(slots=True, eq=False)
class Event:
    """One event in the queue. ``function`` and ``config`` are as they were when last looked up."""

    request_id: str
    function: FunctionConfiguration
    qualifier: str | None
    payload: bytes
    accepted: float  # seconds on the clock
    trace_header: str
    copy: bool = False  # delivered by the queue once more
    config: EventConfig = NOTHING_SET
    tries: int = 0  # that the function has had
    attempts: int = 0  # throttled ones too
    response: Response | None = None  # of the last attempt


class AsyncQueue:
    """All events of one cloud.

    Args:
        frontend: runs them; what it accepts comes here from now on.
        retry_wait: seconds before the first retry instead of the profile's; the second wait grows
            in proportion.
        duplicates: how likely the queue is to deliver an event once more (0 to 1).
    """

    def __init__(self, frontend: Frontend, registry: Registry, limits: Limits,
                 destinations: Destinations, *, retry_wait: float | None = None,
                 duplicates: float = 0.0) -> None:
        self.frontend, self.registry, self.limits = frontend, registry, limits
        self.clock, self.trace = frontend.clock, frontend.trace
        self.destinations, self.duplicates = destinations, duplicates
        first, second = limits.async_first_wait, limits.async_second_wait
        self._waits = [float(first), float(second)] if retry_wait is None else [
            retry_wait, retry_wait * second / first]
        frontend.events = self

    def put(self, target: Target, payload: bytes, source: str, trace_header: str | None) -> str:
        """Take an event in, with the clock's lock. Value: its request's id.

        Raises:
            LambdaError: RequestEntityTooLargeException.
        """
        if len(payload) > self.limits.payload_async:
            raise async_errors.event_too_large(len(payload), self.limits.payload_async)
        request_id, now = self.clock.uuid(), self.clock.seconds
        event = Event(request_id, target.function, target.qualifier, payload, now,
                      trace_header or str(new_trace(request_id, self.clock.timestamp())))
        self.trace.append(now, "async.queued", target.function.name, request_id=request_id,
                          source=source)
        self.clock.process(self._event_steps(event))
        if self.duplicates and self.clock.random.random() < self.duplicates:
            wait = self.clock.random.uniform(0.0, DUPLICATE_SECONDS)
            self.clock.process(self._duplicate_steps(replace(event, copy=True), wait))
        return request_id

    # -- an event's life ---------------------------------------------------------------------------

    def _duplicate_steps(self, event: Event, wait: float) -> Steps:
        yield self.clock.timeout(wait)
        self._note("async.duplicated", event)
        yield from self._event_steps(event)

    def _event_steps(self, event: Event) -> Steps:
        backoff = self._backoff()
        while True:
            condition, reason = yield from self._attempt_steps(event)
            if condition is None:
                if reason in ("error", "not-found"):
                    wait, backoff = self._waits[min(event.tries, len(self._waits)) - 1], self._backoff()
                else:
                    wait = next(backoff)
                if self.clock.seconds + wait > event.accepted + self._max_age(event):
                    condition = "EventAgeExceeded"
            if condition is not None:
                self._end(event, condition)
                return
            self._note("async.retried", event, reason=reason, wait=wait, copy=event.copy)
            yield self.clock.timeout(wait)

    def _attempt_steps(self, event: Event) -> Steps:
        """Value: the condition with which the event has ended, if it has; or why it hasn't."""
        target = self._look_up(event)
        if target is not None and self._stopped(target):
            event.function, event.response = target.function, None
            return "ZeroReservedConcurrency", None
        event.attempts += 1
        self._note("async.taken", event, attempt=event.attempts, copy=event.copy,
                   age_ms=round((self.clock.seconds - event.accepted) * 1000, 3))
        if target is None:
            arn = f"{event.function.arn}:{event.qualifier or '$LATEST'}"
            event.response = Response(404, message=f"Function not found: {arn}")
            return self._failed(event, "not-found")
        event.function = target.function
        try:
            answered = self.frontend.attempt(
                target, event.payload, request_id=event.request_id, attempt=event.attempts,
                trace_header=event.trace_header)
            if isinstance(answered, errors.LambdaError):
                event.response = Response(answered.status, message=answered.message)
                return None, "throttle" if answered.status == 429 else "system"
            outcome: Outcome = yield answered
        except Exception as problem:  # a fault of ours, or of the service's: not the function's
            event.response = Response(500, message=f"{type(problem).__name__}: {problem}")
            return None, "system"
        event.response = Response(200, outcome)
        if outcome.failed:
            return self._failed(event, "error")
        event.tries += 1
        return "Success", None

    def _failed(self, event: Event, reason: str) -> tuple[str | None, str]:
        event.tries += 1
        retries = event.config.retries
        most = self.limits.async_tries if retries is None else retries + 1
        return "RetriesExhausted" if event.tries >= most else None, reason

    def _end(self, event: Event, condition: str) -> None:
        self._note("async.ended", event, condition=condition, invoke_count=event.tries,
                   copy=event.copy)
        self.destinations.send(Ending(
            event.request_id, event.function, event.qualifier, event.payload, condition,
            event.tries, event.response), event.config)

    # -- what holds for it -------------------------------------------------------------------------

    def _look_up(self, event: Event) -> Target | None:
        """What is to be invoked now, and what is set for events now. None: it is gone, and what was
        set holds."""
        function = event.function
        try:
            target = self.registry.target(function.account, function.region, function.name,
                                          event.qualifier)
        except errors.LambdaError:
            return None
        event.config = self.registry.event_configs.get(target.function, event.qualifier) or NOTHING_SET
        return target

    def _stopped(self, target: Target) -> bool:
        return self.frontend.concurrency.reserved(target.function) == 0

    def _max_age(self, event: Event) -> int:
        return self.limits.async_age_max if event.config.age is None else event.config.age

    def _backoff(self) -> Iterator[float]:
        """Waits after throttles: doubling from the least to the longest."""
        least, longest = self.limits.async_backoff_min, self.limits.async_backoff_max
        return (float(min(least * 2 ** n, longest)) for n in itertools.count())

    def _note(self, kind: str, event: Event, **data: object) -> None:
        self.trace.append(self.clock.seconds, kind, event.function.name,
                          request_id=event.request_id, **data)
