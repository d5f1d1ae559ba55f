"""The one door: every invocation, whoever asks for it, comes in here.

Stands for: Lambda's frontend (the Invoke service). AWS page: *Invoke* in the Lambda API reference.
So far: synchronous invocation. Leaves out: asynchronous invocation, permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

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


@dataclass(eq=False, slots=True)
class _Caller:
    """Someone at the door. ``entered`` happens with the running invocation, or an error."""

    target: Target
    payload: bytes
    client_context: str | None
    trace_header: str | None
    entered: simpy.Event
    appointments: Appointments | None = None

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


class Frontend:
    def __init__(self, clock: Clock, trace: Trace, concurrency: Concurrency,
                 placement: Placement) -> None:
        self.clock, self.trace = clock, trace
        self.concurrency, self.placement = concurrency, placement
        self._sampler = Sampler()
        self._gate: _Gate | None = None
        self._appointments: dict[str, Appointments] = {}

    def invoke(self, target: Target, payload: bytes, *,
               client_context: str | None = None, trace_header: str | None = None,
               appointment: str | None = None) -> Outcome:
        """Invoke and wait for the outcome, on the cloud's clock.

        Args:
            payload: the event, as JSON.
            appointment: the name of the :class:`Appointments` that the caller comes by.

        Raises:
            LambdaError: TooManyRequestsException if there is no place to run it; 501 if its
                runtime can't be run here.
        """
        for function in (target.function, *(other for other, _ in target.others)):
            if missing := runtimes.missing(function.runtime):
                raise errors.not_implemented(f"runtime {function.runtime} here: {missing}")
        with self.clock.lock:
            appointments = self._appointments.get(appointment or "")
            caller = _Caller(target, payload, client_context, trace_header, self.clock.event(),
                             appointments)
            gate = self._gate
            if gate is None or gate.full or gate.appointments not in (None, appointments):
                self._admit(caller)
            else:
                gate.waiting.append(caller)
                self._look_at(gate)
            # Without a gate that is known at once.
            entered = caller.entered.value if caller.entered.triggered else None
        wait = self.clock.run_until if appointments is None else self.clock.wait_for
        if entered is None:
            entered = wait(caller.entered)
        if isinstance(entered, errors.LambdaError):
            raise entered
        return wait(entered)

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
                    self._admit(caller)
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

    def _refuse(self, caller: _Caller, error: errors.LambdaError) -> None:
        if caller.appointments is not None:
            caller.appointments.settle()
        self.clock.succeed(caller.entered, error)

    def _admit(self, caller: _Caller) -> None:
        """Give a request its id and a place, or refuse it."""
        function, now = caller.target.pick(self.clock.random), self.clock.seconds
        request_id = self.clock.uuid()
        self.trace.append(now, "request.accepted", function.name, request_id=request_id)
        lease = self.concurrency.take(function)
        if isinstance(lease, str):
            self.trace.append(now, "request.throttled", function.name, request_id=request_id,
                              reason=lease)
            error = errors.throttled(lease)
            error.request_id = request_id
            self._refuse(caller, error)
            return
        tracing = self._sampler.admit(function, request_id, now, self.clock.timestamp(),
                                      caller.trace_header)
        invocation = Invocation(request_id, function, caller.payload, now, caller.client_context,
                                tracing, caller.target.qualifier)
        answered = self.clock.event()
        if caller.appointments is not None:
            answered.callbacks.append(lambda _: caller.appointments.settle())
        self.clock.process(self._run_steps(invocation, lease, answered))
        self.clock.succeed(caller.entered, answered)

    def _run_steps(self, invocation: Invocation, lease: Lease, answered: simpy.Event) -> Steps:
        """``answered`` happens with the Outcome: at the end, or when the runtime has answered."""
        try:
            outcome = yield from self.placement.run_steps(invocation, answered)
            self.clock.succeed(answered, outcome)
        except Exception as problem:
            if answered.triggered:
                raise
            answered.fail(problem).defused = True
        finally:
            self.concurrency.give_back(lease)
