"""The one door: every invocation, whoever asks for it, comes in here.

Stands for: Lambda's frontend (the Invoke service). AWS page: *Invoke* in the Lambda API reference.
Synchronous invocations run here; events go to the queue behind (``async_queue``), which comes back in
by :meth:`Frontend.attempt`. Leaves out: permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import simpy

from . import errors
from .appointments import Appointments
from .clock import Clock, Work
from .concurrency import Concurrency, Lease
from .conversation import Steps
from .invocation import Invocation, Outcome
from .placement import Placement
from .sandbox import runtimes
from .trace import Trace
from .versions import Target
from .xray import Sampler

GATHER_SECONDS = 10.0  # real ones


class StillRunning(Exception):
    """The caller's patience is at an end; the function goes on without it."""


@dataclass(eq=False, slots=True)
class _Caller:
    """Someone at the door. ``entered`` happens with the running invocation, or an error."""

    target: Target
    payload: bytes
    client_context: str | None
    trace_header: str | None
    entered: simpy.Event
    appointments: Appointments | None = None
    asynchronous: bool = False  # to the queue, and gone
    request_id: str | None = None  # of an event that has one already
    attempt: int = 1  # to run it
    stamped: Callable[[str], bytes] | None = None  # the payload with the request's id in it

    @property
    def order(self) -> tuple:
        return self.target.function.arn, self.payload, self.client_context or ""


@dataclass(slots=True)
class _Gate:
    """Callers who wait until enough of them have come."""

    wanted: int
    work: Work  # time waits while they do
    opened: simpy.Event
    appointments: Appointments | None = None  # if they come by appointment: nobody else may
    waiting: list[_Caller] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.waiting) >= self.wanted


class EventQueue(Protocol):
    """Where events wait (``minilambda.async_queue``)."""

    def put(self, target: Target, payload: bytes, source: str, trace_header: str | None) -> str: ...


