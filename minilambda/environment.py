"""One execution environment's life: Init, then Invoke and freeze in turn, then Shutdown.

Stands for: what AWS's page *Understanding the Lambda execution environment lifecycle* describes.
After a timeout or a crash it isn't used again (on AWS it may be, its runtime started anew).
Leaves out: SnapStart; extensions of an Init that has failed are killed without a Shutdown phase.

How its code and the clock keep in step is ``conversation``'s business; here is what AWS's page
talks of: phases, deadlines, what is reported. Methods named ``…_steps`` are simpy processes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import simpy

from . import billing, faults, logs, xray
from .conversation import Conversation, Steps
from .extensions import Extensions
from .faults import Fault
from .function import FunctionConfiguration
from .invocation import Invocation, Outcome, Report, Status
from .logs import EnvironmentLog
from .places import Places
from .sandbox import (
    Exit, ExtensionEnded, Failure, InitError, Message, Next, Output, Response, RuntimeExit, Segments,
)
from .sandbox import Work as RuntimeWork
from .setting import Setting
from .shutdown import Shutdown
from .variables import variables_of

INIT_SECONDS = 10.0  # AWS page as above: "The Init phase is limited to 10 seconds"
INSTANT = 1e-6  # seconds: what happens within it happens at once
ENOUGH = object()


class State(StrEnum):
    NEW = "new"
    BUSY = "busy"
    FROZEN = "frozen"
    SHUT = "shut"


class Environment:
    """An execution environment of one version of a function; ``places``: provisioned, in those."""

    def __init__(self, setting: Setting, function: FunctionConfiguration,
                 places: Places | None = None) -> None:
        self.setting, self.function, self.places = setting, function, places
        self.clock, self.trace = setting.clock, setting.trace
        self.name = f"{self.clock.random.getrandbits(128):032x}"
        self.access_key = "ASIA" + f"{self.clock.random.getrandbits(64):016X}"
        self.state = State.NEW
        self.frozen_since, self.pool = 0.0, None  # the pool is for placement
        self.log = EnvironmentLog(self.trace, self.clock, setting.log_sink, function, self.name)
        self.talk = Conversation(setting, function, self._heard, self._died_in_its_sleep)
        self.ending: simpy.Process | None = None  # its Shutdown phase, if it has one
        self._request_id: str | None = None
        self._starts = 0
        self._runtime_ended = False
        self._lingers = False  # has the runtime answered, and extensions have not done yet?
        self._note("environment.created", version=function.version,
                   memory_size=function.memory_size, timeout=function.timeout)
        if places is not None:
            self._note("environment.provisioned", qualifier=places.qualifier)

    def run_steps(self, invocation: Invocation, answered: simpy.Event | None = None) -> Steps:
        """Serve one invocation, initialising first if need be. Value: its Outcome.

        ``answered`` happens with an Outcome as soon as the runtime has answered, if extensions take
        longer; its log and report are then what there was up to there.
        """
        cold = self.state is State.NEW
        self._request_id = invocation.request_id
        self.log.lines.clear()
        init_ms, fault, used = None, None, 0.0
        if cold:
            init_ms, fault, used = yield from self._init_steps()
        else:
            self._note("environment.thawed")
        self.state = State.BUSY
        self._note("invoke.started", request_id=invocation.request_id, cold=cold)
        self._log(logs.start_line(invocation.request_id, self.function.version))
        began = self.clock.seconds
        if fault is None:
            payload, fault = yield from self._invoke_steps(invocation, began, answered)
        else:
            payload = fault.payload
        seconds = self.clock.seconds - began + used
        return self._finish(invocation, payload, fault, seconds, init_ms)

    @property
    def extensions(self) -> Extensions:
        return self.talk.extensions

    def shut_down(self, reason: str, at_once: bool = False) -> None:
        """End it: nothing of it may live on. Harmless when it has ended already.

        With extensions that is a phase of its own on the clock (``ending``), unless ``at_once``.
        """
        if self.state is State.SHUT:
            return
        self.state = State.SHUT
        if self.extensions and self.talk.alive and not at_once:
            self.ending = self.clock.process(self._shutdown_steps(reason))
        else:
            self.talk.end()
            self._note("environment.shutdown", reason=reason)

    def abandon(self) -> None:
        """End it in the middle of its Shutdown phase: there is no real time left for that."""
        self.talk.end()
        self.extensions.tell_lines(self._log)
        self._note("environment.shutdown", reason="closed")

    def _shutdown_steps(self, reason: str) -> Steps:
        phase = Shutdown(self.talk, self._note, self._log)
        yield from phase.steps(reason, self._runtime_ended)
        self._note("environment.shutdown", reason=reason)

    # -- Init -------------------------------------------------------------------------------------

    def init_steps(self) -> Steps:
        """Initialise ahead of any request. Value: whether it is ready, and frozen."""
        _, fault, _ = yield from self._init_steps()
        if fault is None and (yield from self.talk.freeze_steps()) is not None:
            self.state, self.frozen_since = State.FROZEN, self.clock.seconds
            self._note("environment.frozen")
            return True
        self.shut_down("init-error")
        return False

    def _init_steps(self) -> Steps:
        """Value: (Init Duration in ms or None, the fault that ended it or None, seconds used).

        An Init that is not done after 10 s is cut off; it starts again as part of the invocation,
        and then under the function's own timeout. Ahead of requests it has longer, and one try.
        """
        self._note("init.started")
        began = self.clock.seconds
        ahead = self.places is not None
        limit = INIT_SECONDS if not ahead else max(
            self.setting.limits.provisioned_init_timeout, self.function.timeout)
        fault = yield from self._boot_steps(began + limit)
        spent = round((self.clock.seconds - began) * 1000, 6)
        if fault is not None and fault.status is Status.TIMEOUT:
            self._note("init.ended", duration_ms=spent, status="timeout", error_type=None)
            self._log(f"INIT_REPORT Init Duration: {spent:.2f} ms\tPhase: init\tStatus: timeout\t")
            if ahead:
                return None, fault, 0.0
            began = self.clock.seconds
            fault = yield from self._boot_steps(began + self.function.timeout)
            return None, fault, self.clock.seconds - began
        self._note("init.ended", duration_ms=spent, status="error" if fault else "success",
                   error_type=fault.error_type if fault else None)
        return (None if fault else spent), fault, 0.0

    def _boot_steps(self, deadline: float) -> Steps:
        """Start the runtime and wait until it asks for its first event. Value: a fault or None."""
        self._starts += 1
        name = self.name if self._starts == 1 else f"{self.name}-{self._starts}"
        variables = variables_of(self.function, self.setting, self.access_key, self.log.stream,
                                 self.places is not None)
        problem = self.setting.host.entrypoint_problem(self.function, variables)
        if problem:
            return faults.invalid_entrypoint(self._request_id or "", problem)
        self.talk.extensions = Extensions(self.setting.host.extensions(self.function))
        fault = self.extensions.launch_fault(self._request_id or "")
        if fault is None:
            self.talk.start(name, variables)
            self.talk.processor.boosted = True
            self.talk.begin(deadline)
            fault = yield from self._start_steps(deadline)
            self.talk.processor.boosted = False
            if fault is not None and self.talk.alive:
                yield from self.talk.kill_steps()
        self.extensions.tell_lines(self._log)
        for extension in self.extensions:
            if extension.registered:
                self._note("extension.registered", name=extension.name, events=extension.events,
                           external=extension.external)
            self._log(extension.log_line)
        return fault

    def _start_steps(self, deadline: float) -> Steps:
        """Extensions first, then the runtime, then the function's own code. Value: a fault or None."""
        message, cost = ENOUGH, (self.talk.figures.init_ms, 1.0)
        external = self.extensions.external
        if external:
            message = yield from self._hear_steps(deadline, self.extensions.all_registered)
            if message is ENOUGH:
                self.talk.sandbox.start_runtime()
        if message is ENOUGH:
            # With others at work time must not pass for the runtime alone: it is charged at the end.
            message = yield from self._hear_steps(deadline, lambda: False, *(() if external else cost))
        if isinstance(message, Next):
            if not self.extensions:
                return None
            self.talk.sandbox.close_registration()
            message = yield from self._hear_steps(deadline, self.extensions.all_ready)
            if message is ENOUGH:
                if not external or (yield from self.talk.charge_steps(None, deadline, *cost)):
                    return None
                message = None
        if isinstance(message, InitError):
            return Fault(Status.ERROR, message.error_type, self._public(message.document))
        return (yield from self._death_steps(message))

    def _hear_steps(self, deadline: float, enough: Callable[[], bool] = lambda: False,
                    *cost: float) -> Steps:
        """Let code run, and take in what extensions say.

        Value: what the runtime has to say; the end of an extension; ENOUGH; None at the deadline.
        """
        while not enough():
            message = yield from self.talk.listen_steps(deadline, *cost)
            if not self.extensions.take(message):
                return message
            self.talk.extensions_rest()
            if isinstance(message, ExtensionEnded):
                return message
        return ENOUGH

    # -- Invoke -----------------------------------------------------------------------------------

    def _invoke_steps(self, invocation: Invocation, began: float,
                      answered: simpy.Event | None) -> Steps:
        """Value: (payload for the caller, fault or None)."""
        deadline = began + self.function.timeout
        deadline_ms = round(self.clock.at(deadline).timestamp() * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.invoked_arn,
            "Content-Type": "application/json",
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        if invocation.tracing:
            headers["Lambda-Runtime-Trace-Id"] = str(invocation.tracing.header)
        self.talk.begin(deadline)
        if told := self.extensions.begin_invoke():
            self.talk.sandbox.send_event(told, Extensions.invoke_event(invocation, deadline_ms))
        self.talk.sandbox.invoke(RuntimeWork(invocation.request_id, headers, invocation.payload))
        cost = self.talk.figures.cpu_ms, self.talk.processor.share
        message = yield from self._hear_steps(deadline, lambda: False, *cost)
        if not isinstance(message, Response | Failure):
            fault = yield from self._death_steps(message)
            if told and isinstance(message, RuntimeExit):  # they were told at the same instant
                yield from self._hear_steps(self.clock.seconds + INSTANT, self.extensions.all_ready)
            self.extensions.tell_lines(self._log)
            return fault.payload, fault
        if isinstance(message, Response):
            result = message.payload, None
        else:
            document = self._public(message.document)
            result = document, Fault(Status.ERROR, message.error_type, document)
        # The runtime has answered. It is done when it asks for the next event (or dies instead).
        after = yield from self._hear_steps(deadline)
        if isinstance(after, Next) and told:
            self._lingers = True
            if answered is not None:
                self.clock.process(self._answer_steps(answered, invocation, result, began))
            if (after := (yield from self._hear_steps(deadline, self.extensions.all_ready))) is ENOUGH:
                after = Next()
            self._lingers = False
        self.extensions.tell_lines(self._log)
        if isinstance(after, Next):
            cpu = yield from self.talk.freeze_steps()
            if not (yield from self.talk.charge_steps(cpu or (), deadline, *cost)):
                fault = yield from self._death_steps(None)
                return fault.payload, fault
            if cpu is not None:
                self.state, self.frozen_since = State.FROZEN, self.clock.seconds
        else:
            fault = yield from self._death_steps(after)
            if fault.status is Status.TIMEOUT and told:  # it is for the whole of the phase
                return fault.payload, fault
            if isinstance(after, ExtensionEnded):
                self._log(fault.log_line)
        return result

    def _answer_steps(self, answered: simpy.Event, invocation: Invocation,
                      result: tuple[bytes, Fault | None], began: float) -> Steps:
        """The caller need not wait for extensions: it has its answer if any time passes for them."""
        seconds = self.clock.seconds - began
        yield self.clock.timeout(INSTANT)
        if not self._lingers:
            return
        payload, fault = result
        status = fault.status if fault else Status.SUCCESS
        self.clock.succeed(answered, Outcome(
            invocation.request_id, status, payload,
            self._report(round(seconds * 1000, 6), None, status),
            fault.error_type if fault else None, tuple(self.log.lines), self.clock.seconds,
            self.name, self.function.version))

    def _finish(self, invocation: Invocation, payload: bytes, fault: Fault | None, seconds: float,
                init_ms: float | None) -> Outcome:
        """Write the log's last lines and the trace's account of what came of it."""
        request_id, status = invocation.request_id, fault.status if fault else Status.SUCCESS
        report = self._report(round(seconds * 1000, 6), init_ms, status)
        if fault is not None and fault.log_line:
            self._log(fault.log_line)
        self._log(logs.end_line(request_id))
        line = logs.report_line(request_id, report, *faults.report_status(fault))
        tracing = invocation.tracing
        if tracing is not None and tracing.recorded:
            line += "\n" + xray.report_line(tracing)
            self._write_segments(invocation, seconds, init_ms, fault is not None)
        self._log(line)
        error_type = fault.error_type if fault else None
        self._note("invoke.ended", request_id=request_id, status=str(status),
                   error_type=error_type, duration_ms=report.duration_ms,
                   billed_ms=report.billed_ms, memory_size=report.memory_size,
                   max_memory_used=report.max_memory_used, init_ms=init_ms,
                   cost=billing.cost(report.billed_ms, report.memory_size, self.setting.limits,
                                     self.places is not None))
        if self.state is State.FROZEN:
            self._note("environment.frozen")
        else:
            reasons = {Status.TIMEOUT: "timeout", Status.OUT_OF_MEMORY: "out-of-memory",
                       Status.ERROR: "init-error"}
            self.shut_down(reasons.get(status, "crash"))
        self._request_id = None
        return Outcome(request_id, status, payload, report, error_type, tuple(self.log.lines),
                       self.clock.seconds, self.name, self.function.version, bool(self.places))

    def _write_segments(self, invocation: Invocation, seconds: float, init_ms: float | None,
                        failed: bool) -> None:
        ended = self.clock.timestamp()
        documents = xray.segments(
            self.function, invocation.request_id, invocation.tracing, ended=ended,
            arrived=self.clock.at(invocation.arrived).timestamp(), began=ended - seconds,
            init_ms=init_ms, failed=failed)
        for document in documents:
            self.setting.segment_sink(self.function, document)

    def _report(self, duration_ms: float, init_ms: float | None, status: Status) -> Report:
        limits, size = self.setting.limits, self.function.memory_size
        billable = duration_ms + (init_ms or 0.0 if limits.init_billed else 0.0)
        used = self.talk.peak_mb
        if self.setting.modelled:
            used = self.talk.figures.memory(used)
        if status is Status.OUT_OF_MEMORY:
            used = size
        return Report(duration_ms, billing.billed_ms(billable, limits), size,
                      min(round(used), size), init_ms)

    # -- endings ----------------------------------------------------------------------------------

    def _death_steps(self, message: Message | None) -> Steps:
        """The process has ended, or (None) must end because its time is up. Value: the fault."""
        request_id, profile = self._request_id or "", self.setting.limits.profile
        if message is None:
            fault = faults.timed_out(request_id, self.function.timeout, self.clock.now, profile)
            if not self.extensions:  # else there is a Shutdown phase
                yield from self.talk.kill_steps()
            return fault
        if isinstance(message, ExtensionEnded):
            return self.extensions.fault(message, request_id)
        if isinstance(message, RuntimeExit):
            self._runtime_ended = True
            return faults.exited(request_id, message.code)
        if not isinstance(message, Exit):
            raise TypeError(f"a runtime can't say {type(message).__name__} now")
        self.talk.end()
        if message.reason == "supervisor":
            return faults.supervisor_lost(request_id)
        if message.reason == "memory":
            return faults.out_of_memory(request_id, profile)
        return faults.exited(request_id, message.code)

    def _died_in_its_sleep(self) -> None:
        if self.state is State.FROZEN:
            self.shut_down("crash")

    # -- notes ------------------------------------------------------------------------------------

    def _note(self, kind: str, **data: Any) -> None:
        self.trace.append(self.clock.seconds, kind, self.function.name, self.name, **data)

    def _log(self, line: str) -> None:
        self.log.write(line, self._request_id)

    def _heard(self, message: Output | Segments) -> None:
        """What code wrote goes to its log, what it sent to the X-Ray daemon to X-Ray."""
        if isinstance(message, Output):
            for line in message.lines:
                self._log(line)
        else:
            for document in message.documents:
                self.setting.segment_sink(self.function, document)

    def _public(self, document: bytes) -> bytes:
        """An error document with the names a function knows its folders by."""
        return self.talk.sandbox.output.rename(document)
