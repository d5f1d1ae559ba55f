"""What a trace says of records in Kinesis streams, as data: puts, reads, and how far behind.

Stands for: the iterators of a stream's consumers, and the metric GetRecords.IteratorAgeMilliseconds.
AWS page: *Monitor the Amazon Kinesis Data Streams Service with Amazon CloudWatch*.
Leaves out: event source mappings, which don't record anything yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..trace import Event, Trace


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many records a reader had yet to read from ``at`` on (seconds since the cloud's start)."""

    at: float
    records: int


@dataclass(slots=True)
class Progress:
    """One reader in one shard: a function's name, "" for the notebook, None if nobody reads."""

    shard_id: str
    reader: str | None
    puts: list[Event] = field(default_factory=list)
    reads: list[Event] = field(default_factory=list)

    @property
    def position(self) -> int | None:
        """The sequence number after which its iterator stands; None before its first read."""
        return self.reads[-1]["upto"] if self.reads else None

    def backlog(self) -> list[Backlog]:
        """One entry an instant at which it changed. Before the first read everything is unread."""
        put: list[int] = []
        after, found = 0, []
        for event in sorted([*self.puts, *self.reads], key=lambda e: (e.at, e.number)):
            if event.kind == "record.put":
                put.append(event["sequence_number"])
            else:
                after = event["upto"]
            left = sum(number > after for number in put) if after else len(put)
            if found and found[-1].at == event.at:
                found.pop()
            if not found or found[-1].records != left:
                found.append(Backlog(event.at, left))
        return found


def arn_of(trace: Trace, stream: str) -> str:
    """The ARN of a stream that the trace speaks of, by its name or ARN.

    Raises:
        ValueError: nothing was put into such a stream or read from it; or several have this name.
    """
    known = list(dict.fromkeys(e["stream"] for e in trace.select("record.put", "record.read")))
    found = [arn for arn in known if stream in (arn, arn.rsplit("/", 1)[-1])]
    if not found:
        others = ", ".join(arn.rsplit("/", 1)[-1] for arn in known)
        raise ValueError(f"no record was put into stream {stream!r} on this cloud yet"
                         + (f"; into these there were: {others}" if others else ""))
    if len(found) > 1:
        raise ValueError(f"several streams are named {stream!r}: give one's ARN, "
                         + " or ".join(found))
    return found[0]


def progress(trace: Trace, stream: str, since: float = 0.0) -> list[Progress]:
    """Every reader of every shard that something happened in, by shard, then by first read.

    Args:
        trace: a cloud's.
        stream: its name or ARN.
        since: only puts and reads at this instant or later (seconds since the cloud's start).

    Raises:
        ValueError: as :func:`arn_of`.
    """
    arn = arn_of(trace, stream)
    events = [e for e in trace.select("record.put", "record.read")
              if e["stream"] == arn and e.at >= since]
    found = []
    for shard in sorted({e["shard_id"] for e in events}):
        here = [e for e in events if e["shard_id"] == shard]
        puts = [e for e in here if e.kind == "record.put"]
        readers = dict.fromkeys(e.function for e in here if e.kind == "record.read") or {None: None}
        found += [Progress(shard, reader, puts, [
            e for e in here if e.kind == "record.read" and e.function == reader])
            for reader in readers]
    return found
