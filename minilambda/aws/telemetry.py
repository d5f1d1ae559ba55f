"""Where a function's log lines, metrics and segments end up: in moto's services, in this process.

Stands for: Lambda writing to CloudWatch Logs and CloudWatch on its function's behalf, and the X-Ray
daemon beside a function, which calls PutTraceSegments.
Leaves out (so far): the execution role's permission to write logs and segments.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.core.utils import unix_time_millis
from moto.logs.models import LogEvent, logs_backends
from moto.xray.exceptions import BadSegmentException
from moto.xray.models import xray_backends

from ..clock import Clock
from ..function import FunctionConfiguration
from ..metrics import NAMESPACE, Datum


class LogWriter:
    """Writes a line as a log event; makes the group and the stream when they are new.

    Does what moto's PutLogEvents does, but for checks that a line of our own can't fail: they would
    be the dearest part of an invocation.
    """

    def __call__(self, function: FunctionConfiguration, stream: str, at: datetime,
                 message: str) -> None:
        name = function.log_group
        backend = logs_backends[function.account][function.region]
        group = backend.groups.get(name)
        if group is None:
            backend.create_log_group(name, {})
            group = backend.groups[name]
        found = group.streams.get(stream)
        if found is None:
            backend.create_log_stream(name, stream)
            found = group.streams[stream]
        event = {"timestamp": round(at.timestamp() * 1000), "message": message}
        if group.subscription_filters or backend.filters.metric_filters:  # who hook it look at it
            backend.put_log_events(name, stream, [event])
            return
        found.last_ingestion_time = at.replace(tzinfo=None)
        found.stored_bytes += len(message)
        found.events.append(LogEvent(int(unix_time_millis(found.last_ingestion_time)), event))
        found.upload_sequence_token += 1


class MetricWriter:
    """Publishes data points by function, and by version or alias where they say so.

    AWS publishes each once more with fewer dimensions, and with none for all functions together.
    moto answers a question with all data that has the dimensions asked for, whatever others it has:
    the sum is right without that. A maximum isn't: there is a data point of its own for all.
    """

    def __init__(self, clock: Clock, account: str, region: str) -> None:
        self.clock, self.account, self.region = clock, account, region

    def __call__(self, data: list[Datum]) -> None:
        for datum in data:
            account, region = datum.where or (self.account, self.region)
            # moto keeps instants without a time zone, in UTC
            at = self.clock.at(datum.at).replace(tzinfo=None)
            named = (("FunctionName", datum.function), ("Resource", datum.resource),
                     ("ExecutedVersion", datum.version))
            dimensions = [{"Name": name, "Value": value} for name, value in named if value]
            cloudwatch_backends[account][region].metric_data.append(MetricDatum(
                NAMESPACE, datum.name, datum.value, dimensions, at, datum.unit))


def write_segment(function: FunctionConfiguration, document: str) -> None:
    """Hand a segment document to X-Ray. What X-Ray doesn't take is lost, as with the daemon."""
    with contextlib.suppress(BadSegmentException):
        xray_backends[function.account][function.region].process_segment(document)
