#!/usr/bin/env python3
"""How fast modelled requests go through the engine, beside a bare simpy loop and SimFaaS.

    .venv/bin/python tests/benchmarks/simulation.py [--no-peers]

All in one run, and in turns; times are the processor's. *bare* has the same random draws and the same
two steps a request on a simpy queue, and counts its busy servers: nothing that knows what it does can
be quicker in this interpreter. SimFaaS (PyPI, installed for this run only) is a simulator of serverless
platforms; it draws and expires as we do and has no places to throttle at below 1,000. ``memory`` is what
a run of a million leaves behind, counted only or told in full (one in a hundred).
Nothing is asserted; the figures to look at are the ratios.
"""

from __future__ import annotations

import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
import simpy  # noqa: E402

from minilambda import Cloud, FunctionModel  # noqa: E402
from minilambda.distributions import exponential  # noqa: E402
from tests.benchmarks.sampling import Table  # noqa: E402
from tests.runtime.conftest import Lab  # noqa: E402

ROUNDS, REQUESTS, LOAD = 5, 50_000, 0.8
SIMFAAS = """
import contextlib, io, time
from simfaas.ServerlessSimulator import ServerlessSimulator
rate, requests = {rate}, {requests}
simulator = ServerlessSimulator(arrival_rate=rate, warm_service_rate=1.0, cold_service_rate=0.999,
                                expiration_threshold=600, max_time=requests / rate)
began = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    simulator.generate_trace(progress=False)
print(simulator.total_req_count / (time.process_time() - began))
"""


def bare(servers: int, requests: int) -> float:
    """Requests a second of the shortest loop that does the same."""
    environment, draw, log = simpy.Environment(), random.Random(1).random, math.log
    rate, state = servers * LOAD, [0, 0]

    def arrive(_: object) -> None:
        state[0] += 1
        if state[0] < requests:
            environment.timeout(-log(1 - draw()) / rate).callbacks.append(arrive)
        if state[1] < servers:
            state[1] += 1
            environment.timeout(-log(1 - draw())).callbacks.append(end)

    def end(_: object) -> None:
        state[1] -= 1

    environment.timeout(0).callbacks.append(arrive)
    return _speed(environment.run, requests)


def _speed(action: Callable[[], object], requests: int) -> float:
    began = time.process_time()
    action()
    return requests / (time.process_time() - began)


class SimFaaS:
    """In an environment and a process of its own."""

    def __init__(self, folder: str) -> None:
        self.python = Path(folder, "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([self.python, "-m", "pip", "install", "-q", "simfaas"], check=True)

    def __call__(self, servers: int, requests: int) -> float:
        script = SIMFAAS.format(rate=servers * LOAD, requests=requests)
        return float(subprocess.run([self.python, "-c", script], check=True, text=True,
                                    capture_output=True).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = None
        if "--no-peers" not in sys.argv:
            try:
                peer = SimFaaS(folder)
            except subprocess.CalledProcessError as error:
                print(f"SimFaaS can't be installed: {error}")
        with Cloud(durations="modelled", sandbox="inline") as cloud:
            measure(cloud, peer)


def measure(cloud: Cloud, peer: SimFaaS | None) -> None:
    lab = Lab(cloud)
    name = lab.deploy("def handler(event, context): return 1", Timeout=900)
    cloud.model(name, FunctionModel(duration=exponential(1.0)))

    def ours(servers: int, requests: int, every: int = 0) -> float:
        return _speed(lambda: cloud.simulate(name, rate=servers * LOAD, requests=requests,
                                             every=every), requests)

    table = Table("servers", "requests", "ours", "bare", "SimFaaS", "ours / bare", "ours / SimFaaS",
                  "wanted")
    for servers in (8, 200):
        lab.client.put_function_concurrency(FunctionName=name,
                                            ReservedConcurrentExecutions=servers)
        found: dict[str, list[float]] = {"ours": [], "bare": [], "SimFaaS": []}
        for number in range(ROUNDS):
            found["ours"].append(ours(servers, REQUESTS))
            found["bare"].append(bare(servers, REQUESTS))
            if peer and number < 2:
                found["SimFaaS"].append(peer(servers, REQUESTS // 10))
        _row(table, servers, REQUESTS, found)
    for requests in (100_000, 300_000, 1_000_000):
        memory, told = psutil.Process().memory_info().rss, len(cloud.trace)
        speed = ours(200, requests)
        grown = (psutil.Process().memory_info().rss - memory) / 2**20
        table.row(200, f"{requests:,}", f"{speed:,.0f}/s", "", "", "", "",
                  f"memory: {grown:+.1f} MB, {len(cloud.trace) - told:,} trace events")
    memory, told = psutil.Process().memory_info().rss, len(cloud.trace)
    speed = ours(200, 200_000, every=100)
    grown = (psutil.Process().memory_info().rss - memory) / 2**20
    table.row(200, "200,000, 1 in 100 told", f"{speed:,.0f}/s", "", "", "", "",
              f"memory: {grown:+.1f} MB, {len(cloud.trace) - told:,} trace events")


def _row(table: Table, servers: int, requests: int, found: dict[str, list[float]]) -> None:
    middle = {key: statistics.median(values) if values else None for key, values in found.items()}
    shown = [f"{value:,.0f}/s" if value else "" for value in middle.values()]
    peer = f"{middle['ours'] / middle['SimFaaS']:.0f} x" if middle["SimFaaS"] else ""
    table.row(servers, f"{requests:,}", *shown, f"{middle['ours'] / middle['bare']:.2f} x", peer,
              ">= 100,000/s")


if __name__ == "__main__":
    main()
