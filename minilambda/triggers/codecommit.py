"""CodeCommit tells functions and topics what happened in a repository.

Stands for: the triggers of a repository. AWS pages: *Using AWS Lambda with AWS CodeCommit*, *Manage triggers
for an AWS CodeCommit repository*, *PutRepositoryTriggers*.
Leaves out: tags (only a push makes one). AWS publishes no delay: an event is handed over at the instant of
the change. AWS says nothing of tries where a function doesn't let CodeCommit in: here it is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from .code_repository import Refused
from .handing_over import Notes

EVENTS = ("all", "createReference", "deleteReference", "updateReference")
MOST = 10  # triggers of a repository, and branches of a trigger
_FLAGS = {"createReference": {"created": True}, "deleteReference": {"deleted": True}}


class NotPublished(Exception):
    """A topic didn't take it; says why."""


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    destination: str  # the ARN of a function or a topic
    branches: tuple[str, ...]  # none: all
    events: tuple[str, ...]
    custom_data: str | None = None

    def is_for(self, change: Change) -> bool:
        kind, _, branch = change.ref.removeprefix("refs/").partition("/")
        return (("all" in self.events or change.event in self.events)
                and (not self.branches or (kind == "heads" and branch in self.branches)))


@dataclass(frozen=True, slots=True)
class Change:
    """``event``: one of those that a trigger is for. ``commit``: where the reference is now, or was."""

    repository: str  # its ARN
    account: str
    region: str
    event: str
    ref: str
    commit: str
    principal: str


def check(triggers: Sequence[Trigger], region: str) -> None:
    """Raises Refused: a repository can't have these."""
    if len(triggers) > MOST:
        raise Refused("MaximumRepositoryTriggersExceededException",
                      f"A repository has at most {MOST} triggers")
    if len({one.name for one in triggers}) != len(triggers):
        raise Refused("InvalidRepositoryTriggerNameException", "Trigger names must be unique")
    for one in triggers:
        parts = one.destination.split(":")
        if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("lambda", "sns"):
            raise Refused("InvalidRepositoryTriggerDestinationArnException",
                          f"Not the ARN of a function or a topic: {one.destination}")
        if parts[3] != region:
            raise Refused("InvalidRepositoryTriggerRegionException",
                          f"The destination is in {parts[3]}, the repository in {region}")
        if not one.events:
            raise Refused("RepositoryTriggerEventsListRequiredException",
                          "At least one event is required in a trigger")
        if set(one.events) - set(EVENTS) or ("all" in one.events and len(one.events) > 1):
            raise Refused("InvalidRepositoryTriggerEventsException",
                          f"Events are {', '.join(EVENTS)}; all only by itself")
        if len(one.branches) > MOST:
            raise Refused("MaximumBranchesExceededException", f"A trigger has at most {MOST} branches")


def event(trigger: Trigger, change: Change, configuration: str, event_id: str, at: str,
          name: str = "ReferenceChanges") -> dict[str, Any]:
    """What the trigger's destination is told, as JSON has it. ``at``: ISO 8601 with milliseconds."""
    record: dict[str, Any] = {
        "awsRegion": change.region,
        "codecommit": {"references": [
            {"commit": change.commit, **_FLAGS.get(change.event, {}), "ref": change.ref}]},
        "eventId": event_id, "eventName": name, "eventPartNumber": 1,
        "eventSource": "aws:codecommit", "eventSourceARN": change.repository, "eventTime": at,
        "eventTotalParts": 1, "eventTriggerConfigId": configuration,
        "eventTriggerName": trigger.name, "eventVersion": "1.0", "userIdentityARN": change.principal}
    if trigger.custom_data:
        record["customData"] = trigger.custom_data
    return {"Records": [record]}


class Triggers:
    """The triggers of one cloud's repositories.

    Args:
        publish: sends a topic (an ARN) a message, or raises NotPublished.
    """

    def __init__(self, cloud: Cloud, publish: Callable[[str, str], None]) -> None:
        self.cloud, self.clock, self._publish = cloud, cloud.clock, publish

    def happened(self, triggers: Sequence[Trigger], configuration: str, change: Change) -> None:
        for one in triggers:
            if one.is_for(change):
                with self.clock.lock:
                    body, notes = self._told(one, configuration, change)
                    self.clock.process(self._hand_over(one, change, body, notes))

    def test(self, trigger: Trigger, configuration: str, change: Change) -> str | None:
        """Send it a test event now. Value: why that failed, if it did."""
        with self.clock.lock:
            body, notes = self._told(trigger, configuration, change, "TriggerEventTest")
            return self._deliver(trigger, change, body, notes)

    def _told(self, trigger: Trigger, configuration: str, change: Change, name: str = "ReferenceChanges"
              ) -> tuple[str, Notes]:
        notes = Notes(self.clock, self.cloud.trace, "codecommit", change.repository, self.clock.uuid())
        notes.event(trigger.destination)
        at = self.clock.now.isoformat(timespec="milliseconds").removesuffix("+00:00") + "+0000"
        return json.dumps(event(trigger, change, configuration, notes.event_id, at, name)), notes

    def _hand_over(self, trigger: Trigger, change: Change, body: str, notes: Notes) -> Steps:
        yield self.clock.timeout(0)
        self._deliver(trigger, change, body, notes)

    def _deliver(self, trigger: Trigger, change: Change, body: str, notes: Notes) -> str | None:
        request_id = None
        try:
            if trigger.destination.split(":")[2] == "sns":
                self._publish(trigger.destination, body)
            else:
                caller = ServiceCaller(self.cloud, "codecommit.amazonaws.com", change.account,
                                       change.region, change.repository)
                request_id = caller.accept(trigger.destination, body.encode(), source="codecommit")
        except NotPermitted:
            reason = "the function's policy doesn't let codecommit.amazonaws.com invoke it, or it is gone"
        except (LambdaError, NotPublished) as problem:
            reason = str(problem)
        else:
            notes.delivered(trigger.destination, request_id)
            return None
        notes.dropped(trigger.destination, reason)
        return reason
