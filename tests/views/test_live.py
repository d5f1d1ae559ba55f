"""Live traffic: what a reader does reaches the cloud, and what happened there reaches the picture."""

import json
import sys

import boto3
import pytest

import minilambda
from minilambda import views
from minilambda.views import patterns
from minilambda.views.film import UNIT, Frames, summary
from minilambda.views.live import LARGEST

RESERVED = "ReservedConcurrentExecutions"
FIVE = patterns.burst(5, every=1, seconds=3)
POSITIONS = [None, 0, 1, 2, 5]


@pytest.fixture(autouse=True)
def as_it_was(cloud):
    lam = boto3.client("lambda")
    lam.delete_function_concurrency(FunctionName="hello")
    lam.update_function_configuration(FunctionName="hello", MemorySize=128, Timeout=3)


def five(cloud, record=False, controls=None, **more):
    return views.live(cloud, "hello", FIVE, controls or {RESERVED: POSITIONS}, {"sleep": 0.3},
                      record=record, **more)


class Page:
    """What live.js keeps: the film of the present run, put together from what the kernel tells."""

    def __init__(self, live):
        self.live, self.told = live, []
        live.view.observe(self._hear, "fresh")
        live.view.ask = live.view.ask | {"hello": live.view.ask.get("hello", 0) + 1}

    def _hear(self, change):
        fresh = json.loads(json.dumps(change["new"]))
        self.told.append(fresh)
        if fresh["number"] == 0:
            self.film = {"until": 0, "arrivals": [], "throttles": [], "spans": [[], [], [], []],
                         "turns": []}
        more = fresh["frames"]
        self.film["until"], self.over, self.said = more["until"], fresh["over"], fresh["said"]
        for name in ("arrivals", "throttles", "turns"):
            self.film[name] += more[name]
        for column, new in zip(self.film["spans"], more["spans"], strict=True):
            column += new
        for span, length, kind in zip(*more["ended"], strict=True):
            self.film["spans"][2][span], self.film["spans"][3][span] = length, kind

    def ask(self, **wanted):
        self.live.view.ask = self.live.view.ask | wanted


def totals(film):
    return summary(Frames(film["until"], film["arrivals"], film["throttles"], film["spans"]))


def test_a_page_hears_all_that_happens(cloud):
    live = five(cloud)
    page = Page(live)
    assert page.told[-1]["run"] == 1 and page.film["until"] == 0 and live.traffic is None
    for until in (0.2, 0.5, 1.05, 2.0, 2.3):
        page.ask(until=round(until * UNIT))
        assert page.film["until"] == round(until * UNIT) and not page.over
    page.ask(until=3 * UNIT)
    assert page.over and totals(page.film) == live.figures() == {
        "requests": 15, "answered": 15, "failed": 0, "throttled": 0, "environments": 5,
        "most_at_once": 5}
    assert [fresh["number"] for fresh in page.told] == list(range(7))


def test_a_page_that_comes_late_hears_it_all_at_once(cloud):
    live = five(cloud)
    live.play(1.1)
    early, late = live.figures(), Page(live)
    assert totals(late.film) == early and early["requests"] == 10
    live.play()
    assert totals(late.film) == live.figures()


@pytest.mark.parametrize("position", POSITIONS)
def test_the_whole_range_of_the_control(cloud, position):
    live = five(cloud)
    live.turn(RESERVED, position)
    live.play()
    found = live.figures()
    places = 5 if position is None else position
    assert found["answered"] == 3 * places and found["throttled"] == 15 - 3 * places
    assert found["most_at_once"] == found["environments"] == places
    now = boto3.client("lambda").get_function_concurrency(FunctionName="hello")
    assert now.get(RESERVED) == position


def test_a_turn_in_the_middle_takes_effect_at_once(cloud):
    live = five(cloud)
    page = Page(live)
    live.play(1.5)
    live.turn(RESERVED, 1)
    live.play()
    assert (live.figures()["answered"], live.figures()["throttled"]) == (11, 4)
    assert page.film["turns"] == [[0, "", None], [15_000, "Reserved concurrency 1", 1]]
    assert all(at >= 2 * UNIT for at in page.film["throttles"])


def test_a_run_anew_starts_cold(cloud):
    live = five(cloud)
    page = Page(live)
    live.play()
    first = page.film
    live.restart()
    assert page.film["until"] == 0 and not page.over and live.run == 2
    live.play()
    assert page.film == first


def test_what_aws_refuses_is_said_in_its_words_and_the_traffic_goes_on(cloud):
    live = five(cloud, controls={RESERVED: [None, 950]})
    page = Page(live)
    live.turn(RESERVED, 950)
    assert page.said.startswith("AWS refused PutFunctionConcurrency: InvalidParameterValueException")
    live.play()
    assert live.figures()["answered"] == 15
    live.turn(RESERVED, None)
    assert page.said == ""


