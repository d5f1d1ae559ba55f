"""EventBridge hands events to the targets of the rules that they match.

Stands for: delivery. AWS pages: *How Amazon EventBridge retries delivering events*, *Using dead-letter
queues to process undelivered events in EventBridge*, *Monitoring Amazon EventBridge*.
Leaves out: half a second or so between an event and its targets (AWS publishes no figure: here an event
is handed over at the instant at which it came).

A delivery is a process on the clock. A function is handed the event by Lambda's event queue, and
EventBridge is done then: that the function fails is no business of its. When a target doesn't take an
event for a reason that may pass, EventBridge tries again, for a day and up to 185 times, unless the
target says otherwise. Where the target is gone, or lets nobody in, it doesn't. What can't be delivered
goes to the target's dead-letter queue, or is dropped; a metric says so, and nobody else.

AWS publishes the limits of its back-off, not its waits: doubling from a second to eight minutes uses up
185 tries within the day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError

SERVICE = "events.amazonaws.com"
TRIES, AGE = 185, 86_400  # at most: retries, and seconds
LONGEST_WAIT = 480.0
REFUSED = f"the function's policy doesn't let {SERVICE} invoke it, or it is gone"


class NotDelivered(Exception):
    """A target didn't take it. ``code``: as the dead-letter queue is told; ``passes``: it may yet."""

    def __init__(self, code: str, reason: str, *, passes: bool = False) -> None:
        super().__init__(reason)
        self.code, self.passes = code, passes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one target of a rule. ``body``: what the target is given."""

    account: str
    region: str
    rule_arn: str
    rule_name: str
    target: Mapping[str, Any]
    event_id: str
    event: str  # as it came
    body: str

    @property
    def arn(self) -> str:
        return str(self.target["Arn"])

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]

    @property
    def function(self) -> str:
        """The target's name, "" unless it is a function."""
        return self.arn.split(":")[6] if self.service == "lambda" else ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a dead-letter queue (an ARN) is told of a delivery that came to nothing."""

    delivery: Delivery
    queue: str
    attributes: Mapping[str, str]


class Deliveries:
    """The deliveries of one cloud's rules.

    Args:
        post: gives a target other than a function its body, or raises NotDelivered.
        bury: sends to a dead-letter queue, or raises NotDelivered.
        count: adds one to a metric of a rule's.
    """

    def __init__(self, cloud: Cloud, post: Callable[[Delivery], None],
                 bury: Callable[[DeadLetter], None],
                 count: Callable[[Delivery, str], None]) -> None:
        self.cloud, self.clock, self.trace = cloud, cloud.clock, cloud.trace
        self._post, self._bury, self._count = post, bury, count

    def send(self, delivery: Delivery) -> None:
        """Deliver it, from now on, with the clock's lock held. Nobody waits for that."""
        self._note("trigger.event", delivery)
        self.clock.process(self._steps(delivery))

    def _steps(self, delivery: Delivery) -> Steps:
        began, attempts, condition = self.clock.seconds, 0, None
        policy = delivery.target.get("RetryPolicy") or {}
        most = policy.get("MaximumRetryAttempts", TRIES)
        age = policy.get("MaximumEventAgeInSeconds", AGE)
        for wait in waits():
            attempts += 1
            self._count(delivery, "InvocationAttempts")
            try:
                request_id = self._deliver(delivery)
            except NotDelivered as problem:
                failure = problem
            else:
                self._count(delivery, "Invocations")
                self._note("trigger.delivered", delivery, attempt=attempts, request_id=request_id)
                return
            if not failure.passes:
                break
            if attempts > most:
                condition = "MaximumRetryAttempts"
                break
            if self.clock.seconds + wait > began + age:
                condition = "MaximumEventAgeInSeconds"
                break
            self._note("trigger.failed", delivery, attempt=attempts, reason=str(failure))
            self._count(delivery, "RetryInvocationAttempts")
            yield self.clock.timeout(wait)
        self._give_up(delivery, attempts, condition, failure)

    def _deliver(self, delivery: Delivery) -> str | None:
        if delivery.service != "lambda":
            self._post(delivery)
            return None
        caller = ServiceCaller(self.cloud, SERVICE, delivery.account, delivery.region,
                               delivery.rule_arn)
        try:
            return caller.accept(delivery.arn, delivery.body.encode(), source="events")
        except NotPermitted as error:
            raise NotDelivered("NO_PERMISSIONS", REFUSED) from error
        except LambdaError as error:
            passes = error.status == 429 or error.status >= 500 and error.status != 501
            raise NotDelivered("THROTTLING" if error.status == 429 else "SDK_CLIENT_ERROR", str(error),
                               passes=passes) from error

    def _give_up(self, delivery: Delivery, attempts: int, condition: str | None,
                 failure: NotDelivered) -> None:
        # A try that is followed by another is no invocation yet: that comes, or fails for good, once.
        self._count(delivery, "Invocations")
        self._count(delivery, "FailedInvocations")
        reason, queue = str(failure), (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue:
            attributes = {"RULE_ARN": delivery.rule_arn, "TARGET_ARN": delivery.arn,
                          "ERROR_CODE": failure.code, "ERROR_MESSAGE": reason,
                          "RETRY_ATTEMPTS": str(attempts - 1)}
            if condition is not None:
                attributes["EXHAUSTED_RETRY_CONDITION"] = condition
            try:
                self._bury(DeadLetter(delivery, queue, attributes))
            except NotDelivered as problem:
                self._count(delivery, "InvocationsFailedToBeSentToDlq")
                reason = f"{reason}; its dead-letter queue didn't take it: {problem}"
            else:
                self._count(delivery, "InvocationsSentToDlq")
                reason = f"{reason}; it went to {queue}"
        self._note("trigger.dropped", delivery, attempts=attempts, reason=reason)

    def _note(self, kind: str, delivery: Delivery, **data: Any) -> None:
        self.trace.append(self.clock.seconds, kind, delivery.function, None, source="events",
                          resource=delivery.rule_arn, target=delivery.arn,
                          event_id=delivery.event_id, **data)


def waits() -> Iterator[float]:
    """Seconds after each try that failed, without an end."""
    wait = 1.0
    while True:
        yield wait
        wait = min(2 * wait, LONGEST_WAIT)
