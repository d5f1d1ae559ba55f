"""What the invocations have cost, adding up over time.

Stands for the *Cost Explorer*'s cumulative view, by function. AWS page: *AWS Lambda pricing*.
Leaves out: the free tier, as ``billing`` does, and all other services.
"""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from . import words
from .chart import ROWS, Bins, choose, finish
from .renderer import describe
from .scale import Scale
from .series import DASHES, at, steps, thinned
from .template import COLOURS, GREY

MOST = 5  # functions with a line of their own
# Least amount (dollars) at which the axis counts in this unit -> its name, how many are a dollar.
UNITS = ((1.0, "dollars", 1), (0.01, "cents", 100), (0.0, "millionths of a dollar", 1_000_000))


def cost(cloud: Any, function: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw what invocations have cost since the first one, each added when it ended.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` is read).
        function: only this function's. Else each of the five dearest has a line of its own.
        since: only requests that arrived at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative. The amounts are what the REPORT lines come
        to, requests included, past the free tier.

    Raises:
        ValueError: nothing has run that fits.
    """
    chosen = choose("cost", cloud, function, since)
    ended = [r.ended for r in chosen.served]
    if not ended:
        raise ValueError("cost: no invocation has ended yet, so none has been billed")
    by: dict[str, list[tuple[float, float]]] = {}
    for event in ended:
        by.setdefault(event.function, []).append((event.at, event["cost"]))
    sums = {name: sum(amount for _, amount in some) for name, some in by.items()}
    dearest = sorted(sums, key=lambda name: (-sums[name], name))
    total = sum(sums.values())
    lines = {name: steps(by[name]) for name in dearest[:MOST]}
    if len(dearest) > MOST:
        rest = words.count(len(dearest) - MOST, "other")
        lines[rest] = steps([p for name in dearest[MOST:] for p in by[name]])
    scale = Scale.over([(r.arrived, r.ended.at) for r in chosen.served])
    unit, factor = next((name, factor) for least, name, factor in UNITS if total >= least)
    figure = go.Figure()
    if len(lines) > 1:
        _draw(figure, scale, "in all", steps([p for some in by.values() for p in some]), factor,
              GREY, "solid")
    for number, (name, points) in enumerate(lines.items()):
        _draw(figure, scale, name, points, factor, COLOURS[number], DASHES[number])
    sentence = f"{words.count(len(ended), 'invocation')} of {chosen.whose} cost {_dollars(total)}"
    if len(lines) > 1:
        part = 100 * sums[dearest[0]] / total
        sentence += f", {part:.0f}% of it by {dearest[0]}"
    finish(figure, scale, f"{sentence}.", unit)
    bins = Bins.of(scale, ROWS)
    rows = [[scale.since(edge), *(_dollars(at([(scale.start - 1, 0), *points], edge))
                                  for points in lines.values())] for edge in bins.edges[1:]]
    return describe(figure, f"{sentence}. {scale.note()}".strip(), ("by", *lines), rows)


def _draw(figure: go.Figure, scale: Scale, name: str, points: list[tuple[float, float]],
          factor: int, colour: str, dash: str) -> None:
    points = thinned(points, scale)
    figure.add_scatter(
        name=name, mode="lines",
        x=[0, *(scale.place(moment) for moment, _ in points), scale.place(scale.end)],
        y=[0, *(round(amount * factor, 6) for _, amount in points),
           round(points[-1][1] * factor, 6)],
        line={"shape": "hv", "width": 2.5 if dash == "solid" else 2, "color": colour, "dash": dash},
        hoverinfo="text", hovertext=[name, *(
            f"{name}: {_dollars(amount)}<br>by {scale.since(moment)}"
            for moment, amount in [*points, points[-1]])])


def _dollars(amount: float) -> str:
    """Dollars with four digits that count."""
    digits = 2 if amount <= 0 else max(2, 3 - math.floor(math.log10(amount)))
    return words.dollars(round(amount, min(digits, 10)))
