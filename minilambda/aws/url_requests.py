"""A request to a function URL, answered.

Stands for: what is behind ``https://<url-id>.lambda-url.<region>.on.aws``. AWS pages: *Invoking Lambda
function URLs*; *Control access to Lambda function URLs*.
Leaves out: TLS and HTTP/2; ``InvokeMode`` RESPONSE_STREAM. A function that asks another's URL has to
sign, whatever its AuthType: time passes only for an environment that is known to wait for an answer.

The address is ``http://<url-id>.lambda-url.<region>.localhost:<port>/``. Browsers and curl know that
all names below ``localhost`` are this machine; ``localhost_names`` makes this process know it. Any
other client sends the name as ``Host`` to ``127.0.0.1:<port>``. AWS's own names are taken there, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from .. import errors
from ..function_urls import AWS_IAM, NONE, FunctionUrl
from ..policy import Asking
from . import url_cors
from .signatures import SignatureRefused, allows, signer
from .url_events import Identity, Response, UrlRequest, event, response

_HOST = re.compile(r"([a-z2-7]{32})\.lambda-url\.([a-z0-9-]+)\.(localhost|on\.aws)(:\d+)?")
_FORBIDDEN = "Forbidden"
_HELP = (". For troubleshooting Function URL authorization issues, see: "
         "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")


def address(environ: Mapping[str, Any]) -> tuple[str, str] | None:
    """Id and region of the function URL that a request (as WSGI has it) is for, if it is."""
    found = _HOST.fullmatch(environ.get("HTTP_HOST", "").lower())
    return (found[1], found[2]) if found else None


def answer(runtime: Any, environ: Mapping[str, Any]) -> Response:
    """Serve a request that has an :func:`address`."""
    id, region = address(environ)
    request = _request(environ)
    url = runtime.registry.urls.find(id, region)
    if url is None:
        return _refusal(runtime, 403, "AccessDeniedException", _forbidden(runtime), "Message")
    if url.cors and url_cors.is_preflight(request):
        status, headers, body = url_cors.preflight(url.cors, request)
        return status, [*headers, ("x-amzn-RequestId", runtime.clock.uuid())], body
    status, headers, body = _answer(runtime, url, region, request)
    return status, url_cors.dressed(url.cors, request, headers), body


def _answer(runtime: Any, url: FunctionUrl, region: str, request: UrlRequest) -> Response:
    try:
        identity = signer(request, runtime, region) if url.auth_type == AWS_IAM else None
    except SignatureRefused as refused:
        return _refusal(runtime, 403, refused.code, str(refused))
    if not _may(runtime, url, identity):
        return _refusal(runtime, 403, "AccessDeniedException", _forbidden(runtime), "Message")
    account, _, name = url.key
    domain = request.headers["host"].partition(":")[0]
    try:
        target = runtime.registry.target(account, region, name, url.qualifier)
        now = runtime.clock.now
        made = lambda request_id: event(  # noqa: E731 (its id is drawn at the door)
            request, url.id, domain, now, request_id, identity)
        limit = runtime.limits.payload_sync
        if len(made("")) > limit:
            raise errors.request_too_large(limit, "InvokeFunction")
        outcome = runtime.frontend.invoke(target, made(""), stamped=made,
                                          trace_header=request.headers.get("x-amzn-trace-id"))
    except errors.LambdaError as error:
        return _refusal(runtime, error.status, error.code, error.message,
                        request_id=error.request_id, **error.extra)
    found = None if outcome.failed else response(outcome.payload)
    if found is None:  # it failed, or what it returned is no response
        found = 502, [("Content-Type", "application/json")], b"Internal Server Error"
    status, headers, body = found
    return status, [*headers, ("x-amzn-RequestId", outcome.request_id)], body


def _may(runtime: Any, url: FunctionUrl, identity: Identity | None) -> bool:
    """Whether policies let this caller (None: anybody) invoke by this URL."""
    if url.auth_type == AWS_IAM and identity is None:
        return False
    actions = ["lambda:InvokeFunctionUrl"]
    if runtime.limits.url_needs_invoke:
        actions.append("lambda:InvokeFunction")
    return all(_may_do(runtime, url, identity, action) for action in actions)


def _may_do(runtime: Any, url: FunctionUrl, identity: Identity | None, action: str) -> bool:
    account, region, name = url.key
    registry = runtime.registry
    latest = registry.latest(account, region, name, action=action)
    by_resource = registry.permissions.lets(latest, url.qualifier, Asking(
        action, account=identity.account if identity else None,
        principal=identity.arn if identity else None,
        organization=registry.organization_of(identity.account) if identity else None,
        url_auth_type=url.auth_type, via_url="true"))
    if url.auth_type == NONE:
        return by_resource
    by_identity = allows(identity, action, url.function_arn)
    if by_identity is False:
        return False
    if identity.account == account:
        return bool(by_identity) or by_resource
    return bool(by_identity) and by_resource


def _forbidden(runtime: Any) -> str:
    return _FORBIDDEN + (_HELP if runtime.limits.url_needs_invoke else "")


def _refusal(runtime: Any, status: int, code: str, message: str, key: str = "message",
             request_id: str | None = None, **extra: str) -> Response:
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code),
               ("x-amzn-RequestId", request_id or runtime.clock.uuid())]
    return status, headers, json.dumps(extra | {key: message}).encode()


def _request(environ: Mapping[str, Any]) -> UrlRequest:
    raw = urlsplit(environ.get("RAW_URI") or quote(environ.get("PATH_INFO", "/")))
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items()
               if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    body = environ["wsgi.input"].read()
    if not body:
        headers.pop("content-length", None)
    source = environ.get("REMOTE_ADDR") or "127.0.0.1"
    headers |= {"x-forwarded-for": source, "x-forwarded-proto": "http",
                "x-forwarded-port": environ.get("SERVER_PORT", "80")}
    return UrlRequest(environ.get("REQUEST_METHOD", "GET"), raw.path or "/",
                      environ.get("QUERY_STRING", ""), headers, body, source,
                      environ.get("SERVER_PROTOCOL", "HTTP/1.1"))
