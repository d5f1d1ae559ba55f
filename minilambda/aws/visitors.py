"""Web pages of strangers stay outside: a browser on this machine reaches loopback, too.

Stands for: what AWS has signatures for. Here nobody checks those, so any page open in a browser could
ask the endpoint to run code. Two headers that no page can forge say who asks: ``Origin`` (a request
that one site's page makes to another's) and ``Host`` (a name that was made to point here, "DNS
rebinding").
Leaves out: everybody who isn't a browser; for them there is the loopback address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .loopback import is_loopback

# Names that nobody on the internet can have, or point here.
_NOBODYS = (".internal", ".local", ".test", ".amazonaws.com")


def objection(environ: Mapping[str, Any], on_loopback: bool) -> str | None:
    """Why a request of an AWS API (as WSGI has it) is refused, if it is.

    ``on_loopback``: the endpoint can be reached from this machine only.
    """
    name, origin = _hostname(environ), environ.get("HTTP_ORIGIN")
    if on_loopback and _could_be_a_strangers(name):
        return (f"Host {name!r} isn't a name of this machine. Use http://127.0.0.1:<port>, or serve "
                "other machines as well: minilambda serve --host 0.0.0.0")
    if origin is not None:
        host = urlsplit(origin).hostname or ""
        if not (is_loopback(host) or (host and host == name)):
            return f"pages of {origin!r} may not use this endpoint"
    return None


def objection_to_control(environ: Mapping[str, Any], on_loopback: bool) -> str | None:
    """The same for ``/_minilambda``, which no page but the endpoint's own may ask."""
    host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
    if on_loopback and not is_loopback(_hostname(environ)):
        return f"Host {host!r} isn't this machine's: use http://127.0.0.1:<port>"
    if origin is not None and urlsplit(origin).netloc != host:
        return f"pages of {origin!r} may not control this cloud"
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return "pages of other sites may not control this cloud"
    return None


def _hostname(environ: Mapping[str, Any]) -> str:
    try:
        return urlsplit("//" + environ.get("HTTP_HOST", "")).hostname or ""
    except ValueError:
        return ""


def _could_be_a_strangers(name: str) -> bool:
    if is_loopback(name) or name.endswith(_NOBODYS):
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." in name
    return False
