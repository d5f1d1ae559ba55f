"""How a Plotly figure is shown: in JupyterLab, in the built page, and in words.

Stands for nothing of AWS's. Plotly's own renderers show nothing in the built page, or need another
host, or put 5 MB into every notebook. Ours makes two outputs of a figure:

1. the picture: Plotly's mime type for JupyterLab, and for the built page
   ``<div class="minilambda-figure" id="minilambda-figure-1" role="img" aria-label="…">`` with the
   figure's JSON inside, which ``book/_static/figures.js`` draws;
2. the same in words: ``<details class="minilambda-figure-text">`` with a sentence and a table.

They are two outputs because of an output's forms JupyterLab shows only the richest. The words are
those that :func:`describe` gave the figure, else its title and its data.
Ids are counted and figures rounded, so running a notebook again gives the same bytes.
"""

from __future__ import annotations

import base64
import importlib
import itertools
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from IPython import get_ipython
from IPython.display import display

from . import template

PLOTLY = "application/vnd.plotly.v1+json"
CONFIG = {"displayModeBar": False}  # "responsive" makes JupyterLab's figures lose their height
ROWS = 40  # of a text alternative's table; a longer one is cut, and says so

# Plotly's names of number formats -> those of memoryview.cast.
_CODES = {"f8": "d", "f4": "f", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}

_numbers = itertools.count(1)

# JupyterLab has no figures.js: there the template's grey text becomes the theme's own text colour.
# And its summaries lose the triangle that says they open.
_LAB_STYLE = (
    "<style>.jp-OutputArea .js-plotly-plot text[style*='rgb(120, 120, 120)']"
    "{fill:var(--jp-content-font-color1)!important}"
    ".jp-OutputArea .minilambda-figure-text summary"
    "{cursor:pointer;list-style:disclosure-closed inside}"
    ".jp-OutputArea .minilambda-figure-text[open] summary{list-style-type:disclosure-open}</style>"
)


def register() -> None:
    """Make our template Plotly's default, and show every figure our way.

    ``plotly.io.renderers`` would be the place to say so, but the mere mention of it costs over a
    second (it imports nbformat, and that a grammar of internationalised addresses). So IPython is
    told how to display a Figure, and ``Figure.show()`` finds our :func:`show`.
    """
    template.register()
    pio.show = show
    if (ipython := get_ipython()) is not None:
        ipython.display_formatter.ipython_display_formatter.for_type(go.Figure, show)


def show(figure: Any, renderer: str | None = None, config: dict[str, Any] | None = None,
         **options: Any) -> None:
    """Show a figure: the picture, then the words. Takes the place of ``plotly.io.show``.

    Args:
        figure: a Plotly figure.
        renderer: the name of one of Plotly's own renderers, to show it that one's way instead.
        config: plotly.js's settings, added to ours.
        options: for Plotly's own renderer; TypeError without one.
    """
    if renderer is not None:
        plotly_show = importlib.import_module("plotly.io._renderers").show
        plotly_show(figure, renderer=renderer, config=config, **options)
        return
    if options:
        raise TypeError(f"show: {', '.join(options)}: set it on the figure (update_layout), or name"
                        " one of Plotly's renderers")
    spec = json.loads(pio.to_json(figure, validate=False, remove_uids=True))
    display(picture(spec, config), raw=True)
    display(said(spec), raw=True)


def describe(figure: go.Figure, sentence: str, columns: Sequence[str] = (),
             rows: Iterable[Sequence[Any]] = ()) -> go.Figure:
    """Give a figure its text alternative, and return it.

    Args:
        figure: any Plotly figure.
        sentence: what the picture shows, as one would say it to somebody who can't see it.
        columns, rows: the figures behind it, as a small table; every row as long as ``columns``.
    """
    rows = [[str(value) for value in row] for row in rows]
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("describe: every row needs one value for each column")
    return figure.update_layout(
        meta={"sentence": sentence, "columns": list(columns), "rows": rows}
    )


def words_of(figure: dict[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    """A figure's text alternative: sentence, columns, rows (see :func:`describe`)."""
    layout = figure.get("layout", {})
    meta = layout.get("meta")
    if isinstance(meta, dict) and "sentence" in meta:
        return meta["sentence"], meta["columns"], meta["rows"]
    title = layout.get("title", {})
    title = title.get("text") if isinstance(title, dict) else title
    rows = [
        [str(trace.get("name", f"trace {number}")), str(x), str(y)]
        for number, trace in enumerate(figure.get("data", []), start=1)
        for x, y in zip(_values(trace, "x"), _values(trace, "y"), strict=False)
    ]
    x, y = (_axis_title(layout, axis) for axis in ("xaxis", "yaxis"))
    return _plain(title or "A figure without a title"), ["series", x or "x", y or "y"], rows


def words_html(sentence: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The ``<details>`` element that says what a picture shows."""
    table = ""
    if rows:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>"
            for row in rows[:ROWS]
        )
        table = (
            '<div role="group" tabindex="0" aria-label="The picture as a table"'
            ' style="overflow-x:auto"><table class="docutils" style="white-space:nowrap">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )
        if len(rows) > ROWS:
            table += f"<p>… and {len(rows) - ROWS} more rows.</p>"
    return (
        f'{_LAB_STYLE}<details class="minilambda-figure-text">'
        f"<summary>What this picture shows</summary><p>{escape(sentence)}</p>{table}</details>"
    )


def picture(spec: dict[str, Any], config: dict[str, Any] | None = None) -> dict[str, Any]:
    """The first output: a figure's JSON as JupyterLab's Plotly takes it, and for the built page."""
    sentence = words_of(spec)[0]
    figure = _rounded(spec)
    figure["layout"].pop("meta", None)  # the words follow as an output of their own
    figure["config"] = CONFIG | (config or {})
    # figures.js has a template of the page's own colours: ours would only be weight.
    layout = {name: part for name, part in figure["layout"].items() if name != "template"}
    page = {"data": figure["data"], "layout": layout, "frames": figure.get("frames", []),
            "config": figure["config"]}
    # "</script" would end the element, in whatever string of the figure it stood.
    source = json.dumps(page, separators=(",", ":"), sort_keys=True).replace("</", "<\\/")
    html = (
        f'<div class="minilambda-figure" id="minilambda-figure-{next(_numbers)}" role="img"'
        f' aria-label="{escape(sentence)}"><script type="application/json">{source}</script></div>'
    )
    return {PLOTLY: figure, "text/html": html, "text/plain": sentence}


def said(spec: dict[str, Any]) -> dict[str, Any]:
    """The second output: the same in words."""
    sentence, columns, rows = words_of(spec)
    return {"text/html": words_html(sentence, columns, rows), "text/plain": f"({sentence})"}


def _rounded(value: Any) -> Any:
    """Floats to nine digits after the point: past that they are noise of the arithmetic."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value


def _values(trace: dict[str, Any], axis: str) -> list[Any]:
    """The data of one axis; Plotly writes numpy arrays as base64 of their bytes."""
    values = trace.get(axis, [])
    if isinstance(values, dict):
        return memoryview(base64.b64decode(values["bdata"])).cast(_CODES[values["dtype"]]).tolist()
    return values


def _axis_title(layout: dict[str, Any], axis: str) -> str:
    title = layout.get(axis, {}).get("title", {})
    return _plain((title.get("text") if isinstance(title, dict) else title) or "")


def _plain(text: str) -> str:
    return text.replace("<br>", " ")
