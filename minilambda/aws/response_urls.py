"""The URLs at which CloudFormation takes what functions say of custom resources.

Stands for: presigned URLs of a bucket of CloudFormation's. AWS page: *CloudFormation custom resource
request and response reference*.
Leaves out: the bucket. A URL takes one PUT, and is over when CloudFormation waits no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

PATH = "/cloudformation-custom-resource-response-"
_EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


class ResponseUrls:
    """Who takes responses now: signature and body, and whether anybody waited for it."""

    put: Callable[[str, bytes], bool] | None = None


urls = ResponseUrls()


def answer(environ: Mapping[str, Any]) -> tuple[int, bytes] | None:
    """Status and body for a request to such a URL; None: it is to something else."""
    if not environ.get("PATH_INFO", "").startswith(PATH):
        return None
    signature = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Signature", [""])[0]
    if environ.get("REQUEST_METHOD") == "PUT" and urls.put is not None and urls.put(
            signature, environ["wsgi.input"].read()):
        return 200, b""
    return 403, _EXPIRED
