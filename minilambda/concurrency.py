"""How many executions may run at once, and who holds a place.

Stands for: an account's concurrency in a region. AWS page: *Understanding Lambda function scaling*.
Leaves out (so far): reserved and provisioned concurrency, the scaling rate, the request rate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """A place among the concurrent executions; given back when the execution ends."""

    account: str
    region: str


class Concurrency:
    """The ledger. ``limit`` is the account's concurrent executions in each region."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running: Counter[tuple[str, str]] = Counter()

    def take(self, account: str, region: str) -> Lease | None:
        """A lease, or None if the account's limit is reached (then the request is throttled)."""
        if self._running[account, region] >= self.limit:
            return None
        self._running[account, region] += 1
        return Lease(account, region)

    def give_back(self, lease: Lease) -> None:
        self._running[lease.account, lease.region] -= 1

    def running(self, account: str, region: str) -> int:
        """Executions in progress."""
        return self._running[account, region]
