"""Filter patterns of CloudWatch Logs: terms, JSON and space-delimited ones.

Stands for: what metric filters, subscription filters and FilterLogEvents understand. AWS page: *Filter
pattern syntax for metric filters, subscription filters, filter log events, and Live Tail*.
Leaves out: what the page doesn't promise. Words in capitals (IS, NULL, NOT, EXISTS) are only known in
capitals; text without quotes is made of letters, digits and ``_.*+-:/``. A selector of something that
isn't there, or isn't a text or a number, makes both ``=`` and ``!=`` false.

A pattern is one of three by its first character: ``{`` JSON, ``[`` fields, anything else terms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from .filter_expression import Compared, Expression, Invalid, Regex, quoted

__all__ = ["Invalid", "Pattern", "number", "parse"]

REGEXES = 2  # of them in a JSON or space-delimited pattern


class Pattern(Protocol):
    regexes: int

    def match(self, message: str) -> Mapping[str, str] | None:
        """The fields that were extracted (only a space-delimited pattern has any); None: no match."""


@lru_cache(maxsize=256)
def parse(text: str) -> Pattern:
    """Raises:
        Invalid: it isn't a pattern.
    """
    text = text.strip()
    try:
        if text.startswith("{"):
            pattern: Pattern = _Json.parse(_inside(text, "}"))
        elif text.startswith("["):
            pattern = _Fields.parse(_inside(text, "]"))
        else:
            return _Terms.parse(text)
    except RecursionError as error:
        raise Invalid from error
    if pattern.regexes > REGEXES:
        raise Invalid
    return pattern


def number(name: str, message: str, fields: Mapping[str, str]) -> float | None:
    """What a metric filter measures of a message that matched: a selector (``$.latency``), or one of
    the fields that were extracted (``$bytes``). None: there is no number there."""
    if _SELECTOR.fullmatch(name):
        document = _read(message)
        found = [] if document is None else [_compared(node) for node in _selected(document, name)]
        return next((one.number for one in found if one.number is not None), None)
    value = fields.get(name, "")
    return float(value) if _NUMBER.fullmatch(value) else None


def _inside(text: str, end: str) -> str:
    if len(text) < 2 or not text.endswith(end):
        raise Invalid(f"If a filter pattern starts with '{text[0]}' it must end with '{end}'")
    return text[1:-1]


# -- terms ----------------------------------------------------------------------------------------------

_TERM = re.compile(r'\s*([?-]?)\s*(?:("(?:[^"\\]|\\.)*")|(%[^%]+%)|(\w+))(?=\s|$)')


@dataclass(frozen=True, slots=True)
class _Terms:
    """Each is a test of the message. ``optional``: one of them is enough. They don't count beside
    others, as AWS's page says."""

    included: tuple[Callable[[str], bool], ...]
    excluded: tuple[Callable[[str], bool], ...]
    optional: tuple[Callable[[str], bool], ...]
    regexes: int

    @classmethod
    def parse(cls, text: str) -> _Terms:
        found: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
        at = regexes = 0
        while at < len(text):
            term = _TERM.match(text, at)
            if term is None:
                raise Invalid(f"Invalid character(s) in term '{_offending(text[at:])}'")
            sign, phrase, regex, word = term.groups()
            if regex is not None:
                regexes += 1
                found[sign].append(Regex.parse(regex).search)
            else:
                found[sign].append(_containing(word if phrase is None else quoted(phrase)))
            at = term.end()
        return cls(*(tuple(found[sign]) for sign in ("", "-", "?")), regexes)

    def match(self, message: str) -> Mapping[str, str] | None:
        if self.included or self.excluded:
            matches = all(test(message) for test in self.included) and not any(
                test(message) for test in self.excluded)
        else:
            matches = not self.optional or any(test(message) for test in self.optional)
        return {} if matches else None


def _offending(text: str) -> str:
    """The first character of a term that can be in none."""
    return re.sub(r"^\s*[?-]?\s*\w*", "", text)[:1]


def _containing(term: str) -> Callable[[str], bool]:
    return lambda message: term in message


# -- JSON -----------------------------------------------------------------------------------------------

_STEP = re.compile(r"\.([\w-]+)|\[(\d+|\*)\]", re.ASCII)
_SELECTOR = re.compile(r"\$(?:\.[\w-]+(?:\[(?:\d+|\*)\])*)+", re.ASCII)


