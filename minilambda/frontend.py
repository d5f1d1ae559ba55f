"""The one door: every invocation, whoever asks for it, comes in here.

Stands for: Lambda's frontend (the Invoke service). AWS page: *Invoke* in the Lambda API reference.
So far: synchronous invocation. Leaves out: asynchronous invocation, permissions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import simpy

from . import errors
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

    @property
    def order(self) -> tuple:
        return self.target.function.arn, self.payload, self.client_context or ""


@dataclass(slots=True)
class _Gate:
    """Callers who wait until enough of them have come."""

    wanted: int
    work: Work  # time waits while they do
    waiting: list[_Caller] = field(default_factory=list)


class Frontend:
    def __init__(self, clock: Clock, trace: Trace, concurrency: Concurrency,
                 placement: Placement) -> None:
        self.clock, self.trace = clock, trace
        self.concurrency, self.placement = concurrency, placement
        self._sampler = Sampler()
        self._gate: _Gate | None = None

    def invoke(self, target: Target, payload: bytes, *,
               client_context: str | None = None, trace_header: str | None = None) -> Outcome:
        """Invoke and wait for the outcome, on the cloud's clock.

        Args:
            payload: the event, as JSON.

        Raises:
            LambdaError: TooManyRequestsException if there is no place to run it; 501 if its
                runtime can't be run here.
        """
        for function in (target.function, *(other for other, _ in target.others)):
            if missing := runtimes.missing(function.runtime):
                raise errors.not_implemented(f"runtime {function.runtime} here: {missing}")
        with self.clock.lock:
            caller = _Caller(target, payload, client_context, trace_header, self.clock.event())
            if self._gate is None:
                self._admit(caller)
            else:
                self._gate.waiting.append(caller)
                self._gate.work.extend(GATHER_SECONDS)
                if len(self._gate.waiting) >= self._gate.wanted:
                    self.open_gate()
            # Without a gate that is known at once.
            entered = caller.entered.value if caller.entered.triggered else None
        if entered is None:
            entered = self.clock.run_until(caller.entered)
        if isinstance(entered, errors.LambdaError):
            raise entered
        return self.clock.run_until(entered)

    # -- many callers at one instant ---------------------------------------------------------------

    def gather(self, callers: int) -> None:
        """From now on callers wait, and time with them, until there are so many of them.

        They then enter at one instant and in an order that doesn't depend on who was quicker.
        """
        with self.clock.lock:
            if self._gate is not None:
                raise RuntimeError("callers are already being gathered")
            self._gate = _Gate(callers, self.clock.work(GATHER_SECONDS, self._too_few))

    def open_gate(self) -> None:
        """Let in whoever is waiting, and time with them."""
        with self.clock.lock:
            if self._gate is not None:
                gate, self._gate = self._gate, None
                for caller in sorted(gate.waiting, key=lambda caller: caller.order):
                    self._admit(caller)
                gate.work.done()

    def _too_few(self) -> None:
        gate, self._gate = self._gate, None
        message = (f"cloud.hold({gate.wanted}) has waited {GATHER_SECONDS:.0f} s for callers, but "
                   f"only {len(gate.waiting)} of {gate.wanted} came; has the pool enough threads?")
        for caller in gate.waiting:
            self.clock.succeed(caller.entered, errors.LambdaError(
                "TooFewCallers", message, 400, type_="User"))
        gate.work.done()

    # -- inside ------------------------------------------------------------------------------------

    def _admit(self, caller: _Caller) -> None:
        """Give a request its id and a place, or refuse it."""
        function, now = caller.target.pick(self.clock.random), self.clock.seconds
        request_id = self.clock.uuid()
        self.trace.append(now, "request.accepted", function.name, request_id=request_id)
        lease = self.concurrency.take(function)
        if isinstance(lease, str):
            self.trace.append(now, "request.throttled", function.name, request_id=request_id,
                              reason=lease)
            self.clock.succeed(caller.entered, errors.throttled(lease))
            return
        tracing = self._sampler.admit(function, request_id, now, self.clock.timestamp(),
                                      caller.trace_header)
        invocation = Invocation(request_id, function, caller.payload, now, caller.client_context,
                                tracing, caller.target.qualifier)
        answered = self.clock.event()
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
