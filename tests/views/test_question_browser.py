"""predict.js, outcome.js and quiz.js in a real browser, on models made up on the page: by keyboard."""

import json
import re

import pytest
from browser_driver import WIDTHS, axe_findings
from question_files import FEEDBACK, ONE_OF_EACH

from minilambda import views

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>questions</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ --pst-color-text-base: {text}; --pst-color-text-muted: {quiet};
--pst-color-border: #777; }} body {{ background: {paper}; color: {text}; }} {css}</style></head>
<body><main><h1>Questions</h1><div id="here"></div></main></body></html>"""
THEMES = {"light": {"text": "#222832", "quiet": "#48566b", "paper": "#ffffff"},
          "dark": {"text": "#ced6dd", "quiet": "#9ca4af", "paper": "#121212"}}
# Shows [source, state] pairs, each with a model of its own; window.models has them. As a link would,
# an answer goes from the first to the others.
START = """async (widgets) => {
  window.models = [];
  for (const [source, state] of widgets) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const view = (await import(url)).default;
    const listeners = {}, number = window.models.length;
    const model = {
      saved: 0,
      get: (name) => state[name],
      set: (name, value) => {
        if (state[name] === value) return;
        state[name] = value;
        (listeners[`change:${name}`] ?? []).forEach((f) => f());
        if (name === "answer" && !number) models.slice(1).forEach((m) => m.set(name, value));
      },
      on: (name, f) => (listeners[name] ??= []).push(f),
      save_changes: () => { model.saved += 1; },
    };
    window.models.push(model);
    const el = document.createElement("div");
    document.getElementById("here").append(el);
    view.render({ model, el });
  }
}"""
INTERNAL = ("layout", "comm", "tabbable", "tooltip")


def shown(widget):
    state = {name: getattr(widget, name) for name in widget.trait_names(sync=True)
             if not name.startswith("_") and name not in INTERNAL}
    return [widget._esm, json.loads(json.dumps(state))]


@pytest.fixture
def open_page(chromium):
    contexts = []

    def start(*widgets, width="wide", theme="light"):
        contexts.append(chromium.new_context(viewport=WIDTHS[width]))
        page = contexts[-1].new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: page.problems.append(message.text))
        page.set_content(PAGE.format(css=views.Quiz._css, **THEMES[theme]))
        page.evaluate(START, [shown(widget) for widget in widgets])
        return page

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def quiz(tmp_path_factory):
    folder = tmp_path_factory.mktemp("questions")
    (folder / "each.toml").write_text(ONE_OF_EACH)
    return views.quiz("each", folder)


def form(page, place):
    return page.locator(".minilambda-quiz form").nth(place)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def says(place):
    return re.sub(r"\n+", "\n", place.locator(".says").inner_text())


def focused(page):
    return page.evaluate("""() => {
      const now = document.activeElement;
      return now.getAttribute("aria-label") ?? now.closest("label")?.innerText ?? now.innerText;
    }""")


# -- a guess ---------------------------------------------------------------------------------------


def guess_and_outcome(reveal=True):
    guess = views.predict("What comes of `ten`?", {"a": "An error.", "b": "The `result`.", "c": "None."})
    return (guess, guess.reveal("b")) if reveal else (guess,)


def predict(page):
    return page.locator(".minilambda-predict")


def outcome(page):
    return page.locator(".minilambda-outcome")


def test_a_right_guess_by_keyboard_stands_beside_what_happened(open_page):
    page = open_page(*guess_and_outcome())
    assert predict(page).locator("legend").inner_text() == "Your guess What comes of ten?"
    assert outcome(page).locator("dd").all_inner_texts() == [
        "You made none. The question is further up.", "The result."]
    assert outcome(page).get_attribute("data-verdict") == "open"
    press(page, "Tab", "Space", "ArrowDown", "Tab")
    assert focused(page) == "Keep my guess"
    assert predict(page).get_attribute("data-state") == "open"
    press(page, "Enter")
    assert predict(page).get_attribute("data-state") == "final"
    assert page.evaluate("models[0].get('answer')") == 1 and page.evaluate("models[0].saved") == 1
    assert focused(page) == "Guess kept"
    assert "further down" in says(predict(page))
    assert outcome(page).locator("dd").all_inner_texts() == ["The result.", "The result."]
    assert outcome(page).get_attribute("data-verdict") == "right"
    assert says(outcome(page)) == "✓ As you said."
    press(page, "Enter")  # final: nothing more happens
    assert page.evaluate("models[0].saved") == 1 and page.problems == []


def test_a_wrong_guess(open_page):
    page = open_page(*guess_and_outcome())
    page.get_by_label("None.").check()
    page.get_by_role("button").click()
    assert outcome(page).locator("dd").all_inner_texts() == ["None.", "The result."]
    assert outcome(page).get_attribute("data-verdict") == "wrong"
    assert says(outcome(page)) == "≠ Not what you said."


def test_without_an_answer_the_button_says_what_is_missing(open_page):
    page = open_page(*guess_and_outcome())
    press(page, "Tab", "Tab", "Enter")
    assert says(predict(page)) == "Pick one of the answers first."
    assert page.evaluate("models[0].saved") == 0


def test_before_the_run_a_guess_may_be_changed_and_then_not(open_page):
    page = open_page(*guess_and_outcome(reveal=False))
    page.get_by_label("None.").check()
    press(page, "Enter")
    assert predict(page).get_attribute("data-state") == "kept"
    assert page.get_by_label("An error.").is_disabled()
    press(page, "Tab", "Enter")
    assert predict(page).get_attribute("data-state") == "open"
    page.get_by_label("An error.").check()
    page.get_by_role("button").click()
    page.evaluate("models[0].set('revealed', true)")
    assert predict(page).get_attribute("data-state") == "final"
    page.get_by_role("button").click(force=True)
    assert page.evaluate("models[0].get('answer')") == 0


def test_running_the_cell_once_more_does_not_lose_the_guess(open_page):
    page = open_page(*guess_and_outcome(reveal=False))
    page.get_by_label("None.").check()
    page.get_by_role("button").click()
    page.evaluate("document.getElementById('here').replaceChildren()")
    page.evaluate(START, [shown(widget) for widget in guess_and_outcome(reveal=False)])
    assert predict(page).get_attribute("data-state") == "kept"
    assert page.get_by_label("None.").is_checked()
    assert [page.evaluate(f"models[0].{part}") for part in ("get('answer')", "saved")] == [2, 1]
    page.evaluate(START, [shown(views.predict("Something else?", ["An error.", "None."]))])
    assert predict(page).last.get_attribute("data-state") == "open"


@pytest.mark.parametrize(("typed", "number", "words"), [
    ("9", 9, "✓ As you said."), ("10", 10, "≠ Your guess is 1 too high."),
    (" 9 environments", 9, "✓ As you said."), ("0.5", 0.5, "≠ Your guess is 8.5 too low."),
    ("0,5", 0.5, "≠ Your guess is 8.5 too low."), ("1,234", 1234, "≠ Your guess is 1,225 too high."),
    ("−1", -1, "≠ Your guess is 10 too low."), ("1 000", 1000, "≠ Your guess is 991 too high."),
])
def test_a_number_is_set_beside_what_happened(open_page, typed, number, words):
    guess = views.predict("How many?", unit="environments")
    page = open_page(guess, guess.reveal(9))
    press(page, "Tab")
    page.keyboard.type(typed)
    press(page, "Enter")
    assert page.evaluate("models[0].get('answer')") == number
    assert says(outcome(page)) == words
    assert outcome(page).locator("dd").nth(1).inner_text().startswith("9 environments")
    assert outcome(page).locator(".bar").count() == (2 if number >= 0 else 0)
    assert page.problems == []


@pytest.mark.parametrize("typed", ["", "nine", "9 9x", "1,2,3", "--1", "1e3", "."])
def test_what_is_no_number_is_asked_for_again(open_page, typed):
    page = open_page(views.predict("How many?", unit="environments"))
    page.get_by_role("textbox").fill(typed)
    press(page, "Tab", "Enter")
    assert says(predict(page)) == "Type a number, such as 12 or 0.5."
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"
    page.get_by_role("textbox").fill("7")
    press(page, "Enter")
    assert page.get_by_role("textbox").get_attribute("aria-invalid") is None
    assert page.evaluate("models[0].get('answer')") == 7


def test_an_outcome_that_no_option_names(open_page):
    guess = views.predict("What?", ["a", "b"])
    page = open_page(guess, guess.reveal("<b>crash</b>"))
    page.get_by_label("a", exact=True).check()
    page.get_by_role("button").click()
    assert outcome(page).locator("dd").all_inner_texts() == ["a", "<b>crash</b>"]
    assert outcome(page).get_attribute("data-verdict") == "wrong"


# -- a quiz ----------------------------------------------------------------------------------------


def test_one_right_answer_by_keyboard(open_page, quiz):
    page = open_page(quiz)
    first = form(page, 0)
    press(page, "Tab", "Space", "Tab")
    assert focused(page) == "Check"
    press(page, "Enter")
    assert first.get_attribute("data-verdict") == "wrong"
    assert says(first) == "✗ Not yet.\nTwo Two is more than that."
    press(page, "Shift+Tab", "ArrowDown")
    assert first.get_attribute("data-verdict") is None and says(first) == ""
    press(page, "Enter")
    assert first.get_attribute("data-verdict") == "right"
    assert says(first) == "✓ Right.\nOne One it is, as it says."
    press(page, "ArrowDown", "Enter")
    assert "<b>Three</b> Three is <i>far</i> too many." in says(first)
    assert page.problems == []


def test_several_right_answers_by_keyboard(open_page, quiz):
    page = open_page(quiz)
    second = form(page, 1)
    assert "Several answers are right." in second.locator("legend").inner_text()
    second.get_by_role("button", name="Check").focus()
    press(page, "Enter")
    assert says(second) == "Tick at least one answer."
    press(page, "Shift+Tab", "Space", "Enter")
    assert second.get_attribute("data-verdict") == "partly"
    assert "there is more" in says(second) and "seven and seven" in says(second)
    press(page, "Shift+Tab", "Space", "Enter")
    assert second.get_attribute("data-verdict") == "wrong"
    assert "leaves one over" in says(second)
    press(page, "Space", "Shift+Tab", "Space", "Enter")
    assert second.get_attribute("data-verdict") == "right"
    assert "six and six: ½ of 24" in says(second) and "leaves" not in says(second)


@pytest.mark.parametrize(("typed", "verdict", "words"), [
    ("1792", "right", "buys a whole processor"), ("1,791 MB", "right", "buys a whole processor"),
    ("1769", "wrong", "what it is today"), ("3008", "wrong", "the table once more"),
    ("1794", "wrong", "the table once more"), ("much", None, "Type a number"),
])
def test_a_number_by_keyboard(open_page, quiz, typed, verdict, words):
    page = open_page(quiz)
    third = form(page, 2)
    third.get_by_role("textbox").focus()
    page.keyboard.type(typed)
    press(page, "Enter")
    assert third.get_attribute("data-verdict") == verdict and words in says(third)
    assert page.problems == []


def test_an_order_by_keyboard(open_page, quiz):
    page = open_page(quiz)
    last = form(page, 3)
    steps = last.locator(".steps > li > span")
    right = ["Begin", "Go on", "Slow down", "Stop"]
    assert sorted(steps.all_inner_texts()) == sorted(right) != steps.all_inner_texts()
    last.get_by_role("button", name="Check").focus()
    press(page, "Enter")
    assert last.get_attribute("data-verdict") == "wrong" and "before it began" in says(last)
    for place, step in enumerate(right):
        while (now := steps.all_inner_texts().index(step)) > place:
            last.get_by_role("button", name=f"Move up: {step}").focus()
            press(page, "Enter")
            assert focused(page) == f"Move up: {step}"
            assert says(last) == f"{step}: now {now} of 4."
            assert last.get_attribute("data-verdict") is None
    last.get_by_role("button", name="Check").focus()
    press(page, "Enter")
    assert last.get_attribute("data-verdict") == "right" and "from the start" in says(last)
    ends = [last.get_by_role("button", name=name) for name in ("Move up: Begin", "Move down: Stop")]
    assert [end.get_attribute("aria-disabled") for end in ends] == ["true", "true"]
    for end in ends:
        end.focus()
        press(page, "Enter")
    assert steps.all_inner_texts() == right
    last.get_by_role("button", name="Move down: Slow down").focus()
    press(page, "Space")
    last.get_by_role("button", name="Check").click()
    assert "The first 2 steps are in place." in says(last)
    assert page.problems == []


@pytest.mark.parametrize(("place", "words"), [
    (0, ["One it is"]), (1, ["six and six", "seven and seven"]), (2, ["1,792 MB", "whole processor"]),
    (3, ["Begin\nGo on\nSlow down\nStop", "from the start"]),
])
def test_after_a_try_the_answer_is_shown_to_whoever_asks(open_page, quiz, place, words):
    page = open_page(quiz)
    question = form(page, place)
    show = question.get_by_role("button", name="Show the answer")
    assert not show.is_visible()
    if place == 2:
        question.get_by_role("textbox").fill("1")
    elif place < 2:
        question.get_by_role("radio" if place == 0 else "checkbox").first.check()
    question.get_by_role("button", name="Check").click()
    show.focus()
    press(page, "Enter")
    assert question.get_attribute("data-verdict") == "shown" and focused(page) == "Show the answer"
    assert [part for part in words if part not in says(question)] == []


def test_what_is_right_is_counted(open_page, quiz):
    page = open_page(quiz)
    score = page.locator(".score")
    assert score.inner_text() == "0 of 4 right"
    form(page, 0).get_by_label("One", exact=True).check()
    form(page, 0).get_by_role("button", name="Check").click()
    form(page, 2).get_by_role("textbox").fill("1792")
    press(page, "Enter")
    assert score.inner_text() == "2 of 4 right"
    form(page, 0).get_by_label("Two", exact=True).check()
    assert score.inner_text() == "1 of 4 right"


def test_questions_are_groups_with_names_and_what_is_said_is_announced(open_page, quiz):
    page = open_page(quiz)
    assert page.get_by_role("group", name="1. Which is one?").get_by_role("radio").count() == 3
    assert page.get_by_role("group", name="Questions of each").count() == 1
    assert page.get_by_role("textbox", name="Your answer MB").count() == 1
    assert page.get_by_role("status").count() == 4
    assert page.locator(".minilambda-ask b, .minilambda-ask i").count() == 0
    assert page.locator(".minilambda-ask [id]").count() == 0  # nothing that two views could share
    order = page.evaluate("""() => Array.from(document.querySelectorAll("button, input"))
        .every((element) => element.tabIndex === 0)""")
    assert order, "the focus goes through the page as it is read"


def test_two_views_of_a_quiz_do_not_disturb_each_other(open_page, quiz):
    page = open_page(quiz, quiz)
    for place in (0, 4):
        form(page, place).get_by_label("Two", exact=True).check()
    assert page.get_by_label("Two", exact=True).first.is_checked()


def test_no_answer_is_on_the_page_before_one_is_asked_for(open_page, quiz):
    page = open_page(quiz)
    html = page.content()
    assert [words for words in FEEDBACK if words in html] == [] and "1792" not in html


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_readable_everywhere_before_and_after(open_page, quiz, width, theme):
    number = views.predict("How many?", unit="environments")
    page = open_page(quiz, number, number.reveal(9), *guess_and_outcome(), width=width, theme=theme)
    assert axe_findings(page) == []
    page.locator(".minilambda-predict").first.get_by_role("textbox").fill("4")
    press(page, "Enter")
    form(page, 0).get_by_label("Two", exact=True).check()
    form(page, 2).get_by_role("textbox").fill("1792")
    for place in range(4):
        form(page, place).get_by_role("button", name="Check").click()
    for show in page.get_by_role("button", name="Show the answer").all()[1:]:
        show.click()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]["width"]
    assert page.problems == []
