"""A step on the clock that can be set again and again, by those that have a million of them.

Stands for time, with ``clock``. A simpy ``Timeout`` is made for one instant and thrown away; this one
costs a place in the queue and nothing else. It is what ``Environment.step`` asks of an event, and no
more: nobody can wait for it, or cancel it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

import simpy
from simpy.events import NORMAL


class Timer:
    """``owner`` is for the callback, which is called with the timer; ``at`` is when that is (s)."""

    __slots__ = ("_eid", "_queue", "_sim", "at", "callbacks", "owner")
    _ok = True  # simpy: it hasn't failed
    cancelled = False  # it can't be; said here, as the clock looks at each step's

    def __init__(self, sim: simpy.Environment, owner: Any) -> None:
        self._sim, self._queue, self._eid, self.owner = sim, sim._queue, sim._eid, owner
        self.at = sim.now
        self.callbacks: tuple[Callable[[Timer], None], ...] | None = None

    def set(self, seconds: float, callbacks: tuple[Callable[[Timer], None], ...]) -> None:
        """``callbacks`` are called in so many seconds (0 or more)."""
        self.callbacks = callbacks
        self.at = at = self._sim._now + seconds
        heappush(self._queue, (at, NORMAL, next(self._eid), self))
