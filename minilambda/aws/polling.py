"""SQS long polling on a clock that stands still.

Stands for: *Amazon SQS short and long polling*.
Leaves out: the waiting. moto waits for its clock to move, and on the virtual clock it moves for no
one who waits here: the call would hang for ever. A message that is there is received; where none
is, the call is refused with what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .models import refuse


def without_waiting(stock: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """moto's ``SQSBackend.receive_message``, which looks once and never waits."""

    def receive_message(self: Any, queue_name: str, count: int, wait_seconds_timeout: int,
                        visibility_timeout: int,
                        message_attribute_names: list[str] | None = None) -> list[Any]:
        found = stock(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
        if not found and wait_seconds_timeout:
            refuse("waiting for an SQS message on the virtual clock, where time stands still until "
                   "cloud.run() moves it: receive with WaitTimeSeconds=0")
        return found

    return receive_message
