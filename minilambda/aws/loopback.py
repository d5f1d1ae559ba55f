"""No request leaves this machine.

Stands for: nothing of AWS's. A botocore handler that looks at every request just before it is sent.
"""

from __future__ import annotations

import ipaddress
import os
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError


# The one other machine that requests may go to: set by the guard of a cloud that is served there.
HOST_VARIABLE = "MINILAMBDA_HOST"


class RealAWSRefused(BotoCoreError):
    """A request was about to leave this machine."""

    fmt = ("minilambda stopped a request to {host}: while its cloud is on, nothing reaches real "
           "AWS. Use the cloud's endpoint (AWS_ENDPOINT_URL), or close the cloud first.")


def refuse_outside(request: Any, **kwargs: Any) -> None:
    """Handler of botocore's event ``before-send``.

    Raises:
        RealAWSRefused: the request isn't for a loopback address, nor for the machine that serves
            the cloud this process is connected to. Raised before anything, even a
            name lookup, happens.
    """
    host = urlsplit(request.url).hostname or ""
    if not (is_loopback(host) or host == os.environ.get(HOST_VARIABLE, "")):
        raise RealAWSRefused(host=host)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
