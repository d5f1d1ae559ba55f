"""Requests to the Lambda API, as moto's routing hands them over.

Stands for: the HTTP side of the Lambda API; the operations are ``service``'s.
"""

from __future__ import annotations

from moto.core.responses import BaseResponse
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

from .. import errors
from ..errors import LambdaError
from . import protocol
from .current import installed
from .service import Caller


class LambdaResponse(BaseResponse):
    """One request. moto's base class knows the caller's account and region."""

    use_raw_body = True  # a payload may be any bytes; moto would decode them

    def __init__(self) -> None:
        super().__init__(service_name="lambda")

    def call_action(self) -> protocol.Response:
        api = installed()
        request = self.normalized_request
        caller = Caller(self.current_account, self.region, request.host_url.rstrip("/"),
                        request.headers.get("X-Amzn-Trace-Id"))
        request_id = None
        try:
            try:
                operation, uri = get_service_router("lambda").match(request)
            except NotFound:
                raise errors.not_implemented(
                    f"{request.method} {request.path} in the Lambda API") from None
            self._operation = operation.name
            self._authenticate_and_authorize_normal_action()
            params = protocol.read(operation, request, uri)
            result = api.call(operation, params, caller)
            request_id = result.pop("RequestId", None)
            response = protocol.write(operation, result)
        except LambdaError as error:
            response = protocol.write_error(get_service_model("lambda"), error)
        status, headers, body = response
        return status, headers | {
            "x-amzn-RequestId": request_id or api.runtime.clock.uuid()}, body

    def _get_action(self) -> str:
        return self._operation
