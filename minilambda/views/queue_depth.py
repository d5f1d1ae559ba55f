"""How many messages were in a queue, and how old the oldest was, over time.

Stands for SQS's metrics as CloudWatch draws them. AWS page: *Available CloudWatch metrics for Amazon
SQS*. Leaves out: that AWS measures once a minute, and approximately.
"""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from . import words
from .queues import Depth, arn_of, depth, name_of, oldest
from .renderer import describe
from .template import BLUE, GREY, ORANGE, PURPLE

MOST_POINTS = 600  # of a line; of more, each stretch of time keeps its fullest instant and its last
COLUMNS = ("time", "visible", "in flight", "delayed", "oldest")
UNITS = ((2.0, "ms", 0.001), (300.0, "s", 1.0), (4 * 3600.0, "min", 60.0), (float("inf"), "h", 3600.0))


def queue_depth(cloud: Any, queue: str) -> go.Figure:
    """Draw a queue's depth (visible, in flight, delayed) and the age of its oldest message.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` and ``clock`` are read).
        queue: its name, URL or ARN.

    Returns:
        A Plotly figure that carries its text alternative: depth in messages above, age below, over
        the time since the cloud's start.

    Raises:
        ValueError: no message has been in such a queue, or several queues have this name.
    """
    arn = arn_of(cloud.trace, queue)
    steps = depth(cloud.trace, arn)
    now = max(cloud.clock.seconds, steps[-1].at)
    ages = oldest(cloud.trace, arn, now)
    start = steps[0].at
    unit, size = next((u, s) for longest, u, s in UNITS if now - start < longest)
    drawn = _thinned(steps, MOST_POINTS)
    if drawn[-1].at < now:
        last = drawn[-1]
        drawn.append(Depth(now, last.visible, last.in_flight, last.delayed))
    figure = go.Figure()
    at = [d.at / size for d in drawn]
    for name, colour, pattern, values in (
        ("in flight", ORANGE, "/", [d.in_flight for d in drawn]),
        ("visible", BLUE, "", [d.visible for d in drawn]),
        ("delayed", GREY, ".", [d.delayed for d in drawn]),
    ):
        if any(values):
            figure.add_scatter(
                name=name, x=at, y=values, stackgroup="depth", mode="lines",
                line={"shape": "hv", "color": colour, "width": 1.5},
                fillpattern={"shape": pattern, "fgcolor": colour, "size": 7, "solidity": 0.35,
                             "fillmode": "overlay"},
                hovertemplate=f"%{{y}} {name} from %{{x}} {unit} on<extra></extra>")
    if len(ages) > 1:
        figure.add_scatter(
            name="age of the oldest", x=[a / size for a, _ in ages], y=[y / size for _, y in ages],
            yaxis="y2", mode="lines", line={"color": PURPLE, "dash": "dash", "width": 2},
            hovertemplate=f"the oldest is %{{y}} {unit} old at %{{x}} {unit}<extra></extra>")
    sentence = _sentence(name_of(arn), steps, ages)
    _lay_out(figure, sentence, unit, (start / size, now / size))
    return describe(figure, sentence, COLUMNS, _rows(_thinned(steps, 20), ages))


def _thinned(steps: list[Depth], most: int) -> list[Depth]:
    if len(steps) <= most:
        return list(steps)
    start, length = steps[0].at, (steps[-1].at - steps[0].at) or 1.0
    bins: dict[int, list[Depth]] = {}
    for step in steps:
        bins.setdefault(int((step.at - start) / length * (most // 2 - 1)), []).append(step)
    kept = []
    for found in bins.values():
        fullest = max(found, key=lambda d: d.total)
        kept += [fullest, found[-1]] if fullest is not found[-1] else [fullest]
    return kept


def _sentence(name: str, steps: list[Depth], ages: list[tuple[float, float]]) -> str:
    peak = max(steps, key=lambda d: d.total)
    last = steps[-1]
    parts = [f"Queue {name} held {words.count(peak.total, 'message')} at the most"]
    if age := max((age for _, age in ages), default=0.0):
        parts.append(f"its oldest was {words.duration(age)} old at the most")
    text = "; ".join(parts) + ". "
    if not last.total:
        return text + "It is empty now."
    now = [words.count(number, "message") + f" {state}" for number, state in (
        (last.visible, "visible"), (last.in_flight, "in flight"), (last.delayed, "delayed"))
        if number]
    return text + f"Now it holds {words.listing(now)}."


def _age_at(ages: list[tuple[float, float]], at: float) -> float:
    for (a, first), (b, last) in pairwise(ages):
        if a <= at < b:
            return first + (at - a if last != first else 0.0)
    return ages[-1][1] if ages and at >= ages[-1][0] else 0.0


def _rows(steps: list[Depth], ages: list[tuple[float, float]]) -> list[list[str]]:
    return [[words.duration(d.at), f"{d.visible:,}", f"{d.in_flight:,}", f"{d.delayed:,}",
             words.duration(_age_at(ages, d.at)) if d.total else ""] for d in steps]


def _lay_out(figure: go.Figure, sentence: str, unit: str, span: tuple[float, float]) -> None:
    title = textwrap.wrap(sentence, 44)
    top = 34 + 20 * len(title)
    height = top + 340
    small = {"size": 12}
    figure.update_layout(
        title={"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
               "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
               "yanchor": "top"},
        height=height, margin={"t": top, "b": 100, "l": 50, "r": 14}, hovermode="closest",
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis={"title": {"text": f"{unit} since the cloud's start", "font": small}, "nticks": 6,
               "range": list(span) if span[0] < span[1] else None, "fixedrange": True,
               "zeroline": False, "anchor": "y2"},
        yaxis={"title": {"text": "messages", "font": small}, "domain": [0.45, 1],
               "rangemode": "tozero", "fixedrange": True, "tickformat": ",d", "nticks": 5},
        yaxis2={"title": {"text": f"oldest, {unit}", "font": small}, "domain": [0, 0.34],
                "rangemode": "tozero", "fixedrange": True, "nticks": 4})
