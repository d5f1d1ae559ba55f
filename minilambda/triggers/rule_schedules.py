"""The instants at which EventBridge's rules with a schedule run.

Stands for: rules that run on a schedule. AWS page: *Creating a rule that runs on a schedule in Amazon
EventBridge*.
Leaves out: the minute within which AWS starts a schedule's targets (here: at once); EventBridge
Scheduler, which is a service of its own.

A rate counts from when its rule was put, or enabled. Nobody waits for a schedule, so the clock's
``run_until_idle`` doesn't either; a rule costs something only when it falls due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..agenda import Agenda
from ..clock import Clock
from ..schedule import At, Schedule, ScheduleError, parse

Key = tuple[str, str, str]  # account, region, the rule's name: schedules are for the default bus


@dataclass(slots=True, eq=False)
class _Running:
    schedule: Schedule
    fire: Callable[[datetime], None]


class Schedules:
    """Those of one cloud."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.agenda = clock, Agenda(clock)
        self._running: dict[Key, _Running] = {}

    def start(self, key: Key, expression: str, fire: Callable[[datetime], None]) -> None:
        """From now on ``fire`` is called at each instant of the schedule (anew, if it was).

        Raises:
            ScheduleError: the expression isn't one of a rule's.
        """
        with self.clock.lock:
            running = _Running(read(expression, self.clock.now), fire)
            self._running[key] = running
            self._await(key, running, self.clock.now)

    def stop(self, key: Key) -> None:
        with self.clock.lock:
            self._running.pop(key, None)

    def _await(self, key: Key, running: _Running, after: datetime) -> None:
        due = running.schedule.after(after)
        if due is not None:
            self.agenda.add((due - self.clock.start).total_seconds(),
                            lambda _: self._ring(key, running, due))

    def _ring(self, key: Key, running: _Running, due: datetime) -> None:
        if self._running.get(key) is running:
            running.fire(due)
            self._await(key, running, due)


def read(expression: str, now: datetime) -> Schedule:
    """Raises:
        ScheduleError: it isn't ``rate(…)`` or ``cron(…)``.
    """
    schedule = parse(expression, now)
    if isinstance(schedule, At):
        raise ScheduleError("at(…) is for schedules of EventBridge Scheduler")
    return schedule
