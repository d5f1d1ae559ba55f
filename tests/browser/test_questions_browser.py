"""The book's guesses and quizzes, in the built page (no kernel) and in JupyterLab: by keyboard."""

import json
import re
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from browser_driver import ROOT, SCREENSHOTS, WIDTHS, axe_findings
from test_lab import CELLS, CHAPTER, lab  # noqa: F401 - the fixture is used by name

sys.path.insert(0, str(Path(__file__).parents[1] / "views"))
from question_files import ONE_OF_EACH  # noqa: E402

FILES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["question"]
         for path in sorted((ROOT / "book" / "questions").glob("*.toml"))}
GUESSES = ["intro", *FILES]
PAGE = {path.stem: path.relative_to(ROOT).with_suffix("").as_posix()
        for path in (ROOT / "book").glob("**/*.ipynb") if ".ipynb_checkpoints" not in path.parts}


def feedback(questions):
    """Every sentence that says why, of a file of questions."""
    for question in questions:
        for table in (question, *question.get("option", []), *question.get("near", [])):
            yield from (table[name] for name in ("why", "otherwise") if name in table)


def plain(text):
    return text.replace("`", "")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def check(form):
    form.get_by_role("button", name="Check").focus()
    form.page.keyboard.press("Enter")


def pick(form, place):
    """Give the answer at a place by keyboard: the box, or the radio button and then the arrows."""
    inputs = form.locator("input")
    if inputs.first.get_attribute("type") == "checkbox":
        inputs.nth(place).focus()
        press(form.page, "Space")
        return
    inputs.first.focus()
    press(form.page, "Space", *["ArrowDown"] * place)


def answer(form, question, right: bool):
    """Answer by keyboard, right or wrong, and press Check; gives what is said, in lower case."""
    if "option" in question:
        options = question["option"]
        if any(box.is_checked() for box in form.locator("input").all()):
            for box in form.get_by_role("checkbox").all():
                if box.is_checked():
                    box.focus()
                    press(form.page, "Space")
        for place, option in enumerate(options):
            if option.get("right", False) is right:
                pick(form, place)
                if not right:
                    break
    elif "number" in question:
        form.get_by_role("textbox").focus()
        press(form.page, "ControlOrMeta+a")
        form.page.keyboard.type(str(question["number"] + (0 if right else 17)))
    else:
        steps = form.locator(".steps > li > span")
        wanted = [plain(step) for step in question["steps"]]
        for place, step in enumerate(wanted if right else wanted[::-1]):
            while steps.all_inner_texts().index(step) > place:
                form.get_by_role("button", name=f"Move up: {step}", exact=True).focus()
                press(form.page, "Enter")
    check(form)
    return form.locator(".says").inner_text()


# -- the built page --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_every_question_is_answered_wrong_and_right_by_keyboard(visit, name):
    page, listener = visit(PAGE[name])
    forms = page.locator(".minilambda-quiz form")
    assert forms.count() == len(FILES[name])
    for place, question in enumerate(FILES[name]):
        form = forms.nth(place)
        answer(form, question, right=False)
        assert form.get_attribute("data-verdict") == "wrong", question["ask"]
        said = answer(form, question, right=True)
        assert form.get_attribute("data-verdict") == "right", question["ask"]
        for option in question.get("option", []):
            assert (plain(option["why"]) in said) is option.get("right", False)
    assert page.locator(".minilambda-quiz").get_attribute("data-right") == str(len(FILES[name]))
    assert listener.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", list(WIDTHS))
def test_answered_questions_are_accessible(visit, width, theme):
    """A guess, what happened beside it, and a quiz with all its feedback on show."""
    name = "03-first-function"
    page, listener = visit(PAGE[name], width, theme)
    for box in page.locator(".minilambda-predict").all():
        field = box.locator("input").first
        field.focus()
        press(page, "Space") if field.get_attribute("type") == "radio" else page.keyboard.type("10")
        press(page, "Enter")
    forms = page.locator(".minilambda-quiz form")
    for place, question in enumerate(FILES[name]):
        answer(forms.nth(place), question, right=place % 2 == 0)
    shows = page.get_by_role("button", name="Show the answer")
    shows.last.focus()
    press(page, "Enter")
    assert axe_findings(page) == []
    sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0
    for part in ("predict", "outcome", "quiz"):
        page.locator(f".minilambda-{part}").first.screenshot(
            path=SCREENSHOTS / f"questions-{part}-{width}-{theme}.png")
    assert listener.problems == []


@pytest.mark.parametrize("name", GUESSES)
def test_a_guess_without_a_kernel_stands_beside_the_recorded_outcome(visit, name):
    page, listener = visit(PAGE[name])
    asked, shown = page.locator(".minilambda-predict"), page.locator(".minilambda-outcome")
    assert asked.count() == shown.count() > 0
    for place in range(asked.count()):
        assert shown.nth(place).get_attribute("data-verdict") == "open"
        happened = shown.nth(place).locator("dd").nth(1).inner_text()
        assert happened
        box = asked.nth(place)
        field = box.locator("input").first
        field.focus()
        if field.get_attribute("type") == "radio":
            labels = [label.inner_text() for label in box.locator("label").all()]
            press(page, "Space", *["ArrowDown"] * labels.index(happened))
        else:
            page.keyboard.type(happened)
        press(page, "Enter")
        page.wait_for_function(
            """place => document.querySelectorAll(".minilambda-outcome")[place].dataset.verdict
               === "right" """, arg=place)
        assert shown.nth(place).locator("dd").first.inner_text().startswith(happened)
    assert listener.problems == []


