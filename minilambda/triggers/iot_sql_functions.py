"""The functions of AWS IoT SQL that there are here.

Stands for: some of those of the AWS page *Functions* (AWS IoT Core): of numbers abs, ceil, floor, mod,
power, round, sign, sqrt; of strings concat, endswith, indexof, length, lower, ltrim,
regexp_matches, rtrim, startswith, substring, trim, upper; of a message accountid, clientid, newuuid,
timestamp, topic; and encode, get, isnull, isundefined. Another one is a parse error.
Leaves out: that decimals have fifteen digits.
"""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


class _Undefined:
    def __repr__(self) -> str:
        return "Undefined"


UNDEFINED: Final = _Undefined()


class Wrong(Exception):
    """An argument that a function doesn't take: its value is Undefined."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a statement sees it. ``value``: the payload's JSON, or Undefined."""

    topic: str
    payload: bytes
    value: Any
    at_ms: int
    account: str
    uuid: Callable[[], str]
    client: str = "N/A"  # what clientid() says of a message that came by HTTPS


def number(value: Any) -> int | float:
    """A number, or a string that is one."""
    if isinstance(value, str):
        if re.fullmatch(r"-?\d+", value):
            return int(value)
        if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value):
            return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong
    return value


def text(value: Any) -> str:
    """A value as a string: Booleans as ``true``, what isn't there as ``Undefined``."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return str(value)


def _string(value: Any) -> str:
    if value is UNDEFINED or value is None:
        raise Wrong
    return text(value)


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda message, *values: function(*map(number, values))


def _stringy(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda message, *values: function(*map(_string, values))


def _topic(message: Message, level: Any = None) -> Any:
    if level is None:
        return message.topic
    levels, wanted = message.topic.split("/"), int(number(level))
    return levels[wanted - 1] if 1 <= wanted <= len(levels) else UNDEFINED


def _get(message: Message, container: Any, key: Any) -> Any:
    if isinstance(container, dict):
        return container.get(text(key), UNDEFINED)
    position = int(number(key))
    if isinstance(container, list | str) and 0 <= position < len(container):
        return container[position]
    return UNDEFINED


def _substring(message: Message, value: Any, start: Any, end: Any = None) -> str:
    string, last = _string(value), None if end is None else max(0, int(number(end)))
    return string[max(0, int(number(start))):last]


def _encode(message: Message, value: Any, scheme: Any) -> str:
    if scheme != "base64":
        raise Wrong
    return b64encode(value if isinstance(value, bytes) else _string(value).encode()).decode()


def _half_up(value: float) -> int:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


# name: (function of the message and its arguments, how many arguments it takes)
FUNCTIONS: dict[str, tuple[Callable[..., Any], range]] = {
    "abs": (_numeric(abs), range(1, 2)),
    "ceil": (_numeric(math.ceil), range(1, 2)),
    "floor": (_numeric(math.floor), range(1, 2)),
    "mod": (_numeric(lambda a, b: math.fmod(a, b) if isinstance(a + b, float)
                     else int(math.fmod(a, b))), range(2, 3)),
    "power": (_numeric(lambda a, b: float(a) ** float(b)), range(2, 3)),
    "round": (_numeric(_half_up), range(1, 2)),
    "sign": (_numeric(lambda a: (a > 0) - (a < 0)), range(1, 2)),
    "sqrt": (_numeric(math.sqrt), range(1, 2)),
    "concat": (_stringy(lambda *s: "".join(s)), range(1, 50)),
    "endswith": (_stringy(str.endswith), range(2, 3)),
    "indexof": (_stringy(str.find), range(2, 3)),
    "length": (_stringy(len), range(1, 2)),
    "lower": (_stringy(str.lower), range(1, 2)),
    "ltrim": (_stringy(str.lstrip), range(1, 2)),
    "regexp_matches": (_stringy(lambda s, r: re.search(r, s) is not None), range(2, 3)),
    "rtrim": (_stringy(str.rstrip), range(1, 2)),
    "startswith": (_stringy(str.startswith), range(2, 3)),
    "substring": (_substring, range(2, 4)),
    "trim": (_stringy(str.strip), range(1, 2)),
    "upper": (_stringy(str.upper), range(1, 2)),
    "accountid": (lambda m: m.account, range(1)),
    "clientid": (lambda m: m.client, range(1)),
    "newuuid": (lambda m: m.uuid(), range(1)),
    "timestamp": (lambda m: m.at_ms, range(1)),
    "topic": (_topic, range(2)),
    "encode": (_encode, range(2, 3)),
    "get": (_get, range(2, 3)),
    "isnull": (lambda m, value: value is None, range(1, 2)),
    "isundefined": (lambda m, value: value is UNDEFINED, range(1, 2)),
}
