"""What S3 tells EventBridge of an event: its type and its detail, member by member.

Stands for: a bucket's ``EventBridgeConfiguration``. AWS pages: *EventBridge event message structure*,
*Using EventBridge* (both of S3's user guide).
Leaves out: ``event-version``, which came later; events of what moto never does (see ``aws.buckets``).
"""

from __future__ import annotations

from typing import Any

from .s3_event import Change, Stamp

_TYPES = {  # by the part before the last colon, or all of it: detail-type, and the operation that did it
    "ObjectCreated": ("Object Created", "PutObject"),
    "ObjectRemoved": ("Object Deleted", "DeleteObject"),
    "ObjectRestore:Post": ("Object Restore Initiated", None),
    "ObjectRestore:Completed": ("Object Restore Completed", None),
    "ObjectRestore:Delete": ("Object Restore Expired", None),
    "ObjectTagging:Put": ("Object Tags Added", None),
    "ObjectTagging:Delete": ("Object Tags Deleted", None),
    "ObjectAcl:Put": ("Object ACL Updated", None),
}
_REASONS = {"ObjectCreated:Post": "POST Object", "ObjectCreated:Copy": "CopyObject",
            "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload"}
_DELETIONS = {"ObjectRemoved:Delete": "Permanently Deleted",
              "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created"}


def bridge_event(change: Change, stamp: Stamp) -> tuple[str, dict[str, Any]] | None:
    """The event's detail-type and detail; None if EventBridge isn't told of it. The key isn't encoded,
    as it is in a notification."""
    kind = _TYPES.get(change.name) or _TYPES.get(change.name.partition(":")[0])
    if kind is None:
        return None
    detail_type, reason = kind
    about = {"key": change.key, "size": change.size, "etag": change.etag,
             "version-id": change.version_id, "sequencer": stamp.sequencer}
    detail = {
        "version": "0", "bucket": {"name": change.bucket.name},
        "object": {name: value for name, value in about.items() if value is not None},
        "request-id": stamp.request_id, "requester": change.bucket.account,
        # Requests come from this machine, whichever it is: an event is the same on all of them.
        "source-ip-address": "127.0.0.1",
        "reason": _REASONS.get(change.name, reason), "deletion-type": _DELETIONS.get(change.name)}
    return detail_type, {name: value for name, value in detail.items() if value is not None}
