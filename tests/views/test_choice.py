"""A choice of configurations, and the picture of /opt, against a real cloud; choice.js in a browser."""

import io
import json
import zipfile
from pathlib import Path

import boto3
import pytest
from browser_driver import WIDTHS, axe_findings
from botocore.exceptions import ClientError

from minilambda import Cloud, views
from minilambda.views.choice import ChoiceView

FOLDER = Path(views.__file__).parent
SOURCE = "import os\ndef handler(event, context): return open('/opt/who').read() + event\n"
STATE = ("function", "legend", "names", "index", "recorded", "live")


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def lambda_():
    """A client of a cloud with a function ``f`` and two layers, ``one`` and ``two``."""
    with Cloud(durations="modelled"):
        client = boto3.client("lambda")
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                           "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
        client.create_function(FunctionName="f", Runtime="python3.8", Role=role,
                               Handler="app.handler", Code={"ZipFile": zipped(**{"app.py": SOURCE})})
        client.layers = [client.publish_layer_version(LayerName=name, Content={"ZipFile": content})[
            "LayerVersionArn"] for name, content in {
                "one": zipped(who="1", only__one="", deep__a__b="x"), "two": zipped(who="2")}.items()]
        yield client


def choices(one, two):
    return {"one, two": {"Layers": [one, two]}, "two, one": {"Layers": [two, one]},
            "none": {"Layers": []}, "twice": {"Layers": [one, one]}, "slow": {"Timeout": 1}}


@pytest.fixture
def choice(lambda_):
    return views.choice(lambda_, "f", choices(*lambda_.layers), event="!", legend="Layers of f")


def test_all_are_run_beforehand_and_the_first_is_set(lambda_, choice):
    assert choice.view.names == list(choices("", ""))
    assert [[status, document] for status, _, document in choice.view.recorded[:2]] == [
        ["success", '"2!"'], ["success", '"1!"']]
    failed, refused = choice.view.recorded[2:4]
    assert failed[0] == "error" and "No such file or directory: '/opt/who'" in failed[2]
    assert refused[0] == "refused" and "AWS refused UpdateFunctionConfiguration" in refused[1]
    now = lambda_.get_function_configuration(FunctionName="f")
    assert [layer["Arn"] for layer in now["Layers"]] == lambda_.layers
    assert choice.view.live == {} and repr(choice) == "Choice of 5 for f. Run this cell to pick."


def test_picking_one_sets_and_runs_it(lambda_, choice):
    choice.view.index = 1
    assert choice.view.live == {"index": 1, "count": 1, "cell": choice.view.recorded[1]}
    assert choice.shown.status == "success" and choice.shown.billed_ms == 100
    now = lambda_.get_function_configuration(FunctionName="f")
    assert [layer["Arn"] for layer in now["Layers"]] == lambda_.layers[::-1]
    choice.view.index = 2
    assert (choice.view.live["count"], choice.view.live["cell"][0]) == (2, "error")


def test_what_can_not_be_a_choice(lambda_):
    with pytest.raises(ValueError, match="at least two"):
        views.choice(lambda_, "f", {"one": {"Timeout": 1}})
    with pytest.raises(TypeError, match="JSON"):
        views.choice(lambda_, "f", choices(*lambda_.layers), event={1, 2})
    with pytest.raises(ClientError, match="Function not found"):
        views.choice(lambda_, "g", choices(*lambda_.layers))


