"""The look of our pictures: colours and the Plotly template ``minilambda``.

Stands for nothing of AWS's. One figure serves light and dark pages alike: its backgrounds are
transparent, and every colour here has a contrast of at least 3:1 with white and with #121212
(``tests/views/test_template.py`` measures it). The built page puts its theme's own colours in the
place of what a figure doesn't choose itself (``book/_static/figures.js``).
"""

from __future__ import annotations

import plotly.graph_objects as go
import plotly.io as pio

NAME = "minilambda"

BLUE = "#1f77b4"
ORANGE = "#c2570c"
RED = "#d13438"
PURPLE = "#8a5fc0"
GREEN = "#2f8a3a"
GREY = "#787878"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)

TEXT = GREY  # in JupyterLab a style of renderer.py's puts the theme's own text colour in its place
GRID = "rgba(128,128,128,0.3)"
CLEAR = "rgba(0,0,0,0)"


def register() -> None:
    """Make ``minilambda`` known to Plotly, and its default template."""
    axis = {"gridcolor": GRID, "linecolor": GREY, "zerolinecolor": GRID, "tickcolor": GREY,
            "automargin": True, "title": {"standoff": 8}}
    pio.templates[NAME] = go.layout.Template(
        layout={
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "colorway": list(COLOURS),
            "font": {"color": TEXT, "size": 13, "family": "system-ui, sans-serif"},
            "title": {"font": {"size": 15}, "x": 0, "xanchor": "left", "xref": "container",
                      "pad": {"l": 8}},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"bgcolor": CLEAR},
            "margin": {"l": 40, "r": 10, "t": 50, "b": 40},
        }
    )
    pio.templates.default = NAME
