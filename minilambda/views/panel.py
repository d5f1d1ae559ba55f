"""The control panel: a deployed function's memory and timeout under the reader's hands.

Stands for the console's *Edit basic settings* page beside its *Test* button. Every move of a slider
is an UpdateFunctionConfiguration and an Invoke, made with boto3. In a page without a kernel the
sliders choose among results recorded when the notebook ran (``recording.py``).
Other settings, made into controls by AWS's own schema, are :mod:`control_panel`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import boto3
import ipywidgets
import traitlets

from ..limits import Limits
from . import calls
from .control_panel import ControlPanel
from .recording import Recording, cell, record
from .settings import settings
from .sources import source

POSITIONS = 16  # of a slider whose range the author left to us
TIMEOUTS = (1, 6)  # seconds, likewise


class PanelView(anywidget.AnyWidget):
    """What the panel shows, drawn by panel.js.

    ``memory`` (MB) and ``timeout`` (s) are the sliders' positions and the two indexes the present
    one; ``grid`` and ``texts`` are the recording. ``live`` is the last call this kernel made:
    its two indexes, its cell, and which call of the panel's it was, counted from 1.
    """

    _esm = source("element.js", "result.js", "panel.js")
    _css = source("panel.css")

    function = traitlets.Unicode().tag(sync=True)
    memory = traitlets.List(traitlets.Int()).tag(sync=True)
    timeout = traitlets.List(traitlets.Int()).tag(sync=True)
    memory_index = traitlets.Int(0).tag(sync=True)
    timeout_index = traitlets.Int(0).tag(sync=True)
    grid = traitlets.List().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    live = traitlets.Dict().tag(sync=True)


class Panel(ipywidgets.VBox):
    """The two sliders and the view. Made by :func:`panel`.

    ``memory`` and ``timeout`` are the sliders (set ``panel.memory.value = 512`` to move one),
    ``view`` is the :class:`PanelView`, ``shown`` the result of the kernel's last call.
    """

    def __init__(self, client: Any, function: str, event: Any, memory: list[int],
                 timeout: list[int], recorded: bool, limits: Limits) -> None:
        self.client, self.function, self.event, self.limits = client, function, event, limits
        self.shown: calls.Shown | None = None
        now = client.get_function_configuration(FunctionName=function)
        recording = Recording()
        if recorded:
            recording = record(client, function, event, memory, timeout, limits)
        self.memory = _slider("Memory", memory, now["MemorySize"], "MB")
        self.timeout = _slider("Timeout", timeout, now["Timeout"], "s")
        self.view = PanelView(function=function, memory=memory, timeout=timeout,
                              memory_index=self.memory.index, timeout_index=self.timeout.index,
                              grid=recording.grid, texts=recording.texts)
        # The browser moves the view by itself, so the sliders work without a kernel too.
        self.links = (
            ipywidgets.jslink((self.memory, "index"), (self.view, "memory_index")),
            ipywidgets.jslink((self.timeout, "index"), (self.view, "timeout_index")),
        )
        self.memory.observe(self._moved, "index")
        self.timeout.observe(self._moved, "index")
        super().__init__([self.memory, self.timeout, self.view])
        self.add_class("minilambda-panel-box")
        if not recorded:
            self._call()

    def __repr__(self) -> str:
        return (f"Control panel of {self.function}: memory {_span(self.view.memory)} MB,"
                f" timeout {_span(self.view.timeout)} s. Run this cell to turn it.")

    def _moved(self, change: Any) -> None:
        self._call()

    def _call(self) -> None:
        """Configure and invoke for real, and show what came of it, whatever it is."""
        m, t = self.memory.index, self.timeout.index
        try:
            self.shown = calls.run(self.client, self.function, self.event, self.memory.value,
                                   self.timeout.value, self.limits)
        except Exception as error:
            self.shown = calls.failed(error)
            raise
        finally:
            if self.shown is not None:
                with self.view.hold_sync():
                    self.view.memory_index, self.view.timeout_index = m, t
                    self.view.live = {"memory_index": m, "timeout_index": t,
                                      "cell": cell(self.shown),
                                      "count": self.view.live.get("count", 0) + 1}


def panel(client_or_cloud: Any, function_name: str, event: Any = None,
          memory: tuple[int, ...] | None = None, timeout: tuple[int, ...] | None = None,
          record: bool = True, limits: Limits | None = None,
          controls: Sequence[str] | Mapping[str, Any] | None = None, qualifier: str | None = None,
          mapping: str | None = None) -> Panel | ControlPanel:
    """Controls for a deployed function's settings; every move sets one and runs the function.

    Two sliders, for memory and timeout, unless ``controls`` says which.

    Args:
        client_or_cloud: a :class:`minilambda.Cloud`, or any boto3 Lambda client.
        function_name: an existing function. Moving a slider changes its configuration.
        event: the test event, anything JSON can hold.
        memory: (min, max) or (min, max, step) in MB. The step unless given is the profile's own,
            the range too, in at most 16 positions.
        timeout: (min, max) or (min, max, step) in seconds, in steps of 1 s unless given;
            1-6 s unless given.
        record: make the call of every position now, so that the sliders also work in a page with
            no kernel; the function is configured afterwards as it was before.
        limits: whose prices and steps; a cloud's own, and the course's for a bare client.
        controls: AWS's names of settings, such as ``["MemorySize", "Timeout",
            "ReservedConcurrentExecutions"]``: what UpdateFunctionConfiguration takes (a dot goes
            into a structure: ``"EphemeralStorage.Size"``), concurrency, retries, a mapping's batch
            size, an alias's ``"RoutingConfig.AdditionalVersionWeights"``. As a dict, with what each
            may be set to: (min, max) or (min, max, step) within AWS's range; a list of any values,
            also such as AWS refuses, None among them for "not set"; or None for the whole range.
        qualifier: the version or alias whose provisioned concurrency or weights are set; it is then
            what is invoked.
        mapping: the UUID of the event source mapping whose batch size is set.

    Raises:
        TypeError: the event isn't JSON.
        ValueError: a range that isn't one, outside the limits, or too large to record.
        botocore.exceptions.ClientError: there is no such function.
    """
    try:
        json.dumps(event, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"panel: the event must be what JSON can hold: {error}") from None
    let_pass = None
    if hasattr(client_or_cloud, "trace"):
        client = boto3.client("lambda")
        let_pass = lambda seconds: client_or_cloud.run(seconds=seconds)  # noqa: E731
        limits = limits or client_or_cloud.limits
    else:
        client, limits = client_or_cloud, limits or Limits.load("course")
    if controls is not None:
        if memory or timeout:
            raise ValueError("panel: with controls=, say what memory may be set to there:"
                             " controls={'MemorySize': (128, 512), ...}")
        found = settings(client, function_name, dict(controls) if isinstance(controls, Mapping)
                         else list(controls), limits, qualifier, mapping)
        return ControlPanel(client, function_name, event, found, record, limits, let_pass)
    low, high, step = limits.memory_min, limits.memory_max, limits.memory_step
    memory = memory or (low, high, _even_step(low, high, step))
    return Panel(
        client, function_name, event,
        _positions("memory", memory, step, low, high, "MB"),
        _positions("timeout", timeout or TIMEOUTS, 1, limits.timeout_min, limits.timeout_max, "s"),
        record, limits,
    )


def _even_step(low: int, high: int, step: int) -> int:
    """The smallest multiple of ``step`` that divides the range into few enough positions."""
    steps = (high - low) // step
    parts = max(n for n in range(1, POSITIONS) if steps % n == 0)
    return step * (steps // parts)


def _positions(name: str, given: tuple[int, ...], step: int, low: int, high: int,
               unit: str) -> list[int]:
    if len(given) not in (2, 3) or not all(type(number) is int for number in given):
        raise ValueError(f"panel: {name} must be (min, max) or (min, max, step) in whole {unit}")
    first, last, step = (*given, step)[:3]
    if not low <= first <= last <= high:
        raise ValueError(f"panel: {name} must lie within {low}-{high} {unit} of these limits,"
                         f" min first, not {first}-{last}")
    if step < 1:
        raise ValueError(f"panel: the step of {name} must be at least 1 {unit}")
    return list(range(first, last + 1, step))


def _slider(name: str, positions: list[int], now: int, unit: str) -> ipywidgets.SelectionSlider:
    nearest = min(positions, key=lambda position: abs(position - now))
    return ipywidgets.SelectionSlider(
        description=name, options=[(f"{position} {unit}", position) for position in positions],
        value=nearest, continuous_update=False,
    )


def _span(positions: list[int]) -> str:
    return f"{positions[0]}-{positions[-1]}"
