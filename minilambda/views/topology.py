"""The deployed resources and who calls whom, drawn from what is running.

Stands for an architecture diagram, made by looking instead of from memory: by list, describe and get
calls, and the calls that functions were seen to make. AWS page: *Policy evaluation logic*, for why a
connection is marked as broken. Leaves out: what :mod:`~minilambda.views.resources` leaves out.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from . import words
from .checks import check
from .layout import Drawing, Point, layered
from .renderer import describe
from .resources import Census, Edge, Node, census
from .template import BLUE, GREEN, GREY, ORANGE, PURPLE, RED

# Kind of resource -> marker symbol, colour.
SYMBOLS = {
    "function": ("square", ORANGE), "layer": ("hexagon2", ORANGE), "role": ("diamond", GREEN),
    "bucket": ("circle", BLUE), "topic": ("star", PURPLE), "queue": ("triangle-right", PURPLE),
    "rule": ("pentagon", PURPLE), "stream": ("bowtie", PURPLE), "table": ("hourglass", BLUE),
    "database": ("octagon", BLUE), "log group": ("cross", GREY), "endpoint": ("circle-dot", GREY),
}
OTHER = ("diamond-tall", GREY)
# Sort of edge -> colour, dash (a second sign beside the colour), what the legend calls it.
LINES = {
    "call": (BLUE, "solid", "calls or sends"),
    "uses": (GREY, "dot", "uses"),
    "policy": (GREEN, "dash", "a role allows"),
    "broken": (RED, "longdashdot", "broken"),
}
PHONE = 52  # characters of labels that fit side by side on a phone
COLUMNS = ("from", "does", "to", "state")


@dataclass(frozen=True, slots=True)
class Line:
    """All edges from one node to another, drawn as one."""

    source: Node
    target: Node
    edges: list[Edge]

    @property
    def sort(self) -> str:
        sorts = {edge.sort for edge in self.edges}
        return "broken" if self.problems else next(s for s in LINES if s in sorts)

    @property
    def what(self) -> str:
        return ", ".join(dict.fromkeys(edge.what for edge in self.edges))

    @property
    def problems(self) -> list[str]:
        return list(dict.fromkeys(edge.problem for edge in self.edges if edge.problem))


def topology(cloud: Any) -> go.Figure:
    """Draw what is deployed on a cloud, who calls whom, and which connections can't work.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace``, ``account_id`` and ``region`` are read;
            all else is asked with boto3: list, describe and get calls, which change nothing).

    Returns:
        A Plotly figure that carries its text alternative: the broken connections in a sentence,
        and all of them in a table.

    Raises:
        ValueError: nothing is deployed.
    """
    found = census(cloud.trace, cloud.account_id, cloud.region)
    check(found)
    if not found.nodes:
        raise ValueError("nothing is deployed on this cloud yet: create a function, a queue, a"
                         " bucket … first")
    nodes = list(found.nodes.values())
    lines = _lines(found)
    numbers = {node.key: number for number, node in enumerate(nodes)}
    drawing = layered(len(nodes), [(numbers[line.source.key], numbers[line.target.key])
                                   for line in lines])
    sentence = _sentence(nodes, lines)
    figure = go.Figure()
    for sort in LINES:
        _draw_lines(figure, sort, [line for line in lines if line.sort == sort], numbers, drawing)
    _draw_nodes(figure, nodes, drawing)
    _lay_out(figure, sentence, drawing)
    broken = [line for line in lines if line.problems]
    said = " ".join([sentence, *(f"{_full(line.source)} {line.what} {_full(line.target)}:"
                                 f" {'; '.join(line.problems)}." for line in broken)])
    return describe(figure, said, COLUMNS, _rows(nodes, lines))


def _lines(found: Census) -> list[Line]:
    """Edges between the same two nodes together; broken ones first."""
    groups: dict[tuple[str, str], list[Edge]] = {}
    for edge in found.edges:
        if edge.source != edge.target:
            groups.setdefault((edge.source, edge.target), []).append(edge)
    lines = [Line(found.nodes[a], found.nodes[b], edges) for (a, b), edges in groups.items()]
    return sorted(lines, key=lambda line: not line.problems)


def _full(node: Node) -> str:
    if node.kind == "endpoint":
        return node.name
    return f"{node.kind} {node.name}" + (" (another region or account)" if node.elsewhere else "")


def _draw_lines(figure: go.Figure, sort: str, lines: list[Line], numbers: dict[str, int],
                drawing: Drawing) -> None:
    """The lines of one sort with their arrows, and in their middles what they mean."""
    if not lines:
        return
    colour, dash, name = LINES[sort]
    x: list[float | None] = []
    y: list[float | None] = []
    heads: list[int] = []  # 1 where a line ends, with an arrow
    middles = []
    for line in lines:
        path = drawing.paths[numbers[line.source.key], numbers[line.target.key]]
        x += [point[0] for point in path] + [None]
        y += [point[1] for point in path] + [None]
        heads += [0] * (len(path) - 1) + [1, 0]
        middles.append(_middle(path))
    figure.add_scatter(
        name=name, x=x, y=y, mode="lines+markers", hoverinfo="skip", legendgroup=sort,
        line={"color": colour, "dash": dash, "width": 2.5 if sort == "broken" else 1.5},
        marker={"symbol": "arrow", "size": [12 * head for head in heads], "color": colour,
                "angleref": "previous", "standoff": [11 * head for head in heads],
                "opacity": 1, "line": {"width": 0}})
    figure.add_scatter(
        x=[point[0] for point in middles], y=[point[1] for point in middles], mode="markers",
        showlegend=False, legendgroup=sort, hoverinfo="text",
        hovertext=[_hover(line) for line in lines],
        marker={"symbol": "x" if sort == "broken" else "circle", "size": 13, "color": colour,
                "opacity": 1 if sort == "broken" else 0, "line": {"color": "white", "width": 1}})


def _middle(path: list[Point]) -> Point:
    place = (len(path) - 1) // 2
    (a, b), (c, d) = path[place], path[place + 1]
    return (a + c) / 2, (b + d) / 2


def _hover(line: Line) -> str:
    text = [f"<b>{_full(line.source)}</b> {line.what} <b>{_full(line.target)}</b>"]
    text += [f"broken: {problem}" for problem in line.problems]
    return "<br>".join(part for sentence in text for part in textwrap.wrap(sentence, 48))


def _draw_nodes(figure: go.Figure, nodes: list[Node], drawing: Drawing) -> None:
    wide = max(9, round(PHONE / (drawing.layers + 1)))
    for kind in (*SYMBOLS, *dict.fromkeys(n.kind for n in nodes if n.kind not in SYMBOLS)):
        symbol, colour = SYMBOLS.get(kind, OTHER)
        for missing in (False, True):
            places = [n for n, node in enumerate(nodes)
                      if node.kind == kind and node.missing == missing]
            if not places:
                continue
            figure.add_scatter(
                name=f"{kind}, not there" if missing else kind, mode="markers+text",
                x=[drawing.nodes[n][0] for n in places], y=[drawing.nodes[n][1] for n in places],
                text=[_label(nodes[n].name, wide) for n in places], textposition="bottom center",
                textfont={"size": 11}, cliponaxis=False, hoverinfo="text",
                hovertext=[_full(nodes[n]) + (": not there" if missing else "") for n in places],
                marker={"symbol": f"{symbol}-open" if missing else symbol, "size": 17,
                        "color": colour,
                        "line": {"color": colour if missing else "white", "width": 1.5}})


def _label(name: str, wide: int) -> str:
    """A name in two lines of so many characters at the most, broken where its parts end.

    Of a longer one the end, which tells it apart.
    """
    lines = [""]
    for part in re.findall(rf"[^-_/.:]{{0,{wide - 1}}}[-_/.:]|[^-_/.:]{{1,{wide}}}", name):
        if len(lines[-1]) + len(part) > wide:
            lines.append("")
        lines[-1] += part
    return "<br>".join(lines[-2:] if len(lines) <= 2 else [f"…{lines[-2]}", lines[-1]])


def _sentence(nodes: list[Node], lines: list[Line]) -> str:
    kinds = Counter(node.kind for node in nodes if not (node.missing or node.elsewhere))
    there = [words.count(number, kind) for kind, number in kinds.items()]
    broken = sum(bool(line.problems) for line in lines)
    state = ("none is broken" if not broken else "1 is broken" if broken == 1
             else f"{broken} are broken")
    if not lines:
        return f"{words.listing(there)}, with no connection between them."
    return f"{words.listing(there)}. Of {words.count(len(lines), 'connection')} {state}."


def _rows(nodes: list[Node], lines: list[Line]) -> list[list[str]]:
    rows = [[_full(line.source), line.what, _full(line.target),
             f"broken: {'; '.join(line.problems)}" if line.problems else "no fault found"]
            for line in lines]
    linked = {node.key for line in lines for node in (line.source, line.target)}
    return rows + [[_full(node), "is connected to nothing", "", ""] for node in nodes
                   if node.key not in linked]


def _lay_out(figure: go.Figure, sentence: str, drawing: Drawing) -> None:
    title = textwrap.wrap(sentence, 44)
    top = 40 + 20 * len(title)
    height = round(top + 78 * max(1.0, drawing.rows) + 140)
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        title={"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
               "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
               "yanchor": "top"},
        height=height, margin={"t": top, "b": 130, "l": 8, "r": 8}, hovermode="closest",
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis={**hidden, "range": [-0.5, drawing.layers + 0.5]},
        yaxis={**hidden, "range": [drawing.rows - 0.3, -0.4]})
