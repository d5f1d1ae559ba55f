"""Trials of what may be sent to a function, and what comes back from it.

AWS pages: *Lambda quotas*; *Invoke*; *SendMessage* (Amazon SQS).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from .bench import Bench, Edge, NotHere, Past

_MEASURES = """
def handler(event, context):
    return f"received {len(event):,} characters"
"""
_ANSWERS = """
def handler(event, context):
    return "x" * event
"""
_PRINTS = """
def handler(event, context):
    print("x" * event)
"""
_HEADROOM = 100  # bytes by which AWS's limit on a response is above the 6 MB


def synchronous(bench: Bench) -> Iterator[Edge | NotHere]:
    most = bench.limits.payload_sync
    name, answers = bench.function("measures", _MEASURES), bench.function("answers", _ANSWERS,
                                                                          MemorySize=512)

    def answer(size: int) -> str:
        result = bench.invoke(answers, b"%d" % (size - 2))  # JSON's quotes
        return f"answered {len(result):,} characters"

    yield bench.edge("request", f"{most:,} bytes", lambda: bench.invoke(name, text(most)),
                     f"{most + 1:,} bytes", lambda: bench.invoke(name, text(most + 1)))
    last = most + _HEADROOM
    yield bench.edge("response", f"{last:,} bytes", lambda: answer(last), f"{last + 1:,} bytes",
                     lambda: answer(last + 1))
    if bench.limits.payload_streamed:
        yield NotHere("streamed", "response streaming isn't part of this runtime")


def asynchronous(bench: Bench) -> Iterator[Edge]:
    most, name = bench.limits.payload_async, bench.function("measures", _MEASURES)

    def send(size: int) -> str:
        reply = bench.lam.invoke(FunctionName=name, InvocationType="Event", Payload=text(size))
        bench.cloud.run(minutes=1)
        return f"accepted: {reply['StatusCode']}"

    yield bench.edge("", f"{most:,} bytes", lambda: send(most), f"{most + 1:,} bytes",
                     lambda: send(most + 1))


def message(bench: Bench) -> Iterator[Edge]:
    sqs, most = bench.client("sqs"), bench.limits.sqs_message
    url = sqs.create_queue(QueueName="edges-messages")["QueueUrl"]
    bench.afterwards(sqs.delete_queue, QueueUrl=url)

    def send(size: int) -> None:
        sqs.send_message(QueueUrl=url, MessageBody="x" * size)

    yield bench.edge("", f"{most:,} bytes", lambda: send(most), f"{most + 1:,} bytes",
                     lambda: send(most + 1))


def log_tail(bench: Bench) -> Iterator[Edge]:
    most, name = bench.limits.log_tail, bench.function("prints", _PRINTS)

    def tail(characters: int) -> bytes:
        reply = bench.lam.invoke(FunctionName=name, LogType="Tail", Payload=b"%d" % characters)
        return base64.b64decode(reply["LogResult"])

    def whole(size: int) -> str:
        found = tail(size - around)
        if not found.startswith(b"START"):
            raise Past(f"{len(found):,} bytes came: the log's beginning is missing")
        return f"{len(found):,} bytes came, from START to REPORT"

    tail(1)  # a cold start's REPORT is longer
    around = len(tail(1)) - 1
    yield bench.edge("", f"a log of {most:,} bytes", lambda: whole(most),
                     f"a log of {most + 1:,} bytes", lambda: whole(most + 1))


def text(size: int) -> bytes:
    """A JSON string of so many bytes."""
    return b'"' + b"x" * (size - 2) + b'"'


TRIALS = {
    "Payload, synchronous (request and response each)": synchronous,
    "Payload, asynchronous": asynchronous,
    "SQS message": message,
    "Log tail of an invocation": log_tail,
}
