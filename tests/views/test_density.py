"""views.life of many environments, and of throttled requests: counts in the place of lanes."""

import json
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from view_fakes import Story

from minilambda import views
from minilambda.views import density, reading, renderer
from minilambda.views.counts import IDLE, INIT, INVOKE, Counts
from minilambda.views.timeline import alive


def areas(figure):
    """name -> [(from, to, level)] on the axis."""
    return {t.name: list(zip(t.x, t.x[1:], t.y, strict=False)) for t in figure.data
            if t.type == "scatter" and t.stackgroup}


def bars(figure):
    return {t.name: sum(t.y) for t in figure.data if t.type == "bar"}


def words(figure):
    return figure.layout.meta["sentence"]


@pytest.fixture
def crowd():
    """1,000 environments that init, run and fail for a tenth, and 30 requests that find no place."""
    story = Story()
    environments = [story.create() for _ in range(1000)]
    story.init(*environments)
    story.throttle(30)
    story.invoke(*environments[:900], cold=True, ms=890.0)
    story.invoke(*environments[900:], cold=True, ms=500.0, status="timeout",
                 error_type="Sandbox.Timedout", reason="timeout")
    story.wait(0.2)
    return story


def test_a_thousand_environments_are_counted_exactly(crowd):
    figure = views.life(crowd)
    assert words(figure) == (
        "1,000 environments served 1,000 invocations: every one a cold start; 100 timed out."
        " 30 requests were throttled. At most 1,000 were at work at once, of 1,000 environments.")
    drawn = areas(figure)
    assert drawn["in init"][0] == (0, pytest.approx(110), 1000)
    assert drawn["in invoke"][1] == (pytest.approx(110), pytest.approx(1000), 900)
    assert drawn["in init"][1][2] == 100  # they have been made, and wait for their turn in this story
    assert drawn["idle"][-1] == (pytest.approx(1500), pytest.approx(1700), 900)
    assert bars(figure) == {"throttled": 30, "killed": 100}


def test_the_table_adds_up(crowd):
    meta = views.life(crowd).layout.meta
    assert meta["columns"] == list(density.COLUMNS) and len(meta["rows"]) == density.ROWS
    assert sum(int(row[6]) for row in meta["rows"]) == 30
    assert sum(int(row[7]) for row in meta["rows"]) == 100
    for row in meta["rows"]:
        whole, *parts = (float(cell.replace(",", "")) for cell in row[2:6])
        assert whole == pytest.approx(sum(parts), abs=0.2)
    assert meta["rows"][0][0] == "0 ms" and meta["rows"][-1][1] == "1.7 s"


def test_hover_says_how_many(crowd):
    invoke = next(t for t in views.life(crowd).data if t.name == "in invoke")
    assert invoke.hovertext[0] == "0 ms to 110 ms<br>in init 1,000<br>in invoke 0<br>idle 0"
    throttled = next(t for t in views.life(crowd).data if t.name == "throttled")
    assert throttled.hovertext[0].startswith("30 requests: throttled")


def test_lanes_up_to_sixty_and_counts_above():
    story = Story()
    story.init(*[story.create() for _ in range(60)])
    assert "init" in bars(views.life(story))
    story.init(story.create())
    assert set(areas(views.life(story))) == {"in invoke", "in init", "idle"}
    assert "61 environments started and served no invocation yet." in words(views.life(story))


def test_few_environments_with_very_many_invocations_are_counted_too():
    story = Story()
    environments = [story.create() for _ in range(5)]
    story.init(*environments)
    for n in range(400):
        story.invoke(*environments, cold=n == 0, ms=100.0 + n)
        story.wait(0.05)
    figure = views.life(story)
    assert "5 environments served 2,000 invocations: 5 cold starts, 1,995 warm." in words(figure)
    assert all(len(t.x) < 200 for t in figure.data)
    assert len(json.dumps(renderer.picture(figure.to_plotly_json()))) < 60_000


def test_one_function_of_several_is_counted_alone():
    story = Story()
    for function in ("thumbs", "mail"):
        some = [story.create(function) for _ in range(70)]
        story.init(*some)
        story.invoke(*some, cold=True, ms=300.0)
    story.throttle(3, "mail")
    one, both = views.life(story, function="thumbs"), views.life(story)
    assert "70 environments" in words(one) and "throttled" not in words(one)
    assert "140 environments" in words(both) and bars(both) == {"throttled": 3}
    # The fast way and the one by segments are the same picture.
    whole = density.measure(alive(story.trace, story.clock.seconds), 0.0)
    assert density.everything(story.trace, story.clock.seconds, 0.0).counts.levels == (
        whole.counts.levels)


