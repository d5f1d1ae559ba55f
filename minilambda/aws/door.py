"""Who gets in: the endpoint's door, which is shut while the cloud behind it is replaced.

Stands for nothing of AWS's. The endpoint outlives what it serves: ``Cloud.reset`` puts another cloud
behind the same port. A request of the one must not reach the other half-way, so those inside are
waited for and newcomers wait outside.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

OPEN, SHUT, LOCKED = "open", "shut", "locked"


class DoorShut(RuntimeError):
    """The cloud that was asked is no longer there."""


class Door:
    """Counts who is inside, by thread; open to begin with."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[int] = Counter()
        self._state = OPEN

    @contextlib.contextmanager
    def passing(self, waits: bool = True) -> Iterator[None]:
        """Around a request. If the door is shut it ``waits`` until it is open again.

        Raises:
            DoorShut: it is shut and the request doesn't wait, or it is locked.
        """
        me = threading.get_ident()
        with self._changed:
            while waits and self._state == SHUT:
                self._changed.wait()
            if self._state != OPEN:
                raise DoorShut("this cloud was reset or closed")
            self._inside[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[me] -= 1
                if not self._inside[me]:
                    del self._inside[me]
                self._changed.notify_all()

    def shut(self) -> None:
        """Nobody else gets in until :meth:`open`."""
        self._become(SHUT)

    def lock(self) -> None:
        """Nobody gets in any more, and nobody waits."""
        self._become(LOCKED)

    def open(self) -> None:
        self._become(OPEN)

    def wait_until_empty(self, real_seconds: float) -> bool:
        """Whether everybody has left in time, this thread's own requests aside."""
        me = threading.get_ident()
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(thread != me for thread in self._inside), real_seconds)

    def _become(self, state: str) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()
