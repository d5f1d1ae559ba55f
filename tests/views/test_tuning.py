"""views.power_tuning: real runs at each size, the cheapest and the fastest marked."""

import base64
import io
import json

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda import billing, views
from minilambda.limits import Limits
from minilambda.views.tuning import Size, cheapest, draw, fastest


class Tuned:
    """A Lambda client whose function takes ``work`` / memory ms, and the longer at odd times."""

    def __init__(self, work, least=0, noise=()):
        self.work, self.least, self.noise = work, least, list(noise)
        self.memory, self.timeout, self.set, self.invoked = 192, 7, [], []

    def get_function_configuration(self, FunctionName):
        return {"MemorySize": self.memory, "Timeout": self.timeout}

    def update_function_configuration(self, FunctionName, MemorySize, Timeout):
        self.memory, self.timeout = MemorySize, Timeout
        self.set.append(MemorySize)
        return {"LastUpdateStatus": "Successful"}

    def invoke(self, FunctionName, Payload, LogType):
        self.invoked.append((self.memory, json.loads(Payload)))
        duration = self.work / self.memory + (self.noise.pop(0) if self.noise else 0)
        log = (f"REPORT RequestId: x\tDuration: {duration:.2f} ms\t"
               f"Billed Duration: {billing.billed_ms(duration, Limits.load('course'))} ms\t"
               f"Memory Size: {self.memory} MB\tMax Memory Used: 60 MB\t\n")
        response = {"Payload": io.BytesIO(b"{}"), "LogResult": base64.b64encode(log.encode()).decode()}
        if self.memory < self.least:
            response |= {"FunctionError": "Unhandled", "Payload": io.BytesIO(
                b'{"errorType": "Runtime.OutOfMemory", "errorMessage": "signal: killed"}')}
        return response


def words(figure):
    return figure.layout.meta["sentence"]


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_each_size_is_set_and_run_and_then_all_is_as_before():
    client = Tuned(12800)
    figure = views.power_tuning(client, "f", {"n": 1}, memory=(128, 256, 1024), tries=3)
    assert client.set == [128, 256, 1024, 192] and client.timeout == 7
    assert client.invoked == [(size, {"n": 1}) for size in (128, 256, 1024) for _ in range(4)]
    assert list(traces(figure)["duration"].y) == [100, 50, 12.5]
    assert list(traces(figure)["duration"].x) == ["128", "256", "1,024"]
    million = traces(figure)["cost of a million calls"].y
    course = Limits.load("course")
    assert million[1] == pytest.approx(billing.cost(100, 256, course) * 1e6, abs=1e-4)


def test_the_cold_start_and_the_outermost_tries_do_not_count():
    client = Tuned(12800, noise=[5000, 300, 0, 0, 0, 0, *[0] * 6])
    figure = views.power_tuning(client, "f", memory=(128, 256))
    assert traces(figure)["duration"].y[0] == 100  # one slow try of five is a quirk
    client = Tuned(12800, noise=[0, 40, 40, 40, 0, 0, *[0] * 6])
    figure = views.power_tuning(client, "f", memory=(128, 256))
    assert traces(figure)["duration"].y[0] == pytest.approx(100 + 80 / 3, abs=0.01)  # three aren't


def test_cheapest_and_fastest_are_marked_and_named():
    figure = views.power_tuning(Tuned(44800), "job", memory=(128, 448, 1792))
    assert words(figure) == ("job is cheapest at 448 MB (100 ms, $0.93 a million calls) and fastest at"
                             " 1,792 MB (25 ms, $3.12 a million calls).")
    assert traces(figure)["cheapest"].x == ("448",) and traces(figure)["fastest"].x == ("1,792",)
    assert [row[3] for row in figure.layout.meta["rows"]] == ["", "cheapest", "fastest"]
    shapes = {trace.name: trace.marker.symbol for trace in figure.data}
    assert len(set(shapes.values())) == len(shapes)


def test_billed_durations_can_be_drawn_instead():
    figure = views.power_tuning(Tuned(44800), "job", memory=(128, 448, 1792), duration="billed")
    assert list(traces(figure)["billed duration"].y) == [400, 100, 100]
    assert words(figure) == ("job is cheapest at 448 MB (100 ms billed, $0.93 a million calls)."
                             " No size is billed less time.")
    assert figure.layout.meta["rows"][1] == ["448 MB", "100.00 ms", "$0.93",
                                             "cheapest and least time billed"]


