"""The renderer: two outputs of a figure, the same bytes every time, words for who can't see it."""

import base64
import json
import re
import subprocess
import sys
from array import array

import plotly.graph_objects as go
import plotly.io as pio
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from minilambda import views
from minilambda.views import renderer, template
from minilambda.views.renderer import picture, words_html, words_of


@pytest.fixture
def figure():
    return go.Figure(go.Bar(x=[0.1 + 0.2, 2], y=["a", "b"], name="cost")).update_layout(
        title="Costs<br>of two", xaxis_title="dollars")


def shown(display):
    """What a notebook's cell would get: the bundles that `display` displays."""
    shell = InteractiveShell.instance()
    renderer.register()
    try:
        with capture_output() as captured:
            display(shell)
    finally:
        InteractiveShell.clear_instance()
    return [output.data for output in captured.outputs]


def test_our_template_is_plotlys_default():
    assert pio.templates.default == "minilambda"


@pytest.mark.parametrize("way", [
    lambda figure: lambda shell: figure.show(),
    lambda figure: lambda shell: shell.display_formatter.format(figure),
], ids=["show", "last line of a cell"])
def test_a_figure_gives_the_picture_and_the_words(figure, way):
    first, second = shown(way(figure))
    assert set(first) == {renderer.PLOTLY, "text/html", "text/plain"}
    assert set(second) == {"text/html", "text/plain"}
    assert re.match(r'<div class="minilambda-figure" id="minilambda-figure-\d+" role="img"'
                    r' aria-label="Costs of two">', first["text/html"])
    assert '<details class="minilambda-figure-text"><summary>What this picture shows' in (
        second["text/html"])
    assert "<td>cost</td><td>0.3" in second["text/html"]
    assert "dollars</th>" in second["text/html"]


def test_a_renderer_asked_for_by_name_is_plotlys_own(figure):
    [bundle] = shown(lambda shell: figure.show(renderer="json"))
    assert set(bundle) == {"application/json"}


def test_config_is_passed_on_and_other_options_are_refused(figure):
    first, _ = shown(lambda shell: figure.show(config={"scrollZoom": True}))
    assert first[renderer.PLOTLY]["config"] == {"displayModeBar": False, "scrollZoom": True}
    with pytest.raises(TypeError, match="update_layout"):
        figure.show(width=100)


def test_importing_the_views_does_not_import_what_is_slow():
    code = ("import sys, minilambda.views;"
            "print([m for m in ('nbformat', 'jsonschema') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_json_is_what_the_page_script_takes(figure):
    html = picture(figure.to_dict())["text/html"]
    page = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert set(page) == {"data", "layout", "frames", "config"}
    assert page["data"][0]["x"] == [0.3, 2]
    assert "plotly.js" not in html and len(html) < 2000


def test_ids_are_counted_and_the_rest_is_the_same_every_time(figure):
    one, two = (picture(figure.to_dict()) for _ in range(2))
    number = re.compile(r"minilambda-figure-(\d+)")
    assert int(number.search(two["text/html"])[1]) == int(number.search(one["text/html"])[1]) + 1
    assert number.sub("", one["text/html"]) == number.sub("", two["text/html"])
    assert one[renderer.PLOTLY] == two[renderer.PLOTLY]


def test_a_script_in_the_data_stays_data():
    figure = go.Figure(go.Bar(x=[1], y=["</script><script>alert(1)</script>"]))
    html = picture(figure.to_dict())["text/html"]
    assert html.count("</script>") == 1
    assert "&lt;script&gt;" in words_html(*words_of(figure.to_dict()))


def test_described_words_win(figure):
    views.describe(figure, "Two costs.", ["which", "how much"], [["a", 1], ["b", 2]])
    assert words_of(figure.to_dict()) == ("Two costs.", ["which", "how much"],
                                          [["a", "1"], ["b", "2"]])
    assert "Two costs." not in json.dumps(
        picture(figure.to_dict())[renderer.PLOTLY])


def test_rows_that_do_not_fit_are_refused(figure):
    with pytest.raises(ValueError, match="one value for each column"):
        views.describe(figure, "x", ["a", "b"], [["only one"]])


def test_numpy_data_is_said_in_numbers():
    # Plotly's way of writing numpy.array([1.5, 2.5]) into a figure's JSON.
    x = {"dtype": "f8", "bdata": base64.b64encode(array("d", [1.5, 2.5]).tobytes()).decode()}
    rows = words_of({"data": [{"x": x, "y": [3, 4]}]})[2]
    assert [row[1:] for row in rows] == [["1.5", "3"], ["2.5", "4"]]


def test_a_long_table_is_cut_and_says_so():
    html = words_html("x", ["a"], [[str(n)] for n in range(100)])
    assert html.count("<tr>") == renderer.ROWS + 1 and "60 more rows" in html


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("colour", template.COLOURS)
@pytest.mark.parametrize("paper", ["#ffffff", "#121212"])
def test_colours_have_contrast_on_light_and_dark(colour, paper):
    low, high = sorted((luminance(colour), luminance(paper)))
    assert (high + 0.05) / (low + 0.05) >= 3
