"""A time axis on which milliseconds and minutes can both be seen.

Stands for nothing of AWS's. An environment works for milliseconds and lies frozen for minutes.
Where one true scale would hide either, stretches in which nobody works are cut to one fixed width,
and very short work is drawn wider than it is; the axis then says when things happened, at the
places where they did. Where a true scale does, it is a true scale.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from . import words

GAP = 0.15  # a cut's width, in parts of all work's width
LEAST = 0.05  # the least width of a stretch of work, likewise
OPEN = 0.12  # what goes on past the end of the picture, likewise
APART = 0.2  # least distance of two tick labels, in parts of the axis
MOST_CUTS = 6  # of an axis that :meth:`Scale.over` makes
# The unit of a true scale -> how many are a second, and up to which length it is used.
UNITS = {"ms": (1000.0, 10.0), "s": (1.0, 600.0), "min": (1 / 60, 6 * 3600.0),
         "h": (1 / 3600, float("inf"))}


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
        # A true scale counts milliseconds, seconds and so on; any other has no unit, and is 1 long.
        self.unit = next(u for u, (_, most) in UNITS.items() if self.end - self.start < most)
        whole = places[-1] + self.tail or 1.0
        factor = UNITS[self.unit][0] if self.true else 1 / whole
        self._spots = [p * factor for p in places]
        self._places = dict(zip(self.moments, self._spots, strict=True))
        self.cuts = [Cut(a * factor, b * factor, seconds) for a, b, seconds in cuts]
        self.tail *= factor
        self.labels: list[float] = []  # moments that may be labelled beside those given
        self.ticklen = 0  # pixels by which labels stand off the axis: 0 where no y axis has a zero
        self.length = whole * factor

    @classmethod
    def over(cls, work: Iterable[tuple[float, float]], is_open: bool = False) -> Scale:
        """A scale for very many moments: only long stretches without work are cut.

        Args:
            work: (start, end) of each stretch of work; a moment alone is a stretch of no length.
        """
        stretches: list[list[float]] = []
        for a, b in sorted(work):
            if stretches and a <= stretches[-1][1]:
                stretches[-1][1] = max(b, stretches[-1][1])
            else:
                stretches.append([a, b])
        left = stretches[-1][1] - stretches[0][0]
        cut = set()
        gaps = [(b[0] - a[1], n) for n, (a, b) in enumerate(pairwise(stretches))]
        for gap, n in sorted(gaps, reverse=True)[:MOST_CUTS]:
            # (Between two moments, and nothing else, time is all that there is to see.)
            if gap <= GAP * (left - gap) or gap == left:
                break
            left -= gap
            cut.add(n)
        merged = [stretches[0][:]]
        for n, (a, b) in enumerate(stretches[1:]):
            if n in cut:
                merged.append([a, b])
            else:
                merged[-1][1] = b
        scale = cls({m for stretch in merged for m in stretch}, [(a, b) for a, b in merged], is_open)
        scale.ticklen = 5
        for a, b in merged:
            scale._label_inside(a, b)
        return scale

    def _label_inside(self, a: float, b: float) -> None:
        """Offer labels at round times within a wide stretch."""
        width = (self.place(b) - self.place(a)) / self.length
        if width < 3 * APART:
            return
        step = 10 ** math.floor(math.log10((b - a) * APART / width))
        step = next(n * step for n in (1, 2, 5, 10, 20) if n * step >= (b - a) * 1.3 * APART / width)
        first = math.ceil((a - self.start) / step)
        self.labels += [self.start + n * step for n in range(first, math.floor((b - self.start) / step)
                                                             + 1)]

    def place(self, moment: float) -> float:
        """Where a moment is on the axis; past either end, that end."""
        found = self._places.get(round(moment, 9))
        return found if found is not None else _between(self.moments, self._spots, moment)

    def moment(self, place: float) -> float:
        """The moment at a place of the axis: the way back."""
        return _between(self._spots, self.moments, place)

    @property
    def right(self) -> float:
        """The right end, past the last moment if something goes on there."""
        return self.length

    def since(self, moment: float) -> str:
        """A moment in words: the time since the first one shown."""
        return words.duration(max(0.0, moment - self.start))

    def draw_cuts(self, figure: go.Figure) -> None:
        """Shade the stretches that are drawn shorter, and say above them how long they are."""
        for cut in self.cuts:
            figure.add_vrect(x0=cut.left, x1=cut.right, line_width=0, layer="below",
                             fillcolor="rgba(128,128,128,0.16)")
            if cut.right - cut.left >= 0.08 * self.length:
                figure.add_annotation(x=(cut.left + cut.right) / 2, y=1, yref="paper",
                                      yanchor="bottom", showarrow=False, font_size=11,
                                      text=words.duration(cut.seconds))

    def axis(self) -> dict[str, Any]:
        """The x axis of a Plotly layout."""
        axis: dict[str, Any] = {"range": [-0.01 * self.length, 1.01 * self.length],
                                "showgrid": True, "zeroline": False, "fixedrange": True}
        if self.ticklen:
            axis |= {"ticks": "outside", "ticklen": self.ticklen, "tickcolor": "rgba(0,0,0,0)"}
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
        for moment in sorted([*self.moments[1:], *self.labels]):
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


def _between(steps: list[float], values: list[float], step: float) -> float:
    """The value at ``step`` of a line through (steps, values)."""
    n = bisect_right(steps, step)
    if n == 0:
        return values[0]
    if n == len(steps):
        return values[-1]
    low, high = steps[n - 1], steps[n]
    return values[n - 1] + (values[n] - values[n - 1]) * (step - low) / (high - low)


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 12}}  # fits a phone
