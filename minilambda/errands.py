"""What code inside an environment asks of somebody outside, and how time waits for the answer.

Stands for: a call of an AWS service, or of a database. The environment is parked: its CPU time so far
passes, then what it asked is served at that very instant, then the answer's own latency passes.
Those who ask at one instant are served one by one, in the clock's order, and go on in that order: else
who gets the last free place, or which of two writes comes second, would be the quicker thread's choice.
Methods named ``…_steps`` are simpy processes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import simpy

from .clock import Clock, ClockStopped, Work
from .function import FunctionConfiguration
from .setting import Setting

Steps = Generator[simpy.Event, Any, Any]


class Killed(Exception):
    """The environment ended while a call of its code was still being served."""


class Errands:
    """This side of a :class:`~minilambda.conversation.Conversation`."""

    setting: Setting
    clock: Clock
    function: FunctionConfiguration
    _parked: set[simpy.Event]
    _active: bool
    _ended: bool

    @contextlib.contextmanager
    def aws_call(self, service: str | None) -> Iterator[None]:
        """Around a call that the code makes of an AWS service; entered on the server's thread.

        Raises:
            Killed: the environment was killed meanwhile; the answer has nobody to go to.
        """
        with self.outside_call(lambda: self.setting.model.latency(service)):
            yield

    @contextlib.contextmanager
    def outside_call(self, seconds: Callable[[], float],
                     told: Callable[[], None] | None = None) -> Iterator[Work]:
        """Around a wait of the code for somebody outside.

        It is served alone (:meth:`Clock.alone`), so that what it records has its place among all that
        happens at this instant, whoever's thread is quicker.

        ``seconds``: how long the answer takes, asked when there is one. ``told`` is called when it
        reaches the code, as a step of the clock's: what it records is in order.

        Value: the work that time waits for meanwhile.

        Raises:
            Killed: as :meth:`aws_call`.
        """
        asked = self.clock.event()
        serving = self._park(asked, self._call_steps(asked, threading.get_ident()))
        try:
            yield serving
        finally:
            answered = self.clock.event()
            if told is not None:
                answered.callbacks.append(lambda event: event.value is Killed or told())
            latency = seconds()

            def go_on() -> None:
                self.clock.process(self._wake_steps(answered, latency))
                serving.done()

            with self.clock.lock:
                self._parked.add(answered)
                serving.answer(go_on)
            self._wait(answered)

    def _call_steps(self, asked: simpy.Event, thread: int) -> Steps:
        """When the CPU time so far has passed, the call is served; until then time stands still."""
        yield self.clock.timeout((yield from self._charge_steps()))
        if asked in self._parked and not self._ended:
            self._parked.discard(asked)
            work = self.clock.work(thread=thread)
            asked.callbacks.append(lambda event: self.clock.alone(work))
            self.clock.succeed(asked, work)

    def _park(self, event: simpy.Event, steps: Steps) -> Any:
        def begin() -> None:
            self._give_way()
            self.clock.process(steps)

        with self.clock.lock:
            if not self._active:
                steps.close()
                raise Killed(self.function.name)
            self._parked.add(event)
            self._answer(begin)
        return self._wait(event)

    def _wait(self, event: simpy.Event) -> Any:
        try:
            value = self.clock.run_until(event)
        except ClockStopped:
            value = Killed
        if value is Killed:
            raise Killed(self.function.name)
        return value
