"""One execution environment's life: Init, then Invoke and freeze in turn, then Shutdown.

Stands for: what AWS's page *Understanding the Lambda execution environment lifecycle* describes.
Leaves out (so far): extensions, the Shutdown phase's own time, SnapStart, provisioned concurrency.

How its code and the clock keep in step is ``conversation``'s business; here is what AWS's page
talks of: phases, deadlines, what is reported. Methods named ``…_steps`` are simpy processes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from . import billing, faults, logs
from .conversation import Conversation, Steps
from .faults import Fault
from .function import FunctionConfiguration
from .invocation import Invocation, Outcome, Report, Status
from .logs import EnvironmentLog
from .sandbox import Exit, Failure, InitError, Message, Next, Response, runtimes
from .sandbox import Work as RuntimeWork
from .setting import Setting

INIT_SECONDS = 10.0  # AWS page as above: "The Init phase is limited to 10 seconds"


class State(StrEnum):
    NEW = "new"
    BUSY = "busy"
    FROZEN = "frozen"
    SHUT = "shut"


class Environment:
    """An execution environment of one version of a function."""

    def __init__(self, setting: Setting, function: FunctionConfiguration) -> None:
        self.setting, self.function = setting, function
        self.clock, self.trace = setting.clock, setting.trace
        self.name = f"{self.clock.random.getrandbits(128):032x}"
        self.access_key = "ASIA" + f"{self.clock.random.getrandbits(64):016X}"
        self.state = State.NEW
        self.frozen_since = 0.0
        self.log = EnvironmentLog(self.trace, self.clock, setting.log_sink, function, self.name)
        self.talk = Conversation(setting, function, self._log, self._died_in_its_sleep)
        self._request_id: str | None = None
        self._starts = 0
        self._note("environment.created", version=function.version,
                   memory_size=function.memory_size, timeout=function.timeout)

    def run_steps(self, invocation: Invocation) -> Steps:
        """Serve one invocation, initialising first if need be. Value: its Outcome."""
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
            payload, fault = yield from self._invoke_steps(invocation, began)
        else:
            payload = fault.payload
        seconds = self.clock.seconds - began + used
        return self._finish(invocation, payload, fault, seconds, init_ms)

    def shut_down(self, reason: str) -> None:
        """End it: nothing of it may live on. Harmless when it has ended already."""
        if self.state is not State.SHUT:
            self.state = State.SHUT
            self.talk.end()
            self._note("environment.shutdown", reason=reason)

    # -- Init -------------------------------------------------------------------------------------

    def _init_steps(self) -> Steps:
        """Value: (Init Duration in ms or None, the fault that ended it or None, seconds used).

        An Init that is not done after 10 s is cut off; it starts again as part of the invocation,
        and then under the function's own timeout.
        """
        self._note("init.started")
        began = self.clock.seconds
        fault = yield from self._boot_steps(began + INIT_SECONDS)
        spent = round((self.clock.seconds - began) * 1000, 6)
        if fault is not None and fault.status is Status.TIMEOUT:
            self._note("init.ended", duration_ms=spent, status="timeout", error_type=None)
            self._log(f"INIT_REPORT Init Duration: {spent:.2f} ms\tPhase: init\tStatus: timeout\t")
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
        variables = self._variables()
        problem = self.setting.host.entrypoint_problem(self.function, variables)
        if problem:
            return faults.invalid_entrypoint(self._request_id or "", problem)
        self.talk.start(name, variables)
        self.talk.processor.boosted = True
        self.talk.begin(deadline)
        message = yield from self.talk.listen_steps(deadline, self.talk.figures.init_ms)
        self.talk.processor.boosted = False
        if isinstance(message, Next):
            return None
        if isinstance(message, InitError):
            fault = Fault(Status.ERROR, message.error_type, self._public(message.document))
            yield from self.talk.kill_steps()
            return fault
        return (yield from self._death_steps(message))

    def _variables(self) -> dict[str, str]:
        """Environment variables: the function's own, then the service's, which win.

        AWS page: *Using Lambda environment variables* (Defined runtime environment variables).
        """
        function, setting = self.function, self.setting
        return {
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
                               "/var/task:/var/task/lib:/opt/lib",
            "LANG": "en_US.UTF-8",
            "PYTHONHASHSEED": "0",
            **function.environment,
            "TZ": ":UTC",
            "_HANDLER": function.handler,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log.stream,
            "AWS_ACCESS_KEY": self.access_key,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": "minilambda",
            "AWS_SESSION_TOKEN": "minilambda",
            # Ours: the way to the cloud, and nowhere else.
            "AWS_ENDPOINT_URL": setting.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HTTP_PROXY": setting.proxy, "http_proxy": setting.proxy,
            "HTTPS_PROXY": setting.proxy, "https_proxy": setting.proxy,
            "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
        }

    # -- Invoke -----------------------------------------------------------------------------------

    def _invoke_steps(self, invocation: Invocation, began: float) -> Steps:
        """Value: (payload for the caller, fault or None)."""
        deadline = began + self.function.timeout
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(round(self.clock.at(deadline).timestamp() * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Content-Type": "application/json",
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        if invocation.trace_header:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_header
        self.talk.begin(deadline)
        self.talk.offer(RuntimeWork(invocation.request_id, headers, invocation.payload))
        cost = self.talk.figures.cpu_ms, self.talk.processor.share
        message = yield from self.talk.listen_steps(deadline, *cost)
        if not isinstance(message, Response | Failure):
            fault = yield from self._death_steps(message)
            return fault.payload, fault
        # The runtime has answered. It is done when it asks for the next event (or dies instead).
        after = yield from self.talk.listen_steps(deadline)
        if isinstance(after, Next):
            cpu = yield from self.talk.freeze_steps()
            if not (yield from self.talk.charge_steps(cpu or (), deadline, *cost)):
                fault = yield from self._death_steps(None)
                return fault.payload, fault
            if cpu is not None:
                self.state, self.frozen_since = State.FROZEN, self.clock.seconds
        else:
            yield from self._death_steps(after)
        if isinstance(message, Response):
            return message.payload, None
        document = self._public(message.document)
        return document, Fault(Status.ERROR, message.error_type, document)

    def _finish(self, invocation: Invocation, payload: bytes, fault: Fault | None, seconds: float,
                init_ms: float | None) -> Outcome:
        """Write the log's last lines and the trace's account of what came of it."""
        request_id, status = invocation.request_id, fault.status if fault else Status.SUCCESS
        report = self._report(round(seconds * 1000, 6), init_ms, status)
        if fault is not None and fault.log_line:
            self._log(fault.log_line)
        self._log(logs.end_line(request_id))
        self._log(logs.report_line(request_id, report, *self._report_status(fault)))
        error_type = fault.error_type if fault else None
        self._note("invoke.ended", request_id=request_id, status=str(status),
                   error_type=error_type, duration_ms=report.duration_ms,
                   billed_ms=report.billed_ms, memory_size=report.memory_size,
                   max_memory_used=report.max_memory_used, init_ms=init_ms,
                   cost=billing.cost(report.billed_ms, report.memory_size, self.setting.limits))
        if self.state is State.FROZEN:
            self._note("environment.frozen")
        else:
            reasons = {Status.TIMEOUT: "timeout", Status.OUT_OF_MEMORY: "out-of-memory",
                       Status.ERROR: "init-error"}
            self.shut_down(reasons.get(status, "crash"))
        self._request_id = None
        return Outcome(request_id, status, payload, report, error_type, tuple(self.log.lines),
                       self.clock.seconds, self.name)

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

    @staticmethod
    def _report_status(fault: Fault | None) -> tuple[str | None, str | None]:
        """The REPORT line's Status and Error Type; a plain exception shows neither."""
        if fault is None:
            return None, None
        if fault.status is Status.TIMEOUT:
            return "timeout", None
        if fault.error_type.startswith("Runtime."):
            return "error", fault.error_type
        return None, None

    # -- endings ----------------------------------------------------------------------------------

    def _death_steps(self, message: Message | None) -> Steps:
        """The process has ended, or (None) must end because its time is up. Value: the fault."""
        request_id, profile = self._request_id or "", self.setting.limits.profile
        if message is None:
            fault = faults.timed_out(request_id, self.function.timeout, self.clock.now, profile)
            yield from self.talk.kill_steps()
            return fault
        if not isinstance(message, Exit):
            raise TypeError(f"a runtime can't say {type(message).__name__} now")
        self.talk.end()
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

    def _public(self, document: bytes) -> bytes:
        """An error document with the names a function knows its folders by."""
        return self.talk.sandbox.output.rename(document)
