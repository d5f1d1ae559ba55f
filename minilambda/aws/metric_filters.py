"""Metric filters: log events that become data points in CloudWatch.

Stands for: PutMetricFilter, and what PutLogEvents does then. AWS pages: *Creating metrics from log events
using filters*, *Publishing numerical values found in log entries*.
Leaves out: dimensions (refused). CloudWatch Logs publishes once a minute; here a match is a data point at
once, with the event's time, which is the same sum and the same minute.

moto keeps metric filters and counts nothing. A default value is for a minute in which something was
written and nothing matched: it is published when the minute is over, so that minute's end is waited for.
A filter without one costs no time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend, LogStream, logs_backends

from ..callers import Cloud
from ..conversation import Steps
from ..triggers import filter_pattern

MINUTE = 60.0
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class MetricFilters:
    """The metric filters of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.clock = cloud.clock
        # By account, region, group, filter and minute: whether something matched.
        self._minutes: dict[tuple[str, str, str, str, int], bool] = {}

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """``swap`` sets an attribute until the cloud is closed."""
        swap(LogsBackend, "put_metric_filter", _put(LogsBackend.put_metric_filter))
        swap(LogStream, "put_log_events", self._written(LogStream.put_log_events))

    def _written(self, write: Callable[..., str]) -> Callable[..., str]:
        def put_log_events(stream: LogStream, log_events: list[dict[str, Any]]) -> str:
            token = write(stream, log_events)
            group = stream.log_group
            for one in logs_backends[group.account_id][group.region].filters.get_matching_filters(
                    log_group_name=group.name):
                self._measure((group.account_id, group.region), one, log_events)
            return token

        return put_log_events

    def _measure(self, where: tuple[str, str], one: dict[str, Any],
                 log_events: list[dict[str, Any]]) -> None:
        pattern, (metric,) = filter_pattern.parse(one["filterPattern"]), one["metricTransformations"]
        matched = False
        for event in log_events:
            fields = pattern.match(event["message"])
            if fields is None:
                continue
            matched = True
            value = _value(metric["metricValue"], event["message"], fields)
            if value is not None:
                _publish(where, metric, value, datetime.fromtimestamp(event["timestamp"] / 1000, UTC))
        if log_events and metric.get("defaultValue") is not None:
            with self.clock.lock:
                self._note(where, one, metric, matched)

    def _note(self, where: tuple[str, str], one: dict[str, Any], metric: dict[str, Any],
              matched: bool) -> None:
        minute = int(self.clock.timestamp() // MINUTE)
        key = (*where, one["logGroupName"], one["filterName"], minute)
        if key in self._minutes:
            self._minutes[key] = self._minutes[key] or matched
            return
        self._minutes[key] = matched
        self.clock.process(self._steps(key, metric))

    def _steps(self, key: tuple[str, str, str, str, int], metric: dict[str, Any]) -> Steps:
        start = key[4] * MINUTE
        yield self.clock.timeout(start + MINUTE - self.clock.timestamp())
        if not self._minutes.pop(key):
            _publish(key[:2], metric, float(metric["defaultValue"]), datetime.fromtimestamp(start, UTC))


def _put(put: Callable[..., None]) -> Callable[..., None]:
    def put_metric_filter(backend: LogsBackend, filter_name: str, filter_pattern: str,
                          log_group_name: str, metric_transformations: list[dict[str, Any]]) -> None:
        if log_group_name not in backend.groups:
            raise ResourceNotFoundException
        metric = metric_transformations[0]
        if metric.get("dimensions"):
            raise NotImplementedError("minilambda doesn't implement dimensions of metric filters (yet).")
        value = metric["metricValue"]
        if not _NUMBER.fullmatch(value) and not value.startswith("$"):
            raise InvalidParameterException(f"Invalid metric value: {value}")
        backend.delete_metric_filter(filter_name, log_group_name)  # one of a name: moto keeps both
        put(backend, filter_name, filter_pattern, log_group_name, metric_transformations)

    return put_metric_filter


def _value(wanted: str, message: str, fields: Any) -> float | None:
    if _NUMBER.fullmatch(wanted):
        return float(wanted)
    return filter_pattern.number(wanted, message, fields)


def _publish(where: tuple[str, str], metric: dict[str, Any], value: float, at: datetime) -> None:
    account, region = where
    # moto keeps instants without a time zone, in UTC
    cloudwatch_backends[account][region].metric_data.append(MetricDatum(
        metric["metricNamespace"], metric["metricName"], value, [], at.replace(tzinfo=None),
        metric.get("unit") or "None"))