def test_several_controls_and_their_calls(cloud):
    live = five(cloud, controls={"Timeout": [1, 3], RESERVED: [None, 2]})
    live.event = {"sleep": 2}
    live.turn("Timeout", 1)
    live.turn(RESERVED, 2)
    live.play()
    found = live.figures()
    # Killed 1 s after its init: those at 1 s find no place, those at 2 s do.
    assert {name: found[name] for name in ("requests", "answered", "failed", "throttled")} == {
        "requests": 15, "answered": 0, "failed": 4, "throttled": 11}


def test_a_recording_has_a_whole_run_of_every_position(cloud):
    boto3.client("lambda").put_function_concurrency(
        FunctionName="hello", ReservedConcurrentExecutions=7)
    live = five(cloud, record=True, controls={RESERVED: [*POSITIONS, 950]})
    for position, film in zip(POSITIONS, live.view.films, strict=False):
        places = 5 if position is None else position
        found = totals(film)
        assert (found["requests"], found["answered"]) == (15, 3 * places)
        assert found["throttled"] == 15 - 3 * places and film["said"] == ""
        assert film["turns"] == [[0, "", position]]
        assert film["until"] >= 3 * UNIT
    assert live.view.films[-1]["said"].startswith("AWS refused PutFunctionConcurrency")
    now = boto3.client("lambda").get_function_concurrency(FunctionName="hello")
    assert now[RESERVED] == 7  # as it was
    assert live.view.indexes == [4]  # the nearest there is to 7
    live.turn(RESERVED, 1)
    live.play()
    assert live.figures() == totals(live.view.films[2])  # live as recorded


def test_what_a_control_stands_at_is_what_is_played(cloud):
    """Also where the function has none of its positions: here it has no reservation at all."""
    for record in (True, False):
        boto3.client("lambda").delete_function_concurrency(FunctionName="hello")
        live = five(cloud, record=record, controls={RESERVED: [1, 2]})
        assert live.view.indexes == [0]
        if record:
            assert [totals(film)["answered"] for film in live.view.films] == [3, 6]
        live.play()
        assert live.figures()["answered"] == 3
        now = boto3.client("lambda").get_function_concurrency(FunctionName="hello")
        assert now[RESERVED] == 1


def test_the_state_is_small_and_the_same_every_time(cloud):
    def state():
        live = views.live(cloud, "hello", patterns.poisson(5, 20, seed=4), {RESERVED: (0, 5)},
                          {"sleep": 0.3})
        names = ("films", "controls", "indexes", "pattern", "seconds", "_esm", "_css")
        return json.dumps({name: getattr(live.view, name) for name in names})

    first = state()
    assert len(first) < 80_000 and state() == first
    assert LARGEST + len(first) <= 300_000  # what a page may carry, however large the films


def test_too_much_to_record_says_what_to_do(cloud):
    with pytest.raises(ValueError, match="256 positions.*64 is the most.*record=False"):
        views.live(cloud, "hello", FIVE, ["Timeout", "MemorySize"])


def test_a_recording_that_is_too_large_is_refused(cloud, monkeypatch):
    monkeypatch.setattr(sys.modules["minilambda.views.live"], "LARGEST", 500)
    with pytest.raises(ValueError, match=r"has [\d,]+ bytes.*shorter pattern"):
        five(cloud, record=True)
    assert RESERVED not in boto3.client("lambda").get_function_concurrency(FunctionName="hello")


def test_a_mistake_of_ours_is_shown_and_raised(cloud, monkeypatch):
    live = five(cloud)
    page = Page(live)
    monkeypatch.setattr(type(live), "_advance", lambda self, until: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        live.play(1)
    assert page.said == "The control panel itself failed: ZeroDivisionError: division by zero"


def test_other_calls_while_it_stands_still(cloud):
    live = five(cloud)
    live.play(1.1)
    answer = boto3.client("lambda").invoke(FunctionName="hello", Payload='{"sleep": 0.5}')
    assert answer["StatusCode"] == 200
    live.play()
    assert live.figures()["requests"] == 16


def test_text_alternative_of_the_output(cloud):
    assert repr(five(cloud)) == (
        "Live traffic to hello: burst, 5 at once every 1 s: 15 requests in 3 s."
        " Run this cell to turn its controls (reserved concurrency).")


def test_what_it_can_not_play_is_refused(cloud):
    with pytest.raises(TypeError, match="must be a minilambda.Cloud"):
        views.live(boto3.client("lambda"), "hello", FIVE)
    with pytest.raises(ValueError, match="no control has"):
        five(cloud).turn(RESERVED, 17)


def test_the_wall_clock_and_a_closed_cloud_are_said(cloud):  # last: it takes the cloud away
    live = five(cloud)
    live.play(0.5)
    page = Page(live)
    with minilambda.Cloud(durations="modelled", clock="wall") as wall:
        with pytest.raises(ValueError, match="virtual clock"):
            views.live(wall, "hello", FIVE)
    live.play(0.5)
    assert page.said.startswith("This notebook's cloud is closed. Run the notebook again")
    assert totals(page.film)["requests"] == 5
