"""The address of an API: which request is for which, and the way in and out.

Stands for: ``https://{api-id}.execute-api.{region}.amazonaws.com/{stage}/…``. AWS page: *Invoking a REST
API in Amazon API Gateway*.
Leaves out: custom domain names, private APIs.

On this machine an API is ``http://{api-id}.execute-api.{region}.localhost:{port}/{stage}/…`` where such
names are known, and ``http://127.0.0.1:{port}/_aws/execute-api/{api-id}/{stage}/…`` everywhere. What
clients of LocalStack use is understood too: ``/restapis/{api-id}/{stage}/_user_request_/…``.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..apigateway.exchange import HttpRequest, HttpResponse, message
from .current import installed

_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.(?:localhost|amazonaws\.com)(?::\d+)?")
_PATH = re.compile(r"/_aws/execute-api/([A-Za-z0-9]+)(/.*)?")
_OTHER_PATH = re.compile(r"/restapis/([A-Za-z0-9]+)/([^/]+)/_user_request_(/.*)?")


class Address(NamedTuple):
    """``path``: with the stage, as it was sent."""

    api_id: str
    path: str


def find(environ: Mapping[str, Any]) -> Address | None:
    """The API that a request (as WSGI has it) is for, if it is for one."""
    path = _raw_path(environ)
    if host := _HOST.fullmatch(environ.get("HTTP_HOST", "").lower()):
        return Address(host[1], path or "/")
    if found := _PATH.fullmatch(path):
        return Address(found[1], found[2] or "/")
    if found := _OTHER_PATH.fullmatch(path):
        return Address(found[1], f"/{found[2]}{found[3] or '/'}")
    return None


def respond(address: Address, environ: Mapping[str, Any]
            ) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body."""
    cloud = installed().runtime
    request = HttpRequest(
        environ["REQUEST_METHOD"], address.path, environ.get("QUERY_STRING", ""),
        tuple(_headers(environ)), environ["wsgi.input"].read(), environ.get("REMOTE_ADDR") or "",
        environ.get("SERVER_PROTOCOL", "HTTP/1.1"))
    try:
        response = _answer(cloud, address.api_id, request)
    except NotImplementedError as problem:
        response = message(501, str(problem), "NotImplementedException")
    return response.status, list(response.headers), response.body


def _answer(cloud: Any, api_id: str, request: HttpRequest) -> HttpResponse:
    for service, part in (("apigateway", "rest_apis"), ("apigatewayv2", "http_apis")):
        if f"moto.{service}.responses" not in sys.modules:
            continue  # then nobody has made an API of that kind; and it takes seconds to load
        apis = importlib.import_module(f".{part}", __package__)
        api = apis.find(cloud.account_id, api_id)
        if api is not None:
            return apis.answer(cloud, api, request)
    return message(403, "Forbidden", "ForbiddenException")


def _raw_path(environ: Mapping[str, Any]) -> str:
    uri = environ.get("RAW_URI") or environ.get("PATH_INFO", "")
    return re.sub(r"^https?://[^/?]*", "", uri).split("?")[0]


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """As they were sent, if the server has kept that; else as far as WSGI tells."""
    if "minilambda.headers" in environ:
        yield from environ["minilambda.headers"]
        return
    for key, value in environ.items():
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if value:
                yield key.removeprefix("HTTP_").replace("_", "-").title(), value
