#!/usr/bin/env python3
"""How fast the runtime is, beside its peers and the machine's own limits, all in the same run.

    make bench

writes RESULTS.md too. Machines are shared and noisy, so the figures to look at are the ratios;
in brackets is the fastest tenth of the samples. Nothing is asserted. ``--quick`` installs no peers.
"""

from __future__ import annotations

import compileall
import contextlib
import datetime
import io
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import botocore  # noqa: E402
import psutil  # noqa: E402

from minilambda import Cloud  # noqa: E402
from minilambda.sandbox.tiers import probe_bubblewrap, python  # noqa: E402
from minilambda.versions import Target  # noqa: E402
from tests.benchmarks import floor, peers, raw  # noqa: E402
from tests.benchmarks.sampling import Sample, Table, ratio, sample  # noqa: E402
from tests.runtime.conftest import Lab  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")
CONNECTIONS, SECONDS = 16, 4.0
FIRST_RESULT = """
import sys; sys.path.insert(0, {root!r})
from minilambda import Cloud
from tests.runtime.conftest import Lab
with Cloud(sandbox={tier!r}) as cloud:
    Lab(cloud).run("def handler(event, context): return 1")
"""
BOOTSTRAP = f"#!/bin/sh\nexec {python()[0]} -S -s -P -B -m awslambdaric \"$_HANDLER\"\n"


class Bench:
    """All measurements of one tier; figures of peers and of the machine are handed in."""

    def __init__(self, tier: str, others: Others) -> None:
        self.tier, self.others = tier, others
        self.table = Table("what", "peer", "ours", "limit", "peer / ours", "limit / ours",
                           "wanted")

    def row(self, what: str, ours: Sample, peer: tuple[str, Sample | None] | None = None,
            limit: tuple[str, Sample] | None = None, wanted: str = "") -> None:
        name, other = peer or ("", None)
        bound = limit and limit[1]
        self.table.row(what, f"{name} {other or 'not here'}" if name else None, ours,
                       limit and f"{limit[0]} {bound}", ratio(ours.p50, other and other.p50),
                       ratio(ours.p50, bound and bound.p50), wanted)

    def run(self) -> None:
        others, tier = self.others, self.tier
        script = FIRST_RESULT.format(root=str(ROOT), tier=tier)
        first = sample(lambda: subprocess.run([sys.executable, "-c", script], check=True), 1, 0)
        self.row("import, `Cloud()`, deploy, first result, close", first,
                 limit=("fork+exec", others.exec))
        with Cloud(sandbox=tier, durations="modelled") as cloud:  # as all of the book's pages do
            self.cloud, self.lab = cloud, Lab(cloud)
            self.starts()
            self.warm()
            self.throughput()

    def deploy(self, source: str, **options):
        name = self.lab.deploy(source, **options)
        return self.cloud.registry.get(self.cloud.account_id, self.cloud.region, name)

    def cold(self, function, times: int) -> Sample:
        def start() -> None:
            outcome = self.cloud.frontend.invoke(Target(function), b"{}")
            assert not outcome.failed, outcome

        found = []
        for number in range(times + 2):
            self.cloud.placement.retire(function, "benchmark")
            began = sample(start, 1, warm=0)
            found += began.values if number > 1 else ()
        return Sample(tuple(found))

    def starts(self) -> None:
        others = self.others
        limit = (("bwrap true", floor.bubblewrap()) if self.tier == "bubblewrap"
                 else ("fork+exec", others.exec))
        client = None
        if others.client:
            client = self.cold(self.deploy_client(peers.HANDLER), 8)
        trivial = self.cold(self.deploy(peers.HANDLER), 40)
        self.row("cold start, trivial handler", trivial, ("awslambdaric", client), limit,
                 "<= 20 ms" if self.tier == "bubblewrap" else "<= 4 ms; 12 x awslambdaric")
        if others.lambda_local:
            self.row("the same", trivial, ("python-lambda-local",
                                           others.lambda_local.cold(peers.HANDLER, 5)))
        boto3 = self.deploy(peers.BOTO3_HANDLER, MemorySize=1792)
        # As an installer leaves it: compiled. (Else every cold start would compile botocore.)
        compileall.compile_dir(os.path.dirname(botocore.__file__), quiet=2)
        only = self.deploy("import boto3\n" + peers.HANDLER, MemorySize=1792)
        self.row("cold start, handler imports boto3", self.cold(only, 15), limit=limit,
                 wanted="<= 10 ms")
        local = others.lambda_local and others.lambda_local.cold(peers.BOTO3_HANDLER, 3)
        self.row("cold start, handler makes a boto3 client", self.cold(boto3, 6),
                 ("python-lambda-local", local), limit)
        if self.tier == "process":
            self.memory(only)

    def deploy_client(self, source: str):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {**self.others.client, "app.py": source.encode()}.items():
                archive.writestr(name, content)
            entry = zipfile.ZipInfo("bootstrap")
            entry.create_system, entry.external_attr = 3, 0o100755 << 16
            archive.writestr(entry, BOOTSTRAP)
        self.lab.client.create_function(
            FunctionName="client", Runtime="provided.al2023", Role=self.lab.role,
            Handler="app.handler", MemorySize=512, Timeout=20,
            Code={"ZipFile": buffer.getvalue()}, Environment={"Variables": {"PYTHONPATH": "."}})
        return self.cloud.registry.get(self.cloud.account_id, self.cloud.region, "client")

    def memory(self, function) -> None:
        """Private (not shared with the process it was forked from) pages of an idle environment."""
        before = set(psutil.Process().children(recursive=True))
        self.cloud.placement.retire(function, "benchmark")
        self.cloud.frontend.invoke(Target(function), b"{}")
        found = set(psutil.Process().children(recursive=True)) - before
        used = sum(_private_kb(process.pid) for process in found) / 1024
        self.table.row("private memory of an idle environment with boto3", None,
                       f"{used:.1f} MB", None, None, None, "<= 2.5 MB")

    def warm(self) -> None:
        others, lab = self.others, self.lab
        function = self.deploy(peers.HANDLER)
        cloud = self.cloud
        self.row("warm invoke, Python API without HTTP",
                 sample(lambda: cloud.frontend.invoke(Target(function), b"{}"), 1000, warm=50),
                 limit=("process ping-pong", others.pair), wanted="<= 60 us")
        port = int(cloud.endpoint_url.rsplit(":", 1)[1])
        self.port, self.name = port, function.name
        data = raw.request("127.0.0.1", port, raw.path(function.name))
        with contextlib.closing(raw.connect("127.0.0.1", port)) as connection:
            ours = sample(lambda: raw.call(connection, data), 1000, warm=50)
        offline = others.offline
        self.row("warm invoke, HTTP, raw client", ours,
                 ("serverless-offline, Python", offline and offline.warm("py")),
                 ("TCP round trip", others.tcp), "<= 250 us; <= serverless-offline")
        self.row("the same", ours, ("serverless-offline, Node.js", offline and offline.warm("js")))
        noop = sample(lab.client.get_account_settings, 100)
        self.row("warm invoke through boto3", sample(lambda: lab.client.invoke(
            FunctionName=function.name, Payload=b"{}")["Payload"].read(), 200),
            limit=("GetAccountSettings", noop))

    def throughput(self) -> None:
        ours = _load(self.port, raw.path(self.name))
        offline = self.others.offline
        for name in ("py", "js") if offline else ("",):
            theirs = offline and _load(offline.port, offline.path(name))
            label = f"serverless-offline ({name}) " if offline else "serverless-offline "
            self.table.row(
                f"throughput over HTTP, {CONNECTIONS} connections",
                label + (f"{theirs:,.0f}/s" if theirs else "not here"), f"{ours:,.0f}/s", None,
                f"{ours / theirs:.1f} x more" if theirs else None, None, ">= 5,000/s")


