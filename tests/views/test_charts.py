"""The charts of a trace, on a real cloud that has reserved three executions for a function."""

import json
import statistics

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from view_clouds import burst, new_cloud
from view_fakes import Story

from minilambda import views
from minilambda.views.latency import percentile

CHARTS = [views.concurrency, views.throttles, views.cold_starts, views.latency, views.cost]
NAMES = [chart.__name__ for chart in CHARTS]


@pytest.fixture(scope="module")
def busy(handler):
    """Eight callers of hello where three find a place, then two, then others of mail, one failing."""
    cloud = new_cloud(handler, "hello", "mail", reserved=3)
    assert burst(cloud, 8, {"sleep": 2}) == 5
    cloud.run(seconds=1)
    assert burst(cloud, 2, {"sleep": 1}) == 0
    lam = boto3.client("lambda")
    for event in ({}, {}, {"fail": "no"}):
        lam.invoke(FunctionName="mail", Payload=json.dumps(event))["Payload"].read()
    with cloud:
        yield cloud


def words(figure):
    return figure.layout.meta["sentence"]


def column(figure, name):
    meta = figure.layout.meta
    place = meta["columns"].index(name)
    return [row[place] for row in meta["rows"]]


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_concurrency_against_the_reserved_limit(busy):
    figure = views.concurrency(busy, "hello")
    assert words(figure).startswith("At most 3 executions of hello at once (account limit 1,000 and"
                                    " reserved 3). 5 requests were throttled.")
    drawn = traces(figure)
    assert max(drawn["concurrent executions"].y) == 3
    assert list(drawn["reserved (3)"].y) == [3, 3]
    assert drawn["throttled"].hovertext[0].startswith("5 requests were throttled")
    assert max(map(int, column(figure, "most at once"))) == 3
    assert sum(map(int, column(figure, "throttled"))) == 5
    everybody = views.concurrency(busy)
    assert "(account limit 1,000). 5 requests were" in words(everybody)
    assert "reserved" not in words(views.concurrency(busy, "mail"))  # it has none


def test_concurrency_agrees_with_the_trace(busy):
    """What the picture says at an instant is what one counts by hand in the trace."""
    changes = [(event.at, by) for kind, by in (("request.accepted", 1), ("request.throttled", -1),
                                               ("environment.frozen", -1))
               for event in busy.trace.select(kind, function="mail")]
    line = traces(views.concurrency(busy, "mail"))["concurrent executions"]
    by_hand = [sum(by for at, by in changes if at <= moment)
               for moment in sorted({at for at, _ in changes})]
    assert list(line.y[:-1]) == by_hand and set(by_hand) == {0, 1}


def test_a_limit_far_above_is_named_and_does_not_flatten(busy):
    story = Story()
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    figure = views.concurrency(story)
    assert [note.text for note in figure.layout.annotations] == ["↑ account limit 1,000"]
    assert "None was throttled" in words(figure)


def test_the_timeline_has_the_throttled_requests_too(busy):
    figure = views.life(busy, function="hello")
    assert words(figure).startswith("3 environments served 5 invocations: 3 cold starts, 2 warm."
                                    " 5 requests were throttled.")
    marks = traces(figure)["throttled"]
    refused = [event["request_id"] for event in busy.trace.select("request.throttled")]
    assert list(marks.text) == ["5×"] and all(name in marks.hovertext[0] for name in refused)


def test_throttles_beside_what_was_let_in(busy):
    figure = views.throttles(busy)
    assert words(figure).startswith(
        "5 of 13 requests of all functions were throttled (38%): the function's reserved concurrency"
        " was all in use (5).")
    assert sum(traces(figure)["let in"].y) == 8 and sum(traces(figure)["throttled"].y) == 5
    assert traces(figure)["throttled"].base[0] == 3  # on top of the three that were let in
    assert sum(map(int, column(figure, "let in"))) == 8
    mail = views.throttles(busy, "mail")
    assert words(mail).startswith("None of 3 requests of mail was throttled.")
    assert "throttled" not in traces(mail)


