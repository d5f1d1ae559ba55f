"""views.shards: puts, the iterators that march after them, and who is how far behind."""

import boto3
import plotly.io as pio
import pytest

import minilambda
from minilambda import views
from minilambda.trace import Trace
from minilambda.views import streams


@pytest.fixture(scope="module")
def cloud():
    """Two shards: the notebook reads one in two bites; the other is never read."""
    with minilambda.Cloud(durations="modelled", sandbox="inline") as cloud:
        kinesis = cloud.kinesis = boto3.client("kinesis")
        kinesis.create_stream(StreamName="clicks", ShardCount=2)
        for hash_key in (*["0"] * 6, str(2**127)):  # the first shard; the second
            cloud.run(seconds=1)
            kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="any",
                               ExplicitHashKey=hash_key)
        cloud.place = kinesis.get_shard_iterator(
            StreamName="clicks", ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for limit in (4, 1):
            cloud.run(seconds=2)
            cloud.place = kinesis.get_records(ShardIterator=cloud.place, Limit=limit)[
                "NextShardIterator"]
        yield cloud


def words(figure):
    return figure.layout.meta["sentence"]


def drawn(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_backlog_is_what_is_put_less_what_is_read(cloud):
    first, second = streams.progress(cloud.trace, "clicks")
    assert (first.reader, second.reader) == ("", None)
    assert [(b.at, b.records) for b in first.backlog()] == [
        (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (9, 2), (11, 1)]
    assert first.position == 5 and second.position is None
    assert [(b.at, b.records) for b in second.backlog()] == [(7, 1)]


def test_the_picture_and_its_words(cloud):
    figure = views.shards(cloud, "clicks")
    assert words(figure).startswith(
        "Stream clicks: 7 records put into 2 shards. The notebook read 5 records in 2 GetRecords"
        " calls and has 1 left. Nobody has read shard 1.")
    assert list(figure.layout.yaxis.ticktext) == ["shard 0", "shard 1"]
    assert list(drawn(figure, "read, up to record").text) == ["4", "5"]
    assert len(drawn(figure, "put").x) == 7
    rows = [row for row in figure.layout.meta["rows"] if row[1] == "read"]
    assert rows == [["shard 0", "read", "8 s", "1 to 4", "2", "the notebook"],
                    ["shard 0", "read", "10 s", "5 to 5", "1", "the notebook"]]
    assert pio.to_json(figure) == pio.to_json(views.shards(cloud, "clicks"))


def test_a_function_that_reads_too_has_a_row_of_its_own(cloud):
    """As its GetRecords would be recorded; event source mappings will come this way."""
    trace = Trace()
    for event in cloud.trace:
        trace.append(event.at, event.kind, event.function, **event.data)
    arn = cloud.trace.select("record.put")[0]["stream"]
    trace.append(12, "record.read", "totals", stream=arn, shard_id="shardId-000000000000", after=0,
                 upto=6, count=6, behind_ms=0)
    names = [(p.shard_id[-1], p.reader) for p in streams.progress(trace, "clicks")]
    assert names == [("0", ""), ("0", "totals"), ("1", None)]


def test_an_empty_shard_is_drawn_and_a_closed_one_is_named(cloud):
    cloud.kinesis.create_stream(StreamName="idle", ShardCount=2)
    cloud.kinesis.put_record(StreamName="idle", Data=b"x", PartitionKey="any", ExplicitHashKey="0")
    assert list(views.shards(cloud, "idle").layout.yaxis.ticktext) == ["shard 0", "shard 1"]
    cloud.kinesis.split_shard(StreamName="idle", ShardToSplit="shardId-000000000000",
                              NewStartingHashKey=str(2**126))
    figure = views.shards(cloud, "idle")
    assert len(figure.layout.yaxis.ticktext) == 4
    assert "Closed by splitting or merging: 0." in words(figure)


def test_a_deleted_streams_story_can_still_be_told(cloud):
    cloud.kinesis.create_stream(StreamName="gone", ShardCount=1)
    cloud.kinesis.put_record(StreamName="gone", Data=b"x", PartitionKey="any")
    cloud.kinesis.delete_stream(StreamName="gone")
    assert "1 record put into 1 shard" in words(views.shards(cloud, "gone"))


def test_a_stream_without_records_is_an_error_in_words(cloud):
    with pytest.raises(ValueError, match="stream 'nope' on this cloud yet; into these.*clicks"):
        views.shards(cloud, "nope")
