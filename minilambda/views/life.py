"""One picture of invocations' lives: init, invoke, freeze, kill, in each execution environment.

Stands for the drawing on AWS's page *Understanding the Lambda execution environment lifecycle*,
made from what really happened on a cloud. Leaves out: throttled requests, which reach no
environment.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

import plotly.graph_objects as go

from . import words
from .renderer import describe
from .scale import Scale
from .template import BLUE, GREY, ORANGE, PURPLE, RED
from .timeline import Lane, Phase, Segment, lanes

MOST_LANES = 60
# So many failures in so many lanes are labelled in the picture; more are marked, and in the legend.
LABELS, LABELLED_LANES = 8, 6

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
COLUMNS = ("environment", "phase", "from", "to", "outcome")


def life(cloud: Any, request_id: str | None = None, function: str | None = None,
         since: float = 0.0) -> go.Figure:
    """Draw what a cloud's execution environments did, one lane each.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` and ``clock`` are read).
        request_id: only this invocation: its init if it was a cold start, itself, what came after.
        function: only this function's environments.
        since: only what began at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative. Change it as any other figure.

    Raises:
        ValueError: nothing has run that fits, or both criteria were given.
    """
    if request_id is not None and function is not None:
        raise ValueError("life: say request_id or function, not both")
    found = lanes(cloud.trace, request_id, function, since)
    shown = found[:MOST_LANES]
    now = _now(cloud, shown, request_id)
    scale = _scale(shown, now)
    sentence = _sentence(found)
    if len(found) > len(shown):
        sentence += f" The first {len(shown)} of {len(found):,} environments are shown."
    figure = go.Figure()
    _draw_bars(figure, shown, scale, now)
    _draw_marks(figure, shown, scale)
    _draw_cuts(figure, scale)
    _lay_out(figure, shown, scale, sentence)
    return describe(figure, f"{sentence} {scale.note()}".strip(), COLUMNS, _rows(shown, scale))


def _now(cloud: Any, shown: list[Lane], request_id: str | None) -> float:
    """Where the picture ends: the cloud's present, or the end of the one invocation asked for."""
    last = max(s.start if s.end is None else s.end for lane in shown for s in lane.segments)
    return last if request_id is not None else max(last, cloud.clock.seconds)


def _scale(shown: list[Lane], now: float) -> Scale:
    segments = [s for lane in shown for s in lane.segments]
    is_open = any(s.end is None for s in segments)
    moments = {s.start for s in segments} | {s.end for s in segments if s.end is not None}
    moments |= {lane.shutdown[0] for lane in shown if lane.shutdown}
    if is_open:
        moments.add(now)
    work = [(s.start, now if s.end is None else s.end)
            for s in segments if s.phase is not Phase.FROZEN]
    return Scale(moments, work, is_open)


def _kind(segment: Segment) -> str:
    if segment.phase is not Phase.INVOKE:
        return str(segment.phase)
    return "invoke, killed" if segment.killed else (
        "invoke, error" if segment.failed else "invoke")


def _draw_bars(figure: go.Figure, shown: list[Lane], scale: Scale, now: float) -> None:
    """One trace a kind of bar, so that the legend has each once."""
    bars: dict[str, list[tuple[int, Lane, Segment]]] = {}
    for row, lane in enumerate(shown):
        for segment in lane.segments:
            bars.setdefault(_kind(segment), []).append((row, lane, segment))
    for kind, (colour, pattern, thickness) in KINDS.items():
        if kind not in bars:
            continue
        left = [scale.place(s.start) for _, _, s in bars[kind]]
        right = [scale.right if s.end is None else scale.place(s.end) for _, _, s in bars[kind]]
        figure.add_bar(
            name=kind, orientation="h", y=[row for row, _, _ in bars[kind]], base=left,
            x=[b - a for a, b in zip(left, right, strict=True)], width=thickness,
            marker={"color": colour, "line": {"color": "rgba(128,128,128,0.9)", "width": 0.5},
                    "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)",
                                "fillmode": "overlay", "size": 6, "solidity": 0.25}},
            hovertext=[_hover(lane, s, now, len(shown) > 1) for _, lane, s in bars[kind]],
            hoverinfo="text",
        )


