"""live.js and control_panel.js in a real browser: what a reader sees, hears and can do."""

import copy
import json

import pytest
from browser_driver import SCREENSHOTS, WIDTHS, axe_findings
from widget_page import THEMES, fill, traits

from minilambda import views
from minilambda.views import patterns
from minilambda.views.control_panel import ControlView
from minilambda.views.film import UNIT, Frames, summary
from minilambda.views.live import LiveView

RESERVED = "ReservedConcurrentExecutions"


@pytest.fixture(scope="module")
def recorded(cloud):
    """The state of a live view whose runs were recorded: reserved 0, 1, 2 and 950 (refused)."""
    live = views.live(cloud, "hello", patterns.burst(5, every=1, seconds=4),
                      {RESERVED: [None, 0, 2, 950], "Timeout": [1, 3]}, {"sleep": 1.2})
    return traits(live.view, "function", "pattern", "seconds", "controls", "indexes", "films", "ask",
                  "fresh")


@pytest.fixture(scope="module")
def panel_state(cloud):
    panel = views.panel(cloud, "hello", {"sleep": 1.5}, controls={
        "Timeout": (1, 2), RESERVED: [0, 1, 950], "TracingConfig.Mode": None})
    return traits(panel.view, "function", "controls", "indexes", "grid", "texts", "live")


@pytest.fixture
def show(chromium):
    contexts = []

    def start(view, state, width="wide", theme="light", **options):
        contexts.append(chromium.new_context(viewport=WIDTHS[width], **options))
        return fill(contexts[-1].new_page(), view, copy.deepcopy(state), theme)

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def player(show, recorded):
    return lambda **options: show(LiveView, recorded, **options)


def data(page):
    return page.locator(".minilambda-live").evaluate("element => ({...element.dataset})")


def wait(page, condition):
    page.wait_for_function(
        f"() => (({condition}))(document.querySelector('.minilambda-live').dataset)")


def pixels(page):
    """The picture as the canvas has it."""
    return page.locator("canvas").evaluate("canvas => canvas.toDataURL()")


def test_the_whole_run_is_there_before_anybody_plays(player, recorded):
    page = player()
    found = summary(Frames(**{k: v for k, v in recorded["films"][1].items()
                              if k not in ("turns", "said")}))
    assert data(page)["state"] == "1/20/{answered}/{throttled}/{failed}".format(**found)
    assert "a recording of real runs" in page.locator(".note").inner_text().lower()
    assert "JupyterLab" in page.locator(".note").inner_text()
    assert f"20 requests so far, {found['answered']} answered" in page.locator(".says").inner_text()
    assert page.problems == []


def test_every_position_shows_its_own_run(player, recorded):
    page, pictures = player(), {}
    sliders = page.get_by_role("slider", name="Reserved concurrency")
    sliders.focus()
    for place, reserved in enumerate(["not set", "0", "2", "950"]):
        if place:
            page.keyboard.press("ArrowRight")
        assert sliders.get_attribute("aria-valuetext") == reserved
        film = recorded["films"][2 * place + 1]
        found = summary(Frames(**{k: v for k, v in film.items() if k not in ("turns", "said")}))
        wait(page, f"d => d.state.startsWith('{2 * place + 1}/')")
        assert data(page)["state"] == "{}/{requests}/{answered}/{throttled}/{failed}".format(
            2 * place + 1, **found)
        assert data(page)["source"] == "recorded"
        pictures[pixels(page)] = reserved
    assert len(pictures) == 4
    assert page.locator(".refusal").inner_text().startswith("AWS refused PutFunctionConcurrency")
    page.get_by_role("slider", name="Timeout").focus()
    page.keyboard.press("ArrowLeft")
    wait(page, "d => d.state.startsWith('6/')")
    assert page.problems == []


def test_play_pause_and_speed_by_keyboard(player):
    page = player()
    before = pixels(page)
    page.get_by_label("Speed").select_option("0.5")
    page.get_by_role("button", name="Play").press("Enter")
    wait(page, f"d => d.playing === 'true' && Number(d.head) > 0.2 * {UNIT}")
    page.get_by_role("button", name="Pause").press("Enter")
    now = data(page)
    assert now["playing"] == "false" and 0 < int(now["head"]) < int(now["until"])
    assert pixels(page) != before
    page.get_by_label("Speed").select_option("2")
    page.get_by_role("button", name="Play").press("Enter")
    wait(page, "d => d.playing === 'false' && d.head === d.until")
    assert pixels(page) == before  # at the end it is the whole picture again
    assert page.problems == []


