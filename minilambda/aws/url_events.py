"""HTTP to a function's event and back, for function URLs.

Stands for: the payload format, version 2.0. AWS page: *Invoking Lambda function URLs*.
Leaves out: what the page calls unused and AWS excludes (``pathParameters``, ``stageVariables``…).

A string that a function returns is the body without its quotation marks, as tests that were recorded
on AWS have it; the page's own example shows them. JSON is printed without spaces.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from ..payload_format import Asked, Way, make_event

_TEXT = ("text/", "application/json", "application/xml", "application/javascript")
_TEXT_ENDS = ("+json", "+xml")
# Not the function's to say: they are about the connection, or the server's own.
_CONNECTION_S = {"connection", "content-length", "date", "keep-alive", "server", "te", "trailer",
                 "transfer-encoding", "upgrade"}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
Response = tuple[int, list[tuple[str, str]], bytes]


@dataclass(frozen=True, slots=True)
class UrlRequest:
    """``path`` and ``query`` as they were sent; names of headers in lower case, those sent more
    than once joined by commas."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    @property
    def url(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"http://{self.headers.get('host', 'localhost')}{self.path}{query}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed a request: what the event says of him."""

    access_key: str
    account: str
    arn: str
    user_id: str
    policies: tuple[Any, ...] | None = field(default=None, repr=False)  # None: may do anything

    def describe(self) -> dict[str, Any]:
        return {"iam": {
            "accessKey": self.access_key, "accountId": self.account, "callerId": self.user_id,
            "cognitoIdentity": None, "principalOrgId": None, "userArn": self.arn,
            "userId": self.user_id}}


def event(request: UrlRequest, url_id: str, domain: str, now: datetime, request_id: str,
          identity: Identity | None) -> bytes:
    """The event, as JSON. ``domain``: the host the request was for, without a port."""
    asked = Asked(request.method, request.path, request.query,
                  parse_qsl(request.query, keep_blank_values=True), request.headers,
                  _body(request) if request.body else None, request.source_ip, request.protocol)
    way = Way(url_id, domain, identity.account if identity else "anonymous",
              authorizer=identity.describe() if identity else None)
    return json.dumps(make_event(asked, way, request_id, now)).encode()


def response(payload: bytes) -> Response | None:
    """What a function's result says; None if it isn't what the format asks for."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(found, dict) or "statusCode" not in found:
        return 200, [("Content-Type", "application/json")], _print(found)
    try:
        return _custom(found)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return None


def _custom(found: Mapping[str, Any]) -> Response:
    status = int(found["statusCode"])
    if isinstance(found["statusCode"], bool | float) or not 100 <= status <= 599:
        raise ValueError("no status")
    headers = [(_name(name), _value(value)) for name, value in (found.get("headers") or {}).items()
               if name.lower() not in _CONNECTION_S]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", "application/json"))
    cookies = found.get("cookies") or []
    if not isinstance(cookies, list):
        raise ValueError("no cookies")
    headers += [("Set-Cookie", _value(cookie)) for cookie in cookies]
    body = found.get("body")
    if found.get("isBase64Encoded") and isinstance(body, str):
        return status, headers, base64.b64decode(body, validate=True)
    return status, headers, b"" if body is None else _print(body)


def _name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("no header's name")
    return text


def _value(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        raise TypeError("no header's value")
    text = value if isinstance(value, str) else json.dumps(value)
    text.encode("latin-1")
    if "\r" in text or "\n" in text:
        raise ValueError("a header of several lines")
    return text


def _print(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _body(request: UrlRequest) -> tuple[str, bool]:
    """The body as the event has it, and whether that is base64."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = not kind or kind.startswith(_TEXT) or kind.endswith(_TEXT_ENDS)
    if text and "content-encoding" not in request.headers:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True
