"""Every quota, in two profiles, with the AWS page it comes from.

Stands for: *Lambda quotas* and the pages named in ``limits.toml``, as they were when the course was
made (``course``, early 2020) and as they are now (``today``, 2026).
Leaves out: quotas of operations per second on the control plane, which nothing here exceeds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

PROFILES = ("course", "today")
_SIZES = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is limited, in words, then and now."""

    what: str
    course: str
    today: str
    unit: str  # of the figures; empty where there is nothing to count
    page: str  # title of the AWS page


class Limits:
    """The figures of one profile, as attributes: ``limits.memory_max`` (units: ``limits.toml``).

    Use :meth:`load`.
    """

    __slots__ = ("profile", "_figures")

    def __init__(self, profile: str, figures: Mapping[str, Any]) -> None:
        self.profile, self._figures = profile, MappingProxyType(dict(figures))

    @classmethod
    def load(cls, profile: str = "course") -> Limits:
        """The profile ``"course"`` or ``"today"``.

        Raises:
            ValueError: there is no such profile.
        """
        if profile not in PROFILES:
            raise ValueError(f"no limits profile {profile!r}: use 'course' (early 2020) or 'today'")
        figures: dict[str, Any] = {}
        for row in _ROWS:
            figures.update(row[profile])
        return cls(profile, figures)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._figures[name]
        except KeyError:
            raise AttributeError(f"no limit named {name!r}: see minilambda/limits.toml") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._figures]

    def __repr__(self) -> str:
        return f"Limits.load({self.profile!r})"

    def figures(self) -> Mapping[str, Any]:
        """Every figure by name."""
        return self._figures


class _Printed:
    """A figure as prose prints it: thousands separators, a size such as ``{name:MB}``, or what
    a million of them come to: ``{name:million}``."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __format__(self, size: str) -> str:
        if size == "million":
            return f"{self.value * 1_000_000:.2f}"
        if size:
            return f"{self.value / _SIZES[size]:,g} {size}"
        if isinstance(self.value, list):
            return ", ".join(self.value)
        if isinstance(self.value, float):
            return f"{self.value:.10f}".rstrip("0")
        return f"{self.value:,}"


def table() -> list[Row]:
    """The whole table, in the file's order, for pages to print."""
    return [
        Row(row["what"], _say(row, "course"), _say(row, "today"), row["unit"], row["page"])
        for row in _ROWS
    ]


def _say(row: Mapping[str, Any], profile: str) -> str:
    text = row.get(f"text_{profile}", row["text"])
    return text.format(**{name: _Printed(value) for name, value in row[profile].items()})


_ROWS: list[dict[str, Any]] = tomllib.loads(
    (files(__package__) / "limits.toml").read_text(encoding="utf-8")
)["row"]
