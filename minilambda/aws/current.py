"""Which cloud's Lambda API is being served, and whom it is serving.

One cloud at a time: moto's state is one a process.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .service import LambdaApi

_api: LambdaApi | None = None

class Asking(NamedTuple):
    """Whose request is being served: a function's, or the reader's; and of which service it asks."""

    function: str = ""
    environment: str | None = None
    service: str | None = None


asking: ContextVar[Asking] = ContextVar("asking", default=Asking())


def serve(api: LambdaApi | None) -> None:
    """From now on this API answers (None: no cloud is on)."""
    global _api
    _api = api


def installed() -> LambdaApi:
    """The API being served.

    Raises:
        RuntimeError: no cloud is on.
    """
    if _api is None:
        raise RuntimeError("no cloud is on: start one with Cloud()")
    return _api
