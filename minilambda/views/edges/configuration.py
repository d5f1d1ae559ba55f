"""Trials of what a function's configuration may be.

AWS pages: *Lambda quotas*; *Configure ephemeral storage for Lambda functions*; *Lambda execution
environment*; *Using tags on Lambda functions*; *PublishLayerVersion*.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from .bench import Bench, Edge, Past, archive, each

# Asks for the whole of /tmp, then for what the event says beyond it.
_FILLS = """
import os

def handler(event, context):
    with open("/tmp/block", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, event["megabytes"] << 20)
        try:
            if event["more"]:
                os.posix_fallocate(file.fileno(), event["megabytes"] << 20, event["more"])
        except OSError as error:
            return type(error).__name__
        return "written"
"""
_BUCKET_NAME = 150  # characters: an ARN may be 200 long
_SLEEPS = """
import os
from time import sleep

sleep(float(os.environ["SECONDS"]))

def handler(event, context):
    return "answered"
"""


def memory(bench: Bench) -> Iterator[Edge]:
    low, high, step = (getattr(bench.limits, f"memory_{name}") for name in ("min", "max", "step"))
    yield _range(bench, "most", "MemorySize", high, high + step, "MB")
    yield _range(bench, "least", "MemorySize", low, low - step, "MB")
    if step > 1:
        yield _range(bench, "steps", "MemorySize", low + step, low + step + 1, "MB")


def timeout(bench: Bench) -> Iterator[Edge]:
    low, high = bench.limits.timeout_min, bench.limits.timeout_max
    yield _range(bench, "most", "Timeout", high, high + 1, "s")
    yield _range(bench, "least", "Timeout", low, low - 1, "s")


def init(bench: Bench) -> Iterator[Edge]:
    """A module that sleeps on import. The runtime's own start takes a part of the ten seconds."""
    most = bench.limits.init_timeout
    name = bench.function("init", _SLEEPS, Timeout=60,
                          Environment={"Variables": {"SECONDS": "0"}})

    def sleep(seconds: float) -> str:
        bench.lam.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"SECONDS": str(seconds)}})
        reply = bench.lam.invoke(FunctionName=name, LogType="Tail")
        log = base64.b64decode(reply["LogResult"]).decode()
        for line in log.splitlines():
            if line.startswith("INIT_REPORT"):
                raise Past(line.strip().replace("\t", " "))
        return "answered"

    yield bench.edge("", f"{most - 0.2:g} s of import", lambda: sleep(most - 0.2),
                     f"{most} s of import", lambda: sleep(most))


def tmp(bench: Bench) -> Iterator[Edge]:
    limits = bench.limits

    def size(megabytes: int):
        return bench.setting(EphemeralStorage={"Size": megabytes})

    yield bench.edge("most", f"{limits.tmp_max:,} MB", size(limits.tmp_max),
                     f"{limits.tmp_max + 1:,} MB", size(limits.tmp_max + 1))
    yield bench.edge("least", f"{limits.tmp_min:,} MB", size(limits.tmp_min),
                     f"{limits.tmp_min - 1:,} MB", size(limits.tmp_min - 1))
    name, whole = bench.function("fill", _FILLS), limits.tmp_default

    def fill(more: int) -> str:
        said = bench.invoke(name, b'{"megabytes": %d, "more": %d}' % (whole, more))
        if said != "written":
            raise Past(f"{said}, in the function")
        return said

    yield bench.edge("a file", f"{whole} MB", lambda: fill(0), f"{whole} MB and a byte",
                     lambda: fill(1))


def environment(bench: Bench) -> Iterator[Edge]:
    """AWS measures the variables as one JSON object."""
    most = bench.limits.env_bytes
    around = len('{"TEXT":""}')

    def text(size: int):
        return bench.setting(Environment={"Variables": {"TEXT": "x" * (size - around)}})

    yield bench.edge("", f"{most:,} bytes", text(most), f"{most + 1:,} bytes", text(most + 1))


def layers(bench: Bench) -> Iterator[Edge]:
    most = bench.limits.layers
    arns = []
    for number in range(most + 1):
        name = f"edges-{number}"
        made = bench.lam.publish_layer_version(
            LayerName=name, Content={"ZipFile": archive({f"{number}.txt": "a layer"})})
        arns.append(made["LayerVersionArn"])
        bench.afterwards(bench.lam.delete_layer_version, LayerName=name,
                         VersionNumber=made["Version"])
    yield bench.edge("", f"{most} layers", bench.setting(Layers=arns[:most]),
                     f"{most + 1} layers", bench.setting(Layers=arns))
    bench.setting(Layers=[])()


def layer_runtimes(bench: Bench) -> Iterator[Edge]:
    most = bench.limits.layer_runtimes
    known = bench.lam.meta.service_model.shape_for("Runtime").enum

    def publish(count: int):
        def call() -> None:
            made = bench.lam.publish_layer_version(
                LayerName="edges-runtimes", CompatibleRuntimes=known[:count],
                Content={"ZipFile": archive({"a.txt": "a layer"})})
            bench.afterwards(bench.lam.delete_layer_version, LayerName="edges-runtimes",
                             VersionNumber=made["Version"])
        return call

    yield bench.edge("", f"{most} runtimes", publish(most), f"{most + 1} runtimes",
                     publish(most + 1))


def policy(bench: Bench) -> Iterator[Edge]:
    """Statements whose source ARNs have the lengths that fill the policy to the byte."""
    most, name = bench.limits.function_policy, bench.function("policy")

    def allow(number: int, length: int) -> int:
        bench.lam.add_permission(
            FunctionName=name, StatementId=f"bucket-{number:03}", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + "b" * length)
        return len(bench.lam.get_policy(FunctionName=name)["Policy"])

    first, second = allow(0, 1), allow(1, 1)
    around = second - first - 1  # of a statement: what isn't its bucket's name
    left = most - second
    count = -(-left // (around + _BUCKET_NAME))
    names, longer = divmod(left - count * around, count)
    for number in range(2, count + 1):
        allow(number, names + (number - 2 < longer))

    def fill(more: int):
        def call() -> str:
            if more:
                bench.lam.remove_permission(FunctionName=name, StatementId="bucket-999")
            size = allow(999, names + more)
            return f"accepted: {count + 2} statements of {size:,} bytes"
        return call

    yield bench.edge("", f"{most:,} bytes", fill(0), f"{most + 1:,} bytes", fill(1))


def tags(bench: Bench) -> Iterator[Edge]:
    most, arn = bench.limits.tags, bench.arn(bench.function("plain"))

    def tag(count: int):
        return lambda: bench.lam.tag_resource(
            Resource=arn, Tags={f"tag{number}": "" for number in range(count)}) and None

    yield bench.edge("", f"{most} tags", tag(most), f"{most + 1} tags", tag(most + 1))


def _range(bench: Bench, part: str, setting: str, inside: int, past: int, unit: str) -> Edge:
    return bench.edge(part, f"{each(inside)} {unit}", bench.setting(**{setting: inside}),
                      f"{each(past)} {unit}", bench.setting(**{setting: past}))


TRIALS = {
    "Memory": memory,
    "Timeout": timeout,
    "Init phase": init,
    "/tmp": tmp,
    "Environment variables": environment,
    "Layers of a function": layers,
    "Compatible runtimes a layer names": layer_runtimes,
    "Policy of a function": policy,
    "Tags of a function": tags,
}
