"""Trials of how many executions there may be at once, how fast there may be more, and of loops.

AWS pages: *Lambda quotas*; *Lambda scaling behavior*; *Configuring reserved concurrency for a
function*; *Use Lambda recursive loop detection to prevent infinite loops*.

A thousand executions at once are modelled functions: the service's rules are in question here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...modelled import FunctionModel
from ...simulation import Tally
from .bench import Bench, Edge, Past, attempt

_LONG = 300.0  # seconds: longer than it takes to scale up to the account's limit
_SHORT = 1e-6  # seconds: nothing comes back to a rate in a few of these
_CALLS_ITSELF = """
import json
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

lam = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))

def handler(left, context):
    if left == 1:
        return
    try:
        lam.invoke(FunctionName=context.function_name, InvocationType="Event",
                   Payload=json.dumps(left - 1))
    except ClientError as error:
        print(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}")
"""
_ENDLESS = 24  # invocations, where nothing would stop them


def concurrency(bench: Bench) -> Iterator[Edge]:
    most, limits = bench.limits.concurrency, bench.limits
    name = bench.function("busy", Timeout=900)
    bench.cloud.model(name, FunctionModel(duration=_LONG))
    instants, at, wave = [], 0.0, _burst(bench)
    while len(instants) < most:  # as fast as the scaling rate lets them
        instants += [at] * min(wave, most - len(instants))
        at, wave = at + limits.scaling_seconds + 1, limits.scaling_step

    def run(more: int) -> str:
        bench.rest()
        return _served(bench.cloud.simulate(name, instants=[*instants, *[at] * more], every=0))

    yield bench.edge("", f"{most:,} at once", lambda: run(0), f"{most + 1:,} at once",
                     lambda: run(1))
    bench.rest()


def unreserved(bench: Bench) -> Iterator[Edge]:
    name, least = bench.function("reserved"), bench.limits.unreserved_min
    free = bench.lam.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]

    def reserve(places: int):
        return lambda: bench.lam.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=places) and None

    yield bench.edge("", f"{free - least:,} reserved, {least} left", reserve(free - least),
                     f"{free - least + 1:,} reserved, {least - 1} left", reserve(free - least + 1))
    bench.lam.delete_function_concurrency(FunctionName=name)


def scaling(bench: Bench) -> Iterator[Edge]:
    """Two versions of a function, so that there are more environments than executions."""
    name, burst = bench.function("versions-of", Timeout=900), _burst(bench)
    versions = [bench.version(name, text) for text in ("one", "two", "three")]
    bench.cloud.model(name, FunctionModel(duration=_SHORT))
    half = burst // 2

    def start() -> str:
        bench.rest()
        for version, count in ((versions[0], half), (versions[1], burst - half)):
            _served(bench.cloud.simulate(name, instants=[0.0] * count, qualifier=version, every=0))
        return f"{burst:,} new environments"

    yield bench.edge("at one instant", f"{burst:,} environments", start,
                     f"{burst + 1:,} environments",
                     lambda: bench.invoke(f"{name}:{versions[2]}") and None)
    bench.rest()


def requests(bench: Bench) -> Iterator[Edge]:
    """All that may come in a second, come at practically one instant."""
    limits, wave = bench.limits, _burst(bench)
    name, most = bench.function("quick"), bench.limits.requests_per_concurrency * (
        bench.limits.concurrency)
    bench.cloud.model(name, FunctionModel(duration=_SHORT))
    instants = [2 * _SHORT * (number // wave) for number in range(most)]
    last = instants[-1] + 2 * _SHORT

    def run(more: int) -> str:
        bench.rest()
        return _served(bench.cloud.simulate(name, instants=[*instants, *[last] * more], every=0))

    yield bench.edge("of the account", f"{most:,} requests", lambda: run(0),
                     f"{most + 1:,} requests", lambda: run(1))
    few = limits.requests_per_concurrency
    bench.rest()
    bench.lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    def ask(times: int) -> str:
        for _ in range(times):
            bench.invoke(name)
        return f"{times} answered"

    yield bench.edge("with 1 execution reserved", f"{few} requests", lambda: ask(few),
                     f"{few + 1} requests", lambda: ask(1))
    bench.lam.delete_function_concurrency(FunctionName=name)
    bench.rest()


def recursion(bench: Bench) -> Iterator[Edge]:
    """A function that really invokes itself."""
    most = bench.limits.recursion_max
    name = bench.function("loop", _CALLS_ITSELF, Timeout=60, MemorySize=256)
    logs = bench.client("logs")

    def descend(depth: int) -> str:
        before = len(bench.cloud.trace.select("invoke.started", function=name))
        bench.lam.invoke(FunctionName=name, Payload=b"%d" % depth)
        bench.cloud.run(minutes=10)
        count = len(bench.cloud.trace.select("invoke.started", function=name)) - before
        lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        for line in lines:
            if "Exception" in line["message"]:
                raise Past(f"{count} ran, then {line['message'].strip()}")
        return f"{count} ran"

    if not most:
        yield Edge("", attempt(f"{_ENDLESS} invocations", lambda: descend(_ENDLESS)), None)
        return
    yield bench.edge("", f"{most} invocations", lambda: descend(most),
                     f"{most + 1} invocations", lambda: descend(most + 1))


def _burst(bench: Bench) -> int:
    limits, region = bench.limits, bench.cloud.region
    size = ("large" if region in limits.burst_regions_large else
            "medium" if region in limits.burst_regions_medium else "small")
    return getattr(limits, f"burst_{size}")


def _served(tally: Tally) -> str:
    """What came of a simulation; a throttled request is past a limit."""
    if tally.throttled:
        reason, count = tally.throttled.most_common(1)[0]
        raise Past(f"{tally.served:,} served, {count:,} throttled: TooManyRequestsException "
                   f"({reason})")
    return f"{tally.served:,} served"


TRIALS = {
    "Concurrent executions of a region": concurrency,
    "Must stay unreserved": unreserved,
    "Scaling rate": scaling,
    "Requests per second": requests,
    "Recursion": recursion,
}
