"""A clean error in the shape that the asked service's protocol has.

Stands for: AWS's error responses, for failures that moto would answer with an HTML page, on which
an SDK would retry for seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

_XML_SERVICES = {"s3", "s3-outposts", "cloudfront", "route53"}


def refuse(environ: Mapping[str, Any], service: str | None, status: int, code: str, message: str,
           request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an error response.

    ``environ`` is the request's WSGI environment: it tells which protocol the client speaks.
    """
    headers = [("x-amzn-RequestId", request_id)]
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        body = b"\xa2" + b"".join(
            map(_cbor_text, ("__type", code, "message", message)))
        headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    elif form and service == "ec2":
        body = _xml(f"<Response><Errors><Error>{_code(code, message)}</Error></Errors>"
                    f"<RequestID>{request_id}</RequestID></Response>")
        headers.append(("Content-Type", "text/xml"))
    elif form:
        body = _xml(f"<ErrorResponse><Error><Type>Receiver</Type>{_code(code, message)}</Error>"
                    f"<RequestId>{request_id}</RequestId></ErrorResponse>")
        headers.append(("Content-Type", "text/xml"))
    elif service is None or service in _XML_SERVICES:
        body = _xml(f"<Error>{_code(code, message)}<RequestId>{request_id}</RequestId></Error>")
        headers.append(("Content-Type", "application/xml"))
    elif service == "lambda":
        body = json.dumps({"Type": "User" if status < 500 else "Service",
                           "message": message}).encode()
        headers += [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    else:
        body = json.dumps({"__type": code, "message": message}).encode()
        headers += [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    return status, headers, body


def _code(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _xml(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def _cbor_text(text: str) -> bytes:
    """A text string in CBOR (RFC 8949, major type 3)."""
    data = text.encode()
    if len(data) < 24:
        return bytes([0x60 | len(data)]) + data
    return b"\x79" + len(data).to_bytes(2, "big") + data
