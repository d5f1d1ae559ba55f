"""Log groups that tell functions what is written to them.

Stands for: PutSubscriptionFilter, and what PutLogEvents does then. AWS pages: *Log group-level subscription
filters*, *Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail*.
Leaves out: ``distribution``, which is for Kinesis. What metric filters count is ``metric_filters``' business;
their patterns are looked at here.

moto holds groups, streams and filters. Put right with it: filter patterns are understood (moto lets JSON
and space-delimited ones match everything, and gives subscribers all events whatever their pattern), for
Kinesis, Firehose and FilterLogEvents too; a filter can be put again where there are two; an event has the
same id wherever it is shown, and the same in each run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import moto.logs.models as stock
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.core.utils import utcnow
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogEvent, LogGroup, LogsBackend, LogStream

from ..callers import Cloud, NotPermitted
from ..errors import LambdaError
from ..triggers import filter_pattern
from ..triggers.log_subscription import Subscription, Subscriptions

NAMESPACE = "AWS/Logs"
LONGEST = 1024  # characters of a pattern
UNABLE = ("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
          "execute your function.")


class LogSubscriptions:
    """The subscription filters of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.subscriptions = Subscriptions(cloud, _count)

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """``swap`` sets an attribute until the cloud is closed."""
        swap(stock, "EventMessageFilter", MessageFilter)
        swap(LogEvent, "_event_id", 0)
        swap(LogEvent, "to_filter_dict", _shown(LogEvent.to_filter_dict))
        swap(LogsBackend, "filter_log_events", _checked(LogsBackend.filter_log_events, 6))
        swap(LogsBackend, "put_metric_filter", _checked(LogsBackend.put_metric_filter, 1))
        swap(LogsBackend, "put_subscription_filter",
             self._put(_checked(LogsBackend.put_subscription_filter, 2)))
        swap(LogGroup, "put_subscription_filter", _put_again(LogGroup.put_subscription_filter))
        swap(LogStream, "_send_log_events", self._send(LogStream._send_log_events))

    def _put(self, put: Callable[..., None]) -> Callable[..., None]:
        def put_subscription_filter(backend: LogsBackend, log_group_name: str, filter_name: str,
                                    filter_pattern: str, destination_arn: str,
                                    role_arn: str | None) -> None:
            for_function = destination_arn.split(":")[2:3] == ["lambda"]
            if for_function and role_arn:
                raise InvalidParameterException(
                    "destinationArn for vendor lambda cannot be used with roleArn")
            group = backend.groups.get(log_group_name)
            before = dict(group.subscription_filters) if group is not None else {}
            put(backend, log_group_name, filter_name, filter_pattern, destination_arn, role_arn)
            if not for_function:
                return
            try:
                self.subscriptions.begin(_subscription(group, filter_name, destination_arn))
            except (NotPermitted, LambdaError) as refused:
                group.subscription_filters = before
                if isinstance(refused, LambdaError) and refused.status == 501:
                    raise NotImplementedError(refused.message) from refused
                raise InvalidParameterException(UNABLE) from refused

        return put_subscription_filter

    def _send(self, send: Callable[..., None]) -> Callable[..., None]:
        def send_log_events(stream: LogStream, service: str, destination_arn: str, filter_name: str,
                            log_events: list[dict[str, Any]]) -> None:
            group = stream.log_group
            pattern = filter_pattern.parse(group.subscription_filters[filter_name].filter_pattern or "")
            let_through = [_described(event, fields) for event in log_events
                           if (fields := pattern.match(event["message"])) is not None]
            if not let_through:
                return
            if service == "lambda":
                self.subscriptions.forward(_subscription(group, filter_name, destination_arn),
                                           stream.log_stream_name, let_through)
            else:
                send(stream, service, destination_arn, filter_name, let_through)

        return send_log_events


class MessageFilter:
    """In the place of moto's: a pattern and what it matches."""

    def __init__(self, pattern: str | None) -> None:
        self.pattern = _parsed(pattern)

    def matches(self, message: str) -> bool:
        return self.pattern.match(message) is not None


def _parsed(pattern: str | None) -> filter_pattern.Pattern:
    text = pattern or ""
    if len(text) > LONGEST:
        raise InvalidParameterException(
            constraint=f"Member must have length less than or equal to {LONGEST}",
            parameter="filterPattern", value=text)
    try:
        return filter_pattern.parse(text)
    except filter_pattern.Invalid as invalid:
        raise InvalidParameterException(str(invalid)) from invalid


def _checked(method: Callable[..., Any], place: int) -> Callable[..., Any]:
    """One of moto's operations, whose argument ``place`` is a pattern that is looked at first."""
    def checked(backend: LogsBackend, *args: Any, **kwargs: Any) -> Any:
        _parsed(kwargs["filter_pattern"] if "filter_pattern" in kwargs else args[place])
        return method(backend, *args, **kwargs)

    return checked


def _put_again(put: Callable[..., None]) -> Callable[..., None]:
    """moto refuses any filter where there are two, even one of the two. A filter that is put again is
    another object, so that what was there can be put back."""
    def put_subscription_filter(group: LogGroup, filter_name: str, filter_pattern: str,
                                destination_arn: str, role_arn: str) -> None:
        former = group.subscription_filters
        group.subscription_filters = {
            name: one for name, one in former.items() if name != filter_name}
        try:
            put(group, filter_name, filter_pattern, destination_arn, role_arn)
        except Exception:
            group.subscription_filters = former
            raise
        if filter_name in former:  # it keeps its place, and when it was made
            new = group.subscription_filters.pop(filter_name)
            new.creation_time = former[filter_name].creation_time
            group.subscription_filters = former | {filter_name: new}

    return put_subscription_filter


def _subscription(group: LogGroup, name: str, target: str) -> Subscription:
    return Subscription(group.account_id, group.region, group.name, name, target)


def _described(event: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    told = {"id": _id(event["timestamp"], event["id"]), "timestamp": event["timestamp"],
            "message": event["message"]}
    return told | {"extractedFields": dict(fields)} if fields else told


def _id(timestamp: int, number: int) -> str:
    """56 digits, as AWS's are: the time, and then a number."""
    return f"{(timestamp << 144) + number:056d}"


def _shown(show: Callable[[LogEvent], dict[str, Any]]) -> Callable[[LogEvent], dict[str, Any]]:
    def to_filter_dict(event: LogEvent) -> dict[str, Any]:
        return show(event) | {"eventId": _id(event.timestamp, event.event_id)}

    return to_filter_dict


def _count(subscription: Subscription, name: str, value: float) -> None:
    dimensions = {"LogGroupName": subscription.group, "DestinationType": "Lambda",
                  "FilterName": subscription.name}
    unit = "Bytes" if name.endswith("Bytes") else "None"
    cloudwatch_backends[subscription.account][subscription.region].metric_data.append(MetricDatum(
        NAMESPACE, name, float(value),
        [{"Name": key, "Value": text} for key, text in dimensions.items()], utcnow(), unit))
