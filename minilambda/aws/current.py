"""Which cloud's Lambda API is being served. One at a time: moto's state is one a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import LambdaApi

_api: LambdaApi | None = None


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
