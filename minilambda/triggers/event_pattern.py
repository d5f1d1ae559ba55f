"""Event patterns: which may be set, and which events they match.

Stands for: the patterns of EventBridge's rules. AWS pages: *Creating Amazon EventBridge event patterns*,
*Comparison operators for use in event patterns in Amazon EventBridge*, *TestEventPattern*.
Leaves out: where in the text of a pattern the mistake is (AWS's messages end in a line and a column).

An array in an event matches if one of its elements does. Of an array of objects it is one and the same
element that has to match all that a pattern says of it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound, "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound, ">=": lambda value, bound: value >= bound}
_NUMBERS_OF = 5e9  # a number in a comparison is between this and its negative


class Refused(Exception):
    """A pattern that EventBridge doesn't take, in its words (what comes after *Reason:*)."""


class Number(float):
    """A number as it is written: 300, 300.0 and 3.0e2 are three different ones, unless compared."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A pattern that has been looked at. Made by :meth:`parse`."""

    pattern: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> EventPattern:
        """Raises:
            Refused: it isn't one.
        """
        try:
            pattern = load(text)
        except ValueError as error:
            raise Refused("Invalid JSON") from error
        if not isinstance(pattern, dict):
            raise Refused("Filter is not an object")
        _check(pattern)
        return cls(pattern)

    def matches(self, event: Mapping[str, Any]) -> bool:
        """``event`` was read by :func:`load`."""
        return _holds(self.pattern, event)


def load(text: str) -> Any:
    """Read JSON so that numbers keep their spelling.

    Raises:
        ValueError: it isn't JSON.
    """
    def no_constant(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=no_constant)


# -- does it match? -------------------------------------------------------------------------------------

def _holds(pattern: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds(pattern, element) for element in value)
    for key, wanted in pattern.items():
        if _is_choice(key, wanted):
            if not any(_holds(one, value) for one in wanted):
                return False
            continue
        found = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
        if isinstance(wanted, dict):
            # (a pattern of an object that isn't there may still say that its members aren't)
            if not _holds(wanted, {} if found is _ABSENT else found):
                return False
        elif not any(_fits(one, list(_leaves(found))) for one in wanted):
            return False
    return True


def _is_choice(key: str, wanted: Any) -> bool:
    return key == "$or" and isinstance(wanted, list)


def _leaves(value: Any) -> Iterator[Any]:
    """The values of a member: those of its arrays' elements. An object isn't one."""
    if isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    elif value is not _ABSENT and not isinstance(value, dict):
        yield value


def _fits(wanted: Any, values: list[Any]) -> bool:
    if isinstance(wanted, dict):
        (operator, operand), = wanted.items()
        if operator == "exists":
            return bool(values) == operand
        return any(_compared(operator, operand, value) for value in values)
    return any(_same(wanted, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Number) and isinstance(value, Number):
        return wanted.text == value.text
    return type(wanted) is type(value) and wanted == value


def _compared(operator: str, operand: Any, value: Any) -> bool:
    if operator == "anything-but":
        if isinstance(operand, dict):
            (inner, given), = operand.items()
            return isinstance(value, str) and not any(
                _compared(inner, one, value) for one in _list(given))
        return not any(_same(one, value) for one in _list(operand))
    if operator == "numeric":
        return isinstance(value, Number) and all(
            _COMPARE[sign](value, bound)
            for sign, bound in zip(operand[::2], operand[1::2], strict=True))
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):  # {"prefix": {"equals-ignore-case": …}}
        operand, value = operand["equals-ignore-case"].lower(), value.lower()
    match operator:
        case "prefix":
            return value.startswith(operand)
        case "suffix":
            return value.endswith(operand)
        case "equals-ignore-case":
            return value.lower() == operand.lower()
        case "wildcard":
            return _wildcard(operand).fullmatch(value) is not None
        case _:  # cidr
            return _is_in(value, operand)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _wildcard(text: str) -> re.Pattern[str]:
    parts = ("".join(".*" if one == "*" else re.escape(one[-1]) for one in re.findall(
        r"\\.|.", text, re.DOTALL)))
    return re.compile(parts, re.DOTALL)


