"""An HTTP request as an event of payload format 2.0, which HTTP APIs and function URLs share.

Stands for: that format. AWS pages: *Create AWS Lambda proxy integrations for HTTP APIs in API Gateway*
and *Invoking Lambda function URLs*. What a request hasn't isn't in its event. What is a text and what
a function's result says is each service's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``headers``: names in lower case, several of one name joined (see :func:`joined`);
    ``body``: as text or in base64, and which of the two; None if there is none."""

    method: str
    path: str
    raw_query: str
    query: Iterable[tuple[str, str]]
    headers: Mapping[str, str]
    body: tuple[str, bool] | None
    source_ip: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Way:
    """What it came in by. ``account``: whose event it is; ``domain``: the host, without a port."""

    api_id: str
    domain: str
    account: str
    route_key: str = "$default"
    stage: str = "$default"
    authorizer: Mapping[str, Any] | None = None


def make_event(asked: Asked, way: Way, request_id: str, now: datetime, *,
               path_parameters: Mapping[str, str] | None = None,
               stage_variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    headers = dict(asked.headers)
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    context: dict[str, Any] = {
        "accountId": way.account, "apiId": way.api_id, "domainName": way.domain,
        "domainPrefix": way.domain.partition(".")[0],
        "http": {"method": asked.method, "path": asked.path, "protocol": asked.protocol,
                 "sourceIp": asked.source_ip, "userAgent": headers.get("user-agent", "")},
        "requestId": request_id, "routeKey": way.route_key, "stage": way.stage,
        "time": f"{now:%d/%b/%Y:%H:%M:%S} +0000", "timeEpoch": round(now.timestamp() * 1000)}
    if way.authorizer is not None:
        context["authorizer"] = way.authorizer
    body, encoded = asked.body or (None, False)
    event = {
        "version": "2.0", "routeKey": way.route_key, "rawPath": asked.path,
        "rawQueryString": asked.raw_query, "cookies": cookies or None, "headers": headers,
        "queryStringParameters": joined(asked.query) or None, "requestContext": context,
        "pathParameters": path_parameters or None,
        "stageVariables": dict(stage_variables or {}) or None,
        "body": body, "isBase64Encoded": encoded}
    return {name: value for name, value in event.items() if value is not None}


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name; those of one that is there more than once joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
