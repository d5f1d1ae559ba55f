"""How many execution environments did what, when: the timeline of more of them than lanes can show.

Stands for the drawing on AWS's page *Understanding Lambda function scaling*: stacked areas of the
environments in their Init phase, in their Invoke phase and idle; below them the requests that failed
or were throttled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Any

import plotly.graph_objects as go

from ..trace import Trace
from . import words
from .counts import IDLE, INIT, INVOKE, NOWHERE, Counts
from .reading import Phase, read
from .renderer import describe
from .scale import Scale
from .strips import Strips
from .template import BLUE, ORANGE, PURPLE, RED
from .timeline import Part

EXACT = 240  # instants; with more of them the picture shows averages
BINS = 160  # of such averages
COUNTS = 60  # bins of the requests that weren't served
ROWS = 12  # of the table
COLUMNS = ("from", "to", "environments", "in init", "in invoke", "idle", "throttled", "failed")

_at = attrgetter("at")

# From the bottom up: name -> phase, colour, pattern (a second sign beside the colour).
AREAS = {"in invoke": (INVOKE, BLUE, ""), "in init": (INIT, ORANGE, "/"),
         "idle": (IDLE, "rgba(120,120,120,0.4)", "")}
LOST = {"throttled": (RED, ""), "error": (PURPLE, "\\"), "killed": (RED, "x")}
PLACES = {Phase.INIT: INIT, Phase.INVOKE: INVOKE, Phase.FROZEN: IDLE}


@dataclass(frozen=True)
class Density:
    """Counts from ``start`` to ``end``; ``lost`` has the instants of requests by the names of LOST."""

    counts: Counts
    start: float
    end: float
    lost: dict[str, list[float]]

    @cached_property
    def most(self) -> int:
        """Environments at once, at the most."""
        return self.counts.most(self.start, INIT, INVOKE, IDLE)

    @cached_property
    def busiest(self) -> int:
        """Of these, in their Init or Invoke phase at once."""
        return self.counts.most(self.start, INIT, INVOKE)

    def work(self) -> list[tuple[float, float]]:
        """What a scale must show: the busy stretches, and as stretches of no length all else."""
        moments = [self.start, self.end, *(at for some in self.lost.values() for at in some)]
        return [*self.counts.stretches(self.start, self.end), *((at, at) for at in moments)]


def everything(trace: Trace, now: float, since: float) -> Density:
    """All of a trace's environments from ``since`` to ``now``, whichever function's they are."""
    reading = read(trace)
    throttles, failures = (some[bisect_left(some, since, key=_at):]
                           for some in (reading.throttles, reading.failures))
    return Density(reading.counts, since, max(now, since), _lost(
        [t.at for t in throttles], [(e.at, e["status"] in words.KILLED) for e in failures]))


def measure(shown: Part, origin: float, since: float = 0.0) -> Density:
    """Count what a part's environments did from ``since`` on, in seconds after ``origin``."""
    moves: list[tuple[float, int, int]] = []
    failures = []
    for lane in shown.lanes:
        phase = NOWHERE
        for s in lane.segments:
            start = s.start - origin
            if start > since or phase == NOWHERE:
                moves.append((max(start, since), phase, PLACES[s.phase]))
                phase = PLACES[s.phase]
            if s.failed and s.end is not None and s.phase is Phase.INVOKE:
                failures.append((s.end - origin, s.killed))
        if lane.shutdown:
            moves.append((max(lane.shutdown[0] - origin, since), phase, NOWHERE))
    counts = Counts()
    for move in sorted(moves, key=itemgetter(0)):
        counts.move(*move)
    return Density(counts, since, shown.now - origin, _lost(
        [at for t in shown.throttles if (at := t.at - origin) >= since],
        [(at, killed) for at, killed in sorted(failures) if at >= since]))


def _lost(throttled: list[float], failures: list[tuple[float, bool]]) -> dict[str, list[float]]:
    return {"throttled": throttled, "error": [at for at, killed in failures if not killed],
            "killed": [at for at, killed in failures if killed]}


def picture(found: Density, sentence: str) -> go.Figure:
    """The whole figure; ``sentence`` says what happened."""
    scale = Scale.over(found.work())
    figure, strips = go.Figure(), Strips()
    draw(figure, strips, found, scale)
    scale.draw_cuts(figure)
    whole = f"{sentence} {peaks(found)}"
    strips.lay_out(figure, whole, scale.axis(), above=18 if scale.cuts else 0, hovermode="x")
    return describe(figure, f"{whole} {scale.note()}".strip(), COLUMNS, table(found, scale))


def peaks(found: Density) -> str:
    return (f"At most {found.busiest:,} were at work at once,"
            f" of {words.count(found.most, 'environment')}.")


