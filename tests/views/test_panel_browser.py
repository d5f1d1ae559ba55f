"""panel.js in a real browser, with a model made up on the page: what a reader sees and hears."""

import json
from pathlib import Path

import pytest
from browser_driver import WIDTHS, axe_findings
from view_fakes import FakeLambda

from minilambda import views
from minilambda.views.panel import PanelView

FOLDER = Path(views.__file__).parent
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>panel</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ --pst-color-text-base: {text}; --pst-color-text-muted: {quiet};
--pst-color-border: #777; }} body {{ background: {paper}; color: {text}; }} {css}</style></head>
<body><main><h1>Panel</h1><div id="here"></div></main></body></html>"""
THEMES = {"light": {"text": "#222832", "quiet": "#48566b", "paper": "#ffffff"},
          "dark": {"text": "#ced6dd", "quiet": "#9ca4af", "paper": "#121212"}}
START = """async ([source, state]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const panel = (await import(url)).default;
  const listeners = {};
  const model = {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      (listeners[`change:${name}`] ?? []).forEach((f) => f());
    },
    on: (name, f) => (listeners[name] ??= []).push(f),
  };
  window.model = model;
  panel.render({ model, el: document.getElementById("here") });
}"""


@pytest.fixture(scope="module")
def state():
    """The traits of a recorded panel, as the page would hold them."""
    panel = views.panel(FakeLambda(), "hello", {}, memory=(128, 256, 64), timeout=(1, 4))
    names = ("function", "memory", "timeout", "memory_index", "timeout_index", "grid", "texts",
             "live")
    return json.dumps({name: getattr(panel.view, name) for name in names})


@pytest.fixture
def open_panel(chromium, state):
    contexts = []

    def start(width="wide", theme="light", **changes):
        contexts.append(chromium.new_context(viewport=WIDTHS[width]))
        page = contexts[-1].new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: page.problems.append(message.text))
        css = (FOLDER / "panel.css").read_text()
        page.set_content(PAGE.format(css=css, **THEMES[theme]))
        page.evaluate(START, [PanelView._esm, json.loads(state) | changes])
        return page

    yield start
    for context in contexts:
        context.close()


def root(page):
    return page.locator(".minilambda-panel")


def show(page, **traits):
    page.evaluate("(traits) => { for (const [k, v] of Object.entries(traits)) model.set(k, v); }",
                  traits)


def test_every_position_shows_its_own_result(open_panel):
    page, seen = open_panel(), {}
    for m, memory in enumerate([128, 192, 256]):
        for t, timeout in enumerate([1, 2, 3, 4]):
            show(page, memory_index=m, timeout_index=t)
            status = "timeout" if timeout <= 2 else "out-of-memory" if memory < 200 else "success"
            ms = timeout * 1000 if timeout <= 2 else 2500
            expected = f"{memory}MB/{timeout}s/{status}/{ms}ms"
            assert root(page).get_attribute("data-state") == expected
            text = root(page).inner_text()
            assert f"{memory} MB" in text and f"timeout {timeout} s" in text
            assert f"{ms:,}.00 ms" in text and "recorded run" in text
            bar = page.get_by_role("img").get_attribute("aria-label")
            assert bar == (f"Init took 110.00 ms, then the handler ran {ms:,}.00 ms of the"
                           f" {timeout} s it may take{' and was killed' * (status != 'success')}.")
            seen[root(page).get_attribute("data-state")] = page.locator(".says").inner_text()
    assert len(seen) == 12
    assert "Timed out: Killed at its timeout: it had not ended after 2 s." in seen.values()
    assert "Success: The function returned a result." in seen.values()
    assert page.problems == []


def test_cost_of_one_and_of_a_million(open_panel):
    page = open_panel(memory_index=2, timeout_index=2)
    terms = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(),
                     strict=True))
    assert terms["Cost of one"] == "$0.0000106167"
    assert terms["Cost of a million"] == "$10.62"
    assert terms["Max memory used"] == "200 MB" and terms["Init duration"] == "110.00 ms"


def test_a_live_result_takes_the_recorded_ones_place(open_panel):
    page = open_panel()
    cell = ["success", "It returned a result.", '{"live": true}', 1.4, 100, 36, None, 4e-7]
    show(page, memory_index=1, timeout_index=1,
         live={"memory_index": 1, "timeout_index": 1, "count": 7, "cell": cell})
    assert root(page).get_attribute("data-state") == "192MB/2s/success/1.4ms"
    assert root(page).get_attribute("data-source") == "live"
    assert "Ran just now (call 7" in root(page).inner_text()
    assert '{"live": true}' in root(page).inner_text()
    show(page, memory_index=0)
    assert root(page).get_attribute("data-source") == "recorded"


@pytest.mark.parametrize("status, words", [("refused", "Refused by AWS: no"),
                                           ("failed", "The panel failed: no")])
def test_what_went_wrong_is_said(open_panel, status, words):
    page = open_panel()
    show(page, memory_index=0, timeout_index=0, live={
        "memory_index": 0, "timeout_index": 0, "count": 1,
        "cell": [status, "no", "", None, None, None, None, None]})
    assert page.locator(".says").inner_text() == words
    assert page.get_by_role("img").count() == 0
    assert root(page).get_attribute("data-state") == f"128MB/1s/{status}/-"


def test_a_position_that_was_not_recorded_says_what_to_do(open_panel):
    page = open_panel(grid=[])
    assert "No result is recorded" in root(page).inner_text()
    assert "JupyterLab" in root(page).inner_text()
    assert page.problems == []


def test_results_are_announced_and_data_is_never_markup(open_panel):
    page = open_panel()
    assert page.locator(".says").get_attribute("aria-live") == "polite"
    show(page, memory_index=0, timeout_index=0, live={
        "memory_index": 0, "timeout_index": 0, "count": 1,
        "cell": ["success", "<b>no</b>", "<img src=x onerror=alert(1)>", 1, 1, 1, 1, 1]})
    assert page.locator(".minilambda-panel b, .minilambda-panel img").count() == 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_readable_everywhere(open_panel, width, theme):
    page = open_panel(width, theme)
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]["width"]
