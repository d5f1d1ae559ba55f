"""Requests to a modelled function by the million, through the same engine as all others.

Stands for: the clients of a function that is simulated rather than run. AWS page: *Understanding
Lambda function scaling*. A request takes its place from ``concurrency``, is given an environment by
``placement``, and takes its time on the ``clock``: as any other, but that nobody waits for its
answer. So it needs no thread, and (unless it is told of) no id, no log and no payload.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import simpy

from .billing import billed_ms, cost, gb_seconds
from .errors import LambdaError
from .frontend import Frontend
from .function import FunctionConfiguration
from .invocation import Outcome
from .limits import Limits
from .modelled import SUCCESS, ModelledEnvironment
from .timer import Timer
from .versions import Target


@dataclass(slots=True)
class Tally:
    """What came of the requests of a simulation.

    ``requests`` came; ``served`` of them by ``versions``, of which ``cold`` began in a new
    environment. ``statuses`` says how those that were served ended, ``throttled`` why the others
    were not (AWS's reasons). ``duration_ms`` and ``billed_ms`` are sums, ``cost`` is in dollars.
    """

    requests: int = 0
    cold: int = 0
    throttled: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    duration_ms: float = 0.0
    billed_ms: int = 0
    cost: float = 0.0

    @property
    def served(self) -> int:
        return self.statuses.total()

    @property
    def throttle_rate(self) -> float:
        """The share of the requests that found no place."""
        return self.throttled.total() / self.requests if self.requests else 0.0

    @property
    def cold_rate(self) -> float:
        """The share of those served that began in a new environment."""
        return self.cold / self.served if self.served else 0.0

    def __repr__(self) -> str:
        return (f"{self.requests:,} requests: {self.served:,} served ({self.cold:,} cold), "
                f"{self.throttled.total():,} throttled")


class _Account:
    """The sums of what one version served: prices are counted once, not a million times."""

    __slots__ = ("billed_ms", "duration_ms", "function", "price", "served")

    def __init__(self, function: FunctionConfiguration, price: float) -> None:
        self.function, self.price = function, price  # of a GB-second
        self.served, self.billed_ms, self.duration_ms = 0, 0, 0.0

    def settle(self, tally: Tally, limits: Limits) -> None:
        tally.versions[self.function.version] += self.served
        tally.duration_ms += self.duration_ms
        tally.billed_ms += self.billed_ms
        tally.cost += (
            gb_seconds(self.billed_ms, self.function.memory_size) * self.price
            + self.served * limits.price_per_request)


class Simulation:
    """``done`` happens when all of ``instants`` have come and been served.

    Args:
        target: what the requests are for; its versions are modelled.
        instants: when each comes, in seconds on the clock, ascending; they are read as time passes.
        every: of how many requests one is told of (id, trace, log, metrics); 0: of none.
    """

    def __init__(self, frontend: Frontend, target: Target, instants: Iterable[float], every: int,
                 limits: Limits) -> None:
        self.frontend, self.target, self.every, self.limits = frontend, target, every, limits
        self.clock, self.tally = frontend.clock, Tally()
        self.done = self.clock.event()
        self._instants, self._last = iter(instants), self.clock.seconds
        self._going_on = 1  # what has to end before it is done: those served, and the coming
        self._accounts: dict[tuple[str, bool], _Account] = {}
        self._only = None if target.others else target.function
        self._timer = self.clock.timer(self)
        # Made and looked up once, not a million times.
        self._take, self._give_back = frontend.concurrency.take, frontend.concurrency.give_back
        self._lend, self._take_back = frontend.placement.lend, frontend.placement.take_back
        self._arrivals, self._inits, self._ends = (
            (self._arrive,), (self._initialised,), (self._end,))
        with self.clock.lock:
            self._await_next()

    # -- coming ------------------------------------------------------------------------------------

    def _await_next(self) -> None:
        try:
            at = next(self._instants, None)
            if at is not None and not self._last <= at < math.inf:
                raise ValueError(f"instants must be in order: {at:g} s after {self._last:g} s")
        except Exception as problem:  # for whoever waits, not for whoever turns the crank
            self._fail(problem)
            return
        if at is None:
            self._ended()
            return
        now, self._last = self._last, at
        self._timer.set(at - now, self._arrivals)

    def _arrive(self, _: Timer) -> None:
        tally = self.tally
        tally.requests += 1
        self._going_on += 1
        if self.every and tally.requests % self.every == 1 % self.every:
            self._admit_in_full()
        else:
            self._admit()
        self._await_next()

    def _admit(self) -> None:
        """As ``Frontend._admit``, with nobody to be told."""
        function = self._only or self.target.pick(self.clock.random)
        lease = self._take(function, self._last)
        if lease.__class__ is str:
            self.tally.throttled[lease] += 1
            self._ended()
            return
        environment = self._lend(function, lease.places)
        environment.lease = lease
        try:
            cold = environment.begin()
        except Exception as problem:  # of its model
            environment.shut_down("internal-error")
            self._take_back(environment)
            self._give_back(lease)
            self._fail(problem)
            self._ended()
            return
        if cold:
            environment.timer.set(environment.init, self._inits)
        else:
            environment.timer.set(environment.duration, self._ends)

    def _initialised(self, timer: Timer) -> None:
        environment = timer.owner
        environment.initialised()
        timer.set(environment.duration, self._ends)

    def _end(self, timer: Timer) -> None:
        environment = timer.owner
        environment.finish(timer.at)
        self._count(environment)
        self._take_back(environment)
        self._give_back(environment.lease)
        self._ended()

    def _count(self, environment: ModelledEnvironment) -> None:
        ahead = environment.places is not None
        account = self._accounts.get((environment.function.version, ahead))
        if account is None:
            account = self._accounts[environment.function.version, ahead] = _Account(
                environment.function, self.limits.price_per_provisioned_duration if ahead
                else self.limits.price_per_gb_second)
        milliseconds = billable = environment.duration * 1000
        if environment.cold:
            self.tally.cold += 1
            if self.limits.init_billed:
                billable += environment.init_ms or 0.0
        account.served += 1
        account.duration_ms += milliseconds
        account.billed_ms += billed_ms(billable, self.limits)
        if environment.status is not SUCCESS:
            self.tally.statuses[environment.status] += 1

    def _fail(self, problem: Exception) -> None:
        """Nobody else comes."""
        self._instants = iter(())
        if not self.done.triggered:
            self.done.fail(problem).defused = True

    def _ended(self) -> None:
        self._going_on -= 1
        if not self._going_on:
            for account in self._accounts.values():
                account.settle(self.tally, self.limits)
            self.tally.statuses[SUCCESS] += (
                self.tally.versions.total() - self.tally.statuses.total())
            self.clock.succeed(self.done, self.tally)

    # -- the whole way -----------------------------------------------------------------------------

    def _admit_in_full(self) -> None:
        self.frontend.enter(self.target, b"{}").callbacks.append(self._entered)

    def _entered(self, event: simpy.Event) -> None:
        found = event.value
        if isinstance(found, LambdaError):
            self.tally.throttled[found.extra["Reason"]] += 1
            self._ended()
        else:
            found.callbacks.append(self._answered)

    def _answered(self, event: simpy.Event) -> None:
        if not event.ok:
            self._fail(event.value)
            self._ended()
            return
        outcome: Outcome = event.value
        tally, report = self.tally, outcome.report
        tally.cold += report.init_ms is not None
        if outcome.failed:
            tally.statuses[outcome.status] += 1
        tally.versions[outcome.version] += 1
        tally.duration_ms += report.duration_ms
        tally.billed_ms += report.billed_ms
        tally.cost += cost(report.billed_ms, report.memory_size, self.limits,
                           outcome.provisioned)
        self._ended()


def poisson(rate: float, generator: random.Random, start: float = 0.0,
            requests: int | None = None, seconds: float | None = None) -> Iterator[float]:
    """Instants of a Poisson process: independent of each other, ``rate`` a second on average.

    Ends after ``requests``, or (not inclusive) ``seconds`` after ``start``; one of them is needed.

    Raises:
        ValueError: a rate that isn't greater than 0, or no end.
    """
    if not (rate > 0 and math.isfinite(rate)):
        raise ValueError(f"rate must be greater than 0, not {rate}")
    if (requests is None) == (seconds is None):
        raise ValueError("poisson: say how many requests, or for how many seconds")
    end = math.inf if seconds is None else start + seconds
    return _poisson(rate, generator, start, math.inf if requests is None else requests, end)


def _poisson(rate: float, generator: random.Random, now: float, left: float,
             end: float) -> Iterator[float]:
    log, draw = math.log, generator.random
    while left > 0:
        now -= log(1.0 - draw()) / rate
        if now >= end:
            return
        yield now
        left -= 1


