"""The sockets on which our own bootstraps answer, read by whoever waits for them.

Stands for nothing of AWS's. A thread that waits for an invocation would otherwise wait for the event
loop's thread to read its answer: two switches of threads, each dearer than the answer itself.
Linux only; elsewhere the event loop serves these connections as it does all others.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable

LONGEST = 86_400.0  # seconds of one wait: epoll takes none of over 24 days, and who waits looks again
WORKS_HERE = hasattr(select, "epoll") and hasattr(os, "eventfd")


class Pump:
    """What the clock calls while it waits (see ``clock``)."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._readers: dict[int, Callable[[], None]] = {}

    def add(self, descriptor: int, read: Callable[[], None]) -> None:
        """From now on call ``read``, which never blocks, when there is something to read."""
        self._readers[descriptor] = read
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove(self, descriptor: int) -> None:
        """To be called before the descriptor is closed."""
        if self._readers.pop(descriptor, None) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(descriptor)

    def __call__(self, real_seconds: float) -> None:
        try:
            ready = self._epoll.poll(min(real_seconds, LONGEST))
        except ValueError:  # closed
            return
        for descriptor, _ in ready:
            if descriptor == self._bell:
                with contextlib.suppress(OSError):
                    os.eventfd_read(self._bell)
            elif (read := self._readers.get(descriptor)) is not None:
                read()

    def wake(self) -> None:
        with contextlib.suppress(OSError):
            os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        self._epoll.close()
        os.close(self._bell)
