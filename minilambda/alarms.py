"""When a metric alarm is in which state: CloudWatch's rules, without CloudWatch.

Stands for: the evaluation of a metric alarm. AWS pages: *Alarm evaluation*, *Configuring how
CloudWatch alarms treat missing data*, *Percentiles*.
Leaves out: metric math, anomaly detection and composite alarms.

An alarm looks at a few more periods than its EvaluationPeriods (the *evaluation range*), because some
may have no data. How many more, AWS doesn't say; its page's example has two, so here it is two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
LISTED = 5  # data points that a reason lists
_COMPARISONS = {
    "GreaterThanThreshold": ("greater than", lambda value, limit: value > limit),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to",
                                      lambda value, limit: value >= limit),
    "LessThanThreshold": ("less than", lambda value, limit: value < limit),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, limit: value <= limit),
}
COMPARISONS = frozenset(_COMPARISONS)


class Sample(NamedTuple):
    """What somebody published: one value, or a statistic set of several."""

    count: float
    total: float
    minimum: float
    maximum: float


class Point(NamedTuple):
    """A period's value. ``at`` is the period's start."""

    at: datetime
    value: float
    samples: float


@dataclass(frozen=True)
class Rule:
    """An alarm's settings, as PutMetricAlarm names them. ``period`` in seconds."""

    period: int
    evaluation_periods: int
    datapoints_to_alarm: int | None
    threshold: float
    comparison: str
    statistic: str  # or an extended one: p90
    unit: str | None = None
    treat_missing_data: str = "missing"
    low_samples_ignored: bool = False  # EvaluateLowSampleCountPercentile

    @property
    def range(self) -> int:
        """How many periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    @property
    def interval(self) -> int:
        """Seconds between two evaluations: a minute, whatever the period, unless it is shorter."""
        return 60 if self.period >= 60 else 10

    @property
    def needed(self) -> int:
        """How many breaching data points make it ALARM."""
        return self.datapoints_to_alarm or self.evaluation_periods

    def breaches(self, value: float) -> bool:
        return _COMPARISONS[self.comparison][1](value, self.threshold)


class Verdict(NamedTuple):
    """What an evaluation comes to. ``state`` None: as it was."""

    state: str | None
    reason: str = ""
    data: dict[str, Any] = {}


def points(rule: Rule, samples: Sequence[tuple[datetime, Sample]], end: datetime
           ) -> list[Point | None]:
    """The evaluation range that ends at ``end``, oldest period first; None where there is no data."""
    period = timedelta(seconds=rule.period)
    start = end - rule.range * period
    periods: list[list[Sample]] = [[] for _ in range(rule.range)]
    for at, sample in samples:
        if start <= at < end:
            periods[(at - start) // period].append(sample)
    return [_point(rule, start + number * period, found)
            for number, found in enumerate(periods)]


def judge(rule: Rule, values: Sequence[Point | None], end: datetime,
          known: str | None = None) -> Verdict:
    """Evaluate an alarm.

    Args:
        values: of :func:`points`.
        end: the instant of the evaluation.
        known: a state that nobody asks the reason of, which takes longer than to find the state.
    """
    # As many as there are periods to evaluate, the most recent ones; all there are if they are fewer.
    found = [point for point in values if point is not None][-rule.evaluation_periods:]
    missing = rule.evaluation_periods - len(found)
    if rule.low_samples_ignored and any(_too_few(rule, point) for point in found):
        return Verdict(None)
    crossing = [point for point in found if rule.breaches(point.value)]
    others = [point for point in found if not rule.breaches(point.value)]
    new = _state(rule, values, crossing, others, missing)
    if new is not None and new == known:
        return Verdict(new)
    if new is None or new == INSUFFICIENT_DATA:
        return Verdict(new, f"Insufficient Data: {_datapoints(rule.evaluation_periods)} "
                            f"{_was(rule.evaluation_periods)} unknown.",
                       _data(rule, values, found, end))
    return Verdict(new, _reason(rule, new, crossing if new == ALARM else others, missing),
                   _data(rule, values, found, end))


def _state(rule: Rule, values: Sequence[Point | None], crossing: list[Point], others: list[Point],
           missing: int) -> str | None:
    if len(crossing) >= rule.needed:
        return ALARM
    if missing <= 0:
        return OK
    match rule.treat_missing_data:
        case "breaching":
            return ALARM if len(crossing) + missing >= rule.needed else OK
        case "notBreaching":
            return OK
        case "ignore":
            return OK if others else None
    if others:
        return OK
    if not crossing:
        return INSUFFICIENT_DATA
    # Only breaching data, and too few: the oldest must be as old as it takes, so that nothing that
    # is yet to come could have kept it from becoming ALARM ("premature transitions").
    age = next(age for age, point in enumerate(reversed(values), 1) if point is crossing[0])
    return ALARM if age >= rule.needed else None


def _point(rule: Rule, at: datetime, samples: list[Sample]) -> Point | None:
    value = _statistic(rule.statistic, samples) if samples else None
    return None if value is None else Point(at, value, float(sum(s.count for s in samples)))


def _statistic(name: str, samples: list[Sample]) -> float | None:
    count = sum(sample.count for sample in samples)
    match name:
        case "SampleCount":
            return float(count)
        case "Sum":
            return float(sum(sample.total for sample in samples))
        case "Average":
            return sum(sample.total for sample in samples) / count if count else None
        case "Minimum":
            return float(min(sample.minimum for sample in samples))
        case "Maximum":
            return float(max(sample.maximum for sample in samples))
    return percentile([(s.minimum, s.count) for s in samples], float(name[1:])) if all(
        s.minimum == s.maximum for s in samples) else None  # a statistic set has no percentiles


def percentile(values: list[tuple[float, float]], percent: float) -> float | None:
    """The value below or at which ``percent`` of all lie, between two of them in proportion.

    Args:
        values: each with how often it was published.
    """
    ordered = [value for value, count in sorted(values) for _ in range(int(count))]
    if not ordered:
        return None
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _too_few(rule: Rule, point: Point) -> bool:
    """Whether a percentile of so few samples says nothing. AWS page: *Percentile-based alarms*."""
    if not rule.statistic.startswith("p"):
        return False
    percent = float(rule.statistic[1:])
    beyond = min(percent, 100 - percent)
    return beyond <= 0 or point.samples < 1000 / beyond


# -- words -------------------------------------------------------------------------------------------


def _reason(rule: Rule, new: str, shown: list[Point], missing: int) -> str:
    """``shown``: the data points on the side of the threshold that decided."""
    phrase, minimum = _COMPARISONS[rule.comparison][0], rule.needed
    if new == OK:
        phrase, minimum = "not " + phrase, rule.evaluation_periods - rule.needed + 1
    filled = ""
    if missing > 0 and rule.treat_missing_data in ("breaching", "notBreaching"):
        treated = "Breaching" if rule.treat_missing_data == "breaching" else "NonBreaching"
        filled = f"{missing} missing {'datapoint was' if missing == 1 else 'datapoints were'} " \
                 f"treated as [{treated}]"
    if not shown:
        periods = "period" if missing == 1 else "periods"
        return f"Threshold Crossed: no datapoints were received for {missing} {periods} and {filled}."
    newest = shown[::-1]
    listed = ", ".join(f"{p.value} ({p.at:%d/%m/%y %H:%M:%S})" for p in newest[:LISTED])
    count = _datapoints(len(shown)) if rule.datapoints_to_alarm is None else (
        f"{len(shown)} out of the last {rule.evaluation_periods} datapoints")
    bound = f"{_was(len(shown))} {phrase} the threshold ({float(rule.threshold)})"
    if len(newest) > LISTED:
        text = f"{count} {bound}. The most recent datapoints which crossed the threshold: [{listed}]"
    else:
        text = f"{count} [{listed}] {bound}"
    if filled and new == (ALARM if rule.treat_missing_data == "breaching" else OK):
        text += f" and {filled}"
    if rule.datapoints_to_alarm is not None:
        before = OK if new == ALARM else ALARM
        text += f" (minimum {_datapoints(minimum)} for {before} -> {new} transition)"
    return f"Threshold Crossed: {text}."


def _data(rule: Rule, values: Sequence[Point | None], found: list[Point], end: datetime
          ) -> dict[str, Any]:
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(end)}
    if found:
        data["startDate"] = stamp(found[0].at)
    if rule.unit:
        data["unit"] = rule.unit
    period = timedelta(seconds=rule.period)
    evaluated: list[dict[str, Any]] = [
        {"timestamp": stamp(p.at), "sampleCount": p.samples, "value": p.value} for p in found[::-1]]
    if not found:
        evaluated = [{"timestamp": stamp(end - (number + 1) * period)}
                     for number in range(rule.evaluation_periods)]
    return data | {"statistic": rule.statistic, "period": rule.period,
                   "recentDatapoints": [p.value for p in found], "threshold": float(rule.threshold),
                   "evaluatedDatapoints": evaluated}


def stamp(at: datetime) -> str:
    """An instant as CloudWatch writes it: ``2020-03-02T09:05:00.000+0000``."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _datapoints(count: int) -> str:
    return f"{count} datapoint" + "s" * (count != 1)


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
