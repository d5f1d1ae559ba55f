"""A question before a run, whose answer is kept and set beside what happened.

Stands for nothing of AWS's. :func:`predict` asks; the cell that runs computes what happened, from a
response or the trace, and hands it to :meth:`Prediction.reveal`. Who doesn't answer loses nothing.
In a page without a kernel the same question stands before the recorded outcome. A guess lives in
the browser tab and in the kernel, and is stored nowhere: what a browser stores for a page opened
from a file, or for one host with many books, isn't this page's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import ipywidgets
import traitlets

from .sources import source


class Prediction(anywidget.AnyWidget):
    """The question. Made by :func:`predict`; drawn by predict.js.

    ``answer`` is the reader's: a place in ``names``, or a number when there are none; None before
    there is one. ``revealed`` says that the run is over: an answer given by then is final.
    """

    _esm = source("element.js", "question.js", "predict.js")
    _css = source("question.css")

    question = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Float(None, allow_none=True).tag(sync=True)
    revealed = traitlets.Bool(False).tag(sync=True)

    def __init__(self, question: str, options: Mapping[Any, str], unit: str) -> None:
        self.outcomes = list(options)
        super().__init__(question=question, names=list(options.values()), unit=unit)

    def __repr__(self) -> str:
        lines = [f"{number}. {name}" for number, name in enumerate(self.names, 1)]
        return "\n".join([self.question, *lines])

    @property
    def guess(self) -> Any:
        """The reader's answer: one of the options' keys, or a number; None when there is none."""
        if self.answer is None:
            return None
        whole = int(self.answer) if self.answer.is_integer() else self.answer
        return self.outcomes[whole] if self.names else whole

    def reveal(self, actual: Any) -> Outcome:
        """Set the guess beside what happened; make it the last line of the cell that ran it.

        Args:
            actual: what happened: one of the options' keys (with a list of options: one of them),
                or a number in the question's unit. An outcome that none of the options names is
                shown as it is.

        Raises:
            TypeError: a number was asked for, and this isn't one.
        """
        if self.names:
            place = self.outcomes.index(actual) if actual in self.outcomes else None
            told = str(actual) if place is None else self.names[place]
        else:
            place = _number(actual)
            told = f"{place:,.10f}".rstrip("0").rstrip(".") + (f" {self.unit}" if self.unit else "")
        outcome = Outcome(question=self.question, names=self.names, unit=self.unit, actual=place,
                          told=told, answer=self.answer)
        # The browser moves a guess by itself, so that a page without a kernel does it too.
        outcome.link = ipywidgets.jslink((self, "answer"), (outcome, "answer"))
        self.revealed = True
        return outcome

    @traitlets.validate("answer")
    def _possible(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value is not None and self.names and value not in range(len(self.names)):
            raise traitlets.TraitError(f"an answer is a place among {len(self.names)} options")
        return value


class Outcome(anywidget.AnyWidget):
    """What happened, and the guess beside it. Made by :meth:`Prediction.reveal`; drawn by outcome.js.

    ``actual`` is a place in ``names`` (None: none of them), or a number; ``told`` says it in words.
    """

    _esm = source("element.js", "question.js", "outcome.js")
    _css = source("question.css")

    question = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Float(None, allow_none=True).tag(sync=True)
    actual = traitlets.Float(None, allow_none=True).tag(sync=True)
    told = traitlets.Unicode().tag(sync=True)
    link: Any = None

    def __repr__(self) -> str:  # without the guess: a cell's output is the same for every reader
        return f"What happened: {self.told}"


def predict(question: str, options: Mapping[Any, str] | Sequence[str] | None = None,
            unit: str | None = None) -> Prediction:
    """Ask the reader what will happen, before it does.

    ``guess = predict(…)`` shows the question when ``guess`` is a cell's last line. The cell that
    runs ends with ``guess.reveal(actual)``, ``actual`` computed from what came of it.

    Args:
        question: one or two sentences; `code` in backticks.
        options: the answers to choose from, either outcome -> text, such as
            ``{"timeout": "An error after three seconds.", "success": "The result."}``, or texts.
        unit: what a number counts or measures, such as ``"cold starts"`` or ``"ms"``; ``""`` for
            a bare number.

    Raises:
        ValueError: an empty question, neither options nor a unit or both, fewer than two options,
            or two of the same text.
    """
    if not question.strip():
        raise ValueError("predict: the question is empty")
    if (options is None) == (unit is None):
        raise ValueError("predict: give options=[…] to choose among, or unit='ms' (any unit, or '')"
                         " to ask for a number")
    if options is None:
        return Prediction(question, {}, unit or "")
    texts = list(options.values()) if isinstance(options, Mapping) else list(options)
    if len(texts) < 2 or isinstance(options, str):
        raise ValueError("predict: give at least two options, each a text")
    if len(set(texts)) < len(texts):
        raise ValueError("predict: two options have the same text")
    outcomes = list(options) if isinstance(options, Mapping) else texts
    return Prediction(question, dict(zip(outcomes, texts, strict=True)), "")


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not math.isfinite(number):
        raise TypeError(f"reveal: the question asks for a number, and {value!r} isn't one")
    return number
