"""The doctor finds out by trying, and says what to do."""

import subprocess
import sys

import pytest

from minilambda import Cloud
from minilambda.cli import main
from minilambda.sandbox import tiers


def test_it_prints_what_works(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "bubblewrap sandbox" in said and "Python" in said
    assert repr(Cloud.doctor()) + "\n" == said


def test_without_bubblewrap_it_says_what_isn_t_enforced(monkeypatch):
    tiers.probe_bubblewrap.cache_clear()
    monkeypatch.setattr("shutil.which", lambda name: None)
    try:
        said = repr(Cloud.doctor())
        with pytest.raises(RuntimeError, match="install the package 'bubblewrap'"):
            tiers.choose("bubblewrap")
        assert tiers.choose("auto").name == "process"
    finally:
        monkeypatch.undo()
        tiers.probe_bubblewrap.cache_clear()
    assert "NO  bubblewrap sandbox" in said and "install the package 'bubblewrap'" in said
    assert "the size of /tmp" in said


def test_it_lists_the_toolchains_that_are_here_and_those_that_are_not(monkeypatch):
    import shutil

    there = {"node": "/somewhere/node", "java": "/somewhere/java"}
    real = shutil.which
    monkeypatch.setattr("minilambda.doctor.shutil.which", lambda name: there.get(name) or (
        real(name) if name == "bwrap" else None))
    said = {finding.topic: finding for finding in Cloud.doctor().findings}
    assert said["Node.js"].works and "/somewhere/node" in said["Node.js"].text
    assert said["Java"].works and "/somewhere/java" in said["Java"].text
    for missing in ("C compiler", ".NET", "Ruby", "Go"):
        assert said[missing].works is None and "/" not in said[missing].text
    assert "not found" in said["Go"].text


def test_the_command_line_says_how_it_is_used():
    done = subprocess.run([sys.executable, "-m", "minilambda.cli"], capture_output=True, text=True)
    assert done.returncode == 2 and "COMMAND" in done.stderr
