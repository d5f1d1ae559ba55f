"""The provisioned places of one alias or version: how many, and the environments in them.

Stands for: a provisioned concurrency configuration's environments. AWS page: *Configuring provisioned
concurrency for a function*. AWS's quota of ten requests a second for each (*Lambda quotas*) is what
these serve; more than that spills over, as when all are busy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .gauges import Gauge
from .rates import Rate

if TYPE_CHECKING:
    from .environment import Environment


class Places:
    """Counted by the ledger (``concurrency``); the environments are ``provisioned``'s.

    ``available``: those that requests may have, busy ones included.
    ``wanted``: environments that are to be kept when they are done; others end.
    """

    __slots__ = ("qualifier", "requested", "available", "running", "requests", "gauge",
                 "utilization", "idle", "environments", "wanted", "on_lost")

    def __init__(self, qualifier: str) -> None:
        self.qualifier = qualifier
        self.requested = self.available = self.running = 0
        self.requests: Rate | None = None
        self.gauge: Gauge | None = None
        self.utilization: Gauge | None = None
        self.idle: list[Environment] = []  # those that may be used and aren't, the last one first
        self.environments: dict[Environment, None] = {}  # in the order of their making
        self.wanted = 0
        self.on_lost: Callable[[], None] | None = None  # one has ended that should have stayed

    def has_room(self, now: float) -> bool:
        return self.running < self.available and (
            self.requests is None or self.requests.left(now) > 0)

    @property
    def ready(self) -> int:
        """Environments that are initialised."""
        return sum(environment.state in ("busy", "frozen") for environment in self.environments)

    def set_rate(self, per_second: int, now: float) -> None:
        if self.requests is None:
            self.requests = Rate(per_second, per_second, 1.0)
        else:
            self.requests.change(per_second, per_second, now)
