"""Samples of how long something takes, and the table they end up in."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Durations in milliseconds."""

    values: tuple[float, ...]

    @property
    def p50(self) -> float:
        return statistics.median(self.values)

    @property
    def best(self) -> float:
        """The fastest tenth: what a machine with nothing else to do would show."""
        return sorted(self.values)[len(self.values) // 10]

    def __str__(self) -> str:
        return f"{duration(self.p50)} ({duration(self.best)})"


def sample(action: Callable[[], object], times: int, warm: int = 2) -> Sample:
    for _ in range(warm):
        action()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        found.append((time.perf_counter() - began) * 1000)
    return Sample(tuple(found))


def duration(ms: float) -> str:
    return f"{ms * 1000:.0f} us" if ms < 1 else f"{ms:.2f} ms" if ms < 10 else f"{ms:.0f} ms"


class Table:
    """Rows of Markdown, printed as they come in."""

    def __init__(self, *columns: str) -> None:
        self.lines: list[str] = []
        self._line(*columns)
        self._line(*["---"] * len(columns))

    def row(self, *cells: object) -> None:
        self._line(*("" if cell is None else str(cell) for cell in cells))

    def _line(self, *cells: str) -> None:
        line = "| " + " | ".join(cells) + " |"
        self.lines.append(line)
        print(line, flush=True)


def ratio(ours: float, other: float | None) -> str | None:
    """``other`` as a multiple of ours; more than 1: ours is quicker."""
    return None if not other else f"{other / ours:.1f} x"
