"""A grid of real results, one for each position of a panel's sliders, small enough for a page.

Stands for nothing of AWS's. A page without a kernel can't call a function, so a panel makes all
its calls beforehand. Long texts that repeat are kept once, in ``texts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..limits import Limits
from . import calls

MOST = 400  # positions; every one is a cold start, and a page carries every result


@dataclass
class Recording:
    """``grid[m][t]`` is a cell (see :func:`cell`) whose texts are places in ``texts``."""

    grid: list[list[list[Any]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def cell(shown: calls.Shown) -> list[Any]:
    """A result as panel.js reads it.

    Status, sentence, document, duration in ms, billed ms, MB used, init in ms, cost in dollars.
    """
    return [shown.status, shown.sentence, shown.document, shown.duration_ms, shown.billed_ms,
            shown.max_memory_used, shown.init_ms, shown.cost]


def record(client: Any, function: str, event: Any, memory: list[int], timeout: list[int],
           limits: Limits) -> Recording:
    """Make the call of every position; then configure the function as it was before.

    Raises:
        ValueError: too many positions.
        botocore.exceptions.ClientError: the function can't be read or put back as it was.
    """
    if len(memory) * len(timeout) > MOST:
        raise ValueError(
            f"a recorded panel of {len(memory)} x {len(timeout)} positions would make"
            f" {len(memory) * len(timeout):,} calls, and {MOST} is the most: give memory="
            "(min, max, step) or timeout=(min, max, step) fewer steps, or say record=False"
        )
    before = client.get_function_configuration(FunctionName=function)
    recording, places = Recording(), {}
    try:
        for m in memory:
            row = []
            for t in timeout:
                values = cell(calls.run(client, function, event, m, t, limits))
                for part in (1, 2):
                    values[part] = places.setdefault(values[part], len(places))
                row.append(values)
            recording.grid.append(row)
    finally:
        calls.configure(client, function, before["MemorySize"], before["Timeout"])
    recording.texts = list(places)
    return recording
