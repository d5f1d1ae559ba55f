"""How long something takes when it isn't always the same: durations drawn at random.

Stands for nothing of AWS's: it is what stands in for code in a modelled function. A distribution is
any callable that takes a :class:`random.Random` and gives seconds; these are the usual ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import partial

Distribution = Callable[[random.Random], float]


def constant(seconds: float) -> Distribution:
    """Always the same. Raises ValueError below 0."""
    _at_least_0(seconds=seconds)
    return lambda generator: seconds


def exponential(mean: float) -> Distribution:
    """Exponential with that mean, in seconds: what queueing theory's formulas like to assume.

    Raises:
        ValueError: a mean that isn't greater than 0.
    """
    _greater_than_0(mean=mean)
    # As random.expovariate draws it; without its calls, this is drawn for every request.
    log, rate = math.log, -mean
    return lambda generator: rate * log(1.0 - generator.random())


def uniform(low: float, high: float) -> Distribution:
    """Anything between ``low`` and ``high`` seconds. Raises ValueError: below 0, or not in order."""
    _at_least_0(low=low)
    if high < low:
        raise ValueError(f"uniform: high ({high}) must be at least low ({low})")
    return lambda generator: generator.uniform(low, high)


def lognormal(median: float, p99: float) -> Distribution:
    """Log-normal: half of them below ``median`` seconds, 99 in 100 below ``p99``.

    What measured service times look like most often: a long tail to the right.

    Raises:
        ValueError: a median that isn't greater than 0, or a p99 that isn't greater than that.
    """
    _greater_than_0(median=median)
    if p99 <= median:
        raise ValueError(f"lognormal: p99 ({p99}) must be greater than the median ({median})")
    mu, sigma = math.log(median), math.log(p99 / median) / 2.3263478740408408  # z of 0.99
    return lambda generator: generator.lognormvariate(mu, sigma)


def measured(seconds: Sequence[float]) -> Distribution:
    """One of these, each as likely as the others: the empirical distribution of what was measured.

    Raises:
        ValueError: none given, or one below 0.
    """
    found = tuple(seconds)
    if not found:
        raise ValueError("measured: at least one duration is needed")
    for value in found:
        _at_least_0(seconds=value)
    return partial(_one_of, found)


def checked(name: str, given: Distribution | float) -> Distribution:
    """What somebody gave as a distribution; a number of seconds is a constant one.

    Raises:
        TypeError: neither a number nor a callable.
        ValueError: a number below 0.
    """
    if callable(given):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{name} must be seconds, or one of minilambda.distributions,"
                        f" not {given!r}")
    _at_least_0(**{name: given})
    return constant(float(given))


def _one_of(found: tuple[float, ...], generator: random.Random) -> float:
    return found[int(generator.random() * len(found))]


def _at_least_0(**given: float) -> None:
    for name, value in given.items():
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be at least 0, not {value}")


def _greater_than_0(**given: float) -> None:
    for name, value in given.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be greater than 0, not {value}")
