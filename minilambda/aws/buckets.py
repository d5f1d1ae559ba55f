"""moto's buckets tell what happens in them.

Stands for: which requests of S3 are which events. AWS pages: *Event notification types and
destinations*, *PutBucketNotificationConfiguration*.
Leaves out: events of what moto never does (replication, lifecycle rules, Intelligent-Tiering, objects
that are lost): they may be asked for and never come. A PutObjectAcl that changes nothing is an event
here.

moto sends some events too many and some not at all: a multipart upload's completion counted as a Put as
well, tags that come with a PutObject as a tagging; a delete marker as nothing. So events of these are
told here, and moto's own suppressed.
"""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import moto.s3.notifications as stock
import xmltodict
from moto.iam.models import iam_backends
from moto.s3.exceptions import InvalidArgumentError, MalformedXML
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud
from ..faults import iso
from ..triggers.s3 import NotDelivered, Notifications
from ..triggers.s3_bridge_event import bridge_event
from ..triggers.s3_event import Bucket, Change
from ..triggers.s3_rules import Refused, Rule, rule
from . import resource_policy, service_events
from .current import as_service, asking

_TAGGING = "s3:ObjectTagging:Put"
_EMPTY = "d41d8cd98f00b204e9800998ecf8427e"  # the ETag of nothing
_KINDS = {"Topic": "sns", "Queue": "sqs", "CloudFunction": "lambda"}
_SKIP = "minilambda:skip"  # in a configuration: destinations needn't be looked at
# Events that moto sends just now and S3 wouldn't. Tags are an event only where they are the request.
_unsaid: ContextVar[frozenset[str]] = ContextVar("unsaid", default=frozenset({_TAGGING}))


class Buckets:
    """The buckets of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.notifications = Notifications(cloud, post, objection)

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """``swap`` sets an attribute until the cloud is closed."""
        swap(stock, "send_event", self._send_event)
        swap(stock, "send_test_event", lambda account_id, bucket: None)  # is sent here, and before
        swap(S3Response, "_notification_config_from_body", _configuration)
        swap(S3Response, "put_object_tagging", _without(S3Response.put_object_tagging))
        swap(S3Backend, "complete_multipart_upload", _without(
            S3Backend.complete_multipart_upload, _TAGGING, "s3:ObjectCreated:Put"))
        swap(S3Backend, "put_bucket_notification_configuration",
             self._put_configuration(S3Backend.put_bucket_notification_configuration))
        swap(S3Backend, "delete_object", self._delete_object(S3Backend.delete_object))

    def _put_configuration(self, put: Callable[..., None]) -> Callable[..., None]:
        def put_bucket_notification_configuration(
                backend: S3Backend, bucket_name: str, notification_config: dict[str, Any]) -> None:
            bucket = backend.get_bucket(bucket_name)
            try:
                self.notifications.check(
                    _described(bucket), _asked_for(self.cloud, notification_config),
                    destinations=not notification_config.get(_SKIP))
            except Refused as refused:
                raise _error(refused) from refused
            put(backend, bucket_name, notification_config)

        return put_bucket_notification_configuration

    def _delete_object(self, delete: Callable[..., Any]) -> Callable[..., Any]:
        def delete_object(backend: S3Backend, bucket_name: str, key_name: str,
                          version_id: str | None = None, bypass: bool = False) -> Any:
            bucket = backend.get_bucket(bucket_name)
            there = bucket.keys.getlist(key_name, [])
            with _keeping_quiet_about("s3:ObjectRemoved:Delete"):
                done, answer = delete(backend, bucket_name, key_name, version_id, bypass)
            if version_id is not None and bucket.is_versioned:
                gone = next((key for key in there if str(key.version_id) == str(version_id)), None)
                if gone is not None:
                    self._tell("s3:ObjectRemoved:Delete", bucket, gone,
                               version_id=str(version_id))
            elif done and bucket.is_versioned:
                self._tell("s3:ObjectRemoved:DeleteMarkerCreated", bucket, there[-1], etag=_EMPTY,
                           version_id=answer["version-id"])
            elif done:
                self._tell("s3:ObjectRemoved:Delete", bucket, there[-1])
            return done, answer

        return delete_object

    def _send_event(self, account_id: str, event_name: Any, bucket: FakeBucket, key: Any) -> None:
        """In the place of moto's: what it would send at once."""
        event = getattr(event_name, "value", event_name)
        if event in _unsaid.get():
            return
        details: dict[str, Any] = {"etag": key.etag.replace('"', "")}
        if not event.startswith(("s3:ObjectTagging:", "s3:ObjectAcl:")):
            details["size"] = key.size
        if bucket.is_versioned:
            details["version_id"] = str(key.version_id)
        if event == "s3:ObjectRestore:Completed" and key._expiry is not None:
            details["more"] = {"glacierEventData": {"restoreEventData": {
                "lifecycleRestorationExpiryTime": iso(key._expiry),
                "lifecycleRestoreStorageClass": key.storage_class}}}
        self._tell(event, bucket, key, **details)

    def _tell(self, event: str, bucket: FakeBucket, key: Any, **details: Any) -> None:
        configured = bucket.notification_configuration
        if configured is None:
            return
        function, environment, _ = asking.get()
        where = _described(bucket)
        rules = [Rule(one.id, one.arn, tuple(one.events), **_filters(one.filters))
                 for one in (*configured.cloud_function, *configured.queue, *configured.topic)]
        change = Change(where, event, key.name, principal=self._principal(where, function), **details)
        self.notifications.happened(rules, change, function, environment)
        if configured.event_bridge is not None:
            self._tell_event_bridge(change)

    def _tell_event_bridge(self, change: Change) -> None:
        """The default bus hears of it, whose rules say what becomes of that."""
        told = bridge_event(change, self.notifications.stamp(change.ordered))
        if told is None:
            return
        where = change.bucket
        service_events.tell(self.cloud.clock, where.account, where.region, "aws.s3", told[0], [where.arn],
                            told[1])

    def _principal(self, bucket: Bucket, function: str) -> str | None:
        """The session that a function's code has, as GetCallerIdentity tells of it."""
        if not function:
            return None
        role = self.cloud.registry.get(bucket.account, bucket.region, function, None).role
        roles = iam_backends[bucket.account][get_partition(bucket.region)].get_roles()
        known = next((one.id for one in roles if one.arn == role), "AROA")
        return f"AWS:{known}:{function}"