def test_cold_starts(busy):
    figure = views.cold_starts(busy)
    assert words(figure).startswith("4 cold starts in 8 invocations of all functions: 50%.")
    bars = traces(figure)["cold starts"]
    assert bars.y[0] == 100 and bars.hovertext[0].startswith("3 of 3 invocations cold (100%)")
    assert 0 in bars.y and "2 invocations, all warm" in traces(figure)["all warm"].hovertext[0]
    assert sum(map(int, column(figure, "cold"))) == 4


def test_latency_is_what_the_report_lines_and_the_clock_say(busy):
    figure = views.latency(busy, "hello")
    ended = busy.trace.select("invoke.ended", function="hello")
    took = sorted(event["duration_ms"] for event in ended)
    accepted = {event["request_id"]: event.at for event in busy.trace.select("request.accepted")}
    waited = sorted((event.at - accepted[event["request_id"]]) * 1000 for event in ended)
    rows = {row[0]: row[1:] for row in figure.layout.meta["rows"]}
    assert rows["duration"][1] == f"{statistics.median_low(took):,.2f} ms"
    assert rows["from arrival to answer"][-1] == f"{waited[-1]:,.2f} ms"
    assert rows["from arrival to answer"][0] == f"{waited[0]:,.2f} ms"
    assert "5 throttled requests were never answered." in words(figure)
    curve = traces(figure)["duration"]
    assert curve.y[0] == 0 and curve.y[-1] == 100 and curve.x[-1] == took[-1]


def test_latency_of_very_different_times_goes_by_powers_of_ten(busy):
    assert views.latency(busy).layout.xaxis.type == "log"
    assert list(views.latency(busy).layout.xaxis.ticktext)[-1] == "1,000"
    assert views.latency(busy, "hello").layout.xaxis.type is None


def test_cost_adds_up_to_the_bill(busy):
    figure = views.cost(busy)
    costs = [event["cost"] for event in busy.trace.select("invoke.ended")]
    drawn = traces(figure)
    assert drawn["in all"].y[-1] == pytest.approx(sum(costs) * 1e6)
    assert drawn["in all"].y[-1] == pytest.approx(drawn["hello"].y[-1] + drawn["mail"].y[-1])
    assert list(drawn["in all"].y) == sorted(drawn["in all"].y)
    assert words(figure).startswith("8 invocations of all functions cost $0.00001993, ")
    assert "94% of it by hello" in words(figure)
    assert figure.layout.yaxis.title.text == "millionths of a dollar"
    assert "in all" not in traces(views.cost(busy, "hello"))


def test_more_functions_than_lines():
    story = Story()
    for number in range(8):
        environment = story.create(f"f{number}")
        story.init(environment)
        story.invoke(environment, cold=True)
    assert list(traces(views.cost(story))) == ["in all", "f0", "f1", "f2", "f3", "f4", "3 others"]


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_since_leaves_out_what_came_before(busy, chart):
    late = chart(busy, since=3.0)
    assert "5 requests were" not in words(late) and "throttled" not in traces(late)
    assert "all functions" in words(late) and words(late) != words(chart(busy))


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_nothing_to_draw_is_an_error_in_words(busy, chart):
    with pytest.raises(ValueError, match=f"{chart.__name__}: nobody has invoked 'nope'"):
        chart(busy, "nope")
    with pytest.raises(ValueError, match=f"{chart.__name__}: nobody has invoked a function"):
        chart(Story())


@pytest.mark.parametrize("chart", [views.cold_starts, views.latency, views.cost])
def test_only_throttled_requests_are_an_error_where_something_must_have_ended(chart):
    story = Story()
    story.throttle(3)
    with pytest.raises(ValueError, match=f"{chart.__name__}: no invocation has ended"):
        chart(story)
    assert "3 of 3 requests" in words(views.throttles(story))
    assert "At most 0 executions" in words(views.concurrency(story))


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_all_at_one_instant(chart):
    """No stretch of time to draw: still a picture, with everything in it."""
    story = Story()
    environments = [story.create() for _ in range(3)]
    for environment in environments:
        story._note("init.started", environment)
        story._note("init.ended", environment, duration_ms=0, status="success", error_type=None)
    story.invoke(*environments, cold=True, ms=0)
    assert chart(story).layout.meta["rows"]


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_very_many_invocations_make_a_small_picture(chart):
    story = Story()
    environments = [story.create() for _ in range(100)]
    story.init(*environments)
    for n in range(50):
        story.invoke(*environments, cold=n == 0, ms=100.0 + 37 * n)
        story.wait(0.01 * n)
    figure = chart(story)
    assert all(len(trace.x) <= 410 for trace in figure.data)
    assert chart(story).to_json() == figure.to_json()


