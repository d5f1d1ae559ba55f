"""Controls made from AWS's schema: every one's whole range, against a real cloud."""

import itertools
import json

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import views
from minilambda.limits import Limits
from minilambda.views import calls
from minilambda.views.settings import OTHERS, settings

COURSE, TODAY = Limits.load("course"), Limits.load("today")


def of(name, given=None, limits=COURSE, **more):
    client = boto3.client("lambda", region_name="eu-west-2")
    [setting] = settings(client, "hello", {name: given}, limits, **more)
    return setting


# -- what may be set, and to what -----------------------------------------------------------------


@pytest.mark.parametrize("name, limits, first, last", [
    ("MemorySize", COURSE, 128, 3008), ("MemorySize", TODAY, 128, 10240),
    ("Timeout", COURSE, 1, 900), ("EphemeralStorage.Size", TODAY, 512, 10240),
    ("EphemeralStorage.Size", COURSE, 512, 512),
    ("ReservedConcurrentExecutions", COURSE, 0, 900), ("MaximumRetryAttempts", COURSE, 0, 2),
])
def test_the_whole_range_comes_from_the_schema_and_the_profile(name, limits, first, last):
    setting = of(name, limits=limits)
    assert (setting.positions[0], setting.positions[-1]) == (first, last)
    assert len(setting.positions) <= 16
    assert list(setting.positions) == sorted(set(setting.positions))
    step = limits.memory_step if name == "MemorySize" else 1
    assert all((position - first) % step == 0 for position in setting.positions)


def test_an_event_sources_and_a_versions_settings_need_to_know_whose():
    batch = of("BatchSize", mapping="uuid-1")
    assert batch.positions == tuple(range(1, 11)) and batch.target == {"UUID": "uuid-1"}
    assert of("BatchSize", limits=TODAY, mapping="u").positions[-1] == 10_000
    ready = of("ProvisionedConcurrentExecutions", (1, 5), qualifier="live")
    assert ready.positions == (1, 2, 3, 4, 5) and ready.target["Qualifier"] == "live"
    with pytest.raises(ValueError, match="mapping="):
        of("BatchSize")
    with pytest.raises(ValueError, match="qualifier="):
        of("ProvisionedConcurrentExecutions")


def test_names_of_a_list_and_words():
    assert of("TracingConfig.Mode").positions == ("Active", "PassThrough")
    assert "python3.8" in of("Runtime").positions
    reserved = of("ReservedConcurrentExecutions", [None, 0, 1000])
    assert [reserved.says(value) for value in reserved.positions] == ["not set", "0", "1,000"]
    assert of("MemorySize").says(3008) == "3,008 MB"


@pytest.mark.parametrize("name", [n for n in OTHERS])
def test_every_name_is_in_botocores_model(name):
    setting = of(name, qualifier="1", mapping="u")
    model = boto3.client("lambda", region_name="eu-west-2").meta.service_model
    assert setting.operation in model.operation_names
    for operation in OTHERS[name]:
        assert operation is None or operation in model.operation_names


@pytest.mark.parametrize("name, given, says", [
    ("Memory", None, "has no 'Memory'.*'MemorySize'"), ("MemorySize.X", None, "has no"),
    ("Environment", None, "is a structure"), ("Description", None, "is a string"),
    ("MemorySize", (64, 128), "within 128-3,008"), ("MemorySize", (128, 3072), "give a list"),
    ("MemorySize", (128,), "must be"), ("MemorySize", 128, "must be"),
    ("MemorySize", (128, 256, 0), "step of MemorySize"), ("Timeout", [], "at least one"),
    ("TracingConfig.Mode", (0, 1), "one of Active, PassThrough"),
])
def test_what_is_no_control_is_refused_in_words(name, given, says):
    with pytest.raises(ValueError, match=says):
        of(name, given)


# -- on a real cloud ------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def as_it_was(cloud):
    lam = boto3.client("lambda")
    lam.delete_function_concurrency(FunctionName="hello")
    lam.update_function_configuration(FunctionName="hello", MemorySize=128, Timeout=3)


def recorded(panel, indexes):
    place = 0
    for setting, index in zip(panel.settings, indexes, strict=True):
        place = place * len(setting.positions) + index
    status, sentence, document, *rest = panel.view.grid[place]
    return [status, panel.view.texts[sentence], panel.view.texts[document], *rest]


def turn_everything(panel):
    """Move the controls to every position; gives indexes with what is shown there."""
    for indexes in itertools.product(*(range(len(s.positions)) for s in panel.settings)):
        for setting, index in zip(panel.settings, indexes, strict=True):
            panel.turn(setting.name, setting.positions[index])
        assert panel.view.indexes == list(indexes)
        yield indexes, panel.shown


