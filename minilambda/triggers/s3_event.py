"""What S3 tells of an event: the message, member by member.

Stands for: what functions, queues and topics are sent. AWS page: *Event message structure*.
Leaves out: versions from 2.4 on, with which S3 has one version for all events (no date is published;
the members told of here are the same), events of replication and lifecycle rules.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from ..faults import iso

_ORDERED = ("s3:ObjectCreated:", "s3:ObjectRemoved:")  # have a sequencer


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    account: str
    region: str
    versioned: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to an object. ``size``, ``etag``, ``version_id``: None where S3 doesn't
    tell. ``principal``: whose request it was, None the account's owner's. ``more``: members of the
    record beside ``s3``."""

    bucket: Bucket
    event: str  # s3:ObjectCreated:Put
    key: str
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None
    principal: str | None = None
    more: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """As the message has it, and as the trace."""
        return self.event.removeprefix("s3:")

    @property
    def writes(self) -> bool:
        return self.event.startswith("s3:ObjectCreated:")

    @property
    def ordered(self) -> bool:
        return self.event.startswith(_ORDERED)

    @property
    def version(self) -> str:
        newer = self.event.startswith(("s3:ObjectTagging:", "s3:ObjectAcl:", "s3:ObjectRestore:Delete"))
        return "2.3" if newer else "2.1"


@dataclass(frozen=True, slots=True)
class Stamp:
    """When S3 had finished with the request, and what it called it."""

    at: datetime
    request_id: str
    host_id: str
    sequencer: str | None = None


def message(change: Change, stamp: Stamp, configuration: str) -> dict[str, Any]:
    """The event, as JSON has it."""
    owner = owner_of(change.bucket.account)
    details = {"key": quote_plus(change.key, safe="/"), "size": change.size, "eTag": change.etag,
               "versionId": change.version_id, "sequencer": stamp.sequencer}
    return {"Records": [{
        "eventVersion": change.version, "eventSource": "aws:s3", "awsRegion": change.bucket.region,
        "eventTime": iso(stamp.at), "eventName": change.name,
        "userIdentity": {"principalId": change.principal or owner},
        # Requests come from this machine, whichever it is: an event is the same on all of them.
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": stamp.request_id, "x-amz-id-2": stamp.host_id},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": configuration,
            "bucket": {"name": change.bucket.name, "ownerIdentity": {"principalId": owner},
                       "arn": change.bucket.arn},
            "object": {name: value for name, value in details.items() if value is not None}},
        **(change.more or {})}]}


def test_message(bucket: Bucket, stamp: Stamp) -> dict[str, str]:
    """What queues and topics are sent when a configuration names them."""
    return {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": iso(stamp.at),
            "Bucket": bucket.name, "RequestId": stamp.request_id, "HostId": stamp.host_id}


test_message.__test__ = False  # for pytest, which goes by names


def owner_of(account: str) -> str:
    """The customer's id of an account's owner, one as good as another."""
    return "A" + b32encode(hashlib.sha256(account.encode()).digest())[:13].decode()
