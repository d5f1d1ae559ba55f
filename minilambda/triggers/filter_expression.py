"""The conditions in a filter pattern: comparisons, joined by ``&&``, ``||`` and parentheses.

Stands for: the part of the filter pattern syntax that JSON and space-delimited patterns share. AWS page:
*Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail*.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class Invalid(Exception):
    """Not a filter pattern; in CloudWatch Logs' words."""

    def __init__(self, message: str = "Invalid filter pattern") -> None:
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Compared:
    """What is found in a message: as a text and as a number, if it is one. ``node``: as JSON has it."""

    text: str | None
    number: float | None
    node: Any


Found = Callable[[str], Sequence[Compared]]  # what a subject (a selector, a field's name) stands for
_Test = Callable[[Found], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<regex>%[^%]+%)|(?P<sign>&&|\|\||!=|<=|>=|[=<>()])'
    r'|(?P<word>[^\s"%&|!=<>()]+))')
_BARE = re.compile(r"[\w.*+:/-]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}


def quoted(phrase: str) -> str:
    """What a phrase in quotes says."""
    return re.sub(r"\\(.)", r"\1", phrase[1:-1])


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression between percent signs. Groups aren't known, nor other signs than these."""

    pattern: re.Pattern[str]
    _ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+")

    @classmethod
    def parse(cls, text: str) -> Regex:
        if not cls._ALLOWED.fullmatch(text[1:-1]):
            raise Invalid
        try:
            return cls(re.compile(text[1:-1], re.ASCII))
        except re.error as error:
            raise Invalid from error

    def search(self, text: str) -> bool:
        return self.pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class _Value:
    """On the right of a comparison. ``number``: None if it is a text. An asterisk stands for any text
    at its beginning and its end; in the middle it is an asterisk."""

    text: str
    number: float | None = None
    regex: Regex | None = None

    def equals(self, found: Compared) -> bool:
        if self.regex is not None:
            return self.regex.search(found.text)
        if self.number is not None and found.number is not None:
            return self.number == found.number
        before, after = self.text.startswith("*"), self.text.endswith("*")
        core = self.text[before:len(self.text) - after] if self.text != "*" else ""
        if before and after:
            return core in found.text
        if before or after:
            return (found.text.endswith if before else found.text.startswith)(core)
        return found.text == core


@dataclass(frozen=True, slots=True)
class Expression:
    test: _Test
    subjects: tuple[str, ...]  # each once
    regexes: int

    @classmethod
    def parse(cls, text: str, *, selectors: bool) -> Expression:
        """``selectors``: subjects are parts of JSON, which may be null, and not be there.

        Raises:
            Invalid: it isn't one.
        """
        parser = _Parser(text, selectors)
        test = parser.alternatives()
        if parser.token is not None:
            raise Invalid
        return cls(test, tuple(dict.fromkeys(parser.subjects)), parser.regexes)

    def holds(self, found: Found) -> bool:
        return self.test(found)


class _Parser:
    def __init__(self, text: str, selectors: bool) -> None:
        self.text, self.selectors = text, selectors
        self.subjects: list[str] = []
        self.regexes = 0
        self._at = 0
        self.token: tuple[str, str] | None = None  # its kind, and what it is
        self._next()

    def alternatives(self) -> _Test:
        tests = [self._both()]
        while self._takes("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda found: any(test(found) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._takes("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda found: all(test(found) for test in tests)

    def _one(self) -> _Test:
        if self._takes("("):
            test = self.alternatives()
            if not self._takes(")"):
                raise Invalid
            return test
        subject = self._word()
        self.subjects.append(subject)
        kind, sign = self.token or ("", "")
        self._next()
        if kind == "word" and self.selectors:
            return self._about(subject, sign)
        if kind != "sign" or sign not in ("=", "!=", *_ORDERS):
            raise Invalid
        value = self._value()
        if sign in _ORDERS:
            if value.number is None:
                raise Invalid
            bound, order = value.number, _ORDERS[sign]
            return lambda found: any(one.number is not None and order(one.number, bound)
                                     for one in found(subject))
        wanted = sign == "="
        return lambda found: any(one.text is not None and value.equals(one) == wanted
                                 for one in found(subject))

    def _about(self, subject: str, word: str) -> _Test:
        if word == "NOT":
            if self._word() != "EXISTS":
                raise Invalid
            return lambda found: not found(subject)
        name = self._word()
        if word != "IS" or name not in _CONSTANTS:
            raise Invalid
        constant = _CONSTANTS[name]
        return lambda found: any(one.node is constant for one in found(subject))

    def _value(self) -> _Value:
        if self.token is None:
            raise Invalid
        kind, text = self.token
        self._next()
        if kind == "quoted":
            return _Value(quoted(text))
        if kind == "regex":
            self.regexes += 1
            return _Value("", regex=Regex.parse(text))
        if kind != "word" or not _BARE.fullmatch(text):
            raise Invalid
        return _Value(text, float(text) if _NUMBER.fullmatch(text) else None)

    def _word(self) -> str:
        if self.token is None or self.token[0] != "word":
            raise Invalid
        word = self.token[1]
        self._next()
        return word

    def _takes(self, sign: str) -> bool:
        if self.token != ("sign", sign):
            return False
        self._next()
        return True

    def _next(self) -> None:
        if not self.text[self._at:].strip():
            self.token = None
            return
        found = _TOKEN.match(self.text, self._at)
        if found is None:
            raise Invalid
        self._at = found.end()
        self.token = found.lastgroup, found[found.lastgroup]
