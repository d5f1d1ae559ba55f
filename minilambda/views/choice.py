"""A choice of configurations for a deployed function: each one is set, and run.

Stands for the console's pages below *Configuration* and *Layers*, beside its *Test* button. Picking
a choice is an UpdateFunctionConfiguration and an Invoke, made with boto3. In a page without a kernel
the choices show the results recorded when the notebook ran.
Leaves out: changes that aren't a function's configuration (its code, its concurrency).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import anywidget
import boto3
import ipywidgets
import traitlets

from ..limits import Limits
from . import calls
from .recording import cell
from .sources import source

SHOWN = 3  # of a cell: figures are the control panel's


class ChoiceView(anywidget.AnyWidget):
    """What choice.js draws: radio buttons, and what came of the one that is picked.

    ``recorded`` holds the beginning of a cell (see ``recording.cell``) for each of ``names``:
    status, sentence, document. ``live`` is the last call this kernel made: its index, its cell, and
    which call it was, counted from 1.
    """

    _esm = source("element.js", "choice.js")
    _css = source("choice.css")

    function = traitlets.Unicode().tag(sync=True)
    legend = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    recorded = traitlets.List().tag(sync=True)
    live = traitlets.Dict().tag(sync=True)


class Choice(ipywidgets.VBox):
    """The buttons and the result. Made by :func:`choice`.

    ``view`` is the :class:`ChoiceView` (set ``choice.view.index = 1`` to pick the second),
    ``shown`` the result of the kernel's last call.
    """

    def __init__(self, client: Any, function: str, choices: Mapping[str, Mapping[str, Any]],
                 event: Any, legend: str, limits: Limits) -> None:
        self.client, self.function, self.event, self.limits = client, function, event, limits
        self.settings = list(choices.values())
        self.shown: calls.Shown | None = None
        recorded = [cell(self._try(number))[:SHOWN] for number in range(len(choices))]
        self._change(0)
        self.view = ChoiceView(function=function, legend=legend, names=list(choices),
                               recorded=recorded)
        self.view.observe(self._picked, "index")
        super().__init__([self.view])

    def __repr__(self) -> str:
        return f"Choice of {len(self.settings)} for {self.function}. Run this cell to pick."

    def _picked(self, change: Any) -> None:
        number = change["new"]
        try:
            self.shown = self._try(number)
        except Exception as error:
            self.shown = calls.failed(error)
            raise
        finally:
            self.view.live = {"index": number, "cell": cell(self.shown)[:SHOWN],
                              "count": self.view.live.get("count", 0) + 1}

    def _try(self, number: int) -> calls.Shown:
        now = self.client.get_function_configuration(FunctionName=self.function)
        now |= {name: self.settings[number][name] for name in ("MemorySize", "Timeout")
                if name in self.settings[number]}
        return calls.run_after(lambda: self._change(number), self.client, self.function, self.event,
                               now["MemorySize"], now["Timeout"], self.limits)

    def _change(self, number: int) -> None:
        answer = self.client.update_function_configuration(FunctionName=self.function,
                                                           **self.settings[number])
        if answer.get("LastUpdateStatus") == "InProgress":
            self.client.get_waiter("function_updated_v2").wait(FunctionName=self.function)


def choice(client_or_cloud: Any, function_name: str, choices: Mapping[str, Mapping[str, Any]],
           event: Any = None, legend: str = "Configuration",
           limits: Limits | None = None) -> Choice:
    """Named configurations of a deployed function; picking one sets it and runs the function.

    All are run once now, so that the choices also work in a page with no kernel; then the first
    one is set. A choice that AWS refuses shows AWS's refusal.

    Args:
        client_or_cloud: a :class:`minilambda.Cloud`, or any boto3 Lambda client.
        function_name: an existing function.
        choices: name -> parameters of UpdateFunctionConfiguration, such as
            ``{"none": {"Layers": []}, "both": {"Layers": [one, two]}}``. AWS takes the first one.
        event: the test event, anything JSON can hold.
        legend: what is being chosen.
        limits: whose prices; a cloud's own, and the course's for a bare client.

    Raises:
        TypeError: the event isn't JSON.
        ValueError: fewer than two choices.
        botocore.exceptions.ClientError: there is no such function, or the first choice is refused.
    """
    try:
        json.dumps(event, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"choice: the event must be what JSON can hold: {error}") from None
    if len(choices) < 2:
        raise ValueError("choice: give at least two choices, each a name and a configuration")
    if hasattr(client_or_cloud, "trace"):
        client, limits = boto3.client("lambda"), limits or client_or_cloud.limits
    else:
        client, limits = client_or_cloud, limits or Limits.load("course")
    return Choice(client, function_name, choices, event, legend, limits)
