"""The control panel: every position of both sliders, against a fake client and a real cloud."""

import itertools
import json

import boto3
import pytest
from botocore.exceptions import ClientError
from view_fakes import FakeLambda

from minilambda import views
from minilambda.limits import Limits
from minilambda.views import calls

RANGES = {"memory": (128, 256, 64), "timeout": (1, 4)}


def turn(panel):
    """Move both sliders to every position; gives each with what is shown there."""
    for m, t in itertools.product(panel.view.memory, panel.view.timeout):
        panel.memory.value, panel.timeout.value = m, t
        live = panel.view.live
        assert panel.view.memory[live["memory_index"]] == m
        assert panel.view.timeout[live["timeout_index"]] == t
        yield m, t, panel.shown


def recorded(panel, m, t):
    view = panel.view
    status, sentence, document, *rest = view.grid[view.memory.index(m)][view.timeout.index(t)]
    return [status, view.texts[sentence], view.texts[document], *rest]


# -- against the fake ---------------------------------------------------------------------------


def test_every_move_is_an_update_and_an_invoke(fake):
    panel = views.panel(fake, "hello", {"n": 1}, record=False, **RANGES)
    fake.calls.clear()
    panel.memory.value = 256
    panel.timeout.value = 4
    assert fake.calls == [("update", 256, 3), ("invoke", {"n": 1}),
                          ("update", 256, 4), ("invoke", {"n": 1})]
    assert panel.view.live["count"] == 3  # the first call was the constructor's


def test_the_whole_range(fake):
    panel = views.panel(fake, "hello", {}, **RANGES)
    # The first position is where the sliders stand already: nothing moves, nothing is called.
    panel.memory.value, panel.timeout.value = 256, 4
    for m, t, shown in turn(panel):
        expected = "timeout" if t <= 2 else "out-of-memory" if m < 200 else "success"
        assert shown.status == recorded(panel, m, t)[0] == expected
        assert shown.duration_ms == min(2500, t * 1000 if t <= 2 else 2500)
        assert shown.init_ms == 110
        assert shown.max_memory_used == (200 if t <= 2 else min(m, 200))


def test_recording_puts_the_configuration_back(fake):
    fake.memory, fake.timeout = 192, 2
    panel = views.panel(fake, "hello", {}, **RANGES)
    assert (fake.memory, fake.timeout) == (192, 2)
    assert (panel.memory.value, panel.timeout.value) == (192, 2)
    assert len([c for c in fake.calls if c[0] == "invoke"]) == 3 * 4


def test_recording_puts_the_configuration_back_after_a_failure(fake, monkeypatch):
    def explode(**_):
        raise RuntimeError("no")

    monkeypatch.setattr(fake, "invoke", explode)
    with pytest.raises(RuntimeError):
        views.panel(fake, "hello", {}, **RANGES)
    assert (fake.memory, fake.timeout) == (128, 3)


def test_cost_is_of_the_report_and_the_limits(fake):
    panel = views.panel(fake, "hello", {}, memory=(1024, 1024), timeout=(3, 3))
    # 2.5 s at 1 GB, and one request
    assert recorded(panel, 1024, 3)[-1] == pytest.approx(2.5 * 0.0000166667 + 0.0000002)


def test_aws_errors_are_shown_in_words_and_the_panel_lives_on(fake):
    panel = views.panel(fake, "hello", {}, **RANGES)
    fake.refuse = "ResourceConflictException"
    panel.memory.value = 256
    assert panel.shown.status == calls.REFUSED
    assert panel.view.live["cell"][1] == (
        "AWS refused UpdateFunctionConfiguration: ResourceConflictException: not today")
    fake.refuse = None
    panel.memory.value = 192
    assert panel.shown.status == "out-of-memory"


def test_a_mistake_of_ours_is_shown_and_raised(fake):
    panel = views.panel(fake, "hello", {}, **RANGES)
    fake.explode = ZeroDivisionError("oh")
    with pytest.raises(ZeroDivisionError):
        panel.memory.value = 256
    assert panel.view.live["cell"][:2] == [
        "failed", "The control panel itself failed: ZeroDivisionError: oh"]


def test_default_ranges_use_the_profiles_steps(fake):
    panel = views.panel(fake, "hello", {})
    assert panel.view.memory == list(range(128, 3009, 192)) and len(panel.view.memory) == 16
    assert panel.view.timeout == [1, 2, 3, 4, 5, 6]
    narrow = views.panel(fake, "hello", {}, memory=(128, 512))
    assert narrow.view.memory == list(range(128, 513, 64))
    today = views.panel(fake, "hello", {}, record=False, limits=Limits.load("today"))
    assert (today.view.memory[0], today.view.memory[-1]) == (128, 10240)
    assert len(today.view.memory) <= 16


def test_the_state_is_small_and_the_same_every_time():
    def state():
        panel = views.panel(FakeLambda(), "hello", {"name": "x"}, memory=(128, 1024, 64))
        assert (len(panel.view.memory), len(panel.view.timeout)) == (15, 6)
        keys = ("grid", "texts", "memory", "timeout", "_esm", "_css")
        return json.dumps({key: getattr(panel.view, key) for key in keys})

    assert state() == state()
    assert len(state()) < 60_000


def test_a_long_result_is_cut_and_says_so():
    text = calls._document(b'"' + b"x" * 5000 + b'"')
    assert len(text) < 450 and text.endswith("(5,002 bytes in all)")


