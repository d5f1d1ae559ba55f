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
    that had them at once (see ``processor``). ``busy``: if that was asked, does any of its threads
    run, or want to?
    """

    peak_mb: float
    cpu: tuple[float, ...]
    busy: bool = False

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
class RuntimeExit:
    """The runtime's process ended; extensions live on. ``code`` as for :class:`Exit`."""

    code: int


@dataclass(frozen=True, slots=True)
class ExtensionRegistered:
    """``external``: a program of its own; else a part of the runtime's process."""

    name: str
    events: tuple[str, ...]
    external: bool


@dataclass(frozen=True, slots=True)
class ExtensionReady:
    """GET /extension/event/next: initialised, or done with the last event."""

    name: str


@dataclass(frozen=True, slots=True)
class ExtensionFailed:
    """It says itself that it has failed. ``state``: ``InitError`` or ``ExitError``."""

    name: str
    state: str
    error_type: str


@dataclass(frozen=True, slots=True)
class ExtensionEnded:
    """Its process ended. ``code`` as for :class:`Exit`."""

    name: str
    code: int


@dataclass(frozen=True, slots=True)
class ExtensionOutput:
    """Complete lines that an external extension wrote."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """Complete lines that the function wrote to its standard output or error."""

    lines: tuple[str, ...]


FromExtension = (ExtensionRegistered | ExtensionReady | ExtensionFailed | ExtensionEnded
                 | ExtensionOutput)
Message = (Started | Next | InitError | Response | Failure | Sleep | GaveUp | Usage | Exit | Output
           | RuntimeExit | FromExtension)
