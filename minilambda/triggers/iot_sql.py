"""AWS IoT SQL: what a topic rule selects of a message, and whether it wants it.

Stands for: the SQL of topic rules. AWS pages: *AWS IoT SQL reference*, *SELECT clause*, *Operators*,
*Functions*, *Topic filters*.
Leaves out, and refuses: CASE, IN, SELECT VALUE, literal objects and arrays, nested queries, indexing with
brackets, and functions that aren't in ``iot_sql_functions``. A computed value needs an alias.

Why no library: pyparsing is installed, with moto. The grammar is a ladder of six rungs, though, and an
error that says which word was wrong takes more of it than the ladder does.

What isn't there is Undefined, and so is what comes of it: it is left out of the result, and no message is
wanted for it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .iot_sql_functions import FUNCTIONS, UNDEFINED, Message, Wrong, number, text

__all__ = ["Message", "Query", "SqlParseError", "Unselectable", "matches", "parse", "substitute"]

_TOKEN = re.compile(r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<string>'(?:[^']|'')*')|
    (?P<word>[A-Za-z_$][\w$]*)|(?P<sign><>|<=|>=|!=|[-+*/%=<>(),.]))""", re.VERBOSE)
_WORDS = {"select", "from", "where", "as", "and", "or", "not", "true", "false", "null", "in", "case",
          "value"}
Value = Any
Expression = Callable[[Message], Value]


class SqlParseError(ValueError):
    """A statement that isn't one; the message says where."""


class Unselectable(ValueError):
    """A message that the statement can't be applied to."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement. ``items``: (alias, expression); an alias None stands for ``*``."""

    items: tuple[tuple[str | None, Expression], ...]
    filter: str
    where: Expression | None

    def wants(self, message: Message) -> bool:
        if not matches(self.filter, message.topic):
            return False
        return self.where is None or _boolean(self.where(message)) is True

    def select(self, message: Message) -> Value:
        """Raises:
            Unselectable: ``*`` of a payload that isn't JSON.
        """
        found: dict[str, Value] = {}
        for alias, expression in self.items:
            if alias is not None:
                value = expression(message)
                if value is not UNDEFINED:
                    found[alias] = value
                continue
            if message.value is UNDEFINED:
                raise Unselectable("the payload is not JSON: encode(*, 'base64') selects it as it is")
            if len(self.items) == 1:
                return message.value
            if isinstance(message.value, dict):
                found |= message.value
        return found


def parse(sql: str) -> Query:
    """Raises:
        SqlParseError: it isn't AWS IoT SQL, or not the part of it that there is here.
    """
    return _Parser(sql).query()


def substitute(template: str, message: Message) -> str:
    """A parameter of an action with its ``${...}`` filled in. What is Undefined is shown as that.

    Raises:
        SqlParseError: something between the braces isn't an expression.
    """
    return re.sub(r"\$\{([^}]*)\}", lambda found: text(_Parser(found[1]).whole()(message)), template)


def check_filter(pattern: str) -> None:
    levels = pattern.split("/")
    if not pattern or any("+" in one and one != "+" or "#" in one and (one != "#" or i < len(levels) - 1)
                          for i, one in enumerate(levels)):
        raise SqlParseError(f"'{pattern}' is no topic filter")


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter takes a topic: ``+`` is one level, ``#`` all that follow."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] != levels[0]:
        return False  # AWS's own topics have to be asked for by name
    for position, one in enumerate(wanted):
        if one == "#":
            return True
        if position >= len(levels) or one not in ("+", levels[position]):
            return False
    return len(wanted) == len(levels)


