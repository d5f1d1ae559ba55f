"""Records and dead letters, handed to moto's queues, topics, buses and buckets.

Stands for: Lambda calling SQS, SNS, EventBridge or S3 with a function's execution role. AWS page:
*Capturing records of Lambda asynchronous invocations*.
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.backends import get_backend
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from ..destination_arn import DestinationArn
from ..destinations import Letter, NotSent
from ..limits import Limits
from .current import Asking, asking


class Delivery:
    """Sends a letter; raises whatever the service that is asked raises."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def __call__(self, letter: Letter) -> None:
        before = asking.set(Asking(service="lambda"))
        try:
            getattr(self, f"_{letter.to.service}")(letter)
        finally:
            asking.reset(before)

    def _sqs(self, letter: Letter) -> None:
        to, size = letter.to, len(letter.body.encode())
        if size > self.limits.sqs_message:
            raise NotSent(f"{size} bytes are more than a message may have")
        _backend(to).send_message(
            to.resource, letter.body,
            {name: {"DataType": kind, "StringValue": value}
             for name, (kind, value) in letter.attributes.items()} or None)

    def _sns(self, letter: Letter) -> None:
        to = letter.to
        _backend(to).publish(
            letter.body, to.text, message_attributes={
                name: {"Type": kind, "Value": value}
                for name, (kind, value) in letter.attributes.items()} or None)

    def _events(self, letter: Letter) -> None:
        to, ending = letter.to, letter.ending
        result = "Success" if ending.succeeded else "Failure"
        bus = _backend(to)
        if to.resource.removeprefix("event-bus/") not in bus.event_buses:
            raise NotSent(f"Event bus {to.text} does not exist.")
        answers = bus.put_events([{
            "Source": "lambda", "DetailType": f"Lambda Function Invocation Result - {result}",
            "Detail": letter.body, "EventBusName": to.text,
            "Resources": [to.text, ending.function_arn]}])
        for answer in answers:
            if "ErrorCode" in answer:
                raise NotSent(f"{answer['ErrorCode']}: {answer['ErrorMessage']}")

    def _s3(self, letter: Letter) -> None:
        account, now = letter.ending.function.account, utcnow()
        unique = uuid.UUID(int=mock_random.getrandbits(128), version=4)
        key = (f"aws/lambda/async/{letter.ending.function.name}/{now:%Y/%m/%d}/"
               f"{now:%Y-%m-%dT%H.%M.%S}-{unique}")
        get_backend("s3")[account][get_partition(letter.ending.function.region)].put_object(
            letter.to.resource, key, letter.body.encode())


def _backend(to: DestinationArn) -> Any:
    """moto's, loaded when it is first asked for: not every place can load all of them."""
    return get_backend(to.service)[to.account][to.region]
