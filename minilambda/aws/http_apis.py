"""HTTP APIs as moto keeps them, read for those who ask them.

Stands for: the control plane of *Amazon API Gateway* (version 2). AWS page: *Create an HTTP API* (quick
create: ``Target`` and ``RouteKey`` of CreateApi, which moto forgets).
Leaves out: deployments. A stage always serves the routes as they are (as with ``AutoDeploy``); one without
it is refused. WebSocket APIs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, apigatewayv2_backends
from moto.apigatewayv2.models import Route as StockRoute
from moto.apigatewayv2.responses import ApiGatewayV2Response

from ..apigateway import http_api
from ..apigateway.exchange import HttpRequest, HttpResponse, message


def install(swap: Callable[[object, str, object], None]) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    create_api, create_stage = ApiGatewayV2Response.create_api, ApiGatewayV2Backend.create_stage

    def created(response: ApiGatewayV2Response) -> Any:
        asked = json.loads(response.body)
        if asked.get("credentialsArn"):
            raise NotImplementedError("minilambda doesn't implement CredentialsArn (yet).")
        result = create_api(response)
        if target := asked.get("target"):
            api = response.apigatewayv2_backend.get_api(json.loads(result[2])["apiId"])
            integration = api.create_integration(
                connection_type="INTERNET", description="", integration_method="POST",
                integration_type="AWS_PROXY" if target.startswith("arn:") else "HTTP_PROXY",
                integration_uri=target, payload_format_version="2.0")
            api.create_route(False, [], asked.get("routeKey") or http_api.DEFAULT,
                             f"integrations/{integration.id}", authorization_type="NONE")
            api.create_stage({"stageName": http_api.DEFAULT, "autoDeploy": True})
        return result

    def staged(backend: ApiGatewayV2Backend, api_id: str, config: dict[str, Any]) -> Any:
        if backend.get_api(api_id).protocol_type == "HTTP" and not config.get("autoDeploy"):
            raise NotImplementedError("minilambda doesn't implement a stage that is deployed by hand "
                                      "(yet): create it with AutoDeploy=True.")
        return create_stage(backend, api_id, config)

    swap(ApiGatewayV2Response, "create_api", created)
    swap(ApiGatewayV2Backend, "create_stage", staged)


def find(account: str, api_id: str) -> Api | None:
    """The API of that id, in whichever region."""
    for backend in apigatewayv2_backends[account].values():
        if api_id in backend.apis:
            return backend.apis[api_id]
    return None


def answer(cloud: Any, api: Api, request: HttpRequest) -> HttpResponse:
    """Serve a request whose path begins with the stage, unless that is ``$default``."""
    if api.protocol_type != "HTTP":
        raise NotImplementedError("minilambda doesn't implement WebSocket APIs (yet).")
    _, name, *rest_of_path = request.path.split("/", 2)
    path = request.path
    if name in api.stages and name != http_api.DEFAULT:
        path = "/" + "".join(rest_of_path)
    else:
        name = http_api.DEFAULT
    stage = api.stages.get(name)
    if stage is None or api.disable_execute_api_endpoint:
        return message(404, "Not Found")
    unmet = next((what for what, asked in (
        ("an HTTP API's CORS configuration", api.cors_configuration),
        ("a stage's access log", stage.access_log_settings),
        ("a route's settings in a stage", stage.route_settings)) if asked), None)
    if unmet:
        raise NotImplementedError(f"minilambda doesn't implement {unmet} (yet).")
    asked = HttpRequest(request.method, path, request.raw_query, request.headers, request.body,
                        request.source_ip, request.protocol)
    return http_api.answer(cloud, http_api.Stage(
        api.api_id, name, api.backend.account_id, api.backend.region_name,
        tuple(_route(api, route) for route in api.routes.values()), dict(stage.stage_variables)),
        asked)


def _route(api: Api, route: StockRoute) -> http_api.Route:
    integration = api.integrations.get((route.target or "").removeprefix("integrations/"))
    if integration is None:
        return http_api.Route(route.route_key, unmet="a route without an integration")
    unmet = next((what for what, asked in (
        (f"the authorization {route.authorization_type}",
         (route.authorization_type or "NONE") != "NONE"),
        ("API keys", route.api_key_required),
        (f"the integration {integration.integration_type}",
         integration.integration_type != "AWS_PROXY" or integration.integration_subtype),
        ("an integration's credentials", integration.credentials_arn),
        ("parameter mapping", integration.request_parameters or integration.response_parameters),
    ) if asked), None)
    return http_api.Route(route.route_key, integration.integration_uri or "",
                          integration.payload_format_version or "1.0",
                          integration.timeout_in_millis / 1000, unmet)
