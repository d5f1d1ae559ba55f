"""What happens to messages in queues, recorded as it happens.

Stands for: the life of an SQS message. AWS pages: *Amazon SQS visibility timeout*, *Amazon SQS delay
queues*, *Using dead-letter queues in Amazon SQS*, *Setting-up dead-letter queue retention*.
Leaves out: attributes of a queue that moto doesn't have (the redrive allow policy), moving messages
back out of a dead-letter queue.

moto holds the queues. The hooks are on its queues, not on requests, so it makes no difference who
sends: boto3, a function, SNS, S3 or EventBridge. When a message can be received is said here instead
of by moto, which compares instants whenever it is asked: so what the trace says and what a consumer
gets can't differ. Four of moto's ways are put right with it: at the very end of its timeout, and
after a timeout set to 0, a message is visible; one that is too old is gone, and hides no others; a
move to a dead-letter queue is no new send; and on the wall clock a long poll ends on time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from ..agenda import Agenda
from ..clock import Clock
from ..trace import Trace
from .current import asking

POLL = 1.0  # real seconds between two looks of a long poll, at the most (wall clock only)


@dataclass(slots=True, eq=False)
class Place:
    """Where a message is, and since when; kept beside moto's message, which moto copies."""

    queue: Queue
    enqueued: float  # seconds on the clock, as `until`
    hidden: str = ""  # "delayed", "invisible" or neither
    until: float = 0.0


