"""S3 tells functions, queues and topics what happened in a bucket.

Stands for: the delivery of event notifications. AWS pages: *Amazon S3 Event Notifications*, *Using AWS
Lambda with Amazon S3*.
Leaves out: that a notification may come twice (``async_duplicates`` makes functions get one twice); recursive loop detection. A function that writes to the bucket it listens to
goes on for ever, as it did in the months of the course. What can't be delivered is dropped at once, and
the trace says why; S3 tries again for a while.

A notification is a process on the clock for a second or so; a bucket where nothing happens is nothing.
Each has a delay of its own, so two may come in the other order: that is what ``sequencer`` is for.

"If two writes are made to a single non-versioned object at the same time, it is possible that only a
single event notification will be sent", AWS said until December 2020: in the course's profile it is so
for writes at the same instant of the clock. Which one is told of? The later.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from ..model import Model
from .s3_event import Bucket, Change, Stamp, message, test_message
from .s3_rules import Refused, Rule, check_together

Post = Callable[[Bucket, str, str], None]  # raises NotDelivered
SAME_INSTANT = "another write of the key at the same instant is told of"


class NotDelivered(Exception):
    """A queue or topic didn't take it; says why."""


@dataclass(slots=True, eq=False)
class _Notification:
    change: Change
    rule: Rule
    body: str
    sequencer: str | None
    made: float  # seconds on the clock
    replaced: bool = False
    place: tuple[str, str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.change.bucket.name, self.rule.id, self.change.key


class Notifications:
    """The notifications of one cloud's buckets.

    Args:
        post: sends to a queue or topic (an ARN) what a bucket has to say, if its policy allows that.
        objection: why a queue or topic (an ARN) can't be told by a bucket, if it can't.
    """

    def __init__(self, cloud: Cloud, post: Post,
                 objection: Callable[[Bucket, str], str | None]) -> None:
        self.cloud, self.clock, self.trace = cloud, cloud.clock, cloud.trace
        self._post, self._objection = post, objection
        self._last_sequencer = 0
        self._newest: dict[tuple[str, str, str], _Notification] = {}  # on their way

    # -- a configuration is put ----------------------------------------------------------------------

    def check(self, bucket: Bucket, rules: Sequence[Rule], *, destinations: bool = True) -> None:
        """Whether a bucket may have these; queues and topics are then sent a test message.

        Args:
            destinations: whether destinations are looked at, and tested, at all.

        Raises:
            Refused: they overlap, or a destination can't be told.
        """
        for one in rules:
            if one.target.split(":")[3] != bucket.region:
                raise Refused("The notification destination service region is not valid for the bucket "
                              "location constraint")
        check_together(rules)
        targets = list(dict.fromkeys(one.target for one in rules)) if destinations else []
        wrong = [pair for target in targets if (pair := self._wrong(bucket, target)) is not None]
        if wrong:
            raise Refused("Unable to validate the following destination configurations", *wrong)
        queues = [target for target in targets if target.split(":")[2] != "lambda"]
        if queues:
            with self.clock.lock:
                body = json.dumps(test_message(bucket, self.stamp()))
            try:
                for target in queues:
                    self._post(bucket, target, body)
            except NotDelivered as problem:
                raise Refused("Unable to validate the following destination configurations",
                              (target, str(problem))) from problem

    def _wrong(self, bucket: Bucket, target: str) -> tuple[str, str] | None:
        if target.split(":")[2] != "lambda":
            reason = self._objection(bucket, target)
            return None if reason is None else (target, reason)
        try:
            self._caller(bucket).check(target)
        except NotPermitted:
            return f"{target}, null", f"Not authorized to invoke function [{target}]"
        return None

    # -- something happens -----------------------------------------------------------------------------

    def happened(self, rules: Sequence[Rule], change: Change, function: str = "",
                 environment: str | None = None) -> None:
        """Tell those whom the bucket's rules say. ``function``: whose code did it, "" the reader's."""
        for rule in rules:
            if rule.matches(change.event, change.key):
                with self.clock.lock:
                    self._notify(rule, change, function, environment)

    def _notify(self, rule: Rule, change: Change, function: str, environment: str | None) -> None:
        now = self.clock.seconds
        stamp = self.stamp(change.ordered)
        notification = _Notification(change, rule, json.dumps(message(change, stamp, rule.id)),
                                     stamp.sequencer, now)
        self.trace.append(now, "s3.event", function, environment, **self._named(notification))
        if change.writes and not change.bucket.versioned and self.cloud.limits.profile == "course":
            before = self._newest.get(notification.place)
            if before is not None and before.made == now:
                before.replaced = True
            self._newest[notification.place] = notification
        model, slow = self._model, self.cloud.slow_notifications
        # Chance is asked only where it has a say: without slow ones all else stays as it was.
        is_slow = slow > 0 and self.clock.random.random() < slow
        least, most = model.s3_slow_seconds if is_slow else model.s3_notification_seconds
        delay = round(self.clock.random.uniform(least, most), 3)
        self.clock.process(self._steps(notification, delay))

    def _steps(self, notification: _Notification, delay: float) -> Steps:
        yield self.clock.timeout(delay)
        if self._newest.get(notification.place) is notification:
            del self._newest[notification.place]
        request_id, reason = None, SAME_INSTANT if notification.replaced else None
        if reason is None:
            try:
                request_id = self._deliver(notification)
            except NotPermitted:
                reason = "the function's policy doesn't let s3.amazonaws.com invoke it, or it is gone"
            except (LambdaError, NotDelivered) as problem:
                reason = str(problem) or type(problem).__name__
        kind, more = ("s3.delivered", {"request_id": request_id}) if reason is None else (
            "s3.dropped", {"reason": reason})
        target = notification.rule.target
        function = target.split(":")[6] if notification.rule.service == "lambda" else ""
        self.trace.append(self.clock.seconds, kind, function, None, **self._named(notification),
                          delay_ms=round((self.clock.seconds - notification.made) * 1000, 3), **more)

    def _deliver(self, notification: _Notification) -> str | None:
        bucket, target = notification.change.bucket, notification.rule.target
        if notification.rule.service == "lambda":
            return self._caller(bucket).accept(target, notification.body.encode(), source="s3")
        self._post(bucket, target, notification.body)
        return None

    # -- details -----------------------------------------------------------------------------------------

    def _caller(self, bucket: Bucket) -> ServiceCaller:
        return ServiceCaller(self.cloud, "s3.amazonaws.com", bucket.account, bucket.region, bucket.arn)

    @staticmethod
    def _named(notification: _Notification) -> dict[str, str | None]:
        change, rule = notification.change, notification.rule
        return {"bucket": change.bucket.name, "key": change.key, "event_name": change.name,
                "configuration": rule.id, "target": rule.target,
                "sequencer": notification.sequencer}

    @cached_property
    def _model(self) -> Model:
        return Model.load()

    def stamp(self, ordered: bool = False) -> Stamp:
        """When it is now, and new ids for a request."""
        bits = self.clock.random.getrandbits
        return Stamp(self.clock.now, f"{bits(64):016X}",
                     b64encode(bits(448).to_bytes(56, "big")).decode(),
                     self._sequencer() if ordered else None)

    def _sequencer(self) -> str:
        """Grows with each event: seconds and a fraction of them, as S3's look."""
        seconds, rest = divmod(self.clock.timestamp_ns(), 10**9)
        number = max((seconds << 32) + (rest << 32) // 10**9, self._last_sequencer + 1)
        self._last_sequencer = number
        return f"{number:018X}"
