"""Recursive loops: what a function's configuration says of them, and how one is noticed.

Stands for: GetFunctionRecursionConfig, PutFunctionRecursionConfig, and Lambda's recursive loop
detection. AWS page: *Use Lambda recursive loop detection to prevent infinite loops*.
Leaves out: loops through SQS, SNS and S3 (they need pollers and triggers); that an asynchronous loop
ends in the queue, with a record for its destination (here its last event is refused); the metric
RecursiveInvocationsDropped, AWS's mail to the account's owner.

A chain of requests is told by its trace header, where Lambda keeps a *lineage*: which functions were
invoked in it and how often. AWS's SDKs pass the header on.
"""

from __future__ import annotations

import re
import threading
import zlib
from urllib.parse import unquote

from .errors import LambdaError
from .function import FunctionConfiguration
from .versions import Key, key_of

TERMINATE, ALLOW = "Terminate", "Allow"
_LINEAGE = re.compile(r"(?:^|;)\s*Lineage=([0-9a-f:|]+)")


class Recursion:
    """``limit``: how often a function may be invoked in one chain; 0: nothing stops it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._allowed: set[Key] = set()
        self._lock = threading.Lock()

    def get(self, function: FunctionConfiguration) -> str:
        """Allow or Terminate."""
        with self._lock:
            return ALLOW if key_of(function) in self._allowed else TERMINATE

    def put(self, function: FunctionConfiguration, recursive_loop: str) -> None:
        with self._lock:
            self._allowed.discard(key_of(function))
            if recursive_loop == ALLOW:
                self._allowed.add(key_of(function))

    def forget(self, function: FunctionConfiguration) -> None:
        self.put(function, TERMINATE)

    def admit(self, function: FunctionConfiguration, trace_header: str | None) -> str | None:
        """The request's trace header with this invocation in its lineage.

        Raises:
            LambdaError: RecursiveInvocationException: it is one too many.
        """
        if not self.limit:
            return trace_header
        counts = parse(trace_header)
        mark = mark_of(function)
        if counts.get(mark, 0) >= self.limit and self.get(function) == TERMINATE:
            raise stopped()
        counts[mark] = counts.get(mark, 0) + 1
        kept = [part for part in (trace_header or "").split(";")
                if part.strip() and not part.strip().startswith("Lineage=")]
        lineage = "|".join(f"{name}:{count}" for name, count in counts.items())
        return ";".join([*kept, f"Lineage={lineage}"])


def parse(trace_header: str | None) -> dict[str, int]:
    """How often each function was invoked in the chain so far, by its mark."""
    found = _LINEAGE.search(unquote(trace_header or ""))  # SDKs escape what isn't usual in it
    counts: dict[str, int] = {}
    for part in (found[1].split("|") if found else ()):
        mark, _, count = part.partition(":")
        if mark and count.isdigit():
            counts[mark] = int(count)
    return counts


def mark_of(function: FunctionConfiguration) -> str:
    """A function's name in a lineage: short, as the header is passed on by everybody."""
    return f"{zlib.crc32(function.arn.encode()):08x}"


def stopped() -> LambdaError:
    """The error type is AWS's; no record of its sentence was found."""
    return LambdaError("RecursiveInvocationException", "Lambda has detected that the function is "
                       "invoked in a recursive loop, and has stopped it.")
