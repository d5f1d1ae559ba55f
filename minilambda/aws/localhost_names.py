"""Names below ``localhost`` are this machine, for this process too.

Stands for: DNS, for function URLs. That such names are loopback is RFC 6761's rule (section 6.3), which
browsers and curl follow, and which the C library that Python asks doesn't everywhere.
"""

from __future__ import annotations

import socket
from typing import Any

_stock = socket.getaddrinfo
_applied = 0


def apply() -> None:
    """From now on they are looked up as 127.0.0.1; each call wants a :func:`restore`."""
    global _applied
    _applied += 1
    socket.getaddrinfo = _getaddrinfo


def restore() -> None:
    global _applied
    _applied -= 1
    if not _applied:
        socket.getaddrinfo = _stock


def _getaddrinfo(host: Any, *arguments: Any, **options: Any) -> list[Any]:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str) and name.lower().rstrip(".").endswith(".localhost"):
        host = "127.0.0.1"
    return _stock(host, *arguments, **options)
