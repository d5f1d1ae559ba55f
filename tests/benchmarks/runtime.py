#!/usr/bin/env python3
"""How fast the runtime is, against baselines taken in the same run.

    make bench

Machines are shared and noisy, so the figures to look at are the ratios. Nothing is asserted.
"""

import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import botocore  # noqa: E402

from minilambda import Cloud  # noqa: E402
from minilambda.sandbox.tiers import probe_bubblewrap, python  # noqa: E402
from tests.runtime.conftest import Lab  # noqa: E402

FIRST_RESULT = """
import sys; sys.path.insert(0, {root!r})
from minilambda import Cloud
from tests.runtime.conftest import Lab
with Cloud(sandbox={tier!r}) as cloud:
    Lab(cloud).run("def handler(event, context): return 1")
"""


def median_ms(action, times):
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        samples.append(time.perf_counter() - began)
    return statistics.median(samples) * 1000


def row(what, value, against=None, floor=None):
    ratio = f"{value / floor:5.1f} x {against} ({floor:.2f} ms)" if floor else ""
    print(f"  {what:<44}{value:9.2f} ms   {ratio}", flush=True)


def measure(tier):
    print(f"\n{tier}")
    script = FIRST_RESULT.format(root=str(ROOT), tier=tier)
    start = median_ms(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 5)
    row("import, Cloud(), deploy, first result, close",
        median_ms(lambda: subprocess.run([sys.executable, "-c", script], check=True), 3),
        "an empty Python", start)
    with Cloud(sandbox=tier) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("def handler(event, context): return event\n")
        client = lab.client
        noop = median_ms(client.get_account_settings, 200)

        def invoke():
            client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()

        invoke()
        row("warm invoke through boto3", median_ms(invoke, 200), "boto3's no-op", noop)
        function = cloud.registry.get(cloud.account_id, cloud.region, name)
        row("warm invoke, engine and sandbox alone",
            median_ms(lambda: cloud.frontend.invoke(function, b"{}"), 200))
        floor = median_ms(lambda: subprocess.run([*python(), "-c", "pass"], check=True), 20)

        def cold():
            cloud.placement.retire(function, "benchmark")
            cloud.frontend.invoke(function, b"{}")

        row("cold start, trivial handler", median_ms(cold, 30), "python -c pass", floor)
        # As an installer leaves it: compiled. (Else every cold start would compile botocore.)
        compileall.compile_dir(os.path.dirname(botocore.__file__), quiet=2)
        name = lab.deploy("import boto3\nclient = boto3.client('s3')\n"
                          "def handler(event, context): return 1\n", MemorySize=1792)
        function = cloud.registry.get(cloud.account_id, cloud.region, name)
        row("cold start, handler that makes a boto3 client", median_ms(cold, 5))


def pages():
    built = sorted((ROOT / "_build/html").glob("*/*.html"))
    print("\nbuilt pages (make build first)" if not built else "\nbuilt pages")
    for page in built:
        print(f"  {page.relative_to(ROOT / '_build/html')!s:<44}{page.stat().st_size / 1000:9.1f} KB")


def main():
    measure("process")
    problem = probe_bubblewrap()
    if problem is None:
        measure("bubblewrap")
    else:
        print(f"\nbubblewrap: not here ({problem})")
    pages()


if __name__ == "__main__":
    main()
