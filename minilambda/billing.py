"""What an invocation costs.

Stands for: AWS's bill. AWS page: *AWS Lambda pricing*. Figures come from ``limits.toml``.
Leaves out: the free tier (it is a month's, not an invocation's), Arm and tiered prices, storage.
"""

from __future__ import annotations

import math

from .limits import Limits


def billed_ms(duration_ms: float, limits: Limits) -> int:
    """A duration rounded up to the profile's billing step (100 ms in the course, 1 ms today)."""
    step = limits.billing_step_ms
    # Rounded first to a nanosecond, so that binary fractions can't push 100.0 into the next step.
    return math.ceil(round(duration_ms, 6) / step) * step or step


def gb_seconds(billed: int, memory_size: int) -> float:
    """GB-seconds of ``billed`` milliseconds at ``memory_size`` MB."""
    return memory_size / 1024 * billed / 1000


def cost(billed: int, memory_size: int, limits: Limits, provisioned: bool = False) -> float:
    """Dollars for one invocation, request included, past the free tier.

    ``provisioned``: in an environment of provisioned concurrency, where a GB-second is cheaper.
    """
    price = (limits.price_per_provisioned_duration if provisioned
             else limits.price_per_gb_second)
    return gb_seconds(billed, memory_size) * price + limits.price_per_request


def provisioned_cost(environments: int, seconds: float, memory_size: int, limits: Limits) -> float:
    """Dollars for having so many environments ready for so long, Init included.

    The time is rounded up to the profile's step (five minutes).
    """
    step = limits.provisioned_step
    billed = math.ceil(round(seconds, 6) / step) * step
    return environments * memory_size / 1024 * billed * limits.price_per_provisioned_gb_second
