"""The processor that a function's memory buys, and what CPU time on it costs.

Stands for: "Lambda allocates CPU power in proportion to the amount of memory configured". AWS page:
*Configure Lambda function memory*. Leaves out: several threads that compute at once; beyond one vCPU
they are charged as if one after the other.
"""

from __future__ import annotations


class Processor:
    """``bought``: vCPUs. ``boosted``: Init has a whole one, whatever the memory."""

    def __init__(self, memory_size: int, memory_at_one_vcpu: int, wall: bool) -> None:
        self.bought = memory_size / memory_at_one_vcpu
        self.wall = wall
        self.boosted = False

    @property
    def share(self) -> float:
        """vCPUs that a thread gets: one at the most."""
        return 1.0 if self.boosted else min(1.0, self.bought)

    def stretched(self, cpu: float) -> float:
        """Seconds by which the clock is behind after ``cpu`` seconds of real computing.

        Virtual time stood still meanwhile; on the wall clock the computing itself has passed.
        """
        return cpu / self.share - (cpu if self.wall else 0.0)
