"""keep_shown: a notebook holds the state of what it shows, and the same bytes every time."""

import copy
import json

import nbformat
import pytest
from nbclient import NotebookClient

from minilambda.views import state

CELLS = [
    "import sys; sys.path.insert(0, {folder!r})",
    "import ipywidgets\nfrom minilambda import views\nfrom view_fakes import FakeLambda",
    "forgotten = ipywidgets.IntSlider()",
    "views.panel(FakeLambda(), 'hello', {}, memory=(128, 256), timeout=(1, 3))",
    "ipywidgets.HTML('words')",
]


@pytest.fixture(scope="module")
def executed(request):
    folder = str(request.path.parent)
    cells = [cell.replace("{folder!r}", repr(folder)) for cell in CELLS]
    notebooks = []
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
        notebooks.append(notebook)
    return notebooks


@pytest.fixture
def notebooks(executed):
    return copy.deepcopy(executed)


def models(notebook):
    return notebook["metadata"]["widgets"][state.STATE]["state"]


def text(notebook):
    return json.dumps([models(notebook), [cell["outputs"] for cell in notebook["cells"]]])


def test_two_runs_give_the_same_bytes(notebooks):
    assert text(notebooks[0]) != text(notebooks[1])
    for notebook in notebooks:
        assert state.keep_shown(notebook) == []
    assert text(notebooks[0]) == text(notebooks[1])


def test_what_is_shown_stays_with_all_it_refers_to(notebooks):
    notebook = notebooks[0]
    state.keep_shown(notebook)
    kinds = sorted(model["model_name"] for model in models(notebook).values())
    assert kinds.count("SelectionSliderModel") == 2 and kinds.count("LinkModel") == 2
    assert kinds.count("AnyModel") == 1 and kinds.count("HTMLModel") == 1
    assert "IntSliderModel" not in kinds
    for reference in state._REFERENCE.findall(json.dumps(models(notebook))):
        assert reference in models(notebook)
    for view in state._views(notebook):
        assert view["model_id"] in models(notebook)


def test_doing_it_twice_changes_nothing(notebooks):
    state.keep_shown(notebooks[0])
    once = text(notebooks[0])
    state.keep_shown(notebooks[0])
    assert text(notebooks[0]) == once


def test_a_notebook_without_widgets_has_no_state(notebooks):
    notebook = notebooks[0]
    for cell in notebook["cells"]:
        cell["outputs"] = []
    assert state.keep_shown(notebook) == []
    assert "widgets" not in notebook["metadata"]


def test_a_view_without_its_state_is_told(notebooks):
    notebook = notebooks[0]
    del notebook["metadata"]["widgets"]
    assert len(state.keep_shown(notebook)) == 2
