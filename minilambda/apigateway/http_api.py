"""An HTTP API that hands requests to functions: event in, response out.

Stands for: Lambda proxy integration of HTTP APIs. AWS pages: *Create AWS Lambda proxy integrations for
HTTP APIs in API Gateway* (payload formats 1.0 and 2.0), *Create routes for HTTP APIs in API Gateway*,
*Quotas for configuring and running an HTTP API* (30 s).
Leaves out: what ``apigateway`` leaves out; CORS, parameter mapping.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .. import payload_format
from ..callers import NotPermitted
from ..errors import LambdaError
from ..frontend import StillRunning
from ..payload_format import Asked, Way, joined
from . import paths, rest
from .exchange import ApiStage, Context, HttpRequest, HttpResponse, last_of, message

TIMEOUT = 30.0  # seconds an integration has at the most
DEFAULT = "$default"
_URI = re.compile(r"(?:arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/)?"
                  r"(?P<function>arn:aws:lambda:[^/]+)(?:/invocations)?")
_TEXT = re.compile(r"(text/.*|application/(json|javascript|xml|.*\+json|.*\+xml))$")


@dataclass(frozen=True, slots=True)
class Route:
    """``key`` as ``GET /pets/{id}``, ``ANY /…`` or ``$default``. ``unmet``: what isn't implemented."""

    key: str
    uri: str = ""
    version: str = "2.0"  # of the payload format
    timeout: float = TIMEOUT
    unmet: str | None = None

    @property
    def verb(self) -> str:
        return self.key.split(" ")[0]

    @property
    def path(self) -> str:
        return self.key.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Stage(ApiStage):
    """One stage of an API, ready to be asked."""

    routes: tuple[Route, ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    def raw_path(self, path: str) -> str:
        return path if self.name == DEFAULT else f"/{self.name}{path}"


def answer(cloud: Any, stage: Stage, request: HttpRequest) -> HttpResponse:
    """Serve a request; waits on the clock until its function has answered.

    Raises:
        NotImplementedError: for a route that asks for more than a Lambda proxy integration.
    """
    context = Context.new(cloud.clock, request.header("X-Amzn-Trace-Id"))
    route = _route(stage, request)
    if route is None:
        return message(404, "Not Found")
    found = _URI.fullmatch(route.uri)
    if route.unmet or found is None:
        raise NotImplementedError("minilambda doesn't implement "
                                  f"{route.unmet or 'the integration ' + route.uri} of {route.key} "
                                  "(yet): an AWS_PROXY integration with a function works.")
    part = DEFAULT if route.key == DEFAULT else (
        f"{route.verb.replace('ANY', '*')}{re.sub(r'{[^/]+}', '*', route.path)}")
    caller = stage.caller(cloud, part)
    make = make_event if route.version == "2.0" else make_event_1
    try:
        outcome = caller.invoke(found["function"], json.dumps(make(
            stage, route, request, context)).encode(), patience=route.timeout,
            trace_header=context.trace_header)
    except StillRunning:
        return message(503, "Service Unavailable")
    except LambdaError as error:
        return message(413, "Request Entity Too Large") if error.status == 413 else _failed()
    except NotPermitted:
        return _failed()
    if outcome.failed:
        return _failed()
    read = read_response if route.version == "2.0" else read_response_1
    response = read(outcome.payload)
    if response is None:
        return _failed()
    return HttpResponse(response.status, [*response.headers,
                                          ("apigw-requestid", context.extended_request_id)],
                        response.body)


def make_event(stage: Stage, route: Route, request: HttpRequest,
               context: Context) -> dict[str, Any]:
    """The event of payload format 2.0."""
    asked = Asked(request.method, stage.raw_path(request.path), request.raw_query, request.query,
                  _headers(stage, request, context), _body(request) if request.body else None,
                  request.source_ip, request.protocol)
    way = Way(stage.api_id, stage.domain, stage.account, route.key, stage.name)
    return payload_format.make_event(
        asked, way, context.extended_request_id, datetime.fromtimestamp(context.seconds, UTC),
        path_parameters=_path_parameters(route, request), stage_variables=stage.variables)


def make_event_1(stage: Stage, route: Route, request: HttpRequest,
                 context: Context) -> dict[str, Any]:
    """The event of payload format 1.0: a REST API's, with a version."""
    resource = rest.Resource("", DEFAULT if route.key == DEFAULT else route.path, {})
    event = rest.make_event(rest.Stage(
        stage.api_id, stage.name, stage.account, stage.region, rest.Deployment("", ()),
        stage.variables), resource, request, context)
    body, encoded = _body(request) if request.body else (None, False)
    for name in ("resourceId", "deploymentId"):
        del event["requestContext"][name]
    event["requestContext"] |= {"resourceId": route.key, "requestId": context.extended_request_id,
                                "path": stage.raw_path(request.path)}
    return {"version": "1.0", **event, "path": stage.raw_path(request.path),
            "pathParameters": _path_parameters(route, request) or None,
            "body": body, "isBase64Encoded": encoded}


def read_response(payload: bytes) -> HttpResponse | None:
    """What a function's result says in format 2.0, where all but a ``statusCode`` is a body."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(found, dict) or "statusCode" not in found:
        text = found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))
        return HttpResponse(200, [("Content-Type", "application/json")], text.encode())
    cookies = found.get("cookies") or []
    if not isinstance(cookies, list):
        return None
    response = _read({name: value for name, value in found.items() if name != "multiValueHeaders"})
    if response is None:
        return None
    return HttpResponse(response.status, [
        *response.headers, *(("Set-Cookie", str(cookie)) for cookie in cookies)], response.body)


def read_response_1(payload: bytes) -> HttpResponse | None:
    """The same in format 1.0, where nothing is taken for granted."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    return _read(found) if isinstance(found, dict) and "statusCode" in found else None


def _read(found: Mapping[str, Any]) -> HttpResponse | None:
    kept = {name: value for name, value in found.items() if name in rest.MEMBERS}
    response = rest.read_response(json.dumps(kept).encode(), HttpRequest("GET", "/"), ("*/*",))
    if response is not None and "content-type" not in last_of(
            [(name, "") for name in kept.get("headers") or {}]):
        given = [pair for pair in response.headers if pair[0] != "Content-Type"]
        return HttpResponse(response.status, [("Content-Type", "text/plain; charset=utf-8"), *given],
                            response.body)
    return response


def _route(stage: Stage, request: HttpRequest) -> Route | None:
    """The most specific route; of two for one path the one that names the method."""
    named = [route for route in stage.routes if route.verb in (request.method, "ANY")]
    path = paths.best((route.path for route in named), request.path)
    fitting = sorted((route for route in named if route.path == path),
                     key=lambda route: route.verb == "ANY")
    if path is not None and fitting:
        return fitting[0]
    return next((route for route in stage.routes if route.key == DEFAULT), None)


def _path_parameters(route: Route, request: HttpRequest) -> dict[str, str]:
    return (paths.match(route.path, request.path) or {}) if route.key != DEFAULT else {}


def _headers(stage: Stage, request: HttpRequest, context: Context) -> dict[str, str]:
    """By their names in lower case; several of one name in one, with commas."""
    length = ("content-length", str(len(request.body)))
    return joined(sorted([length, *((name.lower(), value) for name, value in request.forwarded(
        stage.domain, context.trace_header))], key=lambda header: header[0]))


def _body(request: HttpRequest) -> tuple[str, bool]:
    """A body as text, or in base64 if its type isn't one of texts."""
    media_type = (request.header("Content-Type") or "").split(";")[0].strip().lower()
    if _TEXT.match(media_type):
        return request.body.decode("utf-8", "replace"), False
    return base64.b64encode(request.body).decode(), True


def _failed() -> HttpResponse:
    return message(500, "Internal Server Error")
