"""Where a function's log lines, metrics and segments end up: in moto's services, in this process.

Stands for: Lambda writing to CloudWatch Logs and CloudWatch on its function's behalf, and the X-Ray
daemon beside a function, which calls PutTraceSegments.
Leaves out (so far): the execution role's permission to write logs and segments.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends
from moto.xray.exceptions import BadSegmentException
from moto.xray.models import xray_backends

from ..clock import Clock
from ..function import FunctionConfiguration
from ..metrics import NAMESPACE, Datum


class LogWriter:
    """Writes a line as a log event; makes the group and the stream when they are new."""

    def __init__(self) -> None:
        self._made: set[tuple[str, str, str, str]] = set()

    def __call__(self, function: FunctionConfiguration, stream: str, at: datetime,
                 message: str) -> None:
        group = function.log_group
        backend = logs_backends[function.account][function.region]
        if group not in backend.groups:
            backend.create_log_group(group, {})
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        event = {"timestamp": round(at.timestamp() * 1000), "message": message}
        backend.put_log_events(group, stream, [event])


class MetricWriter:
    """Publishes data points by function.

    AWS publishes each once more without a dimension, for all functions together; moto answers a
    question without dimensions with the sum of all data anyway.
    """

    def __init__(self, clock: Clock, account: str, region: str) -> None:
        self.clock, self.account, self.region = clock, account, region

    def __call__(self, data: list[Datum]) -> None:
        backend = cloudwatch_backends[self.account][self.region]
        backend.put_metric_data(NAMESPACE, [
            {"MetricName": datum.name, "Value": datum.value, "Unit": datum.unit,
             # moto keeps instants without a time zone, in UTC
             "Timestamp": self.clock.at(datum.at).replace(tzinfo=None),
             "Dimensions": [{"Name": "FunctionName", "Value": datum.function}]}
            for datum in data
        ])


def write_segment(function: FunctionConfiguration, document: str) -> None:
    """Hand a segment document to X-Ray. What X-Ray doesn't take is lost, as with the daemon."""
    with contextlib.suppress(BadSegmentException):
        xray_backends[function.account][function.region].process_segment(document)
