"""A time axis on which milliseconds and minutes can both be seen.

Stands for nothing of AWS's. An environment works for milliseconds and lies frozen for minutes.
Where one true scale would hide either, stretches in which nobody works are cut to one fixed width,
and very short work is drawn wider than it is; the axis then says when things happened, at the
places where they did. Where a true scale does, it is a true scale.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from . import words

GAP = 0.15  # a cut's width, in parts of all work's width
LEAST = 0.05  # the least width of a stretch of work, likewise
OPEN = 0.12  # what goes on past the end of the picture, likewise
APART = 0.17  # least distance of two tick labels, in parts of the axis


@dataclass(frozen=True)
class Cut:
    """A stretch drawn shorter than it is; ``left`` and ``right`` are places on the axis."""

    left: float
    right: float
    seconds: float


class Scale:
    """From moments to places on the axis.

    Args:
        moments: seconds at which something begins or ends.
        work: (start, end) of the stretches in which somebody works.
        is_open: whether something goes on past the last moment.
    """

    def __init__(self, moments: Iterable[float], work: Iterable[tuple[float, float]],
                 is_open: bool) -> None:
        self.moments = sorted({round(moment, 9) for moment in moments})
        self.start, self.end = self.moments[0], self.moments[-1]
        steps = list(pairwise(self.moments))
        work = [(round(a, 9), round(b, 9)) for a, b in work]
        # One pass with the number of stretches at work keeps a thousand environments quick.
        change = dict.fromkeys(self.moments, 0)
        for a, b in work:
            change[a] += 1
            change[b] -= 1
        busy, level = [], 0
        for a, _ in steps:
            level += change[a]
            busy.append(level > 0)
        worked = sum(b - a for (a, b), works in zip(steps, busy, strict=True) if works)
        worked = worked or self.end - self.start or 0.001
        idle = sum(not works for works in busy)
        gap = worked * min(GAP, 0.6 / max(1, idle))
        least = worked * min(LEAST, 0.6 / max(1, len(steps)))
        self.tail = worked * OPEN if is_open else 0.0
        self.stretched = False
        places, cuts = [0.0], []
        for (a, b), works in zip(steps, busy, strict=True):
            width = b - a
            if works and width < least:
                width, self.stretched = least, True
            elif not works and width > gap:
                cuts.append((places[-1], places[-1] + gap, width))
                width = gap
            places.append(places[-1] + width)
        self.true = not (cuts or self.stretched)
        # A true scale counts milliseconds or seconds; any other has no unit, and is 1 long.
        self.unit = "ms" if self.end - self.start < 10 else "s"
        whole = places[-1] + self.tail or 1.0
        factor = {"ms": 1000.0, "s": 1.0}[self.unit] if self.true else 1 / whole
        self._places = {m: p * factor for m, p in zip(self.moments, places, strict=True)}
        self.cuts = [Cut(a * factor, b * factor, seconds) for a, b, seconds in cuts]
        self.tail *= factor
        self.length = whole * factor

    def place(self, moment: float) -> float:
        """Where a moment is on the axis (one of those given)."""
        return self._places[round(moment, 9)]

    @property
    def right(self) -> float:
        """The right end, past the last moment if something goes on there."""
        return self.length

    def since(self, moment: float) -> str:
        """A moment in words: the time since the first one shown."""
        return words.duration(max(0.0, moment - self.start))

    def axis(self) -> dict[str, Any]:
        """The x axis of a Plotly layout."""
        axis: dict[str, Any] = {"range": [-0.01 * self.length, 1.01 * self.length],
                                "showgrid": True, "zeroline": False, "fixedrange": True}
        if self.true:
            return {**axis, "title": _title(f"{self.unit} since the first event"),
                    "nticks": 7}
        ticks = self._ticks()
        return {**axis, "title": _title("time since the first event (not to scale)"),
                "tickmode": "array", "tickvals": [self.place(m) for m in ticks],
                "ticktext": [self.since(m) for m in ticks], "tickangle": 0}

    def _ticks(self) -> list[float]:
        """Moments to label, far enough apart to be read; the first and the last always."""
        chosen = [self.start]
        for moment in self.moments[1:]:
            if self.place(moment) - self.place(chosen[-1]) >= APART:
                chosen.append(moment)
        if self.end not in chosen:
            if len(chosen) > 1 and self.place(self.end) - self.place(chosen[-1]) < APART:
                chosen.pop()
            chosen.append(self.end)
        return chosen

    def note(self) -> str:
        """What a reader must know to read the axis; empty if it is true to scale."""
        parts = []
        if self.cuts:
            cuts = len(self.cuts)
            what, are = ("a stretch", "is") if cuts == 1 else (f"{cuts} stretches", "are")
            parts.append(f"{what} in which nothing ran {are} drawn shorter")
        if self.stretched:
            parts.append("the shortest phases are drawn longer")
        return f"The time axis is not to scale: {words.listing(parts)}." if parts else ""


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 12}}  # fits a phone
