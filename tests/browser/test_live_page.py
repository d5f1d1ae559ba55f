"""Live traffic and the control panel on a built page without a kernel, and in JupyterLab with one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from browser_driver import ROOT, SCREENSHOTS, WIDTHS, Listener, axe_findings, served, settle
from live_scene import notebook
from test_lab import CELLS, lab_on

from minilambda.views.state import STATE

LIVE, PANEL = ".minilambda-live", ".minilambda-control-panel .minilambda-panel"
TOC = "format: jb-book\nroot: book/scene\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """The notebook, run."""
    return notebook(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def page_url(scene, tmp_path_factory):
    """A book of that one page, built as ours is, and served."""
    source = tmp_path_factory.mktemp("book")
    (source / "book").mkdir()
    for name in ("_static", "_ext", "_templates"):
        if (ROOT / "book" / name).exists():
            shutil.copytree(ROOT / "book" / name, source / "book" / name)
    shutil.copy(ROOT / "_config.yml", source)
    (source / "_toc.yml").write_text(TOC)
    nbformat.write(scene, source / "book" / "scene.ipynb")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source), "-W", "-n",
         "--keep-going", "--all"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    with served(source / "_build" / "html") as url:
        yield f"{url}/book/scene.html"


def data(page, selector):
    return page.locator(selector).evaluate("element => ({...element.dataset})")


def wait(page, selector, condition, timeout=60_000):
    page.wait_for_function(
        f"() => (({condition}))(document.querySelector('{selector}').dataset)", timeout=timeout)


def test_the_state_of_the_page_is_small(scene):
    assert len(json.dumps(scene.metadata["widgets"][STATE])) <= 300_000


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_without_a_kernel_plays_and_turns(chromium, page_url, width):
    context = chromium.new_context(viewport=WIDTHS[width])
    page = context.new_page()
    listener = Listener(page, page_url.split("/book/")[0])
    page.goto(page_url)
    settle(page)
    page.locator(LIVE).wait_for()
    assert "recording" in page.locator(f"{LIVE} .note").inner_text()
    # Each position of the control is another run.
    reserved = page.locator(LIVE).get_by_role("slider", name="Reserved concurrency")
    reserved.focus()
    page.keyboard.press("Home")
    states = [data(page, LIVE)["state"]]
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        wait(page, LIVE, f"d => d.state !== '{states[-1]}'")
        states.append(data(page, LIVE)["state"])
    assert states == ["0/50/50/0/0", "1/50/10/40/0", "2/50/20/30/0", "3/50/30/20/0", "4/50/50/0/0"]
    page.keyboard.press("ArrowLeft")
    # It plays, pauses, and steps.
    picture = "() => document.querySelector('.minilambda-live canvas').toDataURL()"
    whole = page.evaluate(picture)
    page.locator(LIVE).get_by_role("button", name="Play").press("Enter")
    wait(page, LIVE, "d => d.playing === 'true' && Number(d.head) > 10000")
    page.locator(LIVE).get_by_role("button", name="Pause").press("Enter")
    assert page.evaluate(picture) != whole
    before = int(data(page, LIVE)["head"])
    page.locator(LIVE).get_by_role("button", name="Step").press("Enter")
    assert int(data(page, LIVE)["head"]) > before
    # The control panel's result follows its controls.
    memory = page.locator(".minilambda-control-panel").get_by_role("slider", name="Memory")
    first = data(page, PANEL)["state"]
    memory.press("ArrowRight")
    wait(page, PANEL, f"d => d.state !== '{first}'")
    assert data(page, PANEL)["source"] == "recorded"
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("t => document.documentElement.dataset.theme === t", arg=theme)
        assert axe_findings(page) == [], theme
        page.screenshot(path=SCREENSHOTS / f"live_page-{width}-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert listener.problems == []
    context.close()


@pytest.fixture
def lab(tmp_path, scene):
    folder = tmp_path / "book"
    folder.mkdir()
    bare = nbformat.from_dict(scene)
    nbformat.write(bare, folder / "scene.ipynb")
    yield from lab_on(folder, "scene.ipynb", tmp_path)


@pytest.mark.timeout(300)
def test_in_jupyterlab_it_is_live(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 1600})
    page.goto(lab)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function("() => Boolean(window.jupyterapp?.shell.currentWidget?.sessionContext)")
    page.wait_for_function(f"() => ({CELLS})().status === 'idle'", timeout=60_000)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Run All Cells").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_function(f"() => ({CELLS})().cells.some((cell) => !cell.count)", timeout=60_000)
    page.wait_for_function(
        f"() => {{ const now = ({CELLS})(); return now.status === 'idle'"
        " && now.cells.every((c) => c.count || c.errors.length); }", timeout=180_000)
    assert [cell for cell in page.evaluate(CELLS)["cells"] if cell["errors"]] == []

    page.locator(LIVE).scroll_into_view_if_needed(timeout=60_000)
    page.wait_for_function(
        "() => document.querySelector('.minilambda-live .note').textContent.startsWith('Live:')",
        timeout=60_000)
    page.locator(LIVE).get_by_label("Speed").select_option("2")
    page.locator(LIVE).get_by_role("button", name="Play").click()
    wait(page, LIVE, "d => d.source === 'live' && Number(d.head) > 12000")
    # Turned while it plays: what comes from then on has one place.
    reserved = page.locator(LIVE).get_by_role("slider", name="Reserved concurrency")
    reserved.press("ArrowRight")
    wait(page, LIVE, "d => d.state.startsWith('1/')")
    wait(page, LIVE, "d => d.playing === 'false' && d.head === d.until", timeout=120_000)
    place, requests, answered, throttled, failed = map(int, data(page, LIVE)["state"].split("/"))
    assert (place, requests, failed) == (1, 50, 0) and answered + throttled == 50
    assert 10 < answered < 50
    page.screenshot(path=SCREENSHOTS / "live_lab.png")

    page.locator(PANEL).scroll_into_view_if_needed(timeout=60_000)
    memory = page.locator(".minilambda-control-panel").get_by_role("slider", name="Memory")
    memory.focus()
    before = data(page, PANEL)["state"]
    page.keyboard.press("ArrowRight")
    wait(page, PANEL, f"d => d.source === 'live' && d.state !== '{before}'")
    assert data(page, PANEL)["status"] == "success"
    page.close()
