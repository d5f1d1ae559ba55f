"""How many execution environments were in which phase, at every instant at which that changed.

Stands for nothing of AWS's. What a picture needs of it, averages of any stretch of time and the most
at once, costs no more with ten thousand invocations than with ten.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import add

INIT, INVOKE, IDLE = range(3)
NOWHERE = -1  # not made yet, or shut down


class Counts:
    """Levels of INIT, INVOKE and IDLE after each of the instants ``at`` (seconds, rising)."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.levels: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.busy: list[list[float]] = []  # (start, end) in which any was in INIT or INVOKE
        self._areas: tuple[list[float], list[float], list[float]] = ([], [], [])

    def move(self, at: float, old: int, new: int) -> None:
        """One environment goes from a phase to another, not before the instants there are."""
        instants, levels = self.at, self.levels
        if not instants:
            instants.append(at)
            for level in levels:
                level.append(0)
        elif at > instants[-1]:
            instants.append(at)
            for level in levels:
                level.append(level[-1])
        was = levels[INIT][-1] + levels[INVOKE][-1]
        if old != NOWHERE:
            levels[old][-1] -= 1
        if new != NOWHERE:
            levels[new][-1] += 1
        now = levels[INIT][-1] + levels[INVOKE][-1]
        if now and not was:
            if self.busy and self.busy[-1][1] == at:
                self.busy[-1][1] = float("inf")
            else:
                self.busy.append([at, float("inf")])
        elif was and not now:
            self.busy[-1][1] = at

    def stretches(self, since: float, now: float) -> list[tuple[float, float]]:
        """The busy stretches from ``since`` to ``now``."""
        first = max(0, bisect_right(self.busy, [since, float("inf")]) - 1)
        return [(max(a, since), min(b, now)) for a, b in self.busy[first:] if b > since]

    def instants(self, since: float) -> list[float]:
        """``since``, and the instants after it."""
        return [since, *self.at[bisect_right(self.at, since):]]

    def most(self, since: float, *phases: int) -> int:
        """The most environments at once that were in any of these phases, from ``since`` on."""
        first = max(0, bisect_right(self.at, since) - 1)
        total = self.levels[phases[0]][first:]
        for phase in phases[1:]:
            total = list(map(add, total, self.levels[phase][first:]))
        return max(total, default=0)

    def averages(self, edges: list[float]) -> tuple[list[float], list[float], list[float]]:
        """For each phase its average in each stretch between two edges."""
        self._add_up()
        found = []
        for level, area in zip(self.levels, self._areas, strict=True):
            sums = [self._area(level, area, edge) for edge in edges]
            found.append([
                round((b - a) / (right - left), 3) + 0.0  # never a zero below zero
                for a, b, left, right in zip(sums, sums[1:], edges, edges[1:], strict=False)])
        return tuple(found)

    def _area(self, level: list[int], area: list[float], moment: float) -> float:
        """Environment-seconds in a phase up to a moment."""
        n = bisect_right(self.at, moment) - 1
        return area[n] + level[n] * (moment - self.at[n]) if n >= 0 else 0.0

    def _add_up(self) -> None:
        """Bring the areas up to date. The last one never changes: its instant's level counts later."""
        at = self.at
        for level, area in zip(self.levels, self._areas, strict=True):
            if not area:
                area.append(0.0)
            total = area[-1]
            for n in range(len(area), len(at)):
                total += level[n - 1] * (at[n] - at[n - 1])
                area.append(total)
