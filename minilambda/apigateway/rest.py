"""A REST API that hands requests to functions: event in, response out.

Stands for: Lambda proxy integration (``AWS_PROXY``) of REST APIs. AWS pages: *Lambda proxy integrations
in API Gateway* (input and output format), *Gateway response types for API Gateway*, *Binary media types
for REST APIs in API Gateway*, *Amazon API Gateway quotas* (29 s).
Leaves out: what ``apigateway`` leaves out; the headers that CloudFront adds for edge-optimized APIs.

An API is asked by its deployment: what has changed since isn't there yet.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..callers import NotPermitted
from ..errors import LambdaError
from ..frontend import StillRunning
from . import paths
from .exchange import ApiStage, Context, HttpRequest, HttpResponse, Pairs, last_of, message

TIMEOUT = 29.0  # seconds an integration has at the most
_FUNCTION = re.compile(r"arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
                       r"(?P<function>[^/]+)/invocations")
_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_NO_IDENTITY = dict.fromkeys((
    "cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp",
    "principalOrgId", "accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider",
    "userArn", "userAgent", "user"))


@dataclass(frozen=True, slots=True)
class Method:
    """``integration``: its type; ``unmet``: what else it asks for that isn't implemented."""

    integration: str | None
    uri: str = ""
    timeout: float = TIMEOUT
    unmet: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    id: str
    path: str
    methods: Mapping[str, Method]


@dataclass(frozen=True, slots=True)
class Deployment:
    """An API's resources as they were when it was deployed."""

    id: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Stage(ApiStage):
    """One stage of an API, ready to be asked."""

    deployment: Deployment
    variables: Mapping[str, str] = field(default_factory=dict)
    binary_media_types: tuple[str, ...] = ()


def answer(cloud: Any, stage: Stage, request: HttpRequest) -> HttpResponse:
    """Serve a request; waits on the clock until its function has answered.

    Raises:
        NotImplementedError: for a method that asks for more than a Lambda proxy integration.
    """
    context = Context.new(cloud.clock, request.header("X-Amzn-Trace-Id"))
    found = paths.best((r.path for r in stage.deployment.resources if _method(r, request)),
                       request.path)
    if found is None:
        return message(403, "Missing Authentication Token", "MissingAuthenticationTokenException",
                       request_id=context.request_id)
    resource = next(r for r in stage.deployment.resources if r.path == found)
    verb, method = _method(resource, request)
    function = _function(method, stage, verb, resource)
    caller = stage.caller(cloud, f"{verb.replace('ANY', '*')}{_pattern(resource.path)}")
    event = make_event(stage, resource, request, context)
    try:
        outcome = caller.invoke(function, json.dumps(event).encode(), patience=method.timeout,
                                trace_header=context.trace_header)
    except StillRunning:
        return message(504, "Endpoint request timed out", "InternalServerErrorException",
                       space=" ", request_id=context.request_id)
    except LambdaError as error:
        if error.status == 413:
            return message(413, "Request Too Long", "RequestTooLargeException",
                           request_id=context.request_id)
        return _failed(500, context)  # throttled, say
    except NotPermitted:
        return _failed(500, context)
    if outcome.failed:
        return _failed(502, context)
    response = read_response(outcome.payload, request, stage.binary_media_types)
    if response is None:
        return _failed(502, context)
    ours = [("x-amzn-RequestId", context.request_id), ("x-amz-apigw-id",
            context.extended_request_id), ("X-Amzn-Trace-Id", context.trace_header)]
    return HttpResponse(response.status, [*response.headers, *ours], response.body)


