"""The Lambda API's operations on event source mappings: parameters in, result out.

Stands for: *CreateEventSourceMapping* and the other event source mapping *Actions* of the Lambda API
reference.
Leaves out: what ``minilambda.event_sources`` leaves out; options of other sources (``options``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..event_source import DEFAULTS, SQS, EventSourceMapping
from ..event_sources import EventSources


class EventSourceOperations:
    """The part of ``service.LambdaApi`` that is about event source mappings."""

    runtime: Any
    event_sources: EventSources

    def CreateEventSourceMapping(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._described(self.event_sources.create(caller.account, caller.region, params))

    def GetEventSourceMapping(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._described(
            self.event_sources.get(caller.account, caller.region, params["UUID"]))

    def UpdateEventSourceMapping(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._described(self.event_sources.update(caller.account, caller.region, params))

    def DeleteEventSourceMapping(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        return self._described(
            self.event_sources.delete(caller.account, caller.region, params["UUID"]))

    def ListEventSourceMappings(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        page, marker = self.event_sources.list(
            caller.account, caller.region, source=params.get("EventSourceArn"),
            function=params.get("FunctionName"), marker=params.get("Marker"),
            max_items=params.get("MaxItems"))
        return {"EventSourceMappings": [self._described(mapping) for mapping in page]} | (
            {"NextMarker": marker} if marker else {})

    def _described(self, mapping: EventSourceMapping) -> dict[str, Any]:
        return describe(mapping, self.runtime.clock.seconds)


def describe(mapping: EventSourceMapping, now: float) -> dict[str, Any]:
    """A mapping as the API prints it (the *EventSourceMappingConfiguration* shape).

    AWS prints other members for a queue's mapping than for a stream's, and another reason.
    """
    found = {**DEFAULTS[mapping.source.kind], **mapping.settings} | {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "EventSourceArn": mapping.source.arn,
        "FunctionArn": mapping.function_arn,
        "LastModified": _date(mapping.last_modified),
        "State": mapping.state(now),
        "StateTransitionReason": "USER_INITIATED",
    }
    if mapping.source.kind != SQS:
        found |= {"StateTransitionReason": "User action",
                  "LastProcessingResult": "No records processed"}
    if "StartingPositionTimestamp" in found:
        found["StartingPositionTimestamp"] = _date(found["StartingPositionTimestamp"])
    return found


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