def test_a_control_turns_while_it_plays(player):
    page = player()
    page.get_by_label("Speed").select_option("0.1")
    page.get_by_role("button", name="Play").click()
    wait(page, "d => d.playing === 'true' && Number(d.head) > 0")
    page.get_by_role("slider", name="Reserved concurrency").press("ArrowRight", delay=100)
    wait(page, "d => d.state.startsWith('3/') && d.playing === 'true'")
    # The sentence keeps up with the picture, to be seen: it isn't read out while it changes so often.
    page.wait_for_function("Number(document.querySelector('.says').textContent.split(' ')[0]) > 0")
    assert page.locator(".says").get_attribute("aria-live") == "off"
    box = page.get_by_role("slider", name="Reserved concurrency").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2, steps=3)
    head = int(data(page)["head"])
    wait(page, f"d => Number(d.head) > {head}")
    page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    wait(page, "d => d.state.startsWith('5/') && d.playing === 'true'")
    assert page.problems == []


def test_step_restart_and_the_time_slider(player):
    page = player()
    step = page.get_by_role("button", name="Step")
    assert step.get_attribute("aria-label") == "Step 0.2 s"
    page.get_by_role("button", name="Restart").press("Enter")
    assert data(page)["head"] == "0"
    for number in range(1, 4):
        step.press("Enter")
        assert data(page)["head"] == str(number * 2000)
    assert page.locator(".says").inner_text().startswith("0.6 s: 5 requests so far, 0 answered")
    time = page.get_by_role("slider", name="Time", exact=True)
    time.focus()
    page.keyboard.press("End")
    assert data(page)["head"] == data(page)["until"]
    page.keyboard.press("Home")
    assert data(page)["head"] == "0"
    assert time.get_attribute("aria-valuetext").startswith("0 s of ")


def test_who_wants_less_motion_gets_steps(player):
    page = player(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    heads = set()
    for _ in range(2):
        head = data(page)["head"]
        wait(page, f"d => d.head !== '{head}'")
        heads.add(int(data(page)["head"]))
    assert all(head % 2000 == 0 for head in heads)
    page.get_by_role("button", name="Pause").click()


def test_the_picture_in_words(player):
    page = player()
    page.get_by_text("What this picture shows").click()
    rows = [row.split("\t") for row in page.locator("table").inner_text().splitlines()]
    assert rows[0] == ["from", "to", "requests", "answered", "throttled", "failed", "most at once"]
    assert sum(int(row[2]) for row in rows[1:]) == 20
    assert sum(int(row[4]) for row in rows[1:]) == int(data(page)["state"].split("/")[3])
    assert page.locator("canvas").get_attribute("aria-label") == page.locator(".says").inner_text()
    assert page.locator(".says").get_attribute("aria-live") == "polite"


def kernel(page, **fresh):
    """What a kernel would tell."""
    page.evaluate("fresh => model.set('fresh', fresh)",
                  {"run": 1, "number": 0, "over": False, "said": "", "count": 1} | fresh)


def frames(until, **more):
    return Frames(until, **more).as_data() | {"turns": []}


def test_with_a_kernel_it_asks_and_shows_what_it_is_told(player):
    page = player()
    asked = page.evaluate("model.get('ask')")
    assert asked["hello"] == 1
    kernel(page, frames=frames(0))
    assert page.locator(".note").inner_text().startswith("Live:")
    assert data(page)["source"] == "recorded"  # until somebody plays
    page.get_by_role("button", name="Step").click()
    asked = page.evaluate("model.get('ask')")
    assert (asked["run"], asked["until"], asked["indexes"]) == (2, 2000, [0, 1])
    assert data(page)["source"] == "live" and data(page)["head"] == "0"
    kernel(page, run=2, frames=frames(0))
    kernel(page, run=2, number=1, frames=frames(
        2000, arrivals=[0, 0], throttles=[0], spans=[[0], [0], [-1], [1]]))
    assert data(page)["head"] == "2000" and data(page)["state"] == "1/2/0/1/0"
    page.get_by_role("slider", name="Reserved concurrency").press("ArrowRight")
    assert page.evaluate("model.get('ask').indexes") == [1, 1]
    kernel(page, run=2, number=2, said="AWS refused it.", over=True, frames=frames(
        9000, ended=[[0], [5000], [1]]) | {"turns": [[2000, "Reserved concurrency 0", 0]]})
    assert page.locator(".refusal").inner_text() == "AWS refused it."
    page.get_by_role("slider", name="Time", exact=True).press("End")
    assert data(page)["state"] == "3/2/1/1/0"
    page.get_by_role("button", name="Play").click()  # at the end: another run
    wait(page, "d => d.head === '0'")
    assert page.evaluate("model.get('ask').run") == 3
    assert page.problems == []


def test_a_word_that_was_missed_is_asked_for(player):
    page = player()
    kernel(page, frames=frames(0))
    kernel(page, number=2, frames=frames(9000))
    assert page.evaluate("model.get('ask').hello") == 2


def test_ten_thousand_invocations_in_view(player):
    """They are drawn, and counted right; how quickly is tests/benchmarks/live.py's."""
    page, number = player(), 10_000
    starts = [place * 4 for place in range(number)]
    kernel(page, over=True, frames=frames(
        40_100, arrivals=starts, throttles=starts[::4],
        spans=[[place % 300 for place in range(number)], starts, [100] * number,
               [1 + place % 3 for place in range(number)]]))
    page.get_by_role("slider", name="Time", exact=True).press("End")
    assert data(page)["state"] == "1/10000/3334/2500/6666"
    assert "300 environments" in page.locator(".says").inner_text()
    page.screenshot(path=SCREENSHOTS / "live-10000.png", full_page=True)
    assert page.problems == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_readable_everywhere(show, recorded, panel_state, width, theme):
    for name, view, state in (("live", LiveView, recorded | {"indexes": [2, 1]}),
                              ("controls", ControlView, panel_state)):
        page = show(view, state, width=width, theme=theme)
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=True)
        assert axe_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]["width"]


