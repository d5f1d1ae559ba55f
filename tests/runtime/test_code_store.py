"""Folders of packages and layers: merged as an overlay, unpacked once, never written again."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda.function import CodePackage
from minilambda.sandbox.code_store import CodeStore

from .layer_files import zipped

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return CodeStore(tmp_path_factory.mktemp("code") / "store")


def without_clashes(files):
    """Within one archive a name is a file or a folder, not both."""
    return not any(a != b and f"{a}/".startswith(f"{b}/") for a in files for b in files)


LAYERS = st.lists(st.dictionaries(PATHS, st.text("xyz", max_size=3), min_size=1, max_size=5)
                  .filter(without_clashes), max_size=5)


def overlay(layers):
    """What must be there, by name: the latest one wins, be it a file or a folder."""
    found = {}
    for layer in layers:
        for name, text in layer.items():
            found = {n: t for n, t in found.items()
                     if not n.startswith(f"{name}/") and not name.startswith(f"{n}/")}
            found[name] = text
    return found


def content(folder):
    return {str(path.relative_to(folder)): path.read_text()
            for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=150, deadline=None)
@given(layers=LAYERS)
def test_layers_are_an_overlay(store, layers):
    packages = [CodePackage.of(zipped(layer)) for layer in layers]
    folder = store.opt(packages)
    assert content(folder) == overlay(layers)
    assert store.opt(packages) == folder
    for path in (folder, *folder.rglob("*")):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    for package, layer in zip(packages, layers, strict=True):  # merging changes none of them
        assert content(store.unpack(package)) == layer


def test_programs_stay_executable_and_merging_copies_nothing(store):
    tool = CodePackage.of(zipped({"bin/tool": "#!/bin/sh\n", "data": "x"}, ["bin/tool"]))
    other = CodePackage.of(zipped({"more": "y"}))
    merged = store.opt([tool, other])
    assert os.access(merged / "bin/tool", os.X_OK) and not (merged / "data").stat().st_mode & 0o111
    assert (merged / "data").samefile(store.unpack(tool) / "data")
