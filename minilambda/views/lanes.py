"""Lanes drawn: one row an execution environment, bars for its phases, marks where one ended badly.

Stands for the drawing on AWS's page *Understanding the Lambda execution environment lifecycle*, and
for a row of the requests that were throttled and so reached no environment.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from . import words
from .reading import Lane, Phase, Segment, Throttle
from .scale import Scale
from .template import BLUE, GREY, ORANGE, PURPLE, RED
from .timeline import Part

# So many failures in so many lanes are labelled in the picture; more are marked, and in the legend.
LABELS, LABELLED_LANES = 8, 6
APART = 0.12  # least distance of two throttles' numbers, in parts of the axis
NAMED = 5  # so many request ids a throttle's hover names

# What a bar means -> colour, pattern (a second sign beside the colour), thickness.
KINDS = {
    "init": (ORANGE, "/", 0.62),
    "invoke": (BLUE, "", 0.62),
    "invoke, error": (PURPLE, "\\", 0.62),
    "invoke, killed": (RED, "x", 0.62),
    "frozen": (GREY, "", 0.16),
}
# How a phase ends -> the mark at its end, and the word beside it.
MARKS = {
    "error": ("diamond", PURPLE, "error"),
    "timeout": ("x", RED, "timeout"),
    "crash": ("x", RED, "crash"),
    "out-of-memory": ("x", RED, "out of memory"),
}


@dataclass(frozen=True)
class Canvas:
    """Where lanes are drawn: a figure's strip, and from moments to places on its time axis."""

    figure: go.Figure
    scale: Scale
    axis: str = "y"
    origin: float = 0.0  # the scale's zero, in the part's own seconds

    def place(self, moment: float) -> float:
        return self.scale.place(moment - self.origin)

    def since(self, moment: float) -> str:
        return self.scale.since(moment - self.origin)

    def add(self, draw: Callable[..., Any], name: str, **what: Any) -> None:
        """Add a trace; a second one of the same name is not in the legend again."""
        if self.axis != "y":
            what["yaxis"] = self.axis
        if any(trace.name == name for trace in self.figure.data):
            what["showlegend"] = False
        draw(name=name, **what)

    def note(self, **what: Any) -> None:
        if self.axis != "y":
            what["yref"] = self.axis
        self.figure.add_annotation(showarrow=False, **what)


def moments(part: Part) -> tuple[set[float], list[tuple[float, float]], bool]:
    """What a :class:`Scale` for lanes is made of: moments, stretches of work, whether it goes on."""
    segments = [s for lane in part.lanes for s in lane.segments]
    is_open = any(s.end is None for s in segments)
    found = {s.start for s in segments} | {s.end for s in segments if s.end is not None}
    found |= {lane.shutdown[0] for lane in part.lanes if lane.shutdown}
    found |= {throttle.at for throttle in part.throttles}
    if is_open:
        found.add(part.now)
    work = [(s.start, part.now if s.end is None else s.end)
            for s in segments if s.phase is not Phase.FROZEN]
    return found, work, is_open


def draw(canvas: Canvas, part: Part) -> None:
    _draw_bars(canvas, part)
    _draw_marks(canvas, part.lanes)
    _draw_throttles(canvas, part)


def axis(part: Part) -> dict[str, Any]:
    """The strip's y axis: a tick a lane, or each fifth; the throttles' row below them."""
    lanes = part.lanes
    several = len({lane.function for lane in lanes}) > 1
    names = [f"{textwrap.shorten(lane.function, 14, placeholder='…')} {lane.number}"
             if several else str(lane.number) for lane in lanes]
    every = 1 if len(lanes) <= 25 else 5
    ticks, texts = list(range(0, len(lanes), every)), names[::every]
    if part.throttles:
        ticks.append(len(lanes))
        texts.append("throttled")
    return {"title": {"text": "" if several or not lanes else "environment", "font": {"size": 12}},
            "showgrid": False, "zeroline": False, "fixedrange": True,
            "range": [rows(part) - 0.4, -0.6],
            "tickmode": "array", "tickvals": ticks, "ticktext": texts}


def rows(part: Part) -> int:
    return len(part.lanes) + bool(part.throttles)


def height(part: Part, most: int = 0) -> int:
    """Pixels that the rows take; ``most``: rows of another part, drawn as high as these."""
    count = rows(part)
    most = max(count, most)
    return count * (58 if most <= LABELLED_LANES else 30 if most <= 10 else 18)


def kind(segment: Segment) -> str:
    if segment.phase is not Phase.INVOKE:
        return str(segment.phase)
    return "invoke, killed" if segment.killed else (
        "invoke, error" if segment.failed else "invoke")


def _draw_bars(canvas: Canvas, part: Part) -> None:
    """One trace a kind of bar, so that the legend has each once."""
    bars: dict[str, list[tuple[int, Lane, Segment]]] = {}
    for row, lane in enumerate(part.lanes):
        for segment in lane.segments:
            if segment.phase is not Phase.FROZEN or segment.end != segment.start:
                bars.setdefault(kind(segment), []).append((row, lane, segment))
    several = len(part.lanes) > 1
    for name, (colour, pattern, thickness) in KINDS.items():
        if name not in bars:
            continue
        left = [canvas.place(s.start) for _, _, s in bars[name]]
        right = [canvas.scale.right if s.end is None else canvas.place(s.end)
                 for _, _, s in bars[name]]
        canvas.add(
            canvas.figure.add_bar, name, orientation="h", y=[row for row, _, _ in bars[name]],
            base=left, x=[b - a for a, b in zip(left, right, strict=True)], width=thickness,
            marker={"color": colour, "line": {"color": "rgba(128,128,128,0.9)", "width": 0.5},
                    "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)",
                                "fillmode": "overlay", "size": 6, "solidity": 0.25}},
            hovertext=[_hover(lane, s, part.now, several) for _, lane, s in bars[name]],
            hoverinfo="text",
        )


