"""The event source mappings of every account and region: made, read, changed, deleted.

Stands for: CreateEventSourceMapping, GetEventSourceMapping, UpdateEventSourceMapping,
DeleteEventSourceMapping and ListEventSourceMappings of the Lambda API. AWS page: *How Lambda processes
records from stream and queue-based event sources*.
Leaves out: the pollers that read sources and invoke functions. A mapping that is enabled while nobody
polls would be a lie, so enabling one is answered with 501 unless ``polled`` says that its source has
a poller; a disabled mapping works in full. Also left out: refusing a function's new timeout that a mapped
queue's visibility timeout is shorter than.

A mapping's state is read off the clock: a change takes ``seconds``, and nothing has to happen at its
end. Who deletes a function leaves its mappings, as on AWS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from . import errors
from . import event_source_errors as refusals
from .clock import Clock
from .destination_arn import DestinationArn, May
from .errors import LambdaError
from .event_source import (
    DYNAMODB, KINESIS, SETTINGS, SQS, EventSourceMapping, Source, check, failure_destination,
)
from .function import FunctionConfiguration
from .function_name import FunctionName
from .limits import Limits
from .registry import Registry

_PAGE = 100  # in one answer, however many are asked for
# What AWS's sentences say a poller must be allowed to do with its source.
_READING = {
    SQS: ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    KINESIS: ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
    DYNAMODB: ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
}


class Sources(Protocol):
    """What there is to read from (``aws/sources``)."""

    def visibility(self, source: Source) -> int | None:
        """Seconds of a queue's visibility timeout; None if there is no such queue."""

    def stream_exists(self, source: Source) -> bool: ...


