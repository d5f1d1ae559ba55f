"""The Shutdown phase of an environment with extensions.

Stands for: AWS pages *Understanding the Lambda execution environment lifecycle* and *Using the Lambda
Extensions API to create extensions* (Shutdown phase): the runtime gets SIGTERM, then the external
extensions their SHUTDOWN event; who isn't gone in time gets SIGKILL. Without extensions there is no
time at all. What runs here really runs, and writes to the environment's log stream.
Leaves out: with measured durations its CPU time is charged only when its time is up.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from .conversation import Conversation, Steps
from .sandbox import Exit, RuntimeExit

SECONDS, INTERNAL_ONLY_SECONDS = 2.0, 0.5
# Of which the runtime may have so much; AWS page *Extensions API*: "up to 300 ms (500 ms for a runtime
# with an internal extension)".
RUNTIME_SECONDS, RUNTIME_WITH_INTERNAL_SECONDS = 0.3, 0.5
STUCK_SECONDS = 3.0  # real seconds that code may do nothing
REASONS = {"timeout": "timeout", "crash": "failure", "out-of-memory": "failure",
           "init-error": "failure"}


class Shutdown:
    """``note`` records an event of the environment, ``log`` a line of its log."""

    def __init__(self, talk: Conversation, note: Callable[..., None],
                 log: Callable[[str], None]) -> None:
        self.talk, self.extensions, self.clock = talk, talk.extensions, talk.clock
        self.note, self.log = note, log
        self.runtime_ended = False

    def steps(self, reason: str, runtime_ended: bool) -> Steps:
        """The phase, to the end: nothing is left of the environment then."""
        extensions, began = self.extensions, self.clock.seconds
        limit = SECONDS if extensions.external else INTERNAL_ONLY_SECONDS
        grace = RUNTIME_WITH_INTERNAL_SECONDS if extensions.internal else RUNTIME_SECONDS
        self.runtime_ended = runtime_ended
        word = REASONS.get(reason, "spindown")
        self.note("shutdown.started", reason=word, limit_ms=limit * 1000)
        in_time = yield from self._runtime_steps(began + grace)
        if extensions.external and self.talk.alive:
            in_time &= yield from self._extension_steps(word, began + limit)
        if self.talk.alive:
            yield from self.talk.kill_steps()
        else:
            self.talk.end()
        extensions.tell_lines(self.log)
        self.note("shutdown.ended", duration_ms=round((self.clock.seconds - began) * 1000, 6),
                  status="success" if in_time else "timeout")

    def _runtime_steps(self, deadline: float) -> Steps:
        """Value: False if the runtime had to be killed."""
        self.talk.sandbox.thaw()
        if self.runtime_ended:
            return True
        self.talk.begin(deadline, STUCK_SECONDS)
        self.talk.sandbox.signal(signal.SIGTERM)
        if (yield from self._until_steps(deadline, lambda: self.runtime_ended)):
            return True
        self.talk.sandbox.signal(signal.SIGKILL)
        return False

    def _extension_steps(self, reason: str, deadline: float) -> Steps:
        """Value: False if an extension had to be killed that had asked to be told."""
        told, others = self.extensions.begin_shutdown()
        self.talk.begin(deadline, STUCK_SECONDS)
        for name in others:
            self.talk.sandbox.signal(signal.SIGKILL, name)
        event = {"eventType": "SHUTDOWN", "shutdownReason": reason,
                 "deadlineMs": round(self.clock.at(deadline).timestamp() * 1000)}
        self.talk.sandbox.send_event(told, event)
        return (yield from self._until_steps(deadline, self.extensions.all_ended))

    def _until_steps(self, deadline: float, enough: Callable[[], bool]) -> Steps:
        """Let code run until ``enough()`` (value: True), or its time is up (value: False)."""
        while not enough() and self.talk.alive:
            message: Any = yield from self.talk.listen_steps(deadline)
            if message is None:
                return False
            if self.extensions.take(message):
                self.talk.extensions_rest()
            if isinstance(message, RuntimeExit | Exit):
                self.runtime_ended = True
        return True
