"""A piece of real work: code that runs for real while virtual time stands still.

Stands for nothing of AWS's: it is a part of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .clock import Clock


class Work:
    """A piece of real work in progress: virtual time waits for it.

    ``patience`` is how many real seconds it may take; past that ``on_overrun`` is called once.
    ``thread`` names the thread that does it, if that thread may itself wait on the clock
    meanwhile: while it waits, its work doesn't count, or nothing would ever move.
    ``alone``: not only time stands still for it, but everything does (:meth:`Clock.alone`).
    """

    __slots__ = ("clock", "number", "started", "patience", "on_overrun", "open", "thread",
                 "replies", "patience_given", "alone")

    def __init__(self, clock: Clock, number: int, patience: float | None,
                 on_overrun: Callable | None, thread: int | None):
        self.clock, self.number = clock, number
        self.patience = self.patience_given = patience
        self.on_overrun = on_overrun
        self.started, self.open, self.thread = time.monotonic(), True, thread
        self.alone = False
        self.replies: list[Callable[[], None]] = []

    def extend(self, patience: float) -> None:
        """Give it ``patience`` real seconds more, from now."""
        self.started, self.patience = time.monotonic(), patience
        self.patience_given = patience

    def answer(self, reply: Callable[[], None]) -> None:
        """The work has an answer; ``reply`` brings it in when all others have theirs.

        So answers enter in the order in which the work began, not in that of who was quicker:
        the same seed gives the same trace. (On the wall clock they enter at once, and so they do
        when time doesn't wait for this work any more.)
        """
        with self.clock.lock:
            self.thread = None
            self.clock._alone.discard(self)
            if self.clock.wall or not self.open:
                reply()
            else:
                self.replies.append(reply)
                self.clock._notify()

    def done(self) -> None:
        """Time need not wait for it any longer. Calling it twice is harmless."""
        with self.clock.lock:
            if self.open:
                self.open = False
                self.clock._working.discard(self)
                self.clock._alone.discard(self)
                self.clock._notify()


class Pump(Protocol):
    """Waits for what real code has to say, takes it in; comes back at once when woken."""

    def __call__(self, real_seconds: float) -> None: ...

    def wake(self) -> None: ...
