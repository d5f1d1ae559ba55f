"""What a detector model of AWS IoT Events hands a function: a contract, not a service.

Stands for: the Lambda action of a detector model. AWS pages: *Using AWS Lambda with AWS IoT Events*,
*LambdaAction*, *Action permissions for AWS IoT Events*.
Leaves out: the service. moto has none, so no call of AWS's leads here, and no detector decides anything.
AWS ended its support for IoT Events on 20 May 2026: there is no endpoint left that could be called.

``message`` is the documented document, for a reader to invoke a function with (InvocationType ``Event``)
in the service's part. ``hand_over`` does that by the service's rules: it isn't the function's policy
that lets IoT Events in, but the detector model's role, which must be allowed ``lambda:InvokeFunction``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..callers import Cloud
from ..destination_arn import May
from ..errors import LambdaError
from .handing_over import Notes


@dataclass(frozen=True, slots=True)
class Detector:
    """An instance of a detector model. ``key``: what tells it from the others, None without a key."""

    model: str
    version: str
    role: str  # the ARN of the model's
    account: str
    region: str
    key: str | None = None
    state: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    timers: Mapping[str, int] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:iotevents:{self.region}:{self.account}:detectorModel/{self.model}"


@dataclass(frozen=True, slots=True)
class Cause:
    """The message of an input that made the event come true."""

    event: str
    input: str
    message_id: str


def message(detector: Detector, cause: Cause, at_ms: int, execution_id: str) -> dict[str, Any]:
    """The event, as JSON has it."""
    return {"event": {"eventName": cause.event, "eventTime": at_ms, "payload": {
        "detector": {"detectorModelName": detector.model, "detectorModelVersion": detector.version}
        | ({} if detector.key is None else {"keyValue": detector.key}),
        "eventTriggerDetails": {"triggerType": "Message", "inputName": cause.input,
                                "messageId": cause.message_id},
        "actionExecutionId": execution_id,
        "state": {"stateName": detector.state, "variables": dict(detector.variables),
                  "timers": dict(detector.timers)}}}}


def hand_over(cloud: Cloud, may: May, detector: Detector, cause: Cause, function: str) -> str | None:
    """Play the service's part for a function (an ARN). Value: the request's id, None if it was dropped.

    Args:
        may: whether a role (an ARN) may do an action to a resource.
    """
    clock = cloud.clock
    with clock.lock:
        notes = Notes(clock, cloud.trace, "iotevents", detector.arn, clock.uuid())
        notes.event(function)
        if not may(detector.role, "lambda:InvokeFunction", function):
            notes.dropped(function, "the detector model's role may not call lambda:InvokeFunction on it")
            return None
        body = message(detector, cause, clock.timestamp_ns() // 10**6, notes.event_id)
        try:
            target = cloud.registry.target(detector.account, detector.region, function)
            request_id = cloud.frontend.accept(target, json.dumps(body).encode(), source="iotevents")
        except LambdaError as problem:
            notes.dropped(function, str(problem))
            return None
        notes.delivered(function, request_id)
        return request_id
