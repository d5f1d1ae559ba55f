"""moto's metric alarms, evaluated on the clock.

Stands for: CloudWatch alarms: their evaluation, states, history and actions. AWS pages: *Using Amazon
CloudWatch alarms*, *PutMetricAlarm*, *DescribeAlarmHistory*, *Acting on alarm changes*.
Leaves out: metric math, composite and anomaly alarms, and actions other than notifying an SNS topic
and carrying out a scaling policy, all refused; the events that alarms send to EventBridge.

An alarm is evaluated on the minute (every ten seconds if its period is shorter), but only while it has
data to look at: nothing changes without. What is published wakes it, whoever publishes: the hook is on
moto's list of data. So alarms of an idle cloud cost nothing.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    ValidationError,
)
from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDatumBase,
)
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from ..agenda import Agenda
from ..alarms import (
    ALARM,
    COMPARISONS,
    INSUFFICIENT_DATA,
    Point,
    Rule,
    Sample,
    judge,
    points,
)
from ..clock import Clock
from ..metrics import NAMESPACE
from ..trace import Trace
from .alarm_message import notify

DAY = 86_400
_NO_SUMS = {"ConcurrentExecutions", "UnreservedConcurrentExecutions", "ProvisionedConcurrentExecutions",
            "ProvisionedConcurrencyUtilization"}
STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
# What a scaling policy is told: its ARN, the alarm, and the newest data point of the evaluation.
ScalingAction = Callable[[str, Alarm, Point | None, datetime], str | None]


@dataclass(eq=False)
class Watch:
    """An alarm that is evaluated, with the data that it may still look at."""

    backend: CloudWatchBackend
    alarm: Alarm
    rule: Rule
    samples: deque[tuple[datetime, Sample]] = field(default_factory=deque)
    due: datetime | None = None  # its next evaluation; None: when there is data again
    by_hand: bool = False  # its state was set by SetAlarmState


class _Noticed(list):
    """moto's list of data points, which tells of new ones."""

    def __init__(self, data: list[MetricDatumBase],
                 notice: Callable[[MetricDatumBase], None]) -> None:
        super().__init__(data)
        self._notice = notice

    def append(self, datum: MetricDatumBase) -> None:
        super().append(datum)
        self._notice(datum)


