"""One row a message: sent, received, invisible, received again, deleted, moved to the DLQ.

Stands for the drawing on AWS's page *Amazon SQS visibility timeout*, made from what really happened to
a queue's messages. Leaves out: what is in them.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

import plotly.graph_objects as go

from . import words
from .queues import Life, State, Stretch, lives, name_of
from .renderer import describe
from .scale import Scale
from .template import BLUE, GREEN, GREY, ORANGE, RED

MOST_ROWS = 60
NUMBERED_ROWS = 12  # so many rows have room for the count beside each receipt

# What a bar means -> colour, pattern (a second sign beside the colour), thickness.
KINDS = {
    State.DELAYED: ("delayed", GREY, ".", 0.3),
    State.VISIBLE: ("waiting, visible", BLUE, "", 0.2),
    State.IN_FLIGHT: ("received, invisible", ORANGE, "/", 0.62),
}
# How a message ends -> the mark, its colour, and the word for it.
ENDS = {
    "deleted": ("circle", GREEN, "deleted"),
    "purged": ("circle-open", GREEN, "purged"),
    "queue deleted": ("square-open", GREY, "queue deleted"),
    "redriven": ("x", RED, "moved to the DLQ"),
    "expired": ("hourglass", GREY, "expired"),
}
COLUMNS = ("message", "what", "from", "to", "by")


def messages(cloud: Any, queue: str | None = None, since: float = 0.0) -> go.Figure:
    """Draw what happened to messages, one row each.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` and ``clock`` are read).
        queue: only what happened in this queue (its name, URL or ARN); else in all queues, so that a
            message's row goes on in its dead-letter queue.
        since: only messages that came at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative.

    Raises:
        ValueError: no message fits, or several queues have this name.
    """
    found = lives(cloud.trace, queue, since)
    shown = found[:MOST_ROWS]
    scale = _scale(shown, cloud.clock.seconds)
    sentence = _sentence(found, queue)
    if len(found) > len(shown):
        sentence += (f" The first {len(shown)} of {len(found):,} are shown;"
                     " queue_depth shows all of them as numbers.")
    figure = go.Figure()
    _draw_bars(figure, shown, scale, cloud.clock.seconds)
    _draw_marks(figure, shown, scale)
    _lay_out(figure, shown, scale, sentence)
    return describe(figure, f"{sentence} {_note(scale)}".strip(), COLUMNS, _rows(shown, scale))


def _scale(shown: list[Life], now: float) -> Scale:
    stretches = [s for life in shown for s in life.stretches]
    moments = {s.start for s in stretches} | {s.end for s in stretches if s.end is not None}
    open_ended = any(s.end is None for s in stretches)
    if open_ended:
        moments.add(max(now, *moments))
    last = max(moments)
    hidden = [(s.start, last if s.end is None else s.end) for s in stretches
              if s.state is not State.VISIBLE]
    return Scale(moments, hidden, open_ended)


def _note(scale: Scale) -> str:
    parts = []
    if scale.cuts:
        parts.append("times in which no message was invisible are drawn shorter")
    if scale.stretched:
        parts.append("the shortest times are drawn longer")
    return f"The time axis is not to scale: {words.listing(parts)}." if parts else ""


def _draw_bars(figure: go.Figure, shown: list[Life], scale: Scale, now: float) -> None:
    bars: dict[State, list[tuple[int, Life, Stretch]]] = {}
    for row, life in enumerate(shown):
        for stretch in life.stretches:
            bars.setdefault(stretch.state, []).append((row, life, stretch))
    for state, (name, colour, pattern, thickness) in KINDS.items():
        if state not in bars:
            continue
        left = [scale.place(s.start) for _, _, s in bars[state]]
        right = [scale.right if s.end is None else scale.place(s.end) for _, _, s in bars[state]]
        figure.add_bar(
            name=name, orientation="h", y=[row for row, _, _ in bars[state]], base=left,
            x=[b - a for a, b in zip(left, right, strict=True)], width=thickness,
            marker={"color": colour, "line": {"color": "rgba(128,128,128,0.9)", "width": 0.5},
                    "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)",
                                "fillmode": "overlay", "size": 6, "solidity": 0.25}},
            hovertext=[_hover(life, s, now) for _, life, s in bars[state]], hoverinfo="text")


def _hover(life: Life, stretch: Stretch, now: float) -> str:
    length = (now if stretch.end is None else stretch.end) - stretch.start
    so_far = "so far " if stretch.end is None else ""
    lines = [f"<b>{KINDS[stretch.state][0]}</b>, {so_far}{words.duration(length)}",
             f"in queue {name_of(stretch.queue)}"]
    if stretch.receive_count:
        lines.append(f"received {_times(stretch.receive_count)} so far")
    if stretch.state is State.IN_FLIGHT:
        lines.append(f"by {words.who(stretch.by)}")
    return "<br>".join([*lines, f"message {life.number}: {words.short(life.message_id)}…"])


def _draw_marks(figure: go.Figure, shown: list[Life], scale: Scale) -> None:
    receipts = [(row, life, s) for row, life in enumerate(shown) for s in life.receives]
    if receipts:
        figure.add_scatter(
            name="received (which time)", mode="markers+text" if len(shown) <= NUMBERED_ROWS
            else "markers", x=[scale.place(s.start) for _, _, s in receipts],
            y=[row for row, _, _ in receipts], text=[str(s.receive_count) for _, _, s in receipts],
            textposition="top center", cliponaxis=False, hoverinfo="text",
            hovertext=[f"message {life.number} received for the {_nth(s.receive_count)} time,"
                       f" by {words.who(s.by)}" for _, life, s in receipts],
            marker={"symbol": "triangle-right", "size": 10, "color": ORANGE,
                    "line": {"color": "white", "width": 1}})
    for end, (symbol, colour, word) in ENDS.items():
        ended = [(row, at) for row, life in enumerate(shown) for kind, at, _, _ in _ends(life)
                 if kind == end]
        if ended:
            figure.add_scatter(
                name=word, mode="markers", x=[scale.place(at) for _, at in ended],
                y=[row for row, _ in ended], hoverinfo="text", cliponaxis=False,
                hovertext=[f"message {shown[row].number}: {word}" for row, _ in ended],
                marker={"symbol": symbol, "size": 11, "color": colour,
                        "line": {"color": colour if "open" in symbol else "white", "width": 1.5}})


def _ends(life: Life) -> list[tuple[str, float, str, str]]:
    """Its moves and its end: kind (see ENDS), when, by whom, and the words for it."""
    found = []
    for event in [*life.moves, *([life.end] if life.end not in (None, *life.moves) else [])]:
        kind = event.data.get("reason", event.kind.removeprefix("message."))
        text, by = ENDS[kind][2], ""
        if kind == "redriven":
            text = f"moved to {name_of(event['target'])}"
        elif kind != "expired":
            by = words.who(event.function)
        found.append((kind, event.at, by, text))
    return found


def _lay_out(figure: go.Figure, shown: list[Life], scale: Scale, sentence: str) -> None:
    title = textwrap.wrap(sentence, 44)
    row = 34 if len(shown) <= NUMBERED_ROWS else 18
    top = 34 + 20 * len(title)
    legend = 60 + 20 * len(figure.data)  # one entry a line, on a phone
    height = top + row * len(shown) + legend + 10
    every = 1 if len(shown) <= 25 else 5
    figure.update_layout(
        title={"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
               "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
               "yanchor": "top"},
        barmode="overlay", bargap=0, hovermode="closest", height=height,
        margin={"t": top, "b": legend, "l": 50, "r": 14},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis=scale.axis(),
        yaxis={"title": {"text": "message", "font": {"size": 12}}, "showgrid": False,
               "zeroline": False, "fixedrange": True, "range": [len(shown) - 0.4, -0.6],
               "tickmode": "array", "tickvals": list(range(0, len(shown), every)),
               "ticktext": [str(life.number) for life in shown][::every]})


def _sentence(found: list[Life], queue: str | None) -> str:
    where = f" in queue {name_of(queue)}" if queue is not None else ""
    ends = Counter(_ends(life)[-1][0] if life.end is not None else "there" for life in found)
    parts = [f"{ends[kind]:,} {ENDS[kind][2]}" for kind in ENDS if ends[kind]]
    if ends["there"]:
        parts.append(f"{ends['there']:,} still there")
    again = sum(len(life.receives) > 1 for life in found)
    text = f"{words.count(len(found), 'message')}{where}: {words.listing(parts)}."
    text += f" {again:,} received more than once." if again else ""
    moved = sum(bool(life.moves) for life in found) if queue is None else 0
    return text + (f" {moved:,} went to a dead-letter queue." if moved else "")


def _rows(shown: list[Life], scale: Scale) -> list[list[str]]:
    rows = []
    for life in shown:
        name = f"{life.number}: {words.short(life.message_id)}"
        came = "sent" if life.came.kind == "message.sent" else (
            f"moved here from {name_of(life.came['queue'])}")
        by = words.who(life.came.function, life.came.data.get("via"))
        rows.append([name, came, scale.since(life.came.at), "", by])
        for s in life.stretches:
            what = KINDS[s.state][0]
            if s.state is State.IN_FLIGHT:
                what = f"received ({_nth(s.receive_count)} time), invisible"
            elif s.end == s.start:
                continue
            until = scale.since(s.end) if s.end is not None else "goes on"
            by = words.who(s.by) if s.state is State.IN_FLIGHT else ""
            rows.append([name, what, scale.since(s.start), until, by])
        rows += [[name, text, scale.since(at), "", by] for _, at, by, text in _ends(life)]
    return rows



def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _nth(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
