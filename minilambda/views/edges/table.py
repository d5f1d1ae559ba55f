"""The table of limits with both tries of each, and what is no limit or can't be tried.

Stands for the page *Lambda quotas*, enforced. Every row of ``limits.toml`` is a trial's, or is named
here with a reason: a test compares the two, so that a new row isn't forgotten.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ... import limits
from ...limits import Row
from . import asynchronous, configuration, event_sources, packages, payloads, scaling
from .bench import Bench, Edge, NotHere, Try

_PARTS = {"configuration": configuration, "packages": packages, "payloads": payloads,
          "scaling": scaling, "asynchronous": asynchronous, "event sources": event_sources}
# The trials by the rows' names, and the rows of each group.
TRIALS = {name: trial for part in _PARTS.values() for name, trial in part.TRIALS.items()}
GROUPS = {name: tuple(part.TRIALS) for name, part in _PARTS.items()}

# Rows that forbid nothing.
FACTS = {
    "One full vCPU at": "what a share of processor memory buys; nothing is refused",
    "Most vCPUs": "what the largest memory buys; nothing is refused",
    "Billing step": "a rule of the bill",
    "Price (x86)": "a price",
    "Free every month": "a part of the price",
    "Price of provisioned concurrency (x86)": "a price",
    "Provisioned concurrency: allocation": "how it comes, not how much of it there may be",
    "Function states": "how a change comes, not what may be changed",
    "VPC": "how functions are connected; IPv6 is answered with 501 here",
    "Function URLs": "who may call; a matter of permissions",
    "X-Ray SDK": "news of a library",
    "At the edge": "which services there are",
    "Managed runtimes": "which languages AWS looks after; the names of both years are taken here",
}
# Rows whose subject isn't in this runtime. It answers 501, and pretends nothing.
ABSENT = {
    "Container images": "container images aren't part of this runtime",
}
GROUPS |= {"no limits": tuple(FACTS), "not here": tuple(ABSENT)}
_COLUMNS = ("limit", "at the edge", "one past it")


@dataclass
class Line:
    """A row of the limits table, and what was tried; ``why`` it wasn't, if it wasn't."""

    row: Row
    says: str  # the row's figures in the cloud's profile
    tried: list[Edge | NotHere] = field(default_factory=list)
    why: str = ""


class Edges:
    """The table. It shows itself in a notebook and in the built page; ``lines`` are its rows."""

    def __init__(self, profile: str, lines: list[Line]) -> None:
        self.profile, self.lines = profile, lines

    @property
    def edges(self) -> list[Edge]:
        """Every edge that was tried."""
        return [edge for line in self.lines for edge in line.tried if isinstance(edge, Edge)]

    def __repr__(self) -> str:
        return "\n".join(_text(self.lines))

    def _repr_html_(self) -> str:
        held = sum(edge.held for edge in self.edges)
        caption = (f"{self.profile} limits: {len(self.edges)} edges tried, {held} hold"
                   if self.edges else f"{self.profile} limits")
        head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
        body = "".join(_rows(line) for line in self.lines)
        return (
            f'{_STYLE}<div class="minilambda-edges" tabindex="0" role="group"'
            f' aria-label="{escape(caption)}"><table class="docutils">'
            f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"{body}</table></div>")


def edges(cloud: Any, *names: str, changed: bool = False) -> Edges:
    """Try limits of a running cloud, each at its edge and one past it.

    What is needed for it (functions, queues, a stream…) is made with boto3 and deleted again. Time
    passes on the cloud's clock, hours of it for some: use a virtual one.

    Args:
        cloud: a :class:`minilambda.Cloud`.
        names: rows of the limits table, such as ``"Memory"``, or groups of them:
            ``"configuration"``, ``"packages"``, ``"payloads"``, ``"scaling"``, ``"asynchronous"``,
            ``"event sources"``, ``"no limits"``, ``"not here"``. All of the table unless given.
        changed: only rows whose words differ between the profiles.

    Raises:
        ValueError: there is no such row or group.
    """
    rows = {row.what: row for row in limits.table()}
    wanted = _wanted(names, rows)
    lines = []
    with Bench(cloud) as bench:
        for name in wanted:
            row = rows[name]
            if changed and row.course == row.today:
                continue
            line = Line(row, getattr(row, cloud.limits.profile))
            if name in TRIALS:
                line.tried = list(TRIALS[name](bench))
            else:
                line.why = FACTS.get(name) or ABSENT[name]
            lines.append(line)
    return Edges(cloud.limits.profile, lines)


def _wanted(names: tuple[str, ...], rows: dict[str, Row]) -> list[str]:
    found: list[str] = []
    for name in names or tuple(rows):
        if name not in rows and name not in GROUPS:
            near = difflib.get_close_matches(name, [*rows, *GROUPS], 3) or list(GROUPS)
            raise ValueError(f"edges: no limit {name!r}; there is: {', '.join(map(repr, near))}")
        found += GROUPS.get(name, (name,))
    return list(dict.fromkeys(found))


# -- as text ---------------------------------------------------------------------------------------

def _text(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        yield f"{line.row.what}: {line.says}" + (f" (not tried: {line.why})" if line.why else "")
        for tried in line.tried:
            part = f"{tried.part}: " if tried.part else ""
            if isinstance(tried, NotHere):
                yield f"  {part}not tried: {tried.why}"
            else:
                yield f"  {part}{tried.inside.size}: {tried.inside.said}"
                yield ("  no limit" if tried.past is None
                       else f"  {part}{tried.past.size}: {tried.past.said}")


# -- as a page -------------------------------------------------------------------------------------

# The signs are decoration: the words beside them say as much, so nobody has to hear them.
_STYLE = """<style>
.minilambda-edges{overflow-x:auto}
.minilambda-edges table{table-layout:fixed;width:100%}
.minilambda-edges :is(th,td){text-align:left!important;vertical-align:top}
.minilambda-edges :is(th,td,code){white-space:normal;overflow-wrap:anywhere}
.minilambda-edges th:first-child{width:26%}
.minilambda-edges thead th:last-child{width:42%}
.minilambda-edges small{display:block;font-weight:400}
.minilambda-edges td small::before{content:"✓ "/""}
.minilambda-edges td small:has(code)::before{content:"✗ "/""}
@media (max-width:600px){
.minilambda-edges thead{position:absolute;clip-path:inset(50%)}
.minilambda-edges :is(table,tbody,tr,tbody th,td){display:block;width:auto!important}
.minilambda-edges td{padding-left:1.4em}}
</style>"""


def _rows(line: Line) -> str:
    head = f"{escape(line.row.what)}<small>{escape(line.says)}</small>"
    if line.why:
        cells = [f'<td colspan="2">Not tried: {escape(line.why)}.</td>']
    else:
        cells = [_cells(tried) for tried in line.tried]
    first, *more = cells
    body = f'<tr><th scope="rowgroup" rowspan="{len(cells)}">{head}</th>{first}</tr>'
    return f"<tbody>{body}{''.join(f'<tr>{cell}</tr>' for cell in more)}</tbody>"


def _cells(tried: Edge | NotHere) -> str:
    part = f"{escape(tried.part)}: " if tried.part else ""
    if isinstance(tried, NotHere):
        return f'<td colspan="2">{part}not tried: {escape(tried.why)}.</td>'
    past = "<td>No limit.</td>" if tried.past is None else f"<td>{_try(tried.past)}</td>"
    return f"<td>{part}{_try(tried.inside)}</td>{past}"


def _try(tried: Try) -> str:
    said = escape(tried.said)
    return (f"{escape(tried.size)}<small>"
            + (f"<code>{said}</code>" if tried.refused else said) + "</small>")
