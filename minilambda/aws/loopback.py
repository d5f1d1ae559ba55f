"""No request leaves this machine.

Stands for: nothing of AWS's. A botocore handler that looks at every request just before it is sent.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError


class RealAWSRefused(BotoCoreError):
    """A request was about to leave this machine."""

    fmt = ("minilambda stopped a request to {host}: while its cloud is on, nothing reaches real "
           "AWS. Use the cloud's endpoint (AWS_ENDPOINT_URL), or close the cloud first.")


def refuse_outside(request: Any, **kwargs: Any) -> None:
    """Handler of botocore's event ``before-send``.

    Raises:
        RealAWSRefused: the request isn't for a loopback address. Raised before anything, even a
            name lookup, happens.
    """
    host = urlsplit(request.url).hostname or ""
    if not is_loopback(host):
        raise RealAWSRefused(host=host)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