def test_the_whole_range_on_a_real_cloud(cloud):
    lam = boto3.client("lambda")
    panel = views.panel(cloud, "hello", {"sleep": 1.5, "mb": 150}, controls={
        "MemorySize": (128, 256, 64), "Timeout": (1, 2),
        "ReservedConcurrentExecutions": [950, None, 0, 1]})
    before = lam.get_function_configuration(FunctionName="hello")
    assert (before["MemorySize"], before["Timeout"]) == (128, 3)  # as it was
    assert "ReservedConcurrentExecutions" not in lam.get_function_concurrency(FunctionName="hello")
    assert len(panel.view.grid) == 3 * 2 * 4
    seen = set()
    for (m, t, r), shown in turn_everything(panel):
        memory, timeout = panel.settings[0].positions[m], panel.settings[1].positions[t]
        reserved = panel.settings[2].positions[r]
        then = recorded(panel, (m, t, r))
        assert then[-2:] == [memory, timeout]
        if reserved == 950:
            assert then[:2] == ["refused", shown.sentence] and shown.status == "refused"
            assert "UnreservedConcurrentExecution below its minimum value of [100]" in shown.sentence
        elif reserved == 0:
            assert shown.status == then[0] == "refused"
            assert "AWS refused Invoke: TooManyRequestsException: Rate Exceeded." in shown.sentence
        else:
            expected = "timeout" if timeout == 1 else "out-of-memory" if memory < 186 else "success"
            assert shown.status == then[0] == expected, (memory, timeout, reserved)
            assert shown.duration_ms == then[3]
        seen.add(shown.status)
    assert seen == {"refused", "timeout", "out-of-memory", "success"}


def test_each_turn_is_its_own_call(cloud, monkeypatch):
    panel = views.panel(cloud, "hello", {}, record=False,
                        controls={"MemorySize": (128, 192), "ReservedConcurrentExecutions": [None, 3]})
    made = []
    panel.client.meta.events.register("before-call.lambda",
                                      lambda model, **_: made.append(model.name))
    panel.turn("ReservedConcurrentExecutions", 3)
    panel.turn("MemorySize", 192)
    panel.turn("ReservedConcurrentExecutions", None)
    assert made == ["PutFunctionConcurrency", "Invoke", "UpdateFunctionConfiguration", "Invoke",
                    "DeleteFunctionConcurrency", "Invoke"]
    assert panel.view.live["count"] == 4


def test_what_the_service_does_not_have_is_said_in_its_words(cloud):
    panel = views.panel(cloud, "hello", {}, qualifier="1",
                        controls={"ProvisionedConcurrentExecutions": [None, 1]}, record=False)
    panel.turn("ProvisionedConcurrentExecutions", 1)
    assert panel.shown.status in ("refused", "success")
    if panel.shown.status == "refused":
        assert "PutProvisionedConcurrencyConfig" in panel.shown.sentence


def test_a_mistake_of_ours_is_shown_and_raised(cloud, monkeypatch):
    panel = views.panel(cloud, "hello", {}, controls={"MemorySize": (128, 192)}, record=False)
    monkeypatch.setattr(calls, "run_after", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        panel.turn("MemorySize", 192)
    assert panel.view.live["cell"][0] == "failed"


def test_the_state_is_small_and_the_same_every_time(cloud):
    def state():
        panel = views.panel(cloud, "hello", {}, controls=["MemorySize", "TracingConfig.Mode"])
        names = ("grid", "texts", "controls", "indexes", "_esm", "_css")
        return json.dumps({name: getattr(panel.view, name) for name in names})

    first = state()
    assert len(first) < 60_000 and state() == first


def test_too_many_positions_say_what_to_do(cloud):
    with pytest.raises(ValueError, match="16 x 16 x 16 positions.*record=False"):
        views.panel(cloud, "hello", {}, controls=[
            "MemorySize", "Timeout", "ReservedConcurrentExecutions"])
    with pytest.raises(ValueError, match="say what memory may be set to there"):
        views.panel(cloud, "hello", {}, memory=(128, 256), controls=["MemorySize"])
    with pytest.raises(ValueError, match="no control has Timeout = 5.*MemorySize of 128"):
        views.panel(cloud, "hello", {}, controls={"MemorySize": (128, 192)}, record=False).turn(
            "Timeout", 5)


def test_a_function_that_is_not_there(cloud):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        views.panel(cloud, "nope", {}, controls=["MemorySize"])
