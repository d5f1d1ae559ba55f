"""When a function gets a new version of its managed runtime.

Stands for: GetRuntimeManagementConfig, PutRuntimeManagementConfig and *RuntimeVersionConfig*. AWS page:
*Understanding how Lambda manages runtime version updates*.
Leaves out: updates. Here a runtime has one version, the interpreter on this machine, so all three
modes come to the same, and Manual takes that version only.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from .errors import invalid
from .function import FunctionConfiguration
from .versions import Key, key_of

AUTO, MANUAL = "Auto", "Manual"


def runtime_version(function: FunctionConfiguration) -> str:
    """The ARN of the one version of its runtime: it depends on the runtime's name only."""
    digest = hashlib.sha256(function.runtime.encode()).hexdigest()
    return f"arn:aws:lambda:{function.region}::runtime:{digest}"


class RuntimeManagement:
    """Every function version has a mode of its own; Auto unless said otherwise."""

    def __init__(self) -> None:
        self._modes: dict[tuple[Key, str], str] = {}
        self._lock = threading.Lock()

    def get(self, function: FunctionConfiguration) -> str:
        """Auto, Manual or FunctionUpdate."""
        with self._lock:
            return self._modes.get((key_of(function), function.version), AUTO)

    def put(self, function: FunctionConfiguration, mode: str, runtime: str | None) -> None:
        """``runtime``: the version's ARN, for Manual.

        Raises:
            LambdaError: the wording is ours.
        """
        if mode == MANUAL and not runtime:
            raise invalid("UpdateRuntimeOn Manual needs a RuntimeVersionArn.")
        if mode != MANUAL and runtime:
            raise invalid("RuntimeVersionArn goes with UpdateRuntimeOn Manual only.")
        if runtime and runtime != runtime_version(function):
            raise invalid(f"The runtime version {runtime} isn't one of {function.runtime}.")
        with self._lock:
            self._modes[key_of(function), function.version] = mode

    def forget(self, function: FunctionConfiguration, version: str | None = None) -> None:
        """The function is gone, or this version of it."""
        with self._lock:
            for key, number in list(self._modes):
                if key == key_of(function) and version in (None, number):
                    del self._modes[key, number]

    def describe(self, function: FunctionConfiguration, arn: str) -> dict[str, Any]:
        """As the API prints it; ``arn`` with the qualifier that was asked for."""
        mode = self.get(function)
        return {"UpdateRuntimeOn": mode, "FunctionArn": arn} | (
            {"RuntimeVersionArn": runtime_version(function)} if mode == MANUAL else {})
