"""The extensions of one execution environment, as the engine knows them.

Stands for: AWS page *Using the Lambda Extensions API to create extensions*. What they say comes in as
messages, in whatever order this machine ran them. So that the same seed gives the same trace, what
they wrote and that they registered is told where all of them have arrived, in the order of their
names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import faults
from .faults import Fault
from .invocation import Invocation
from .sandbox import (
    ExtensionEnded, ExtensionFailed, ExtensionOutput, ExtensionReady, ExtensionRegistered, Message,
)
from .sandbox.extensions_api import MOST


@dataclass(eq=False, slots=True)
class Extension:
    """``state``: in AWS's words. ``problem``: why its program can't be started, if so."""

    name: str
    external: bool
    problem: str | None = None
    state: str = "Started"
    events: tuple[str, ...] = ()
    error_type: str | None = None
    alive: bool = True
    lines: list[str] = field(default_factory=list)

    @property
    def registered(self) -> bool:
        return self.state not in ("Started", "LaunchError")

    @property
    def log_line(self) -> str:
        fields = [f"EXTENSION\tName: {self.name}", f"State: {self.state}",
                  f"Events: [{','.join(self.events)}]"]
        if self.error_type:
            fields.append(f"Error Type: {self.error_type}")
        return "\t".join(fields)


class Extensions:
    """``problems``: names of external extensions -> why they can't be started, or None."""

    def __init__(self, problems: Mapping[str, str | None]) -> None:
        self._all = {name: Extension(name, True, problem) for name, problem in problems.items()}

    def __iter__(self):
        return iter(sorted(self._all.values(), key=lambda extension: extension.name))

    def __bool__(self) -> bool:
        """Has any registered? Only then is there a Shutdown phase."""
        return any(extension.registered for extension in self)

    def take(self, message: Message | str | None) -> bool:
        """Keep what an extension says. False: it isn't from one."""
        match message:
            case ExtensionRegistered(name, events, external):
                extension = self._all.setdefault(name, Extension(name, external))
                extension.state, extension.events = "Registered", events
            case ExtensionReady(name):
                self._all[name].state = "Ready"
            case ExtensionFailed(name, state, error_type):
                self._all[name].state, self._all[name].error_type = state, error_type
            case ExtensionEnded(name):
                self._all[name].alive = False
            case ExtensionOutput(name, lines):
                self._all[name].lines += lines
            case _:
                return False
        return True

    def tell_lines(self, log: Callable[[str], None]) -> None:
        """Log what they have written so far."""
        for extension in self:
            lines, extension.lines = extension.lines, []
            for line in lines:
                log(line)

    # -- Init ----------------------------------------------------------------------------------------

    def launch_fault(self, request_id: str) -> Fault | None:
        """Why not all can be started, if so."""
        for number, extension in enumerate(self):
            if number >= MOST:
                extension.problem, kind = "ErrTooManyExtensions", "TooManyExtensions"
            elif extension.problem:
                denied = extension.problem.endswith("permission denied")
                kind = "PermissionDenied" if denied else "UnknownError"
            else:
                continue
            extension.state, extension.error_type = "LaunchError", kind
            return faults.extension(request_id, "Extension.LaunchError", extension.problem)
        return None

    @property
    def external(self) -> list[str]:
        return [extension.name for extension in self if extension.external]

    @property
    def internal(self) -> list[str]:
        return [extension.name for extension in self if not extension.external]

    def all_registered(self) -> bool:
        return all(extension.registered for extension in self)

    def all_ready(self) -> bool:
        """Has each that registered asked for its next event?"""
        return all(extension.state in ("Ready", "Started") for extension in self)

    # -- Invoke --------------------------------------------------------------------------------------

    def at_work(self) -> bool:
        """Is an external one doing something, for all we know?"""
        return any(extension.external and extension.alive and extension.state != "Ready"
                   for extension in self)

    def begin_invoke(self) -> list[str]:
        """Names of those that are told of an invocation; the Invoke phase waits for them."""
        told = [extension for extension in self if "INVOKE" in extension.events]
        for extension in told:
            extension.state = "Running"
        return [extension.name for extension in told]

    @staticmethod
    def invoke_event(invocation: Invocation, deadline_ms: int) -> dict[str, Any]:
        event = {"eventType": "INVOKE", "deadlineMs": deadline_ms,
                 "requestId": invocation.request_id,
                 "invokedFunctionArn": invocation.invoked_arn}
        if invocation.tracing:
            event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": str(invocation.tracing.header)}
        return event

    def fault(self, ended: ExtensionEnded, request_id: str) -> Fault:
        """The end of an extension is the end of its environment."""
        said = {"InitError": "Extension.InitError", "ExitError": "Extension.ExitError"}
        kind = said.get(self._all[ended.name].state, "Extension.Crash")
        return faults.extension(request_id, kind, faults.exit_words(ended.code) or "exit code 0")

    # -- Shutdown ------------------------------------------------------------------------------------

    def begin_shutdown(self) -> tuple[list[str], list[str]]:
        """Names of the living external ones: those that are told, and those that are killed."""
        living = [extension for extension in self if extension.external and extension.alive]
        told = [extension.name for extension in living if "SHUTDOWN" in extension.events]
        return told, [extension.name for extension in living if extension.name not in told]

    def all_ended(self) -> bool:
        return not any(extension.external and extension.alive for extension in self)
