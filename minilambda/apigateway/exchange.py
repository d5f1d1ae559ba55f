"""A request to an API, and the response to it, as data.

Stands for: what API Gateway's edge has read off the wire. AWS page: *Invoking a REST API in Amazon
API Gateway*.
Leaves out: TLS, and with it client certificates.

A function is told the API's name and port on AWS, whatever port of this machine the request came in
by: so an event is the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ..callers import ServiceCaller
from ..clock import Clock

Pairs = Sequence[tuple[str, str]]
# They concern one connection, not the request: API Gateway keeps them to itself.
_HOP_BY_HOP = {"connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
               "te", "trailer", "transfer-encoding", "upgrade", "x-forwarded-for",
               "x-forwarded-port", "x-forwarded-proto"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """``path``: after the stage, as it was sent (percent-encoded), with the leading slash."""

    method: str
    path: str
    raw_query: str = ""
    headers: Pairs = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The last of that name."""
        return last_of(self.headers).get(name.lower())

    def forwarded(self, domain: str, trace_header: str) -> list[tuple[str, str]]:
        """The headers as the integration gets them."""
        kept = [(name, value) for name, value in self.headers
                if name.lower() not in _HOP_BY_HOP | {"x-amzn-trace-id"}]
        came_by = [value for name, value in self.headers if name.lower() == "x-forwarded-for"]
        return [*kept, ("Host", domain), ("X-Amzn-Trace-Id", trace_header),
                ("X-Forwarded-For", ", ".join([*came_by, self.source_ip])),
                ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Pairs = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Context:
    """What a request is given when it has come in: its names, and when that was."""

    request_id: str
    extended_request_id: str
    trace_header: str
    seconds: float  # since 1970
    request_time: str  # as in "02/Mar/2020:09:00:00 +0000"

    @classmethod
    def new(cls, clock: Clock, incoming_trace: str | None) -> Context:
        """A trace that the client has begun goes on."""
        request_id, now = clock.uuid(), clock.now
        with clock.lock:
            extended = f"{clock.random.getrandbits(64):016x}"
            root = f"1-{int(now.timestamp()):08x}-{clock.random.getrandbits(96):024x}"
        return cls(request_id, extended, incoming_trace or f"Root={root}", now.timestamp(),
                   f"{now:%d/%b/%Y:%H:%M:%S} +0000")


@dataclass(frozen=True, slots=True)
class ApiStage:
    """A stage of an API, of whichever kind."""

    api_id: str
    name: str
    account: str
    region: str

    @property
    def domain(self) -> str:
        """The host that the API has on AWS."""
        return f"{self.api_id}.execute-api.{self.region}.amazonaws.com"

    def caller(self, cloud: Any, part: str) -> ServiceCaller:
        """The API as functions' policies know it; ``part``: method and path, or a route."""
        return ServiceCaller(cloud, "apigateway.amazonaws.com", self.account, self.region,
                             f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}/"
                             f"{self.name}/{part}")


def message(status: int, text: str, error_type: str | None = None, *, space: str = "",
            request_id: str | None = None) -> HttpResponse:
    """One of API Gateway's own answers. ``space``: some of them have one behind the colon."""
    headers = [("Content-Type", "application/json")]
    headers += [("x-amzn-RequestId", request_id)] if request_id else []
    headers += [("x-amzn-ErrorType", error_type)] if error_type else []
    return HttpResponse(status, headers, f'{{"message":{space}{json.dumps(text)}}}'.encode())


def last_of(pairs: Pairs) -> dict[str, str]:
    """Headers by their names in lower case; of several of one name the last."""
    return {name.lower(): value for name, value in pairs}
