"""The processor that a function's memory buys, and what CPU time on it costs.

Stands for: "Lambda allocates CPU power in proportion to the amount of memory configured". AWS page:
*Configure Lambda function memory*. A thread never has more than one vCPU; threads that compute at
once share what was bought.

CPU time comes as seconds by the number of threads that had it at once: ``(1.0, 0.5)`` is a second
of one thread by itself, and half a second of two side by side.
"""

from __future__ import annotations

CpuTime = tuple[float, ...]


def less(cpu: CpuTime, former: CpuTime) -> CpuTime:
    """What has come since: figure by figure."""
    size = max(len(cpu), len(former))
    filled = (times + (0.0,) * (size - len(times)) for times in (cpu, former))
    return tuple(now - before for now, before in zip(*filled, strict=True))


class Processor:
    """``bought``: vCPUs. ``boosted``: Init has at least a whole one, whatever the memory."""

    def __init__(self, memory_size: int, memory_at_one_vcpu: int, wall: bool) -> None:
        self.bought = memory_size / memory_at_one_vcpu
        self.wall = wall
        self.boosted = False

    @property
    def share(self) -> float:
        """vCPUs that a thread by itself gets: one at the most."""
        return min(1.0, self._power)

    @property
    def _power(self) -> float:
        return max(1.0, self.bought) if self.boosted else self.bought

    def seconds(self, cpu: CpuTime) -> float:
        """How long this much computing takes."""
        return sum(spent / min(number, self._power) for number, spent in enumerate(cpu, 1))

    def stretched(self, cpu: CpuTime) -> float:
        """Seconds by which the clock is behind after this much real computing.

        Virtual time stood still meanwhile; on the wall clock the computing itself has passed.
        """
        passed = sum(spent / number for number, spent in enumerate(cpu, 1)) if self.wall else 0.0
        return self.seconds(cpu) - passed


class Meter:
    """What one process tree's CPU time has been charged for, and what not yet."""

    def __init__(self, processor: Processor, modelled: bool) -> None:
        self.processor, self.modelled = processor, modelled
        self.seen: CpuTime = ()
        self.charged: CpuTime = ()
        self.began: CpuTime = ()

    def begin(self) -> None:
        """A phase with a deadline of its own begins."""
        self.began = self.seen

    def taken(self, cpu: CpuTime) -> float:
        """Seconds that what was computed in this phase takes; modelled: real ones."""
        fresh = less(cpu, self.began)
        return sum(fresh) if self.modelled else self.processor.seconds(fresh)

    def computed(self, cpu: CpuTime) -> float:
        """Seconds of CPU in this phase, of all threads."""
        return sum(less(cpu, self.began))

    def owed(self, cpu: CpuTime) -> float:
        """Seconds to let pass for what isn't charged yet; now it is."""
        seconds = self.processor.stretched(less(cpu, self.charged))
        if seconds <= 0:  # what was charged as one thread's has turned out to be several's
            return 0.0
        self.charged = cpu
        return seconds
