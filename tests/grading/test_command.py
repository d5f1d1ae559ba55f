"""``minilambda grade``: what it refuses, and the weaker sandbox."""

import csv
from pathlib import Path

import pytest

from minilambda.cli import main
from minilambda.grading import gradebook
from minilambda.sandbox import tiers

from .hand_in import LAB, hand_in, notebook


@pytest.fixture
def handed_in(tmp_path):
    hand_in(tmp_path / "in" / "ann.ipynb", notebook())
    return tmp_path / "in"


def refused(capsys, *arguments):
    assert main(["grade", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    return said.err


def test_without_a_sandbox_nobody_elses_code_is_run(handed_in, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tiers, "probe_bubblewrap", lambda: "no bwrap program found")
    said = refused(capsys, handed_in, "--out", tmp_path / "out")
    assert "no bwrap program found" in said and "--allow-weak-sandbox" in said
    assert not (tmp_path / "out").exists()


def test_the_weak_sandbox_if_told(handed_in, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tiers, "probe_bubblewrap", lambda: "no bwrap program found")
    assert main(["grade", str(handed_in), "--out", str(tmp_path / "out"), "--quiet",
                 "--allow-weak-sandbox"]) == 0
    [row] = csv.DictReader((tmp_path / "out" / "gradebook.csv").open(encoding="utf-8"))
    assert (row["student"], row["points"], row["remark"]) == ("ann", "10", "")


@pytest.fixture
def sandboxed(monkeypatch):
    """As on a machine with bubblewrap, whether or not this is one (nothing gets to run)."""
    monkeypatch.setattr(tiers, "probe_bubblewrap", lambda: None)


def test_bad_input_is_refused(sandboxed, handed_in, tmp_path, capsys):
    out = tmp_path / "out"
    assert "no folder" in refused(capsys, tmp_path / "none", "--out", out)
    assert "no lab '77-none'" in refused(capsys, handed_in, "--out", out, "--lab", "77-none")
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert "holds something already" in refused(capsys, handed_in, "--out", out)
    assert "can't be used" in refused(capsys, handed_in, "--out", out / "mine.txt")
    assert (out / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("arguments", [
    [], ["in"], ["in", "--out", "o", "--jobs", "0"], ["in", "--out", "o", "--time-limit", "soon"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["grade", *arguments])
    assert stop.value.code == 2


def test_labs_that_arent_there_get_zero_and_a_reason(sandboxed, tmp_path, capsys):
    for name, lab in {"ann": "77-none", "bob": None}.items():
        made = notebook()
        made.metadata["minilambda"]["lab"] = lab
        hand_in(tmp_path / "in" / f"{name}.ipynb", made)
    foreign = notebook()
    for cell in foreign.cells:
        cell.id = f"new-{cell.id}"
    hand_in(tmp_path / "in" / "cem.ipynb", foreign)
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "gradebook.csv").open(encoding="utf-8")))
    assert [row["points"] for row in rows] == ["0", "0", "0"]
    assert "no lab '77-none'" in rows[0]["remark"]
    assert "doesn't say which lab" in rows[1]["remark"]
    assert "none of the lab's answer cells" in rows[2]["remark"]
    page = (tmp_path / "out" / "feedback" / "cem.html").read_text()
    assert "Not graded:" in page and "0 of 10" in page


def test_names_on_the_disk_are_plain_and_different(tmp_path):
    names = ["ann", "Ann", "ann/../..", "a" * 300, "\udcff", "..", "a\nb", "ann"]
    grades = [gradebook.Grade(name, Path(f"{number}.ipynb"), LAB, problem="none")
              for number, name in enumerate(names)]
    (tmp_path / "out").mkdir()
    gradebook.write(grades, tmp_path / "out")
    pages = [path.name for path in (tmp_path / "out" / "feedback").iterdir()]
    assert len(pages) == len(names)
    assert all(name.isascii() and len(name) < 80 and not name.startswith(".") for name in pages)


@pytest.mark.parametrize("name, cell", [("=1+1", "'=1+1"), ("@x", "'@x"), ("ann", "ann"),
                                        ("a\u202eb", "a\\u202eb"), ("-", "'-")])
def test_a_name_is_never_a_formula(name, cell):
    table = gradebook.table([gradebook.Grade(name, Path("x.ipynb"), LAB, problem="none")])
    assert table[1][0] == cell
