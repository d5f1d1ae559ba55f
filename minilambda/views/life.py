"""One picture of invocations' lives: init, invoke, freeze, kill, in each execution environment.

Stands for the drawing on AWS's page *Understanding the Lambda execution environment lifecycle*,
made from what really happened on a cloud, and for the requests that were throttled. Where there are
too many environments for a lane each, it is a picture of how many did what (``density.py``).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go

from ..trace import Trace
from . import density, lanes, words
from .lanes import Canvas
from .reading import Lane, Phase, Segment, Throttle, read
from .renderer import describe
from .scale import Scale
from .strips import Strips
from .timeline import Part, alive, part

MOST_LANES = 60
MOST_BARS = 1500  # phases; past that bars are thinner than a pixel, and a browser grows slow
COLUMNS = ("environment", "phase", "from", "to", "outcome")


def life(cloud: Any, request_id: str | None = None, function: str | None = None,
         since: float = 0.0) -> go.Figure:
    """Draw what a cloud's execution environments did, one lane each, and who was throttled.

    With more than 60 environments, or more than 1,500 phases, the picture shows how many
    environments were in each phase at a time instead, and how many requests failed or were throttled.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace`` and ``clock`` are read).
        request_id: only this invocation: its init if it was a cold start, itself, what came after.
        function: only this function's environments and requests.
        since: only what began at this instant or later, in seconds as ``cloud.seconds``. How many
            environments there are counts those from before, too.

    Returns:
        A Plotly figure that carries its text alternative. Change it as any other figure.

    Raises:
        ValueError: nothing has run that fits, or both criteria were given.
    """
    if request_id is not None and function is not None:
        raise ValueError("life: say request_id or function, not both")
    shown = part(cloud.trace, cloud.clock.seconds, request_id, function, since)
    if crowded(shown):
        return density.picture(_density(cloud, function, max(since, shown.start)),
                               _said_of_many(cloud.trace, shown, function, since))
    if request_id is not None:  # the picture ends with what was asked for
        last = max(s.start if s.end is None else s.end
                   for lane in shown.lanes for s in lane.segments)
        shown = Part(shown.lanes, shown.throttles, last)
    sentence = said(shown)
    scale = Scale(*lanes.moments(shown))
    figure, strips = go.Figure(), Strips()
    strips.add(lanes.height(shown), lanes.axis(shown))
    lanes.draw(Canvas(figure, scale), shown)
    scale.draw_cuts(figure)
    strips.lay_out(figure, sentence, scale.axis(), above=18 if scale.cuts else 0)
    return describe(figure, f"{sentence} {scale.note()}".strip(), COLUMNS,
                    table(shown, scale.since))


def _density(cloud: Any, function: str | None, since: float) -> density.Density:
    if function is None or read(cloud.trace).functions == 1:
        return density.everything(cloud.trace, cloud.clock.seconds, since)
    return density.measure(alive(cloud.trace, cloud.clock.seconds, function, since), 0.0, since)


def crowded(shown: Part) -> bool:
    """Whether there is too much of it for lanes."""
    return len(shown.lanes) > MOST_LANES or shown.segments > MOST_BARS


def said(shown: Part) -> str:
    """What happened, as the title says it."""
    found, refused = shown.lanes, len(shown.throttles)
    if not found:
        were = "Every request was" if refused > 1 else "The one request was"
        return f"{were} throttled{f', {refused:,} in all' if refused > 1 else ''}: none ran."
    segments = [s for lane in found for s in lane.segments]
    served = [s for s in segments if s.phase is Phase.INVOKE]
    lost = _lost(refused)
    if len(served) == 1:
        return _one(served[0], [s for s in segments if s.phase is Phase.INIT]) + lost
    endings = Counter(s.ending for s in served if s.failed)
    return _sentence(len(found), len(served), sum(s.cold for s in served), endings) + lost


def _said_of_many(trace: Trace, shown: Part, function: str | None, since: float) -> str:
    """The same without a look at every segment."""
    reading = read(trace)
    served = [r for r in reading.requests if r.started is not None and r.started >= since
              and function in (None, r.function)]
    endings = Counter(r.ended.data["status"] for r in served if r.ended is not None)
    return _sentence(len(shown.lanes), len(served), sum(r.cold for r in served), endings) + (
        _lost(len(shown.throttles)))


def _lost(refused: int) -> str:
    return f" {words.count(refused, 'request')} {'was' if refused == 1 else 'were'} throttled." if (
        refused) else ""


def _sentence(environments: int, served: int, cold: int, endings: Counter[str]) -> str:
    if not served:
        return f"{words.count(environments, 'environment')} started and served no invocation yet."
    bad = [f"{endings[e]:,} {text}" for e, text in words.ENDINGS.items()
           if endings[e] and e != "success"]
    starts = {0: "all warm", served: "every one a cold start"}.get(
        cold, f"{words.count(cold, 'cold start')}, {served - cold:,} warm")
    text = (f"{words.count(environments, 'environment')} served"
            f" {words.count(served, 'invocation')}: {starts}")
    return text + (f"; {words.listing(bad)}." if bad else ".")


def _one(invocation: Segment, inits: list[Segment]) -> str:
    if invocation.end is None:
        return "One invocation is still running."
    ran = words.duration(invocation.end - invocation.start)
    before = ""
    if invocation.cold and inits:
        spent = words.duration(sum((s.end or invocation.start) - s.start for s in inits))
        before = f"A cold start: {spent} of init, then "
    else:
        before = "A warm start: "
    ending = {
        "success": f"the handler ran {ran}.",
        "error": f"the invocation raised an error after {ran}.",
        "timeout": f"the invocation was killed at its timeout, after {ran}.",
        "crash": f"the runtime's process ended by itself after {ran}.",
        "out-of-memory": f"the invocation was killed for its memory after {ran}.",
    }
    return before + ending[invocation.ending]


def table(shown: Part, since: Any) -> list[list[str]]:
    """The picture as a table. A frozen time of nothing is left out."""
    several = len({lane.function for lane in shown.lanes}) > 1
    return [row for lane in shown.lanes for row in _rows(lane, several, since)] + [
        ["none", "throttled", since(group[0].at), since(group[0].at), _throttled(group)]
        for group in lanes.at_once(shown.throttles)
    ]


def _rows(lane: Lane, several: bool, since: Any) -> list[list[str]]:
    name, rows = f"{lane.function} {lane.number}" if several else str(lane.number), []
    for s in lane.segments:
        if s.phase is Phase.FROZEN and s.end == s.start:
            continue
        outcome = lanes.ending(s) if s.ending else ""
        if s.phase is Phase.INIT and s.ending:
            outcome = "done" if s.ending == "success" else lanes.ending(s)
        until = since(s.end) if s.end is not None else "goes on"
        rows.append([name, str(s.phase), since(s.start), until, outcome])
    if lane.shutdown:
        at, reason = lane.shutdown
        rows.append([name, "shutdown", since(at), since(at), reason])
    return rows


def _throttled(group: list[Throttle]) -> str:
    reasons = dict.fromkeys(words.REASONS.get(t.reason, t.reason) for t in group)
    return f"{words.count(len(group), 'request')} refused: {words.listing(list(reasons))}"
