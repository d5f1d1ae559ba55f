"""The control panel for any settings: controls made from AWS's schema, and what came of a run.

Stands for the console's *Configuration* pages beside its *Test* button. Every turn is the boto3
call that sets it (``settings.py``) and an Invoke. In a page without a kernel the controls choose
among results recorded when the notebook ran.
Leaves out: many requests at once, which a single run can't show (see :func:`live`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets
import traitlets

from ..limits import Limits
from . import calls, words
from .recording import MOST, cell
from .settings import QUALIFIED, Setting, moved, nearest
from .sources import source

STEP_SECONDS, MOST_STEPS = 10, 360  # how long to wait for provisioned concurrency: an hour


class ControlView(anywidget.AnyWidget):
    """What control_panel.js draws.

    ``indexes`` is where the controls stand; ``grid`` has a cell for each position, the last
    control's changing first: ``recording.cell``'s values, texts as places in ``texts``, then memory
    (MB) and timeout (s). ``live`` is the last call this kernel made: ``indexes``, ``cell`` (its
    texts themselves) and ``count``, from 1.
    """

    _esm = source("element.js", "controls.js", "result.js", "control_panel.js")
    _css = source("controls.css", "panel.css", "control_panel.css")

    function = traitlets.Unicode().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    indexes = traitlets.List(traitlets.Int()).tag(sync=True)
    grid = traitlets.List().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    live = traitlets.Dict().tag(sync=True)


class ControlPanel(ipywidgets.VBox):
    """Controls and a result. Made by :func:`panel` with ``controls``.

    ``let_pass`` lets so many seconds pass: provisioned concurrency has come about, on the cloud's
    clock, before its version or alias is invoked.

    ``turn`` moves a control; ``view`` is the :class:`ControlView`, ``settings`` the controls',
    ``shown`` the result of the kernel's last call.
    """

    def __init__(self, client: Any, function: str, event: Any, found: list[Setting],
                 recorded: bool, limits: Limits,
                 let_pass: Callable[[float], None] | None = None) -> None:
        self.client, self.function, self.event, self.limits = client, function, event, limits
        self.settings, self._let_pass = found, let_pass
        self._qualifier = next((s.called.partition(":")[2] for s in found if ":" in s.called), None)
        self.shown: calls.Shown | None = None
        self._present = client.get_function_configuration(FunctionName=function)
        before = [setting.read(client) for setting in found]
        self._set = [nearest(setting, value) for setting, value in zip(found, before, strict=True)]
        places: dict[str, int] = {}
        grid = self._record(before, places) if recorded else []
        self.view = ControlView(
            function=function, indexes=self._set, grid=grid, texts=list(places),
            controls=[setting.as_data() for setting in found])
        self.view.observe(self._turned, "indexes")
        super().__init__([self.view])
        if not recorded:
            self._call(list(self._set))

    def __repr__(self) -> str:
        names = words.listing([s.label.lower() for s in self.settings])
        return f"Control panel of {self.function}: {names}. Run this cell to turn it."

    def turn(self, name: str, value: Any) -> None:
        """Turn a control (AWS's name of the setting) to one of its positions.

        Raises:
            ValueError: no such control, or no such position.
        """
        self.view.indexes = moved(self.settings, self.view.indexes, name, value)

    def _turned(self, change: Any) -> None:
        self._call(list(change["new"]))

    def _call(self, indexes: list[int]) -> None:
        """Set and invoke for real, and show what came of it, whatever it is."""
        try:
            self.shown = self._run(indexes)
        except Exception as error:
            self.shown = calls.failed(error)
            raise
        finally:
            if self.shown is not None:
                self.view.live = {"indexes": indexes, "cell": self._cell(indexes),
                                  "count": self.view.live.get("count", 0) + 1}

    def _cell(self, indexes: list[int]) -> list[Any]:
        return [*cell(self.shown), *self._size(indexes)]

    def _size(self, indexes: list[int]) -> tuple[int, int]:
        """Memory (MB) and timeout (s) at a position."""
        wanted = {s.name: s.positions[i] for s, i in zip(self.settings, indexes, strict=True)}
        return (wanted.get("MemorySize", self._present["MemorySize"]),
                wanted.get("Timeout", self._present["Timeout"]))

    def _run(self, indexes: list[int]) -> calls.Shown:
        return calls.run_after(lambda: self._move(indexes), self.client, self.function, self.event,
                               *self._size(indexes), self.limits, self._qualifier)

    def _move(self, indexes: list[int]) -> None:
        """Set what isn't so yet; what AWS refuses isn't."""
        for number, index in enumerate(indexes):
            if index != self._set[number]:
                setting = self.settings[number]
                setting.write(self.client, setting.positions[index])
                for _ in range(MOST_STEPS):
                    if self._let_pass is None or not setting.in_progress(self.client):
                        break
                    self._let_pass(STEP_SECONDS)
                self._set = [*self._set[:number], index, *self._set[number + 1:]]

    def _record(self, before: list[Any], places: dict[str, int]) -> list[list[Any]]:
        """Run every position; then set everything as it was before."""
        ranges = [range(len(setting.positions)) for setting in self.settings]
        wanted = list(itertools.product(*ranges))
        if len(wanted) > MOST:
            raise ValueError(
                f"a recorded panel of {' x '.join(str(len(r)) for r in ranges)} positions would make"
                f" {len(wanted):,} calls, and {MOST} is the most: give controls fewer positions,"
                " such as {'MemorySize': (128, 512, 128)}, or say record=False")
        grid = []
        self._set = [-1] * len(self.settings)  # the first position too is set for real
        try:
            for indexes in wanted:
                self.shown = self._run(list(indexes))
                values = self._cell(list(indexes))
                for part in (1, 2):
                    values[part] = places.setdefault(values[part], len(places))
                grid.append(values)
        finally:
            self.shown = None
            for setting, value in zip(self.settings, before, strict=True):
                if setting.read(self.client) != value:
                    setting.write(self.client, value)
            self._set = [nearest(s, value) for s, value in zip(self.settings, before, strict=True)]
        return grid
