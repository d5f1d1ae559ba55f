"""The author's notebook, and the student's that is made from it."""

import ast
import json
import shutil

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from minilambda.cli import main
from minilambda.grading.lab import STUB, Lab, LabError, find, stub
from minilambda.grading.release import student_notebook, text

from .hand_in import LAB, ROOT


def test_every_student_notebook_is_what_its_lab_makes():
    labs = [path.parent for path in ROOT.glob("labs/*/lab.ipynb")]
    assert labs
    for folder in labs:
        stored = (folder / "student.ipynb").read_text(encoding="utf-8")
        assert stored == text(Lab.load(folder)), f"run: minilambda release {folder.name}"


def test_the_student_notebook_gives_nothing_away():
    released = text(LAB)
    assert "SOLUTION" not in released
    assert '"B-1"' not in released and "D-4" not in released  # events of hidden checks
    hidden = [check.cell.source for check in LAB.checks if check.hidden]
    ids = [cell.id for cell in student_notebook(LAB).cells]
    assert len(hidden) == 3
    assert not [check.id for check in LAB.checks if check.hidden and check.id in ids]
    for cell in student_notebook(LAB).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    for answer in LAB.answers.values():
        solution = answer.source.split("### BEGIN SOLUTION\n")[1].split("### END")[0]
        assert all(line not in released for line in solution.split("\n") if len(line) > 30)


def test_every_answer_says_what_to_do_and_runs_as_it_is():
    for cell in student_notebook(LAB).cells:
        if cell.id in LAB.answers:
            assert cell.source.count(STUB) == 1
            says = [line for line in cell.source.split("\n") if line.strip() not in (STUB, "")]
            assert len(says) >= 1
            first, _, rest = cell.source.partition("\n")
            ast.parse(rest if first.startswith("%%writefile")
                      else TransformerManager().transform_cell(cell.source))


def test_students_can_change_answers_only():
    for cell in student_notebook(LAB).cells:
        assert cell.metadata.get("editable", True) == (cell.id in LAB.answers)


def test_the_author_notebook_has_outputs_for_nbval_to_compare():
    for check in LAB.checks:
        assert check.cell.outputs and check.cell.execution_count, check.id


def test_points_and_tasks():
    assert LAB.points == 10
    assert list(LAB.tasks) == ["role", "function", "event", "memory", "error"]


def test_release_writes_the_student_notebook_and_check_compares(tmp_path, capsys):
    folder = tmp_path / LAB.name
    folder.mkdir()
    shutil.copy(LAB.folder / "lab.ipynb", folder)
    assert main(["release", str(folder), "--check"]) == 1
    assert "run `minilambda release" in capsys.readouterr().err
    assert main(["release", LAB.name, "--labs", str(tmp_path)]) == 0
    assert "10 points" in capsys.readouterr().out
    assert (folder / "student.ipynb").read_text() == (LAB.folder / "student.ipynb").read_text()
    assert main(["release", str(folder), "--check"]) == 0


def test_no_such_lab(capsys):
    assert main(["release", "99-none"]) == 2
    assert "no lab '99-none'" in capsys.readouterr().err
    with pytest.raises(LabError, match="there are: 01-first-function"):
        find("nope", ROOT / "labs")


@pytest.mark.parametrize("spoil, says", [
    (lambda nb: cell(nb, "role-create").metadata.pop("minilambda"), "needs a role"),
    (lambda nb: about(nb, "role-create").update(task="nothing"), "must name one of the tasks"),
    (lambda nb: about(nb, "role-check").update(points=0), "whole number from 1"),
    (lambda nb: about(nb, "role-check").pop("title"), "needs a title"),
    (lambda nb: replace(nb, "role-create", "### END SOLUTION", ""), "without its partner"),
    (lambda nb: replace(nb, "role-create", "### BEGIN SOLUTION\n", ""), "without its partner"),
    (lambda nb: cell(nb, "role-create").update(source="x = 1"), "around the solution"),
    (lambda nb: cell(nb, "function-code").update(
        source="%%writefile a.py\ndef f():\n    ### BEGIN SOLUTION\n    x\n    ### END SOLUTION"),
     "isn't valid Python"),
    (lambda nb: replace(nb, "setup-order", "tea =", "### BEGIN SOLUTION\ntea ="), "only answer"),
    (lambda nb: cell(nb, "role-check").update(id="role-create"), "the same id"),
    (lambda nb: nb.metadata.minilambda.update(lab="other"), "the folder's name"),
    (lambda nb: nb.metadata.minilambda.tasks.append(["more", "More"]), "no check for task 'more'"),
])
@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_an_author_is_told_what_is_wrong(tmp_path, spoil, says):
    notebook = nbformat.read(LAB.folder / "lab.ipynb", as_version=4)
    spoil(notebook)
    folder = tmp_path / LAB.name
    folder.mkdir()
    (folder / "lab.ipynb").write_text(json.dumps(notebook))
    with pytest.raises(LabError, match=says):
        Lab.load(folder)


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}", '{"cells": []}',
                                     '{"cells": [{"cell_type": "code"}], "metadata": {}}'])
def test_what_is_no_notebook_is_no_lab(tmp_path, content):
    (tmp_path / "lab.ipynb").write_text(content)
    with pytest.raises(LabError, match="lab.ipynb"):
        Lab.load(tmp_path)


def test_a_solution_is_replaced_where_it_stands():
    source = ("a\nif x:\n    ### BEGIN SOLUTION\n    secret\n    ### END SOLUTION\n    b\n"
              "### BEGIN SOLUTION\nsecret\n### END SOLUTION")
    assert stub(source) == f"a\nif x:\n    {STUB}\n    b\n{STUB}"


def cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def about(notebook, cell_id):
    return cell(notebook, cell_id).metadata.minilambda


def replace(notebook, cell_id, old, new):
    found = cell(notebook, cell_id)
    assert old in found.source
    found.source = found.source.replace(old, new)
