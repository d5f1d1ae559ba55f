"""What the trace says of a stream's records is what boto3 puts and reads."""

import boto3
import pytest


@pytest.fixture
def kinesis(cloud):
    client = boto3.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=2)
    return client


def shard_of(kinesis, number):
    return kinesis.list_shards(StreamName="clicks")["Shards"][number]["ShardId"]


def iterator(kinesis, shard, kind="TRIM_HORIZON"):
    return kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard,
                                      ShardIteratorType=kind)["ShardIterator"]


def test_what_is_put_and_read_is_recorded(cloud, kinesis):
    put = [kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="one")
           for _ in range(3)]
    shard = put[0]["ShardId"]
    first = kinesis.get_records(ShardIterator=iterator(kinesis, shard), Limit=2)
    cloud.runtime.clock.run(1.5)
    kinesis.put_records(StreamName="clicks", Records=[{"Data": b"y", "PartitionKey": "one"}])
    rest = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    kinesis.get_records(ShardIterator=rest["NextShardIterator"])
    trace = cloud.runtime.trace
    puts, reads = trace.select("record.put"), trace.select("record.read")
    assert [(e.at, e["shard_id"], e["sequence_number"]) for e in puts] == [
        (0, shard, 1), (0, shard, 2), (0, shard, 3), (1.5, shard, 4)]
    assert [str(e["sequence_number"]) for e in puts[:3]] == [p["SequenceNumber"] for p in put]
    assert [(e.at, e["after"], e["upto"], e["count"]) for e in reads] == [
        (0, 0, 2, 2), (1.5, 2, 4, 2), (1.5, 4, 4, 0)]
    assert [e["behind_ms"] for e in reads] == [first["MillisBehindLatest"],
                                               rest["MillisBehindLatest"], 0]


def test_a_split_or_merged_shard_keeps_its_records(cloud, kinesis):
    shard = kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="one")["ShardId"]
    kinesis.update_shard_count(StreamName="clicks", TargetShardCount=4,
                               ScalingType="UNIFORM_SCALING")
    assert len(kinesis.get_records(ShardIterator=iterator(kinesis, shard))["Records"]) == 1
    child = kinesis.put_record(StreamName="clicks", Data=b"y", PartitionKey="one")["ShardId"]
    assert child != shard
    kinesis.update_shard_count(StreamName="clicks", TargetShardCount=1,
                               ScalingType="UNIFORM_SCALING")
    assert len(kinesis.get_records(ShardIterator=iterator(kinesis, child))["Records"]) == 1
    assert len(cloud.runtime.trace.select("record.put")) == 2
