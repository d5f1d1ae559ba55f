"""What falls due when, outside of functions: one timer on the clock for all of it.

Stands for nothing of AWS's: it is how a store of things that wait (a queue's messages) keeps time.
Thousands of things may wait for days; the clock knows of the earliest only, as something that
nobody waits for (:meth:`~minilambda.clock.Clock.background`).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

import simpy

from .clock import Clock

Deed = Callable[[float], None]  # takes the instant at which it fell due


class Agenda:
    """Deeds and their instants, in seconds on the clock. Use it with the clock's lock held."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._entries: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self._timers: list[float] = []

    def add(self, due: float, deed: Deed) -> None:
        """``deed`` is done when it is due. One that has become pointless is to find that out."""
        heapq.heappush(self._entries, (max(due, self.clock.seconds), next(self._numbers), deed))
        self._wind()

    @property
    def due(self) -> float:
        """When the earliest deed is due; infinity if there is none."""
        return self._entries[0][0] if self._entries else float("inf")

    def settle(self) -> None:
        """Do what has fallen due: on the wall clock nobody may have turned the crank since."""
        while self.due <= self.clock.seconds:
            due, _, deed = heapq.heappop(self._entries)
            deed(due)

    def _wind(self) -> None:
        if self._entries and (not self._timers or self.due < self._timers[0]):
            heapq.heappush(self._timers, self.due)
            self.clock.background(self.due - self.clock.seconds).callbacks.append(self._ring)

    def _ring(self, event: simpy.Event) -> None:
        heapq.heappop(self._timers)
        self.settle()
        self._wind()
