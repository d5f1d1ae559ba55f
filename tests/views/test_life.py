"""views.life: what the picture and its words say of what happened."""

import pytest
from view_fakes import Story

from minilambda import views


def bars(figure):
    """name -> [(row, from, to)] on the axis."""
    return {
        trace.name: [(row, base, base + x)
                     for row, base, x in zip(trace.y, trace.base, trace.x, strict=True)]
        for trace in figure.data if trace.type == "bar"
    }


def marks(figure):
    return {trace.name: len(trace.x) for trace in figure.data if trace.type == "scatter"}


def words(figure):
    return figure.layout.meta["sentence"]


def rows(figure):
    return [tuple(row) for row in figure.layout.meta["rows"]]


@pytest.fixture
def story():
    return Story()


def test_cold_then_warm_in_one_environment(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    story.invoke(environment)
    story.invoke(environment)
    figure = views.life(story)
    assert words(figure).startswith("1 environment served 3 invocations: 1 cold start, 2 warm.")
    drawn = bars(figure)
    assert len(drawn["init"]) == 1 and len(drawn["invoke"]) == 3
    # Each begins where the one before ends, and all are wide enough to be seen.
    assert [b[1] for b in drawn["invoke"]] == pytest.approx(
        [drawn["init"][0][2], drawn["invoke"][0][2], drawn["invoke"][1][2]])
    assert all(right - left > 0.03 for _, left, right in drawn["invoke"])
    assert rows(figure) == [
        ("1", "init", "0 ms", "110 ms", "done"),
        ("1", "invoke", "110 ms", "111.4 ms", "returned a result"),
        ("1", "invoke", "111.4 ms", "112.8 ms", "returned a result"),
        ("1", "invoke", "112.8 ms", "114.2 ms", "returned a result"),
        ("1", "frozen", "114.2 ms", "goes on", ""),
    ]


def test_hover_has_the_report_figures(story):
    environment = story.create()
    story.init(environment)
    [request] = story.invoke(environment, cold=True)
    invoke = next(t for t in views.life(story).data if t.name == "invoke")
    for part in (request, "1.40 ms", "billed 100 ms", "36 of 128 MB", "$0.0000004083", "cold"):
        assert part in invoke.hovertext[0]


def test_minutes_of_frozen_time_are_cut_and_said_so(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    story.wait(180)
    story.invoke(environment)
    figure = views.life(story)
    left, right = next((a, b) for _, a, b in bars(figure)["frozen"])
    assert right - left < 0.25
    assert "3 min" in [note.text for note in figure.layout.annotations]
    assert "not to scale: a stretch in which nothing ran is drawn shorter" in words(figure)
    assert "not to scale" in figure.layout.xaxis.title.text
    assert "3 min" in figure.layout.xaxis.ticktext


def test_a_true_scale_where_one_does(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True, ms=400.0)
    figure = views.life(story)
    assert figure.layout.xaxis.title.text == "ms since the first event"
    assert bars(figure)["invoke"] == [(0, pytest.approx(110), pytest.approx(510))]
    assert "scale" not in words(figure)


def test_seconds_on_a_long_true_scale(story):
    environment = story.create()
    story.init(environment, ms=2000.0)
    story.invoke(environment, cold=True, ms=20000.0)
    figure = views.life(story)
    assert figure.layout.xaxis.title.text == "s since the first event"
    assert bars(figure)["invoke"] == [(0, pytest.approx(2), pytest.approx(22))]


@pytest.mark.parametrize("status, word, sentence", [
    ("timeout", "timeout", "killed at its timeout, after 3 s"),
    ("out-of-memory", "out of memory", "killed for its memory after 3 s"),
    ("crash", "crash", "process ended by itself after 3 s"),
])
def test_a_kill_is_marked_and_ends_the_environment(story, status, word, sentence):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True, ms=3000.0, status=status, error_type="Some.Type",
                 reason=status)
    figure = views.life(story)
    assert len(bars(figure)["invoke, killed"]) == 1 and "frozen" not in bars(figure)
    assert marks(figure) == {word: 1}
    assert word in [note.text for note in figure.layout.annotations]
    assert sentence in words(figure)
    assert ("Some.Type" in rows(figure)[1][4]) and rows(figure)[-1][1] == "shutdown"


def test_an_exception_leaves_the_environment_alive(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True, status="error", error_type="ValueError")
    figure = views.life(story)
    assert {"init", "invoke, error", "frozen"} == set(bars(figure))
    assert marks(figure) == {"error": 1}
    assert "raised an error" in words(figure)


def test_twenty_environments_at_once_without_label_soup(story):
    environments = [story.create() for _ in range(20)]
    story.init(*environments)
    story.invoke(*environments, cold=True, ms=500.0, status="error", error_type="ValueError")
    figure = views.life(story)
    assert words(figure) == ("20 environments served 20 invocations: every one a cold start;"
                             " 20 raised an error.")
    assert len(bars(figure)["init"]) == 20
    assert marks(figure) == {"error": 20} and not figure.layout.annotations
    assert len(figure.layout.yaxis.ticktext) == 20
    assert figure.layout.height < 700


def test_an_idle_environment_that_is_shut_down(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    story.wait(600)
    story._note("environment.shutdown", environment, reason="idle")
    figure = views.life(story)
    assert marks(figure) == {"shut down": 1}
    assert rows(figure)[-1] == ("1", "shutdown", "10 min", "10 min", "idle")


def test_one_request_only(story):
    environment = story.create()
    story.init(environment)
    [first] = story.invoke(environment, cold=True)
    story.wait(60)
    [second] = story.invoke(environment)
    cold, warm = views.life(story, request_id=first), views.life(story, request_id=second)
    assert words(cold).startswith("A cold start: 110 ms of init, then the handler ran 1.4 ms.")
    assert words(warm) == "A warm start: the handler ran 1.4 ms."
    assert [row[1] for row in rows(cold)] == ["init", "invoke", "frozen"]
    assert [row[1] for row in rows(warm)] == ["invoke", "frozen"]


def test_one_function_only_and_names_where_there_are_several(story):
    for function in ("thumbs", "mail"):
        environment = story.create(function)
        story.init(environment)
        story.invoke(environment, cold=True)
    assert {row[0] for row in rows(views.life(story))} == {"thumbs 1", "mail 1"}
    assert {row[0] for row in rows(views.life(story, function="mail"))} == {"1"}


def test_still_running(story):
    environment = story.create()
    story.init(environment)
    story._note("invoke.started", environment, request_id="r", cold=True)
    story.wait(1)
    figure = views.life(story)
    assert words(figure).startswith("One invocation is still running.")
    assert rows(figure)[-1] == ("1", "invoke", "110 ms", "goes on", "")


def test_the_init_that_failed(story):
    environment = story.create()
    story._note("init.started", environment)
    story.wait(0.11)
    story._note("init.ended", environment, duration_ms=110.0, status="error",
                error_type="Runtime.ImportModuleError")
    story.invoke(environment, cold=True, ms=0, status="error", reason="error",
                 error_type="Runtime.ImportModuleError")
    figure = views.life(story)
    assert "raised an error (Runtime.ImportModuleError)" in rows(figure)[0][4]
    assert marks(figure) == {"error": 2}


@pytest.mark.parametrize("asked, says", [
    ({}, "no function has run"),
    ({"function": "nope"}, "'nope' has not run"),
    ({"request_id": "nope"}, "no execution environment served request 'nope'"),
    ({"request_id": "r", "function": "f"}, "not both"),
])
def test_nothing_to_draw_is_an_error_in_words(story, asked, says):
    with pytest.raises(ValueError, match=says):
        views.life(story, **asked)


def test_a_throttled_request_has_no_life(story):
    story.trace.append(0, "request.throttled", "hello", request_id="r", reason="Reserved")
    with pytest.raises(ValueError, match="was throttled"):
        views.life(story, request_id="r")


def test_the_same_story_gives_the_same_bytes():
    def tell():
        story = Story()
        environment = story.create()
        story.init(environment)
        story.invoke(environment, cold=True)
        return views.life(story).to_json()

    assert tell() == tell()


def test_only_what_began_since(story):
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    story.wait(60)
    story.invoke(environment)
    late = views.life(story, since=story.clock.seconds - 30)
    assert [row[1] for row in rows(late)] == ["invoke", "frozen"]
    with pytest.raises(ValueError):
        views.life(story, since=story.clock.seconds + 1)
