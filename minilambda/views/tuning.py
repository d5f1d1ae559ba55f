"""Power tuning: what a function costs and how long it takes at each size of memory, by running it.

Stands for what the open-source tool *AWS Lambda Power Tuning* draws. AWS page: *Configure Lambda
function memory*. Every size is an UpdateFunctionConfiguration and several Invokes, made with boto3.
Leaves out: parallel invocations, and the tool's "balanced" strategy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import boto3
import plotly.graph_objects as go

from ..limits import Limits
from . import calls, words
from .renderer import describe
from .strips import Strips
from .template import BLUE, ORANGE, RED

SIZES = (128, 256, 512, 1024, 1792, 3008)
ASIDE = 5  # one in so many tries is left out at either end
# What is drawn -> its name, what the size with the least of it is called.
DURATIONS = {"duration": ("duration", "fastest"),
             "billed": ("billed duration", "least time billed")}


@dataclass(frozen=True, slots=True)
class Size:
    """What came of one size. Means over the tries that count; None where a try failed."""

    memory: int
    status: str
    duration_ms: float | None = None
    million: float | None = None  # dollars for a million calls


def power_tuning(client_or_cloud: Any, function_name: str, event: Any = None,
                 memory: Sequence[int] | None = None, tries: int = 5, duration: str = "duration",
                 limits: Limits | None = None) -> go.Figure:
    """Run a function at each size of memory, and draw cost and duration over memory.

    A size's first call has the cold start and isn't counted. Of its tries the quickest and the slowest
    fifth are left out, and the rest is averaged. Then the function is configured as it was before.

    Args:
        client_or_cloud: a :class:`minilambda.Cloud`, or any boto3 Lambda client.
        function_name: an existing function.
        event: the test event, anything JSON can hold.
        memory: the sizes in MB, from the least to the most; 128, 256, 512, 1,024, 1,792 and 3,008
            unless given.
        tries: calls of each size that are counted.
        duration: ``"duration"``, or ``"billed"`` to draw the Billed Duration instead: with measured
            durations that is the same in every run where the other isn't.
        limits: whose prices; a cloud's own, and the course's for a bare client.

    Returns:
        A Plotly figure that carries its text alternative. A size at which a call failed has a cross.

    Raises:
        TypeError: the event isn't JSON.
        ValueError: sizes out of order or fewer than two, no tries, or an unknown ``duration``.
        RuntimeError: a call never came to an invocation; AWS's words are in it.
        botocore.exceptions.ClientError: there is no such function, or a size is refused.
    """
    try:
        json.dumps(event, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"power_tuning: the event must be what JSON can hold: {error}") from None
    sizes = list(SIZES if memory is None else memory)
    if len(sizes) < 2 or sizes != sorted(set(sizes)):
        raise ValueError("power_tuning: give at least two sizes, from the least to the most")
    if tries < 1:
        raise ValueError("power_tuning: tries must be at least 1")
    if duration not in DURATIONS:
        raise ValueError(f"power_tuning: duration must be 'duration' or 'billed', not {duration!r}")
    if hasattr(client_or_cloud, "trace"):
        client, limits = boto3.client("lambda"), limits or client_or_cloud.limits
    else:
        client, limits = client_or_cloud, limits or Limits.load("course")
    before = client.get_function_configuration(FunctionName=function_name)
    timeout = before["Timeout"]
    try:
        found = [_run(client, function_name, event, size, timeout, tries, duration, limits)
                 for size in sizes]
    finally:
        calls.configure(client, function_name, before["MemorySize"], timeout)
    return draw(found, function_name, duration)


def _run(client: Any, function: str, event: Any, size: int, timeout: int, tries: int, duration: str,
         limits: Limits) -> Size:
    calls.configure(client, function, size, timeout)
    times, costs = [], []
    for number in range(tries + 1):
        shown = calls.run_after(lambda: None, client, function, event, size, timeout, limits)
        if shown.duration_ms is None:
            raise RuntimeError(f"power_tuning, at {size:,} MB: {shown.sentence}")
        if shown.status != "success":
            return Size(size, shown.status)
        if number:  # the first one was the cold start
            times.append(shown.billed_ms if duration == "billed" else shown.duration_ms)
            costs.append(shown.cost)
    return Size(size, "success", round(_middle(times), 2), round(_middle(costs) * 1_000_000, 4))


def _middle(values: list[float]) -> float:
    aside = len(values) // ASIDE
    return fmean(sorted(values)[aside : len(values) - aside])


def draw(found: list[Size], function: str, duration: str) -> go.Figure:
    """The picture of what each size did, the least memory first."""
    good = [size for size in found if size.duration_ms is not None]
    what, quickest = DURATIONS[duration]
    names = [f"{size.memory:,}" for size in found]
    at = {size.memory: name for size, name in zip(found, names, strict=True)}
    figure, strips = go.Figure(), Strips()
    strips.add(270, {
        "title": {"text": f"{what}, ms", "font": {"size": 12}}, "fixedrange": True,
        "rangemode": "tozero", "nticks": 6,
        "range": [0, 1.18 * max((s.duration_ms for s in good), default=1)]})
    for name, colour, dash, symbol, values, text, yaxis in (
        (what, BLUE, "solid", "circle", [s.duration_ms for s in good], "%{y:,.2f} ms", "y"),
        ("cost of a million calls", ORANGE, "dash", "square", [s.million for s in good],
         "$%{y:,.2f}", "y2"),
    ):
        figure.add_scatter(
            name=name, mode="lines+markers", x=[at[s.memory] for s in good],
            y=values, yaxis=yaxis, cliponaxis=False,
            line={"color": colour, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 8, "color": colour},
            hovertemplate=f"%{{x}} MB<br>{name} {text}<extra></extra>")
    failed = [size for size in found if size.duration_ms is None]
    if failed:
        figure.add_scatter(
            name="failed", mode="markers", x=[at[s.memory] for s in failed], y=[0] * len(failed),
            cliponaxis=False, hoverinfo="text",
            hovertext=[f"{s.memory:,} MB<br>{words.ENDINGS[s.status]}" for s in failed],
            marker={"symbol": "x", "size": 12, "color": RED,
                    "line": {"color": "white", "width": 1}})
    sentence = _sentence(found, good, function, duration)
    if good:
        _mark(figure, at, fastest(good), quickest, "y", BLUE, lambda s: s.duration_ms, "star")
        _mark(figure, at, cheapest(good), "cheapest", "y2", ORANGE, lambda s: s.million, "diamond")
    strips.lay_out(figure, sentence, {
        "title": {"text": "memory, MB", "font": {"size": 12}}, "type": "category",
        "categoryorder": "array", "categoryarray": names, "fixedrange": True,
        "range": [-0.3, len(names) - 0.7]}, below=120)
    figure.update_layout(
        margin={"r": 50},
        yaxis2={"title": {"text": "cost of a million calls, $",
                          "font": {"size": 12}}, "overlaying": "y", "side": "right",
                "tickmode": "auto", "rangemode": "tozero", "fixedrange": True, "showgrid": False, "nticks": 6,
                "automargin": True,
                "range": [0, 1.18 * max((s.million for s in good), default=1)]})
    rows = [[f"{s.memory:,} MB", "", "", words.ENDINGS[s.status]] if s.duration_ms is None else
            [f"{s.memory:,} MB", words.milliseconds(s.duration_ms), f"${s.million:,.2f}",
             _says(s, good, quickest)] for s in found]
    return describe(figure, sentence, ("memory", what, "a million calls", ""), rows)


def cheapest(good: list[Size]) -> Size:
    """The size that costs least; of those that cost the same the quickest, then the smallest."""
    return min(good, key=lambda s: (s.million, s.duration_ms, s.memory))


def fastest(good: list[Size]) -> Size:
    """The quickest size; of those that are equally quick the cheapest, then the smallest."""
    return min(good, key=lambda s: (s.duration_ms, s.million, s.memory))


def _mark(figure: go.Figure, at: dict[int, str], size: Size, word: str, yaxis: str, colour: str,
          value: Any, symbol: str) -> None:
    figure.add_scatter(
        name=word, mode="markers", x=[at[size.memory]], y=[value(size)], yaxis=yaxis,
        cliponaxis=False, hoverinfo="text", hovertext=[f"{word}: {size.memory:,} MB"],
        marker={"symbol": symbol, "size": 17, "color": colour,
                "line": {"color": "white", "width": 1.5}})


def _says(size: Size, good: list[Size], quickest: str) -> str:
    return words.listing([word for word, best in (("cheapest", cheapest(good)),
                                                  (quickest, fastest(good))) if best is size])


def _sentence(found: list[Size], good: list[Size], function: str, duration: str) -> str:
    if not good:
        return f"{function} failed at each of {len(found)} sizes of memory."
    least, quick = cheapest(good), fastest(good)
    billed = " billed" if duration == "billed" else ""

    def figures(size: Size) -> str:
        return f"{words.duration(size.duration_ms / 1000)}{billed}, ${size.million:,.2f} a million calls"

    if least is quick:
        rest = " No size is billed less time." if billed else " No size is faster."
        text = f"{function} is cheapest at {least.memory:,} MB ({figures(least)}).{rest}"
    else:
        text = (f"{function} is cheapest at {least.memory:,} MB ({figures(least)}) and"
                f" {'is billed the least time' if billed else 'fastest'} at {quick.memory:,} MB"
                f" ({figures(quick)}).")
    bad = [size for size in found if size.duration_ms is None]
    if bad:
        sizes = words.listing([f"{size.memory:,}" for size in bad])
        text += f" It failed at {sizes} MB."
    return text
