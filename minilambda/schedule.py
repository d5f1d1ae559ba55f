"""Schedule expressions: ``at(…)``, ``rate(…)`` and ``cron(…)``, and when they come true.

Stands for: the schedules that Application Auto Scaling and EventBridge share. AWS pages: *Cron
expressions reference*, *Rate expressions reference*, *PutScheduledAction*.
Leaves out: EventBridge Scheduler's flexible time windows.

A schedule answers one question: when is its next instant after a given one? So a clock can jump there.
Why no library: AWS's six fields aren't cron's five (Sunday is 1, ``?``, ``L``, ``W``, ``#``, years to
2199), and of the libraries for AWS's fields the best kept one takes ``L`` as a day of the week for
"never" and knows neither increments of days of the week nor time zones.

In a time zone, a local time that the clocks leave out in spring is skipped, and one that comes twice
in autumn counts once, the first time.
"""

from __future__ import annotations

import calendar
import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()  # 1 to 7
YEARS = range(1970, 2200)


class ScheduleError(ValueError):
    """An expression or a time zone that isn't one; the message says what is wrong with it."""


@dataclass(frozen=True)
class At:
    """``at(2020-03-02T18:00:00)``: once, in local time."""

    instant: datetime

    def after(self, instant: datetime) -> datetime | None:
        """The first instant later than ``instant`` (aware); None when there is none."""
        return self.instant if self.instant > instant else None


