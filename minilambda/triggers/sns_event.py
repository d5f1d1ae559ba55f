"""What SNS tells of a message: the event for a function, and the notification for a queue.

Stands for: what subscribers are sent. AWS pages: *Invoking Lambda functions with Amazon SNS
notifications*; *Amazon SNS message delivery* (the JSON format of a notification).
Leaves out: a signature that can be verified. It looks like one, and the certificate's URL leads nowhere:
a function needs none, since only whom its policy lets in can invoke it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNATURE_BITS = 2048


@dataclass(frozen=True, slots=True)
class Notification:
    """One message on its way to one subscriber (``target``: an ARN)."""

    topic: str
    subscription: str
    target: str
    message_id: str
    message: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, Any]]
    at: str  # when it was published
    signature: str

    @property
    def region(self) -> str:
        return self.topic.split(":")[3]

    @property
    def account(self) -> str:
        return self.topic.split(":")[4]

    @property
    def function(self) -> str:
        """The target's name, "" unless it is a function."""
        parts = self.target.split(":")
        return parts[6] if parts[2] == "lambda" else ""


def event(told: Notification) -> bytes:
    """The payload that a function gets."""
    host = _host(told.region)
    return _json({"Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": told.subscription,
        "Sns": {
            "Type": "Notification", "MessageId": told.message_id, "TopicArn": told.topic,
            "Subject": told.subject, "Message": told.message, "Timestamp": told.at,
            "SignatureVersion": "1", "Signature": told.signature,
            "SigningCertUrl": host + _certificate(told.region),
            "UnsubscribeUrl": host + _unsubscribe(told),
            "MessageAttributes": dict(told.attributes)}}]}).encode()


def envelope(told: Notification) -> str:
    """The notification as other subscribers get it, and dead-letter queues: other spellings, and a
    member that is empty isn't there."""
    host = _host(told.region)
    members = {
        "Type": "Notification", "MessageId": told.message_id, "TopicArn": told.topic,
        "Subject": told.subject, "Message": told.message, "Timestamp": told.at,
        "SignatureVersion": "1", "Signature": told.signature,
        "SigningCertURL": host + _certificate(told.region),
        "UnsubscribeURL": host + _unsubscribe(told),
        "MessageAttributes": dict(told.attributes) or None}
    return _json({name: value for name, value in members.items() if value is not None})


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _host(region: str) -> str:
    return f"https://sns.{region}.amazonaws.com/"


def _certificate(region: str) -> str:
    """One a region, the same for all topics."""
    return f"SimpleNotificationService-{hashlib.sha256(region.encode()).hexdigest()[:32]}.pem"


def _unsubscribe(told: Notification) -> str:
    return f"?Action=Unsubscribe&SubscriptionArn={told.subscription}"
