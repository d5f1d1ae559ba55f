"""Callers who come to the door at instants that were agreed on beforehand.

Stands for: clients of a function, of whom there are as many as traffic needs, at the instants at
which it needs them. It is how traffic is made: real requests by real threads, in virtual time.

A caller who has an appointment turns no crank while it waits for its answer. So traffic in the
middle of its way stands still when nobody lets time pass, and goes on when somebody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import simpy

from .clock import Clock


class Appointments:
    """Callers' instants on the clock. Made by ``Cloud.appoint``.

    ``name`` is what a caller says at the door (the header ``X-Minilambda-Appointment``).
    ``done`` happens when the last instant is over and everybody who came has an answer.
    """

    def __init__(self, clock: Clock, name: str, instants: Iterable[tuple[float, int]],
                 come: Callable[[int], None], on_miss: Callable[[Appointments], None]) -> None:
        self.clock, self.name, self.come, self._on_miss = clock, name, come, on_miss
        self.instants = [(float(at), callers) for at, callers in instants]
        earlier = clock.seconds
        for at, callers in self.instants:
            if at < earlier:
                raise ValueError(f"appoint: {at} s is before {earlier} s: instants must be in order"
                                 " and not in the past")
            if callers < 1:
                raise ValueError("appoint: at least 1 caller must come at each instant")
            earlier = at
        self.done = clock.event()
        self.to_come = sum(callers for _, callers in self.instants)  # and not yet answered
        self.timeout: simpy.Timeout | None = None  # until the next instant
        self.settle(0)

    @property
    def over(self) -> bool:
        """Everybody who came has an answer, and nobody else comes."""
        return self.done.triggered

    def miss(self) -> None:
        """One who is waited for now won't come: its request was refused before the door."""
        with self.clock.lock:
            self._on_miss(self)
            self.settle()

    def cancel(self) -> None:
        """Nobody else comes. Those who have come are answered."""
        with self.clock.lock:
            if self.timeout is not None:
                self.clock.cancel(self.timeout)
            left = sum(callers for _, callers in self.instants)
            self.instants.clear()
            self.settle(left)

    def settle(self, callers: int = 1) -> None:
        """So many have had their answer, or won't come any more."""
        self.to_come -= callers
        if self.to_come == 0:
            self.clock.succeed(self.done)
