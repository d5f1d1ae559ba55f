"""What an execution environment tells the engine.

Each is one step of a runtime's conversation with the Runtime API, or what the supervisor saw of its
process. They arrive on the sandbox's own thread and are handed to one receiver, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Started:
    """The runtime is up; none of the function's code has run yet (if the runtime is ours)."""


@dataclass(frozen=True, slots=True)
class Next:
    """GET /invocation/next: initialised, or done with the last event."""


@dataclass(frozen=True, slots=True)
class InitError:
    error_type: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Response:
    request_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    request_id: str
    error_type: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Sleep:
    """Code asked to sleep. It stays stopped until ``wake`` is called (from any thread).

    ``until``: if not None, it sleeps till then, ``(began, end)`` in ns since 1970, unless the
    present is no longer ``began``. ``wanted``: False if it has given up meanwhile.
    """

    seconds: float
    wake: Callable[[], None]
    until: tuple[int, int] | None = None
    wanted: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Code that slept runs on, as what it waited for has come."""


@dataclass(frozen=True, slots=True)
class Usage:
    """``peak_mb``: most memory so far. ``cpu``: seconds of CPU so far, by the number of threads
    that had them at once (see ``processor``).
    """

    peak_mb: float
    cpu: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.cpu)


@dataclass(frozen=True, slots=True)
class Exit:
    """The main process ended: exit code (negative: by that signal), and why we killed it, if so.

    ``cpu``: what it used in all, as in :class:`Usage`.
    """

    code: int
    reason: str | None
    peak_mb: float
    cpu: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """Complete lines that the function wrote to its standard output or error."""

    lines: tuple[str, ...]


Message = Started | Next | InitError | Response | Failure | Sleep | GaveUp | Usage | Exit | Output
