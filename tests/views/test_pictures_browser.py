"""Every picture of a trace in a real browser: drawn, at 390 px and in the dark, with nothing amiss."""

import json
import shutil
from pathlib import Path

import plotly
import plotly.io as pio
import pytest
from browser_driver import ROOT, WIDTHS, Listener, axe_findings, served, settle
from test_tuning import Tuned
from view_fakes import Story

from minilambda import views
from minilambda.views import renderer

PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>pictures</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>:root {{ --pst-color-text-base: {text}; --pst-color-text-muted: {quiet};
--pst-color-surface: {paper}; }} body {{ margin: 8px; background: {paper}; color: {text}; }}</style>
<link rel="stylesheet" href="/_static/custom.css"></head>
<body><main><h1>Pictures</h1>{figures}</main><script src="/_static/figures.js"></script></body></html>
"""
THEMES = {"light": {"text": "#222832", "quiet": "#48566b", "paper": "#ffffff"},
          "dark": {"text": "#ced6dd", "quiet": "#9ca4af", "paper": "#121212"}}


def told(count):
    """A story of so many environments: cold, warm, failing, killed, and a few requests throttled."""
    story = Story()
    environments = [story.create() for _ in range(count)]
    story.init(*environments)
    story.invoke(*environments, cold=True, ms=400.0)
    story.throttle(7)
    story.invoke(*environments[: count // 2], ms=900.0, status="error", error_type="ValueError")
    story.wait(30)
    story.invoke(environments[0], ms=3000.0, status="timeout", error_type="Sandbox.Timedout",
                 reason="timeout")
    return story


@pytest.fixture(scope="module")
def figures():
    few, many = told(5), told(200)
    return {
        "lanes": views.life(few), "density": views.life(many), "concurrency": views.concurrency(few),
        "throttles": views.throttles(many), "cold starts": views.cold_starts(many),
        "latency": views.latency(few), "cost": views.cost(many),
        "series": views.series({"visible": [(0, 0), (5, 7), (60, 0)], "in flight": [(0, 0), (9, 3)]},
                               "messages", limits={"limit": 10}),
        "tuning": views.power_tuning(Tuned(44800, least=200), "job", memory=(128, 448, 1792)),
        "compare lanes": views.compare(few, told(3)), "compare counts": views.compare(many, few),
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory, figures):
    """The pages light.html and dark.html with all figures, served; gives the address."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "book" / "_static", folder / "_static")
    vendor = folder / "_static" / "vendor" / "plotly"
    vendor.mkdir(exist_ok=True)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", vendor)
    html = ""
    for name, figure in figures.items():
        spec = json.loads(pio.to_json(figure, validate=False, remove_uids=True))
        html += (f"<h2>{name}</h2>{renderer.picture(spec)['text/html']}"
                 f"{renderer.said(spec)['text/html']}")
    for theme, colours in THEMES.items():
        page = PAGE.format(theme=theme, figures=html, **colours)
        (folder / f"{theme}.html").write_text(page, encoding="utf-8")
    with served(folder) as url:
        yield url


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("width", list(WIDTHS))
def test_every_picture_is_drawn_and_nothing_is_amiss(chromium, site, figures, width, theme):
    page = chromium.new_page(viewport=WIDTHS[width])
    listener = Listener(page, site)
    page.goto(f"{site}/{theme}.html")
    settle(page)
    assert page.locator(".minilambda-figure .main-svg").count() >= len(figures)
    # As many marks, bars and lines as the figure has: none was dropped as something unknown.
    drawn = page.evaluate("""() => [...document.querySelectorAll(".js-plotly-plot")].map((plot) =>
        plot._fullData.filter((trace) => trace.visible === true).length)""")
    assert drawn == [len(figure.data) for figure in figures.values()]
    # Titles fit: no line of one is wider than the picture.
    wide = page.evaluate("""() => [...document.querySelectorAll(".js-plotly-plot")].filter((plot) =>
        plot.querySelector(".gtitle").getBoundingClientRect().right >
        plot.getBoundingClientRect().right + 1).length""")
    assert wide == 0
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert axe_findings(page) == []
    problems = listener.problems
    page.close()
    assert problems == []


def test_hovering_says_who_was_throttled(chromium, site):
    page = chromium.new_page(viewport=WIDTHS["wide"])
    page.goto(f"{site}/light.html")
    settle(page)
    mark = page.locator(".minilambda-figure").first.locator(".scatterlayer .point").last
    mark.hover(force=True)
    page.wait_for_function(
        "document.querySelector('.hoverlayer')?.textContent.includes('7 requests throttled')")
    page.close()