def make_event(stage: Stage, resource: Resource, request: HttpRequest,
               context: Context) -> dict[str, Any]:
    """The event as AWS's page has it, member by member."""
    headers = sorted(request.forwarded(stage.domain, context.trace_header),
                     key=lambda header: header[0].lower())
    binary = _is_binary(request.header("Content-Type"), stage.binary_media_types)
    body = (base64.b64encode(request.body).decode() if binary
            else request.body.decode("utf-8", "replace"))
    return {
        "resource": resource.path, "path": request.path, "httpMethod": request.method,
        "headers": dict(headers), "multiValueHeaders": _several(headers),
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _several(request.query) or None,
        "pathParameters": paths.match(resource.path, request.path) or None,
        "stageVariables": dict(stage.variables) or None,
        "requestContext": {
            "resourceId": resource.id, "resourcePath": resource.path,
            "httpMethod": request.method, "extendedRequestId": context.extended_request_id,
            "requestTime": context.request_time, "path": f"/{stage.name}{request.path}",
            "accountId": stage.account, "protocol": request.protocol, "stage": stage.name,
            "domainPrefix": stage.api_id, "requestTimeEpoch": round(context.seconds * 1000),
            "requestId": context.request_id,
            "identity": _NO_IDENTITY | {"sourceIp": request.source_ip,
                                        "userAgent": request.header("User-Agent")},
            "domainName": stage.domain, "deploymentId": stage.deployment.id,
            "apiId": stage.api_id,
        },
        "body": body or None, "isBase64Encoded": binary and bool(body),
    }


def read_response(payload: bytes, request: HttpRequest,
                  binary_media_types: tuple[str, ...]) -> HttpResponse | None:
    """What a function's result says, None if it is malformed.

    No member must be there, but no other one may.
    """
    try:
        found = json.loads(payload)
        if not isinstance(found, dict) or not found.keys() <= MEMBERS:
            return None
        status, body = found.get("statusCode"), found.get("body")
        status = 200 if status is None else int(status)
        headers, encoded = _headers(found), found.get("isBase64Encoded")
    except (ValueError, TypeError):
        return None
    if headers is None or not 100 <= status <= 599 or encoded not in (None, True, False):
        return None
    if body is not None and not isinstance(body, str):
        return None
    data = (body or "").encode()
    accept = (request.header("Accept") or "*/*").split(",")[0]
    if encoded and _is_binary(accept, binary_media_types):
        try:
            data = base64.b64decode(data, validate=True)
        except ValueError:
            return None
    if "content-type" not in last_of(headers):
        headers = [("Content-Type", "application/json"), *headers]
    return HttpResponse(status, headers, data)


def _headers(found: Mapping[str, Any]) -> Pairs | None:
    """``headers`` and ``multiValueHeaders``, of which the latter win; None if malformed."""
    single, several = ({} if found.get(name) is None else found[name]
                       for name in ("headers", "multiValueHeaders"))
    if not isinstance(single, dict) or not isinstance(several, dict):
        return None
    if not all(isinstance(values, list) for values in several.values()):
        return None
    taken = {name.lower() for name in several}
    pairs = [(name, value) for name, value in single.items() if name.lower() not in taken]
    pairs += [(name, value) for name, values in several.items() for value in values]
    if any(isinstance(value, dict | list) for _, value in pairs):
        return None
    return [(name, _text(value)) for name, value in pairs]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _method(resource: Resource, request: HttpRequest) -> tuple[str, Method] | None:
    for verb in (request.method, "ANY"):
        if verb in resource.methods:
            return verb, resource.methods[verb]
    return None


def _function(method: Method, stage: Stage, verb: str, resource: Resource) -> str:
    """The ARN of the function that a method's integration names."""
    uri = _VARIABLE.sub(lambda name: stage.variables.get(name[1], ""), method.uri)
    found = _FUNCTION.fullmatch(uri)
    unmet = method.unmet or (None if found and method.integration == "AWS_PROXY"
                             else f"the integration {method.integration} {uri}".rstrip())
    if unmet:
        raise NotImplementedError(f"minilambda doesn't implement {unmet} of {verb} {resource.path} "
                                  "(yet): an AWS_PROXY integration with a function works.")
    return found["function"]


def _pattern(path: str) -> str:
    """A resource's path as ARNs have it: a variable is a star."""
    return re.sub(r"\{[^/]+\}", "*", path)


def _is_binary(media_type: str | None, binary: tuple[str, ...]) -> bool:
    wanted = (media_type or "").split(";")[0].strip().lower()
    return "*/*" in binary or (bool(wanted) and wanted in {name.lower() for name in binary})


def _several(pairs: Pairs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _failed(status: int, context: Context) -> HttpResponse:
    return message(status, "Internal server error", "InternalServerErrorException", space=" ",
                   request_id=context.request_id)
