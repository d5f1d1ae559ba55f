"""A guess before a run: what is kept, what is set beside it; in a real kernel, with nobody there."""

import json

import nbformat
import pytest
import traitlets
from nbclient import NotebookClient

from minilambda import views
from minilambda.views import state

OPTIONS = {"timeout": "An error.", "success": "The result."}


@pytest.fixture
def guess():
    return views.predict("What does the caller get?", OPTIONS)


@pytest.mark.parametrize(("answer", "means"), [(None, None), (0, "timeout"), (1, "success")])
def test_every_answer_is_kept_and_set_beside_what_happened(guess, answer, means):
    guess.answer = answer
    outcome = guess.reveal("success")
    assert guess.guess == means and guess.revealed
    assert (outcome.answer, outcome.actual, outcome.told) == (answer, 1, "The result.")
    assert outcome.names == list(OPTIONS.values()) and outcome.question == guess.question
    assert outcome.link.source[0] is guess and outcome.link.target[0] is outcome


def test_what_none_of_the_options_says_is_shown_as_it_is(guess):
    outcome = guess.reveal("crash")
    assert (outcome.actual, outcome.told) == (None, "crash")


def test_a_list_of_options_names_itself():
    guess = views.predict("Which?", ["one", "two"])
    guess.answer = 1
    assert guess.guess == "two" and guess.reveal("one").actual == 0


@pytest.mark.parametrize(("actual", "told"), [
    (9, "9 environments"), (0.1 + 0.2, "0.3 environments"), (12345, "12,345 environments"),
    (0, "0 environments"), (-2.5, "-2.5 environments"), (1200, "1,200 environments"),
])
def test_a_number_has_its_unit(actual, told):
    guess = views.predict("How many?", unit="environments")
    guess.answer = 10
    outcome = guess.reveal(actual)
    assert guess.guess == 10 and outcome.told == told and outcome.actual == float(actual)


def test_a_bare_number():
    assert repr(views.predict("How many?", unit="").reveal(3)) == "What happened: 3"


@pytest.mark.parametrize("actual", ["9", None, True, float("nan"), float("inf"), [9]])
def test_what_is_no_number_is_refused(actual):
    with pytest.raises(TypeError, match="asks for a number"):
        views.predict("How many?", unit="ms").reveal(actual)


@pytest.mark.parametrize("answer", [-1, 2, 0.5])
def test_an_answer_that_is_none_of_the_options_is_refused(guess, answer):
    with pytest.raises(traitlets.TraitError, match="2 options"):
        guess.answer = answer


@pytest.mark.parametrize(("arguments", "says"), [
    ({"question": " ", "unit": ""}, "empty"), ({"question": "x"}, "options=|unit="),
    ({"question": "x", "options": ["a", "b"], "unit": "ms"}, "options=|unit="),
    ({"question": "x", "options": ["a"]}, "at least two"), ({"question": "x", "options": {}}, "two"),
    ({"question": "x", "options": "ab"}, "at least two"),
    ({"question": "x", "options": ["a", "a"]}, "same text"),
    ({"question": "x", "options": {1: "a", 2: "a"}}, "same text"),
])
def test_what_can_not_be_a_question(arguments, says):
    with pytest.raises(ValueError, match=says):
        views.predict(**arguments)


def test_whoever_sees_no_widget_reads_the_question(guess):
    assert repr(guess) == "What does the caller get?\n1. An error.\n2. The result."


# -- in a kernel -----------------------------------------------------------------------------------

CELLS = [
    "from minilambda import Cloud, views, zip_handler",
    "guess = views.predict('What does the caller get?', {options!r})\nguess",
    "starts = views.predict('How many starts?', unit='cold starts')\nstarts",
    """import boto3, json, pathlib
cloud = Cloud(durations="modelled")
pathlib.Path("app.py").write_text("import time\\ndef handler(e, c): time.sleep(e)")
trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"}}]}
role = boto3.client("iam").create_role(
    RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
lam = boto3.client("lambda")
lam.create_function(FunctionName="f", Runtime="python3.8", Role=role,
    Handler="app.handler", Code={"ZipFile": zip_handler("app.py")})
reply = lam.invoke(FunctionName="f", Payload="10")""",
    "[ended] = cloud.trace.select('invoke.ended')\nguess.reveal(ended['status'])",
    "starts.reveal(len(cloud.trace.select('init.ended')))",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The notebook run twice from the top, with nobody there to answer."""
    notebooks = []
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(cells=[
            nbformat.v4.new_code_cell(cell.replace("{options!r}", repr(OPTIONS))) for cell in CELLS])
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources={
            "metadata": {"path": str(tmp_path_factory.mktemp("run"))}}).execute()
        assert state.keep_shown(notebook) == []
        notebooks.append(notebook)
    return notebooks


def told(notebook):
    return [output["data"]["text/plain"] for cell in notebook["cells"]
            for output in cell["outputs"] if "data" in output]


def test_run_all_reveals_what_happened_to_nobodys_guess(runs):
    assert told(runs[0])[-2:] == ["What happened: An error.", "What happened: 1 cold starts"]


def test_two_runs_give_the_same_notebook(runs):
    first, second = (json.dumps([run["metadata"]["widgets"], told(run)]) for run in runs)
    assert first == second


def test_the_page_can_hand_the_guess_on_without_a_kernel(runs):
    models = runs[0]["metadata"]["widgets"][state.STATE]["state"]
    links = [model["state"] for model in models.values() if model["model_name"] == "LinkModel"]
    ends = {tuple(link[end][0].removeprefix("IPY_MODEL_") for end in ("source", "target"))
            for link in links}
    assert len(ends) == 2
    for asked, shown in ends:
        assert models[asked]["state"]["revealed"] is True
        assert models[shown]["state"]["told"] and models[shown]["state"]["answer"] is None