def _hover(lane: Lane, segment: Segment, now: float, several: bool) -> str:
    lines = [f"<b>{kind(segment)}</b>, {words.duration(segment.seconds(now))}"]
    if segment.phase is Phase.INVOKE:
        lines.append(f"request {segment.request_id}")
        lines.append("cold start" if segment.cold else "warm")
        if segment.ended is None:
            lines.append("still running")
        else:
            figures = segment.ended.data
            lines += [
                f"duration {words.milliseconds(figures['duration_ms'])},"
                f" billed {figures['billed_ms']:,} ms",
                f"memory used {figures['max_memory_used']} of {figures['memory_size']} MB",
                f"cost {words.dollars(figures['cost'])}",
            ]
    elif segment.end is None:
        lines[0] = f"<b>{segment.phase}</b>, so far {words.duration(segment.seconds(now))}"
    if segment.failed:
        lines.append(ending(segment))
    lines.append(f"environment {lane.number}: {words.short(lane.environment)}…")
    return "<br>".join(lines)


def ending(segment: Segment) -> str:
    text = words.ENDINGS.get(segment.ending, str(segment.ending))
    return text + (f" ({segment.error_type})" if segment.error_type else "")


def _draw_marks(canvas: Canvas, lanes: list[Lane]) -> None:
    """A mark where a phase failed or an environment ended; in words too where there is room."""
    failures = [(row, s) for row, lane in enumerate(lanes) for s in lane.segments
                if s.failed and s.end is not None]
    labelled = len(failures) <= LABELS and len(lanes) <= LABELLED_LANES
    for how, (symbol, colour, word) in MARKS.items():
        marks = [(row, s) for row, s in failures if s.ending == how]
        if marks:
            canvas.add(
                canvas.figure.add_scatter, word, mode="markers",
                x=[canvas.place(s.end) for _, s in marks],
                y=[row for row, _ in marks], hovertext=[ending(s) for _, s in marks],
                hoverinfo="text", cliponaxis=False, showlegend=not labelled,
                marker={"symbol": symbol, "size": 12, "color": colour,
                        "line": {"color": "white", "width": 1.5}},
            )
    seen = Counter()
    for row, segment in failures if labelled else ():
        above = seen[row] % 2 == 0  # neighbours of one lane in turn above and below it
        seen[row] += 1
        place = canvas.place(segment.end)
        canvas.note(
            x=place, y=row - 0.31 if above else row + 0.31, text=MARKS[segment.ending][2],
            font_size=12, yanchor="bottom" if above else "top",
            xanchor="right" if place > 0.5 * canvas.scale.length else "left",
        )
    ended = [(row, lane.shutdown) for row, lane in enumerate(lanes)
             if lane.shutdown and not lane.segments[-1].failed]
    if ended:
        canvas.add(
            canvas.figure.add_scatter, "shut down", mode="markers",
            x=[canvas.place(at) for _, (at, _) in ended],
            y=[row for row, _ in ended], hoverinfo="text", cliponaxis=False,
            hovertext=[f"environment shut down: {reason}" for _, (_, reason) in ended],
            marker={"symbol": "square", "size": 9, "color": GREY,
                    "line": {"color": "white", "width": 1}},
        )


def at_once(throttles: list[Throttle]) -> list[list[Throttle]]:
    """Throttles of one instant together."""
    found: dict[float, list[Throttle]] = {}
    for throttle in throttles:
        found.setdefault(round(throttle.at, 9), []).append(throttle)
    return list(found.values())


def _draw_throttles(canvas: Canvas, part: Part) -> None:
    groups = at_once(part.throttles)
    if not groups:
        return
    places = [canvas.place(group[0].at) for group in groups]
    texts, last = [], -1.0  # how many they were, above the mark, where it doesn't meet the last one
    for group, place in zip(groups, places, strict=True):
        room = len(group) > 1 and place - last >= APART * canvas.scale.length
        texts.append(f"{len(group):,}×" if room else "")
        last = place if room else last
    text = {"text": texts, "textposition": "top center", "textfont": {"size": 12}}
    text = text if any(texts) else {}
    canvas.add(
        canvas.figure.add_scatter, "throttled", mode="markers+text" if text else "markers",
        x=places, y=[len(part.lanes)] * len(groups), cliponaxis=False, hoverinfo="text",
        hovertext=[throttled(group) for group in groups],
        marker={"symbol": "triangle-down", "size": 12, "color": RED,
                "line": {"color": "white", "width": 1}}, **text,
    )


def throttled(group: list[Throttle]) -> str:
    """The hover of requests throttled at one instant."""
    head = "throttled" if len(group) == 1 else f"{words.count(len(group), 'request')} throttled"
    lines = [f"<b>{head}</b>"]
    lines += [f"request {throttle.request_id}" for throttle in group[:NAMED]]
    if len(group) > NAMED:
        lines.append(f"… and {len(group) - NAMED:,} more")
    reasons = dict.fromkeys(throttle.reason for throttle in group)
    lines += [words.REASONS.get(reason, reason) for reason in reasons]
    return "<br>".join([*lines, "not run, so no duration and no cost"])