def test_series_of_a_real_queue(busy):
    """The depth of a queue, read with boto3 as the clock goes on."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    points = {"ApproximateNumberOfMessages": [], "ApproximateNumberOfMessagesNotVisible": []}

    def look():
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(points))["Attributes"]
        for name, line in points.items():
            line.append((busy.seconds, int(found[name])))

    look()
    for number in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    busy.run(seconds=5)
    look()
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=4)
    busy.run(seconds=5)
    look()
    busy.run(seconds=60)
    look()
    figure = views.series({"visible": points["ApproximateNumberOfMessages"],
                           "in flight": points["ApproximateNumberOfMessagesNotVisible"]},
                          "messages", limits={"alarm": 5})
    assert words(figure) == ("Messages: visible is at most 6 (after 5 s) and 6 at the end and in"
                             " flight is at most 4 (after 10 s) and 0 at the end.")
    assert list(traces(figure)["visible"].y) == [0, 6, 2, 6, 6]
    assert list(traces(figure)["alarm (5)"].y) == [5, 5]
    assert {trace.line.dash for trace in figure.data} == {"solid", "dash", "longdash"}


@pytest.mark.parametrize("lines, says", [
    ({}, "at least one line"), ({"a": []}, "at least one point"),
    ({"a": [(2, 1), (1, 1)]}, "order of time"),
    ({str(n): [(0, 1)] for n in range(7)}, "at most 6 lines")])
def test_series_that_can_not_be_drawn(lines, says):
    with pytest.raises(ValueError, match=says):
        views.series(lines, "messages")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-3, 3))), st.integers(0, 5))
def test_steps_end_at_the_sum_and_rise_in_time(changes, start):
    points = views.steps(changes, start)
    assert [moment for moment, _ in points] == sorted({moment for moment, _ in changes})
    for moment, level in points:
        assert level == start + sum(change for when, change in changes if when <= moment)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, n):
    found = percentile(sorted(values), n)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= n * len(values)
    assert 100 * sum(value < found for value in values) < n * len(values)


def test_a_closed_clouds_trace_can_still_be_drawn(handler):
    cloud = new_cloud(handler, reserved=1)
    burst(cloud, 2, {})
    before = [chart(cloud).to_json() for chart in CHARTS]
    cloud.close()
    assert [chart(cloud).to_json() for chart in CHARTS] == before
    assert "(account limit 1,000)" in words(views.concurrency(cloud, "hello"))


def test_a_function_that_is_gone_has_no_reserved_limit_any_more(handler):
    with new_cloud(handler, reserved=2) as cloud:
        burst(cloud, 3, {})
        assert "reserved 2" in words(views.concurrency(cloud, "hello"))
        boto3.client("lambda").delete_function(FunctionName="hello")
        assert "(account limit 1,000)" in words(views.concurrency(cloud, "hello"))


def test_seventy_real_environments_are_counted(handler):
    with new_cloud(handler) as cloud:
        burst(cloud, 70, {"sleep": 1})
        figure = views.life(cloud)
    assert words(figure) == ("70 environments served 70 invocations: every one a cold start. At most"
                             " 70 were at work at once, of 70 environments.")
    init, invoke = traces(figure)["in init"], traces(figure)["in invoke"]
    assert list(init.y) == [70, 0, 0] and list(invoke.y) == [0, 70, 70]
    assert list(init.x) == [0, pytest.approx(110), pytest.approx(1111.4)]
