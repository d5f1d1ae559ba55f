"""The share of invocations that were cold starts, over time.

Stands for what one would count from Init Duration in REPORT lines. AWS page: *Understanding the Lambda
execution environment lifecycle*.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from . import words
from .chart import Bins, choose, finish, pattern, share
from .renderer import describe
from .template import GREY, ORANGE


def cold_starts(cloud: Any, function: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw which share of invocations was cold, by the time at which their requests arrived.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` is read).
        function: only this function's.
        since: only requests that arrived at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative. Where nothing arrived there is no bar.

    Raises:
        ValueError: nothing has run that fits.
    """
    chosen = choose("cold_starts", cloud, function, since)
    if not chosen.served:
        raise ValueError("cold_starts: no invocation has ended yet, so none is known to be cold")
    arrived = [r.arrived for r in chosen.served]
    cold = [r.arrived for r in chosen.served if r.cold]
    bins = Bins.over(arrived)
    counts = list(zip(bins.count(cold), bins.count(arrived), strict=True))
    kept = [n for n, (_, every) in enumerate(counts) if every]
    figure = go.Figure()
    figure.add_bar(
        name="cold starts", x=[bins.middles[n] for n in kept], width=bins.width,
        y=[round(100 * counts[n][0] / counts[n][1], 2) for n in kept], hoverinfo="text",
        hovertext=[f"{counts[n][0]:,} of {words.count(counts[n][1], 'invocation')} cold"
                   f" ({share(*counts[n])})<br>{bins.span(n)}" for n in kept],
        marker={"color": ORANGE, "pattern": pattern("/"),
                "line": {"color": "rgba(128,128,128,0.9)", "width": 0.5}})
    # A bin without a cold start looks like one in which nothing came: a tick on the axis tells them.
    warm = [n for n in kept if not counts[n][0]]
    if warm:
        figure.add_scatter(
            name="all warm", mode="markers", x=[bins.middles[n] for n in warm], y=[0] * len(warm),
            cliponaxis=False, hoverinfo="text",
            hovertext=[f"{words.count(counts[n][1], 'invocation')}, all warm<br>{bins.span(n)}"
                       for n in warm],
            marker={"symbol": "line-ew-open", "size": 8, "color": GREY, "line": {"width": 2}})
    overall = 100 * len(cold) / len(arrived)
    figure.add_scatter(
        name=f"in all ({share(len(cold), len(arrived))})", mode="lines", hoverinfo="name",
        x=[0, bins.scale.length], y=[overall, overall],
        line={"color": GREY, "width": 1.5, "dash": "longdash"})
    sentence = (f"{words.count(len(cold), 'cold start')} in {words.count(len(arrived), 'invocation')}"
                f" of {chosen.whose}: {share(len(cold), len(arrived))}.")
    finish(figure, bins.scale, sentence, "% cold", range=[0, 105], tickvals=[0, 25, 50, 75, 100])
    table = bins.coarse()
    rows = [[table.span(n), f"{every:,}", f"{some:,}", share(some, every) if every else ""]
            for n, (some, every) in enumerate(
                zip(table.count(cold), table.count(arrived), strict=True))]
    return describe(figure, f"{sentence} {bins.scale.note()}".strip(),
                    ("arrived", "invocations", "cold", "share"), rows)
