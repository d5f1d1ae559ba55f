"""Requests over time: those that were let in, and those that were throttled.

Stands for the *Throttles* graph of the console's *Monitor* tab beside that of *Invocations*. AWS page:
*Types of metrics for Lambda functions*. As there, a request that is throttled, tried again and
throttled again counts twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go

from . import words
from .chart import Bins, choose, finish, pattern, share
from .renderer import describe
from .template import BLUE, RED


def throttles(cloud: Any, function: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw how many requests were let in and how many throttled, by the time at which it was.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` is read).
        function: only this function's requests.
        since: only what came at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative.

    Raises:
        ValueError: nobody has invoked anything that fits.
    """
    chosen = choose("throttles", cloud, function, since)
    let_in = [r.taken for r in chosen.requests if r.taken is not None]
    refused = [t.at for t in chosen.throttles]
    bins = Bins.over([*let_in, *refused])
    figure, base = go.Figure(), [0] * len(bins.middles)
    for name, moments, colour, shape in (("let in", let_in, BLUE, ""),
                                         ("throttled", refused, RED, "x")):
        counts = bins.count(moments)
        kept = [n for n, count in enumerate(counts) if count]
        if kept:
            figure.add_bar(
                name=name, x=[bins.middles[n] for n in kept], y=[counts[n] for n in kept],
                base=[base[n] for n in kept], width=bins.width, hoverinfo="text",
                hovertext=[f"{words.count(counts[n], 'request')} {name}<br>{bins.span(n)}"
                           for n in kept],
                marker={"color": colour, "pattern": pattern(shape)})
        base = [a + b for a, b in zip(base, counts, strict=True)]
    sentence = _sentence(len(let_in), [t.reason for t in chosen.throttles], chosen.whose)
    finish(figure, bins.scale, sentence, "requests")
    table = bins.coarse()
    rows = [[table.span(n), f"{a:,}", f"{b:,}"] for n, (a, b) in enumerate(
        zip(table.count(let_in), table.count(refused), strict=True))]
    return describe(figure, f"{sentence} {bins.scale.note()}".strip(),
                    ("time", "let in", "throttled"), rows)


def _sentence(let_in: int, reasons: list[str], whose: str) -> str:
    came = let_in + len(reasons)
    if not reasons:
        return f"None of {words.count(came, 'request')} of {whose} was throttled."
    said = [f"{words.REASONS.get(reason, reason)} ({count:,})"
            for reason, count in Counter(reasons).most_common()]
    return (f"{len(reasons):,} of {words.count(came, 'request')} of {whose}"
            f" {'was' if len(reasons) == 1 else 'were'} throttled ({share(len(reasons), came)}):"
            f" {words.listing(said)}.")
