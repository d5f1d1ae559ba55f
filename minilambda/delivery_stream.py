"""A delivery stream whose records a function transforms on their way to S3.

Stands for: *Transform source data in Amazon Data Firehose* (the service was Kinesis Data Firehose in
2020): the event, the three results, *Handle failure in data transformation*; *Configure buffering
hints*.
Leaves out: Kinesis as the source, other destinations than S3, source record backup, compression.

Records wait in a buffer until it is full or its time is up; then the function gets them all at once.
What it gives back waits in a second buffer, and goes to S3. Both times are the cloud's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from .callers import Cloud
from .errors import LambdaError
from .frontend import StillRunning
from .strands import Strands

PATIENCE = 300.0  # seconds that an invocation may take
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """``arrived``: seconds since 1970."""

    id: str
    arrived: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Hints:
    """How long a buffer waits: until it holds so many bytes, or for so many seconds."""

    size: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    arn: str
    region: str
    function: str
    processing: Hints
    delivery: Hints
    retries: int = 3


@dataclass(slots=True, eq=False)
class _Buffer:
    full: simpy.Event
    items: list[Any] = field(default_factory=list)
    size: int = 0


class DeliveryStream:
    """``deliver(data, failed)`` puts an object into S3, where what failed has a place of its own."""

    def __init__(self, cloud: Cloud, strands: Strands, settings: Settings,
                 deliver: Callable[[bytes, bool], None]) -> None:
        self.cloud, self.strands, self.settings = cloud, strands, settings
        self._deliver = deliver
        self._buffers: dict[str, _Buffer] = {}

    def put(self, data: list[bytes]) -> None:
        """Records have come in."""
        clock = self.cloud.clock
        with clock.lock:
            for item in data:
                record = Record(f"{clock.random.randrange(10 ** 55, 10 ** 56)}000000",
                                clock.timestamp(), item)
                self._add("processing", record, len(item), self.settings.processing,
                          self._transform)

    def _add(self, name: str, item: Any, size: int, hints: Hints,
             emptied: Callable[[list[Any]], None]) -> None:
        """To the buffer of that name. One that would get too full goes first."""
        buffer = self._buffers.get(name)
        if buffer is not None and buffer.size + size > hints.size:
            self._close(name)
            buffer = None
        if buffer is None:
            buffer = self._buffers[name] = _Buffer(self.cloud.clock.event())
            self.strands.begin(self._wait, name, buffer, hints, emptied)
        buffer.items.append(item)
        buffer.size += size
        if buffer.size >= hints.size:
            self._close(name)

    def _close(self, name: str) -> None:
        self.cloud.clock.succeed(self._buffers.pop(name).full)

    def _wait(self, name: str, buffer: _Buffer, hints: Hints,
              emptied: Callable[[list[Any]], None]) -> None:
        self.strands.wait_at_most(buffer.full, hints.seconds)
        with self.cloud.clock.lock:
            if self._buffers.get(name) is buffer:
                del self._buffers[name]
        emptied(buffer.items)

    # -- with the function ---------------------------------------------------------------------------

    def _transform(self, records: list[Record]) -> None:
        event = {"invocationId": self.cloud.clock.uuid(), "deliveryStreamArn": self.settings.arn,
                 "region": self.settings.region, "records": [
                     {"recordId": record.id,
                      "approximateArrivalTimestamp": round(record.arrived * 1000),
                      "data": base64.b64encode(record.data).decode()} for record in records]}
        answers, attempts, problem = self._invoke(json.dumps(event).encode())
        failed: list[tuple[Record, tuple[str, str]]] = []
        for record in records:
            why, data = problem, b""
            if why is None:
                why, data = _read(answers, record.id)
            if why is not None:
                failed.append((record, why))
            elif data is not None:
                with self.cloud.clock.lock:
                    self._add("delivery", data, len(data), self.settings.delivery,
                              lambda items: self._deliver(b"".join(items), False))
        if failed:
            self._deliver("".join(self._failure(record, why, attempts) + "\n"
                                  for record, why in failed).encode(), True)

    def _invoke(self, event: bytes) -> tuple[Mapping[str, Any], int, tuple[str, str] | None]:
        """The function's answers by record id, how often it was asked, and what is wrong if
        something is. It is asked again only if it couldn't be invoked."""
        problem = "", ""
        for attempt in range(1, self.settings.retries + 2):
            if attempt > 1:  # how long AWS waits isn't documented
                self.strands.sleep(2.0 ** (attempt - 2))
            try:
                target = self.cloud.registry.target(
                    self.cloud.account_id, self.settings.region, self.settings.function)
                outcome = self.cloud.frontend.invoke(target, event, patience=PATIENCE,
                                                     wait=self.strands.wait)
            except StillRunning:
                problem = "Lambda.InvokeTimedOut", "The Lambda function did not return in time."
                continue
            except LambdaError as error:
                if error.status != 429:
                    return {}, attempt, (f"Lambda.{error.code}", error.message)
                problem = "Lambda.InvokeLimitExceeded", error.message
                continue
            if outcome.failed:
                return {}, attempt, ("Lambda.FunctionError", "The Lambda function was successfully "
                                     "invoked but it returned an error result.")
            try:
                found = json.loads(outcome.payload)["records"]
                answers = {item["recordId"]: item for item in found}
                problem = None if len(answers) == len(found) else (
                    "Lambda.DuplicatedRecordId", "Multiple records were returned with the same "
                    "record ID. Ensure that the Lambda function returns unique record IDs for each "
                    "record.")
                return answers, attempt, problem
            except (ValueError, KeyError, TypeError):
                return {}, attempt, ("Lambda.JsonProcessingException",
                                     "The Lambda function returned no records.")
        return {}, attempt, problem

    def _failure(self, record: Record, why: tuple[str, str], attempts: int) -> str:
        """A failed record as it is found in S3; AWS's page has the members."""
        return json.dumps({
            "attemptsMade": attempts, "arrivalTimestamp": round(record.arrived * 1000),
            "errorCode": why[0], "errorMessage": why[1],
            "attemptEndingTimestamp": round(self.cloud.clock.timestamp() * 1000),
            "rawData": base64.b64encode(record.data).decode(),
            "lambdaArn": self.settings.function}, separators=(",", ":"))


def _read(answers: Mapping[str, Any], record_id: str
          ) -> tuple[tuple[str, str] | None, bytes | None]:
    """What is wrong with a record's answer; and its data, None if it is dropped."""
    answer = answers.get(record_id)
    if answer is None:
        return ("Lambda.MissingRecordId", "One or more record Ids were not returned. Ensure that the "
                "Lambda function returns all received record Ids."), None
    result = answer.get("result")
    if result == "Dropped":
        return None, None
    if result == "ProcessingFailed":
        return ("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"), None
    if result != "Ok":
        return ("Lambda.JsonProcessingException", f"{result!r} is no result"), None
    try:
        return None, base64.b64decode(answer["data"], validate=True)
    except (KeyError, ValueError, TypeError):
        return ("Lambda.JsonProcessingException", "the record's data isn't base64"), None