def _is_in(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


# -- may it be set? -------------------------------------------------------------------------------------

def _check(pattern: Mapping[str, Any]) -> None:
    if not pattern:
        raise Refused("Empty objects are not allowed")
    for key, wanted in pattern.items():
        if _is_choice(key, wanted):
            if len(wanted) < 2 or not all(isinstance(one, dict) for one in wanted):
                raise Refused("There must have at least 2 Objects in $or relationship.")
            for one in wanted:
                _check(one)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list):
            raise Refused(f'"{key}" must be an object or an array')
        elif not wanted:
            raise Refused("Empty arrays are not allowed")
        else:
            for one in wanted:
                _check_value(one)


def _check_value(wanted: Any) -> None:
    if isinstance(wanted, list):
        raise Refused("Match value must be String, number, true, false, or null")
    if not isinstance(wanted, dict):
        return
    if len(wanted) != 1:
        raise Refused("Only one key allowed in match expression")
    (operator, operand), = wanted.items()
    check = _CHECKS.get(operator)
    if check is None:
        raise Refused(f"Unrecognized match type {operator}")
    check(operator, operand)


def _check_string(operator: str, operand: Any) -> None:
    if not isinstance(operand, str):
        raise Refused(f"{operator} match pattern must be a string")


def _check_edge(operator: str, operand: Any) -> None:
    if isinstance(operand, dict):
        if set(operand) != {"equals-ignore-case"}:
            raise Refused(f"{operator} match pattern must be a string")
        operand = operand["equals-ignore-case"]
    _check_string(operator, operand)


def _check_exists(operator: str, operand: Any) -> None:
    if not isinstance(operand, bool):
        raise Refused("exists match pattern must be either true or false.")


def _check_wildcard(operator: str, operand: Any) -> None:
    _check_string(operator, operand)
    if "**" in re.sub(r"\\.", "", operand):
        raise Refused("Consecutive wildcard characters are not allowed")
    if re.sub(r"\\[*\\]", "", operand).count("\\"):
        raise Refused("Invalid escape character")


def _check_cidr(operator: str, operand: Any) -> None:
    try:
        if "/" not in operand:
            raise ValueError(operand)
        ipaddress.ip_network(operand, strict=False)
    except (ValueError, TypeError) as error:
        raise Refused(f"Malformed CIDR, one '/' required: {operand}" if "/" not in str(operand)
                      else f"Malformed CIDR: {operand}") from error


def _check_anything_but(operator: str, operand: Any) -> None:
    if isinstance(operand, dict):
        if len(operand) != 1 or not set(operand) <= {
                "prefix", "suffix", "equals-ignore-case", "wildcard"}:
            raise Refused(f"Unsupported anything-but pattern: {', '.join(operand)}")
        (inner, given), = operand.items()
        if not _list(given):
            raise Refused("Empty arrays are not allowed")
        for one in _list(given):
            (_check_wildcard if inner == "wildcard" else _check_string)(inner, one)
        return
    values = _list(operand)
    if not values:
        raise Refused("Empty arrays are not allowed")
    if not all(isinstance(one, str | Number) for one in values):
        raise Refused("Inside anything but list, start|null|boolean is not supported.")
    if len({isinstance(one, str) for one in values}) > 1:
        raise Refused("Inside anything but list, either all values are number or string, mixed type "
                      "is not supported")


def _check_numeric(operator: str, operand: Any) -> None:
    if not isinstance(operand, list):
        raise Refused("Value of numeric must be an array.")
    if not operand:
        raise Refused("Invalid member in numeric match: ]")
    signs, bounds = operand[::2], operand[1::2]
    for sign in signs:
        if not isinstance(sign, str) or sign not in _COMPARE:
            raise Refused(f"Unrecognized numeric range operator: {sign}")
    if len(bounds) != len(signs) or not all(isinstance(bound, Number) for bound in bounds):
        raise Refused(f"Value of {signs[-1]} must be numeric")
    if any(abs(bound) > _NUMBERS_OF for bound in bounds):
        raise Refused("Value must be between -5.0E9 and 5.0E9")
    if len(signs) > 2 or (len(signs) == 2 and (signs[0][0] != ">" or signs[1][0] != "<")):
        raise Refused("Too many elements in numeric expression")
    if len(signs) == 2 and bounds[0] >= bounds[1]:
        raise Refused("Bottom must be less than top")


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "prefix": _check_edge, "suffix": _check_edge, "equals-ignore-case": _check_string,
    "exists": _check_exists, "wildcard": _check_wildcard, "cidr": _check_cidr,
    "anything-but": _check_anything_but, "numeric": _check_numeric}
