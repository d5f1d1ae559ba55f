"""Reading what was handed in: nothing in a file may do more than earn zero points."""

import json
import os

import pytest

from minilambda.grading.submission import MOST_BYTES, SubmissionsError, answers, find, read

from .hand_in import LAB, SOLUTIONS, hand_in, notebook


@pytest.mark.parametrize("data, says", [
    (b"", "empty"),
    (b"not json", "not a notebook"),
    (b"\xff\xfe\x00", "not a notebook"),
    (b"[" * 100_000, "not a notebook"),
    (b'"text"', "no list of cells"),
    (b'{"cells": 7}', "no list of cells"),
    (b'{"cells": []}', "format None.None"),
    (b'{"cells": [], "nbformat": 99, "nbformat_minor": 5}', "format 99.5"),
    (b'{"cells": [], "nbformat": 4, "nbformat_minor": 4}', "format 4.4"),
    (b'{"cells": [], "nbformat": 4, "nbformat_minor": "5"}', "format 4.5"),
    (b" " * (MOST_BYTES + 1), "bigger than"),
])
def test_a_malformed_file_has_a_reason(tmp_path, data, says):
    path = tmp_path / "ann.ipynb"
    path.write_bytes(data)
    assert says in read("ann", path).problem


def test_only_ordinary_files_are_read(tmp_path):
    hand_in(tmp_path / "real" / "a.ipynb", notebook())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.ipynb").symlink_to(tmp_path / "real" / "a.ipynb")
    (tmp_path / "in" / "dangling.ipynb").symlink_to("nowhere")
    (tmp_path / "in" / "folder-link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "in" / "pipe.ipynb")
    found = {one.student: one.problem for one in find(tmp_path / "in")}
    assert found == {"link": "it is a symbolic link, not a file",
                     "dangling": "it is a symbolic link, not a file",
                     "pipe": "it is not an ordinary file"}


def test_files_and_folders(tmp_path):
    hand_in(tmp_path / "ann.ipynb", notebook())
    hand_in(tmp_path / "bob" / "whatever.ipynb", notebook())
    hand_in(tmp_path / "twice" / "a.ipynb", notebook())
    hand_in(tmp_path / "twice" / "b.ipynb", notebook())
    hand_in(tmp_path / ".ipynb_checkpoints" / "ann.ipynb", notebook())
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no submission")
    found = {(one.student, one.problem) for one in find(tmp_path)}
    assert found == {
        ("ann", None), ("bob", None), ("empty", "there is no notebook (.ipynb) in the folder"),
        ("twice", "more than one notebook was handed in for this lab: keep one")}


def test_a_single_notebook_will_do(tmp_path):
    hand_in(tmp_path / "ann.ipynb", notebook())
    assert [one.student for one in find(tmp_path / "ann.ipynb")] == ["ann"]


@pytest.mark.parametrize("name, says", [("none", "no folder"), ("file.txt", "neither a folder"),
                                        ("", "no submissions")])
def test_nothing_to_grade(tmp_path, name, says):
    if name == "file.txt":
        (tmp_path / name).write_text("x")
    with pytest.raises(SubmissionsError, match=says):
        find(tmp_path / name if name else tmp_path)


def given(tmp_path, document):
    hand_in(tmp_path / "ann.ipynb", document)
    return answers(read("ann", tmp_path / "ann.ipynb"), LAB)


def test_the_answers_are_all_that_is_taken(tmp_path):
    found = given(tmp_path, notebook(memory_set="mine"))
    assert found.sources == SOLUTIONS | {"memory-set": "mine"}
    assert found.notes == []


def test_sources_may_be_lists_of_lines(tmp_path):
    document = json.loads(json.dumps(notebook()))
    for cell in document["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert given(tmp_path, document).sources == SOLUTIONS


def test_what_is_odd_is_told(tmp_path):
    document = json.loads(json.dumps(notebook()))
    by_id = {cell["id"]: cell for cell in document["cells"]}
    document["cells"].append(by_id["role-create"] | {"source": "second"})
    document["cells"].append({"cell_type": "code", "source": "x", "id": "own"})
    document["cells"] += [None, 7, {"cell_type": "code", "id": ["list"]}]
    document["cells"].remove(by_id["memory-set"])
    by_id["event-tag"]["source"] = {"a": 1}
    by_id["error-note"]["source"] = "x" * 2_000_000
    by_id["error-code"]["source"] = "\ud800"
    found = given(tmp_path, document)
    assert found.sources["role-create"] == SOLUTIONS["role-create"]
    assert found.sources["error-code"] == "?"
    assert found.sources.keys() == SOLUTIONS.keys() - {"memory-set", "event-tag", "error-note"}
    said = "\n".join(found.notes)
    assert "two cells with the id role-create; the first one counts" in said
    assert "2 code cells of your own" in said
    assert "aren't in the notebook: event-tag, memory-set, error-note" in said
    assert "event-tag was left out: its source is not text" in said
    assert "error-note was left out: it is longer than" in said


@pytest.mark.parametrize("metadata, lab", [
    ({"minilambda": {"lab": "01-first-function"}}, "01-first-function"),
    ({"minilambda": {"lab": "../../etc"}}, None), ({"minilambda": {"lab": 7}}, None),
    ({"minilambda": "x"}, None), ([], None), ({}, None)])
def test_which_lab_it_is_for(tmp_path, metadata, lab):
    hand_in(tmp_path / "ann.ipynb",
            {"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": metadata})
    assert read("ann", tmp_path / "ann.ipynb").lab == lab
