"""The built book in a real browser: no kernel, no network, light and dark, wide and on a phone."""

import json

import pytest
import yaml
from browser_driver import ROOT, SCREENSHOTS, WIDTHS, Listener, axe_findings, settle

CHAPTER = "book/03-first-function"


def documents(node) -> list[str]:
    """The names of every page in the table of contents."""
    if isinstance(node, list):
        return [name for entry in node for name in documents(entry)]
    if isinstance(node, dict):
        here = [node[key] for key in ("root", "file") if key in node]
        return here + [name for value in node.values() for name in documents(value)]
    return []


CONTENTS = documents(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
PAGES = [*CONTENTS, "search", "genindex"]


def panel_states(page) -> list[str]:
    """What every control panel on the page shows now."""
    panels = page.locator(".minilambda-panel").all()
    return [panel.get_attribute("data-state") for panel in panels]


def colour(page, selector: str, name: str) -> tuple[float, ...]:
    """A computed CSS colour of the first match: red, green, blue (0-255), opacity (0-1)."""
    value = page.locator(selector).first.evaluate(
        "(element, name) => getComputedStyle(element)[name]", name
    )
    numbers = [float(n) for n in value[value.index("(") + 1 : -1].split(",")]
    return tuple(numbers if len(numbers) == 4 else [*numbers, 1.0])


def brightness(rgba) -> float:
    """0 (black) to 255 (white), opacity aside."""
    return sum(rgba[:3]) / 3


@pytest.mark.parametrize("width", list(WIDTHS))
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_accessible_and_asks_no_one_else(visit, name, width):
    page, listener = visit(name, width)
    waiting = page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count()
    shown = page.locator(".widget-subarea :is(.jupyter-widgets, .minilambda-ask)")
    if waiting:  # else a control is missing; axe is to see it too
        shown.nth(waiting - 1).wait_for(state="attached")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("t => document.documentElement.dataset.theme === t", arg=theme)
        assert axe_findings(page) == [], theme
        page.screenshot(path=SCREENSHOTS / f"{name.replace('/', '_')}-{width}-{theme}.png")
    sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0, f"the page scrolls sideways by {sideways} px"
    assert listener.problems == []


@pytest.mark.parametrize("name", CONTENTS)
def test_page_is_small(book, name):
    """A chapter is a quick download. The gallery, which has every picture and control, takes longer."""
    size = (book.folder / f"{name}.html").stat().st_size
    assert size <= (300_000 if name == "book/appendix/pictures" else 100_000), f"{name}.html is {size:,} bytes"


def test_start_page_leads_to_the_introduction(chromium, book):
    page = chromium.new_page()
    page.goto(book.url)
    page.wait_for_url("**/book/intro.html")
    page.close()


def test_search_finds_a_word_of_the_chapter(visit):
    page, listener = visit("book/intro")
    page.keyboard.press("Control+k")
    field = page.locator("dialog[open] input[type=search]")
    field.fill("function")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=function*")
    # By its address: results come one after the other, and the lab has the chapter's name too.
    result = page.locator(f"#search-results li a[href*='{CHAPTER}']").first
    # The search reads each page it lists, for an extract: what is underway when one leaves fails.
    page.wait_for_load_state("networkidle")
    result.click()
    page.wait_for_url(f"**/{CHAPTER}.html*")
    assert listener.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figure_is_drawn_in_the_colours_of_the_page(visit, theme):
    page, _ = visit(CHAPTER, theme=theme)
    canvas = page.locator(".minilambda-figure .main-svg").first
    assert canvas.bounding_box()["width"] > 300
    paper = colour(page, "body", "backgroundColor")
    text = colour(page, ".minilambda-figure .xtick text", "fill")
    assert abs(brightness(paper) - brightness(text)) > 100
    assert boxes_behind(page.locator(".minilambda-figure").first) == []


def boxes_behind(figure) -> list[str]:
    """The backgrounds painted between a figure and the page, which would show as a box."""
    return figure.evaluate(
        """figure => {
          const painted = [];
          const own = [figure, ...figure.querySelectorAll("div, .main-svg, .bg")];
          const around = [];
          for (let e = figure.parentElement; e && !e.matches("main, body"); e = e.parentElement)
            around.push(e);
          const page = getComputedStyle(document.body).backgroundColor;
          for (const element of [...own, ...around]) {
            const style = getComputedStyle(element);
            const fill = element.matches(".bg") ? style.fill : style.backgroundColor;
            const opacity = element.matches(".bg") ? Number(style.fillOpacity) : 1;
            const clear = opacity === 0 || /, 0\\)$|^none$/.test(fill) || fill === page;
            const name = `${element.tagName}.${element.getAttribute("class")}`;
            if (!clear) painted.push(`${name}: ${fill}`);
          }
          return painted;
        }"""
    )


def test_figure_follows_the_theme_button(visit):
    page, _ = visit(CHAPTER, theme="light")
    tick = ".minilambda-figure .xtick text"
    before = colour(page, tick, "fill")
    for _ in range(3):  # auto, light, dark in some order
        page.locator(".article-header-buttons .theme-switch-button").click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    page.wait_for_function(
        "([tick, before]) => getComputedStyle(document.querySelector(tick)).fill !== before",
        arg=[tick, "rgb({:.0f}, {:.0f}, {:.0f})".format(*before[:3])],
    )
    assert brightness(colour(page, tick, "fill")) > 150


def test_figure_has_its_text_alternative(visit):
    page, _ = visit(CHAPTER)
    figures = page.locator(".minilambda-figure").count()
    assert figures > 0
    words = page.locator("details.minilambda-figure-text").all_text_contents()
    assert len(words) == figures
    assert all(len(text.strip()) > 40 for text in words)


def test_panel_answers_the_keyboard_without_a_kernel(visit):
    page, listener = visit(CHAPTER)
    first = panel_states(page)
    assert first and all(first)
    slider = page.get_by_role("slider").first
    assert slider.get_attribute("aria-label")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "first => document.querySelector('.minilambda-panel').dataset.state !== first", arg=first[0]
    )
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "first => document.querySelector('.minilambda-panel').dataset.state === first", arg=first[0]
    )
    assert listener.problems == []


