"""How many execution environments did what, when: the timeline of more of them than lanes can show.

Stands for the drawing on AWS's page *Understanding Lambda function scaling*: stacked areas of the
environments in their Init phase, in their Invoke phase and idle; below them the requests that failed
or were throttled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from . import words
from .reading import Phase
from .renderer import describe
from .scale import Scale
from .strips import Strips
from .template import BLUE, GREY, ORANGE, PURPLE, RED
from .timeline import Part

EXACT = 240  # instants; with more of them the picture shows averages
BINS = 160  # of such averages
COUNTS = 60  # bins of the requests that weren't served
ROWS = 12  # of the table
COLUMNS = ("from", "to", "environments", "in init", "in invoke", "idle", "throttled", "failed")

STATES = (Phase.INIT, Phase.INVOKE, Phase.FROZEN)
# From the bottom up: name -> place among STATES, colour, pattern (a second sign beside the colour).
AREAS = {"in invoke": (1, BLUE, ""), "in init": (0, ORANGE, "/"), "idle": (2, GREY, ".")}
LOST = {"throttled": (RED, ""), "error": (PURPLE, "\\"), "killed": (RED, "x")}


@dataclass(frozen=True)
class Density:
    """A part of a trace as counts.

    ``changes`` says by how many each of STATES changed at an instant, in seconds since ``origin``
    and in order. ``lost`` has the instants of requests by the names of LOST.
    """

    origin: float
    changes: dict[float, list[int]]
    lost: dict[str, list[float]]
    work: list[tuple[float, float]]

    @property
    def most(self) -> int:
        """Environments at once, at the most."""
        return self._peak(0, 1, 2)

    @property
    def busiest(self) -> int:
        """Of these, in their Init or Invoke phase at once."""
        return self._peak(0, 1)

    def _peak(self, *places: int) -> int:
        level = most = 0
        for change in self.changes.values():
            level += sum(change[place] for place in places)
            most = max(most, level)
        return most

    def levels(self, edges: list[float]) -> list[list[float]]:
        """For each of STATES its average in each stretch between two edges."""
        count = len(edges) - 1
        steps = [[0.0] * (count + 1) for _ in STATES]
        parts = [[0.0] * count for _ in STATES]
        for at, change in self.changes.items():
            n = bisect_right(edges, at) - 1
            if n >= count:
                continue
            if n < 0:
                n, at = 0, edges[0]
            share = (edges[n + 1] - at) / (edges[n + 1] - edges[n])
            for state, by in enumerate(change):
                if by:
                    parts[state][n] += by * share
                    steps[state][n + 1] += by
        found = []
        for step, part in zip(steps, parts, strict=True):
            level, averages = 0.0, []
            for n in range(count):
                level += step[n]
                averages.append(round(level + part[n], 3) + 0.0)
            found.append(averages)
        return found


def measure(shown: Part, since: float) -> Density:
    """Count what a part's environments did from ``since`` on."""
    changes: dict[float, list[int]] = {}
    lost: dict[str, list[float]] = {
        "throttled": [round(t.at - since, 9) for t in shown.throttles], "error": [], "killed": []}
    # A moment at which somebody is throttled, or the picture's end, is a stretch of no length.
    work = [(at, at) for at in lost["throttled"]]
    place = {state: n for n, state in enumerate(STATES)}
    end = round(shown.now - since, 9)
    for lane in shown.lanes:
        for s in lane.segments:
            if s.end is not None and s.end <= since:
                continue
            start = round(s.start - since, 9) if s.start > since else 0.0
            stop = end if s.end is None else round(s.end - since, 9)
            state = place[s.phase]
            changes.setdefault(start, [0, 0, 0])[state] += 1
            if s.end is not None:
                changes.setdefault(stop, [0, 0, 0])[state] -= 1
            if state != 2:
                work.append((start, stop))
            elif s.end is None:
                work.append((end, end))
            if state == 1 and s.failed and s.end is not None:
                lost["killed" if s.killed else "error"].append(stop)
        if lane.shutdown:
            at = round(lane.shutdown[0] - since, 9)
            work.append((at, at))
    return Density(since, {at: changes[at] for at in sorted(changes)}, lost, work)


def picture(shown: Part, since: float, sentence: str) -> go.Figure:
    """The whole figure; ``sentence`` says what happened."""
    found = measure(shown, since)
    scale = Scale.over(found.work)
    figure, strips = go.Figure(), Strips()
    draw(figure, strips, found, scale)
    scale.draw_cuts(figure)
    whole = f"{sentence} {peaks(found)}"
    strips.lay_out(figure, whole, scale.axis(), above=18 if scale.cuts else 0)
    figure.update_layout(hovermode="x")
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
    inside = [at for at in found.changes if at < scale.end]
    edges = ([*inside, scale.end] if len(inside) <= EXACT and inside[0] < scale.end
             else even(scale, BINS))
    levels = found.levels(edges)
    x = [scale.place(edge) for edge in edges]
    hover = [_hover(scale, a, b, [level[n] for level in levels])
             for n, (a, b) in enumerate(pairwise(edges))]
    drawn = {trace.name for trace in figure.data}
    for name, (state, colour, pattern) in AREAS.items():
        level = levels[state]
        figure.add_scatter(
            name=name, x=x, y=[*level, level[-1]], yaxis=axis, stackgroup=axis, mode="lines",
            line={"shape": "hv", "width": 1, "color": colour}, showlegend=name not in drawn,
            legendgroup=name, hovertext=[*hover, hover[-1]],
            hoverinfo="text" if name == "in invoke" else "skip",
            fillpattern={"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)", "bgcolor": colour,
                         "size": 6, "solidity": 0.25} if pattern else None,
            fillcolor=colour,
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
    init, invoke, idle = found.levels(edges)
    throttled = counted(found.lost["throttled"], edges)
    failed = counted(found.lost["error"] + found.lost["killed"], edges)
    return [
        [scale.since(a), scale.since(b),
         *(f"{value:,.1f}" for value in (init[n] + invoke[n] + idle[n], init[n], invoke[n], idle[n])),
         f"{throttled[n]:,}", f"{failed[n]:,}"]
        for n, (a, b) in enumerate(pairwise(edges))
    ]
