"""How many executions may run at once, and who holds a place.

Stands for: an account's concurrency in a region, and what functions reserve of it. AWS pages:
*Understanding Lambda function scaling*; *Configuring reserved concurrency for a function*.
Leaves out (so far): provisioned concurrency, the scaling rate, the request rate.

A function's reservation is its own and its limit: nobody else has these places, and it has no others.
Functions without one share what is left.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from . import errors
from .function import FunctionConfiguration

# AWS's ThrottleReason values.
ACCOUNT_FULL = "ConcurrentInvocationLimitExceeded"
FUNCTION_FULL = "ReservedFunctionConcurrentInvocationLimitExceeded"

Key = tuple[str, str, str]  # account, region, function name


@dataclass(frozen=True, slots=True)
class Lease:
    """A place among the concurrent executions; given back when the execution ends."""

    account: str
    region: str
    function: str


class Concurrency:
    """The ledger.

    Args:
        limit: the account's concurrent executions in each region.
        unreserved_min: how many of them must stay unreserved.
    """

    def __init__(self, limit: int, unreserved_min: int = 0) -> None:
        self.limit, self.unreserved_min = limit, unreserved_min
        self._running: Counter[Key] = Counter()
        self._in_region: Counter[tuple[str, str]] = Counter()
        self._reserved: dict[Key, int] = {}
        self._lock = threading.Lock()

    def take(self, function: FunctionConfiguration) -> Lease | str:
        """A lease, or AWS's reason for a throttle if there is no place."""
        account, region = function.account, function.region
        key = (account, region, function.name)
        with self._lock:
            if (reserved := self._reserved.get(key)) is not None:
                if self._running[key] >= reserved:
                    return FUNCTION_FULL
            else:
                others = [k for k in self._reserved if k[:2] == (account, region)]
                unreserved = self._in_region[account, region] - sum(
                    self._running[k] for k in others)
                if unreserved >= self._unreserved(account, region):
                    return ACCOUNT_FULL
            self._running[key] += 1
            self._in_region[account, region] += 1
        return Lease(*key)

    def give_back(self, lease: Lease) -> None:
        with self._lock:
            self._running[lease.account, lease.region, lease.function] -= 1
            self._in_region[lease.account, lease.region] -= 1

    def running(self, account: str, region: str) -> int:
        """Executions in progress."""
        return self._in_region[account, region]

    # -- reservations ------------------------------------------------------------------------------

    def reserve(self, function: FunctionConfiguration, places: int) -> None:
        """Set a function's reservation; 0 stops it altogether.

        Raises:
            LambdaError: InvalidParameterValueException if too little would be left for the others.
        """
        key = (function.account, function.region, function.name)
        with self._lock:
            left = self._unreserved(*key[:2]) + self._reserved.get(key, 0) - places
            if left < self.unreserved_min:
                raise errors.too_much_reserved(self.unreserved_min)
            self._reserved[key] = places

    def release(self, function: FunctionConfiguration) -> None:
        """Take a function's reservation away, if it has one."""
        with self._lock:
            self._reserved.pop((function.account, function.region, function.name), None)

    def reserved(self, function: FunctionConfiguration) -> int | None:
        return self._reserved.get((function.account, function.region, function.name))

    def unreserved(self, account: str, region: str) -> int:
        """Places that nobody has reserved."""
        with self._lock:
            return self._unreserved(account, region)

    def _unreserved(self, account: str, region: str) -> int:
        return self.limit - sum(places for key, places in self._reserved.items()
                                if key[:2] == (account, region))