def _hover(lane: Lane, segment: Segment, now: float, several: bool) -> str:
    lines = [f"<b>{_kind(segment)}</b>, {words.duration(segment.seconds(now))}"]
    if segment.phase is Phase.INVOKE:
        lines.append(f"request {segment.request_id}")
        lines.append("cold start" if segment.cold else "warm")
        if segment.ended is None:
            lines.append("still running")
        else:
            figures = segment.ended
            lines += [
                f"duration {words.milliseconds(figures['duration_ms'])},"
                f" billed {figures['billed_ms']:,} ms",
                f"memory used {figures['max_memory_used']} of {figures['memory_size']} MB",
                f"cost {words.dollars(figures['cost'])}",
            ]
    elif segment.end is None:
        lines[0] = f"<b>{segment.phase}</b>, so far {words.duration(segment.seconds(now))}"
    if segment.failed:
        lines.append(_ending(segment))
    lines.append(f"environment {lane.number}: {words.short(lane.environment)}…")
    return "<br>".join(lines)


def _ending(segment: Segment) -> str:
    text = words.ENDINGS.get(segment.ending, str(segment.ending))
    return text + (f" ({segment.error_type})" if segment.error_type else "")


def _draw_marks(figure: go.Figure, shown: list[Lane], scale: Scale) -> None:
    """A mark where a phase failed or an environment ended; in words too where there is room."""
    failures = [(row, s) for row, lane in enumerate(shown) for s in lane.segments
                if s.failed and s.end is not None]
    labelled = len(failures) <= LABELS and len(shown) <= LABELLED_LANES
    for ending, (symbol, colour, word) in MARKS.items():
        marks = [(row, s) for row, s in failures if s.ending == ending]
        if marks:
            figure.add_scatter(
                name=word, mode="markers", x=[scale.place(s.end) for _, s in marks],
                y=[row for row, _ in marks], hovertext=[_ending(s) for _, s in marks],
                hoverinfo="text", cliponaxis=False, showlegend=not labelled,
                marker={"symbol": symbol, "size": 12, "color": colour,
                        "line": {"color": "white", "width": 1.5}},
            )
    seen = Counter()
    for row, segment in failures if labelled else ():
        above = seen[row] % 2 == 0  # neighbours of one lane in turn above and below it
        seen[row] += 1
        place = scale.place(segment.end)
        figure.add_annotation(
            x=place, y=row - 0.31 if above else row + 0.31, text=MARKS[segment.ending][2],
            showarrow=False, font_size=12, yanchor="bottom" if above else "top",
            xanchor="right" if place > 0.5 * scale.length else "left",
        )
    ended = [(row, lane.shutdown) for row, lane in enumerate(shown)
             if lane.shutdown and not lane.segments[-1].failed]
    if ended:
        figure.add_scatter(
            name="shut down", mode="markers", x=[scale.place(at) for _, (at, _) in ended],
            y=[row for row, _ in ended], hoverinfo="text", cliponaxis=False,
            hovertext=[f"environment shut down: {reason}" for _, (_, reason) in ended],
            marker={"symbol": "square", "size": 9, "color": GREY,
                    "line": {"color": "white", "width": 1}},
        )


def _draw_cuts(figure: go.Figure, scale: Scale) -> None:
    for cut in scale.cuts:
        figure.add_vrect(x0=cut.left, x1=cut.right, line_width=0, layer="below",
                         fillcolor="rgba(128,128,128,0.16)")
        if cut.right - cut.left >= 0.08 * scale.length:
            figure.add_annotation(x=(cut.left + cut.right) / 2, y=1, yref="paper",
                                  yanchor="bottom", showarrow=False, font_size=11,
                                  text=words.duration(cut.seconds))