def test_the_picture_follows_the_theme_and_prints(player):
    page = player()
    before = pixels(page)
    page.evaluate("""() => {
      document.documentElement.style.setProperty("--pst-color-text-base", "#ced6dd");
      document.documentElement.dataset.theme = "dark"; }""")
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before",
                           arg=before)
    page.emulate_media(media="print")
    assert page.locator("canvas").is_visible() and page.locator(".says").is_visible()
    assert not page.locator(".play").is_visible()


# -- the control panel ----------------------------------------------------------------------------


def test_every_position_of_every_control_shows_its_own_result(show, panel_state):
    page, seen = show(ControlView, panel_state), set()
    result = page.locator(".minilambda-panel")
    timeout = page.get_by_role("slider", name="Timeout")
    reserved = page.get_by_role("slider", name="Reserved concurrency")
    mode = page.get_by_label("Tracing")
    for t in range(2):
        for r in range(3):
            for m, word in enumerate(["Active", "PassThrough"]):
                timeout.fill(str(t))
                reserved.fill(str(r))
                mode.select_option(label=word)
                status = panel_state["grid"][(t * 3 + r) * 2 + m][0]
                state = result.get_attribute("data-state")
                assert state.startswith(f"Timeout={t + 1} s/{RESERVED}={[0, 1, 950][r]}/"
                                        f"TracingConfig.Mode={word}/{status}/")
                assert "recorded run" in page.locator(".note").inner_text()
                seen.add(state)
    assert len(seen) == 12 and page.problems == []
    timeout.focus()
    page.keyboard.press("ArrowLeft")
    assert timeout.get_attribute("aria-valuetext") == "1 s"
    assert page.evaluate("model.get('indexes')") == [0, 2, 1]


def test_a_live_result_takes_the_recorded_ones_place(show, panel_state):
    page = show(ControlView, panel_state)
    cell = ["success", "It returned.", "<b>no markup</b>", 1.4, 100, 36, None, 4e-7, 128, 2]
    page.evaluate("live => model.set('live', live)", json.loads(json.dumps(
        {"indexes": panel_state["indexes"], "cell": cell, "count": 7})))
    assert "Ran just now (call 7" in page.locator(".note").inner_text()
    assert page.locator(".minilambda-panel").get_attribute("data-source") == "live"
    assert page.locator(".minilambda-panel b").count() == 0


def test_a_position_that_was_not_recorded_says_what_to_do(show, panel_state):
    page = show(ControlView, panel_state | {"grid": []})
    assert "No result is recorded" in page.locator(".says").inner_text()
    assert "JupyterLab" in page.locator(".note").inner_text() and page.problems == []
