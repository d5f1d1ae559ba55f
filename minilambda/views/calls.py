"""One real call as a control panel makes it: configure the function, invoke it, read the REPORT.

Stands for what a reader would type: ``update_function_configuration``, then ``invoke`` with
``LogType="Tail"``. AWS pages: *Invoke* in the Lambda API reference; *Log and monitor Python Lambda
functions* for the REPORT line. Nothing here knows which Lambda answers: it is all boto3.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from .. import billing
from ..aws.loopback import RealAWSRefused
from ..limits import Limits
from . import words

LONGEST = 400  # characters of a result that a panel shows
# Statuses of a call that never came to an invocation, beside those of invocation.Status.
REFUSED, UNREACHABLE, FAILED = "refused", "unreachable", "failed"

CLOSED = ("This notebook's cloud is closed. Run the notebook again from the top; its sliders work"
          " until the next cloud.close().")
NOT_MADE = (ClientError, BotoCoreError, RealAWSRefused)  # what a call that came to nothing raises

_FIELD = re.compile(r"([A-Z][A-Za-z ]+): ([\d.]+) (?:ms|MB)")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows of one call. Milliseconds, MB, dollars; None where there is no figure."""

    status: str
    sentence: str
    document: str  # the result, the error document, or nothing
    duration_ms: float | None = None
    billed_ms: int | None = None
    max_memory_used: int | None = None
    init_ms: float | None = None
    cost: float | None = None


def run(client: Any, function: str, event: Any, memory: int, timeout: int, limits: Limits) -> Shown:
    """Set memory (MB) and timeout (s), invoke with ``event``, and say what came of it.

    A call that AWS refuses is a result too: its sentence is AWS's own. Other exceptions pass.
    """
    return run_after(partial(configure, client, function, memory, timeout), client, function,
                     event, memory, timeout, limits)


def run_after(change: Callable[[], object], client: Any, function: str, event: Any, memory: int,
              timeout: int, limits: Limits, qualifier: str | None = None) -> Shown:
    """The same after any other ``change`` of the function; it has this memory and timeout then.

    ``qualifier``: the version or alias that is invoked.
    """
    which = {"Qualifier": qualifier} if qualifier else {}
    try:
        change()
        response = client.invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail",
                                 **which)
    except NOT_MADE as error:
        return not_made(error)
    return _shown(response, memory, timeout, limits)


def not_made(error: Exception) -> Shown:
    """One of NOT_MADE as a result: AWS's own words, or why nobody could be asked."""
    if isinstance(error, ClientError):
        said = error.response["Error"]
        operation = error.operation_name
        return Shown(REFUSED, f"AWS refused {operation}: {said['Code']}: {said['Message']}", "")
    if isinstance(error, (HTTPClientError, RealAWSRefused)):
        return Shown(UNREACHABLE, CLOSED, "")
    return Shown(REFUSED, f"boto3 could not make the call: {error}", "")


def configure(client: Any, function: str, memory: int, timeout: int) -> None:
    """Change a function's memory and timeout, and wait until the change is in force."""
    answer = client.update_function_configuration(
        FunctionName=function, MemorySize=memory, Timeout=timeout
    )
    if answer.get("LastUpdateStatus") == "InProgress":
        client.get_waiter("function_updated_v2").wait(FunctionName=function)


def failed(error: Exception) -> Shown:
    """What the panel shows when it is at fault itself."""
    return Shown(FAILED, f"The control panel itself failed: {type(error).__name__}: {error}", "")


def report(log_result: str) -> dict[str, float]:
    """The figures of a LogResult's REPORT line, by AWS's names for them."""
    log = base64.b64decode(log_result).decode("utf-8", "replace")
    lines = [line for line in log.splitlines() if line.startswith("REPORT ")]
    return {name: float(value) for line in lines[-1:] for name, value in _FIELD.findall(line)}


def _shown(response: dict[str, Any], memory: int, timeout: int, limits: Limits) -> Shown:
    payload = response["Payload"].read()
    figures = report(response.get("LogResult", ""))
    billed = figures.get("Billed Duration")
    used = figures.get("Max Memory Used")
    status, sentence = "success", "The function returned a result."
    if "FunctionError" in response:
        status, sentence = _failure(payload, memory, timeout, used)
    return Shown(
        status, sentence, _document(payload), figures.get("Duration"),
        None if billed is None else round(billed), None if used is None else round(used),
        figures.get("Init Duration"),
        None if billed is None else round(billing.cost(round(billed), memory, limits), 12),
    )


def _failure(payload: bytes, memory: int, timeout: int, used: float | None) -> tuple[str, str]:
    """Status and sentence of a failed invocation, from AWS's error document."""
    document = json.loads(payload)
    kind, message = document.get("errorType", ""), document.get("errorMessage", "")
    if kind == "Sandbox.Timedout" or "Task timed out after" in message:
        return "timeout", f"Killed at its timeout: it had not ended after {timeout} s."
    if kind == "Runtime.OutOfMemory" or (
        # Before it had a type of its own it was a killed process that had used all its memory.
        "signal: killed" in message and used is not None and used >= memory
    ):
        return "out-of-memory", f"Killed for its memory: it needed more than {memory} MB."
    if kind == "Runtime.ExitError":
        return "crash", "The function's process ended by itself."
    return "error", f"The function raised an error: {kind or 'of no type'}."


def _document(payload: bytes) -> str:
    text = payload.decode("utf-8", "replace")
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({words.count(len(payload), 'byte')} in all)"
