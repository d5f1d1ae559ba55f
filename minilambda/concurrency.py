"""How many executions may run at once, who holds a place, and how fast there may be more.

Stands for: an account's concurrency in a region, what functions reserve of it, what versions have
provisioned. AWS pages: *Understanding Lambda function scaling*; *Configuring reserved concurrency for
a function*; *Configuring provisioned concurrency for a function*; *Lambda scaling behavior*; *Lambda
quotas* (requests per second).

A function's reservation is its own and its limit: nobody else has these places, and it has no others.
Functions without one share what is left. Provisioned places are a version's own, out of its
function's reservation or else out of what all share; a request that finds none free spills over to
the others. Which of AWS's throttle reasons is whose, AWS's pages don't say: see the constants.

Everything here is a few comparisons, whatever the number of functions: it is asked at every request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from . import errors, provisioned_errors
from .function import FunctionConfiguration
from .gauges import Gauge, Gauges
from .limits import Limits
from .places import Places
from .rates import Rate

# AWS's ThrottleReason values.
ACCOUNT_FULL = "ConcurrentInvocationLimitExceeded"
FUNCTION_FULL = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_RATE = "CallerRateLimitExceeded"  # requests a second of the account
RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"  # of a function with a reservation
SCALING_RATE = "FunctionInvocationRateLimitExceeded"  # it would take a new environment too soon

Key = tuple[str, str, str]  # account, region, function name


class _Region:
    """An account's places in a region."""

    __slots__ = ("claimed", "running", "unreserved", "requests", "scaling", "all", "shared")

    def __init__(self) -> None:
        self.claimed = 0  # places that are reserved, or provisioned for functions without reservation
        self.running = 0
        self.unreserved = 0  # running on what all share
        self.requests: Rate | None = None
        self.scaling: Rate | None = None
        self.all: Gauge | None = None
        self.shared: Gauge | None = None


class _Version:
    """``environments``: on demand, as many as there are or are about to be."""

    __slots__ = ("running", "environments", "places")

    def __init__(self) -> None:
        self.running = self.environments = 0
        self.places: list[Places] = []


class _Function:
    __slots__ = ("key", "region", "reserved", "provisioned", "on_demand", "ahead", "versions",
                 "requests", "scaling", "all", "in_places")

    def __init__(self, key: Key, region: _Region) -> None:
        self.key, self.region = key, region
        self.reserved: int | None = None
        self.provisioned = 0  # requested, in all
        self.on_demand = self.ahead = 0  # running: on demand, in provisioned places
        self.versions: dict[str, _Version] = {}
        self.requests: Rate | None = None
        self.scaling: Rate | None = None
        self.all: Gauge | None = None
        self.in_places: Gauge | None = None

    @property
    def claims(self) -> int:
        return self.provisioned if self.reserved is None else self.reserved

    @property
    def beyond(self) -> int:
        """Running in places that it has no more: they count as on demand until they end."""
        return max(0, self.ahead - self.provisioned)


class Lease:
    """A place among the concurrent executions; given back when the execution ends.

    ``places``: the provisioned ones that it is of, if it is; ``spilled``: those that were all busy.
    """

    __slots__ = ("account", "region", "function", "places", "spilled", "record", "version")

    def __init__(self, record: _Function, version: _Version, places: Places | None,
                 spilled: Places | None) -> None:
        self.account, self.region, self.function = record.key
        self.record, self.version, self.places, self.spilled = record, version, places, spilled


