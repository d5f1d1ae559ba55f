"""Tracing: who decides, the header that names a trace, and the segments Lambda writes itself.

Stands for: Lambda's side of AWS X-Ray. AWS pages: *Visualize Lambda function invocations using AWS
X-Ray*; *AWS X-Ray segment documents*; *AWS X-Ray concepts* (Tracing header); *AWS X-Ray daemon*.
Leaves out (so far): the execution role's permission to write segments, sampling rules of one's own,
the Overhead subsegment, the service graph (moto's is empty).

Ids are digests of the request's own id, so that tracing draws nothing from the cloud's generator:
switching it on changes no other figure.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from .function import FunctionConfiguration

ACTIVE, PASS_THROUGH = "Active", "PassThrough"
# AWS page (the first above): "1 request per second and 5 percent of additional requests".
RESERVOIR_SECONDS, FIXED_RATE = 1.0, 0.05


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """``Root=…;Parent=…;Sampled=1``. ``sampled`` None: nobody has decided yet.

    ``lineage``: which functions the chain of requests has been through (``minilambda.recursion``).
    """

    root: str
    parent: str | None = None
    sampled: bool | None = None
    lineage: str | None = None

    def __str__(self) -> str:
        parts = [f"Root={self.root}"]
        if self.parent:
            parts.append(f"Parent={self.parent}")
        if self.sampled is not None:
            parts.append(f"Sampled={self.sampled:d}")
        if self.lineage:
            parts.append(f"Lineage={self.lineage}")
        return ";".join(parts)

    @classmethod
    def parse(cls, text: str | None) -> TraceHeader | None:
        """None if there is none, or it names no trace."""
        found = dict(part.strip().split("=", 1) for part in (text or "").split(";") if "=" in part)
        if not found.get("Root"):
            return None
        return cls(found["Root"], found.get("Parent"),
                   {"0": False, "1": True}.get(found.get("Sampled", "")))


@dataclass(frozen=True, slots=True)
class Tracing:
    """An invocation's place in its trace.

    ``header`` is what the function gets. ``recorded``: does Lambda write segments of its own?
    ``service_id`` and ``function_id`` are theirs, ``upstream`` is the segment that called.
    """

    header: TraceHeader
    recorded: bool
    service_id: str
    function_id: str
    upstream: str | None = None


class Sampler:
    """Decides which invocations are traced when nobody upstream has decided.

    The first in a second of a function, and 5 % of the others.
    """

    def __init__(self) -> None:
        self._sampled_at: dict[str, float] = {}

    def admit(self, function: FunctionConfiguration, request_id: str, seconds: float,
              now: float, incoming: str | None) -> Tracing:
        """An invocation's tracing.

        Args:
            seconds: on the cloud's clock, since it was switched on.
            now: the same instant, since 1970.
            incoming: the caller's own trace header.
        """
        service_id, function_id = _id(request_id, "service"), _id(request_id, "function")
        header = TraceHeader.parse(incoming)
        upstream = header.parent if header else None
        if header is None:
            header = new_trace(request_id, now)
        header = replace(header, lineage=_lineage(incoming))
        if function.tracing != ACTIVE:
            if header.sampled is None:
                header = replace(header, sampled=False)
            header = replace(header, parent=header.parent or function_id)
            return Tracing(header, False, service_id, function_id, upstream)
        if header.sampled is None:
            header = replace(header, sampled=self._decide(function.arn, request_id, seconds))
        return Tracing(replace(header, parent=function_id), bool(header.sampled), service_id,
                       function_id, upstream)

    def _decide(self, arn: str, request_id: str, seconds: float) -> bool:
        last = self._sampled_at.get(arn)
        if last is None or seconds - last >= RESERVOIR_SECONDS:
            self._sampled_at[arn] = seconds
            return True
        return int(_id(request_id, "sampled", 8), 16) < FIXED_RATE * 16 ** 8


def _lineage(text: str | None) -> str | None:
    """It may come in a header that names no trace."""
    return (text or "").rpartition("Lineage=")[2].split(";")[0] if "Lineage=" in (text or "") else None


def new_trace(request_id: str, now: float) -> TraceHeader:
    """The trace that a request begins at ``now`` (since 1970)."""
    return TraceHeader(f"1-{int(now):08x}-{_id(request_id, 'root', 24)}")


def report_line(tracing: Tracing) -> str:
    """What follows the REPORT line of a traced invocation."""
    return (f"XRAY TraceId: {tracing.header.root}\tSegmentId: {tracing.service_id}\t"
            "Sampled: true\t")


def segments(function: FunctionConfiguration, request_id: str, tracing: Tracing, *,
             arrived: float, began: float, ended: float, init_ms: float | None,
             failed: bool) -> list[str]:
    """The two segment documents Lambda writes of an invocation: the service's and the function's.

    Instants are in seconds since 1970: ``arrived`` at the front door, ``began`` and ``ended`` of
    the handler's run. ``init_ms`` is None on a warm start.
    """
    def part(name: str, start: float, end: float, segment_id: str, **more: Any) -> dict[str, Any]:
        fault = {"fault": True} if failed and name != "Initialization" else {}
        return {"id": segment_id, "name": name, "start_time": start, "end_time": end, **fault,
                **more}

    start = began - (init_ms or 0.0) / 1000
    steps = [part("Invocation", began, ended, _id(request_id, "invocation"))]
    if init_ms is not None:
        steps.insert(0, part("Initialization", start, began, _id(request_id, "initialization")))
    root = {"trace_id": tracing.header.root, "resource_arn": function.arn}
    above = {"parent_id": tracing.upstream} if tracing.upstream else {}
    service = part(function.name, arrived, ended, tracing.service_id, **root, **above,
                   origin="AWS::Lambda", http={"response": {"status": 200}},
                   aws={"request_id": request_id, "resource_names": [function.name]})
    own = part(function.name, start, ended, tracing.function_id, **root,
               parent_id=tracing.service_id, origin="AWS::Lambda::Function",
               aws={"account_id": function.account, "function_arn": function.arn},
               subsegments=steps)
    return [json.dumps(service), json.dumps(own)]


def document(datagram: bytes) -> str | None:
    """The segment document in a datagram to the daemon; None if it isn't one, as the daemon drops it.

    A datagram is a line ``{"format": "json", "version": 1}`` and the document.
    """
    header, _, body = datagram.partition(b"\n")
    try:
        if json.loads(header) == {"format": "json", "version": 1} and isinstance(
                json.loads(body), dict):
            return body.decode()
    except (ValueError, RecursionError):
        pass
    return None


def _id(request_id: str, what: str, digits: int = 16) -> str:
    return hashlib.sha256(f"{request_id} {what}".encode()).hexdigest()[:digits]