class Alarms:
    """The evaluator of one cloud's alarms."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self.clock, self.trace, self.agenda = clock, trace, Agenda(clock)
        self.scale: ScalingAction = lambda *_: "the policy is no longer there"
        self._watches: dict[CloudWatchBackend, dict[str, Watch]] = {}
        self._watched: dict[tuple[CloudWatchBackend, str, str], list[Watch]] = {}  # by metric
        self._history: dict[CloudWatchBackend, list[dict[str, Any]]] = {}

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """Put the hooks on moto's CloudWatch, by ``swap(owner, name, value)``."""
        swap(CloudWatchBackend, "put_metric_alarm", self._put(CloudWatchBackend.put_metric_alarm))
        swap(CloudWatchBackend, "delete_alarms", self._delete(CloudWatchBackend.delete_alarms))
        swap(CloudWatchBackend, "set_alarm_state", self._set(CloudWatchBackend.set_alarm_state))
        swap(CloudWatchResponse, "describe_alarms",
             self._settled(CloudWatchResponse.describe_alarms))
        swap(CloudWatchResponse, "describe_alarm_history", self._describe_history())

    # -- the hooks: each takes moto's own function and gives the one in its place --------------------

    def _put(self, stock: Callable[..., Alarm]) -> Callable[..., Alarm]:
        def put_metric_alarm(backend: CloudWatchBackend, name: str, **settings: Any) -> Alarm:
            rule = _rule(settings)
            with self.clock.lock:
                self.agenda.settle()
                former = backend.alarms.get(name)
                alarm = stock(backend, name=name, **settings)
                if former is not None:  # an update leaves the state as it is
                    vars(alarm).update({name: value for name, value in vars(former).items()
                                        if name.startswith("state_")})
                else:
                    alarm.state_value = INSUFFICIENT_DATA
                self._note(backend, name, "ConfigurationUpdate",
                           f'Alarm "{name}" {"updated" if former else "created"}', {})
                self._watch(backend, alarm, rule)
            return alarm

        return put_metric_alarm

    def _delete(self, stock: Callable[..., None]) -> Callable[..., None]:
        def delete_alarms(backend: CloudWatchBackend, alarm_names: list[str]) -> None:
            with self.clock.lock:
                self.agenda.settle()
                for name in alarm_names:
                    if name in backend.alarms:
                        self._note(backend, name, "ConfigurationUpdate",
                                   f'Alarm "{name}" deleted', {})
                    self._forget(backend, name)
                stock(backend, alarm_names)

        return delete_alarms

    def _set(self, stock: Callable[..., None]) -> Callable[..., None]:
        def set_alarm_state(backend: CloudWatchBackend, alarm_name: str, reason: str,
                            reason_data: str, state_value: str) -> None:
            with self.clock.lock:
                self.agenda.settle()
                watch = self._watches.get(backend, {}).get(alarm_name)
                before = _state(watch.alarm) if watch else None
                stock(backend, alarm_name, reason, reason_data, state_value)
                if watch is not None and before is not None:
                    watch.by_hand = True
                    if before["stateValue"] != state_value:
                        self._changed(watch, before, None, self.clock.now)
                    self._schedule(watch)  # the next evaluation says what it really is

        return set_alarm_state

    def _settled(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def settled(response: CloudWatchResponse) -> Any:
            with self.clock.lock:
                self.agenda.settle()
            return stock(response)

        return settled

    def _describe_history(self) -> Callable[[CloudWatchResponse], ActionResult]:
        def describe_alarm_history(response: CloudWatchResponse) -> ActionResult:
            ask = response._get_param
            with self.clock.lock:
                self.agenda.settle()
                found = list(self._history.get(response.cloudwatch_backend, ()))
            if ask("ScanBy") != "TimestampAscending":
                found.reverse()
            start, end = _aware(ask("StartDate")), _aware(ask("EndDate"))
            found = [item for item in found
                     if ask("AlarmName") in (None, item["AlarmName"])
                     and ask("HistoryItemType") in (None, item["HistoryItemType"])
                     and "MetricAlarm" in (ask("AlarmTypes") or ["MetricAlarm"])
                     and (start is None or item["Timestamp"] >= start)
                     and (end is None or item["Timestamp"] <= end)]
            first, count = int(ask("NextToken") or 0), int(ask("MaxRecords") or 100)
            more = first + count < len(found)
            return ActionResult({"AlarmHistoryItems": found[first:first + count]}
                                | ({"NextToken": str(first + count)} if more else {}))

        return describe_alarm_history

    # -- evaluation ----------------------------------------------------------------------------------

    def _watch(self, backend: CloudWatchBackend, alarm: Alarm, rule: Rule) -> None:
        self._forget(backend, alarm.name)
        watch = Watch(backend, alarm, rule)
        self._watches.setdefault(backend, {})[alarm.name] = watch
        self._watched.setdefault((backend, alarm.namespace, alarm.metric_name), []).append(watch)
        if not isinstance(backend.metric_data, _Noticed):
            backend.metric_data = _Noticed(backend.metric_data,
                                           lambda datum: self._arrived(backend, datum))
        for datum in backend.metric_data:
            self._keep(watch, datum)
        self._schedule(watch)

    def _forget(self, backend: CloudWatchBackend, name: str) -> None:
        watch = self._watches.get(backend, {}).pop(name, None)
        if watch is not None:
            self._watched[backend, watch.alarm.namespace, watch.alarm.metric_name].remove(watch)

    def _arrived(self, backend: CloudWatchBackend, datum: MetricDatumBase) -> None:
        with self.clock.lock:
            for watch in self._watched.get((backend, datum.namespace, datum.name), ()):
                if self._keep(watch, datum):
                    self._schedule(watch)

    def _keep(self, watch: Watch, datum: MetricDatumBase) -> bool:
        at = _aware(datum.timestamp)
        if not _concerns(watch.alarm, datum) or at < self._oldest(watch, self._next(watch)):
            return False
        if isinstance(datum, MetricAggregatedDatum):
            sample = Sample(datum.sample_count, datum.sum, datum.min, datum.max)
        else:
            sample = Sample(1, datum.value, datum.value, datum.value)
        watch.samples.append((at, sample))
        return True

    def _next(self, watch: Watch) -> datetime:
        """The first instant after now at which this alarm may be evaluated."""
        step, now = watch.rule.interval, self.clock.now
        whole = int(now.timestamp()) // step * step + step
        return datetime.fromtimestamp(whole, UTC)

    def _oldest(self, watch: Watch, due: datetime) -> datetime:
        return due - timedelta(seconds=watch.rule.period * watch.rule.range)

    def _schedule(self, watch: Watch) -> None:
        if watch.due is None:
            due = watch.due = self._next(watch)
            self.agenda.add((due - self.clock.start).total_seconds(),
                            lambda at: self._evaluate(watch, due))

    def _evaluate(self, watch: Watch, due: datetime) -> None:
        if self._watches.get(watch.backend, {}).get(watch.alarm.name) is not watch:
            return  # it was deleted, or put anew
        watch.due = None
        alarm, rule = watch.alarm, watch.rule
        values = points(rule, watch.samples, due)
        verdict = judge(rule, values, due, None if watch.by_hand else alarm.state_value)
        newest = next((point for point in reversed(values) if point is not None), None)
        before = None
        if verdict.state is not None and (verdict.state != alarm.state_value or watch.by_hand):
            before, watch.by_hand = _state(alarm), False
            alarm.state_reason, alarm.state_reason_data = verdict.reason, _json(verdict.data)
        if before is not None and verdict.state != alarm.state_value:
            alarm.state_value = verdict.state
            alarm.state_updated_timestamp = due.replace(tzinfo=None)
            alarm.state_transitioned_timestamp = due.replace(tzinfo=None)
            self._changed(watch, before, newest, due)
        elif alarm.state_value == ALARM:  # a scaling policy is asked anew every time
            self._act(watch, ALARM, newest, due, again=True)
        # Where there was data to look at, there is at least one thing to see yet: that there is none.
        more = bool(watch.samples)
        oldest = self._oldest(watch, due + timedelta(seconds=rule.interval))
        watch.samples = deque(kept for kept in watch.samples if kept[0] >= oldest)
        if more or (alarm.state_value == ALARM and any(map(_scales, alarm.alarm_actions))):
            self._schedule(watch)

    def _changed(self, watch: Watch, before: dict[str, Any], newest: Point | None,
                 at: datetime) -> None:
        alarm = watch.alarm
        after = _state(alarm)
        self.trace.append((at - self.clock.start).total_seconds(), "alarm.changed",
                          next((d.value for d in alarm.dimensions if d.name == "FunctionName"), ""),
                          None, alarm=alarm.name, old=before["stateValue"], new=after["stateValue"],
                          reason=after["stateReason"])
        self._note(watch.backend, alarm.name, "StateUpdate", "Alarm updated from "
                   f"{before['stateValue']} to {after['stateValue']}",
                   {"oldState": before, "newState": after}, at)
        self._act(watch, before["stateValue"], newest, at)

    # -- actions -------------------------------------------------------------------------------------

    def _act(self, watch: Watch, before: str, newest: Point | None, at: datetime,
             again: bool = False) -> None:
        alarm = watch.alarm
        if not alarm.actions_enabled:
            return
        actions = {"OK": alarm.ok_actions, ALARM: alarm.alarm_actions,
                   INSUFFICIENT_DATA: alarm.insufficient_data_actions}[alarm.state_value]
        for action in actions:
            if _scales(action):
                problem = self.scale(action, alarm, newest, at)
            elif again:
                continue
            else:
                problem = notify(action, alarm, watch.rule, before, at)
            if not again:
                done = f"Failed to execute action {action}" if problem else (
                    f"Successfully executed action {action}")
                self._note(watch.backend, alarm.name, "Action", done,
                           {"actionState": "Failed" if problem else "Succeeded",
                            "stateUpdateTimestamp": int(at.timestamp() * 1000),
                            "notificationResource": action, "error": problem}, at)

    def _note(self, backend: CloudWatchBackend, name: str, kind: str, summary: str,
              data: dict[str, Any], at: datetime | None = None) -> None:
        self._history.setdefault(backend, []).append({
            "AlarmName": name, "AlarmType": "MetricAlarm", "Timestamp": at or self.clock.now,
            "HistoryItemType": kind, "HistorySummary": summary,
            "HistoryData": _json({"version": "1.0"} | data)})


def _rule(settings: dict[str, Any]) -> Rule:
    """What PutMetricAlarm asked for. What isn't evaluated here is refused, as is what AWS refuses."""
    if settings.get("rule") is not None or settings.get("metric_data_queries"):
        raise NotImplementedError("minilambda evaluates alarms of one metric only (yet): neither "
                                  "composite alarms nor alarms with Metrics.")
    for action in (*(settings.get("alarm_actions") or ()), *(settings.get("ok_actions") or ()),
                   *(settings.get("insufficient_data_actions") or ())):
        if not (action.startswith("arn:aws:sns:") or _scales(action)):
            raise NotImplementedError(f"minilambda doesn't implement the alarm action {action} (yet).")
    if settings.get("comparison_operator") not in COMPARISONS or settings.get("threshold") is None:
        raise NotImplementedError("minilambda doesn't implement anomaly detection (yet).")
    statistic, extended = settings.get("statistic"), settings.get("extended_statistic")
    if bool(statistic) == bool(extended):
        raise InvalidParameterCombination("Exactly one of the parameters Statistic and "
                                          "ExtendedStatistic must be specified")
    if statistic and statistic not in STATISTICS:
        raise ValidationError(f"Value '{statistic}' at 'statistic' failed to satisfy constraint: Member "
                              f"must satisfy enum value set: [{', '.join(STATISTICS)}]")
    if extended and not re.fullmatch(r"p(100|\d{1,2}(\.\d{1,10})?)", extended):
        raise InvalidParameterValue(f"The value {extended} for parameter ExtendedStatistic is not "
                                    "supported.")
    period, periods = settings.get("period") or 0, settings.get("evaluation_periods") or 0
    if periods < 1:
        raise ValidationError("EvaluationPeriods must be at least 1")
    if not (period in (10, 20, 30) or (period and period % 60 == 0)):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")
    if period * periods > (DAY if period < 3600 else 7 * DAY):
        raise ValidationError("Metrics cannot be checked across more than a day "
                              "(EvaluationPeriods * Period must be <= 86400).")
    needed = settings.get("datapoints_to_alarm")
    if needed is not None and not 1 <= needed <= periods:
        raise ValidationError("DatapointsToAlarm must be at least 1 and less than or equal to EvaluationPeriods")
    treatment = settings.get("treat_missing_data") or "missing"
    if treatment not in TREATMENTS:
        raise ValidationError(f"Option {treatment} is not supported. Supported options for parameter "
                              "TreatMissingData are breaching, notBreaching, ignore and missing.")
    return Rule(period, periods, needed, settings["threshold"], settings["comparison_operator"],
                statistic or extended, settings.get("unit"), treatment,
                settings.get("evaluate_low_sample_count_percentile") == "ignore")


def _concerns(alarm: Alarm, datum: MetricDatumBase) -> bool:
    if (datum.namespace, datum.name) != (alarm.namespace, alarm.metric_name):
        return False
    if alarm.unit and datum.unit != alarm.unit:
        return False
    asked = {d.name: d.value for d in alarm.dimensions}
    given = {d.name: d.value for d in datum.dimensions}
    if not asked.items() <= given.items():
        return False
    # Lambda publishes its numbers once more with fewer dimensions, which moto isn't told: a sum of
    # them is right without. What is no sum has data of its own for all, whatever the version.
    more = given.keys() - asked.keys()
    return not more or (alarm.namespace == NAMESPACE and (
        more == {"ExecutedVersion"} or datum.name not in _NO_SUMS))


def _scales(action: str) -> bool:
    return action.startswith("arn:aws:autoscaling:") and ":scalingPolicy:" in action


def _state(alarm: Alarm) -> dict[str, Any]:
    return {"stateValue": alarm.state_value, "stateReason": alarm.state_reason,
            "stateReasonData": json.loads(alarm.state_reason_data or "{}")}


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


def _aware(at: datetime | None) -> datetime | None:
    """moto's instants are without a time zone, and in UTC."""
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