def test_which_file_of_opt_is_whose(lambda_):
    one, two = lambda_.layers
    lambda_.update_function_configuration(FunctionName="f", Layers=[one, two])
    figure = views.opt("f", lambda_)
    assert figure.layout.meta["sentence"] == (
        "/opt of f: 3 files from 2 layers; a later layer covers 1 file of an earlier one.")
    assert list(figure.layout.meta["rows"]) == [
        ["deep/a/b", "one:1", "–"], ["only/one", "one:1", "–"], ["who", "two:1", "one:1"]]
    drawn = {trace.name: list(zip(trace.x, trace.y, strict=True)) for trace in figure.data}
    assert drawn == {"in /opt": [(0, 0), (0, 1), (1, 2)], "covered by a later layer": [(0, 2)]}
    lambda_.update_function_configuration(FunctionName="f", Layers=[one])
    assert "no layer covers a file of another" in views.opt("f", lambda_).layout.meta["sentence"]
    lambda_.update_function_configuration(FunctionName="f", Layers=[])
    with pytest.raises(ValueError, match="'f' has no layers"):
        views.opt("f", lambda_)


def test_many_files_are_drawn_as_folders(lambda_):
    """A folder is a layer's if any of its files is in /opt, and covered when none of them is."""
    many = {f"python__big__{n}__{m}.py": "" for n in range(10) for m in range(5)}
    base = lambda_.publish_layer_version(
        LayerName="many", Content={"ZipFile": zipped(**many, data__x="")})["LayerVersionArn"]
    some = lambda_.publish_layer_version(LayerName="some", Content={"ZipFile": zipped(
        **{"python__big__0__0.py": "", "data__x": ""})})["LayerVersionArn"]
    lambda_.update_function_configuration(FunctionName="f", Layers=[base, some])
    rows = {row: rest for row, *rest in views.opt("f", lambda_).layout.meta["rows"]}
    assert rows["data/x"] == ["some:1", "many:1"]
    assert rows["python/big/0/…"] == ["many:1 and some:1", "–"]
    assert rows["python/big/9/…"] == ["many:1", "–"] and len(rows) == 11


# -- choice.js -------------------------------------------------------------------------------------

START = """async ([source, state]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const view = (await import(url)).default;
  const listeners = {};
  window.model = {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      (listeners[`change:${name}`] ?? []).forEach((f) => f());
    },
    on: (name, f) => (listeners[name] ??= []).push(f),
    save_changes: () => { window.saved = state.index; },
  };
  view.render({ model: window.model, el: document.getElementById("here") });
}"""


@pytest.fixture
def page(chromium, choice):
    context = chromium.new_context(viewport=WIDTHS["phone"])
    page = context.new_page()
    page.set_content(f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>
        <style>{(FOLDER / "choice.css").read_text()}</style></head>
        <body><main><h1>Choice</h1><div id="here"></div></main></body></html>""")
    state = {name: getattr(choice.view, name) for name in STATE}
    page.evaluate(START, [ChoiceView._esm, state])
    yield page
    context.close()


def test_the_recording_is_shown_by_keyboard_and_mouse(page):
    box = page.locator(".minilambda-choice")
    assert box.locator("legend").text_content() == "Layers of f"
    assert page.get_by_label("one, two").is_checked()
    assert box.locator("pre").text_content() == '"2!"'
    page.evaluate("document.addEventListener('keydown', (event) => { window.heard = event.key; })")
    page.get_by_label("one, two").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("window.heard") is None  # JupyterLab would go to the next cell
    assert box.locator("pre").text_content() == '"1!"' and page.evaluate("saved") == 1
    page.get_by_label("twice").check()
    assert box.get_attribute("data-status") == "refused"
    assert box.locator("p").first.text_content().startswith("Refused by AWS: AWS refused")
    assert not box.locator("pre").is_visible()
    assert "A recorded run" in box.locator(".note").text_content()
    assert axe_findings(page) == []


def test_the_kernels_own_call_takes_the_recordings_place(page):
    page.evaluate("""() => model.set("live",
        {index: 0, count: 3, cell: ["success", "The function returned a result.", "live!"]})""")
    box = page.locator(".minilambda-choice")
    assert box.locator("pre").text_content() == "live!"
    assert "call 3 of this choice" in box.locator(".note").text_content()
    page.get_by_label("none").check()
    assert box.get_attribute("data-source") == "recorded"
