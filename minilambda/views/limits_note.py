"""The "Today" note: a quota as the course has it beside AWS's present one.

Stands for the AWS page that each row names. Fed from ``limits.toml``, which the runtime enforces,
so text and behaviour can't disagree. Leaves out: nothing; any row of the table can be shown.
"""

from __future__ import annotations

import difflib
from html import escape

from .. import limits
from ..limits import Row


class LimitsNote:
    """A note that shows itself in a notebook and in the built page; ``rows`` are limits.Row."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __repr__(self) -> str:
        return "\n".join(f"{row.what}: {row.course}. Today: {row.today}. (AWS: {row.page})"
                         for row in self.rows)

    def _repr_html_(self) -> str:
        # The theme's own classes of a note, so that it looks like the page's other ones.
        parts = "".join(
            f"<p><strong>{escape(row.what)}</strong>: {_figures(row)}"
            f" <cite>AWS: {escape(row.page)}</cite></p>"
            for row in self.rows
        )
        return (
            "<style>.jp-OutputArea .today-note{border-left:4px solid #b8720a;padding-left:12px}"
            '</style><aside class="admonition today today-note" aria-label="Today">'
            f'<p class="admonition-title">Today</p>{parts}</aside>'
        )


def limits_note(*names: str) -> LimitsNote:
    """A note on the named rows of the limits table, such as ``"Memory"``, ``"Billing step"``.

    Raises:
        ValueError: no name given, or no such row.
    """
    if not names:
        raise ValueError("limits_note: name at least one row of the limits table, e.g. 'Memory'")
    table = {row.what.casefold(): row for row in limits.table()}
    for name in names:
        if name.casefold() not in table:
            near = difflib.get_close_matches(name.casefold(), table, 3) or list(table)
            raise ValueError(f"no row {name!r} in the limits table; there is: "
                             + ", ".join(repr(table[key].what) for key in near))
    return LimitsNote([table[name.casefold()] for name in names])


def _figures(row: Row) -> str:
    if row.course == row.today:
        return f"{escape(row.today)}, as in the course."
    return f"in the course {escape(row.course)}; today {escape(row.today)}."
