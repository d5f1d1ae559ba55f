"""How long real code may take, in real seconds, before something is done about it.

Stands for nothing of AWS's. On a virtual clock a function has all the real time that this machine
needs for its CPU time: a busy machine kills nobody. What neither computes nor sleeps (a socket that
never answers) is given some seconds more, then counts as stuck.
"""

from __future__ import annotations

QUIET_SECONDS, QUIET_CPU = 0.02, 0.0005  # between two looks; CPU seconds that count
LOOK_SECONDS = 0.5  # the most between two looks at code whose time ought to be over
STUCK_SECONDS = 10.0  # that code which neither computes nor sleeps may take
BUSY_FACTOR = 20  # real seconds that a second of CPU may take on a busy machine


class Patience:
    """For one phase with a deadline."""

    def begin(self, seconds: float, stuck: float | None = None) -> None:
        """``seconds``: how long it would take at least. ``stuck``: instead of STUCK_SECONDS."""
        self.first, self.waited = max(0.05, seconds), 0.0
        self.stuck = STUCK_SECONDS if stuck is None else stuck

    def is_over(self, waited: float, taken: float, computed: float, left: float) -> bool:
        """After ``waited`` real seconds more: is the time used up, or is it stuck?

        ``taken``: seconds that what it has computed takes; ``computed``: seconds of CPU;
        ``left``: seconds to the deadline.
        """
        self.waited += waited
        return taken >= left or self.waited - BUSY_FACTOR * computed >= left + self.stuck
