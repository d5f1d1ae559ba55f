"""Rows of a picture one above the other, all on one time axis.

Stands for nothing of AWS's. Plotly's own subplots share a figure's height in parts; here a strip has
a height in pixels, so that a lane is as high among sixty others as it is alone.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

WRAP = 44  # characters of a title's line: what a phone shows


@dataclass
class Strip:
    """``axis`` is what a trace's ``yaxis`` says; ``top`` is filled in by :meth:`Strips.lay_out`."""

    axis: str
    height: int
    gap: int
    layout: dict[str, Any]
    header: str

    @property
    def name(self) -> str:
        return "yaxis" + self.axis.removeprefix("y")


class Strips:
    """The strips of one figure, from the top down."""

    def __init__(self) -> None:
        self.all: list[Strip] = []

    def add(self, height: int, layout: dict[str, Any], header: str = "") -> str:
        """A strip of this height in pixels, with a bold header above it; gives its axis' name."""
        number = len(self.all) + 1
        gap = 0 if number == 1 and not header else 34 if header else 22
        self.all.append(Strip(f"y{number if number > 1 else ''}", height, gap, layout, header))
        return self.all[-1].axis

    def lay_out(self, figure: go.Figure, sentence: str, xaxis: dict[str, Any],
                above: int = 0, below: int = 110, **more: Any) -> None:
        """Title, axes and legend, and what ``more`` a layout may have.

        ``above`` and ``below`` are pixels kept free for what else is there.
        """
        title = textwrap.wrap(sentence, WRAP)
        if sentence.count("$") > 1:  # Plotly would take what is between two of them for a formula
            title = [line.replace("$", "&#36;") for line in title]
        inner = sum(strip.gap + strip.height for strip in self.all)
        top = 34 + 20 * len(title) + above
        height = top + inner + below + 10
        axes, headers, used = {}, [], 0
        for strip in self.all:
            used += strip.gap
            domain = {}
            if len(self.all) > 1 or strip.gap:
                domain = {"domain": [max(0.0, 1 - (used + strip.height) / inner), 1 - used / inner]}
            if strip.header:
                headers.append({
                    "text": f"<b>{strip.header}</b>", "showarrow": False, "font": {"size": 13},
                    "x": 0, "xref": "paper", "xanchor": "left", "y": 1 - used / inner,
                    "yref": "paper", "yanchor": "bottom", "yshift": 8})
            used += strip.height
            axes[strip.name] = {**strip.layout, **domain}
        if headers:
            more["annotations"] = [*figure.layout.annotations, *headers]
        if len(self.all) > 1:
            xaxis = {**xaxis, "anchor": self.all[-1].axis}
        figure.update_layout(**{
            # Said here too, not only in the template: a page's own template takes that one's place.
            "title": {"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
                      "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
                      "yanchor": "top"},
            "barmode": "overlay", "bargap": 0, "hovermode": "closest",
            "height": height, "margin": {"t": top, "b": below, "l": 50, "r": 12},
            "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                       "xref": "container", "x": 0.02, "itemclick": False,
                       "itemdoubleclick": False},
            "xaxis": xaxis, **axes, **more})
