"""How the book highlights cells: losslessly, and a written file as what it is."""

import json
import sys
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Operator, String

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_ext"))
from lean_pages import PART, CellLexer, lean_state  # noqa: E402

BASH = "%%writefile functions/20/bootstrap\n#!/bin/bash\nid=${head#*Id: }\nif x; then y; fi\n"
C = '%%writefile a.c\n#include <stdio.h>\nint main(void) { return a ? 1 : "?"[0]; }\n'
AWK = "%%writefile total.awk\n#!/usr/bin/awk -f\n!/^x/ { exit 1 }\n"
NODE = "%%writefile app.mjs\nexport const handler = async (event) => `${event}?`;\n"
PLAIN = "%%writefile -a notes.unheard\nno $language? at ! all\n"
PYTHON = "%%writefile app.py\nimport os\n\ndef handler(event, context):\n    return os.name == 1\n"
CELL = "!aws lambda list-functions\nlam.invoke(FunctionName='f')\n"


@pytest.mark.parametrize("source", [BASH, C, AWK, NODE, PLAIN, PYTHON, CELL])
def test_nothing_is_lost_and_nothing_is_an_error(source):
    tokens = list(CellLexer().get_tokens_unprocessed(source))
    assert "".join(value for _, _, value in tokens) == source
    assert [index for index, _, _ in tokens] == [
        sum(len(value) for _, _, value in tokens[:n]) for n in range(len(tokens))]
    assert Error not in {token for _, token, _ in tokens}


@pytest.mark.parametrize(("source", "kind", "value"), [
    (BASH, Keyword, "if"), (C, Comment.Preproc, "include <stdio.h>"), (C, Keyword, "return"),
    (AWK, Keyword, "exit"), (NODE, Keyword, "async"), (PYTHON, Keyword, "def"),
    (PYTHON, Operator, "=="), (CELL, String.Single, "f"),
])
def test_what_a_token_is(source, kind, value):
    found = [(token, text) for _, token, text in CellLexer().get_tokens_unprocessed(source)]
    assert any(token in kind and text in (value, value.split()[0]) for token, text in found), found


def test_dots_and_equals_signs_are_plain():
    found = {text for _, token, text in CellLexer().get_tokens_unprocessed(CELL)
             if token in Operator}
    assert found.isdisjoint({".", "="})


def test_widgets_scripts_and_styles_are_moved_out_and_nothing_else():
    own = {"model_module": "@jupyter-widgets/base", "state": {
        "width": None, "flex": "1", "_model_name": "LayoutModel", "_view_name": "LayoutView"}}
    ours = [{"model_module": "anywidget", "state": {"_esm": esm, "_css": "p {}", "x": None}}
            for esm in ("one", "two", "one")]
    parts = {}
    lean = json.loads(lean_state(json.dumps({"state": dict(enumerate([own, *ours]))}), parts))
    models = list(lean["state"].values())
    assert models[0]["state"] == {"flex": "1"}
    assert sorted(parts.values()) == ["one", "p {}", "two"]
    back = [{name: parts[value.removeprefix(PART)] if value else value
             for name, value in model["state"].items()} for model in models[1:]]
    assert back == [model["state"] for model in ours]
