#!/usr/bin/env python3
"""How fast pictures of a trace are made, beside what can't be quicker in the same run.

    .venv/bin/python tests/benchmarks/pictures.py

The trace has 10,000 invocations, as a cloud would have recorded them with their log lines. *first* is
a trace that nobody has drawn yet; *again* is one that has grown by an invocation since, as it has
whenever a live picture is drawn. *page* makes the picture's outputs for JupyterLab and the built page
as well. Baselines: a bare loop over the trace's events, and the plainest Plotly figure there is.
Times are the processor's. Nothing is asserted; the figures to look at are the ratios.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import plotly.graph_objects as go  # noqa: E402
import plotly.io as pio  # noqa: E402

from minilambda import views  # noqa: E402
from minilambda.limits import Limits  # noqa: E402
from minilambda.trace import Trace  # noqa: E402
from minilambda.views import reading, renderer  # noqa: E402
from tests.benchmarks.sampling import Sample, Table, ratio  # noqa: E402

INVOCATIONS = 10_000
WANTED = "<= 150 ms"


class Recorded:
    """A made-up cloud: its trace, its clock, its limits."""

    is_open = False

    def __init__(self, environments: int) -> None:
        self.trace, self.clock = Trace(), SimpleNamespace(seconds=0.0)
        self.limits, self.random = Limits.load("course"), random.Random(1)
        self.names = [f"{n:032x}" for n in range(environments)]
        self.free = {name: 0.0 for name in self.names}
        self.new, self.count, self.events = set(self.names), 0, []
        while self.count < INVOCATIONS:
            self._invoke()
        self._tell()

    def invoke(self) -> None:
        """One more, now."""
        self._invoke()
        self._tell()

    def _tell(self) -> None:
        """Into the trace, in the order of time."""
        for at, kind, environment, data in sorted(self.events, key=itemgetter(0)):
            self.trace.append(at, kind, "hello", environment, **data)
            self.clock.seconds = at
        self.events = []

    def _invoke(self) -> None:
        """In an environment that is free; every fiftieth request is throttled."""
        self.clock.seconds += self.random.expovariate(len(self.names) / 0.4)
        now, self.count = self.clock.seconds, self.count + 1
        request_id = f"{self.count:08x}-0000-4000-8000-000000000000"
        self._note("request.accepted", now, None, request_id=request_id)
        if self.count % 50 == 0:
            self._note("request.throttled", now, None, request_id=request_id,
                       reason="ConcurrentInvocationLimitExceeded")
            return
        name = self.names[self.count % len(self.names)]
        now = max(now, self.free[name])
        cold = name in self.new
        if cold:
            self.new.discard(name)
            self._note("environment.created", now, name, version="$LATEST", memory_size=128,
                       timeout=3)
            self._note("init.started", now, name)
            now += 0.11
            self._note("init.ended", now, name, duration_ms=110.0, status="success", error_type=None)
        else:
            self._note("environment.thawed", now, name)
        self._note("invoke.started", now, name, request_id=request_id, cold=cold)
        for line in ("START …", "a line", "END …", "REPORT …"):
            self._note("log.line", now, name, request_id=request_id, message=line)
        ms = round(self.random.uniform(5, 300), 1)
        now += ms / 1000
        self._note("invoke.ended", now, name, request_id=request_id, status="success",
                   error_type=None, duration_ms=ms, billed_ms=300, memory_size=128,
                   max_memory_used=36, init_ms=110.0 if cold else None, cost=8.25e-7)
        self._note("environment.frozen", now, name)
        self.free[name] = now

    def _note(self, kind: str, at: float, environment: str | None, **data: object) -> None:
        self.events.append((at, kind, environment, data))


def sample(action: Callable[[], object], times: int) -> Sample:
    """Milliseconds of processor time: none of this waits, and others' work doesn't count."""
    found = []
    for n in range(times + 1):
        began = time.process_time()
        action()
        if n:
            found.append((time.process_time() - began) * 1000)
    return Sample(tuple(found))


def outputs(figure: go.Figure) -> None:
    spec = json.loads(pio.to_json(figure, validate=False, remove_uids=True))
    renderer.picture(spec)
    renderer.said(spec)


def main() -> None:
    plain = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))  # and what Plotly loads with a first figure
    bare = sample(lambda: plain.__class__(go.Scatter(x=[1, 2], y=[3, 4])), 20)
    table = Table("what", "ours", "loop over the trace", "plain figure", "ours / loop + figure",
                  "wanted")
    for environments in (5, 50, 1000):
        cloud = Recorded(environments)
        loop = sample(lambda: sum(1 for event in cloud.trace if event.kind), 20)  # noqa: B023

        def row(what: str, ours: Sample, wanted: str = "") -> None:
            floor = loop.p50 + bare.p50  # noqa: B023
            table.row(f"{what}, {environments:,} environments", ours, loop, bare,  # noqa: B023
                      ratio(floor, ours.p50), wanted)

        def first() -> None:
            reading._readings.clear()
            views.life(cloud)  # noqa: B023

        row("timeline, first", sample(first, 10), WANTED)

        def again(view=views.life) -> None:
            cloud.invoke()  # noqa: B023
            view(cloud)  # noqa: B023

        row("timeline, again", sample(again, 20), WANTED)
        row("timeline, again, page", sample(lambda: outputs(views.life(cloud)), 20), WANTED)  # noqa: B023
        for view in (views.concurrency, views.throttles, views.cold_starts, views.latency,
                     views.cost):
            row(view.__name__, sample(lambda: again(view), 10), WANTED)  # noqa: B023
        row("compare, twice 10,000", sample(lambda: views.compare(cloud, cloud), 10))  # noqa: B023
    print(f"\n{len(cloud.trace):,} events in the trace; median, in brackets the fastest tenth")


if __name__ == "__main__":
    main()