def _load(port: int, path: str) -> float:
    """From a process of its own, so that only the server's work is the server's."""
    done = subprocess.run([sys.executable, raw.__file__, "127.0.0.1", str(port), path,
                           str(CONNECTIONS), str(SECONDS)], check=True, capture_output=True,
                          text=True)
    return float(done.stdout)


def _private_kb(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


class Others:
    """The machine's limits, and the peers that could be installed. ``notes``: why some couldn't."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, quick: bool) -> None:
        self.exec, self.fork = floor.fork_and_exec(), floor.fork_alone()
        self.tcp, self.pair = floor.ping_pong(tcp=True), floor.ping_pong(tcp=False)
        self.notes: list[str] = []
        self.offline = self.lambda_local = self.client = None
        if quick:
            return
        self.client = self._try(lambda: peers.awslambdaric_files(folder / "ric"), "awslambdaric")
        self.offline = self._try(lambda: stack.enter_context(
            peers.serverless_offline(folder / "offline")), "serverless-offline")
        self.lambda_local = self._try(lambda: stack.enter_context(
            peers.python_lambda_local(folder / "local")), "python-lambda-local")

    def _try(self, start, name):
        try:
            return start()
        except peers.Missing as reason:
            self.notes.append(f"{name} can't be measured here: {reason}")
            return None


def pages() -> None:
    built = sorted((ROOT / "_build/html").glob("*/*.html"))
    print("\nbuilt pages (make build first)" if not built else "\nbuilt pages")
    for page in built:
        print(f"  {page.relative_to(ROOT / '_build/html')!s:<44}{page.stat().st_size / 1000:9.1f} KB")


def main() -> None:
    quick = "--quick" in sys.argv
    lines = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="minilambda-bench-"))
        others = Others(Path(folder), stack, quick)
        print("\n".join(others.notes))
        problem = probe_bubblewrap()
        load = os.getloadavg()[0]
        for tier in ("process", "bubblewrap"):
            print(f"\n{tier}")
            if tier == "bubblewrap" and problem:
                print(f"not here ({problem})")
                continue
            bench = Bench(tier, others)
            bench.run()
            lines += [f"\n### {tier}\n", *bench.table.lines]
    pages()
    if not quick:
        _write(lines, others, load)


def _write(lines: list[str], others: Others, load: float) -> None:
    """The measured part of RESULTS.md; what stands below its mark is written by hand."""
    mark = "\n<!-- by hand from here -->\n"
    _, found, words = RESULTS.read_text().partition(mark) if RESULTS.exists() else ("", "", "")
    memory = psutil.virtual_memory().total / (1 << 30)
    head = [
        "# How fast the runtime is", "",
        f"`make bench`, {datetime.date.today():%d %B %Y}, {platform.system()} on "
        f"{platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GB, "
        f"Python {platform.python_version()}. Other work was running: load average {load:.1f}.", "",
        "Modelled durations. Median; in brackets the fastest tenth. *peer / ours* and *limit / ours*: more than 1 means "
        "that ours is quicker.", "",
        f"Limits: fork+exec of an empty Python {others.exec}, fork alone {others.fork}, "
        f"TCP round trip {others.tcp}, process ping-pong {others.pair}.",
        *(f"\n{note}" for note in others.notes)]
    RESULTS.write_text("\n".join([*head, *lines, mark]) + words.lstrip("\n"))


if __name__ == "__main__":
    main()
