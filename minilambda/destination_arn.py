"""Where records of events may go, and what the execution role must be allowed to do for it.

Stands for: the checks of ``DestinationConfig`` and ``DeadLetterConfig`` in the Lambda API.
AWS pages: *Capturing records of Lambda asynchronous invocations*; *Adding a dead-letter queue*.
Leaves out: whether the queue, topic, bus or bucket exists (a missing one shows when a record is sent).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import async_errors
from .function import FunctionConfiguration
from .limits import Limits

May = Callable[[str, str, str], bool]  # may this role do this action to this resource (an ARN)?

# What is done there: IAM's action, and the operation as AWS's sentences name it.
_ACTIONS = {
    "sqs": ("sqs:SendMessage", "SendMessage"),
    "sns": ("sns:Publish", "Publish"),
    "lambda": ("lambda:InvokeFunction", "InvokeFunction"),
    "events": ("events:PutEvents", "PutEvents"),
    "s3": ("s3:PutObject", "PutObject"),
}


@dataclass(frozen=True, slots=True)
class DestinationArn:
    """``resource`` is all that follows the account: ``function:name:alias``, ``event-bus/name``…"""

    text: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> DestinationArn | None:
        """None if it isn't an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
            return None
        return cls(text, parts[2], parts[3], parts[4], parts[5])

    @property
    def operation(self) -> str:
        return _ACTIONS[self.service][1]

    @property
    def fifo(self) -> bool:
        return self.service in ("sqs", "sns") and self.resource.endswith(".fifo")

    def permitted(self, role: str, may: May) -> bool:
        """Whether this execution role (an ARN) may send there."""
        resource = f"{self.text}/*" if self.service == "s3" else self.text
        return may(role, _ACTIONS[self.service][0], resource)


def check_destination(function: FunctionConfiguration, text: str, on_success: bool, limits: Limits,
                      may: May) -> None:
    """Raises:
        LambdaError: there is no such destination, or the execution role may not send there.
    """
    arn = DestinationArn.parse(text)
    if arn is None or (arn.service == "s3" and on_success) or arn.fifo:
        raise async_errors.destination_invalid(text)
    if arn.service not in limits.destinations:
        raise async_errors.destinations_invalid(*((text, None) if on_success else (None, text)))
    if arn.service == "lambda":
        kind, _, name = arn.resource.partition(":")
        if kind != "function" or not name:
            raise async_errors.destination_invalid(text)
        if (arn.region, arn.account, name.split(":")[0]) == (
                function.region, function.account, function.name):
            raise async_errors.destination_is_itself()
    if arn.service == "events" and not arn.resource.startswith("event-bus/"):
        raise async_errors.destination_invalid(text)
    if not arn.permitted(function.role, may):
        raise async_errors.destination_not_permitted(arn.operation, text)


def check_dead_letter(function: FunctionConfiguration, may: May) -> None:
    """Raises:
        LambdaError: the function's dead-letter queue can't be one, or its execution role may not
            send there.
    """
    if not function.dead_letter:
        return
    arn = DestinationArn.parse(function.dead_letter)
    if arn is None or arn.service not in ("sqs", "sns"):
        raise async_errors.dead_letter_service()
    if arn.region != function.region:
        raise async_errors.dead_letter_region()
    if arn.fifo:
        raise async_errors.dead_letter_fifo("SQS queue" if arn.service == "sqs" else "SNS topic")
    if not arn.permitted(function.role, may):
        raise async_errors.dead_letter_not_permitted(arn.operation, arn.service.upper())
