"""CORS for function URLs: which web pages may read the answers.

Stands for: the ``Cors`` settings of a function URL. AWS page: *Creating and managing Lambda function
URLs* ("Cross-origin resource sharing (CORS)").

With settings Lambda answers preflight requests itself, and its headers take the place of those that the
function returns. Without any, all is the function's own affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .url_events import Response, UrlRequest

Headers = list[tuple[str, str]]


def is_preflight(request: UrlRequest) -> bool:
    return (request.method == "OPTIONS" and "origin" in request.headers
            and "access-control-request-method" in request.headers)


def preflight(cors: Mapping[str, Any], request: UrlRequest) -> Response:
    """The answer to a browser that asks before it asks."""
    headers = _allowed_origin(cors, request.headers["origin"])
    if headers:
        asked = request.headers["access-control-request-method"]
        methods = cors.get("AllowMethods") or []
        if "*" in methods or asked in methods:
            headers.append(("Access-Control-Allow-Methods", _list(methods, asked)))
        wanted = request.headers.get("access-control-request-headers", "")
        allowed = cors.get("AllowHeaders") or []
        if wanted and allowed:
            headers.append(("Access-Control-Allow-Headers", _list(allowed, wanted)))
        if cors.get("MaxAge"):
            headers.append(("Access-Control-Max-Age", str(cors["MaxAge"])))
    return 200, headers, b""


def dressed(cors: Mapping[str, Any], request: UrlRequest, headers: Headers) -> Headers:
    """A response's headers, with those that the settings ask for."""
    ours = _allowed_origin(cors, request.headers.get("origin"))
    if not ours:
        return headers
    if cors.get("ExposeHeaders"):
        ours.append(("Access-Control-Expose-Headers", ",".join(cors["ExposeHeaders"])))
    names = {name.lower() for name, _ in ours}
    return [(name, value) for name, value in headers if name.lower() not in names] + ours


def _allowed_origin(cors: Mapping[str, Any], origin: str | None) -> Headers:
    allowed = cors.get("AllowOrigins") or []
    if origin is None or not ("*" in allowed or origin in allowed):
        return []
    credentials = bool(cors.get("AllowCredentials"))
    any_origin = "*" in allowed and not credentials
    headers = [("Access-Control-Allow-Origin", "*" if any_origin else origin)]
    if not any_origin:
        headers.append(("Vary", "Origin"))
    return headers + ([("Access-Control-Allow-Credentials", "true")] if credentials else [])


def _list(allowed: Iterable[str], asked: str) -> str:
    """A star isn't understood with credentials: what was asked for is named instead."""
    return asked if "*" in allowed else ",".join(allowed)