class Frontend:
    """``events`` is set by the queue itself."""

    events: EventQueue

    def __init__(self, clock: Clock, trace: Trace, concurrency: Concurrency,
                 placement: Placement) -> None:
        self.clock, self.trace = clock, trace
        self.concurrency, self.placement = concurrency, placement
        self._sampler = Sampler()
        self._gate: _Gate | None = None
        self._appointments: dict[str, Appointments] = {}

    def invoke(self, target: Target, payload: bytes, *,
               client_context: str | None = None, trace_header: str | None = None,
               appointment: str | None = None, patience: float | None = None,
               wait: Callable[[simpy.Event], Any] | None = None,
               stamped: Callable[[str], bytes] | None = None) -> Outcome:
        """Invoke and wait for the outcome, on the cloud's clock.

        Args:
            payload: the event, as JSON.
            appointment: the name of the :class:`Appointments` that the caller comes by.
            patience: how many seconds the caller waits for the outcome at the most.
            wait: how the caller waits for an event on the clock, if not by letting time pass.
            stamped: gives the event with the request's id in it, once there is one.

        Raises:
            StillRunning: there was no outcome within ``patience``.
            LambdaError: TooManyRequestsException if there is no place to run it; 501 if its
                runtime can't be run here.
        """
        self._check_runtimes(target)
        caller = _Caller(target, payload, client_context, trace_header, self.clock.event(),
                         self._appointments.get(appointment or ""), stamped=stamped)
        if wait is None:
            wait = self.clock.run_until if caller.appointments is None else self.clock.wait_for
        answered = self._come_in(caller, wait)
        return wait(answered) if patience is None else self._wait_at_most(patience, answered, wait)

    def invoke_event(self, target: Target, payload: bytes, *, trace_header: str | None = None,
                     appointment: str | None = None) -> str:
        """As a client invokes asynchronously: one of many callers, if callers are being gathered.

        Value: the request's id. Raises as :meth:`accept`.
        """
        self._check_runtimes(target)
        return self._come_in(_Caller(
            target, payload, None, trace_header, self.clock.event(),
            self._appointments.get(appointment or ""), asynchronous=True))

    def accept(self, target: Target, payload: bytes, *, source: str,
               trace_header: str | None = None) -> str:
        """Take an event for a function; it is invoked from the queue. The door for every trigger.

        Nobody waits here and no time passes: it may be called from a step of the clock's, from a
        thread that serves a request, with the clock's lock or without. What becomes of the event
        (tries, dead-letter queue, destinations) is the queue's business. Whether ``source`` may
        invoke the function is the caller's to ask (``registry.permissions.lets``) before.

        Args:
            target: from ``registry.target(account, region, name, qualifier)``.
            payload: the event, as JSON.
            source: who it is from, for the trace: ``invoke`` (a client), ``destination`` (another
                function's record), ``s3``, ``sns``, ``events``, ``logs``…
            trace_header: of X-Ray, from upstream.

        Value: the request's id, the same in every try.

        Raises:
            LambdaError: RequestEntityTooLargeException if the event is too large for the queue; 501
                if its runtime can't be run here.
        """
        self._check_runtimes(target)
        with self.clock.lock:
            return self.events.put(target, payload, source, trace_header)

    def attempt(self, target: Target, payload: bytes, *, request_id: str, attempt: int,
                trace_header: str | None) -> simpy.Event | errors.LambdaError:
        """For the queue, in a step of the clock's: try to run an event.

        Value: what happens with the Outcome; or why it can't be run now (a throttle).
        """
        caller = _Caller(target, payload, None, trace_header, self.clock.event(),
                         request_id=request_id, attempt=attempt)
        try:
            self._check_runtimes(target)  # it may have been changed since
        except errors.LambdaError as error:
            return error
        self._admit(caller)
        return caller.entered.value

    def _come_in(self, caller: _Caller,
                 wait: Callable[[simpy.Event], Any] | None = None) -> Any:
        """Let a caller in, now or when others have come. Value: of ``entered``.

        Raises:
            LambdaError: it was refused.
        """
        with self.clock.lock:
            gate, appointments = self._gate, caller.appointments
            if gate is None or gate.full or gate.appointments not in (None, appointments):
                self._let_in(caller)
            else:
                gate.waiting.append(caller)
                self._look_at(gate)
            # Without a gate that is known at once.
            entered = caller.entered.value if caller.entered.triggered else None
        if entered is None:
            if wait is None:
                wait = self.clock.run_until if appointments is None else self.clock.wait_for
            entered = wait(caller.entered)
        if isinstance(entered, errors.LambdaError):
            raise entered
        return entered

    def _wait_at_most(self, seconds: float, answered: simpy.Event,
                      wait: Callable[[simpy.Event], Any]) -> Outcome:
        with self.clock.lock:
            alarm = self.clock.timeout(seconds)
            either = self.clock.any_of([answered, alarm])
        wait(either)
        with self.clock.lock:
            if not answered.triggered:
                raise StillRunning
            self.clock.cancel(alarm)
            return answered.value

    def enter(self, target: Target, payload: bytes) -> simpy.Event:
        """A request that nobody waits for, from a step on the clock.

        The event happens with an error, or with another event: that happens with the Outcome.
        """
        caller = _Caller(target, payload, None, None, self.clock.event())
        self._admit(caller)
        return caller.entered

    # -- many callers at one instant ---------------------------------------------------------------

    def gather(self, callers: int) -> _Gate:
        """From now on callers wait, and time with them, until there are so many of them.

        They then enter at one instant and in an order that doesn't depend on who was quicker.
        """
        with self.clock.lock:
            if self._gate is not None:
                raise RuntimeError("callers are already being gathered")
            self._gate = _Gate(callers, self.clock.work(GATHER_SECONDS, self._too_few),
                               self.clock.event())
            return self._gate

    def _look_at(self, gate: _Gate) -> None:
        """Somebody has come, or won't. They are let in by whoever turns the crank, when all that
        else goes on at this instant has come to rest: or who is there first would tell."""
        gate.work.extend(GATHER_SECONDS)
        if gate.full:
            gate.work.answer(partial(self.open_gate, gate))

    def appoint(self, name: str, instants: Iterable[tuple[float, int]],
                come: Callable[[int], None]) -> Appointments:
        """See :meth:`minilambda.Cloud.appoint`."""
        with self.clock.lock:
            if name in self._appointments:
                raise ValueError(f"appoint: there were appointments named {name!r} already")
            appointments = Appointments(self.clock, name, instants, come, self._miss)
            self._appointments[name] = appointments
            self.clock.process(self._appointment_steps(appointments))
        return appointments

    def _miss(self, appointments: Appointments) -> None:
        gate = self._gate
        if gate is not None and gate.appointments is appointments and not gate.full:
            gate.wanted -= 1
            self._look_at(gate)

    def _appointment_steps(self, appointments: Appointments) -> Steps:
        clock = self.clock
        while appointments.instants:
            at, callers = appointments.instants[0]
            if at > clock.seconds:
                appointments.timeout = clock.timeout(at - clock.seconds)
                yield appointments.timeout
            while self._gate is not None:  # others are being gathered at this instant
                yield self._gate.opened
            if not appointments.instants:  # cancelled meanwhile
                return
            appointments.instants.pop(0)
            gate = _Gate(callers, clock.work(GATHER_SECONDS, self._too_few), clock.event(),
                         appointments)
            self._gate = gate
            appointments.come(callers)
            yield gate.opened

    def open_gate(self, gate: _Gate | None = None) -> None:
        """Let in whoever is waiting, and time with them. ``gate``: only if this is the one."""
        with self.clock.lock:
            if self._gate is not None and gate in (None, self._gate):
                gate, self._gate = self._gate, None
                for caller in sorted(gate.waiting, key=lambda caller: caller.order):
                    self._let_in(caller)
                self.clock.succeed(gate.opened)
                gate.work.done()

    def _too_few(self) -> None:
        gate, self._gate = self._gate, None
        name = "an appointment" if gate.appointments else "cloud.hold"
        message = (f"{name}({gate.wanted}) has waited {GATHER_SECONDS:.0f} s for callers, but "
                   f"only {len(gate.waiting)} of {gate.wanted} came; has the pool enough threads?")
        for caller in gate.waiting:
            self._refuse(caller, errors.LambdaError("TooFewCallers", message, 400, type_="User"))
        self.clock.succeed(gate.opened)
        gate.work.done()

    # -- inside ------------------------------------------------------------------------------------

    def _check_runtimes(self, target: Target) -> None:
        for function in (target.function, *(other for other, _ in target.others)):
            if self.placement.models.get(function):
                continue
            if missing := runtimes.missing(function.runtime):
                raise errors.not_implemented(f"runtime {function.runtime} here: {missing}")

    def _refuse(self, caller: _Caller, error: errors.LambdaError) -> None:
        if caller.appointments is not None:
            caller.appointments.settle()
        self.clock.succeed(caller.entered, error)

    def _let_in(self, caller: _Caller) -> None:
        if not caller.asynchronous:
            self._admit(caller)
            return
        try:
            request_id = self.events.put(caller.target, caller.payload, "invoke",
                                         caller.trace_header)
        except errors.LambdaError as error:
            self._refuse(caller, error)
            return
        if caller.appointments is not None:
            caller.appointments.settle()
        self.clock.succeed(caller.entered, request_id)

    def _admit(self, caller: _Caller) -> None:
        """Give a request its id and a place, or refuse it."""
        function, now = caller.target.pick(self.clock.random), self.clock.seconds
        request_id = caller.request_id or self.clock.uuid()
        self.trace.append(now, "request.accepted", function.name, request_id=request_id)
        lease = self.concurrency.take(function, now)
        if isinstance(lease, str):
            self.trace.append(now, "request.throttled", function.name, request_id=request_id,
                              reason=lease)
            error = errors.throttled(lease)
            error.request_id = request_id
            self._refuse(caller, error)
            return
        if places := lease.places or lease.spilled:
            kind = "request.provisioned" if lease.places else "request.spilled"
            self.trace.append(now, kind, function.name, request_id=request_id,
                              qualifier=places.qualifier, version=function.version)
        segments = f"{request_id}#{caller.attempt}" if caller.attempt > 1 else request_id
        tracing = self._sampler.admit(function, segments, now, self.clock.timestamp(),
                                      caller.trace_header)
        payload = caller.stamped(request_id) if caller.stamped else caller.payload
        invocation = Invocation(request_id, function, payload, now, caller.client_context,
                                tracing, caller.target.qualifier)
        answered = self.clock.event()
        if caller.appointments is not None:
            answered.callbacks.append(lambda _: caller.appointments.settle())
        self.clock.process(self._run_steps(invocation, lease, answered))
        self.clock.succeed(caller.entered, answered)

    def _run_steps(self, invocation: Invocation, lease: Lease, answered: simpy.Event) -> Steps:
        """``answered`` happens with the Outcome: at the end, or when the runtime has answered."""
        try:
            outcome = yield from self.placement.run_steps(invocation, answered, lease.places)
            self.clock.succeed(answered, outcome)
        except Exception as problem:
            if answered.triggered:
                raise
            answered.fail(problem).defused = True
        finally:
            self.concurrency.give_back(lease)