class _Written(float):
    """A number with a point or an exponent, that knows how it was written."""

    text: str

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.text = text
        return number


@dataclass(frozen=True, slots=True)
class _Json:
    expression: Expression
    regexes: int

    @classmethod
    def parse(cls, text: str) -> _Json:
        expression = Expression.parse(text, selectors=True)
        for subject in expression.subjects:
            if not _SELECTOR.fullmatch(subject):
                raise Invalid
        return cls(expression, expression.regexes)

    def match(self, message: str) -> Mapping[str, str] | None:
        document = _read(message)
        if document is None:
            return None
        matches = self.expression.holds(
            lambda subject: [_compared(node) for node in _selected(document, subject)])
        return {} if matches else None


def _read(message: str) -> dict[str, Any] | None:
    try:
        document = json.loads(message, parse_float=_Written)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _selected(document: Any, selector: str) -> Iterator[Any]:
    nodes = [document]
    for name, index in _STEP.findall(selector):
        if name:
            nodes = [node[name] for node in nodes if isinstance(node, dict) and name in node]
        elif index == "*":
            nodes = [one for node in nodes if isinstance(node, list) for one in node]
        else:
            nodes = [node[int(index)] for node in nodes
                     if isinstance(node, list) and int(index) < len(node)]
    return iter(nodes)


def _compared(node: Any) -> Compared:
    if node is None or isinstance(node, bool):
        return Compared(None, None, node)
    if isinstance(node, str):
        return Compared(node, None, node)
    if isinstance(node, int | float):
        return Compared(getattr(node, "text", str(node)), float(node), node)
    return Compared(None, None, ...)  # an array or an object


# -- fields ---------------------------------------------------------------------------------------------

_FIELD = re.compile(r'\s*(?:\[([^\]]*)\]|"([^"]*)"|(\S+))')
_NAME = re.compile(r"[\w-]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*"|%[^%]+%)|,')
_ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class _Field:
    """``name`` is empty if the pattern has none. ``condition``: None, or what it must be."""

    name: str
    condition: Expression | None = None

    @classmethod
    def parse(cls, text: str) -> _Field:
        if not text or _NAME.fullmatch(text):
            return cls(text)
        expression = Expression.parse(text, selectors=False)
        name, *others = expression.subjects
        if others or not _NAME.fullmatch(name):
            raise Invalid
        return cls(name, expression)

    def fits(self, value: str) -> bool:
        number = float(value) if _NUMBER.fullmatch(value) else None
        return self.condition is None or self.condition.holds(
            lambda _: [Compared(value, number, value)])


@dataclass(frozen=True, slots=True)
class _Fields:
    """``rest``: the fields after an ellipsis; None if there is none, and their number is exact."""

    first: tuple[_Field, ...]
    rest: tuple[_Field, ...] | None
    regexes: int

    @classmethod
    def parse(cls, text: str) -> _Fields:
        parts = [part.strip() for part in _split(text)]
        if parts.count(_ELLIPSIS) > 1:
            raise Invalid
        at = parts.index(_ELLIPSIS) if _ELLIPSIS in parts else None
        fields = [None if part == _ELLIPSIS else _Field.parse(part) for part in parts]
        regexes = sum(one.condition.regexes for one in fields if one and one.condition)
        if at is None:
            return cls(tuple(fields), None, regexes)
        return cls(tuple(fields[:at]), tuple(fields[at + 1:]), regexes)

    def match(self, message: str) -> Mapping[str, str] | None:
        values = list(_fields_of(message))
        rest = self.rest or ()
        between = len(values) - len(self.first) - len(rest)
        if between < 0 or (between and self.rest is None):
            return None
        fields = (*self.first, *[_Field("")] * between, *rest)
        if not all(one.fits(value) for one, value in zip(fields, values, strict=True)):
            return None
        return {f"${one.name or number}": value
                for number, (one, value) in enumerate(zip(fields, values, strict=True), 1)}


def _split(text: str) -> Iterator[str]:
    """At the commas that aren't in quotes."""
    start = 0
    for found in _COMMA.finditer(text):
        if found.group(1) is None:
            yield text[start:found.start()]
            start = found.end()
    yield text[start:]


def _fields_of(message: str) -> Iterator[str]:
    """What is in brackets or in quotes is one."""
    for found in _FIELD.finditer(message):
        yield next(group for group in found.groups() if group is not None)
