"""Invoke over HTTP, without moto's routing: it is asked a thousand times as often as all else.

Stands for: the request and response of *Invoke* in the Lambda API reference.
Leaves out: whatever is unusual (another caller than the reader, an option in the query string, a body
in chunks): :func:`parse` says so, and the request takes the way of all others. What is answered here
is answered byte for byte as there; a test compares the two.
"""

from __future__ import annotations

import functools
import http
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote
from wsgiref.handlers import format_date_time

from moto.core.utils import get_service_model

from . import responses
from .guard import ACCESS_KEY_ID
from .service import Caller, LambdaApi

_FIRST_LINE = re.compile(rb"POST /2015-03-31/functions/([A-Za-z0-9_:%.$-]+)/invocations HTTP/1\.1\r\n")
_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=" + ACCESS_KEY_ID + r"/\d{8}/([a-z0-9-]+)/lambda/aws4_request,")
# What only the general way knows how to treat.
_UNUSUAL = {"transfer-encoding", "expect", "content-encoding", "x-moto-account-id", "connection",
            "smithy-protocol", "x-amz-target", "origin"}
# Hosts that needn't be looked at closely: see ``visitors``.
_HOST = re.compile(r"(127\.0\.0\.1|[A-Za-z0-9_-]+)(:\d+)?\Z")


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """``length``: of the body, which follows ``head`` bytes of head."""

    name: str
    region: str
    headers: dict[str, str]
    head: int
    length: int


def parse(data: bytes) -> InvokeRequest | None:
    """The request that ``data`` begins with, if it is an ordinary Invoke whose head is all there."""
    line = _FIRST_LINE.match(data)
    end = data.find(b"\r\n\r\n") if line else -1
    if end < 0:
        return None
    headers: dict[str, str] = {}
    for text in data[line.end():end].decode("latin-1").split("\r\n"):
        name, _, value = text.partition(":")
        name = name.lower()
        if name in headers or name in _UNUSUAL or not name or name[0] in " \t":
            return None
        headers[name] = value.strip(" \t")
    credential = _CREDENTIAL.match(headers.get("authorization", ""))
    length = headers.get("content-length", "")
    if (credential is None or not (length.isascii() and length.isdigit())
            or headers.get("x-amz-invocation-type", "RequestResponse") != "RequestResponse"
            or "region/" in headers.get("user-agent", "")
            or not _HOST.match(headers.get("host", ""))):
        return None
    return InvokeRequest(unquote(line[1].decode()), credential[1], headers, end + 4, int(length))


def answer(api: LambdaApi, request: InvokeRequest, body: bytes) -> bytes:
    """The whole response, as it goes over the wire."""
    operation, members = _operation()
    params: dict[str, Any] = {"FunctionName": request.name, "Payload": body}
    for header, member in members:
        if header in request.headers:
            params[member] = request.headers[header]
    caller = Caller(api.runtime.account_id, request.region, f"http://{request.headers.get('host')}",
                    request.headers.get("x-amzn-trace-id"),
                    request.headers.get("x-minilambda-appointment"))
    status, headers, content = responses.answer(api, operation, params, caller)
    return response(api, status, headers.items(),
                    content.encode() if isinstance(content, str) else content)


def response(api: LambdaApi | None, status: int, headers: Iterable[tuple[str, str]],
             content: bytes) -> bytes:
    """A response as it goes over the wire, in the order in which the general way writes it.

    ``api``: None if no cloud is there any more, nor its clock.
    """
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", "Server: minilambda",
             f"Date: {_date(int(api.runtime.clock.timestamp())) if api else formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Access-Control-Allow-Origin: *\r\nContent-Length: {len(content)}\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + content


@functools.cache
def _operation() -> tuple[Any, tuple[tuple[str, str], ...]]:
    """botocore's model of Invoke, and which member each header is."""
    operation = get_service_model("lambda").operation_model("Invoke")
    return operation, tuple(
        (member.serialization["name"].lower(), name)
        for name, member in operation.input_shape.members.items()
        if member.serialization.get("location") == "header")


@functools.lru_cache(maxsize=8)
def _date(seconds: int) -> str:
    return format_date_time(seconds)
