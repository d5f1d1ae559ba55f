"""Concurrent executions over time, against the limits that throttle.

Stands for the ConcurrentExecutions graph of the console's *Monitor* tab. AWS page: *Understanding
Lambda function scaling*: concurrency is the number of requests in flight, Init included. With
provisioned concurrency there is a line of how many places of it could be used, and the sentence says
how many requests these served and how many spilled over.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import Any

import boto3
import plotly.graph_objects as go
from botocore.exceptions import ClientError

from . import words
from .chart import ROWS, Bins, Chosen, choose, finish, were
from .renderer import describe
from .scale import Scale
from .series import at, draw, draw_limits, steps
from .template import RED


def concurrency(cloud: Any, function: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw how many executions were in progress at a time, and where requests were throttled.

    Args:
        cloud: a :class:`minilambda.Cloud`.
        function: only this function's; then its reserved concurrency is drawn too, as it is set now.
        since: only requests that arrived at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative.

    Raises:
        ValueError: nobody has invoked anything that fits.
    """
    chosen = choose("concurrency", cloud, function, since)
    changes = [change for r in chosen.requests if r.taken is not None
               for change in ((r.taken, 1), *(((r.freed, -1),) if r.freed is not None else ()))]
    points = steps(changes) or [(chosen.requests[0].arrived, 0)]
    work = [(r.arrived, r.freed if r.freed is not None else r.arrived if r.taken is None
             else cloud.clock.seconds) for r in chosen.requests]
    scale = Scale.over([*work, *((t.at, t.at) for t in chosen.throttles)])
    limits = _limits(cloud, function)
    figure = go.Figure()
    draw(figure, scale, "concurrent executions", points, 0, fill=True)
    most = max(level for _, level in points)
    draw_limits(figure, scale, limits, most)
    ready = _provisioned(cloud, function)
    if ready:
        first = chosen.requests[0].arrived
        draw(figure, scale, "provisioned", [
            (first, at(ready, first) if ready[0][0] <= first else 0),
            *((moment, level) for moment, level in ready if first < moment <= scale.end)], 2)
    _draw_throttles(figure, scale, chosen, points)
    sentence = _sentence(chosen, most, limits) + _served(cloud, function, since)
    finish(figure, scale, sentence, "executions")
    bins = Bins.of(scale, ROWS)
    refused = bins.count([t.at for t in chosen.throttles])
    rows = []
    for n, edge in enumerate(bins.edges[:-1]):
        first, last = (bisect_left(points, moment, key=itemgetter(0)) for moment in (
            edge, bins.edges[n + 1]))
        inside = [value for _, value in points[first:last]]
        rows.append([bins.span(n), f"{max([at(points, edge), *inside]):,g}", f"{refused[n]:,}"])
    return describe(figure, f"{sentence} {scale.note()}".strip(),
                    ("time", "most at once", "throttled"), rows)


def _provisioned(cloud: Any, function: str | None) -> list[tuple[float, float]]:
    """How many provisioned places could be used, from when on."""
    levels: dict[tuple[str, str], int] = {}
    points: list[tuple[float, float]] = []
    for event in cloud.trace.select("provisioned.changed", function=function):
        levels[event.function, event["qualifier"]] = event["available"]
        total = sum(levels.values())
        if points and points[-1][0] == event.at:
            points.pop()
        points.append((event.at, total))
    return points


def _served(cloud: Any, function: str | None, since: float) -> str:
    counts = [sum(event.at >= since for event in cloud.trace.select(kind, function=function))
              for kind in ("request.provisioned", "request.spilled")]
    if not any(counts):
        return ""
    return (f" Provisioned concurrency served {words.count(counts[0], 'request')};"
            f" {counts[1]:,} spilled over.")


def _limits(cloud: Any, function: str | None) -> dict[str, float]:
    limits: dict[str, float] = {"account limit": cloud.limits.concurrency}
    if function is not None and cloud.is_open:
        try:
            answer = boto3.client("lambda").get_function_concurrency(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            answer = {}  # deleted since it ran, and its reservation with it
        if (reserved := answer.get("ReservedConcurrentExecutions")) is not None:
            limits["reserved"] = reserved
    return limits


def _draw_throttles(figure: go.Figure, scale: Scale, chosen: Chosen,
                    points: list[tuple[float, float]]) -> None:
    if not chosen.throttles:
        return
    bins = Bins.of(scale)
    counts = bins.count([t.at for t in chosen.throttles])
    kept = [n for n, count in enumerate(counts) if count]
    first = {n: next(t.at for t in chosen.throttles if t.at >= bins.edges[n]) for n in kept}
    figure.add_scatter(
        name="throttled", mode="markers", x=[scale.place(first[n]) for n in kept],
        y=[at(points, first[n]) for n in kept], hoverinfo="text", cliponaxis=False,
        hovertext=[f"{were(counts[n], 'request')} throttled, {bins.span(n)}" for n in kept],
        marker={"symbol": "triangle-down", "size": 12, "color": RED,
                "line": {"color": "white", "width": 1}},
    )


def _sentence(chosen: Chosen, most: float, limits: dict[str, float]) -> str:
    names = words.listing([f"{name} {level:,g}" for name, level in limits.items()])
    text = (f"At most {words.count(int(most), 'execution')} of {chosen.whose} at once"
            f" ({names}).")
    refused = len(chosen.throttles)
    return text + (f" {were(refused, 'request')} throttled." if refused else " None was throttled.")
