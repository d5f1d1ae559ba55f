"""The words in which AWS says how a function failed.

Stands for: the error documents an invocation's payload carries and the lines its log shows.
AWS pages: *Troubleshoot invocation issues in Lambda*; *Python Lambda function errors*. The
sentences were recorded from AWS (and from its own runtime client).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from .invocation import Status


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail: the payload a caller gets, and the line the log shows (if any)."""

    status: Status
    error_type: str
    payload: bytes
    log_line: str | None = None


def _document(error_type: str | None, message: str) -> bytes:
    document = {"errorType": error_type, "errorMessage": message}
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()


def iso(instant: datetime) -> str:
    """An instant as AWS's log lines print it: ``2020-03-02T09:00:03.000Z``."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def timed_out(request_id: str, seconds: float, at: datetime, profile: str) -> Fault:
    """The function was still running when its timeout fell."""
    sentence = f"Task timed out after {seconds:.2f} seconds"
    line = f"{iso(at)} {request_id} {sentence}"
    if profile == "course":  # until 2024 the payload was the log's line, with no error type
        payload = _document(None, line)
    else:
        payload = _document("Sandbox.Timedout", f"RequestId: {request_id} Error: {sentence}")
    return Fault(Status.TIMEOUT, "Sandbox.Timedout", payload, line + "\n")


def exited(request_id: str, code: int) -> Fault:
    """The runtime process ended: ``code`` as from wait (negative: the signal that killed it)."""
    words = exit_words(code)
    reason = (f"Runtime exited with error: {words}" if words
              else "Runtime exited without providing a reason")
    message = f"RequestId: {request_id} Error: {reason}"
    return Fault(Status.CRASH, "Runtime.ExitError", _document("Runtime.ExitError", message),
                 f"{message}\nRuntime.ExitError")


def exit_words(code: int) -> str | None:
    """How a process ended, as AWS words it; None: well."""
    if code == 0:
        return None
    return f"signal: {_signal_words(-code)}" if code < 0 else f"exit status {code}"


def extension(request_id: str, kind: str, reason: str) -> Fault:
    """An extension could not be started, or has ended (``Extension.LaunchError``, ``.Crash``…)."""
    message = f"RequestId: {request_id} Error: {reason}"
    return Fault(Status.CRASH, kind, _document(kind, message), f"{message}\n{kind}")


def invalid_entrypoint(request_id: str, reason: str) -> Fault:
    """The program that the function's package must bring can't be started."""
    kind, message = "Runtime.InvalidEntrypoint", f"RequestId: {request_id} Error: {reason}"
    return Fault(Status.CRASH, kind, _document(kind, message), f"{message}\n{kind}")


def out_of_memory(request_id: str, profile: str) -> Fault:
    """The environment went over its memory and was killed."""
    error_type = "Runtime.ExitError" if profile == "course" else "Runtime.OutOfMemory"
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return Fault(Status.OUT_OF_MEMORY, error_type, _document(error_type, message),
                 f"{message}\n{error_type}")


def supervisor_lost(request_id: str) -> Fault:
    """Ours: what runs this machine's functions was killed, so none of them can run any more."""
    message = (f"RequestId: {request_id} Error: the process that runs this cloud's functions was "
               "killed (by the system, for want of memory, or by somebody); start a new one: Cloud()")
    return Fault(Status.CRASH, "Sandbox.Failure", _document("Sandbox.Failure", message),
                 f"{message}\nSandbox.Failure")


def response_too_large(limit: int) -> tuple[str, str]:
    """Type and message for a result over the synchronous payload limit."""
    return ("Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({limit} bytes).")


def _signal_words(number: int) -> str:
    """A signal as Go's runtime (which AWS's supervisor is written in) words it."""
    return {
        1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap",
        6: "aborted", 7: "bus error", 8: "floating point exception", 9: "killed",
        11: "segmentation fault", 13: "broken pipe", 14: "alarm clock", 15: "terminated",
    }.get(number, f"signal {number}")


def report_status(fault: Fault | None) -> tuple[str | None, str | None]:
    """The REPORT line's Status and Error Type; a plain exception shows neither."""
    if fault is None:
        return None, None
    if fault.status is Status.TIMEOUT:
        return "timeout", None
    if fault.error_type.startswith(("Runtime.", "Extension.")):
        return "error", fault.error_type
    return None, None
