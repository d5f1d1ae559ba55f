"""Questions to check oneself with: a choice, a number, steps to put in order; with feedback.

Stands for nothing of AWS's. The questions are in a file beside the chapters (``questions.py``), so
that a cell shows only its name. Answers are checked in the browser, in JupyterLab and in the built
page alike, and nobody is told of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from . import questions
from .sources import source


class Quiz(anywidget.AnyWidget):
    """What quiz.js draws. Made by :func:`quiz`.

    ``questions`` are dicts with kind, ask and what there is to answer with, and ``sealed``: what
    is right and why (see ``questions.public``).
    """

    _esm = source("element.js", "question.js", "quiz.js")
    _css = source("question.css")

    name = traitlets.Unicode().tag(sync=True)
    questions = traitlets.List().tag(sync=True)

    def __repr__(self) -> str:
        """The questions, for whoever sees no widget."""
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question['ask']}")
            lines += [f"   - {text}" for text in
                      question.get("options", []) + question.get("steps", [])]
        return "\n".join(lines)


def quiz(name: str, folder: str | Path = "questions") -> Quiz:
    """The questions of a file, for the reader to answer.

    Args:
        name: of the file, without ``.toml``: ``quiz("16-function-performance")``.
        folder: where it is, seen from the notebook.

    Raises:
        FileNotFoundError: there is no such file; says which there are.
        ValueError: a question isn't well formed; says which, and why.
    """
    found: list[dict[str, Any]] = questions.load(Path(folder) / f"{name}.toml")
    return Quiz(name=name, questions=[questions.public(question, name) for question in found])