def test_no_right_answer_can_be_read_from_the_built_book(book):
    """Not in the pages, not in the notebooks that can be downloaded, not in the search index."""
    told = [json.dumps(why)[1:-1] for questions in FILES.values() for why in feedback(questions)]
    told += [why for questions in FILES.values() for why in feedback(questions)]
    found = []
    for path in book.folder.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".js", ".txt", ".json", ".toml") and (
                "vendor" not in path.parts):
            text = path.read_text(encoding="utf-8")
            found += [(path.name, why) for why in told if why in text]
            assert not re.search(r"right\s*=\s*true", text), path.name
    assert found == []


def test_widgets_share_their_scripts(book):
    """No page carries a widget's script or style: they are in files that all pages share."""
    for name in FILES:
        page = (book.folder / f"{PAGE[name]}.html").read_text(encoding="utf-8")
        parts = set(re.findall(r"minilambda-part:([0-9a-f]{16})", page))
        assert parts and "export default" not in page
        for part in parts:
            assert (book.folder / "_static" / "widget-parts" / f"{part}.js").is_file()


def test_questions_work_in_a_page_that_was_opened_as_a_file(chromium, book):
    page = chromium.new_page()
    page.goto((book.folder / "book" / "03-first-function.html").as_uri())
    form = page.locator(".minilambda-quiz form").first
    form.wait_for()
    answer(form, FILES["03-first-function"][0], right=True)
    verdict = form.get_attribute("data-verdict")
    page.close()
    assert verdict == "right"


# -- JupyterLab ------------------------------------------------------------------------------------

SOURCES = [
    "from minilambda import views\n"
    "guess = views.predict('How many?', unit='environments')\nguess",
    "other = views.predict('Which?', {'a': 'Apples', 'b': 'Bananas'})\nother",
    "guess.reveal(9)",
    "other.reveal('b')",
    "print(guess.guess, other.guess)",
    "views.quiz('each')",
]


# What the cell at a place has printed, as JupyterLab holds it.
OUTPUT = """(place) => window.jupyterapp.shell.currentWidget.content.model.cells.get(place)
    .outputs.toJSON().map((output) => output.text ?? "").join("")"""


def run_cell(page, place):
    """Run one cell; returns when it has run."""
    page.evaluate("""(place) => {
      window.jupyterapp.shell.currentWidget.content.activeCellIndex = place;
      return window.jupyterapp.commands.execute("notebook:run-cell");
    }""", place)


def kernel_has(page, guesses):
    """The cell that prints the guesses prints these: the browser's word for it may be under way."""
    for _ in range(100):
        run_cell(page, 4)
        if page.evaluate(OUTPUT, 4) == f"{guesses}\n":
            return
    pytest.fail(f"the kernel has {page.evaluate(OUTPUT, 4)}")


@pytest.mark.timeout(240)
def test_in_jupyterlab_the_kernel_has_the_guess_before_the_run(chromium, lab, tmp_path):  # noqa: F811
    folder = tmp_path / "book"
    (folder / "questions" / "each.toml").write_text(ONE_OF_EACH)
    nbformat.write(nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in SOURCES],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}),
        folder / "ask.ipynb")
    page = chromium.new_page(viewport=WIDTHS["wide"])
    page.goto(lab.replace(CHAPTER, "ask.ipynb"))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function("() => Boolean(window.jupyterapp?.shell.currentWidget?.sessionContext)")
    page.wait_for_function(f"() => ({CELLS})().status === 'idle'", timeout=60_000)

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".minilambda-quiz").wait_for(timeout=60_000)
    # Nobody has answered: nothing is lost.
    assert page.evaluate(OUTPUT, 4) == "None None\n"
    verdicts = """() => Array.from(document.querySelectorAll(".minilambda-outcome"),
        (element) => element.dataset.verdict).join()"""
    page.wait_for_function(f"() => ({verdicts})() === 'open,open'", timeout=30_000)

    page.locator(".minilambda-predict").first.get_by_role("textbox").focus()
    page.keyboard.type("10")
    press(page, "Enter")
    page.get_by_label("Apples").focus()
    press(page, "Space", "ArrowDown", "Enter")
    page.wait_for_function(f"() => ({verdicts})() === 'wrong,right'", timeout=30_000)
    kernel_has(page, "10 b")

    # The questions' cells anew: what was guessed before is there, and reaches the kernel again.
    page.evaluate("document.querySelectorAll('.minilambda-ask').forEach((e) => e.dataset.old = 1)")
    for place in (0, 1, 2, 3):
        run_cell(page, place)
    page.wait_for_function(
        f"""() => ({verdicts})() === 'wrong,right'
             && !document.querySelector(":is(.minilambda-predict, .minilambda-outcome)[data-old]")""",
        timeout=30_000)
    kernel_has(page, "10 b")

    forms = page.locator(".minilambda-quiz form")
    for place, right in enumerate(tomllib.loads(ONE_OF_EACH)["question"]):
        form = forms.nth(place)
        form.scroll_into_view_if_needed()
        answer(form, right, right=False)
        assert form.get_attribute("data-verdict") == "wrong"
        answer(form, right, right=True)
        assert form.get_attribute("data-verdict") == "right"
    count = page.evaluate("window.jupyterapp.shell.currentWidget.content.model.cells.length")
    assert count == len(SOURCES), "a key that was meant for a question went to the notebook"
    found = [line for line in axe_findings(page) if "minilambda" in line]
    page.screenshot(path=SCREENSHOTS / "lab-questions.png")
    page.close()
    assert found == []
