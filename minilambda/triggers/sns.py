"""SNS hands messages to the functions that are subscribed to a topic.

Stands for: message delivery. AWS pages: *Fanout to Lambda functions*, *Amazon SNS message delivery
retries*, *Amazon SNS dead-letter queues*.
Leaves out: the jitter in the waits between tries; delivery status logging; the message attributes with
which a dead letter may say what was wrong (the trace says it). AWS publishes no figure for how long SNS
takes: here a message is handed over at the instant at which it was published.

A delivery is a process on the clock. It hands the message to Lambda's event queue and is done: whether
the function fails is no business of SNS's. When Lambda doesn't take a message for a reason of its own,
SNS tries again, 100,015 times over 23 days. When the fault is the sender's (the function is gone, or its
policy doesn't let the topic in) it doesn't. What can't be delivered goes to the subscription's
dead-letter queue, or is dropped.
"""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from ..faults import iso
from .sns_event import SIGNATURE_BITS, Notification, event

SERVICE = "sns.amazonaws.com"
REFUSED = f"the function's policy doesn't let {SERVICE} invoke it, or it is gone"
_NOT_HERE = 501  # this machine can't run it: no use in trying again


class NotRedriven(Exception):
    """A dead-letter queue didn't take it; says why."""


# Sends it to the subscription's dead-letter queue and gives the queue's ARN; None if it has none.
Redrive = Callable[[Notification], str | None]  # raises NotRedriven
Count = Callable[[str, str], None]  # of a topic (an ARN), the metric's name


class Deliveries:
    """The deliveries of one cloud's topics.

    Args:
        redrive: sends what can't be delivered to a dead-letter queue.
        count: adds one to a metric of a topic's.
    """

    def __init__(self, cloud: Cloud, redrive: Redrive, count: Count) -> None:
        self.cloud, self.clock, self.trace = cloud, cloud.clock, cloud.trace
        self._redrive, self._count = redrive, count

    def notification(self, topic: str, subscription: str, target: str, message_id: str, message: str,
                     subject: str | None, attributes: Mapping[str, Mapping[str, Any]] | None
                     ) -> Notification:
        with self.clock.lock:
            bits = self.clock.random.getrandbits(SIGNATURE_BITS)
            return Notification(
                topic, subscription, target, message_id, message, subject, attributes or {},
                iso(self.clock.now), b64encode(bits.to_bytes(SIGNATURE_BITS // 8, "big")).decode())

    def send(self, told: Notification) -> None:
        """Deliver it to a function, from now on. Nobody waits for that."""
        with self.clock.lock:
            self._note("trigger.event", told)
            self.clock.process(self._steps(told))

    def give_up(self, told: Notification, attempts: int, reason: str) -> None:
        """It will never be delivered: to the dead-letter queue, if there is one."""
        with self.clock.lock:
            self._count(told.topic, "NumberOfNotificationsFailed")
            try:
                queue = self._redrive(told)
            except NotRedriven as problem:
                self._count(told.topic, "NumberOfNotificationsFailedToRedriveToDlq")
                reason = f"{reason}; its dead-letter queue didn't take it: {problem}"
            else:
                if queue is not None:
                    self._count(told.topic, "NumberOfNotificationsRedrivenToDlq")
                    reason = f"{reason}; it went to {queue}"
            self._note("trigger.dropped", told, attempts=attempts, reason=reason)

    def _steps(self, told: Notification) -> Steps:
        caller = ServiceCaller(self.cloud, SERVICE, told.account, told.region, told.topic)
        payload, attempts, reason = event(told), 0, ""
        for wait in itertools.chain([0.0], waits()):
            if wait:
                yield self.clock.timeout(wait)
            attempts += 1
            try:
                request_id = caller.accept(told.target, payload, source="sns")
            except NotPermitted:
                reason = REFUSED
                break
            except LambdaError as error:
                reason = str(error)
                if not _may_pass(error):
                    break
                self._note("trigger.failed", told, attempt=attempts, reason=reason)
            else:
                self._count(told.topic, "NumberOfNotificationsDelivered")
                self._note("trigger.delivered", told, attempt=attempts, request_id=request_id)
                return
        self.give_up(told, attempts, reason)

    def _note(self, kind: str, told: Notification, **data: Any) -> None:
        self.trace.append(self.clock.seconds, kind, told.function, None, source="sns",
                          resource=told.topic, target=told.target, event_id=told.message_id, **data)


def waits() -> Iterator[float]:
    """Seconds before each further try: three at once, two a second apart, ten that grow from one
    second to twenty, a hundred thousand every twenty seconds."""
    yield from (0.0, 0.0, 0.0, 1.0, 1.0)
    for n in range(10):
        yield round(20 ** (n / 9), 3)
    yield from itertools.repeat(20.0, 100_000)


def _may_pass(error: LambdaError) -> bool:
    """A throttle, or a fault of the service's: another time it may be taken."""
    return error.status == 429 or error.status >= 500 and error.status != _NOT_HERE
