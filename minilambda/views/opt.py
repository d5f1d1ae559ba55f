"""A picture of a function's /opt: which file is there, and which of its layers it came from.

Stands for nothing of AWS's: it reads the layers as anyone may, with GetLayerVersionByArn, and lays
their files over one another in the order in which Lambda does. AWS page: *Packaging your layer
content*. Leaves out: what the function's own package holds (that is in /var/task).
"""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import boto3
import plotly.graph_objects as go

from . import words
from .renderer import describe
from .template import BLUE, GREY

ROWS = 24  # of a picture; where there are more files, those of a folder are drawn as one row
SECONDS = 60  # that reading a layer may take


def opt(function: str, client: Any = None) -> go.Figure:
    """Every file of a function's /opt against its layers, in their order.

    A filled square: this layer's file is the one in /opt. A cross: this layer has such a file too,
    and a later layer's lies over it. Folders stand for their files where there are many.

    Args:
        function: the name of a function with at least one layer.
        client: a boto3 Lambda client; one of the running cloud unless given.

    Raises:
        ValueError: the function has no layers.
        botocore.exceptions.ClientError: no such function, or a layer that can't be read (any more).
    """
    client = client or boto3.client("lambda")
    configuration = client.get_function_configuration(FunctionName=function)
    arns = [layer["Arn"] for layer in configuration.get("Layers", [])]
    if not arns:
        raise ValueError(f"opt: {function!r} has no layers, so its /opt is empty")
    names, layers = [_short(arn) for arn in arns], [_files(client, arn) for arn in arns]
    wins = {name: number for number, files in enumerate(layers) for name in files}  # the last one
    row_of = _rows(wins)
    cells = {(number, row_of[name]) for number, files in enumerate(layers) for name in files}
    used = {(number, row_of[name]) for name, number in wins.items()}
    covered = cells - used
    twice = sum(map(len, layers)) - len(wins)
    sentence = (f"{words.count(len(wins), 'file')} from {words.count(len(layers), 'layer')}; "
                + (f"a later layer covers {words.count(twice, 'file')} of an earlier one."
                   if twice else "no layer covers a file of another."))
    rows = sorted(set(row_of.values()))
    table = [[row, *(words.listing([names[n] for n in range(len(layers)) if (n, row) in group])
                     or "–" for group in (used, covered))] for row in rows]
    figure = _drawn(f"/opt of {function}", names, rows, used, covered)
    return describe(figure, f"/opt of {function}: {sentence}",
                    ["in /opt", "from layer", "covered"], table)


def _short(arn: str) -> str:
    """``arn:…:layer:tone:2`` -> ``tone:2``."""
    return arn.partition(":layer:")[2]


def _files(client: Any, arn: str) -> set[str]:
    where = client.get_layer_version_by_arn(Arn=arn)["Content"]["Location"]
    with urllib.request.urlopen(where, timeout=SECONDS) as answer:
        with zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
            return {entry.filename for entry in archive.infolist() if not entry.is_dir()}


def _rows(names: Iterable[str]) -> dict[str, str]:
    """The row of each file: itself, or as many levels of its folders as make few enough rows."""
    depth = max(len(PurePosixPath(name).parts) for name in names)
    while depth > 1 and len({_cut(name, depth) for name in names}) > ROWS:
        depth -= 1
    return {name: _cut(name, depth) for name in names}


def _cut(name: str, depth: int) -> str:
    parts = PurePosixPath(name).parts
    return name if len(parts) <= depth else "/".join(parts[:depth]) + "/…"


def _drawn(title: str, names: list[str], rows: list[str], used: set[tuple[int, str]],
           covered: set[tuple[int, str]]) -> go.Figure:
    figure = go.Figure()
    columns = [f"{number}. {name}" for number, name in enumerate(names, 1)]
    for name, cells, symbol, colour in (("in /opt", used, "square", BLUE),
                                        ("covered by a later layer", covered, "x-thin", GREY)):
        if cells:
            placed = sorted(cells)
            figure.add_scatter(
                name=name, mode="markers", x=[n for n, _ in placed],
                y=[rows.index(row) for _, row in placed], cliponaxis=False,
                marker={"symbol": symbol, "size": 13, "color": colour,
                        "line": {"width": 3 if symbol == "x-thin" else 0, "color": colour}},
                hoverinfo="text", hovertext=[f"{row}<br>{columns[n]}: {name}" for n, row in placed])
    height = 120 + 28 * len(rows) + 60
    return figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0,
               "xref": "container", "xanchor": "left", "pad": {"l": 8}},
        height=height, margin={"t": 76, "b": 60, "l": 10, "r": 12}, hovermode="closest",
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis={"side": "top", "tickmode": "array", "tickvals": list(range(len(columns))),
               "ticktext": columns, "range": [-0.6, len(columns) - 0.4], "fixedrange": True,
               "zeroline": False},
        yaxis={"tickmode": "array", "tickvals": list(range(len(rows))), "ticktext": rows,
               "range": [len(rows) - 0.4, -0.6], "fixedrange": True, "zeroline": False,
               "automargin": True})
