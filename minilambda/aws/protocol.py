"""HTTP to parameters and back, by botocore's model of the Lambda API (protocol rest-json).

Stands for: AWS's *restJson1* protocol.
Leaves out: event streams, and members that live in a header map (the Lambda API has none we serve).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape
from moto.core.request import Request
from moto.core.serialize import RestJSONSerializer

from .. import errors
from ..errors import LambdaError
from .validation import check_types

Response = tuple[int, dict[str, str], bytes | str]


def incomplete(service: ServiceModel, request: Request
               ) -> tuple[OperationModel, dict[str, str]] | None:
    """The operation and the path's parts of a request that lacks something its query must have.

    moto's routing finds none then; AWS finds it, and says what is missing.
    """
    for name in service.operation_names:
        operation = service.operation_model(name)
        shape = operation.input_shape
        if operation.http["method"] != request.method or not any(
                shape.members[member].serialization.get("location") == "querystring"
                for member in (shape.required_members if shape else ())):
            continue
        path = operation.http["requestUri"].partition("?")[0]
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), request.path)
        if found:
            return operation, found.groupdict()
    return None


def read(operation: OperationModel, request: Request, uri: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a request, under the model's member names.

    Raises:
        LambdaError: SerializationException where the request isn't what the model says.
    """
    shape = operation.input_shape
    payload = shape.serialization.get("payload")
    params: dict[str, Any] = {}
    body: Mapping[str, Any] | None = None
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        key = member.serialization.get("name", name)
        if where == "uri":
            found: Any = _from_text(member, uri.get(key))
        elif where == "querystring":
            found = (request.args.getlist(key) or None) if member.type_name == "list" else (
                request.args.get(key))
            found = _from_text(member, found)
        elif where == "header":
            found = _from_text(member, request.headers.get(key))
        elif name == payload:
            found = request.data
        else:
            if body is None:
                body = _json_object(request.data)
            check_types(member, body.get(key))
            found = _decoded(member, body.get(key))
        if found is not None:
            params[name] = found
    return params


def write(operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """A result, serialised field by field from the model (fields it doesn't know are left out)."""
    shape = operation.output_shape
    payload = shape.serialization.get("payload") if shape else None
    if payload in result and shape.members[payload].type_name == "blob":
        return _write_blob(shape, result, result[payload])
    response = RestJSONSerializer(operation).serialize(result)
    status = response["status_code"]
    for name, member in (operation.output_shape.members if operation.output_shape else {}).items():
        if member.serialization.get("location") == "statusCode":  # moto leaves it at the default
            status = result.get(name, status)
    return status, dict(response["headers"]), response["body"]


def _write_blob(shape: Shape, result: Mapping[str, Any], body: bytes) -> Response:
    """Where the body is one member and the others are headers nothing has to be serialised."""
    status, headers = 200, {}
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        if where == "statusCode":
            status = result.get(name, status)
        elif where == "header" and result.get(name) is not None:
            headers[member.serialization["name"]] = str(result[name])
    return status, headers | {"Content-Type": "application/json"}, body


def write_error(service: ServiceModel, error: LambdaError) -> Response:
    """An error as the Lambda API answers it."""
    # AWS itself writes "Message" in some error shapes and "message" in others: ask the model.
    members = service.shape_for(error.code).members if error.code in service.shape_names else ()
    key = "Message" if "Message" in members else "message"
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    return error.status, headers, json.dumps(error.extra | {key: error.message})


def _json_object(data: bytes) -> Mapping[str, Any]:
    if not data:
        return {}
    try:
        body = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise errors.unreadable_request(
            f"Could not parse request body into json: {error}") from None
    if not isinstance(body, dict):
        raise errors.unreadable_request("Unexpected field type")
    return body


def _no_number(constant: str) -> None:
    raise ValueError(f"Non-standard token '{constant}'")  # Python would take NaN and Infinity


def _from_text(shape: Shape, text: Any) -> Any:
    if text is not None and shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise errors.unreadable_request(
                "STRING_VALUE can not be converted to an Integer") from None
    return text


def _decoded(shape: Shape, value: Any) -> Any:
    """Blobs travel as base64."""
    if value is None:
        return None
    if shape.type_name == "structure":
        return {name: _decoded(member, value[name]) for name, member in shape.members.items()
                if value.get(name) is not None}
    if shape.type_name == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise errors.unreadable_request(
                f"{shape.name} isn't valid base64: an SDK encodes it for you") from None
    return value
