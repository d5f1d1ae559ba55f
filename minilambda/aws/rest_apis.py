"""REST APIs as moto keeps them, read for those who ask them.

Stands for: the control plane of *Amazon API Gateway* (version 1); a deployment is a snapshot. AWS
page: *Deploy REST APIs in API Gateway*.
Leaves out: canaries; what a request needs beyond is refused when it is made (see ``apigateway``).

Two of moto's ways are put right: it forgets an API's binary media types, and takes AWS's way of
changing them (``add`` ``/binaryMediaTypes/image~1png``) for an empty one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from moto.apigateway.models import Deployment as StockDeployment
from moto.apigateway.models import Method as StockMethod
from moto.apigateway.models import RestAPI, apigateway_backends
from moto.apigateway.models import Stage as StockStage
from moto.apigateway.responses import APIGatewayResponse

from ..apigateway import rest
from ..apigateway.exchange import HttpRequest, HttpResponse, message

_KEPT = "minilambda_deployed"
_media_types: ContextVar[list[str] | None] = ContextVar("media types", default=None)


def install(swap: Callable[[object, str, object], None]) -> None:
    """Keep what is deployed; ``swap`` sets an attribute until the cloud is closed."""
    stock = RestAPI.create_deployment

    def create_deployment(api: RestAPI, *args: Any, **kwargs: Any) -> StockDeployment:
        made = stock(api, *args, **kwargs)
        setattr(made, _KEPT, _snapshot(api, made))
        return made

    swap(RestAPI, "create_deployment", create_deployment)
    swap(APIGatewayResponse, "create_rest_api", _create(APIGatewayResponse.create_rest_api))
    swap(RestAPI, "__init__", _initialize(RestAPI.__init__))
    swap(RestAPI, "apply_patch_operations", _patch(RestAPI.apply_patch_operations))


def _create(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create_rest_api(response: APIGatewayResponse) -> Any:
        if response._get_param("cloneFrom"):
            raise NotImplementedError("minilambda doesn't implement cloneFrom (yet).")
        before = _media_types.set(response._get_param("binaryMediaTypes"))
        try:
            return stock(response)
        finally:
            _media_types.reset(before)

    return create_rest_api


def _initialize(stock: Callable[..., None]) -> Callable[..., None]:
    def __init__(api: RestAPI, *args: Any, **kwargs: Any) -> None:
        stock(api, *args, **{RestAPI.PROP_BINARY_MEDIA_TYPES: _media_types.get()} | kwargs)

    return __init__


def _patch(stock: Callable[..., None]) -> Callable[..., None]:
    def apply_patch_operations(api: RestAPI, patch_operations: list[dict[str, Any]]) -> None:
        for operation in patch_operations:
            _, name, *rest_of_path = operation["path"].split("/", 2)
            if name == RestAPI.PROP_BINARY_MEDIA_TYPES and rest_of_path:
                media_type = rest_of_path[0].replace("~1", "/").replace("~0", "~")
                kept = [kept for kept in api.binaryMediaTypes if kept != media_type]
                new = {"remove": None, "replace": operation.get("value")}.get(
                    operation["op"], media_type)
                api.binaryMediaTypes = [*kept, new] if new else kept
            else:
                stock(api, [operation])
                if name == RestAPI.PROP_DISABLE_EXECUTE_API_ENDPOINT:
                    api.disableExecuteApiEndpoint = operation["value"] == "true"

    return apply_patch_operations


def find(account: str, api_id: str) -> RestAPI | None:
    """The API of that id, in whichever region."""
    for backend in apigateway_backends[account].values():
        if api_id in backend.apis:
            return backend.apis[api_id]
    return None


def answer(cloud: Any, api: RestAPI, request: HttpRequest) -> HttpResponse:
    """Serve a request whose path begins with the stage."""
    _, name, *rest_of_path = request.path.split("/", 2)
    stage = api.stages.get(name)
    deployed = stage and api.deployments.get(stage.deployment_id)
    if deployed is None or api.disableExecuteApiEndpoint:
        return message(403, "Forbidden", "ForbiddenException", request_id=cloud.clock.uuid())
    if unmet := _unmet(api, stage):
        raise NotImplementedError(f"minilambda doesn't implement {unmet} (yet).")
    asked = HttpRequest(request.method, "/" + "".join(rest_of_path), request.raw_query,
                        request.headers, request.body, request.source_ip, request.protocol)
    return rest.answer(cloud, rest.Stage(
        api.id, stage.name, api.account_id, api.region_name, getattr(deployed, _KEPT),
        dict(stage.variables), tuple(api.binaryMediaTypes)), asked)


def _unmet(api: RestAPI, stage: StockStage) -> str | None:
    """What an API or a stage asks for that isn't there; the first of it."""
    return next((what for what, asked in (
        ("resource policies of REST APIs", api.policy),
        ("compression of REST APIs' responses", api.minimum_compression_size is not None),
        ("a stage's cache", stage.cache_cluster_enabled),
        ("a stage's method settings", stage.method_settings),
        ("a stage's X-Ray tracing", stage.tracing_enabled),
        ("a stage's access log", stage.access_log_settings)) if asked), None)


def _snapshot(api: RestAPI, deployment: StockDeployment) -> rest.Deployment:
    return rest.Deployment(deployment.id, tuple(
        rest.Resource(resource.id, resource.get_path(), {
            verb: _method(method) for verb, method in resource.resource_methods.items()})
        for resource in api.resources.values()))


def _method(method: StockMethod) -> rest.Method:
    integration = method.method_integration
    unmet = next((what for what, asked in (
        (f"the authorization {method.authorization_type}",
         (method.authorization_type or "NONE") != "NONE"),
        ("API keys", method.api_key_required),
        ("request validators", method.request_validator_id),
        ("an integration's credentials", integration and integration.credentials),
        ("an integration's request parameters", integration and integration.request_parameters),
        ("an integration's contentHandling", integration and integration.content_handling),
    ) if asked), None)
    if integration is None:
        return rest.Method(None, unmet=unmet or "a method without an integration")
    millis = integration.timeout_in_millis
    return rest.Method(integration.integration_type, integration.uri or "",
                       int(millis) / 1000 if millis else rest.TIMEOUT, unmet)
