"""views.compare: two real runs on one axis, and what differs in words."""

import json

import boto3
import pytest
from view_clouds import burst, new_cloud
from view_fakes import Story

from minilambda import views


def words(figure):
    return figure.layout.meta["sentence"]


def table(figure):
    return {row[0]: row[1:] for row in figure.layout.meta["rows"]}


def bars(figure):
    """(axis, name) -> [(row, from, to)]."""
    found = {}
    for trace in figure.data:
        if trace.type == "bar":
            found[trace.yaxis or "y", trace.name] = [
                (row, base, base + x) for row, base, x in zip(trace.y, trace.base, trace.x, strict=True)]
    return found


@pytest.fixture(scope="module")
def limited(handler):
    """The same 12 callers at once, where all find a place and where five are reserved. Both clouds are closed."""
    clouds = []
    for reserved in (None, 5):
        with new_cloud(handler, reserved=reserved) as cloud:
            burst(cloud, 12, {"sleep": 1})
            cloud.run(seconds=30)
        clouds.append(cloud)
    return clouds


def test_throttles_cold_starts_and_cost_are_named(limited):
    figure = views.compare(*limited, names=("no limit", "reserved 5"))
    assert words(figure).startswith(
        "With reserved 5, compared with no limit: 7 of 12 requests were throttled instead of none, 5"
        " of 5 starts were cold instead of 12 and it cost 58% less.")
    figures = table(figure)
    assert figures["requests"] == ["12", "12", "the same"]
    assert figures["throttled"] == ["0", "7", "+7"]
    assert figures["environments"] == ["12", "5", "−7"]
    assert figures["first request to last answer"][2] == "the same"
    costs = [sum(e["cost"] for e in cloud.trace.select("invoke.ended")) for cloud in limited]
    assert 1 - costs[1] / costs[0] == pytest.approx(7 / 12)
    assert figure.layout.meta["columns"] == ["", "no limit", "reserved 5", "difference"]


def test_both_begin_at_the_left_and_have_strips_of_their_own(limited):
    drawn = bars(views.compare(*limited))
    assert len(drawn["y", "init"]) == 12 and len(drawn["y2", "init"]) == 5
    assert {left for _, left, _ in drawn["y", "init"] + drawn["y2", "init"]} == {0}
    # The clouds' close, and the idle time before it, are no part of what is compared.
    figure = views.compare(*limited)
    assert "shut down" not in {trace.name for trace in figure.data}
    assert "30 s" not in [note.text for note in figure.layout.annotations]
    notes = [note.text for note in figure.layout.annotations]
    assert "<b>first</b>" in notes and "<b>second</b>" in notes


def test_the_strips_do_not_overlap_and_the_legend_has_each_once(limited):
    layout = (figure := views.compare(*limited)).layout
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1] and layout.yaxis2.domain[0] == 0
    assert layout.xaxis.anchor == "y2"
    shown = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert len(shown) == len(set(shown))


def test_traces_do_as_well_as_clouds(limited):
    assert (views.compare(*(cloud.trace for cloud in limited)).to_json()
            == views.compare(*limited).to_json())


def test_a_scenario_that_makes_its_cloud(handler):
    def scenario(seconds):
        with new_cloud(handler) as cloud:
            for _ in range(3):
                boto3.client("lambda").invoke(FunctionName="hello",
                                              Payload=json.dumps({"sleep": seconds}))
        return cloud

    figure = views.compare(scenario, {"0.1 s": 0.1, "0.5 s": 0.5})
    assert words(figure).startswith(
        "With 0.5 s, compared with 0.1 s: it took 1.2 s longer in all, half were answered within"
        " 501.4 ms instead of 101.4 ms and it cost ")
    again = views.compare(scenario, {"0.1 s": 0.1, "0.5 s": 0.5})
    assert again.to_json() == figure.to_json()  # the same seed, byte for byte
    same = views.compare(scenario, {"one": 0.1, "other": 0.1})
    assert words(same).startswith("With other all was as with one: the same figures throughout.")


def test_a_scenario_on_the_cloud_there_is(cloud):
    lam = boto3.client("lambda")

    def scenario(timeout):
        lam.update_function_configuration(FunctionName="hello", Timeout=timeout)
        for event in ({}, {"sleep": 2}):
            lam.invoke(FunctionName="hello", Payload=json.dumps(event))

    scenario(3)  # from before: in neither
    figure = views.compare(scenario, {"timeout 3 s": 3, "timeout 1 s": 1}, cloud=cloud)
    assert words(figure).startswith("With timeout 1 s, compared with timeout 3 s: 1 of 2 invocations"
                                    " failed instead of none,")
    assert table(figure)["requests"] == ["2", "2", "the same"]
    drawn = bars(figure)
    assert len(drawn["y", "invoke"]) == 2 and len(drawn["y2", "invoke, killed"]) == 1
    assert len(cloud.trace.select("invoke.ended")) == 6


def test_two_functions_of_one_cloud():
    story = Story()
    for name, ms in (("inside", 48.0), ("outside", 3.0)):
        environment = story.create(name)
        story.init(environment)
        for number in range(3):
            story.invoke(environment, cold=not number, ms=ms)
    figure = views.compare(story, story, function=("inside", "outside"))
    assert words(figure).startswith(
        "With outside, compared with inside: it took 135 ms less in all, half were answered within"
        " 3 ms instead of 48 ms and it cost the same.")
    assert [row[1:3] for row in figure.layout.meta["rows"]][0] == ["3", "3"]


def test_many_environments_are_counted_not_drawn():
    stories = []
    for count in (40, 200):
        stories.append(story := Story())
        environments = [story.create() for _ in range(count)]
        story.init(*environments)
        story.invoke(*environments, cold=True, ms=500.0)
        story.throttle(count - 40)
    figure = views.compare(*stories)
    areas = [trace for trace in figure.data if trace.type == "scatter" and trace.stackgroup]
    assert {trace.yaxis for trace in areas} == {"y", "y2"}
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range  # comparable by eye
    assert [sum(t.y) for t in figure.data if t.name == "throttled"] == [160]
    assert "160 of 360 requests were throttled instead of none" in words(figure)
    assert "it cost 5.0 times as much" in words(figure)


@pytest.mark.parametrize("first, second, more, error, says", [
    (lambda _: None, {"a": 1}, {}, ValueError, "two settings by name"),
    (lambda _: None, {"a": 1, "b": 2}, {}, TypeError, "must return the Cloud"),
    ("x", "y", {}, TypeError, "str is neither a Cloud nor a Trace"),
    (Story(), Story(), {}, ValueError, "no function has run"),
    (Story(), Story(), {"function": ("a", "b")}, ValueError, "'a' has not run"),
])
def test_what_can_not_be_compared(first, second, more, error, says):
    with pytest.raises(error, match=says):
        views.compare(first, second, **more)
