"""A function's log: the lines Lambda itself writes, and where they all go.

Stands for: ``/aws/lambda/<function>`` in CloudWatch Logs. AWS pages: *Log and monitor Python Lambda
functions*; *Sending Lambda function logs to CloudWatch Logs*.
Leaves out (so far): JSON log format and log levels, other log groups, the permission to write.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .clock import Clock
from .function import FunctionConfiguration
from .invocation import Report
from .trace import Trace

# Takes: function, log stream, instant, message.
LogSink = Callable[[FunctionConfiguration, str, datetime, str], None]


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def report_line(request_id: str, report: Report, status: str | None = None,
                error_type: str | None = None) -> str:
    """The REPORT line, tabs and all. ``status`` is ``timeout`` or ``error``, None on success."""
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_size} MB",
        f"Max Memory Used: {report.max_memory_used} MB",
    ]
    if report.init_ms is not None:
        fields.append(f"Init Duration: {report.init_ms:.2f} ms")
    if status is not None:
        fields.append(f"Status: {status}")
    if error_type is not None:
        fields.append(f"Error Type: {error_type}")
    return "\t".join(fields) + "\t"


def stream_name(function: FunctionConfiguration, environment: str, instant: datetime) -> str:
    """``2020/03/02/[$LATEST]0123…``: one log stream an execution environment."""
    return f"{instant:%Y/%m/%d}/[{function.version}]{environment}"


class EnvironmentLog:
    """One environment's log stream. Each line goes to the trace and to the sink."""

    def __init__(self, trace: Trace, clock: Clock, sink: LogSink, function: FunctionConfiguration,
                 environment: str) -> None:
        self.trace, self.clock, self.sink, self.function = trace, clock, sink, function
        self.environment = environment
        self.stream = stream_name(function, environment, clock.now)
        self.lines: list[str] = []  # of the invocation at hand, for LogType=Tail

    def write(self, message: str, request_id: str | None) -> None:
        self.lines.append(message)
        self.trace.append(self.clock.seconds, "log.line", self.function.name, self.environment,
                          request_id=request_id, message=message)
        self.sink(self.function, self.stream, self.clock.now, message)
