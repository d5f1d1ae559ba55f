"""Threads that live on the cloud's clock: of all of them one runs at a time, and their waits are its time.

Stands for nothing of AWS's: it is how a program of somebody else's that was written with threads (moto's
interpreter of state machines) runs here, the same every time.

A strand is a real thread. While it runs, time stands still and nothing else happens
(:meth:`Clock.alone`); it rests when it waits for a clock's event, and is woken by a step of the clock's.
Strands turn no crank: who lets time pass is somebody else, as with :mod:`appointments`. So a program
stands still when nobody lets time pass, and goes on when somebody does.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import simpy

from .clock import Clock, Work

FOREVER = 1e7  # seconds: more than this is no time limit


class Strands:
    """All strands of one clock, and what they use instead of the standard library's ``threading``."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._own = threading.local()

    def begin(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Strand:
        """Run ``target`` on a strand of its own, as a step of the clock's at this instant."""
        return Strand(self, target, args, kwargs)

    def wait(self, event: simpy.Event) -> Any:
        """Wait for an event on the clock; gives its value, or raises it.

        On a thread that is no strand this lets time pass.

        Raises:
            SystemExit: the cloud was closed, and with it the strand; elsewhere ClockStopped.
        """
        strand = getattr(self._own, "strand", None)
        return self.clock.run_until(event) if strand is None else strand.wait(event)

    def sleep(self, seconds: float) -> None:
        with self.clock.lock:
            timeout = self.clock.timeout(seconds)
        self.wait(timeout)

    def wait_at_most(self, event: simpy.Event, seconds: float | None) -> bool:
        """Whether ``event`` has happened within so many seconds."""
        if seconds is None or seconds >= FOREVER:
            self.wait(event)
            return True
        with self.clock.lock:
            if event.triggered:
                return True
            alarm = self.clock.timeout(seconds)
            either = self.clock.any_of([event, alarm])
        self.wait(either)
        with self.clock.lock:
            self.clock.cancel(alarm)
            return event.triggered

    # -- as ``threading`` has them -------------------------------------------------------------------

    def Thread(self, group: None = None, target: Callable[..., Any] = lambda: None,
               name: str | None = None, args: tuple = (), kwargs: dict[str, Any] | None = None,
               *, daemon: bool | None = None) -> Thread:
        return Thread(self, target, args, kwargs or {})

    def Event(self) -> Event:
        return Event(self)


class Strand:
    """One of them; ``ended`` happens when its target has returned or raised."""

    def __init__(self, strands: Strands, target: Callable[..., Any], args: tuple,
                 kwargs: dict[str, Any]) -> None:
        self.strands, self.clock = strands, strands.clock
        self._target, self._args, self._kwargs = target, args, kwargs
        self._woken = threading.Condition(self.clock._mutex)
        self._work: Work | None = None  # while it runs
        self.ended = self.clock.event()
        with self.clock.lock:
            self.clock.process(self._begin_steps())

    def wait(self, event: simpy.Event) -> Any:
        """Rest until ``event`` has happened."""
        with self.clock.lock:
            if event.callbacks is not None:
                event.callbacks.append(lambda event: self.clock.process(self._wake_steps()))
                self._rest()
                while self._work is None:
                    if self.clock._stopped:
                        raise SystemExit  # past all that its program would catch; nobody is told
                    self._woken.wait(1.0)
            if not event.ok:
                event.defused = True
                raise event.value
            return event.value

    def _begin_steps(self):
        self._resume()
        threading.Thread(target=self._run, name="strand", daemon=True).start()
        return
        yield  # a process is a generator

    def _wake_steps(self):
        # A step of its own: of two who wait for one event one runs first.
        self._resume()
        return
        yield

    def _resume(self) -> None:
        self._work = self.clock.work()
        self.clock.alone(self._work)
        self._woken.notify_all()

    def _rest(self) -> None:
        work, self._work = self._work, None
        work.done()

    def _run(self) -> None:
        self.strands._own.strand = self
        try:
            with contextlib.suppress(SystemExit):
                self._target(*self._args, **self._kwargs)
        finally:
            with self.clock.lock:
                self.clock.succeed(self.ended)
                if self._work is not None:
                    self._rest()


class Thread:
    """``threading.Thread``, as far as it is used."""

    native_id = 0

    def __init__(self, strands: Strands, target: Callable[..., Any], args: tuple,
                 kwargs: dict[str, Any]) -> None:
        self._strands, self._target, self._args, self._kwargs = strands, target, args, kwargs
        self._strand: Strand | None = None

    def start(self) -> None:
        self._strand = self._strands.begin(self._target, *self._args, **self._kwargs)

    def join(self, timeout: float | None = None) -> None:
        self._strands.wait_at_most(self._strand.ended, timeout)

    def is_alive(self) -> bool:
        return self._strand is not None and not self._strand.ended.triggered


class Event:
    """``threading.Event``."""

    def __init__(self, strands: Strands) -> None:
        self._strands = strands
        self._happened = strands.clock.event()

    def is_set(self) -> bool:
        return self._happened.triggered

    def set(self) -> None:
        self._strands.clock.succeed(self._happened)

    def clear(self) -> None:
        with self._strands.clock.lock:
            if self._happened.triggered:
                self._happened = self._strands.clock.event()

    def wait(self, timeout: float | None = None) -> bool:
        return self._strands.wait_at_most(self._happened, timeout)
