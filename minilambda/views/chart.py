"""What the charts of a trace share: which requests, which axis of time, how many bins.

Stands for nothing of AWS's.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any

import plotly.graph_objects as go

from . import words
from .density import counted, even
from .reading import Request, Throttle, read
from .scale import Scale
from .strips import Strips

BINS = 40  # so many bars can be told apart on a phone
ROWS = 12  # of a table
POINTS = 400  # of a line; past that it is thinned
HEIGHT = 240

_arrived, _at = attrgetter("arrived"), attrgetter("at")


@dataclass(frozen=True)
class Chosen:
    """A function's requests and throttles, or everybody's, from an instant on."""

    requests: list[Request]
    throttles: list[Throttle]
    whose: str

    @property
    def served(self) -> list[Request]:
        return [r for r in self.requests if r.ended is not None]


def choose(what: str, cloud: Any, function: str | None, since: float) -> Chosen:
    """Requests that arrived, and throttles, from ``since`` on.

    Raises:
        ValueError: there are none; ``what`` is the view that says so.
    """
    reading = read(cloud.trace)
    requests = reading.requests[bisect_left(reading.requests, since, key=_arrived):]
    throttles = reading.throttles[bisect_left(reading.throttles, since, key=_at):]
    if function is not None:
        requests = [r for r in requests if r.function == function]
        throttles = [t for t in throttles if t.function == function]
    if not requests:
        whose = "nobody has invoked a function" if function is None else (
            f"nobody has invoked {function!r}")
        when = f" since {since:g} s" if since else ""
        raise ValueError(f"{what}: {whose} on this cloud{when} yet: invoke it first")
    return Chosen(requests, throttles, "all functions" if function is None else function)


@dataclass(frozen=True)
class Bins:
    """Equal stretches of a time axis. ``edges`` are moments, ``places`` where they are on it."""

    scale: Scale
    edges: list[float]

    @classmethod
    def over(cls, moments: list[float], count: int = BINS) -> Bins:
        """Bins over the time in which these moments lie; one bin if they are all the same."""
        return cls.of(Scale.over([(moment, moment) for moment in moments]), count)

    @classmethod
    def of(cls, scale: Scale, count: int = BINS) -> Bins:
        """Bins of an axis that there is already."""
        return cls(scale, even(scale, count if scale.end > scale.start else 1))

    @property
    def places(self) -> list[float]:
        if len(self.edges) == 2:  # all at one instant: a bar of half the picture's width
            return [0.25 * self.scale.length, 0.75 * self.scale.length]
        return [self.scale.place(edge) for edge in self.edges]

    @property
    def middles(self) -> list[float]:
        return [(a + b) / 2 for a, b in pairwise(self.places)]

    @property
    def width(self) -> float:
        return self.places[1] - self.places[0]

    def count(self, moments: list[float]) -> list[int]:
        return counted(moments, self.edges)

    def span(self, n: int) -> str:
        """The n-th bin's time in words."""
        since = self.scale.since
        if len(self.edges) == 2:
            return f"at {since(self.edges[0])}"
        return f"{since(self.edges[n])} to {since(self.edges[n + 1])}"

    def coarse(self) -> Bins:
        """As few bins as a table has rows."""
        return Bins.of(self.scale, ROWS)


def pattern(shape: str) -> dict[str, Any]:
    """A bar's pattern, its second sign beside the colour."""
    return {"shape": shape, "fgcolor": "rgba(255,255,255,0.75)", "fillmode": "overlay", "size": 6,
            "solidity": 0.25}


def finish(figure: go.Figure, scale: Scale, sentence: str, y: str, xaxis: dict[str, Any] | None = None,
           **axis: Any) -> go.Figure:
    """Lay out a chart of one strip, as the timelines are laid out."""
    strips = Strips()
    strips.add(HEIGHT, {"title": {"text": y, "font": {"size": 12}}, "fixedrange": True, "nticks": 6,
                        "rangemode": "tozero", **axis})
    scale.draw_cuts(figure)
    strips.lay_out(figure, sentence, xaxis or scale.axis(), above=18 if scale.cuts else 0)
    return figure


def share(part: int, whole: int) -> str:
    """``25%``, and never 0% or 100% of what is neither."""
    percent = 100 * part / whole
    if 0 < percent < 1 or 99 < percent < 100:
        return f"{percent:.1f}%" if 0.05 <= percent < 99.95 else (
            "under 0.1%" if percent < 1 else "over 99.9%")
    return f"{percent:.0f}%"


def were(number: int, noun: str) -> str:
    """``1 request was``, ``2 requests were``."""
    return f"{words.count(number, noun)} {'was' if number == 1 else 'were'}"
