"""The Lambda API's operations on function URLs: parameters in, result out.

Stands for: *CreateFunctionUrlConfig* and its siblings of the Lambda API reference.

What a function URL *is* lives in ``minilambda.function_urls``; ``url_requests`` serves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .. import errors
from ..function import FunctionConfiguration
from ..function_urls import FunctionUrl, FunctionUrls


class UrlOperations:
    """The part of ``service.LambdaApi`` that is about function URLs."""

    runtime: Any

    def CreateFunctionUrlConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        url = self._urls.create(*self._url_of(params, caller, "CreateFunctionUrlConfig"), params)
        return _without(_describe(url, caller), "LastModifiedTime")

    def GetFunctionUrlConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return _describe(self._urls.get(*self._url_of(params, caller, "GetFunctionUrlConfig")), caller)

    def UpdateFunctionUrlConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return _describe(self._urls.update(
            *self._url_of(params, caller, "UpdateFunctionUrlConfig"), params), caller)

    def DeleteFunctionUrlConfig(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        self._urls.delete(*self._url_of(params, caller, "DeleteFunctionUrlConfig"))
        return {}

    def ListFunctionUrlConfigs(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        latest, _ = self._url_of(params, caller, "ListFunctionUrlConfigs")
        page, marker = self._urls.list(latest, params.get("Marker"), params.get("MaxItems"))
        return {"FunctionUrlConfigs": [_describe(url, caller) for url in page]} | (
            {"NextMarker": marker} if marker else {})

    @property
    def _urls(self) -> FunctionUrls:
        return self.runtime.registry.urls

    def _url_of(self, params: Mapping[str, Any], caller: Any, operation: str
                ) -> tuple[FunctionConfiguration, str | None]:
        try:
            return self.runtime.registry.named(
                caller.account, caller.region, params["FunctionName"], params.get("Qualifier"),
                action=f"lambda:{operation}")
        except errors.LambdaError as error:
            if error.code != "ResourceNotFoundException" or not operation.startswith("Create"):
                raise
            raise errors.LambdaError(error.code, "Function does not exist", 404) from None


def _describe(url: FunctionUrl, caller: Any) -> dict[str, Any]:
    """Its address has the port by which the request came."""
    port = urlsplit(caller.endpoint).port
    return {
        "FunctionUrl": f"http://{url.host}{f':{port}' if port else ''}/",
        "FunctionArn": url.function_arn, "AuthType": url.auth_type,
        "CreationTime": url.created, "LastModifiedTime": url.modified, "InvokeMode": "BUFFERED",
    } | ({"Cors": dict(url.cors)} if url.cors else {})


def _without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}