class Queues:
    """The recorder of one cloud's queues."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self.clock, self.trace, self.agenda = clock, trace, Agenda(clock)
        self._places: dict[Message, Place] = {}
        self._at = 0.0  # the instant of what happens just now (the wall clock runs on meanwhile)
        self._redriving: Queue | None = None  # whose messages are being moved out just now

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """Put the hooks on moto's queues, by ``swap(owner, name, value)``."""
        swap(Queue, "add_message", self._add_message(Queue.add_message))
        swap(Queue, "delete_message", self._delete_message(Queue.delete_message))
        swap(Queue, "_set_attributes", self._set_attributes(Queue._set_attributes))
        swap(SQSBackend, "receive_message", self._receive_message(SQSBackend.receive_message))
        swap(SQSBackend, "change_message_visibility",
             self._change_visibility(SQSBackend.change_message_visibility))
        swap(SQSBackend, "purge_queue", self._emptied(SQSBackend.purge_queue, "purged"))
        swap(SQSBackend, "delete_queue", self._emptied(SQSBackend.delete_queue, "queue deleted"))
        swap(SQSBackend, "is_message_valid_based_on_retention_period", lambda *_: True)
        swap(Message, "visible", property(lambda message: self._hidden(message) != "invisible"))
        swap(Message, "delayed", property(lambda message: self._hidden(message) == "delayed"))

    # -- the hooks: each takes moto's own function and gives the one in its place --------------------

    def _add_message(self, stock: Callable[..., None]) -> Callable[..., None]:
        def add_message(queue: Queue, message: Message) -> None:
            with self._now():
                if self._redriving is not None:
                    self._redrive(self._redriving, queue, message)
                    return
                stock(queue, message)
                if not queue._messages or queue._messages[-1] is not message:
                    return  # a duplicate that a FIFO queue leaves out
                self._places[message] = Place(queue, self._at)
                delay = max(0.0, (message.delayed_until - unix_time_millis()) / 1000)
                self._note("message.sent", queue, message, delay_seconds=round(delay),
                           group_id=message.group_id, via=asking.get().service)
                self._hide(message, "delayed", round(delay))
                self._retain(message)

        return add_message

    def _receive_message(self, stock: Callable[..., list[Message]]
                         ) -> Callable[..., list[Message]]:
        def look(backend: SQSBackend, queue: Queue, count: int, visibility_timeout: int,
                 names: list[str] | None) -> list[Message]:
            with self._now():
                self._redriving = queue
                try:
                    found = stock(backend, queue.name, count, 0, visibility_timeout, names)
                finally:
                    self._redriving = None
                ids = {copy.id for copy in found}
                originals = {m.id: m for m in queue._messages if m.id in ids}
                for copy in found:
                    message = originals[copy.id]
                    self._note("message.received", queue, message,
                               receive_count=message.approximate_receive_count,
                               visibility_timeout=int(visibility_timeout or 0))
                    self._hide(message, "invisible", int(visibility_timeout or 0))
                return found

        def receive_message(backend: SQSBackend, queue_name: str, count: int,
                            wait_seconds_timeout: int, visibility_timeout: int,
                            message_attribute_names: list[str] | None = None) -> list[Message]:
            queue = backend.get_queue(queue_name)
            latest = self.clock.seconds + wait_seconds_timeout
            while True:
                found = look(backend, queue, count, visibility_timeout, message_attribute_names)
                left = latest - self.clock.seconds
                if found or left <= 0 or not self.clock.wall:
                    return found
                due = self.agenda.due - self.clock.seconds
                queue.wait_for_messages(min(POLL, max(0.0, min(left, due)) / self.clock.speed))

        return receive_message

    def _change_visibility(self, stock: Callable[..., None]) -> Callable[..., None]:
        def change_message_visibility(backend: SQSBackend, queue_name: str, receipt_handle: str,
                                      visibility_timeout: int) -> None:
            with self._now():
                stock(backend, queue_name, receipt_handle, visibility_timeout)
                queue = backend.get_queue(queue_name)
                message = next(m for m in queue._messages if m.had_receipt_handle(receipt_handle))
                self._note("message.visibility_changed", queue, message,
                           visibility_timeout=int(visibility_timeout))
                self._hide(message, "invisible", int(visibility_timeout))
                if not self._hidden(message):
                    queue.pending_messages.discard(message)

        return change_message_visibility

    def _delete_message(self, stock: Callable[..., None]) -> Callable[..., None]:
        def delete_message(queue: Queue, receipt_handle: str) -> None:
            with self._now():
                held = [m for m in queue._messages if m.had_receipt_handle(receipt_handle)]
                stock(queue, receipt_handle)
                for message in held:
                    self._leave("message.deleted", queue, message, reason="deleted")

        return delete_message

    def _emptied(self, stock: Callable[..., None], reason: str) -> Callable[..., None]:
        def emptied(backend: SQSBackend, queue_name: str) -> None:
            with self._now():
                queue = backend.get_queue(queue_name)
                held = list(queue._messages)
                stock(backend, queue_name)
                for message in held:
                    self._leave("message.deleted", queue, message, reason=reason)

        return emptied

    def _set_attributes(self, stock: Callable[..., None]) -> Callable[..., None]:
        def _set_attributes(queue: Queue, attributes: dict[str, Any],
                            now: float | None = None) -> None:
            with self._now():
                stock(queue, attributes, now)
                if "MessageRetentionPeriod" in attributes:
                    for message in queue._messages:
                        self._retain(message)

        return _set_attributes

    # -- what happens to a message -------------------------------------------------------------------

    def _redrive(self, source: Queue, target: Queue, message: Message) -> None:
        """Moved by moto's receive, which has taken it out of ``source`` already."""
        place = self._places[message]
        if sqs_backends[target.account_id][target.region].queues.get(target.name) is not target:
            source._messages.append(message)  # the target was deleted: nothing is to be lost in it
            return
        with target._messages_lock:
            target._messages.append(message)
            target._messages_lock.notify_all()
        source._pending_messages.discard(message)
        place.queue = target
        if target.fifo_queue:  # there a message's age begins anew; in standard queues it doesn't
            message.sent_timestamp, place.enqueued = int(unix_time_millis()), self._at
        self._note("message.redriven", source, message, target=target.queue_arn,
                   receive_count=message.approximate_receive_count)
        self._retain(message)

    def _hide(self, message: Message, hidden: str, seconds: int) -> None:
        """It can't be received for so long. A former hiding counts no longer."""
        place = self._places[message]
        place.hidden = hidden if seconds > 0 else ""
        place.until = until = self._at + seconds
        if place.hidden:
            self.agenda.add(until, lambda due: self._show(message, until, due))

    def _show(self, message: Message, until: float, due: float) -> None:
        place = self._places.get(message)
        if place is None or not place.hidden or place.until != until:
            return
        place.hidden = ""
        place.queue._pending_messages.discard(message)
        self._record("message.visible", place.queue, message, due, "", None,
                     receive_count=message.approximate_receive_count)
        with place.queue._messages_lock:
            place.queue._messages_lock.notify_all()

    def _retain(self, message: Message) -> None:
        place = self._places[message]
        queue, period = place.queue, place.queue.message_retention_period
        self.agenda.add(place.enqueued + period,
                        lambda due: self._expire(message, queue, period, due))

    def _expire(self, message: Message, queue: Queue, period: int, due: float) -> None:
        place = self._places.get(message)
        # It may have gone, or moved; or the period was changed, and is on the agenda once more.
        if place is None or (place.queue, queue.message_retention_period) != (queue, period):
            return
        del self._places[message]
        queue._messages.remove(message)
        queue._pending_messages.discard(message)
        self._record("message.expired", queue, message, due, "", None,
                     receive_count=message.approximate_receive_count)

    def _leave(self, kind: str, queue: Queue, message: Message, **data: Any) -> None:
        del self._places[message]
        self._note(kind, queue, message, receive_count=message.approximate_receive_count, **data)

    def _hidden(self, message: Message) -> str:
        place = self._places.get(message)
        return place.hidden if place is not None else ""

    # -- recording -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _now(self) -> Iterator[None]:
        """Nothing else happens to queues meanwhile, and what has fallen due has happened."""
        with self.clock.lock:
            self.agenda.settle()
            self._at = self.clock.seconds
            yield

    def _note(self, kind: str, queue: Queue, message: Message, **data: Any) -> None:
        self._record(kind, queue, message, self._at, *asking.get()[:2], **data)

    def _record(self, kind: str, queue: Queue, message: Message, at: float, function: str,
                environment: str | None, **data: Any) -> None:
        self.trace.append(at, kind, function, environment, queue=queue.queue_arn,
                          message_id=message.id, **data)