def test_text_alternative_of_the_output_is_the_same_every_time(fake):
    panel = views.panel(fake, "hello", {}, **RANGES)
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "Control panel of hello: memory 128-256 MB, timeout 1-4 s. Run this cell to turn it.")


@pytest.mark.parametrize("arguments, error, says", [
    ({"memory": (128, 3072)}, ValueError, "within 128-3008 MB"),
    ({"memory": (256, 128)}, ValueError, "min first"),
    ({"memory": (128,)}, ValueError, "memory must be"),
    ({"memory": (128.5, 256)}, ValueError, "whole MB"),
    ({"memory": (128, 256, 0)}, ValueError, "step of memory"),
    ({"timeout": (0, 3)}, ValueError, "within 1-900 s"),
    ({"timeout": (1, 901)}, ValueError, "within 1-900 s"),
    ({"timeout": (1, 900)}, ValueError, "16 x 900 positions.*14,400 calls.*record=False"),
    ({"event": {1, 2}}, TypeError, "what JSON can hold"),
    ({"event": float("nan")}, TypeError, "what JSON can hold"),
])
def test_bad_arguments_are_refused_in_words(fake, arguments, error, says):
    with pytest.raises(error, match=says):
        views.panel(fake, "hello", **arguments)


@pytest.mark.parametrize("document, used, expected", [
    ({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: x Error: …"}, 36, "timeout"),
    ({"errorMessage": "2020-03-02T09:00:00Z x Task timed out after 3.00 seconds"}, 36, "timeout"),
    ({"errorType": "Runtime.OutOfMemory", "errorMessage": "…"}, 128, "out-of-memory"),
    ({"errorType": "Runtime.ExitError", "errorMessage": "… signal: killed"}, 128, "out-of-memory"),
    ({"errorType": "Runtime.ExitError", "errorMessage": "… signal: killed"}, 36, "crash"),
    ({"errorType": "Runtime.ExitError", "errorMessage": "… exit status 1"}, 36, "crash"),
    ({"errorType": "ValueError", "errorMessage": "signal"}, 36, "error"),
])
def test_how_an_error_document_is_read(document, used, expected):
    assert calls._failure(json.dumps(document).encode(), 128, 3, used)[0] == expected


# -- against the real thing ---------------------------------------------------------------------


def test_the_whole_range_on_a_real_cloud(cloud):
    panel = views.panel(cloud, "hello", {"sleep": 2.5, "mb": 150}, **RANGES)
    lam = boto3.client("lambda")
    assert lam.get_function_configuration(FunctionName="hello")["MemorySize"] == 128
    panel.memory.value, panel.timeout.value = 256, 4
    for m, t, shown in turn(panel):
        expected = "timeout" if t <= 2 else "out-of-memory" if m < 186 else "success"
        assert shown.status == recorded(panel, m, t)[0] == expected, (m, t, shown)
        assert shown.duration_ms == recorded(panel, m, t)[3]
        ended = cloud.trace.select("invoke.ended", function="hello")[-1]
        assert (shown.duration_ms, shown.billed_ms, shown.max_memory_used) == (
            pytest.approx(ended["duration_ms"], abs=0.01), ended["billed_ms"],
            ended["max_memory_used"])
        assert shown.cost == pytest.approx(ended["cost"])
    now = lam.get_function_configuration(FunctionName="hello")
    assert (now["MemorySize"], now["Timeout"]) == (256, 4)


def test_an_exception_on_a_real_cloud(cloud):
    panel = views.panel(cloud, "hello", {"fail": "no good"}, record=False, **RANGES)
    assert panel.shown.status == "error"
    assert panel.shown.sentence == "The function raised an error: ValueError."
    assert json.loads(panel.shown.document)["errorMessage"] == "no good"


def test_a_function_that_is_not_there(cloud):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        views.panel(cloud, "nope", {})


def test_a_function_deleted_meanwhile(cloud):
    lam = boto3.client("lambda")
    code = lam.get_function_configuration(FunctionName="hello")
    panel = views.panel(cloud, "hello", {}, record=False, **RANGES)
    panel.function = "hello-gone"
    panel.memory.value = 128 if panel.memory.value != 128 else 256
    assert panel.shown.status == calls.REFUSED and "ResourceNotFound" in panel.shown.sentence
    assert code["FunctionName"] == "hello"


def test_a_real_life_is_drawn(cloud):
    lam = boto3.client("lambda")
    lam.update_function_configuration(FunctionName="hello", MemorySize=128, Timeout=3)
    cold = lam.invoke(FunctionName="hello", Payload="{}")["ResponseMetadata"]["RequestId"]
    cloud.run(minutes=2)
    late = lam.invoke(FunctionName="hello", Payload='{"sleep": 9}')["ResponseMetadata"]["RequestId"]
    assert "A cold start: 110 ms" in views.life(cloud, request_id=cold).layout.meta["sentence"]
    assert "killed at its timeout, after 3 s" in (
        views.life(cloud, request_id=late).layout.meta["sentence"])
    assert "timed out" in views.life(cloud, function="hello").layout.meta["sentence"]
    table = views.report(cloud, function="hello", last=2)
    assert [row[1:4] for row in table.rows] == [
        ["cold", "success", "1.40 ms"], ["warm", "timeout", "3,000.00 ms"]]
