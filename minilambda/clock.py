"""The cloud's one clock, and the only module that knows simpy.

Stands for: time. Everything that takes time (a sleep, a deadline, an idle environment's expiry)
is a simpy process on this clock, and every random choice comes from its one seeded generator.

*Virtual* time stands still while real code runs and then jumps ("conservative co-simulation"):
a piece of real work is announced with :meth:`Clock.work`, and time moves on only when every
announced piece has answered. *Wall* time follows the computer's clock, ``speed`` times as fast.

The clock owns no thread. Whoever waits for something (:meth:`run_until`, :meth:`run`) turns the
crank while waiting; several threads may wait at once, and each step is taken under one lock. The
lock is never held while real code runs, so that code's own AWS calls can come back in. Of threads
that wait one leads: it is woken by whatever happens, and reads what real code has to say
(``pump``); the others sleep until their own event has come, or the leader leaves.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
import uuid
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

import simpy

from .dates import Dates
from .timer import Timer
from .work import Pump, Work

# Where virtual time starts unless told otherwise: a Monday morning in the months the course is
# about. A fixed start is what makes a page's outputs the same on every machine.
COURSE_START = datetime(2020, 3, 2, 9, 0, tzinfo=UTC)


class ClockStopped(RuntimeError):
    """The cloud was closed while something was still waiting on its clock."""


class Clock(Dates):
    """Virtual or wall time, an event queue, and the one random generator.

    Args:
        wall: follow the computer's clock instead of standing still while code runs.
        speed: wall seconds count this many times (wall clock only).
        start: the instant at which the clock starts (aware datetime).
        seed: of the generator that ids, jitter and sampled latencies come from.
    """

    def __init__(self, *, wall: bool = False, speed: float = 1.0, start: datetime | None = None,
                 seed: int = 0) -> None:
        if speed <= 0:
            raise ValueError("speed must be greater than 0")
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime: add tzinfo=datetime.UTC")
        self.wall, self.speed = wall, speed
        self.start = start or datetime.now(UTC)
        self.random = random.Random(seed)
        self._mutex = threading.RLock()
        self.lock = threading.Condition(self._mutex)
        self._sim = simpy.Environment()
        self._working: set[Work] = set()
        self._alone: set[Work] = set()  # those of them beside which nothing else may happen
        self._origin = time.monotonic()
        self._works = 0
        # Where nobody else can do the work that time waits for, whoever waits does it: a callable
        # that does a piece and says whether there was one.
        self.lend_a_hand: Callable[[], bool] | None = None
        self.pump: Pump | None = None  # for answers by sockets that nobody else reads
        self._leader: int | None = None  # the thread that leads, while it sleeps
        self._asleep = 0  # threads that sleep on the lock
        self._followers: list[threading.Condition] = []
        self._stopped = False
        self._halt = False  # something has happened that a thread waits for

    # -- reading -----------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return max(self._sim.now, self._wall_seconds()) if self.wall else self._sim.now

    def uuid(self) -> str:
        """A version 4 UUID from the seeded generator."""
        with self.lock:
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # -- scheduling (call with the lock, or from a process) -------------------------------------

    def process(self, generator: Generator) -> simpy.Process:
        """Start a simpy process at the present instant."""
        with self.lock:
            self._catch_up()
            process = self._sim.process(generator)
            self._notify()
            return process

    def event(self) -> simpy.Event:
        return self._sim.event()

    def timeout(self, seconds: float, value: Any = None) -> simpy.Timeout:
        return self._sim.timeout(max(0.0, seconds), value)

    def any_of(self, events: list[simpy.Event]) -> simpy.Condition:
        return self._sim.any_of(events)

    def timer(self, owner: Any) -> Timer:
        """A step that can be set again and again; see there."""
        return Timer(self._sim, owner)

    def succeed(self, event: simpy.Event, value: Any = None) -> None:
        """Trigger an event from any thread; the second call on the same event is ignored."""
        with self.lock:
            if not event.triggered:
                self._catch_up()
                event.succeed(value)
                self._notify()

    def cancel(self, timeout: simpy.Timeout) -> None:
        """Nobody waits for ``timeout`` any more: time need not pass for it."""
        timeout.cancelled = True

    def work(self, patience: float | None = None, on_overrun: Callable | None = None,
             thread: int | None = None) -> Work:
        """Announce real work: virtual time waits until its ``done()``."""
        with self.lock:
            self._works += 1
            work = Work(self, self._works, patience, on_overrun, thread)
            self._working.add(work)
            return work

    def alone(self, work: Work) -> None:
        """Until ``work`` has its answer no step is taken at all, not even one due at this instant.

        Not on the wall clock; and while the work's own thread waits on the clock, steps are taken.
        """
        with self.lock:
            if work.open and not self.wall:
                work.alone = True
                self._alone.add(work)

    # -- turning the crank -----------------------------------------------------------------------

    def run_until(self, event: simpy.Event) -> Any:
        """Let time pass until ``event`` has happened; gives its value.

        Raises:
            ClockStopped: the clock was stopped meanwhile.
            RuntimeError: nothing is scheduled that could ever make it happen.
        """
        with self.lock:
            mine = {work for work in self._working if work.thread == threading.get_ident()}
            if mine:
                self._working -= mine
                self._alone -= mine
                self._notify()

            def take_up(event: simpy.Event) -> None:
                # In the very step in which the wait ends: this thread runs again from here on,
                # and another thread's next step must not move time under it.
                self._working.update(work for work in mine if work.open)
                self._alone.update(work for work in mine if work.open and work.alone)

            happened = threading.Condition(self._mutex)
            if event.callbacks is not None:
                event.callbacks.append(take_up)
                event.callbacks.append(lambda event: self._tell(happened))
            try:
                while not event.processed:
                    self._check()
                    stepped = self._turn(None, happened) and self._sprint(float("inf"))
                    if not stepped and self._is_idle() and not event.processed:
                        raise RuntimeError("nothing left to happen: this wait would never end")
            finally:
                take_up(event)
                self._hand_over()
            if not event.ok:
                raise event.value
            return event.value

    def wait_for(self, event: simpy.Event) -> Any:
        """As :meth:`run_until`, but it is for somebody else to let time pass."""
        with self.lock:
            happened = threading.Condition(self._mutex)
            if event.callbacks is not None:
                event.callbacks.append(lambda event: self._tell(happened))
            while not event.processed:
                self._check()
                happened.wait(1.0)
            if not event.ok:
                raise event.value
            return event.value

    def run_at_most(self, events: list[simpy.Event], real_seconds: float) -> None:
        """Let time pass until all of ``events`` have happened, but not for more real seconds."""
        latest = time.monotonic() + real_seconds
        with self.lock:
            while time.monotonic() < latest and not all(event.processed for event in events):
                self._check()
                if not self._turn(None) and self._is_idle():
                    break
            self._hand_over()

    def run(self, seconds: float) -> None:
        """Let exactly ``seconds`` pass, and everything happen that falls due in them."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        with self.lock:
            end = self.seconds + seconds
            while ((self._turn(end) and self._sprint(end)) or self._working
                   or self._due_by(end)):
                self._check()
            self._pass_to(end)
            self._hand_over()

    def run_until_idle(self) -> None:
        """Let time pass until nothing is scheduled any more.

        What only waits to expire (a frozen environment, say) is scheduled with
        :meth:`background` and doesn't count.
        """
        with self.lock:
            while self._working or self._foreground():
                self._check()
                self._turn(None)
            self._hand_over()

    def background(self, seconds: float) -> simpy.Timeout:
        """A timeout that :meth:`run_until_idle` doesn't wait for."""
        timeout = self.timeout(seconds)
        timeout.background = True
        return timeout

    def stop(self) -> None:
        """End every wait on this clock with :class:`ClockStopped`."""
        with self.lock:
            self._stopped = True
            self._notify()

    # -- inside ---------------------------------------------------------------------------------

    def _wall_seconds(self) -> float:
        return (time.monotonic() - self._origin) * self.speed

    def _catch_up(self) -> None:
        """On the wall clock an outside event happens now, not when the last step was taken."""
        if self.wall and not self._stopped:
            present = self._wall_seconds()
            while self._peek() <= present:
                self._sim.step()
            self._pass_to(present)

    def _pass_to(self, end: float) -> None:
        """Move to ``end``; nothing is due before it."""
        if self._sim.now < end:
            self._sim._now = end  # exactly: run(until=end) adds a difference, which may round

    def _check(self) -> None:
        if self._stopped:
            raise ClockStopped("the cloud was closed")

    def _peek(self) -> float:
        """When the next step is due. Cancelled timeouts at the head are dropped first."""
        queue = self._sim._queue
        while queue and getattr(queue[0][-1], "cancelled", False):
            heapq.heappop(queue)
        return self._sim.peek()

    def _due_by(self, end: float) -> bool:
        return self._peek() <= end or (self.wall and self._wall_seconds() < end)

    def _foreground(self) -> bool:
        return not all(
            getattr(entry[-1], "background", False) or getattr(entry[-1], "cancelled", False)
            for entry in self._sim._queue)

    def _is_idle(self) -> bool:
        return not (self._working or self._sim._queue)

    def _notify(self) -> None:
        """Something has changed: the leader is to look again."""
        if self._asleep:
            self.lock.notify_all()
        if self._leader is not None and self.pump is not None:
            if self._leader != threading.get_ident():
                self.pump.wake()

    def _hand_over(self) -> None:
        """This thread waits no longer; if nobody leads, another thread that waits has to."""
        if self._leader is None and self._followers:
            self._followers[0].notify()
        elif self._leader is None and self._asleep:
            self.lock.notify()  # who only lets time pass would sleep till then, and nobody read

    def _turn(self, end: float | None, happened: threading.Condition | None = None) -> bool:
        """Take one step if one may be taken, else wait a little. True if a step was taken."""
        due = self._peek()
        if self.wall or due > self._sim.now:
            # What is due at this instant comes first, or it would depend on who was quicker: an
            # answer might or might not be there already when the next of them has its turn.
            self._bring_in()
            due = self._peek()
        last = due if end is None else max(end, self._sim.now)  # another thread may be beyond ``end``
        if due != float("inf") and due <= last and self._may_step(due):
            self._sim.step()
            self._notify()
            return True
        if self._working or (self.wall and (due != float("inf") or end is not None)):
            self._wait(due if end is None else min(due, end), happened)
        return False

    def _sprint(self, end: float) -> bool:
        """Steps in a row, where nothing goes on for real: what `_turn` looks at is known. True."""
        sim, queue, self._halt = self._sim, self._sim._queue, False
        while (queue and not self._working and queue[0][0] <= end
               and not (self._halt or self.wall or self._stopped)):
            if getattr(queue[0][-1], "cancelled", False):
                heapq.heappop(queue)
            else:
                sim.step()
        self._notify()
        return True

    def _tell(self, waiting: threading.Condition) -> None:
        self._halt = True
        waiting.notify()

    def _bring_in(self) -> None:
        """Let answers in once every piece of work has one."""
        for work in self._working:
            if not work.replies:
                return
        for work in sorted(self._working, key=lambda work: work.number):
            replies, work.replies = work.replies, []
            for reply in replies:
                reply()

    def _may_step(self, due: float) -> bool:
        if self._alone:
            return False
        if due <= self._sim.now:
            return True
        if self.wall:
            return due <= self._wall_seconds()
        return not self._working

    def _wait(self, due: float, happened: threading.Condition | None) -> None:
        """Sleep until something answers, work overruns, or (wall clock) the next step is due.

        ``happened``: notified when what this thread waits for has come.
        """
        if self._stopped or (self.lend_a_hand is not None and self.lend_a_hand()):
            return  # (nobody would wake who sleeps on a stopped clock)
        if self._leader is not None and happened is not None:
            self._followers.append(happened)
            happened.wait(1.0)
            self._followers.remove(happened)
            return
        now = time.monotonic()
        limits = [w.started + w.patience - now for w in self._running()]
        if self.wall and due != float("inf"):
            limits.append((due - self._wall_seconds()) / self.speed)
        self._sleep(max(0.0, min(limits, default=1.0)))
        now = time.monotonic()
        for work in self._running():
            if now - work.started >= work.patience:
                work.patience = None
                if work.on_overrun is not None:
                    work.on_overrun()

    def _running(self) -> list[Work]:
        """Work that may run out of patience. What has answered only waits for the others."""
        return [work for work in self._working if work.patience is not None and not work.replies]

    def _sleep(self, real_seconds: float) -> None:
        """With the lock let go, and as the leader if there is none."""
        if self._leader is not None:
            self._sleep_on_lock(real_seconds)
            return
        self._leader = threading.get_ident()
        try:
            if self.pump is None:
                self._sleep_on_lock(real_seconds)
                return
            # As Condition.wait does it, also when this thread holds the lock several times over.
            held = self._mutex._release_save()
            try:
                self.pump(real_seconds)
            finally:
                self._mutex._acquire_restore(held)
        finally:
            self._leader = None

    def _sleep_on_lock(self, real_seconds: float) -> None:
        self._asleep += 1
        self.lock.wait(real_seconds)
        self._asleep -= 1
