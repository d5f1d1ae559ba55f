"""What subscribers of an alarm's topic get.

Stands for: the notification that CloudWatch publishes to an SNS topic when an alarm changes its state.
AWS page: *Notifying users on alarm changes*.
Leaves out: topics with HTTP subscribers. An alarm changes in a step of the clock, which can't wait for
somebody's web server. The alarm's history says so then, as it does of whatever can't be delivered.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from moto.cloudwatch.models import Alarm
from moto.sns.models import sns_backends

from ..alarms import Rule, stamp
from .current import Asking, asking

SUBJECT = 100  # characters, at the most


def notify(topic: str, alarm: Alarm, rule: Rule, old: str, at: datetime) -> str | None:
    """Publish to an SNS topic that ``alarm`` left the state ``old``. What went wrong, if anything."""
    region, account = topic.split(":")[3:5]
    topics = sns_backends[account][region]
    if topic not in topics.topics:
        return f"Resource: {topic} does not exist"
    if any(s.protocol in ("http", "https") for s in topics.subscriptions.values()
           if s.topic.arn == topic):
        return "minilambda doesn't deliver alarms' notifications to HTTP endpoints (yet)."
    where = _region_name(alarm.region_name)
    subject = f'{alarm.state_value}: "{alarm.name}" in {where}'
    before = asking.set(Asking("", None, "sns"))
    try:
        topics.publish(json.dumps(_message(alarm, rule, old, where, at)), topic,
                       subject=subject if len(subject) <= SUBJECT else subject[:SUBJECT - 3] + "...")
    except Exception as problem:  # moto's, of a subscriber: the clock is not to stop for it
        return f"{type(problem).__name__}: {problem}"
    finally:
        asking.reset(before)
    return None


def _message(alarm: Alarm, rule: Rule, old: str, where: str, at: datetime) -> dict[str, Any]:
    kind = "ExtendedStatistic" if alarm.extended_statistic else "Statistic"
    trigger = {
        "MetricName": alarm.metric_name, "Namespace": alarm.namespace, "StatisticType": kind,
        kind: rule.statistic if alarm.extended_statistic else rule.statistic.upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": d.value, "name": d.name} for d in alarm.dimensions],
        "Period": rule.period, "EvaluationPeriods": rule.evaluation_periods}
    if rule.datapoints_to_alarm is not None:
        trigger["DatapointsToAlarm"] = rule.datapoints_to_alarm
    return {
        "AlarmName": alarm.name, "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.alarm_arn.split(":")[4],
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": alarm.state_value, "NewStateReason": alarm.state_reason,
        "StateChangeTime": stamp(at), "Region": where, "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old, "OKActions": alarm.ok_actions, "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": trigger | {
            "ComparisonOperator": rule.comparison, "Threshold": float(rule.threshold),
            "TreatMissingData": rule.treat_missing_data,
            "EvaluateLowSampleCountPercentile":
                alarm.evaluate_low_sample_count_percentile or ""}}


@cache
def _region_name(region: str) -> str:
    """``EU (London)`` for eu-west-2, as notifications say it."""
    for partition in botocore.session.get_session().get_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return partition["regions"][region]["description"].replace("Europe (", "EU (")
    return region