class EventSources:
    """All event source mappings of one cloud.

    Args:
        may: whether an execution role may do an action to a resource.
        seconds: how long a mapping takes to be created, changed or deleted.
        polled: whether mappings of this kind of source (``sqs``, ``kinesis``, ``dynamodb``) are
            polled.
    """

    def __init__(self, clock: Clock, limits: Limits, registry: Registry, sources: Sources, *,
                 may: May, seconds: float, polled: Callable[[str], bool] = lambda kind: False) -> None:
        self.clock, self.limits, self.registry = clock, limits, registry
        self.seconds, self.polled = seconds, polled
        self._sources, self._may = sources, may
        self._mappings: dict[str, EventSourceMapping] = {}
        self._lock = threading.RLock()

    # -- reading -----------------------------------------------------------------------------------

    def get(self, account: str, region: str, uuid: str) -> EventSourceMapping:
        """Raises:
            LambdaError: ResourceNotFoundException.
        """
        with self._lock:
            found = self._mappings.get(uuid)
            if found is not None and found.gone(self.clock.seconds):
                del self._mappings[uuid]
                found = None
        if found is None or (found.account, found.region) != (account, region):
            raise refusals.mapping_not_found()
        return found

    def list(self, account: str, region: str, *, source: str | None = None,
             function: str | None = None, marker: str | None = None,
             max_items: int | None = None) -> tuple[list[EventSourceMapping], str | None]:
        """One page in the order in which they were made, and the next marker.

        ``function``: as a request names it; a mapping for one of its aliases is another's.
        """
        now = self.clock.seconds
        wanted = function and FunctionName.parse(account, region, function).arn
        with self._lock:
            found = [m for m in self._mappings.values()
                     if (m.account, m.region) == (account, region) and not m.gone(now)
                     and source in (None, m.source.arn) and wanted in (None, m.function_arn)]
        uuids = [mapping.uuid for mapping in found]
        start = uuids.index(marker) + 1 if marker in uuids else 0
        stop = start + min(max_items or _PAGE, _PAGE)
        return found[start:stop], uuids[stop - 1] if stop < len(found) else None

    # -- changing ----------------------------------------------------------------------------------

    def create(self, account: str, region: str, request: Mapping[str, Any]) -> EventSourceMapping:
        """A mapping from a CreateEventSourceMapping request.

        Raises:
            LambdaError: see ``event_source_errors``; 501 for one that is to be enabled.
        """
        source = Source.parse(request.get("EventSourceArn"))
        settings = _settings({}, request)
        check(source, settings, self.limits)
        name, function = self._function(account, region, request["FunctionName"])
        self._check_source(source, region, function)
        self._check_role(source, function, settings)
        tags = self.registry.check_tags(request.get("Tags") or {})
        with self._lock:
            self._check_unique(source, name)
            self._check_polled(source, request.get("Enabled", True), "CreateEventSourceMapping")
            mapping = EventSourceMapping(
                self.clock.uuid(), account, region, source, name.arn, function.name,
                request.get("Enabled", True), self.clock.timestamp(), "Creating", self._settled(),
                settings, tags)
            self._mappings[mapping.uuid] = mapping
        return mapping

    def update(self, account: str, region: str, request: Mapping[str, Any]) -> EventSourceMapping:
        """Change what an UpdateEventSourceMapping request names; the rest stays."""
        old = self._free(account, region, request["UUID"], "update")
        settings = _settings(old.settings, request)
        check(old.source, settings, self.limits)
        arn = request.get("FunctionName") or old.function_arn
        name, function = self._function(account, region, arn)
        self._check_source(old.source, region, function)
        self._check_role(old.source, function, settings)
        enabled = request.get("Enabled", old.enabled)
        with self._lock:
            if self._free(account, region, old.uuid, "update") is not old:
                raise refusals.in_use("update")
            if name.arn != old.function_arn:
                self._check_unique(old.source, name)
            self._check_polled(old.source, enabled, "UpdateEventSourceMapping")
            transition = "Updating" if enabled == old.enabled else (
                "Enabling" if enabled else "Disabling")
            self._mappings[old.uuid] = new = replace(
                old, settings=settings, function_arn=name.arn, function_name=function.name,
                enabled=enabled, transition=transition, settled=self._settled(),
                last_modified=self.clock.timestamp())
        return new

    def delete(self, account: str, region: str, uuid: str) -> EventSourceMapping:
        """Begin to delete a mapping; value: as it is meanwhile."""
        with self._lock:
            old = self._free(account, region, uuid, "delete")
            self._mappings[uuid] = replace(old, transition="Deleting", settled=self._settled())
            return self._mappings[uuid]

    def retag(self, account: str, region: str, uuid: str,
              change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        with self._lock:
            old = self.get(account, region, uuid)
            self._mappings[uuid] = replace(old, tags=self.registry.check_tags(change(old.tags)))

    # -- inside ------------------------------------------------------------------------------------

    def _free(self, account: str, region: str, uuid: str, verb: str) -> EventSourceMapping:
        """The mapping, if nothing is going on with it."""
        found = self.get(account, region, uuid)
        if self.clock.seconds < found.settled:
            raise refusals.in_use(verb)
        return found

    def _settled(self) -> float:
        return self.clock.seconds + self.seconds

    def _function(self, account: str, region: str, text: str
                  ) -> tuple[FunctionName, FunctionConfiguration]:
        name = FunctionName.parse(account, region, text)
        try:
            return name, self.registry.get(account, region, text)
        except LambdaError as error:
            if error.status != 404:
                raise
            raise refusals.function_missing() from None

    def _check_source(self, source: Source, region: str, function: FunctionConfiguration) -> None:
        here = source.region == region
        if source.kind == SQS:
            visibility = self._sources.visibility(source) if here else None
            if visibility is None:
                raise refusals.queue_missing()
            if visibility < function.timeout:
                raise refusals.visibility_too_short(visibility, function.timeout)
        elif not (here and self._sources.stream_exists(source)):
            raise refusals.stream_missing(source.arn)

    def _check_role(self, source: Source, function: FunctionConfiguration,
                    settings: Mapping[str, Any]) -> None:
        missing = [operation for operation in _READING[source.kind] if not self._may(
            function.role, f"{source.kind}:{operation}", source.arn)]
        if missing:
            raise (refusals.may_not_read_queue(missing[0]) if source.kind == SQS
                   else refusals.may_not_read_stream(source.arn))
        destination = failure_destination(settings)
        arn = DestinationArn.parse(destination) if destination else None
        if arn is not None and not arn.permitted(function.role, self._may):
            raise refusals.may_not_send(arn.operation, destination)

    def _check_unique(self, source: Source, name: FunctionName) -> None:
        now = self.clock.seconds
        for mapping in self._mappings.values():
            if (mapping.source.arn, mapping.function_arn) == (source.arn, name.arn) and (
                    not mapping.gone(now)):
                raise refusals.exists(source.kind, source.arn, mapping.function_name, mapping.uuid)

    def _check_polled(self, source: Source, enabled: bool, operation: str) -> None:
        if enabled and not self.polled(source.kind):
            raise errors.not_implemented(
                f"polling of event sources: {operation} with Enabled=False works; an enabled mapping")


def _settings(old: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options there were, changed by those that a request names. An empty one takes it away."""
    given = {name: request[name] for name in SETTINGS if request.get(name) is not None}
    merged = {**old, **given}
    for name in ("FilterCriteria", "ScalingConfig"):
        if not any((merged.get(name) or {}).values()):
            merged.pop(name, None)
    return MappingProxyType(merged)
