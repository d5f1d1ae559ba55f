"""Waiters on a clock that stands still.

Stands for: nothing of AWS's. botocore's waiters (``function_active_v2`` and so on) ask, sleep and ask
again. On the virtual clock nothing that they wait for would ever come: nobody lets time pass. So

- whoever asks from outside about a function that isn't ready gets his answer, and then a second passes
  (:func:`let_a_poll_pass`). That is enough for everybody's waiters and loops, the AWS CLI's too;
- where this process belongs to the cloud (``guard``) its waiters sleep on the cloud's clock and not
  really (:class:`WaitersSleep`).

A function that asks has time of its own: its call takes some, and its sleeps do.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from botocore import waiter

from ..clock import Clock
from .current import asking

POLL_SECONDS = 1.0


def let_a_poll_pass(clock: Clock) -> None:
    """Somebody has looked at what is in progress, and will look again."""
    if not clock.wall and not asking.get().function:
        clock.run(POLL_SECONDS)


class WaitersSleep:
    """While applied, this process's waiters sleep by ``sleep`` (seconds on the cloud's clock)."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._former: object | None = None

    def apply(self) -> None:
        """The one applied last counts; harmless when applied."""
        self._former = self._former or waiter.time
        waiter.time = SimpleNamespace(sleep=self._sleep)

    def restore(self) -> None:
        if self._former is not None:
            waiter.time, self._former = self._former, None
