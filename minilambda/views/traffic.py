"""Traffic: requests that come as a pattern says, made with boto3, on the cloud's clock.

Stands for: a function's clients. Each request is an Invoke by a thread of its own; none is tried
again, so a throttled one is counted as what it is. AWS pages: *Invoke* in the Lambda API reference;
*Understanding Lambda function scaling*. Leaves out: asynchronous requests.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from . import words
from .patterns import Pattern

CONNECTIONS = 1000  # kept open at the most; more are opened and closed
# What AWS refuses before a request comes to a place: its caller was never at the door.
_REFUSED = (400, 403, 404, 409, 413, 501)
ANSWERED, THROTTLED, FAILED, REFUSED = "answered", "throttled", "failed", "refused"

_names = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Call:
    """What came of one request: one of this module's four words, and AWS's words for it."""

    outcome: str
    said: str = ""


class Traffic:
    """Requests on their way. Made by :func:`traffic`, or step by step by :func:`live`.

    ``pattern``, ``function``; ``start`` is where on the cloud's clock (s) the pattern begins.
    ``counts`` says how many were answered, throttled, failed (the function raised an error, timed
    out, crashed) or refused by AWS for another reason: together, once it is over, all that came.
    """

    def __init__(self, cloud: Any, function: str, pattern: Pattern, event: Any = None) -> None:
        self.cloud, self.function, self.pattern = cloud, function, pattern
        self._payload = _payload(event)
        self._client = _client(cloud, len(pattern.instants))
        self._client.get_function_configuration(FunctionName=function)  # or AWS says no here
        self.calls: list[Call] = []
        self._told = threading.Lock()
        self._problems: list[BaseException] = []
        self.start = cloud.seconds
        name = f"traffic-{next(_names)}"
        self._client.meta.events.register(
            "before-send.lambda.Invoke",
            lambda request, **_: request.headers.__setitem__("X-Minilambda-Appointment", name))
        self._pool = ThreadPoolExecutor(max(1, len(pattern.instants)), thread_name_prefix=name)
        self.appointments = cloud.appoint(
            name, [(self.start + at, callers) for at, callers in pattern.groups()], self._come)

    def __repr__(self) -> str:
        came = len(self.pattern.instants) - self.waiting
        parts = [f"{self.counts[ANSWERED]:,} answered", f"{self.counts[THROTTLED]:,} throttled",
                 f"{self.counts[FAILED]:,} failed"]
        if self.counts[REFUSED]:
            parts.append(f"{self.counts[REFUSED]:,} refused")
        if self.waiting:
            return f"{self.pattern!r}, {words.listing(parts)}, {self.waiting:,} to come"
        return f"{came:,} requests ({self.pattern.name}): {words.listing(parts)}."

    @property
    def counts(self) -> Counter[str]:
        """How many requests came to what, so far."""
        with self._told:
            return Counter(call.outcome for call in self.calls)

    @property
    def waiting(self) -> int:
        """Requests that have no answer yet: not made, or on their way."""
        return len(self.pattern.instants) - len(self.calls)

    @property
    def over(self) -> bool:
        """On the clock: the pattern has ended and the last request has its answer."""
        return (self.appointments.over
                and self.cloud.seconds >= self.start + self.pattern.seconds - 1e-6)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on the cloud's clock, with the requests that come in them."""
        self.cloud.run(seconds=seconds)
        self._check()

    def finish(self) -> Traffic:
        """Let time pass to the pattern's end, and until the last request has its answer."""
        self.cloud.run(seconds=max(0.0, self.start + self.pattern.seconds - self.cloud.seconds))
        self.cloud.finish(self.appointments)
        self._pool.shutdown()
        self._check()
        return self

    def stop(self) -> Traffic:
        """No more requests come; let time pass until those that did have their answers."""
        self.appointments.cancel()
        self.cloud.finish(self.appointments)
        self._pool.shutdown()
        self._check()
        return self

    # -- on other threads -------------------------------------------------------------------------

    def _come(self, callers: int) -> None:
        for _ in range(callers):
            self._pool.submit(self._call)

    def _call(self) -> None:
        try:
            call = self._invoke()
        except BaseException as problem:  # told where somebody listens
            self._problems.append(problem)
            call = Call(REFUSED, f"{type(problem).__name__}: {problem}")
            self.appointments.miss()
        with self._told:
            self.calls.append(call)

    def _invoke(self) -> Call:
        try:
            response = self._client.invoke(FunctionName=self.function, Payload=self._payload)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            said = f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
            if status in _REFUSED:
                self.appointments.miss()
            return Call(THROTTLED if status == 429 else REFUSED, said)
        payload = response["Payload"].read()
        if "FunctionError" in response:
            return Call(FAILED, json.loads(payload).get("errorType", "") or "of no type")
        return Call(ANSWERED)

    def _check(self) -> None:
        if self._problems:
            raise self._problems.pop(0)


def traffic(cloud: Any, function: str, pattern: Pattern, event: Any = None) -> Traffic:
    """Send a function the requests of a pattern, and let time pass until all have an answer.

    Args:
        cloud: a :class:`minilambda.Cloud`.
        function: an existing function.
        pattern: of ``views.patterns``, for instance ``patterns.poisson(rate=5, seconds=30)``.
        event: each request's event, anything JSON can hold.

    Raises:
        TypeError: the event isn't JSON.
        botocore.exceptions.ClientError: there is no such function.
    """
    return Traffic(cloud, function, pattern, event).finish()


def _payload(event: Any) -> bytes:
    try:
        return json.dumps(event, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(f"traffic: the event must be what JSON can hold: {error}") from None


def _client(cloud: Any, most: int) -> Any:
    """One that tries once, and waits as long as a function may take on a busy machine."""
    if not hasattr(cloud, "appoint"):
        raise TypeError("traffic: the first argument must be a minilambda.Cloud: traffic comes at"
                        " instants of its clock")
    return boto3.session.Session().client("lambda", config=Config(
        retries={"total_max_attempts": 1}, read_timeout=3600,
        max_pool_connections=max(1, min(most, CONNECTIONS))))