@dataclass(frozen=True)
class Rate:
    """``rate(5 minutes)``: again and again, counted from ``start``; the first is one period later."""

    period: timedelta
    start: datetime

    def after(self, instant: datetime) -> datetime | None:
        """The first instant later than ``instant`` (aware); None when there is none."""
        return self.start + max(1, (instant - self.start) // self.period + 1) * self.period


@dataclass(frozen=True)
class Cron:
    """``cron(0 18 ? * MON-FRI *)``: on the minute, in local time."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    on_day: Callable[[date], bool]
    zone: tzinfo

    def after(self, instant: datetime) -> datetime | None:
        """The first instant later than ``instant`` (aware); None when there is none."""
        # From some hours before: where clocks go back, a later instant has an earlier local time.
        first = instant.astimezone(self.zone).replace(tzinfo=None) - timedelta(hours=3)
        for day in self._days(first.date()):
            for hour in self.hours:
                if day == first.date() and hour < first.hour:
                    continue
                for minute in self.minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                    found = local.astimezone(UTC)
                    if found > instant and found.astimezone(self.zone).replace(
                            tzinfo=None) == local.replace(tzinfo=None):
                        return found
        return None

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                if (year, month) < (first.year, first.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.on_day(day):
                        yield day


Schedule = At | Rate | Cron


def parse(expression: str, now: datetime, zone: str | None = None) -> Schedule:
    """The schedule that an expression stands for.

    Args:
        expression: with its word and parentheses, as AWS wants it.
        now: the instant that a rate counts from (aware).
        zone: of ``at`` and ``cron``, by its IANA name; UTC unless given.

    Raises:
        ScheduleError: neither.
    """
    found = re.fullmatch(r"(at|rate|cron)\((.*)\)", expression.strip())
    if found is None:
        raise ScheduleError(f"'{expression}' is none of at(…), rate(…) and cron(…)")
    kind, inside = found.groups()
    where = time_zone(zone) if zone else UTC
    if kind == "cron":
        return _cron(inside, where)
    return _at(inside, where) if kind == "at" else _rate(inside, now)


def time_zone(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        ScheduleError: there is none of this name.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ScheduleError(f"'{name}' is no time zone") from problem


def _at(inside: str, zone: tzinfo) -> At:
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})", inside)
    try:
        if found is None:
            raise ValueError
        return At(datetime(*map(int, found.groups()), tzinfo=zone).astimezone(UTC))
    except (ValueError, OverflowError) as problem:
        raise ScheduleError(f"'{inside}' is no date and time (yyyy-mm-ddThh:mm:ss)") from problem


def _rate(inside: str, now: datetime) -> Rate:
    found = re.fullmatch(r"([1-9]\d{0,8})\s+(minute|hour|day)(s?)", inside.strip())
    if found is None:
        raise ScheduleError(f"'{inside}' is no rate (a number from 1, and minutes, hours or days)")
    value, unit, plural = int(found[1]), found[2] + "s", found[3]
    if (value == 1) == bool(plural):
        raise ScheduleError(f"'{inside}' is no rate: it is 1 {unit[:-1]}, and 2 {unit}")
    try:
        period = timedelta(**{unit: value})
        now + period
    except OverflowError as problem:
        raise ScheduleError(f"'{inside}' never comes") from problem
    return Rate(period, now)


def _cron(inside: str, zone: tzinfo) -> Cron:
    fields = inside.upper().split()
    if len(fields) != 6:
        raise ScheduleError(f"Invalid CRON expression: {len(fields)} fields instead of 6")
    minutes, hours, of_month, months, of_week, years = fields
    if (of_month == "?") == (of_week == "?"):
        raise ScheduleError("Invalid CRON expression: exactly one of Day-of-month and Day-of-week "
                            "must be '?'")
    return Cron(tuple(sorted(_values("Minutes", minutes, range(60)))),
                tuple(sorted(_values("Hours", hours, range(24)))),
                _values("Month", months, range(1, 13), MONTHS),
                _values("Year", years, YEARS),
                _day_of_month(of_month) if of_week == "?" else _day_of_week(of_week), zone)


def _day_of_month(field: str) -> Callable[[date], bool]:
    name = "Day-of-month"
    if found := re.fullmatch(r"L(-(\d+))?", field):
        before = int(found[2] or 0)
        if before > 30:
            raise _invalid(name, field)
        return lambda day: _length(day) - day.day == before
    if field == "LW":
        return lambda day: day == _weekday_near(day, _length(day))
    if found := re.fullmatch(r"(\d+)W", field):
        wanted = int(found[1])
        if not 1 <= wanted <= 31:
            raise _invalid(name, field)
        return lambda day: wanted <= _length(day) and day == _weekday_near(day, wanted)
    values = _values(name, field, range(1, 32))
    return lambda day: day.day in values


def _day_of_week(field: str) -> Callable[[date], bool]:
    name = "Day-of-week"
    if field == "L":  # the last day of the week
        return lambda day: _of_week(day) == 7
    if found := re.fullmatch(r"(\w+)L", field):
        wanted = _number(name, found[1], range(1, 8), DAYS)
        return lambda day: _of_week(day) == wanted and day.day + 7 > _length(day)
    if found := re.fullmatch(r"(\w+)#(\d)", field):
        wanted, which = _number(name, found[1], range(1, 8), DAYS), int(found[2])
        if not 1 <= which <= 5:
            raise _invalid(name, field)
        return lambda day: _of_week(day) == wanted and (day.day - 1) // 7 + 1 == which
    values = _values(name, field, range(1, 8), DAYS)
    return lambda day: _of_week(day) in values


def _of_week(day: date) -> int:
    """1 is Sunday, 7 is Saturday."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_near(day: date, wanted: int) -> date:
    """The weekday nearest to a day of the same month; it never leaves the month."""
    found = day.replace(day=wanted)
    match _of_week(found):
        case 7:
            return found + timedelta(days=-1 if wanted > 1 else 2)
        case 1:
            return found + timedelta(days=1 if wanted < _length(day) else -2)
    return found


def _values(name: str, field: str, allowed: range, words: list[str] | None = None
            ) -> frozenset[int]:
    """What a field of numbers, ranges, increments and commas allows."""
    values: set[int] = set()
    for part in field.split(","):
        base, slash, step = part.partition("/")
        first, dash, last = base.partition("-")
        if base == "*":
            low, high = allowed[0], allowed[-1]
        else:
            low = _number(name, first, allowed, words)
            # an increment without an end runs to the end of the field
            high = _number(name, last, allowed, words) if dash else allowed[-1] if slash else low
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise _invalid(name, part)
        # FRI-MON, or 20-2: over the end of the field and on from its start
        span = list(range(low, high + 1)) if low <= high else [
            *range(low, allowed[-1] + 1), *range(allowed[0], high + 1)]
        values.update(span[::int(step) if slash else 1])
    return frozenset(values)


def _number(name: str, text: str, allowed: range, words: list[str] | None) -> int:
    if words and text in words:
        return words.index(text) + 1
    if text.isascii() and text.isdigit() and int(text) in allowed:
        return int(text)
    raise _invalid(name, text)


def _invalid(name: str, value: str) -> ScheduleError:
    return ScheduleError(f"Invalid CRON expression: Invalid {name} value: '{value}'")
