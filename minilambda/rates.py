"""How much of something there may be in a time: tokens that come back as time passes.

Stands for: the rates of AWS's pages *Lambda scaling behavior* ("refill your concurrency scaling rate
continuously over time", and nothing is saved up beyond the maximum) and *Lambda quotas* (requests per
second). What has come back is computed when somebody asks: nothing ever ticks.
"""

from __future__ import annotations

_DUST = 1e-9  # of a token: what binary fractions may lack of a whole one


class Rate:
    """At most ``most`` tokens, which come back at ``step`` in ``seconds``. Starts full."""

    __slots__ = ("most", "per_second", "_left", "_at")

    def __init__(self, most: float, step: float, seconds: float) -> None:
        self.most, self.per_second = most, step / seconds
        self._left, self._at = float(most), 0.0

    def left(self, now: float) -> int:
        """Whole tokens that there are at ``now`` (seconds on the clock; it never runs back)."""
        if now > self._at:
            self._left = min(self.most, self._left + (now - self._at) * self.per_second)
            self._at = now
        return int(self._left + _DUST)

    def use(self, tokens: int = 1) -> None:
        """Take what :meth:`left` has just shown to be there."""
        self._left -= tokens

    def wait(self, now: float) -> float:
        """Seconds until there is a whole token; 0 if there is one."""
        return 0.0 if self.left(now) >= 1 else (1 - self._left) / self.per_second

    def change(self, most: float, per_second: float, now: float) -> None:
        """Another rate from now on; what has been used stays used."""
        self.left(now)
        used = self.most - self._left
        self.most, self.per_second = most, per_second
        self._left = max(0.0, most - used)
