"""Where an event's end is told: its dead-letter queue, and its destinations.

Stands for: what Lambda sends when an asynchronous invocation has ended. AWS page: *Capturing records
of Lambda asynchronous invocations* (destinations and dead-letter queues).
Leaves out: dropping the payloads of a record that is too large for its destination (it isn't sent).

A dead-letter queue gets the event itself with three attributes, a destination the invocation record.
Both are told if both are there. What can't be sent is gone: AWS counts it in a metric, and so does this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import async_errors
from .destination_arn import DestinationArn, May
from .errors import LambdaError
from .event_config import EventConfig
from .faults import iso
from .frontend import Frontend
from .function import FunctionConfiguration
from .invocation import Outcome
from .registry import Registry

MESSAGE_BYTES = 1024  # of an error's message, in ErrorMessage


@dataclass(frozen=True, slots=True)
class Response:
    """What the last attempt came to. ``outcome`` if it ran, else a ``message``. ``status`` as of HTTP."""

    status: int
    outcome: Outcome | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """An event that has ended. ``response`` None: it was never tried."""

    request_id: str
    function: FunctionConfiguration
    qualifier: str | None
    payload: bytes
    condition: str
    invoke_count: int
    response: Response | None

    @property
    def function_arn(self) -> str:
        return f"{self.function.arn}:{self.qualifier or '$LATEST'}"

    @property
    def succeeded(self) -> bool:
        return self.condition == "Success"


@dataclass(frozen=True, slots=True)
class Letter:
    """What one destination is sent. ``attributes``: (type, value) by name, for queues and topics."""

    ending: Ending
    to: DestinationArn
    body: str
    attributes: Mapping[str, tuple[str, str]]


class NotSent(Exception):
    """A destination didn't take it; says why."""


Post = Callable[[Letter], None]  # raises anything if it can't be sent


class Destinations:
    """The post office of one cloud.

    Args:
        frontend: takes the events for functions that are destinations.
        may: whether an execution role (an ARN) may do an action to a resource.
        post: sends to queues, topics, buses and buckets.
    """

    def __init__(self, frontend: Frontend, registry: Registry, may: May, post: Post) -> None:
        self.frontend, self.registry = frontend, registry
        self.clock, self.trace = frontend.clock, frontend.trace
        self._may, self._post = may, post

    def send(self, ending: Ending, config: EventConfig) -> None:
        """Tell everybody who is to be told, in a step of the clock's."""
        if ending.succeeded:
            if config.on_success:
                self._send(ending, config.on_success, "on-success")
            return
        if config.on_failure:
            self._send(ending, config.on_failure, "on-failure")
        if ending.function.dead_letter:
            self._send(ending, ending.function.dead_letter, "dead-letter")

    def _send(self, ending: Ending, target: str, role: str) -> None:
        noted: dict[str, Any] = {"request_id": ending.request_id, "target": target, "role": role}
        try:
            self._deliver(ending, target, role)
        except Exception as problem:  # whatever it is: an event is never lost without a trace
            reason = str(problem) or type(problem).__name__
            self._note("async.undelivered", ending, **noted, reason=reason)
        else:
            self._note("async.delivered", ending, **noted)

    def _deliver(self, ending: Ending, target: str, role: str) -> None:
        to = DestinationArn.parse(target)
        if not to.permitted(ending.function.role, self._may):
            raise NotSent(f"the execution role may not call {to.operation} on {target}")
        if role == "dead-letter":
            letter = Letter(ending, to, ending.payload.decode(), attributes(ending))
        else:
            letter = Letter(ending, to, record(ending, iso(self.clock.now)), {})
        if to.service != "lambda":
            self._post(letter)
            return
        try:
            function = self.registry.target(ending.function.account, ending.function.region, target)
            self.frontend.accept(function, letter.body.encode(), source="destination")
        except LambdaError as error:
            raise NotSent(str(error)) from error

    def _note(self, kind: str, ending: Ending, **data: Any) -> None:
        self.trace.append(self.clock.seconds, kind, ending.function.name, **data)


def record(ending: Ending, timestamp: str) -> str:
    """The invocation record, as JSON. Payloads are put in as they are, not read and written anew."""
    members = {
        "version": '"1.0"', "timestamp": json.dumps(timestamp),
        "requestContext": _compact({
            "requestId": ending.request_id, "functionArn": ending.function_arn,
            "condition": ending.condition, "approximateInvokeCount": ending.invoke_count}),
        "requestPayload": ending.payload.decode()}
    response = ending.response
    if response is not None:
        context: dict[str, Any] = {"statusCode": response.status}
        if response.outcome is not None:
            context["executedVersion"] = response.outcome.version
            if response.outcome.failed:
                context["functionError"] = "Unhandled"
            members["responsePayload"] = _as_json(response.outcome.payload)
        members["responseContext"] = _compact(context)
    order = ("version", "timestamp", "requestContext", "requestPayload", "responseContext",
             "responsePayload")
    return "{" + ",".join(f'"{name}":{members[name]}' for name in order if name in members) + "}"


def attributes(ending: Ending) -> dict[str, tuple[str, str]]:
    """What a dead-letter queue is told beside the event: RequestID, ErrorCode, ErrorMessage."""
    found = {"RequestID": ("String", ending.request_id)}
    response = ending.response
    if response is None:
        return found | {"ErrorMessage": ("String", async_errors.ZERO_CONCURRENCY)}
    message = response.message if response.outcome is None else _error_message(
        response.outcome.payload)
    cut = message.encode()[:MESSAGE_BYTES].decode(errors="ignore")
    return found | {"ErrorCode": ("Number", str(response.status)),
                    # an empty attribute can't be sent: moto and AWS refuse the whole message
                    **({"ErrorMessage": ("String", cut)} if cut else {})}


def _error_message(document: bytes) -> str:
    try:
        found = json.loads(document)
    except ValueError:
        return document.decode(errors="replace")
    return str(found.get("errorMessage") or "") if isinstance(found, dict) else str(found)


def _compact(members: Mapping[str, Any]) -> str:
    return json.dumps(members, separators=(",", ":"))


def _as_json(payload: bytes) -> str:
    """A result as a member of the record; a custom runtime's need not be JSON."""
    text = payload.decode(errors="replace")
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text
