"""Requests to the Lambda API, as moto's routing hands them over.

Stands for: the HTTP side of the Lambda API; the operations are ``service``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel
from moto.core.responses import BaseResponse
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

from .. import errors
from ..errors import LambdaError
from . import protocol
from .current import installed
from .service import Caller, LambdaApi


class LambdaResponse(BaseResponse):
    """One request. moto's base class knows the caller's account and region."""

    use_raw_body = True  # a payload may be any bytes; moto would decode them

    def __init__(self) -> None:
        super().__init__(service_name="lambda")

    def call_action(self) -> protocol.Response:
        api = installed()
        request = self.normalized_request
        caller = Caller(self.current_account, self.region, request.host_url.rstrip("/"),
                        request.headers.get("X-Amzn-Trace-Id"),
                        request.headers.get("X-Minilambda-Appointment"))
        try:
            try:
                operation, uri = get_service_router("lambda").match(request)
            except NotFound:
                found = protocol.incomplete(get_service_model("lambda"), request)
                if found is None:
                    raise errors.not_implemented(
                        f"{request.method} {request.path} in the Lambda API") from None
                operation, uri = found
            self._operation = operation.name
            self._authenticate_and_authorize_normal_action()
            params = protocol.read(operation, request, uri)
        except LambdaError as error:
            return _refusal(api, error)
        return answer(api, operation, params, caller)

    def _get_action(self) -> str:
        return self._operation


def answer(api: LambdaApi, operation: OperationModel, params: Mapping[str, Any],
           caller: Caller) -> protocol.Response:
    """Carry a request out; status, headers and body of what is answered."""
    try:
        result = api.call(operation, params, caller)
    except LambdaError as error:
        return _refusal(api, error)
    request_id = result.pop("RequestId", None)
    status, headers, body = protocol.write(operation, result)
    return status, headers | {"x-amzn-RequestId": request_id or api.runtime.clock.uuid()}, body


def _refusal(api: LambdaApi, error: LambdaError) -> protocol.Response:
    status, headers, body = protocol.write_error(get_service_model("lambda"), error)
    # One drawn here, by whichever thread is first, would make the next one's a matter of luck.
    request_id = error.request_id or api.runtime.clock.uuid()
    return status, headers | {"x-amzn-RequestId": request_id}, body