class _Parser:
    def __init__(self, sql: str) -> None:
        self.sql, self.tokens, self.position = sql, list[tuple[str, str, int]](), 0
        at = 0
        while at < len(sql.rstrip()):
            found = _TOKEN.match(sql, at)
            if found is None:
                raise SqlParseError(f"Unexpected character at position {at + 1}: {sql[at:at + 10]!r}")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind) + 1))
            at = found.end()

    # -- statements ----------------------------------------------------------------------------------

    def query(self) -> Query:
        self._expect("select")
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect("from")
        pattern = self._string()
        check_filter(pattern)
        where = self._or() if self._take("where") else None
        self._end()
        return Query(tuple(items), pattern, where)

    def whole(self) -> Expression:
        found = self._or()
        self._end()
        return found

    def _item(self) -> tuple[str | None, Expression]:
        if self._take("*"):
            if self._take("as"):
                return self._name(), _payload
            return None, _payload
        start = self.position
        expression = self._or()
        words = self.tokens[start:self.position]
        if self._take("as"):
            return self._name(), expression
        if all(kind == "word" or word == "." for kind, word, _ in words):
            return words[-1][1], expression
        raise self._wrong("a computed value needs an alias (AS name)")

    # -- expressions, from what binds least to what binds most -----------------------------------------

    def _or(self) -> Expression:
        left = self._and()
        while self._take("or"):
            left = _logic(left, self._and(), decisive=True)
        return left

    def _and(self) -> Expression:
        left = self._not()
        while self._take("and"):
            left = _logic(left, self._not(), decisive=False)
        return left

    def _not(self) -> Expression:
        if self._take("not"):
            inner = self._not()
            return lambda m: UNDEFINED if (b := _boolean(inner(m))) is UNDEFINED else not b
        left = self._sum()
        for sign in ("=", "<>", "!=", "<=", ">=", "<", ">"):
            if self._take(sign):
                return _comparison(sign, left, self._sum())
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while (sign := self._take("+", "-")) is not None:
            left = _arithmetic(sign, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while (sign := self._take("*", "/", "%")) is not None:
            left = _arithmetic(sign, left, self._unary())
        return left

    def _unary(self) -> Expression:
        if self._take("-"):
            return _arithmetic("-", lambda m: 0, self._unary())
        return self._atom()

    def _atom(self) -> Expression:
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        kind, word, _ = self._peek()
        lower = word.lower()
        if kind == "string":
            literal: Value = self._string()
        elif kind == "number":
            self.position += 1
            literal = int(word) if word.isdigit() else float(word)
        elif kind == "word" and lower in ("true", "false", "null"):
            self.position += 1
            literal = {"true": True, "false": False, "null": None}[lower]
        elif kind == "word" and lower not in _WORDS:
            return self._path_or_call()
        else:
            raise self._wrong("an expression is expected")
        return lambda m: literal

    def _path_or_call(self) -> Expression:
        name = self._name()
        if self._take("("):
            return self._call(name)
        path = [name]
        while self._take("."):
            path.append(self._name(reserved=True))

        def look(message: Message) -> Value:
            value = message.value
            for one in path:
                value = value.get(one, UNDEFINED) if isinstance(value, dict) else UNDEFINED
            return value

        return look

    def _call(self, name: str) -> Expression:
        if name.lower() not in FUNCTIONS:
            raise self._wrong(f"there is no function {name}() (here)")
        function, counts = FUNCTIONS[name.lower()]
        arguments: list[Expression] = []
        if not self._take(")"):
            while True:
                if name.lower() == "encode" and not arguments and self._take("*"):
                    arguments.append(lambda m: m.payload)
                else:
                    arguments.append(self._or())
                if not self._take(","):
                    break
            self._expect(")")
        if len(arguments) not in counts:
            raise self._wrong(f"{name}() doesn't take {len(arguments)} arguments")

        def call(message: Message) -> Value:
            try:
                return function(message, *(one(message) for one in arguments))
            except (Wrong, ArithmeticError, ValueError):
                return UNDEFINED

        return call

    # -- tokens --------------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, str, int]:
        return (self.tokens[self.position] if self.position < len(self.tokens)
                else ("end", "", len(self.sql) + 1))

    def _take(self, *wanted: str) -> str | None:
        kind, word, _ = self._peek()
        if kind in ("word", "sign") and word.lower() in wanted:
            self.position += 1
            return word.lower()
        return None

    def _expect(self, wanted: str) -> None:
        if self._take(wanted) is None:
            raise self._wrong(f"{wanted.upper()} is expected")

    def _string(self) -> str:
        kind, word, _ = self._peek()
        if kind != "string":
            raise self._wrong("a string in single quotes is expected")
        self.position += 1
        return word[1:-1].replace("''", "'")

    def _name(self, reserved: bool = False) -> str:
        kind, word, _ = self._peek()
        if kind != "word" or (word.lower() in _WORDS and not reserved):
            raise self._wrong("a name is expected")
        self.position += 1
        return word

    def _end(self) -> None:
        if self._peek()[0] != "end":
            raise self._wrong("nothing more is expected")

    def _wrong(self, what: str) -> SqlParseError:
        _, word, at = self._peek()
        return SqlParseError(f"{what} at position {at}, but there is {word or 'the end'!r}")


def _payload(message: Message) -> Value:
    return message.value


def _boolean(value: Value) -> Value:
    """Strings may say it, in any case; all else that is no Boolean is Undefined."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), UNDEFINED)
    return value if isinstance(value, bool) else UNDEFINED


def _logic(left: Expression, right: Expression, decisive: bool) -> Expression:
    def both(message: Message) -> Value:
        values = _boolean(left(message)), _boolean(right(message))
        if UNDEFINED in values:
            return UNDEFINED
        return decisive if decisive in values else not decisive

    return both


_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_CALCULATE = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def _comparison(sign: str, left: Expression, right: Expression) -> Expression:
    def compare(message: Message) -> Value:
        a, b = left(message), right(message)
        if a is UNDEFINED or b is UNDEFINED:
            return UNDEFINED
        if sign in ("=", "<>", "!="):
            same = isinstance(a, bool) == isinstance(b, bool) and a == b  # 1 isn't true
            return same == (sign == "=")
        if isinstance(a, str) and isinstance(b, str):
            return _COMPARE[sign](a, b)
        try:
            return _COMPARE[sign](number(a), number(b))
        except Wrong:
            return UNDEFINED

    return compare


def _arithmetic(sign: str, left: Expression, right: Expression) -> Expression:
    def calculate(message: Message) -> Value:
        a, b = left(message), right(message)
        if a is UNDEFINED or b is UNDEFINED:
            return UNDEFINED
        if sign == "+" and (isinstance(a, str) or isinstance(b, str)):
            return text(a) + text(b)
        try:
            x, y = number(a), number(b)
            if sign == "%":
                return int(x) % int(y)
            if sign == "/" and isinstance(x, int) and isinstance(y, int) and x % y == 0:
                return x // y
            return _CALCULATE[sign](x, y)
        except (Wrong, ArithmeticError):
            return UNDEFINED

    return calculate