# -- queues and topics --------------------------------------------------------------------------------

def objection(bucket: Bucket, target: str) -> str | None:
    """Why a bucket can't tell a queue or topic (an ARN), in S3's words."""
    _, _, service, region, account, name = target.split(":", 5)
    if service == "sqs":
        what, action = "queue", "sqs:SendMessage"
        found = sqs_backends[account][region].queues.get(name)
    else:
        what, action = "topic", "sns:Publish"
        found = sns_backends[account][region].topics.get(target)
    if found is None:
        return f"The destination {what} does not exist"
    facts = {"aws:SourceArn": bucket.arn, "aws:SourceAccount": bucket.account}
    if name.endswith(".fifo") or not resource_policy.lets(
            found.policy, "s3.amazonaws.com", action, target, facts):
        return (f"Permissions on the destination {what} do not allow S3 to publish notifications from "
                "this bucket")
    return None


def post(bucket: Bucket, target: str, body: str) -> None:
    """Raises:
        NotDelivered: the queue or topic is gone, or doesn't let S3 in, or can't take it.
    """
    reason = objection(bucket, target)
    if reason is not None:
        raise NotDelivered(reason)
    _, _, service, region, account, name = target.split(":", 5)
    with as_service("s3", NotDelivered):
        if service == "sqs":
            sqs_backends[account][region].send_message(name, body)
            return
        topics = sns_backends[account][region]
        if any(s.protocol in ("http", "https") for s in topics.subscriptions.values()
               if s.topic.arn == target):  # a step of the clock can't wait for somebody's web server
            raise NotDelivered("minilambda doesn't deliver S3's notifications to HTTP endpoints (yet).")
        topics.publish(body, target, subject="Amazon S3 Notification")


# -- what a request says ------------------------------------------------------------------------------

def _configuration(response: S3Response) -> dict[str, Any]:
    """The request's configuration, as moto keeps it; every option has a place in a rule."""
    document = xmltodict.parse(response.body, force_list=(
        *(f"{kind}Configuration" for kind in _KINDS), "Event", "FilterRule"))
    asked = document["NotificationConfiguration"] or {}
    found: dict[str, Any] = {name: asked[name] for kind in _KINDS
                             if (name := f"{kind}Configuration") in asked}
    if "EventBridgeConfiguration" in asked:
        found["EventBridgeConfiguration"] = {}
    for kind in _KINDS:
        for one in found.get(f"{kind}Configuration", []):
            if not one or not one.get(kind) or not one.get("Event"):
                raise MalformedXML
            key = (one.get("Filter") or {}).get("S3Key") or {}  # (the console's has no rules in it)
            if any(not entry or "Name" not in entry for entry in key.get("FilterRule") or []):
                raise MalformedXML
            if not key.get("FilterRule"):
                one.pop("Filter", None)
    skip = response.headers.get("x-amz-skip-destination-validation", "")
    return found | {_SKIP: skip.lower() == "true"} if found else {}


def _asked_for(cloud: Cloud, configuration: dict[str, Any]) -> list[Rule]:
    found = []
    for kind, service in _KINDS.items():
        for one in configuration.get(f"{kind}Configuration", []):
            target = one[kind]
            if not target.startswith(f"arn:aws:{service}:") or target.count(":") < 5:
                raise Refused("The ARN is not well formed", (kind, target))
            if not one.get("Id"):
                one["Id"] = b64encode(cloud.clock.uuid().encode()).decode()
            entries = one["Filter"]["S3Key"]["FilterRule"] if one.get("Filter") else []
            found.append(rule(one["Id"], target, one["Event"], [
                (entry["Name"], entry.get("Value") or "") for entry in entries]))
            for entry in entries:
                entry["Name"] = entry["Name"].capitalize()  # as it is shown afterwards
    return found


def _filters(filters: dict[str, Any]) -> dict[str, str]:
    return {entry["Name"].lower(): entry["Value"]
            for entry in filters.get("S3Key", {}).get("FilterRule", [])}


def _described(bucket: FakeBucket) -> Bucket:
    return Bucket(bucket.name, bucket.account_id, bucket.region_name, bucket.is_versioned)


def _error(refused: Refused) -> InvalidArgumentError:
    name, value = refused.arguments[0] if refused.arguments else ("", "")
    return InvalidArgumentError(refused.message, name, value)


def _without(method: Callable[..., Any], *events: str) -> Callable[..., Any]:
    """A method of moto's that is not to send these, but all others."""
    def quieter(*args: Any, **kwargs: Any) -> Any:
        with _keeping_quiet_about(*events):
            return method(*args, **kwargs)

    return quieter


@contextlib.contextmanager
def _keeping_quiet_about(*events: str) -> Iterator[None]:
    before = _unsaid.set(frozenset(events))
    try:
        yield
    finally:
        _unsaid.reset(before)
