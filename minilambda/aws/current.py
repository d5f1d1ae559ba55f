"""Which cloud's Lambda API is being served, and whom it is serving.

One cloud at a time: moto's state is one a process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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


@contextlib.contextmanager
def as_service(name: str, failure: Callable[[str], Exception]) -> Iterator[None]:
    """Inside, moto is asked by a service of AWS's, in a step of the clock, which is not to stop for it.

    Whatever moto raises becomes a ``failure`` that says so. One that is raised as such stays as it is.
    """
    before = asking.set(Asking(service=name))
    try:
        yield
    except Exception as problem:
        made = failure(f"{type(problem).__name__}: {problem}")
        if isinstance(problem, type(made)):
            raise
        raise made from problem
    finally:
        asking.reset(before)


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