def test_since_counts_those_that_were_there_before(crowd):
    began = crowd.clock.seconds
    crowd.wait(5)
    crowd.throttle(2)
    lanes = [(lane.function, lane.environment)
             for lane in reading.read(crowd.trace).lanes if not lane.shutdown]
    crowd.invoke(*lanes[:100], ms=1000.0)
    figure = views.life(crowd, since=began + 1)
    assert "100 environments served 100 invocations: all warm." in words(figure)
    assert "At most 100 were at work at once, of 900 environments." in words(figure)
    assert bars(figure) == {"throttled": 2}
    crowd.invoke(*lanes[:70], ms=1000.0)
    assert "170 invocations" in words(views.life(crowd, since=began + 1))


def test_throttles_have_a_row_below_the_lanes():
    story = Story()
    environment = story.create()
    story.init(environment)
    ids = story.throttle(7)
    story.invoke(environment, cold=True, ms=400.0)
    story.throttle(reason="ReservedFunctionConcurrentInvocationLimitExceeded")
    figure = views.life(story)
    assert words(figure).endswith("8 requests were throttled.")
    marks = next(t for t in figure.data if t.name == "throttled")
    assert list(marks.y) == [1, 1] and marks.text[0] == "7×"
    assert ids[0] in marks.hovertext[0] and "… and 2 more" in marks.hovertext[0]
    assert "no duration and no cost" in marks.hovertext[0]
    assert "reserved concurrency was all in use" in marks.hovertext[1]
    assert list(figure.layout.yaxis.ticktext) == ["1", "throttled"]
    assert figure.layout.meta["rows"][-2] == (
        ["none", "throttled", "110 ms", "110 ms",
         "7 requests refused: the account's concurrent executions were all in use"])


def test_a_throttled_requests_reason_that_is_new_is_said_as_it_is():
    story = Story()
    story.throttle(reason="SomethingNewLimitExceeded")
    figure = views.life(story)
    assert words(figure) == "The one request was throttled: none ran."
    assert "SomethingNewLimitExceeded" in figure.data[0].hovertext[0]


def test_a_picture_drawn_again_reads_only_what_is_new(crowd, monkeypatch):
    views.life(crowd)
    told = Counter()
    real = Counts.move
    monkeypatch.setattr(Counts, "move",
                        lambda self, *move: told.update(moves=1) or real(self, *move))
    views.life(crowd)
    assert told["moves"] == 0
    crowd.invoke(("hello", f"{1:032x}"))
    assert "1,001 invocations" in words(views.life(crowd))
    assert told["moves"] == 2  # into Invoke, and back


def test_the_same_crowd_gives_the_same_bytes(crowd):
    one = views.life(crowd).to_json()
    reading._readings.clear()
    assert views.life(crowd).to_json() == one


moves = st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3), st.sampled_from([INIT, INVOKE, IDLE, -1])),
                 min_size=1, max_size=60)


def test_many_and_few_environments_are_summed_up_in_the_same_words(monkeypatch):
    """Of a crowd the sentence is made without its segments: it must be the same sentence."""
    story = Story()
    environments = [story.create() for _ in range(20)]
    story.init(*environments)
    story.invoke(*environments[:15], cold=True)
    story.invoke(*environments[:4], status="error", error_type="ValueError")
    story.invoke(*environments[3:6], status="timeout", error_type="x", reason="timeout")
    story.wait(5)
    story.throttle(2)
    story.invoke(*environments[:3])
    for since in (0.0, 1.0):
        few = words(views.life(story, since=since)).split(" The time axis")[0]
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules["minilambda.views.life"], "MOST_LANES", 1)
            assert words(views.life(story, since=since)).startswith(f"{few} At most ")


@settings(deadline=None)
@given(moves, st.lists(st.floats(0.01, 4), min_size=1, max_size=6))
def test_averages_are_what_counting_by_hand_gives(steps, widths):
    counts, phases, at, story = Counts(), dict.fromkeys(range(6), -1), 0.0, []
    for who, wait, phase in steps:
        at += wait
        counts.move(at, phases[who], phase)
        phases[who] = phase
        story.append((at, list(phases.values())))
    edges = [0.0]
    for width in widths:
        edges.append(edges[-1] + width)
    found = counts.averages(edges)
    for phase in (INIT, INVOKE, IDLE):
        for n, (left, right) in enumerate(zip(edges, edges[1:], strict=False)):
            area = 0.0
            for (begin, held), end in zip(story, [b for b, _ in story[1:]] + [float("inf")],
                                          strict=True):
                overlap = min(end, right) - max(begin, left)
                area += held.count(phase) * max(0.0, overlap)
            assert found[phase][n] == pytest.approx(area / (right - left), abs=0.002)
    assert counts.most(0.0, INIT, INVOKE, IDLE) == max(
        sum(phase != -1 for phase in held)
        for (begin, held), (end, _) in zip(story, [*story[1:], (float("inf"), 0)], strict=True)
        if end > begin)
