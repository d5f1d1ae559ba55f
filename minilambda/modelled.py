"""Functions with distributions in the place of code, and the environments they run in.

Stands for: a function whose durations are known, but whose code is beside the point: what happens
to a million requests of it depends on the service alone. AWS page: *Understanding the Lambda
execution environment lifecycle*, of which the same rules hold as in ``environment``: Init is cut off
after 10 s and goes on under the function's timeout; an error leaves the environment warm, a crash
or a timeout ends it.
Leaves out: memory, extensions, tracing, CPU time: a modelled duration is what the clock shows.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import simpy

from . import billing, faults, logs
from .conversation import Steps
from .distributions import Distribution, checked
from .environment import INIT_SECONDS, State
from .faults import Fault
from .function import FunctionConfiguration
from .invocation import Invocation, Outcome, Report, Status
from .logs import EnvironmentLog
from .places import Places
from .sandbox import runtimes
from .setting import Setting

# Looked at for every request: a look into an Enum takes its time.
NEW, BUSY, FROZEN, SUCCESS = State.NEW, State.BUSY, State.FROZEN, Status.SUCCESS


@dataclass(frozen=True, slots=True)
class FunctionModel:
    """What a function does, as chances.

    Args:
        duration: of an invocation, in seconds: a number, or one of ``minilambda.distributions``.
        init: of the Init phase, the same way.
        errors: the share of invocations that raise an error, 0 to 1.
        crashes: the share of invocations in which the runtime ends, 0 to 1.

    Raises:
        TypeError: a duration that is neither.
        ValueError: a duration below 0; shares that aren't between 0 and 1, or more than 1 together.
    """

    duration: Distribution
    init: Distribution
    errors: float = 0.0
    crashes: float = 0.0

    def __init__(self, duration: Distribution | float, init: Distribution | float = 0.0,
                 errors: float = 0.0, crashes: float = 0.0) -> None:
        for name, share in (("errors", errors), ("crashes", crashes),
                            ("errors and crashes together", errors + crashes)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {share}")
        for name, value in (("duration", checked("duration", duration)),
                            ("init", checked("init", init)),
                            ("errors", errors), ("crashes", crashes)):
            object.__setattr__(self, name, value)


class Models:
    """Which functions are modelled, by their unqualified ARNs: all versions are, or none."""

    def __init__(self) -> None:
        self._models: dict[str, FunctionModel] = {}

    def get(self, function: FunctionConfiguration) -> FunctionModel | None:
        return self._models.get(function.arn) if self._models else None

    def set(self, function: FunctionConfiguration, model: FunctionModel | None) -> None:
        """None: it runs its code again."""
        if model is None:
            self._models.pop(function.arn, None)
        else:
            self._models[function.arn] = model


class ModelledEnvironment:
    """As :class:`minilambda.environment.Environment`, of a modelled function.

    What its invocation at hand is going to be is drawn when it begins. In seconds: ``init`` of the
    Init phase; ``again`` of an Init that was cut off and is part of the invocation; ``duration`` of
    the invocation, with that. ``status`` is how it will end. ``lease`` is for whoever invokes.
    """

    ending = None  # there are no extensions, so there is no Shutdown phase
    access_key = None

    def __init__(self, setting: Setting, function: FunctionConfiguration,
                 model: FunctionModel, places: Places | None = None) -> None:
        self.setting, self.function, self.model, self.places = setting, function, model, places
        self.clock, self.random = setting.clock, setting.clock.random
        self.timer = self.clock.timer(self)
        self.name = f"{self.random.getrandbits(128):032x}"
        self.state, self.frozen_since, self.pool = State.NEW, 0.0, None
        self.cold, self.status, self.lease = False, SUCCESS, None
        self.init = self.again = self.duration = 0.0
        self._note("environment.created", version=function.version,
                   memory_size=function.memory_size, timeout=function.timeout)
        if places is not None:
            self._note("environment.provisioned", qualifier=places.qualifier)

    def init_steps(self) -> Steps:
        """Initialise ahead of any request. Value: whether it is ready, and frozen."""
        self._note("init.started")
        self.init = _seconds("init", self.model.init(self.random))
        longest = max(self.setting.limits.provisioned_init_timeout, self.function.timeout)
        yield self.clock.timeout(min(self.init, longest))
        if self.init > longest:
            self.shut_down("init-error")
            return False
        self.initialised()
        self.state, self.frozen_since = FROZEN, self.clock.seconds
        self._note("environment.frozen")
        return True

    def begin(self) -> bool:
        """Draw what the next invocation will be; it is busy from now on. Is it a cold start?"""
        random, model, timeout = self.random, self.model, self.function.timeout
        self.cold = cold = self.state is NEW
        if cold:
            self._note("init.started")
            self.init = _seconds("init", model.init(random))
            if self.init > INIT_SECONDS:
                self.again, self.init = min(self.init, timeout), INIT_SECONDS
        elif self.again:
            self.again = 0.0
        self.state, self.status = BUSY, SUCCESS
        self.duration = duration = self.again + _seconds("duration", model.duration(random))
        if model.errors or model.crashes:
            point = random.random()
            if point < model.errors:
                self.status = Status.ERROR
            elif point < model.errors + model.crashes:
                self.status = Status.CRASH
        if duration >= timeout:
            self.duration, self.status = timeout, Status.TIMEOUT
        return cold

    def initialised(self) -> None:
        """Its Init phase is over."""
        self._note("init.ended", duration_ms=round(self.init * 1000, 6), error_type=None,
                   status="timeout" if self.again else "success")

    def finish(self, now: float) -> None:
        """The invocation is over: it rests, or ends."""
        if self.status is SUCCESS or self.status is Status.ERROR:
            self.state, self.frozen_since = FROZEN, now
        else:
            self.shut_down("timeout" if self.status is Status.TIMEOUT else "crash")

    @property
    def init_ms(self) -> float | None:
        """The REPORT line's Init Duration."""
        return round(self.init * 1000, 6) if self.cold and not self.again else None

    def report(self) -> Report:
        """The figures of the REPORT line."""
        limits, function = self.setting.limits, self.function
        milliseconds, init_ms = round(self.duration * 1000, 6), self.init_ms
        billable = milliseconds + (init_ms or 0.0 if limits.init_billed else 0.0)
        return Report(milliseconds, billing.billed_ms(billable, limits), function.memory_size,
                      self._memory_used, init_ms)

    def run_steps(self, invocation: Invocation, answered: simpy.Event | None = None) -> Steps:
        """Serve one invocation with all that is told of it. Value: its Outcome."""
        request_id, log = invocation.request_id, self._log
        log.lines.clear()
        if self.state is not NEW:
            self._note("environment.thawed")
        if self.begin():
            yield self.clock.timeout(self.init)
            self.initialised()
            if self.again:
                log.write(f"INIT_REPORT Init Duration: {self.init * 1000:.2f} ms\tPhase: init\t"
                          "Status: timeout\t", request_id)
        self._note("invoke.started", request_id=request_id, cold=self.cold)
        log.write(logs.start_line(request_id, self.function.version), request_id)
        yield self.clock.timeout(self.duration)
        report, fault = self.report(), self._fault(request_id)
        if fault is not None and fault.log_line:
            log.write(fault.log_line, request_id)
        log.write(logs.end_line(request_id), request_id)
        log.write(logs.report_line(request_id, report, *faults.report_status(fault)), request_id)
        error_type = fault.error_type if fault else None
        self._note("invoke.ended", request_id=request_id, status=str(self.status),
                   error_type=error_type, duration_ms=report.duration_ms,
                   billed_ms=report.billed_ms, memory_size=report.memory_size,
                   max_memory_used=report.max_memory_used, init_ms=report.init_ms,
                   cost=billing.cost(report.billed_ms, report.memory_size, self.setting.limits,
                                     self.places is not None))
        self.finish(self.clock.seconds)
        if self.state is FROZEN:
            self._note("environment.frozen")
        return Outcome(request_id, self.status, fault.payload if fault else b"null", report,
                       error_type, tuple(log.lines), self.clock.seconds, self.name,
                       self.function.version, self.places is not None)

    def shut_down(self, reason: str, at_once: bool = False) -> None:
        if self.state is not State.SHUT:
            self.state = State.SHUT
            self._note("environment.shutdown", reason=reason)

    # -- inside ------------------------------------------------------------------------------------

    @cached_property
    def _log(self) -> EnvironmentLog:
        return EnvironmentLog(self.setting.trace, self.clock, self.setting.log_sink,
                              self.function, self.name)

    @cached_property
    def _memory_used(self) -> int:
        """What the runtime takes before any code is loaded."""
        families = self.setting.model.runtimes
        figures = families.get(runtimes.family(self.function.runtime), families["provided"])
        return min(figures.memory_mb, self.function.memory_size)

    def _fault(self, request_id: str) -> Fault | None:
        match self.status:
            case Status.ERROR:
                document = {"errorMessage": "An error of the function's model.",
                            "errorType": "ModelledError", "requestId": request_id,
                            "stackTrace": []}
                return Fault(Status.ERROR, "ModelledError", json.dumps(document).encode(),
                             "[ERROR] ModelledError: An error of the function's model.")
            case Status.CRASH:
                return faults.exited(request_id, 1)
            case Status.TIMEOUT:
                return faults.timed_out(request_id, self.function.timeout, self.clock.now,
                                        self.setting.limits.profile)
        return None

    def _note(self, kind: str, **data: Any) -> None:
        self.setting.trace.append(self.clock.seconds, kind, self.function.name, self.name, **data)


def _seconds(name: str, drawn: float) -> float:
    """What a distribution of somebody's has given, if time can pass by it."""
    if not 0 <= drawn < math.inf:
        raise ValueError(f"the model's {name} gave {drawn!r}: it must give seconds, 0 or more")
    return drawn
