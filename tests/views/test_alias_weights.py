"""An alias's weights as a control: what is set, who is invoked, and how much comes to whom."""

import boto3
import pytest
from test_live import Page, totals
from view_clouds import new_cloud

from minilambda import views
from minilambda.limits import Limits
from minilambda.views import patterns
from minilambda.views.settings import WEIGHTS, settings

POSITIONS = [{}, {"2": 0.25}, {"2": 1.0}]


@pytest.fixture(scope="module")
def cloud(handler):
    """`hello` with two versions: 128 MB, and 192 MB with a timeout of a second. `live` has both."""
    with new_cloud(handler) as cloud:
        lam = boto3.client("lambda")
        lam.publish_version(FunctionName="hello")
        lam.update_function_configuration(FunctionName="hello", MemorySize=192, Timeout=1)
        lam.publish_version(FunctionName="hello")
        lam.update_function_configuration(FunctionName="hello", MemorySize=3008)  # $LATEST
        lam.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
        yield cloud


@pytest.fixture(autouse=True)
def no_weight(cloud):
    weigh({})


def weigh(weights):
    boto3.client("lambda").update_alias(FunctionName="hello", Name="live", RoutingConfig={
        "AdditionalVersionWeights": weights})


def weights():
    found = boto3.client("lambda").get_alias(FunctionName="hello", Name="live")
    return found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def of(given, qualifier="live"):
    [setting] = settings(boto3.client("lambda"), "hello", {WEIGHTS: given}, Limits.load("course"),
                         qualifier)
    return setting


def test_what_is_read_written_and_said(cloud):
    setting, client = of(POSITIONS), boto3.client("lambda")
    assert setting.operation == "UpdateAlias" and setting.called == "hello:live"
    assert [setting.says(value) for value in POSITIONS] == [
        "0 %", "25 % to version 2", "100 % to version 2"]
    assert setting.says({"7": 0.005}) == "0.5 % to version 7"
    for value in (*POSITIONS, {}):
        setting.write(client, value)
        assert setting.read(client) == weights() == value


@pytest.mark.parametrize("given, qualifier", [(POSITIONS, None), (None, "live"), ((0, 1), "live")])
def test_an_alias_and_a_list_are_needed(cloud, given, qualifier):
    with pytest.raises(ValueError, match="weights belong to an alias"):
        of(given, qualifier)


def test_a_panel_invokes_the_alias(cloud):
    weigh({"2": 0.25})
    panel = views.panel(cloud, "hello", {}, qualifier="live", controls={WEIGHTS: POSITIONS})
    assert weights() == {"2": 0.25}  # as it was before the recording
    assert '"memory": "128"' in panel.view.texts[panel.view.grid[0][2]]
    assert '"memory": "192"' in panel.view.texts[panel.view.grid[2][2]]
    panel.turn(WEIGHTS, {"2": 1.0})
    assert weights() == {"2": 1.0} and '"memory": "192"' in panel.view.live["cell"][2]


def test_a_refused_weight_is_said_in_awss_words(cloud):
    panel = views.panel(cloud, "hello", {}, qualifier="live", record=False,
                        controls={WEIGHTS: [{}, {"2": 10}, {"9": 0.5}]})
    panel.turn(WEIGHTS, {"2": 10})
    assert panel.shown.status == "refused" and "less than or equal to 1.0" in panel.shown.sentence
    panel.turn(WEIGHTS, {"9": 0.5})
    assert panel.shown.status == "refused" and "function:hello:9" in panel.shown.sentence


def live(cloud, **more):
    """Thirty requests of two seconds: version 1 answers, version 2 times out."""
    return views.live(cloud, "hello", patterns.constant(10, seconds=3), {WEIGHTS: POSITIONS},
                      {"sleep": 2}, qualifier="live", **more)


def test_traffic_goes_where_the_weight_says(cloud):
    played = live(cloud, record=False)
    shares = []
    for position in POSITIONS:
        played.restart()
        played.turn(WEIGHTS, position)
        played.play()
        found = played.figures()
        assert found["requests"] == 30 == found["answered"] + found["failed"]
        shares.append(found["failed"])
    assert shares[0] == 0 and shares[2] == 30 and 0 < shares[1] < 30


def test_a_turn_in_the_middle(cloud):
    played = live(cloud, record=False)
    page = Page(played)
    played.play(1.0)
    played.turn(WEIGHTS, {"2": 1.0})
    played.play()
    assert played.figures()["failed"] == 19  # those at 0.0, 0.1 … 1.0 s had come
    assert page.film["turns"][-1][:2] == [10_000, "Weight 100 % to version 2"]


def test_every_run_starts_cold_and_the_recording_holds_what_happens(cloud):
    played = live(cloud)
    assert weights() == {}
    page = Page(played)
    played.play()
    first = page.film
    assert first["spans"][3].count(0) == played.figures()["environments"] > 1  # an init each
    played.restart()
    played.play()
    assert page.film == first
    recorded = played.view.films[0]
    assert {name: recorded[name] for name in ("arrivals", "spans")} == {
        name: first[name] for name in ("arrivals", "spans")}
    assert totals(first)["failed"] == 0 and 3 in played.view.films[2]["spans"][3]