def test_sizes_that_fail_have_a_cross_and_are_not_in_the_running():
    figure = views.power_tuning(Tuned(44800, least=200), "job", memory=(128, 448, 1792))
    assert "It failed at 128 MB." in words(figure)
    assert traces(figure)["failed"].x == ("128",)
    assert traces(figure)["failed"].hovertext == ("128 MB<br>ran out of memory",)
    assert figure.layout.meta["rows"][0] == ["128 MB", "", "", "ran out of memory"]
    assert list(figure.layout.xaxis.categoryarray) == ["128", "448", "1,792"]
    figure = views.power_tuning(Tuned(1, least=9000), "job", memory=(128, 448))
    assert words(figure) == "job failed at each of 2 sizes of memory."


@pytest.mark.parametrize("asked, error, says", [
    ({"event": {1, 2}}, TypeError, "JSON"), ({"memory": (128,)}, ValueError, "two sizes"),
    ({"memory": (256, 128)}, ValueError, "least to the most"),
    ({"memory": (128, 128)}, ValueError, "least to the most"), ({"tries": 0}, ValueError, "at least 1"),
    ({"duration": "init"}, ValueError, "'duration' or 'billed', not 'init'")])
def test_bad_input_is_an_error_in_words_before_anything_runs(asked, error, says):
    client = Tuned(1)
    with pytest.raises(error, match=says):
        views.power_tuning(client, "f", **asked)
    assert not client.set and not client.invoked


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=8))
def test_nothing_is_cheaper_than_the_cheapest_nor_faster_than_the_fastest(figures):
    sizes = [Size(128 * (n + 1), "success", float(ms), float(cost))
             for n, (ms, cost) in enumerate(figures)]
    least, quick = cheapest(sizes), fastest(sizes)
    assert all(least.million <= s.million and quick.duration_ms <= s.duration_ms for s in sizes)
    # Of equals the one that is better in the other respect: nobody beats either in both.
    for best in (least, quick):
        assert not any(s.million <= best.million and s.duration_ms <= best.duration_ms
                       and (s.million, s.duration_ms) != (best.million, best.duration_ms)
                       for s in sizes)
    assert draw(sizes, "f", "duration").layout.meta["rows"]


def test_two_amounts_in_a_title_are_no_formula():
    """Plotly takes what stands between two dollar signs for TeX."""
    figure = views.power_tuning(Tuned(44800), "job", memory=(128, 448, 1792))
    assert words(figure).count("$") == 2 and "$" not in figure.layout.title.text


# -- on a real cloud -------------------------------------------------------------------------------


def test_a_real_function(cloud):
    figure = views.power_tuning(cloud, "hello", {"mb": 100}, memory=(128, 256, 1792), tries=2)
    assert "It failed at 128 MB." in words(figure)  # 100 MB on top of the runtime's own
    assert list(traces(figure)["duration"].x) == ["256", "1,792"]
    slow, quick = traces(figure)["duration"].y
    assert slow == pytest.approx(7 * quick, rel=0.05)  # CPU is charged by share
    now = boto3.client("lambda").get_function_configuration(FunctionName="hello")
    assert (now["MemorySize"], now["Timeout"]) == (128, 3)
    # 256 and 1,792 MB, each a cold start and two tries; the first failure at 128 MB was enough.
    ran = [event["memory_size"] for event in cloud.trace.select("invoke.ended")]
    assert ran == [128, 256, 256, 256, 1792, 1792, 1792]


def test_what_aws_refuses_is_refused_and_the_function_is_as_before(cloud):
    with pytest.raises(ClientError, match="MemorySize|memorySize|memory"):
        views.power_tuning(cloud, "hello", memory=(128, 100_000))
    now = boto3.client("lambda").get_function_configuration(FunctionName="hello")
    assert now["MemorySize"] == 128
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        views.power_tuning(cloud, "nope")


def test_a_throttled_try_says_so(cloud, monkeypatch):
    lam = boto3.client("lambda")
    lam.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RuntimeError, match="power_tuning, at 128 MB: AWS refused Invoke: TooMany"):
        views.power_tuning(cloud, "hello", memory=(128, 256))
    lam.delete_function_concurrency(FunctionName="hello")