def test_panel_is_readable_in_the_dark(visit):
    page, _ = visit(CHAPTER, theme="dark")
    assert brightness(colour(page, "body", "backgroundColor")) < 60
    assert brightness(colour(page, ".minilambda-panel", "color")) > 150
    assert brightness(colour(page, ".widget-label", "color")) > 150


def test_formulas_are_typeset(chromium, book):
    """The MathJax that pages with formulas load, by itself: its fonts and macros are served."""
    page = chromium.new_page()
    listener = Listener(page, book.url)
    own = (
        r"<body>\(\frac{a}{b} \cancel{x} \mathbb{R}\)"
        '<script src="/_static/vendor/mathjax/tex-chtml-full.js"></script></body>'
    )
    page.route("**/own.html", lambda route: route.fulfill(content_type="text/html", body=own))
    page.goto(f"{book.url}/own.html")
    settle(page)
    assert page.locator("mjx-container mjx-frac").count() == 1
    assert page.locator("mjx-merror").count() == 0
    problems = [problem for problem in listener.problems if "favicon" not in problem]
    page.close()
    assert problems == []


def test_opened_as_a_file_it_shows_the_same(chromium, book):
    """No server either: a figure and a panel in a page opened from disk."""
    page = chromium.new_page()
    listener = Listener(page, "file://")
    page.goto((book.folder / f"{CHAPTER}.html").as_uri())
    settle(page)
    page.wait_for_selector(".minilambda-panel")
    assert page.locator(".minilambda-figure .main-svg").count() > 0
    asked = [problem for problem in listener.problems if "asks another host" in problem]
    page.close()
    assert asked == []


def test_frames_play_without_a_kernel(chromium, book):
    """figures.js by itself, on a page of our own: a slider step shows its frame."""
    figure = {
        "data": [{"type": "bar", "x": ["a"], "y": [1]}],
        "layout": {"height": 300, "sliders": [{"steps": [
            {"label": name, "method": "animate", "args": [[name], {"mode": "immediate"}]}
            for name in ("one", "five")
        ]}]},
        "frames": [{"name": "one", "data": [{"y": [1]}]}, {"name": "five", "data": [{"y": [5]}]}],
    }
    page = chromium.new_page()
    own = (
        '<body><div class="minilambda-figure"><script type="application/json">'
        + json.dumps(figure)
        + '</script></div><script src="/_static/figures.js"></script></body>'
    )
    page.route("**/own.html", lambda route: route.fulfill(content_type="text/html", body=own))
    page.goto(f"{book.url}/own.html")
    settle(page)
    rail = page.locator(".slider-rail-touch-rect").bounding_box()
    page.mouse.click(rail["x"] + rail["width"] - 2, rail["y"] + rail["height"] / 2)
    page.wait_for_function("document.querySelector('.js-plotly-plot').data[0].y[0] === 5")
    page.close()
