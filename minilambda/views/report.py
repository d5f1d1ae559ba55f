"""The REPORT figures of several invocations side by side, as a table.

Stands for what one would read off the REPORT lines in CloudWatch Logs. AWS page: *Log and monitor
Python Lambda functions*. Leaves out: throttled requests, which have no REPORT line.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ..trace import Event
from . import words

COLUMNS = ("request", "start", "status", "duration", "billed", "memory", "used", "init", "cost")


class Report:
    """A table that shows itself in a notebook; ``rows`` are its cells as text."""

    def __init__(self, caption: str, rows: list[list[str]]) -> None:
        self.caption, self.rows = caption, rows

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(COLUMNS, *self.rows, strict=True)]
        return "\n".join(
            "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
            for row in (COLUMNS, *self.rows)
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        body = "".join(
            "<tr>" + f'<th scope="row">{escape(row[0])}</th>'
            + "".join(f"<td>{escape(value)}</td>" for value in row[1:]) + "</tr>"
            for row in self.rows
        )
        return (
            '<div class="minilambda-report" tabindex="0" role="group"'
            f' aria-label="{escape(self.caption)}" style="overflow-x:auto">'
            '<table class="docutils" style="white-space:nowrap">'
            f"<caption>{escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def report(cloud: Any, function: str | None = None, last: int | None = None) -> Report:
    """The REPORT figures of a cloud's invocations, in the order in which they ended.

    Args:
        cloud: a :class:`minilambda.Cloud`.
        function: only this function's invocations.
        last: only so many, the latest.

    Raises:
        ValueError: nothing has run that fits, or ``last`` is less than 1.
    """
    if last is not None and last < 1:
        raise ValueError("report: last must be at least 1")
    ended = cloud.trace.select("invoke.ended", function=function)
    if not ended:
        raise ValueError(f"{'no function' if function is None else repr(function)} has run on"
                         " this cloud yet: invoke it first")
    cold = {e["request_id"] for e in cloud.trace.select("invoke.started") if e["cold"]}
    rows = [_row(event, event["request_id"] in cold) for event in ended[-(last or len(ended)):]]
    whose = "all functions" if function is None else function
    return Report(f"{words.count(len(rows), 'invocation')} of {whose}", rows)


def _row(event: Event, cold: bool) -> list[str]:
    init = event["init_ms"]
    return [
        words.short(event["request_id"]), "cold" if cold else "warm",
        event["status"].replace("-", " "), words.milliseconds(event["duration_ms"]),
        f"{event['billed_ms']:,} ms", f"{event['memory_size']} MB",
        f"{event['max_memory_used']} MB", "" if init is None else words.milliseconds(init),
        words.dollars(event["cost"]),
    ]
