"""When requests come: patterns of traffic, as instants in seconds.

Stands for: the clients of a function. AWS page: *Understanding Lambda function scaling* names what
such patterns do to concurrency. A pattern is data: the same arguments give the same instants.
Leaves out: clients that wait for an answer before they ask again.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

MOST = 20_000  # requests of a pattern: every one is a real request


@dataclass(frozen=True, slots=True)
class Pattern:
    """``instants`` (s since the pattern's start, ascending) within ``seconds``."""

    name: str
    instants: tuple[float, ...]
    seconds: float

    def __repr__(self) -> str:
        return f"{self.name}: {len(self.instants):,} requests in {self.seconds:g} s"

    def groups(self) -> list[tuple[float, int]]:
        """(instant, how many come then), in order."""
        return sorted(Counter(self.instants).items())


def constant(rate: float, seconds: float) -> Pattern:
    """``rate`` requests a second, evenly spaced, for ``seconds``.

    Raises:
        ValueError: a rate or a length that isn't greater than 0, or too many requests.
    """
    _positive(rate=rate, seconds=seconds)
    return _shaped(f"constant, {rate:g} a second", lambda t: rate * t, seconds)


def ramp(first: float, last: float, seconds: float) -> Pattern:
    """A rate that grows (or falls) evenly from ``first`` to ``last`` requests a second.

    Raises:
        ValueError: a negative rate, both 0, a length that isn't greater than 0, too many requests.
    """
    _positive(seconds=seconds)
    if min(first, last) < 0 or first == last == 0:
        raise ValueError("ramp: rates must be at least 0, and one of them greater than 0")
    return _shaped(f"ramp, {first:g} to {last:g} a second",
                   lambda t: first * t + (last - first) * t * t / (2 * seconds), seconds)


def burst(callers: int, every: float, seconds: float) -> Pattern:
    """``callers`` requests at one instant, again after each ``every`` seconds.

    Raises:
        ValueError: fewer than 1 caller, a time that isn't greater than 0, or too many requests.
    """
    _positive(callers=callers, every=every, seconds=seconds)
    if callers != int(callers):
        raise ValueError("burst: callers must be a whole number")
    times = math.ceil(round(seconds / every, 9))
    _few(callers * times)
    instants = [_exact(number * every) for number in range(times) for _ in range(int(callers))]
    return Pattern(f"burst, {callers:,} at once every {every:g} s", tuple(instants), float(seconds))


def spike(rate: float, peak: float, seconds: float, at: float, length: float) -> Pattern:
    """``rate`` requests a second, but ``peak`` a second from ``at`` on for ``length`` seconds.

    Raises:
        ValueError: a rate or a length that isn't greater than 0, a spike that doesn't lie within
            the pattern, or too many requests.
    """
    _positive(rate=rate, peak=peak, seconds=seconds, length=length)
    if at < 0 or at + length > seconds:
        raise ValueError(f"spike: {at:g}-{at + length:g} s must lie within 0-{seconds:g} s")
    return _shaped(f"spike, {rate:g} a second and {peak:g} at {at:g} s",
                   lambda t: rate * t + (peak - rate) * min(max(t - at, 0.0), length), seconds)


def poisson(rate: float, seconds: float, seed: int = 0) -> Pattern:
    """``rate`` requests a second on average, each independent of the others.

    Raises:
        ValueError: a rate or a length that isn't greater than 0, or too many requests.
    """
    _positive(rate=rate, seconds=seconds)
    return Pattern(f"Poisson, {rate:g} a second", _random(lambda t: rate, rate, seconds, seed),
                   float(seconds))


def daily(low: float, high: float, seconds: float = 86_400.0, seed: int = 0) -> Pattern:
    """A day in ``seconds``: random arrivals, ``low`` a second at midnight and ``high`` at noon.

    Raises:
        ValueError: low isn't less than high, a negative rate, a length that isn't greater than 0,
            or too many requests.
    """
    _positive(seconds=seconds)
    if not 0 <= low < high:
        raise ValueError("daily: low must be at least 0 and less than high")

    def rate(t: float) -> float:
        return low + (high - low) * (1 - math.cos(2 * math.pi * t / seconds)) / 2

    return Pattern(f"daily, {low:g} to {high:g} a second", _random(rate, high, seconds, seed),
                   float(seconds))


def _exact(instant: float) -> float:
    """To the microsecond: the same on every machine, and equal where it is meant to be equal."""
    return round(instant, 6)


def _few(number: float) -> None:
    if number > MOST:
        raise ValueError(f"{number:,.0f} requests are too many: {MOST:,} is the most. Use a lower"
                         " rate or a shorter time")


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be greater than 0, not {value}")


def _shaped(name: str, total: Callable[[float], float], seconds: float) -> Pattern:
    """Request number n (from 0) at the first instant at which ``total(t)`` reaches n."""
    number = math.ceil(round(total(seconds), 6))
    _few(number)
    return Pattern(name, tuple(_exact(_reach(total, n, seconds)) for n in range(number)),
                   float(seconds))


def _reach(total: Callable[[float], float], wanted: float, seconds: float) -> float:
    """By halving: ``total`` never falls."""
    low, high = 0.0, float(seconds)
    if total(0.0) >= wanted:
        return low
    for _ in range(60):
        middle = (low + high) / 2
        if total(middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def _random(rate: Callable[[float], float], most: float, seconds: float,
            seed: int) -> tuple[float, ...]:
    """Arrivals at ``most`` a second, thinned to ``rate(t)`` (Lewis and Shedler)."""
    _few(most * seconds)
    generator, now, instants = random.Random(seed), 0.0, []
    while (now := now + generator.expovariate(most)) < seconds:
        if generator.random() * most < rate(now):
            instants.append(_exact(now))
    return tuple(instant for instant in instants if instant < seconds)
