"""One invocation as data: what was asked, what came of it, and what it cost.

Stands for: the Invoke request and response of the Lambda API, and the REPORT line.
AWS page: *Invoke* in the Lambda API reference; *Lambda function logs* for the REPORT line.
Leaves out: event streams (InvokeWithResponseStream).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .function import LATEST, FunctionConfiguration
from .xray import Tracing


class Status(StrEnum):
    """How an invocation ended. Names follow the REPORT line's ``Status`` and AWS's metrics."""

    SUCCESS = "success"
    ERROR = "error"  # the handler raised, or its result could not be sent
    TIMEOUT = "timeout"
    CRASH = "crash"  # the runtime process ended by itself
    OUT_OF_MEMORY = "out-of-memory"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the front door accepted.

    ``arrived`` is in seconds on the cloud's clock. ``payload`` is the event's JSON as bytes.
    ``qualifier`` is what the caller said.
    """

    request_id: str
    function: FunctionConfiguration
    payload: bytes
    arrived: float
    client_context: str | None = None
    tracing: Tracing | None = None
    qualifier: str | None = None

    @property
    def invoked_arn(self) -> str:
        """As the caller named the function: with the qualifier if there was one."""
        return f"{self.function.arn}:{self.qualifier}" if self.qualifier else self.function.arn


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a REPORT line. Durations in milliseconds, memory in MB."""

    duration_ms: float
    billed_ms: int
    memory_size: int
    max_memory_used: int
    init_ms: float | None = None  # only on a cold start


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation.

    ``payload`` is what the caller receives (the result, or AWS's error document).
    ``error_type`` is None on success. ``log`` holds every line this invocation logged.
    """

    request_id: str
    status: Status
    payload: bytes
    report: Report
    error_type: str | None = None
    log: tuple[str, ...] = ()
    ended: float = 0.0
    environment: str | None = None
    version: str = LATEST
    provisioned: bool = False  # in an environment of provisioned concurrency

    @property
    def failed(self) -> bool:
        return self.status is not Status.SUCCESS
