"""Traffic that plays, with controls to turn while it does, and a picture that follows.

Stands for the console's *Monitor* page beside *Configuration*, if both were immediate. Each request
is a real Invoke, each turn a boto3 call, and the picture is read from the cloud's trace. In a page
without a kernel whole runs, one for each position of the controls, play from a recording.
Leaves out: the wall clock (there traffic takes as long as it takes; see :func:`traffic`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import anywidget
import boto3
import ipywidgets
import traitlets

from ..clock import ClockStopped
from ..model import Model
from . import calls, words
from .film import UNIT, Camera, Frames, summary
from .patterns import Pattern
from .settings import Setting, moved, nearest, settings
from .sources import source
from .traffic import Traffic

MOST_RUNS = 64  # that a recording makes
LARGEST = 200_000  # bytes of a recording: a page carries it whole
RESERVED = "ReservedConcurrentExecutions"


class LiveView(anywidget.AnyWidget):
    """What live.js draws, and what its reader asks for.

    ``films`` are the recorded runs, the last control's positions changing first. ``ask`` is what
    the reader wants: ``indexes`` (where the controls stand), ``run`` (which run, counted), ``until``
    (how far, in a film's unit), ``hello`` (counted: tell me everything). ``fresh`` is what the
    kernel tells: ``run``, ``number`` (0: all of it; n: since n - 1), ``frames``, ``over``, ``said``.
    """

    _esm = source("element.js", "controls.js", "film.js", "picture.js", "live.js")
    _css = source("controls.css", "live.css")

    function = traitlets.Unicode().tag(sync=True)
    pattern = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.Float().tag(sync=True)
    controls = traitlets.List().tag(sync=True)
    indexes = traitlets.List(traitlets.Int()).tag(sync=True)
    films = traitlets.List().tag(sync=True)
    ask = traitlets.Dict().tag(sync=True)
    fresh = traitlets.Dict().tag(sync=True)


class Live(ipywidgets.VBox):
    """Controls, player and picture. Made by :func:`live`.

    What a reader does by hand, a cell does too: ``turn`` a control, ``play`` some seconds,
    ``restart``. ``view`` is the :class:`LiveView`; ``said`` what AWS refused last, if it did;
    ``traffic`` the present run's requests, None before the first.
    """

    def __init__(self, cloud: Any, function: str, pattern: Pattern, event: Any,
                 controls: list[Setting], recorded: bool) -> None:
        self.cloud, self.function, self.pattern, self.event = cloud, function, pattern, event
        self.client = boto3.client("lambda")
        self.settings = controls
        self._called = next((s.called for s in controls if ":" in s.called), function)
        self.said = ""
        self.run = self._number = 0
        self.traffic: Traffic | None = None
        self._camera: Camera | None = None
        self._first = 0  # place in the trace where the present run begins
        self._turns: list[list[Any]] = []
        self._told = 0  # of the turns
        now = [setting.read(self.client) for setting in controls]
        self._set = _places(controls, now)
        films = self._record() if recorded else []
        self.view = LiveView(
            function=function, pattern=pattern.name, seconds=pattern.seconds,
            controls=[setting.as_data() for setting in controls],
            indexes=list(map(nearest, controls, now)), films=films)
        self.view.observe(self._asked, "ask")
        super().__init__([self.view])

    def __repr__(self) -> str:
        return (f"Live traffic to {self.function}: {self.pattern!r}. Run this cell to turn its"
                f" controls ({words.listing([s.label.lower() for s in self.settings])}).")

    # -- what a reader does, from a cell ---------------------------------------------------------

    def turn(self, name: str, value: Any) -> None:
        """Turn a control (AWS's name of the setting) to one of its positions.

        Raises:
            ValueError: no such control, or no such position.
        """
        self.view.indexes = moved(self.settings, self.view.indexes, name, value)
        self._want(indexes=list(self.view.indexes))

    def play(self, seconds: float | None = None) -> None:
        """Let so many seconds of the traffic pass; all that is left of it unless given."""
        now = self.view.ask.get("until", 0)
        until = round(self.pattern.seconds * UNIT) if seconds is None else now + seconds * UNIT
        self._want(run=max(1, self.run), until=round(until))

    def restart(self) -> None:
        """The run ends, and another begins, with no warm environment."""
        self._want(run=self.run + 1, until=0)

    def figures(self) -> dict[str, int]:
        """The present run so far: requests, answered, failed, throttled, environments, most at
        once."""
        return summary(self._whole())

    # -- inside ----------------------------------------------------------------------------------

    def _want(self, **more: Any) -> None:
        self.view.ask = {"indexes": list(self.view.indexes)} | self.view.ask | more

    def _asked(self, change: Any) -> None:
        """Do what is wanted and isn't so yet; then tell what happened, whatever it is."""
        ask, whole = change["new"], False
        try:
            if ask.get("hello") != change["old"].get("hello") or self.run == 0:
                self.run, whole = max(1, self.run), True
            if ask.get("run", 0) > self.run:
                self._begin_anew(ask["run"])
                whole = True
            if ask.get("indexes", self._set) != self._set:
                self._turn(ask["indexes"])
            if ask.get("until", 0) > self._until():
                self._advance(ask["until"] / UNIT)
        except calls.NOT_MADE as error:
            self.said = calls.not_made(error).sentence
        except Exception as error:
            if isinstance(error, ClockStopped) or "this cloud is closed" in str(error):
                self.said = calls.CLOSED
            else:
                self.said = calls.failed(error).sentence
                raise
        finally:
            self._tell(whole)

    def _until(self) -> int:
        """How far the present run is, in a film's unit."""
        if self.traffic is None:
            return 0
        return round(round((self.cloud.seconds - self.traffic.start) * UNIT, 4))

    def _begin_anew(self, run: int) -> None:
        if self.traffic is not None:
            self.traffic.stop()
        self.traffic, self._camera, self.run, self.said = None, None, run, ""

    def _turn(self, indexes: list[int]) -> None:
        self.said = ""
        for number, index in enumerate(indexes):
            if index == self._set[number]:
                continue
            setting, value = self.settings[number], self.settings[number].positions[index]
            self._set = [*self._set[:number], index, *self._set[number + 1:]]
            setting.write(self.client, value)
            if self.traffic is not None:
                self._turns.append([self._until(), f"{setting.label} {setting.says(value)}",
                                    self._reserved()])

    def _advance(self, until: float) -> None:
        if self.cloud.clock.wall:
            raise RuntimeError("live: on the wall clock use views.traffic")
        if self.traffic is None:
            self._start()
        left = self.traffic.start + until - self.cloud.seconds
        if until >= self.pattern.seconds:
            self.traffic.finish()
        elif left > 0:
            self.traffic.advance(left)

    def _start(self) -> None:
        """A run from cold: configured anew, a function has no warm environment, as on AWS.

        A version can't be configured. Its environments go when they have been idle for long enough.
        """
        if self._called != self.function:
            self.cloud.run(seconds=Model.load().idle_seconds + 1)
        now = self.client.get_function_configuration(FunctionName=self.function)
        answer = self.client.update_function_configuration(
            FunctionName=self.function, Description=now.get("Description", ""))
        if answer.get("LastUpdateStatus") == "InProgress":
            self.client.get_waiter("function_updated_v2").wait(FunctionName=self.function)
        self._first, self._turns, self._told = len(self.cloud.trace), [[0, "", self._reserved()]], 0
        self.traffic = Traffic(self.cloud, self._called, self.pattern, self.event)
        self._camera = Camera(self.cloud.trace, self.function, self.traffic.start)

    def _reserved(self) -> int | None:
        """What the picture draws a line at."""
        for setting, index in zip(self.settings, self._set, strict=True):
            if setting.name == RESERVED:
                return setting.positions[index]
        return Setting(RESERVED, "", "", (), {"FunctionName": self.function}).read(self.client)

    def _whole(self) -> Frames:
        if self.traffic is None:
            return Frames(0)
        camera = Camera(self.cloud.trace, self.function, self.traffic.start, self._first)
        return camera.take(self.cloud.seconds)

    def _tell(self, whole: bool) -> None:
        if whole:
            self._told = 0
            self._turns = [] if self.traffic is None else self._turns
            frames = self._whole()
            if self._camera is not None:
                self._camera.take(self.cloud.seconds)
        else:
            frames = self._camera.take(self.cloud.seconds) if self._camera else Frames(0)
        self._number = 0 if whole else self._number + 1
        turns, self._told = self._turns[self._told:], len(self._turns)
        self.view.fresh = {
            # Counted, because the same again would be no news, and a page that asks must hear it.
            "count": self.view.fresh.get("count", 0) + 1,
            "run": self.run, "number": self._number, "said": self.said,
            "over": self.traffic is not None and self.traffic.over,
            "frames": frames.as_data() | {"turns": turns}}

    def _record(self) -> list[dict[str, Any]]:
        """A whole run at each position of the controls; afterwards they are as they were."""
        places = list(itertools.product(*(range(len(s.positions)) for s in self.settings)))
        if len(places) > MOST_RUNS:
            raise ValueError(f"live: {len(places):,} positions would be as many runs to record, and"
                             f" {MOST_RUNS} is the most: give fewer, or say record=False")
        before = [setting.read(self.client) for setting in self.settings]
        films = []
        self._set = [-1] * len(self.settings)  # the first position too is set for real
        try:
            for place in places:
                try:
                    self._turn(list(place))
                except calls.NOT_MADE as error:
                    self.said = calls.not_made(error).sentence
                    films.append(Frames(0).as_data() | {"turns": [], "said": self.said})
                    self._set = [-1] * len(place)  # so that the next position sets all it is about
                    continue
                self._start()
                self.traffic.finish()
                films.append(self._camera.take(self.cloud.seconds).as_data()
                             | {"turns": self._turns, "said": self.said})
                self.traffic = self._camera = None
        finally:
            self.said, self._turns = "", []
            for setting, value in zip(self.settings, before, strict=True):
                if setting.read(self.client) != value:
                    setting.write(self.client, value)
            self._set = _places(self.settings, before)
        size = len(json.dumps(films, separators=(",", ":")))
        if size > LARGEST:
            raise ValueError(f"live: the recording has {size:,} bytes, and a page carries {LARGEST:,}"
                             " at the most: give a shorter pattern or fewer positions, or say"
                             " record=False")
        return films


def _places(controls: list[Setting], values: list[Any]) -> list[int]:
    """Positions of the values; -1 for one that has none, so that whatever is chosen is a change."""
    return [setting.positions.index(value) if value in setting.positions else -1
            for setting, value in zip(controls, values, strict=True)]


def live(cloud: Any, function: str, pattern: Pattern,
         controls: Sequence[str] | dict[str, Any] = (RESERVED,), event: Any = None,
         record: bool = True, qualifier: str | None = None, mapping: str | None = None) -> Live:
    """Traffic to a function with play, pause, step, speed; controls; and a picture that follows.

    Args:
        cloud: a :class:`minilambda.Cloud` on the virtual clock.
        function: an existing function. Turning a control changes it.
        pattern: of ``views.patterns``, for instance ``patterns.burst(5, every=1, seconds=10)``.
        controls: AWS's names of settings; as a dict with what each may be set to: see
            :func:`panel`.
        event: each request's event, anything JSON can hold.
        record: make a whole run at every position now, so that a page with no kernel plays them;
            the function is configured afterwards as it was before. At most 64 runs and 200 KB.
        qualifier, mapping: see :func:`panel`.

    Raises:
        TypeError: the event isn't JSON, or the first argument isn't a Cloud.
        ValueError: the wall clock, a control or a range that isn't one, too much to record.
        botocore.exceptions.ClientError: there is no such function.
    """
    if not hasattr(cloud, "appoint"):
        raise TypeError("live: the first argument must be a minilambda.Cloud")
    if cloud.clock.wall:
        raise ValueError("live: needs the virtual clock, Cloud(); on the wall clock use traffic()")
    client = boto3.client("lambda")
    client.get_function_configuration(FunctionName=function)
    found = settings(client, function, controls if isinstance(controls, dict) else list(controls),
                     cloud.limits, qualifier, mapping)
    return Live(cloud, function, pattern, event, found, record)
