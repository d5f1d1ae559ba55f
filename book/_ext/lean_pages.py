"""Sphinx extension: leave out of every page what changes nothing that a reader sees.

- Highlighted code has an element around each name, bracket and space, in the colour of plain text,
  and around each dot and equals sign.
  (On the way, a file of another language that a cell writes is highlighted as what it is.)
- Stored widget state spells out every property of ipywidgets' own models that has no value, and
  in which module and class model and view are: their JavaScript has the same defaults.
- It also holds the script and the style of each of our widgets, once for every one that a page
  shows. They go into files of their own below _static/widget-parts, which all pages share and
  book/_static/widgets.js puts back.

Together about a quarter of a chapter's page.
"""

import hashlib
import json
import re
from pathlib import Path

from ipython_pygments_lexers import IPython3Lexer
from myst_nb.sphinx_ import NbMetadataCollector
from pygments.lexers import BashLexer, TextLexer, get_lexer_for_filename
from pygments.token import Error, Name, Operator, Punctuation, Text, Whitespace
from pygments.util import ClassNotFound

PLAIN = (Name, Punctuation, Whitespace)
DOTS = (".", "=")  # operators to the lexer, and the most frequent ones; punctuation to a reader
WRITES = re.compile(r"%%writefile (?:-a )?\S*?([^/\s]+)\n")
OWN_MODELS = ("@jupyter-widgets/base", "@jupyter-widgets/controls")
WHERE = ("_model_module", "_model_module_version", "_model_name",
         "_view_module", "_view_module_version", "_view_name")
SHARED = ("_esm", "_css")  # anywidget's names of a widget's script and style
PART = "minilambda-part:"  # what widgets.js looks for in their place; a digest follows


class CellLexer(IPython3Lexer):
    """IPython's lexer (cells have `!aws …` and `%%writefile` in them) without the plain tokens."""

    def get_tokens_unprocessed(self, text):
        written = WRITES.match(text)
        lexer = written and lexer_of(written[1], text[written.end():])
        if lexer is None:
            tokens = super().get_tokens_unprocessed(text)
        else:  # the magic's line is IPython's, what follows that language's
            start = written.end()
            tokens = [*super().get_tokens_unprocessed(text[:start])]
            # An error to this lexer may be right in a newer version of the language.
            tokens += [(start + index, Text if token in Error or token in Operator else token,
                        value)
                       for index, token, value in lexer.get_tokens_unprocessed(text[start:])]
        for index, token, value in tokens:
            plain = token in PLAIN or (token in Operator and value in DOTS)
            yield index, Text if plain else token, value


def lexer_of(name: str, content: str):
    """The lexer of a file that isn't Python, by its name or its first line; None: it is Python."""
    if name.endswith(".py"):
        return None
    if re.match(r"#!\S*/(ba|da)?sh\b", content):
        return BashLexer()
    try:
        return get_lexer_for_filename(name, content)
    except ClassNotFound:
        return TextLexer()


def lean_state(text: str, parts: dict[str, str]) -> str:
    """Widget state as JSON, without what ipywidgets' own models have by default.

    Scripts and styles are moved to ``parts``, under their digests.
    """
    content = json.loads(text)
    for model in content["state"].values():
        state = model["state"]
        if model["model_module"] in OWN_MODELS:
            model["state"] = {name: value for name, value in state.items()
                              if value is not None and name not in WHERE}
        elif model["model_module"] == "anywidget":
            for name in SHARED:
                if isinstance(state.get(name), str):
                    digest = hashlib.sha256(state[name].encode()).hexdigest()[:16]
                    parts[digest] = state[name]
                    state[name] = PART + digest
    return json.dumps(content, separators=(",", ":"))


def trim_widget_state(app, pagename, templatename, context, doctree):
    """Before myst-nb adds a page's widget state to it."""
    files = NbMetadataCollector.get_js_files(app.env, pagename)
    if "ipywidgets_state" in files:
        path, options = files["ipywidgets_state"]
        parts = {}
        body = lean_state(options["body"], parts)
        files["ipywidgets_state"] = (path, {**options, "body": body})
        folder = Path(app.outdir) / "_static" / "widget-parts"
        folder.mkdir(parents=True, exist_ok=True)
        for digest, source in parts.items():
            # A script, not JSON: a page that was opened from a file may load it too.
            (folder / f"{digest}.js").write_text(
                f'(window.minilambdaParts ??= {{}})["{digest}"] = {json.dumps(source)};\n',
                encoding="utf-8")


def setup(app):
    for name in ("python", "ipython3"):
        app.add_lexer(name, CellLexer)
    app.connect("html-page-context", trim_widget_state, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
