"""Trials of what an event source mapping may be told. Each is made disabled, and deleted again.

AWS pages: *CreateEventSourceMapping*; *Using Lambda with Amazon SQS*; *Processing Kinesis Data Streams
records with Lambda*; *Control which events Lambda sends to your function*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .bench import Bench, Edge, NotHere, attempt, kinds

_SETTLED = 1  # minute, after which nothing is going on with a mapping any more
_STREAM = {"StartingPosition": "LATEST"}


def sqs_batch(bench: Bench) -> Iterator[Edge]:
    limits = bench.limits
    most, window = limits.sqs_batch_max, limits.sqs_window_max
    # More than ten messages need a window.
    wait = {"MaximumBatchingWindowInSeconds": 1} if window else {}
    yield _range(bench, "standard queue", queue(bench), "BatchSize", most, 1, " messages", **wait)
    yield _range(bench, "FIFO queue", fifo(bench), "BatchSize", limits.sqs_batch_max_fifo, 1,
                 " messages")
    yield _range(bench, "window", queue(bench), "MaximumBatchingWindowInSeconds", window, 1, " s")


def sqs_scaling(bench: Bench) -> Iterator[Edge | NotHere]:
    low, high = bench.limits.sqs_concurrency_min, bench.limits.sqs_concurrency_max

    def most(value: int) -> Callable[[], None]:
        return mapping(bench, queue(bench), ScalingConfig={"MaximumConcurrency": value})

    if high:
        yield bench.edge("maximum concurrency", f"{high:,}", most(high), f"{high + 1:,}",
                         most(high + 1))
        yield bench.edge("maximum concurrency, least", f"{low}", most(low), f"{low - 1}",
                         most(low - 1))
    else:
        yield bench.edge("maximum concurrency", "none set", mapping(bench, queue(bench)), "2",
                         most(2))
    read = attempt("", mapping(bench, queue(bench), Enabled=True))
    yield NotHere("pollers", "this runtime doesn't read queues yet"
                  if "NotImplemented" in read.said else "their number grows with a queue's load")


def sqs_partial(bench: Bench) -> Iterator[Edge]:
    yield _switch(bench, queue(bench), bench.limits.sqs_partial_failures)


def parallelization(bench: Bench) -> Iterator[Edge]:
    yield _range(bench, "", stream(bench), "ParallelizationFactor",
                 bench.limits.stream_parallelization_max, 1, " batches")


def stream_options(bench: Bench) -> Iterator[Edge]:
    source = stream(bench)
    bisect = mapping(bench, source, BisectBatchOnFunctionError=True, MaximumRetryAttempts=3,
                     MaximumRecordAgeInSeconds=60, **_STREAM)
    yield bench.edge("retries, age, bisect", "set", bisect, "not a mapping's: SQS",
                     mapping(bench, queue(bench), BisectBatchOnFunctionError=True))
    yield _switch(bench, source, bench.limits.stream_partial_failures)


def stream_batch(bench: Bench) -> Iterator[Edge]:
    limits, records = bench.limits, " records"
    yield _range(bench, "Kinesis", stream(bench), "BatchSize", limits.kinesis_batch_max, 1, records)
    yield _range(bench, "DynamoDB", table(bench), "BatchSize", limits.dynamodb_batch_max, 1,
                 records)
    yield _range(bench, "window", stream(bench), "MaximumBatchingWindowInSeconds",
                 limits.stream_window_max, 1, " s")


def stream_age(bench: Bench) -> Iterator[Edge]:
    limits, source = bench.limits, stream(bench)
    yield _range(bench, "age, most", source, "MaximumRecordAgeInSeconds", limits.stream_age_max, 1,
                 " s")
    yield _range(bench, "age, least", source, "MaximumRecordAgeInSeconds", limits.stream_age_min,
                 -1, " s")
    yield _range(bench, "retries", source, "MaximumRetryAttempts", limits.stream_retries_max, 1, "")


def stream_destinations(bench: Bench) -> Iterator[Edge]:
    allowed = bench.limits.stream_destinations
    place = f"{bench.cloud.region}:{bench.cloud.account_id}"
    arns = {"sqs": f"arn:aws:sqs:{place}:edges-failed", "sns": f"arn:aws:sns:{place}:edges-failed",
            "s3": "arn:aws:s3:::edges-failed",
            "kinesis": f"arn:aws:kinesis:{place}:stream/edges-failed"}
    other = next(service for service in ("s3", "kinesis") if service not in allowed)

    def report(service: str) -> Callable[[], None]:
        return mapping(bench, stream(bench), **_STREAM, DestinationConfig={
            "OnFailure": {"Destination": arns[service]}})

    def every() -> None:
        for service in allowed:
            report(service)()

    yield bench.edge("", kinds(allowed), every, other, report(other))


def filters(bench: Bench) -> Iterator[Edge]:
    most = bench.limits.event_filters

    def some(count: int) -> Callable[[], None]:
        return mapping(bench, queue(bench), FilterCriteria={
            "Filters": [{"Pattern": '{"body": ["a"]}'}] * count})

    yield bench.edge("", f"{most}", some(most), f"{most + 1}", some(most + 1))


def tumbling(bench: Bench) -> Iterator[Edge]:
    yield _range(bench, "", stream(bench), "TumblingWindowInSeconds",
                 bench.limits.stream_tumbling_max, 1, " s")


# -- sources, each made for the first who asks -----------------------------------------------------

def queue(bench: Bench) -> str:
    return bench.once("queue", lambda: _queue(bench, "edges", {}))


def fifo(bench: Bench) -> str:
    return bench.once("fifo", lambda: _queue(bench, "edges.fifo", {"FifoQueue": "true"}))


def _queue(bench: Bench, name: str, attributes: dict[str, str]) -> str:
    sqs = bench.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    bench.afterwards(sqs.delete_queue, QueueUrl=url)
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def stream(bench: Bench) -> str:
    def make() -> str:
        kinesis = bench.client("kinesis")
        kinesis.create_stream(StreamName="edges", ShardCount=1)
        bench.afterwards(kinesis.delete_stream, StreamName="edges")
        return kinesis.describe_stream(StreamName="edges")["StreamDescription"]["StreamARN"]
    return bench.once("stream", make)


def table(bench: Bench) -> str:
    def make() -> str:
        dynamodb = bench.client("dynamodb")
        made = dynamodb.create_table(
            TableName="edges", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        bench.afterwards(dynamodb.delete_table, TableName="edges")
        return made["TableDescription"]["LatestStreamArn"]
    return bench.once("table", make)


def mapping(bench: Bench, source: str, **options: Any) -> Callable[[], None]:
    """Makes a mapping, and deletes it."""
    name = bench.function("plain")

    def make() -> None:
        made = bench.lam.create_event_source_mapping(
            **{"FunctionName": name, "EventSourceArn": source, "Enabled": False} | options)
        bench.cloud.run(minutes=_SETTLED)
        bench.lam.delete_event_source_mapping(UUID=made["UUID"])
        bench.cloud.run(minutes=_SETTLED)
    return make


def _range(bench: Bench, part: str, source: str, option: str, inside: int, step: int, unit: str,
           **options: Any) -> Edge:
    position = {} if ":sqs:" in source else _STREAM

    def at(value: int) -> Callable[[], None]:
        return mapping(bench, source, **{option: value}, **position, **options)
    return bench.edge(part, f"{inside:,}{unit}", at(inside), f"{inside + step:,}{unit}",
                      at(inside + step))


def _switch(bench: Bench, source: str, there: bool) -> Edge:
    """An option that the profile has, or hasn't yet."""
    position = {} if ":sqs:" in source else _STREAM
    partial = mapping(bench, source, FunctionResponseTypes=["ReportBatchItemFailures"], **position)
    part = "partial failures"
    if there:
        return Edge(part, attempt("ReportBatchItemFailures", partial), attempt(
            "another type", mapping(bench, source, FunctionResponseTypes=["Other"], **position)))
    return Edge(part, attempt("none", mapping(bench, source, **position)),
                attempt("ReportBatchItemFailures", partial))


TRIALS = {
    "SQS batch": sqs_batch,
    "SQS scaling (standard queue)": sqs_scaling,
    "SQS partial failure": sqs_partial,
    "Stream parallelization": parallelization,
    "Stream retries, age, bisect": stream_options,
    "Stream batch": stream_batch,
    "Stream record age and retries, when set": stream_age,
    "Where failed stream batches are reported": stream_destinations,
    "Filters of an event source mapping": filters,
    "Tumbling window of a stream": tumbling,
}
