"""Two runs side by side: the same but for one setting, on one axis of time, with the differences named.

Stands for nothing of AWS's, where no two runs are the same but for what one changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

from ..trace import Trace
from . import density, lanes, words
from .chart import share
from .latency import percentile
from .life import crowded
from .reading import Request, read
from .renderer import describe
from .scale import Scale
from .strips import Strips
from .timeline import Part, between, part

NAMES = ("first", "second")
TITLED = 90  # pixels of a strip beside which the title of its axis has room


@dataclass
class Run:
    """One of the two: its name, its timeline, the requests in it."""

    name: str
    part: Part
    requests: list[Request]

    @cached_property
    def served(self) -> list[Request]:
        return [r for r in self.requests if r.ended is not None]

    @cached_property
    def start(self) -> float:
        return min([self.part.start, *(r.arrived for r in self.requests[:1])])

    @property
    def throttled(self) -> int:
        return sum(r.taken is None and r.ended is None for r in self.requests)

    @property
    def failed(self) -> int:
        return sum(r.ended.data["status"] != "success" for r in self.served)

    @property
    def cold(self) -> int:
        return sum(r.cold for r in self.served)

    @cached_property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return max((r.ended.at for r in self.served), default=self.start) - self.start

    @cached_property
    def waits(self) -> list[float]:
        """Seconds from arrival to answer, in order."""
        return sorted(round(r.ended.at - r.arrived, 9) for r in self.served)

    @cached_property
    def gb_seconds(self) -> float:
        return sum(d["memory_size"] / 1024 * d["billed_ms"] / 1000
                   for r in self.served if (d := r.ended.data))

    @cached_property
    def cost(self) -> float:
        return round(sum(r.ended.data["cost"] for r in self.served), 12)


def compare(first: Any, second: Any, names: tuple[str, str] | None = None,
            function: str | tuple[str, str] | None = None, cloud: Any = None) -> go.Figure:
    """Draw two runs one above the other on one axis, and say what differs.

    Two ways to call it::

        compare(cloud, other, names=("no limit", "reserved 2"))
        compare(scenario, {"128 MB": 128, "1,792 MB": 1792})

    Args:
        first, second: two clouds or their traces (``cloud.trace``); closed ones will do. Or a
            function that runs a scenario under the setting that it is given, and two settings by
            name. It makes a Cloud of its own each time, with the same seed, and returns it; or it
            works on ``cloud``, and then only what it made happen there is compared.
        names: what to call the two; the settings' names, or the functions', unless given.
        function: only this function's environments and requests, or of two functions each its own.
        cloud: the cloud that the scenario works on.

    Returns:
        A Plotly figure that carries its text alternative. Each run begins at its first event.

    Raises:
        TypeError: the scenario gives no cloud and none is named, or what is given has no trace.
        ValueError: in one of the two nothing has run that fits, or there aren't two settings.
    """
    functions = function if isinstance(function, tuple) else (function, function)
    if callable(first):
        if not isinstance(second, Mapping) or len(second) != 2:
            raise ValueError("compare: give the scenario two settings by name, such as"
                             ' {"128 MB": 128, "256 MB": 256}')
        names = names or tuple(second)
        runs = [_play(first, setting, name, whose, cloud) for setting, name, whose in zip(
            second.values(), names, functions, strict=True)]
    else:
        names = names or (functions if None not in functions and functions[0] != functions[1]
                          else NAMES)
        runs = [_whole(source, name, whose) for source, name, whose in zip(
            (first, second), names, functions, strict=True)]
    return _draw(*runs)


def _play(scenario: Callable[[Any], Any], setting: Any, name: str, function: str | None,
          cloud: Any) -> Run:
    before = None if cloud is None else len(cloud.trace)
    given = scenario(setting)
    if cloud is None:
        if not hasattr(given, "trace"):
            raise TypeError("compare: the scenario must return the Cloud that it made; if it works on"
                            " one that is there already, say compare(..., cloud=cloud)")
        return _whole(given, name, function)
    after = len(cloud.trace)
    found = between(cloud.trace, cloud.clock.seconds, before, after, function)
    requests = [r for r in read(cloud.trace).requests
                if before <= r.number < after and function in (None, r.function)]
    return Run(name, found, requests)


def _whole(source: Any, name: str, function: str | None) -> Run:
    trace = source if isinstance(source, Trace) else getattr(source, "trace", None)
    if not isinstance(trace, Trace):
        raise TypeError(f"compare: {type(source).__name__} is neither a Cloud nor a Trace")
    found = part(trace, 0.0, function=function)
    kept = [_before_the_close(lane) for lane in found.lanes]
    last = max([t.at for t in found.throttles]
               + [s.start if s.end is None else s.end for lane in kept for s in lane.segments])
    requests = [r for r in read(trace).requests if function in (None, r.function)]
    return Run(name, Part(kept, found.throttles, last), requests)


def _before_the_close(lane: lanes.Lane) -> lanes.Lane:
    """A lane as it was before its cloud was closed: that is no part of what is compared."""
    if lane.shutdown is None or lane.shutdown[1] != "closed":
        return lane
    last = lane.segments[-1]
    if last.phase is lanes.Phase.FROZEN and last.end == lane.shutdown[0]:
        last = replace(last, end=None)
    return lane.with_segments([*lane.segments[:-1], last], None)


# -- the picture -----------------------------------------------------------------------------------


def _draw(one: Run, two: Run) -> go.Figure:
    figure, strips = go.Figure(), Strips()
    dense = crowded(one.part) or crowded(two.part)
    scale = (_draw_density if dense else _draw_lanes)(figure, strips, one, two)
    sentence = said(one, two)
    strips.lay_out(figure, sentence, scale.axis(), above=4, hovermode="x" if dense else "closest")
    return describe(figure, f"{sentence} {scale.note()}".strip(),
                    ("", one.name, two.name, "difference"), table(one, two))


def _draw_lanes(figure: go.Figure, strips: Strips, one: Run, two: Run) -> Scale:
    work, is_open = [(0.0, 0.0)], False
    for run in (one, two):
        found, stretches, goes_on = lanes.moments(run.part)
        # Only long idle stretches are cut: what is compared by eye must be true to one scale.
        work += [(moment - run.start, moment - run.start) for moment in found]
        work += [(a - run.start, b - run.start) for a, b in stretches]
        is_open |= goes_on
    scale = Scale.over(work, is_open)
    most = max(lanes.rows(run.part) for run in (one, two))
    for run in (one, two):
        height, layout = lanes.height(run.part, most), lanes.axis(run.part)
        if height < TITLED:
            layout["title"] = {"text": ""}
        axis = strips.add(height, layout, run.name)
        lanes.draw(lanes.Canvas(figure, scale, axis, run.start), run.part)
    scale.draw_cuts(figure)
    return scale


def _draw_density(figure: go.Figure, strips: Strips, one: Run, two: Run) -> Scale:
    found = [density.measure(run.part, run.start) for run in (one, two)]
    scale = Scale.over([stretch for each in found for stretch in each.work()])
    most = max(each.most for each in found)
    for run, each in zip((one, two), found, strict=True):
        density.draw(figure, strips, each, scale, run.name, most)
    scale.draw_cuts(figure)
    return scale


# -- the words -------------------------------------------------------------------------------------


def said(one: Run, two: Run) -> str:
    """What differs, in a sentence."""
    parts = [
        _counted(two.throttled, one.throttled, f" of {words.count(len(two.requests), 'request')}",
                 "was throttled", "were throttled"),
        _counted(two.failed, one.failed, f" of {words.count(len(two.served), 'invocation')}",
                 "failed", "failed"),
        _counted(two.cold, one.cold, f" of {words.count(len(two.served), 'start')}",
                 "was cold", "were cold"),
        _time(one.seconds, two.seconds),
        _wait(one, two),
    ]
    parts = [text for text in parts if text]
    price = _price(one.cost, two.cost)
    if not parts and one.cost == two.cost:
        return f"With {two.name} all was as with {one.name}: the same figures throughout."
    return f"With {two.name}, compared with {one.name}: {words.listing([*parts, price])}."


def _counted(now: int, before: int, of: str, one: str, many: str) -> str:
    if now == before:
        return ""
    counts = [f"{count:,}" if count else "none" for count in (now, before)]
    return f"{counts[0]}{of} {one if now == 1 else many} instead of {counts[1]}"


def _time(before: float, now: float) -> str:
    if abs(now - before) < 1e-4 + 0.01 * before:
        return ""
    return (f"it took {words.duration(abs(now - before))} {'longer' if now > before else 'less'}"
            f" in all")


def _wait(one: Run, two: Run) -> str:
    if not (one.waits and two.waits):
        return ""
    before, now = percentile(one.waits, 50), percentile(two.waits, 50)
    if abs(now - before) < 1e-4 + 0.01 * before:
        return ""
    return f"half were answered within {words.duration(now)} instead of {words.duration(before)}"


def _price(before: float, now: float) -> str:
    if now == before:
        return "it cost the same"
    if not before:
        return f"it cost {words.dollars(now)} instead of nothing"
    if now >= 2 * before:
        return f"it cost {now / before:,.1f} times as much"
    return f"it cost {share(abs(now - before), before)} {'more' if now > before else 'less'}"


def table(one: Run, two: Run) -> list[list[str]]:
    """The figures of both."""
    rows: list[tuple[str, Callable[[Run], float | None], Callable[[float], str]]] = [
        ("requests", lambda r: len(r.requests), "{:,}".format),
        ("throttled", lambda r: r.throttled, "{:,}".format),
        ("failed", lambda r: r.failed, "{:,}".format),
        ("cold starts", lambda r: r.cold, "{:,}".format),
        ("environments", lambda r: len(r.part.lanes), "{:,}".format),
        ("first request to last answer", lambda r: r.seconds, words.duration),
        *((f"answered within, p{n}", lambda r, n=n: percentile(r.waits, n) if r.waits else None,
           words.duration) for n in (50, 90, 99)),
        ("GB-seconds", lambda r: r.gb_seconds, lambda v: f"{v:,.4f}".rstrip("0").rstrip(".")),
        ("cost", lambda r: r.cost, words.dollars),
    ]
    return [[name, *_row(value(one), value(two), text)] for name, value, text in rows]


def _row(before: float | None, now: float | None, text: Callable[[float], str]) -> list[str]:
    cells = ["" if value is None else text(value) for value in (before, now)]
    if before is None or now is None:
        return [*cells, ""]
    if cells[0] == cells[1]:
        return [*cells, "the same"]
    return [*cells, ("+" if now > before else "−") + text(abs(now - before))]