class Concurrency:
    """The ledger.

    Args:
        limit: the account's concurrent executions in each region.
        unreserved_min: how many of them must stay unreserved.
        requests_per_place: requests a second for each place; None: any number.
        scaling: makes a region's :class:`Rate` of new environments; None: any number at once.
        scaling_per_function: whether each function has such a rate, or all share one.
        gauges: where its metrics go.
    """

    def __init__(self, limit: int, unreserved_min: int = 0, *,
                 requests_per_place: int | None = None,
                 scaling: Callable[[str], Rate] | None = None, scaling_per_function: bool = False,
                 gauges: Gauges | None = None) -> None:
        self.limit, self.unreserved_min = limit, unreserved_min
        self._requests_per_place, self._scaling = requests_per_place, scaling
        self._scaling_per_function, self._gauges = scaling_per_function, gauges
        self._regions: dict[tuple[str, str], _Region] = {}
        self._functions: dict[Key, _Function] = {}
        self._asked: tuple[FunctionConfiguration, _Function, _Version] | None = None  # for last
        self._lock = threading.RLock()

    @classmethod
    def of(cls, limits: Limits, gauges: Gauges | None = None) -> Concurrency:
        """With all the figures of a limits profile."""
        def scaling(region: str) -> Rate:
            size = ("large" if region in limits.burst_regions_large else
                    "medium" if region in limits.burst_regions_medium else "small")
            return Rate(getattr(limits, f"burst_{size}"), limits.scaling_step,
                        limits.scaling_seconds)

        return cls(limits.concurrency, limits.unreserved_min,
                   requests_per_place=limits.requests_per_concurrency, scaling=scaling,
                   scaling_per_function=limits.scaling_per_function, gauges=gauges)

    # -- at each request ---------------------------------------------------------------------------

    def take(self, function: FunctionConfiguration, now: float = 0.0) -> Lease | str:
        """A lease, or AWS's reason for a throttle if there is no place.

        ``now``: seconds on the clock, of which each call's is the same or later.
        """
        with self._lock:
            if self._asked is None or self._asked[0] is not function:
                record = self._record(function)
                self._asked = function, record, record.versions.setdefault(
                    function.version, _Version())
            _, record, version = self._asked
            region = record.region
            if region.requests is not None and not region.requests.left(now):
                return ACCOUNT_RATE
            full = record.reserved is not None and (
                record.on_demand + record.ahead >= record.reserved)
            if full and not record.reserved:
                return FUNCTION_FULL  # an emergency stop: no rate has a part in it
            if record.requests is not None and not record.requests.left(now):
                return RESERVED_RATE
            if full:
                return FUNCTION_FULL
            if region.running >= self.limit:
                return ACCOUNT_FULL
            places = spilled = None
            if version.places:
                places = next((found for found in version.places if found.has_room(now)), None)
                if places is None:
                    spilled = version.places[0]
                elif places.requests is not None:
                    places.requests.use()
            if places is None and (refused := self._on_demand(record, version, now)):
                return refused
            if region.requests is not None:
                region.requests.use()
            if record.requests is not None:
                record.requests.use()
            lease = Lease(record, version, places, spilled)
            self._count(lease, 1)
            return lease

    def _on_demand(self, record: _Function, version: _Version, now: float) -> str | None:
        """Why there is no place on demand; else it is had, its new environment included."""
        region = record.region
        if record.reserved is not None:
            if record.on_demand + record.beyond >= record.reserved - record.provisioned:
                return FUNCTION_FULL
        elif region.unreserved + record.beyond >= self.limit - region.claimed:
            return ACCOUNT_FULL
        if version.running >= version.environments:
            rate = self._rate(record)
            if rate is not None:
                if not rate.left(now):
                    return SCALING_RATE
                rate.use()
            version.environments += 1
        return None

    def give_back(self, lease: Lease) -> None:
        with self._lock:
            self._count(lease, -1)

    def _count(self, lease: Lease, change: int) -> None:
        record, gauges = lease.record, self._gauges
        region, places = record.region, lease.places
        region.running += change
        if places is not None:
            record.ahead += change
            places.running += change
        else:
            record.on_demand += change
            lease.version.running += change
            if record.reserved is None:
                region.unreserved += change
        if gauges is None:
            return
        if places is not None:
            gauges.set(record.in_places, record.ahead)
            gauges.set(places.gauge, places.running)
            gauges.set(places.utilization, min(1.0, places.running / max(1, places.requested)))
        if change > 0:
            gauges.set(region.all, region.running)
            gauges.set(record.all, record.on_demand + record.ahead)
            gauges.set(region.shared, region.unreserved)
        else:  # whoever falls has a peak already
            region.all.value, region.shared.value = region.running, region.unreserved
            record.all.value = record.on_demand + record.ahead

    def lost(self, function: FunctionConfiguration) -> None:
        """An on-demand environment of this version has ended: the next one is a new one."""
        with self._lock:
            record = self._record(function)
            version = record.versions.get(function.version)
            if version is not None and version.environments:
                version.environments -= 1

    def grow(self, function: FunctionConfiguration, wanted: int, now: float) -> tuple[int, float]:
        """Start up to ``wanted`` environments ahead: how many may be, and seconds until the next."""
        with self._lock:
            rate = self._rate(self._record(function))
            if rate is None:
                return wanted, 0.0
            granted = min(wanted, rate.left(now))
            rate.use(granted)
            return granted, rate.wait(now)

    def running(self, account: str, region: str) -> int:
        """Executions in progress."""
        found = self._regions.get((account, region))
        return found.running if found else 0

    # -- reservations ------------------------------------------------------------------------------

    def reserve(self, function: FunctionConfiguration, places: int, now: float = 0.0) -> None:
        """Set a function's reservation; 0 stops it altogether.

        Raises:
            LambdaError: InvalidParameterValueException if too little would be left for the others,
                or for what the function has provisioned.
        """
        with self._lock:
            record = self._record(function)
            if places < record.provisioned:
                raise provisioned_errors.reserved_below_provisioned(places, record.provisioned)
            if self.limit - record.region.claimed + record.claims - places < self.unreserved_min:
                raise errors.too_much_reserved(self.unreserved_min)
            self._claim(record, places, record.provisioned)
            if self._requests_per_place is not None:
                rate = self._requests_per_place * places
                if record.requests is None:
                    record.requests = Rate(rate, rate, 1.0)
                else:
                    record.requests.change(rate, rate, now)

    def release(self, function: FunctionConfiguration) -> None:
        """Take a function's reservation away, if it has one."""
        with self._lock:
            record = self._record(function)
            self._claim(record, None, record.provisioned)
            record.requests = None

    def reserved(self, function: FunctionConfiguration) -> int | None:
        return self._record(function).reserved

    def unreserved(self, account: str, region: str) -> int:
        """Places that nobody has reserved or provisioned."""
        found = self._regions.get((account, region))
        return self.limit - (found.claimed if found else 0)

    def _claim(self, record: _Function, reserved: int | None, provisioned: int) -> None:
        """Also moves what it runs on demand from what all share, or back."""
        region = record.region
        if (record.reserved is None) != (reserved is None):
            region.unreserved += record.on_demand if reserved is None else -record.on_demand
        region.claimed -= record.claims
        record.reserved, record.provisioned = reserved, provisioned
        region.claimed += record.claims

    # -- provisioned places ------------------------------------------------------------------------

    def provision(self, function: FunctionConfiguration, places: Places, requested: int,
                  now: float = 0.0) -> None:
        """Claim provisioned places for a version; ``places`` may have some already.

        Raises:
            LambdaError: InvalidParameterValueException if the function has reserved less, or too
                little would be left for others.
        """
        with self._lock:
            record = self._record(function)
            total = record.provisioned - places.requested + requested
            if record.reserved is not None:
                if total > record.reserved:
                    raise provisioned_errors.above_reserved()
            else:
                free = self.limit - record.region.claimed + places.requested
                if requested > free:
                    raise provisioned_errors.above_unreserved(free)
                if free - requested < self.unreserved_min:
                    raise provisioned_errors.too_little_unreserved(self.unreserved_min)
            self._claim(record, record.reserved, total)
            places.requested = requested
            places.available = min(places.available, requested)
            self._attach(record, places, function.version)
            if self._requests_per_place is not None:
                places.set_rate(self._requests_per_place * requested, now)

    def unprovision(self, function: FunctionConfiguration, places: Places) -> None:
        """Give the claim up. Who runs in such a place runs on."""
        with self._lock:
            record = self._record(function)
            self._claim(record, record.reserved, record.provisioned - places.requested)
            places.requested = places.available = 0
            for version in record.versions.values():
                if places in version.places:
                    version.places.remove(places)

    def _attach(self, record: _Function, places: Places, number: str) -> None:
        version = record.versions.setdefault(number, _Version())
        if places not in version.places:
            version.places.append(places)
            version.places.sort(key=lambda p: p.qualifier)
        if self._gauges is not None and places.gauge is None:
            account, region, name = record.key
            dimensions = account, region, name, f"{name}:{places.qualifier}", number
            make = self._gauges.make
            places.gauge = make("ProvisionedConcurrentExecutions", *dimensions)
            places.utilization = make("ProvisionedConcurrencyUtilization", *dimensions)

    # -- inside ------------------------------------------------------------------------------------

    def _record(self, function: Any) -> _Function:
        key = (function.account, function.region, function.name)
        found = self._functions.get(key)
        if found is not None:
            return found
        with self._lock:
            region = self._regions.get(key[:2])
            if region is None:
                region = self._regions[key[:2]] = self._new_region(key)
            found = self._functions[key] = _Function(key, region)
            if self._scaling is not None and self._scaling_per_function:
                found.scaling = self._scaling(key[1])
            if self._gauges is not None:
                found.all = self._gauges.make("ConcurrentExecutions", *key)
                found.in_places = self._gauges.make("ProvisionedConcurrentExecutions", *key)
            return found

    def _new_region(self, key: Key) -> _Region:
        region = _Region()
        if self._requests_per_place is not None:
            rate = self._requests_per_place * self.limit
            region.requests = Rate(rate, rate, 1.0)
        if self._scaling is not None and not self._scaling_per_function:
            region.scaling = self._scaling(key[1])
        if self._gauges is not None:
            region.all = self._gauges.make("ConcurrentExecutions", *key[:2])
            region.shared = self._gauges.make("UnreservedConcurrentExecutions", *key[:2])
        return region

    @staticmethod
    def _rate(record: _Function) -> Rate | None:
        return record.scaling or record.region.scaling
