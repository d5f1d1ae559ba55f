"""Trials of what becomes of events: how often they are tried, how long kept, where records go.

AWS pages: *How Lambda handles errors and retries with asynchronous invocation*; *Configuring error
handling settings for Lambda asynchronous invocations*; *Capturing records of Lambda asynchronous
invocations*.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...modelled import FunctionModel
from ...trace import Event
from .bench import Bench, Edge, Past, kinds

_FAILS = """
def handler(event, context):
    raise ValueError("no")
"""
_SLOW = 800  # seconds that an event keeps the one place there is
# A destination of each kind of service that might be one.
_ARNS = {
    "sqs": "arn:aws:sqs:{place}:edges-records",
    "sns": "arn:aws:sns:{place}:edges-records",
    "lambda": "arn:aws:lambda:{place}:function:edges-records",
    "events": "arn:aws:events:{place}:event-bus/default",
    "s3": "arn:aws:s3:::edges-records",
    "kinesis": "arn:aws:kinesis:{place}:stream/edges-records",
}


def tries(bench: Bench) -> Iterator[Edge]:
    limits, name = bench.limits, bench.function("fails", _FAILS)
    trace = bench.cloud.trace
    before = len(trace.select("invoke.started", function=name))
    seen: list[float] = []

    def send() -> str:
        start = bench.cloud.seconds
        bench.lam.invoke(FunctionName=name, InvocationType="Event")
        bench.cloud.run(hours=7)
        seen.extend(event.at - start
                    for event in trace.select("invoke.started", function=name)[before:])
        waits = [b - a for a, b in zip(seen, seen[1:], strict=False)]
        return f"{len(seen)} tries, {' then '.join(f'{wait:.0f} s' for wait in waits)} between"

    def fourth() -> str:
        if len(seen) > limits.async_tries:
            return f"tried at {seen[limits.async_tries]:.0f} s"
        ended = trace.select("async.ended", function=name)[-1]
        raise Past(f"never came: the event was dropped ({ended['condition']})")

    yield bench.edge("a failing function", f"try {limits.async_tries}", send,
                     f"try {limits.async_tries + 1}", fourth)
    yield _range(bench, "retries, set", "MaximumRetryAttempts", limits.async_retries_max, 1, "")


def age(bench: Bench) -> Iterator[Edge]:
    limits = bench.limits
    yield _range(bench, "most", "MaximumEventAgeInSeconds", limits.async_age_max, 1, " s")
    yield _range(bench, "least", "MaximumEventAgeInSeconds", limits.async_age_min, -1, " s")
    yield _waiting(bench)


def _waiting(bench: Bench) -> Edge:
    """More events at once than a function with one place can serve before they are too old."""
    oldest, trace = bench.limits.async_age_max, bench.cloud.trace
    name = bench.function("slow", Timeout=900)
    bench.cloud.model(name, FunctionModel(duration=_SLOW))
    bench.lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    ended: list[str] = []

    start = bench.cloud.seconds

    def happened(kind: str) -> list[Event]:
        return [event for event in trace.select(kind, function=name) if event.at >= start]

    def send() -> str:
        for _ in range(oldest // _SLOW + 2):
            bench.lam.invoke(FunctionName=name, InvocationType="Event")
        bench.cloud.run(hours=8)
        ended.extend(event["condition"] for event in happened("async.ended"))
        served = {event["request_id"] for event in happened("invoke.ended")}
        longest = max(event["age_ms"] for event in happened("async.taken")
                      if event["request_id"] in served) / 1000
        return f"{len(served)} served, the last after {longest:,.0f} s in the queue"

    def too_old() -> str:
        dropped = [condition for condition in ended if condition != "Success"]
        if dropped:
            raise Past(f"{len(dropped)} dropped ({dropped[0]})")
        return "served"

    tried = bench.edge("many events for one place", f"to {oldest:,} s", send, "older", too_old)
    bench.lam.delete_function_concurrency(FunctionName=name)
    return tried


def destinations(bench: Bench) -> Iterator[Edge]:
    allowed, name = bench.limits.destinations, bench.function("plain")
    bench.function("records")
    other = next(service for service in ("s3", "kinesis") if service not in allowed)
    place = f"{bench.cloud.region}:{bench.cloud.account_id}"

    def put(*services: str):
        def call() -> None:
            for service in services:
                bench.lam.put_function_event_invoke_config(
                    FunctionName=name, DestinationConfig={"OnFailure": {
                        "Destination": _ARNS[service].format(place=place)}})
        return call

    yield bench.edge("", kinds(allowed), put(*allowed), other, put(other))


def _range(bench: Bench, part: str, setting: str, inside: int, step: int, unit: str) -> Edge:
    def put(value: int):
        return lambda: bench.lam.put_function_event_invoke_config(
            FunctionName=bench.function("plain"), **{setting: value}) and None
    return bench.edge(part, f"{inside:,}{unit}", put(inside), f"{inside + step:,}{unit}",
                      put(inside + step))


TRIALS = {
    "Asynchronous: tries and waits": tries,
    "Asynchronous: throttles and 5xx": age,
    "Asynchronous: where results go": destinations,
}
