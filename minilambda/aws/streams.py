"""What happens to records in Kinesis streams, recorded as it happens.

Stands for: putting and reading records, shard by shard. AWS pages: *Amazon Kinesis Data Streams
Terminology and Concepts*, *Reshard a stream*.
Leaves out: a stream's retention period (moto keeps records for ever), enhanced fan-out, DynamoDB's
streams.

The hooks are on moto's streams, so it makes no difference who puts. Two of moto's ways are put right:
on AWS the records of a shard that is split or merged stay in it, and later ones go to open shards;
moto puts the old ones into the new shards, and later ones into closed ones.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from moto.kinesis.models import KinesisBackend, Shard, Stream
from moto.kinesis.utils import decompose_shard_iterator

from ..clock import Clock
from ..trace import Trace
from .current import asking


class Streams:
    """The recorder of one cloud's streams."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self.clock, self.trace = clock, trace

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """Put the hooks on moto's streams, by ``swap(owner, name, value)``."""
        swap(Stream, "put_record", self._put_record(Stream.put_record))
        swap(KinesisBackend, "get_records", self._get_records(KinesisBackend.get_records))
        swap(Stream, "get_shard_for_key", _among_open(Stream.get_shard_for_key))
        swap(Stream, "split_shard", _left_behind(Stream.split_shard))
        swap(Stream, "merge_shards", _left_behind(Stream.merge_shards))

    def _put_record(self, stock: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
        def put_record(stream: Stream, partition_key: str, explicit_hash_key: str,
                       data: str) -> tuple[str, str]:
            with self.clock.lock:  # nobody else looks at the stream meanwhile
                number, shard_id = stock(stream, partition_key, explicit_hash_key, data)
                self._note("record.put", stream, shard_id=shard_id, sequence_number=int(number),
                           partition_key=partition_key, via=asking.get().service)
            return number, shard_id

        return put_record

    def _get_records(self, stock: Callable[..., tuple[str, list[Any], int]]
                     ) -> Callable[..., tuple[str, list[Any], int]]:
        def get_records(backend: KinesisBackend, stream_arn: str | None, shard_iterator: str,
                        limit: int | None) -> tuple[str, list[Any], int]:
            with self.clock.lock:
                found = stock(backend, stream_arn, shard_iterator, limit)
                name, shard_id, after = decompose_shard_iterator(shard_iterator)
                stream = backend.describe_stream(stream_arn=stream_arn, stream_name=name)
                records, behind = found[1], found[2]
                self._note("record.read", stream, shard_id=shard_id, after=int(after),
                           upto=records[-1].sequence_number if records else int(after),
                           count=len(records), behind_ms=behind)
            return found

        return get_records

    def _note(self, kind: str, stream: Stream, **data: Any) -> None:
        function, environment, _ = asking.get()
        self.trace.append(self.clock.seconds, kind, function, environment, stream=stream.arn, **data)


def _among_open(stock: Callable[..., Shard | None]) -> Callable[..., Shard | None]:
    """Which shard a partition key belongs to, closed ones left out of the choice."""

    def get_shard_for_key(stream: Stream, partition_key: str,
                          explicit_hash_key: str) -> Shard | None:
        shards = stream.shards
        stream.shards = {name: shard for name, shard in shards.items() if shard.is_open}
        try:
            return stock(stream, partition_key, explicit_hash_key)
        finally:
            stream.shards = shards

    return get_shard_for_key


def _left_behind(stock: Callable[..., None]) -> Callable[..., None]:
    """Splitting or merging, with the records of the shards that are closed left in them."""

    def reshard(stream: Stream, *arguments: str) -> None:
        with _emptied(list(stream.shards.values())):
            stock(stream, *arguments)

    return reshard


@contextlib.contextmanager
def _emptied(shards: list[Shard]) -> Iterator[None]:
    records = [shard.records for shard in shards]
    for shard in shards:
        shard.records = OrderedDict()
    try:
        yield
    finally:
        for shard, kept in zip(shards, records, strict=True):
            shard.records = kept
