"""Values over time as steps: any number that holds until it changes.

Stands for a graph in the CloudWatch console, with exact instants where that has averages of minutes.
It draws what it is given: a queue's depth, the age of its oldest message, a shard's iterator age.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter

import plotly.graph_objects as go

from . import words
from .chart import POINTS, ROWS, finish
from .density import even
from .renderer import describe
from .scale import Scale
from .template import COLOURS, GREY

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # the second sign
Point = tuple[float, float]


def series(lines: Mapping[str, Sequence[Point]], what: str,
           limits: Mapping[str, float] | None = None, sentence: str | None = None) -> go.Figure:
    """Draw values that change from time to time, against limits.

    Args:
        lines: name -> points (seconds, value) in the order of time; a value holds until the next.
        what: what is counted, for the y axis: ``"messages"``, ``"age of the oldest, s"``.
        limits: name -> a value that is drawn as a level of its own.
        sentence: what the picture shows; made from the values unless given.

    Returns:
        A Plotly figure that carries its text alternative.

    Raises:
        ValueError: no line, a line without points, points out of order, or more than six lines.
    """
    if not lines or not all(lines.values()):
        raise ValueError("series: give at least one line, and every line at least one point")
    if len(lines) > len(DASHES):
        raise ValueError(f"series: at most {len(DASHES)} lines can be told apart, not {len(lines)}")
    for name, points in lines.items():
        if any(a > b for (a, _), (b, _) in zip(points, points[1:], strict=False)):
            raise ValueError(f"series: the points of {name!r} must be in the order of time")
    figure = go.Figure()
    ends = [points[place][0] for points in lines.values() for place in (0, -1)]
    scale = Scale.over([(min(ends), max(ends))])
    for number, (name, points) in enumerate(lines.items()):
        draw(figure, scale, name, points, number)
    top = max(value for points in lines.values() for _, value in points)
    draw_limits(figure, scale, limits or {}, top)
    sentence = sentence or _sentence(lines, what)
    finish(figure, scale, sentence, what)
    edges = even(scale, ROWS) if scale.end > scale.start else [scale.start]
    rows = [[scale.since(edge), *(f"{at(points, edge):,g}" for points in lines.values())]
            for edge in edges]
    return describe(figure, sentence, ["time", *lines], rows)


def steps(changes: Iterable[Point], start: float = 0) -> list[Point]:
    """A level from its changes: ``[(0, +1), (1, +1), (3, -1)]`` gives ``[(0, 1), (1, 2), (3, 1)]``.

    Changes at one instant count as one. ``start`` is the level before the first.
    """
    by: dict[float, float] = {}
    for moment, change in changes:
        by[moment] = by.get(moment, 0) + change
    moments = sorted(by)
    levels = accumulate((by[moment] for moment in moments), initial=start)
    return list(zip(moments, list(levels)[1:], strict=True))


def at(points: Sequence[Point], moment: float) -> float:
    """The value at a moment: the last point's at or before it, and the first one's before all."""
    return points[max(0, bisect_right(points, moment, key=itemgetter(0)) - 1)][1]


def draw(figure: go.Figure, scale: Scale, name: str, points: Sequence[Point], number: int,
         fill: bool = False) -> None:
    """Add one line, its ``number`` giving its colour and its dash."""
    points = thinned(points, scale)
    figure.add_scatter(
        name=name, mode="lines+markers" if len(points) == 1 else "lines",
        x=[scale.place(moment) for moment, _ in points] + [scale.place(scale.end)],
        y=[value for _, value in points] + [points[-1][1]],
        line={"shape": "hv", "width": 2, "color": COLOURS[number], "dash": DASHES[number]},
        fill="tozeroy" if fill else None, hoverinfo="text",
        hovertext=[f"{name}: {value:,g}<br>from {scale.since(moment)}" for moment, value in
                   [*points, points[-1]]],
    )


def thinned(points: Sequence[Point], scale: Scale) -> list[Point]:
    """Few enough points for a picture: of each small stretch the highest, so that no peak is lost."""
    if len(points) <= POINTS:
        return list(points)
    edges, found, place = even(scale, POINTS), [], 0
    for edge in edges[1:]:
        first = place
        while place < len(points) and points[place][0] <= edge:
            place += 1
        if place > first:
            some = points[first:place]
            found.append((some[0][0], max(value for _, value in some)))
    return found if found[-1] == points[-1] else [*found, points[-1]]


def draw_limits(figure: go.Figure, scale: Scale, limits: Mapping[str, float], top: float) -> None:
    """Add levels; one so high that it would flatten everything is only named, with an arrow."""
    far = 0
    for name, level in limits.items():
        if level <= 3 * max(top, 1):
            figure.add_scatter(
                name=f"{name} ({level:,g})", mode="lines", hoverinfo="name",
                x=[scale.place(scale.start), scale.place(scale.end) or scale.length],
                y=[level, level], line={"color": GREY, "width": 1.5, "dash": "longdash"})
        else:
            figure.add_annotation(
                x=1, xref="paper", xanchor="right", y=1, yref="paper", yanchor="top",
                yshift=-16 * far, showarrow=False, font_size=12, text=f"↑ {name} {level:,g}")
            far += 1


def _sentence(lines: Mapping[str, Sequence[Point]], what: str) -> str:
    parts = []
    for name, points in lines.items():
        moment, most = max(points, key=lambda point: point[1])
        after = words.duration(moment - min(points[0][0] for points in lines.values()))
        parts.append(f"{name} is at most {most:,g} (after {after}) and {points[-1][1]:,g} at the end")
    return f"{what[:1].upper()}{what[1:]}: {words.listing(parts)}."