def _lay_out(figure: go.Figure, shown: list[Lane], scale: Scale, sentence: str) -> None:
    title = textwrap.wrap(sentence, 44)
    several = len({lane.function for lane in shown}) > 1
    names = [f"{textwrap.shorten(lane.function, 14, placeholder='…')} {lane.number}"
             if several else str(lane.number) for lane in shown]
    every = 1 if len(shown) <= 25 else 5
    row = 58 if len(shown) <= LABELLED_LANES else 30 if len(shown) <= 10 else 18
    top = 34 + 20 * len(title) + (18 if scale.cuts else 0)
    height = top + row * len(shown) + 120
    figure.update_layout(
        # Said here too, not only in the template: a page's own template takes that one's place.
        title={"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
               "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
               "yanchor": "top"},
        barmode="overlay", bargap=0, hovermode="closest",
        height=height, margin={"t": top, "b": 110, "l": 50, "r": 12},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis=scale.axis(),
        yaxis={"title": {"text": "" if several else "environment", "font": {"size": 12}},
               "showgrid": False, "zeroline": False, "fixedrange": True,
               "range": [len(shown) - 0.4, -0.6],
               "tickmode": "array", "tickvals": list(range(0, len(shown), every)),
               "ticktext": names[::every]},
    )


def _sentence(found: list[Lane]) -> str:
    """What happened, as the title says it."""
    served = [s for lane in found for s in lane.invocations]
    inits = [s for lane in found for s in lane.segments if s.phase is Phase.INIT]
    cold = sum(s.cold for s in served)
    endings = Counter(s.ending for s in served if s.failed)
    bad = [f"{endings[e]} {words.ENDINGS[e]}" for e in words.ENDINGS if endings[e]]
    if not served:
        return f"{words.count(len(found), 'environment')} started and served no invocation yet."
    if len(served) == 1:
        return _one(served[0], inits)
    environments = words.count(len(found), "environment")
    starts = {0: "all warm", len(served): "every one a cold start"}.get(
        cold, f"{words.count(cold, 'cold start')}, {len(served) - cold} warm")
    text = f"{environments} served {words.count(len(served), 'invocation')}: {starts}"
    return text + (f"; {words.listing(bad)}." if bad else ".")


def _one(invocation: Segment, inits: list[Segment]) -> str:
    if invocation.end is None:
        return "One invocation is still running."
    ran = words.duration(invocation.end - invocation.start)
    before = ""
    if invocation.cold and inits:
        spent = words.duration(sum((s.end or invocation.start) - s.start for s in inits))
        before = f"A cold start: {spent} of init, then "
    else:
        before = "A warm start: "
    ending = {
        "success": f"the handler ran {ran}.",
        "error": f"the invocation raised an error after {ran}.",
        "timeout": f"the invocation was killed at its timeout, after {ran}.",
        "crash": f"the runtime's process ended by itself after {ran}.",
        "out-of-memory": f"the invocation was killed for its memory after {ran}.",
    }
    return before + ending[invocation.ending]


def _rows(shown: list[Lane], scale: Scale) -> list[list[str]]:
    """The picture as a table. A frozen time of nothing is left out."""
    several = len({lane.function for lane in shown}) > 1
    rows = []
    for lane in shown:
        name = f"{lane.function} {lane.number}" if several else str(lane.number)
        for s in lane.segments:
            if s.phase is Phase.FROZEN and s.end == s.start:
                continue
            outcome = _ending(s) if s.ending else ""
            if s.phase is Phase.INIT and s.ending:
                outcome = "done" if s.ending == "success" else _ending(s)
            until = scale.since(s.end) if s.end is not None else "goes on"
            rows.append([name, str(s.phase), scale.since(s.start), until, outcome])
        if lane.shutdown:
            at, reason = lane.shutdown
            rows.append([name, "shutdown", scale.since(at), scale.since(at), reason])
    return rows
