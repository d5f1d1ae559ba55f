"""How long requests waited for their answers, as a distribution with p50, p90 and p99.

Stands for the *Duration* graph of the console's *Monitor* tab and its percentiles, and for what the
caller feels. AWS page: *Types of metrics for Lambda functions*. Leaves out: the network.
"""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from . import words
from .chart import choose, share, were
from .renderer import describe
from .strips import Strips
from .template import BLUE, ORANGE

PERCENTILES = (50, 90, 99)
POINTS = 200  # of a curve
WIDE = 30.0  # how many times the least the most may be before the axis goes by powers of ten
CURVES = {"from arrival to answer": (BLUE, "solid", "circle"),
          "duration": (ORANGE, "dash", "square")}


def latency(cloud: Any, function: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw which share of requests was answered within how many milliseconds.

    One curve is the time from a request's arrival to its answer, Init included; the other the
    Duration of the REPORT line, the handler's own time. The n-th percentile is the least time within
    which n% were answered. A throttled request has no answer and isn't in it.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` is read).
        function: only this function's.
        since: only requests that arrived at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative.

    Raises:
        ValueError: nothing has run that fits.
    """
    chosen = choose("latency", cloud, function, since)
    served = chosen.served
    if not served:
        raise ValueError("latency: no invocation has ended yet, so there is no time to draw")
    times = {
        "from arrival to answer": sorted(round((r.ended.at - r.arrived) * 1000, 6) for r in served),
        "duration": sorted(r.ended["duration_ms"] for r in served),
    }
    positive = [t for some in times.values() for t in (some[0], some[-1]) if t > 0] or [1.0]
    least, most = min(positive), max(positive)
    log = most > WIDE * least and all(some[0] > 0 for some in times.values())
    figure = go.Figure()
    seen: set[str] = set()
    for name, some in times.items():
        _draw(figure, name, some, seen)
    unanswered = [r for r in chosen.requests if r.ended is None and r.taken is None]
    sentence = _sentence(times, chosen.whose)
    if unanswered:
        sentence += f" {were(len(unanswered), 'throttled request')} never answered."
    strips = Strips()
    strips.add(260, {"title": {"text": "% answered within", "font": {"size": 12}},
                     "range": [0, 103], "tickvals": [0, *PERCENTILES], "fixedrange": True})
    ends = [0.8 * least, 1.3 * most]
    axis = {"type": "log", "range": [round(math.log10(end), 4) for end in ends]} if log else {
        "range": [0, round(1.12 * most, 6)], "nticks": 7}
    if log:
        axis |= _ticks(*ends)
    strips.lay_out(figure, sentence, {
        "title": {"text": "ms" + (" (each line ten times the last)" if log else ""),
                  "font": {"size": 12}}, "fixedrange": True, **axis})
    rows = [[name, *(words.milliseconds(value) for value in (
        some[0], *(percentile(some, n) for n in PERCENTILES), some[-1]))]
        for name, some in times.items()]
    return describe(figure, sentence,
                    ("time", "least", *(f"p{n}" for n in PERCENTILES), "most"), rows)


def percentile(ordered: list[float], n: int) -> float:
    """The n-th percentile by the nearest rank: the least value that n% don't exceed."""
    return ordered[max(0, math.ceil(len(ordered) * n / 100) - 1)]


def _draw(figure: go.Figure, name: str, ordered: list[float], seen: set[str]) -> None:
    """Add a curve and its percentiles; what is in ``seen`` has a label already."""
    colour, dash, symbol = CURVES[name]
    count = len(ordered)
    ranks = sorted({max(1, math.ceil(count * n / POINTS)) for n in range(1, POINTS + 1)})
    figure.add_scatter(
        name=name, mode="lines", x=[ordered[0], *(ordered[rank - 1] for rank in ranks)],
        y=[0, *(round(100 * rank / count, 3) for rank in ranks)],
        line={"shape": "hv", "width": 2, "color": colour, "dash": dash}, hoverinfo="text",
        hovertext=[name, *(f"{name}: {share(rank, count)} within"
                           f" {words.milliseconds(ordered[rank - 1])}" for rank in ranks)])
    values = [percentile(ordered, n) for n in PERCENTILES]
    labels = [f"p{n} {words.duration(value / 1000)}" for n, value in zip(PERCENTILES, values,
                                                                         strict=True)]
    first = name == next(iter(CURVES))
    figure.add_scatter(
        name=f"p50, p90, p99 {name}", mode="markers+text", x=values, y=list(PERCENTILES),
        text=["" if label in seen else label for label in labels],
        # The longer time's labels below its marks, the shorter one's above: they seldom meet.
        textposition=["bottom left" if first and value > 0.6 * ordered[-1] else
                      "bottom right" if first else "top left" for value in values],
        textfont={"size": 11},
        hoverinfo="text", showlegend=False, cliponaxis=False,
        hovertext=[f"{name}: p{n} {words.milliseconds(value)}"
                   for n, value in zip(PERCENTILES, values, strict=True)],
        marker={"symbol": symbol, "size": 9, "color": colour,
                "line": {"color": "white", "width": 1}})
    seen.update(labels)


def _ticks(low: float, high: float) -> dict[str, Any]:
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    return {"tickmode": "array", "tickvals": [10.0**power for power in powers],
            "ticktext": [f"{10.0**power:,g}" for power in powers]}


def _sentence(times: dict[str, list[float]], whose: str) -> str:
    answer, handler = times.values()
    half, most = (words.duration(percentile(answer, n) / 1000) for n in (50, 99))
    own_half, own_most = (words.duration(percentile(handler, n) / 1000) for n in (50, 99))
    count = words.count(len(answer), "request")
    return (f"Of {count} of {whose} half were answered within {half} and 99% within {most};"
            f" the handler's own time was {own_half} and {own_most}.")
