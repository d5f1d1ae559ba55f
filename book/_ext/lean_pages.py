"""Sphinx extension: leave out of every page what changes nothing that a reader sees.

- Highlighted code has an element around each name, bracket and space, in the colour of plain text.
- Stored widget state spells out every property of ipywidgets' own models that has no value: their
  JavaScript has the same defaults.

Together about a seventh of a chapter's page.
"""

import json

from ipython_pygments_lexers import IPython3Lexer
from myst_nb.sphinx_ import NbMetadataCollector
from pygments.token import Name, Punctuation, Text, Whitespace

PLAIN = (Name, Punctuation, Whitespace)
OWN_MODELS = ("@jupyter-widgets/base", "@jupyter-widgets/controls")


class CellLexer(IPython3Lexer):
    """IPython's lexer (cells have `!aws …` and `%%writefile` in them) without the plain tokens."""

    def get_tokens_unprocessed(self, text):
        for index, token, value in super().get_tokens_unprocessed(text):
            yield index, Text if token in PLAIN else token, value


def lean_state(text: str) -> str:
    """Widget state as JSON, without the empty properties of ipywidgets' own models."""
    content = json.loads(text)
    for model in content["state"].values():
        if model["model_module"] in OWN_MODELS:
            model["state"] = {k: v for k, v in model["state"].items() if v is not None}
    return json.dumps(content, separators=(",", ":"))


def trim_widget_state(app, pagename, templatename, context, doctree):
    """Before myst-nb adds a page's widget state to it."""
    files = NbMetadataCollector.get_js_files(app.env, pagename)
    if "ipywidgets_state" in files:
        path, options = files["ipywidgets_state"]
        files["ipywidgets_state"] = (path, {**options, "body": lean_state(options["body"])})


def setup(app):
    for name in ("python", "ipython3"):
        app.add_lexer(name, CellLexer)
    app.connect("html-page-context", trim_widget_state, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
