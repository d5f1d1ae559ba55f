"""An event source mapping, as data: what it reads from, and what its options may be.

Stands for: *EventSourceMappingConfiguration* of the Lambda API reference. AWS pages: *How Lambda
processes records from stream and queue-based event sources*; *Lambda parameters for Amazon SQS event
source mappings*; *Lambda parameters for Amazon Kinesis Data Streams event source mappings*; *Control
which events Lambda sends to your function*.
Leaves out: Kafka, Amazon MQ and DocumentDB, Kinesis' enhanced fan-out: clean 501.

Which option belongs to which source is a table here; its ranges come from botocore's model
(``aws/validation``) and, where they depend on the source, from the limits profile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from . import errors
from . import event_source_errors as refusals
from .limits import Limits

SQS, KINESIS, DYNAMODB = "sqs", "kinesis", "dynamodb"
_LATER = {"kafka": "Amazon MSK", "mq": "Amazon MQ", "rds": "Amazon DocumentDB"}
_NOTHING: Mapping[str, Any] = MappingProxyType({})

# What the API prints of a mapping that says nothing about it.
_ANY_SOURCE = {"MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    SQS: _ANY_SOURCE | {"BatchSize": 10},
    **dict.fromkeys((KINESIS, DYNAMODB), _ANY_SOURCE | {
        "BatchSize": 100, "ParallelizationFactor": 1, "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}}, "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1, "TumblingWindowInSeconds": 0}),
}
_OF_QUEUES = frozenset({"ScalingConfig"})
_OF_STREAMS = frozenset({
    "StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "DestinationConfig",
    "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "TumblingWindowInSeconds"})
SETTINGS = _OF_QUEUES | _OF_STREAMS | {
    "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes"}


@dataclass(frozen=True, slots=True)
class Source:
    """An ARN that a mapping can read from."""

    arn: str
    kind: str  # SQS, KINESIS or DYNAMODB
    region: str
    account: str
    name: str  # of the queue, the stream or the table

    @property
    def fifo(self) -> bool:
        return self.kind == SQS and self.name.endswith(".fifo")

    @classmethod
    def parse(cls, arn: str | None) -> Source:
        """Raises:
            LambdaError: no event source at all, or (501) one that isn't implemented.
        """
        parts = (arn or "").split(":", 5)
        if len(parts) < 6:
            raise refusals.unrecognized()
        _, _, service, region, account, resource = parts
        if service in _LATER:
            raise errors.not_implemented(f"event source mappings of {_LATER[service]}")
        name = resource
        if service in (KINESIS, DYNAMODB):
            folder, _, rest = resource.partition("/")
            name, _, stream = rest.partition("/")
            if service == KINESIS and stream.startswith("consumer/"):
                raise errors.not_implemented("event source mappings of Kinesis stream consumers")
            right = ("stream", "") if service == KINESIS else ("table", "stream/")
            if folder != right[0] or not stream.startswith(right[1]):
                raise refusals.unrecognized()
        if service not in DEFAULTS or not (name and region and account):
            raise refusals.unrecognized()
        return cls(arn or "", service, region, account, name)


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """``settings``: options under the API's member names, those that were given only.

    ``transition`` is what is going on until ``settled`` (seconds on the clock): Creating, Enabling,
    Disabling, Updating or Deleting. ``last_modified`` in seconds since 1970.
    """

    uuid: str
    account: str
    region: str
    source: Source
    function_arn: str  # with the qualifier that the request had
    function_name: str
    enabled: bool
    last_modified: float
    transition: str
    settled: float
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    tags: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:event-source-mapping:{self.uuid}"

    def state(self, now: float) -> str:
        """Its *State*; ``now`` in seconds on the clock."""
        if now < self.settled:
            return self.transition
        return "Enabled" if self.enabled else "Disabled"

    def gone(self, now: float) -> bool:
        return self.transition == "Deleting" and now >= self.settled

    def setting(self, name: str) -> Any:
        """An option's value, AWS's default if nothing was said. None: there is no such option."""
        return self.settings.get(name, DEFAULTS[self.source.kind].get(name))


def check(source: Source, settings: Mapping[str, Any], limits: Limits) -> None:
    """Whether these options fit together and the source, in the words AWS has for it.

    Raises:
        LambdaError: InvalidParameterValueException.
    """
    _check_kinds(source, settings, limits)
    _check_position(source, settings)
    _check_batch(source, settings, limits)
    if source.kind != SQS:
        _check_stream(settings, limits)
    for pattern in _patterns(settings, limits):
        _check_pattern(pattern)


def _check_kinds(source: Source, settings: Mapping[str, Any], limits: Limits) -> None:
    queue = source.kind == SQS
    if queue and settings.keys() & {"StartingPosition", "StartingPositionTimestamp"}:
        raise refusals.no_position_for_queues()
    partial_failures = limits.sqs_partial_failures if queue else limits.stream_partial_failures
    then = {"FilterCriteria": limits.event_filters > 0,  # what AWS has by now: see the profile
            "FunctionResponseTypes": partial_failures,
            "ScalingConfig": limits.sqs_concurrency_max > 0,
            "TumblingWindowInSeconds": limits.stream_tumbling}
    wrong = _OF_STREAMS if queue else _OF_QUEUES
    for name, value in settings.items():
        if name in wrong or value and not then.get(name, True):
            raise refusals.unsupported(name)
    if "OnSuccess" in settings.get("DestinationConfig", {}):
        raise refusals.unsupported("DestinationConfig")


def _check_position(source: Source, settings: Mapping[str, Any]) -> None:
    if source.kind == SQS:
        return
    position, timestamp = (settings.get(name) for name in (
        "StartingPosition", "StartingPositionTimestamp"))
    if position is None:
        raise refusals.position_needed()
    if timestamp is not None and position != "AT_TIMESTAMP":
        raise refusals.timestamp_without_position()
    if position == "AT_TIMESTAMP":
        if source.kind == DYNAMODB:
            raise refusals.position_unsupported(source.arn)
        if timestamp is None:
            raise refusals.timestamp_needed()
        if not 0 <= timestamp < 253402300800:  # the year 10000
            raise refusals.timestamp_negative()


def _check_batch(source: Source, settings: Mapping[str, Any], limits: Limits) -> None:
    most = {SQS: limits.sqs_batch_max_fifo if source.fifo else limits.sqs_batch_max,
            KINESIS: limits.kinesis_batch_max, DYNAMODB: limits.dynamodb_batch_max}[source.kind]
    size = settings.get("BatchSize", 1)
    window = settings.get("MaximumBatchingWindowInSeconds", 0)
    longest = limits.sqs_window_max if source.kind == SQS else limits.stream_window_max
    if source.fifo and window:
        raise refusals.window_of_fifo()
    if size > most:
        raise refusals.out_of_range("batchSize", size, 1, most)
    if window > longest:
        raise refusals.out_of_range("maximumBatchingWindowInSeconds", window, 0, longest)
    if source.kind == SQS and size > 10 and not window:
        raise refusals.window_needed()


def _check_stream(settings: Mapping[str, Any], limits: Limits) -> None:
    for member, low, high in (
            ("ParallelizationFactor", 1, limits.stream_parallelization_max),
            ("MaximumRecordAgeInSeconds", limits.stream_age_min, limits.stream_age_max),
            ("MaximumRetryAttempts", 0, limits.stream_retries_max),
            ("TumblingWindowInSeconds", 0, limits.stream_tumbling_max)):
        value = settings.get(member)
        if value is None or value == -1:  # -1: without end
            continue
        if not low <= value <= high:
            raise refusals.out_of_range(member[0].lower() + member[1:], value, low, high)
    destination = failure_destination(settings)
    if destination:
        service = destination.split(":")[2] if destination.startswith("arn:") else ""
        if service not in limits.stream_destinations or destination.endswith(".fifo"):
            raise refusals.destination_invalid(destination)


def failure_destination(settings: Mapping[str, Any]) -> str | None:
    """The ARN to which batches that failed are reported, if there is one."""
    return (settings.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination") or None


def _patterns(settings: Mapping[str, Any], limits: Limits) -> list[str | None]:
    filters = (settings.get("FilterCriteria") or {}).get("Filters") or []
    if len(filters) > limits.event_filters:
        raise refusals.too_many_filters(limits.event_filters)
    return [item.get("Pattern") for item in filters]


def _check_pattern(pattern: str | None) -> None:
    """A pattern is a JSON object; what it asks of a member is a list, or an object again."""
    try:
        found = json.loads(pattern or "")
    except (ValueError, RecursionError):
        raise refusals.filter_invalid() from None
    if not found or not _is_pattern(found):
        raise refusals.filter_invalid()


def _is_pattern(found: Any) -> bool:
    return isinstance(found, dict) and all(
        (isinstance(value, list) and bool(value)) or _is_pattern(value)
        for value in found.values())
