"""Files of questions: what may be in one, what a page gets of it, and those of the book."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from question_files import FEEDBACK, ONE_OF_EACH, unseal

from minilambda import views
from minilambda.views import questions

BOOK = Path(__file__).parents[2] / "book"
FILES = sorted(BOOK.glob("questions/*.toml"))
ASKED = re.compile(r'views\.quiz\(\s*"([^"]+)"')
CHOICE = """[[question]]
ask = "a"
[[question.option]]
text = "x"
why = "w"
right = true
[[question.option]]
text = "y"
why = "v"
"""
NUMBER = '[[question]]\nask = "a"\nnumber = 2\nwhy = "w"\notherwise = "o"\n'
ORDER = '[[question]]\nask = "a"\nsteps = ["x", "y", "z"]\nwhy = "w"\notherwise = "o"\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "each.toml").write_text(ONE_OF_EACH)
    return tmp_path


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [CHOICE, NUMBER, ORDER, ONE_OF_EACH])
def test_a_good_file_is_read(tmp_path, text):
    (tmp_path / "q.toml").write_text(text)
    assert len(questions.load(tmp_path / "q.toml")) == text.count("[[question]]")


@pytest.mark.parametrize(("text", "says"), [
    ("", "tables [[question]]"),
    ("title = 'x'\n" + CHOICE, "tables [[question]]"),
    ("[[question]\n", "at line 1"),
    ('[[question]]\nask = "a"\n', "exactly one of option, number, steps"),
    (NUMBER + 'steps = ["x"]\n', "exactly one of"),
    (CHOICE.replace('ask = "a"', 'ask = " "'), "needs ask"),
    (CHOICE.replace('why = "v"', ""), "option 2: needs why"),
    (CHOICE.replace('why = "v"', 'why = 3'), "option 2: needs why"),
    (CHOICE.replace('text = "y"', ""), "option 2: needs text"),
    (CHOICE.replace('text = "y"', 'text = "x"'), "same text"),
    (CHOICE.replace("right = true\n", ""), "at least one option with right = true"),
    (CHOICE.replace('why = "v"', 'why = "v"\nright = true'), "and one without"),
    (CHOICE.replace("right = true", "right = false"), "right = true"),
    (CHOICE.replace("right = true", "correct = true"), "option 1: an option has"),
    (CHOICE.rpartition("[[question.option]]")[0], "at least two tables"),
    (CHOICE + CHOICE, "two questions ask the same"),
    (NUMBER.replace("2", '"2"'), "needs number, a number"),
    (NUMBER.replace("2", "true"), "needs number, a number"),
    (NUMBER.replace('why = "w"', ""), "needs why"),
    (NUMBER.replace('otherwise = "o"', ""), "needs otherwise"),
    (NUMBER + "tolerance = -1\n", "must not be negative"),
    (NUMBER + "unit = 3\n", "unit must be text"),
    (NUMBER + "hint = 'x'\n", "has hint"),
    (NUMBER + "tolerance = 1\n[[question.near]]\nnumber = 3\nwhy = 'w'\n", "which is right"),
    (NUMBER + "[[question.near]]\nnumber = 3\n", "needs why"),
    (ORDER.replace('["x", "y", "z"]', '["x", "y"]'), "at least three steps"),
    (ORDER.replace('"z"', '"x"'), "each of them another"),
    (ORDER.replace('"z"', "3"), "steps must be texts"),
])
def test_a_bad_file_is_refused_and_says_where(tmp_path, text, says):
    path = tmp_path / "q.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        questions.load(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_names_those_that_are(folder):
    with pytest.raises(FileNotFoundError, match="there is: each"):
        views.quiz("eahc", folder)


# -- what a page gets ------------------------------------------------------------------------------


@given(st.recursive(st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
       st.text())
def test_what_is_sealed_can_be_opened(content, key):
    assert unseal(questions.seal(content, key), key) == content


@given(st.integers(3, 9), st.text())
def test_steps_are_shuffled_alike_every_time_and_never_in_order(count, ask):
    steps = [f"step {place}" for place in range(count)]
    question = {"ask": ask, "steps": steps, "why": "w", "otherwise": "o"}
    shown = questions.public(question, "salt")
    assert shown == questions.public(question, "salt")
    assert sorted(shown["steps"]) == sorted(steps) and shown["steps"] != steps
    order = unseal(shown["sealed"], f"salt/{ask}")["order"]
    assert [shown["steps"][place] for place in order] == steps


def test_the_page_has_the_questions_and_no_answers(folder):
    quiz = views.quiz("each", folder)
    one, many, number, order = quiz.questions
    assert one | {"sealed": ""} == {
        "kind": "choice", "ask": "Which is `one`?", "options": ["Two", "`One`", "<b>Three</b>"],
        "many": False, "sealed": ""}
    assert many["many"] is True
    assert set(number) == {"kind", "ask", "unit", "sealed"} and number["unit"] == "MB"
    assert set(order) == {"kind", "ask", "steps", "sealed"}
    state = json.dumps(quiz.get_state())
    assert [words for words in FEEDBACK if words in state] == [] and "1792" not in state
    assert unseal(one["sealed"], "each/Which is `one`?")["right"] == [1]
    assert unseal(many["sealed"], "each/Which are even – not odd?")["right"] == [0, 2]
    assert unseal(number["sealed"], "each/How many megabytes?")["near"] == [
        [1769, "That is what it is today."]]


def test_whoever_sees_no_widget_reads_the_questions(folder):
    text = repr(views.quiz("each", folder))
    assert "3. How many megabytes?" in text and "   - Thirteen" in text and "   - Go on" in text
    assert [words for words in FEEDBACK if words in text] == []


# -- those of the book -----------------------------------------------------------------------------


def _notebook(questions_file):
    """The notebook that asks the questions of a file, by its name."""
    [found] = BOOK.glob(f"**/{questions_file.stem}.ipynb")
    return found


def notebooks():
    return {path.stem: json.loads(path.read_text()) for path in BOOK.glob("**/*.ipynb")
            if ".ipynb_checkpoints" not in path.parts}


def quizzes(notebook):
    return [name for cell in notebook["cells"] if cell["cell_type"] == "code"
            for name in ASKED.findall("".join(cell["source"]))]


def test_every_quiz_of_the_book_is_there_and_is_asked_where_it_says():
    asked = {stem: quizzes(notebook) for stem, notebook in notebooks().items()}
    assert {stem: names for stem, names in asked.items() if names not in ([], [stem])} == {}
    assert sorted(name for names in asked.values() for name in names) == [p.stem for p in FILES]
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_quiz_of_the_book_is_well_formed(path):
    found = questions.load(path)  # each option has its feedback, and at least one is right
    assert 3 <= len(found) <= 6
    places = Counter(place for question in found if "option" in question
                     for place, option in enumerate(question["option"]) if option.get("right"))
    assert len(places) > 1, "the right answer is always in the same place"
    for question in found:
        words = [option["why"] for option in question.get("option", [])]
        assert len(set(words)) == len(words), "two options say why in the same words"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_right_answer_is_in_the_notebook(path):
    text = _notebook(path).read_text()
    told = json.dumps(json.loads(text), ensure_ascii=False)
    for question in questions.load(path):
        whys = [option["why"] for option in question.get("option", [])]
        whys += [near["why"] for near in question.get("near", [])]
        whys += [question[name] for name in ("why", "otherwise") if name in question]
        assert [why for why in whys if json.dumps(why, ensure_ascii=False)[1:-1] in told] == []
        if "steps" in question:
            assert json.dumps(question["steps"], ensure_ascii=False)[1:-1] not in told
    [quiz] = [model["state"] for model in states(json.loads(text)) if "questions" in model["state"]]
    allowed = {"kind", "ask", "options", "many", "unit", "steps", "sealed"}
    assert all(set(question) <= allowed for question in quiz["questions"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_notebook_holds_the_file_as_it_is_now(path):
    """Whoever edits the questions, or how they are drawn, refreshes the chapter."""
    notebook = json.loads(_notebook(path).read_text())
    [quiz] = [model["state"] for model in states(notebook) if "questions" in model["state"]]
    assert quiz["questions"] == [questions.public(q, path.stem) for q in questions.load(path)]
    assert (quiz["_esm"], quiz["_css"]) == (views.Quiz._esm, views.Quiz._css)


def states(notebook):
    return list(notebook["metadata"].get("widgets", {}).get(
        "application/vnd.jupyter.widget-state+json", {}).get("state", {}).values())


def test_every_guess_of_the_book_is_answered_by_its_run():
    """One of the options happened, and no reader's answer was stored."""
    asked = Counter()
    for stem, notebook in notebooks().items():
        cells = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
        for model in states(notebook):
            state = model["state"]
            if "told" in state:
                asked[stem] += 1
                assert state["actual"] is not None, (stem, state["question"], state["told"])
            if "told" in state or "revealed" in state:
                assert state.get("answer") is None, stem
                drawn = views.Outcome if "told" in state else views.Prediction
                assert (state["_esm"], state["_css"]) == (drawn._esm, drawn._css), stem
        assert cells.count("views.predict(") == cells.count(".reveal(") == asked[stem], stem
    assert len(asked) >= 5