def draw(figure: go.Figure, strips: Strips, found: Density, scale: Scale, header: str = "",
         most: int | None = None) -> None:
    """Add a strip of areas, and if there is need one of lost requests. ``most``: the axis' end."""
    axis = strips.add(190, {
        "title": {"text": "environments", "font": {"size": 12}}, "fixedrange": True,
        "range": [0, 1.05 * max(1, most or found.most)], "nticks": 6}, header)
    _draw_areas(figure, axis, found, scale)
    if any(found.lost.values()):
        axis = strips.add(70, {
            "title": {"text": "requests", "font": {"size": 12}}, "fixedrange": True, "nticks": 3,
            "rangemode": "tozero"})
        _draw_lost(figure, axis, found, scale)


def _draw_areas(figure: go.Figure, axis: str, found: Density, scale: Scale) -> None:
    inside = [at for at in found.counts.instants(found.start) if at < scale.end]
    edges = ([*inside, scale.end] if len(inside) <= EXACT and scale.end > scale.start
             else even(scale, BINS))
    levels = found.counts.averages(edges)
    x = [scale.place(edge) for edge in edges]
    hover = [_hover(scale, a, b, [level[n] for level in levels])
             for n, (a, b) in enumerate(pairwise(edges))]
    drawn = {trace.name for trace in figure.data}
    for name, (phase, colour, pattern) in AREAS.items():
        figure.add_scatter(
            name=name, x=x, y=[*levels[phase], levels[phase][-1]], yaxis=axis, stackgroup=axis,
            mode="lines", line={"shape": "hv", "width": 0, "color": colour}, legendgroup=name,
            showlegend=name not in drawn, hovertext=[*hover, hover[-1]] if phase == INVOKE else None,
            hoverinfo="text" if phase == INVOKE else "skip", fillcolor=colour,
            fillpattern={"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)", "bgcolor": colour,
                         "size": 6, "solidity": 0.25} if pattern else None,
        )


def _hover(scale: Scale, a: float, b: float, level: list[float]) -> str:
    init, invoke, idle = (f"{value:,.1f}".removesuffix(".0") for value in level)
    return (f"{scale.since(a)} to {scale.since(b)}<br>in init {init}<br>in invoke {invoke}"
            f"<br>idle {idle}")


def _draw_lost(figure: go.Figure, axis: str, found: Density, scale: Scale) -> None:
    edges = even(scale, COUNTS)
    places = [scale.place(edge) for edge in edges]
    width = places[1] - places[0]
    base = [0] * COUNTS
    drawn = {trace.name for trace in figure.data}
    for name, (colour, pattern) in LOST.items():
        if not found.lost[name]:
            continue
        counts = counted(found.lost[name], edges)
        kept = [n for n, count in enumerate(counts) if count]
        figure.add_bar(
            name=name, x=[places[n] + width / 2 for n in kept], y=[counts[n] for n in kept],
            base=[base[n] for n in kept], width=width, yaxis=axis, legendgroup=name,
            showlegend=name not in drawn, hoverinfo="text",
            hovertext=[f"{words.count(counts[n], 'request')}: {name}<br>{scale.since(edges[n])} to"
                       f" {scale.since(edges[n + 1])}" for n in kept],
            marker={"color": colour, "pattern": {
                "shape": pattern, "fgcolor": "rgba(255,255,255,0.75)", "fillmode": "overlay",
                "size": 6, "solidity": 0.25}},
        )
        base = [a + b for a, b in zip(base, counts, strict=True)]


def even(scale: Scale, count: int) -> list[float]:
    """The edges of ``count`` stretches that are equally wide on the axis, as moments."""
    left, right = scale.place(scale.start), scale.place(scale.end)
    if scale.start == scale.end:  # all at one instant
        return [scale.start + n / count for n in range(count + 1)]
    inner = [scale.moment(left + (right - left) * n / count) for n in range(1, count)]
    return [scale.start, *inner, scale.end]


def counted(moments: Iterable[float], edges: list[float]) -> list[int]:
    """How many moments lie between each two edges; the last edge is inside."""
    counts = [0] * (len(edges) - 1)
    for moment in moments:
        counts[min(max(bisect_right(edges, moment) - 1, 0), len(counts) - 1)] += 1
    return counts


def table(found: Density, scale: Scale) -> list[list[Any]]:
    """The picture as a table: averages, and counts of the requests that were lost."""
    edges = even(scale, ROWS)
    init, invoke, idle = found.counts.averages(edges)
    throttled = counted(found.lost["throttled"], edges)
    failed = counted(found.lost["error"] + found.lost["killed"], edges)
    return [
        [scale.since(a), scale.since(b),
         *(f"{value:,.1f}" for value in (init[n] + invoke[n] + idle[n], init[n], invoke[n], idle[n])),
         f"{throttled[n]:,}", f"{failed[n]:,}"]
        for n, (a, b) in enumerate(pairwise(edges))
    ]
