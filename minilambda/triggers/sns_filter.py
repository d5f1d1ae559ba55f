"""Filter policies of SNS subscriptions: which may be set, and which messages they let through.

Stands for: SNS's message filtering. AWS pages: *Amazon SNS subscription filter policies*, *Filter policy
constraints in Amazon SNS*, *String value matching*, *Numeric value matching*, *AND/OR logic*.
Leaves out: the 15 minutes until a change takes effect; where in the text of a policy AWS found a mistake
(its messages end in a line and a column).

On arrays AWS's page says two things of ``anything-but``. Its examples decide here: one element that isn't
listed is enough. Of an array of objects in a body, each property may be matched by another element.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"
KEYS, COMBINATIONS, BYTES = 5, 150, 256 * 1024
_MISSING = object()  # among the values of a property: it isn't there, or not everywhere
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: round(value, 5) == round(bound, 5),
    "<": lambda value, bound: value < bound, "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound, ">=": lambda value, bound: value >= bound}
_OF_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith, "suffix": str.endswith,
    "equals-ignore-case": lambda value, wanted: value.lower() == wanted.lower()}


class Refused(Exception):
    """A policy that SNS doesn't take, in its words (what comes after *Invalid parameter:*)."""


@dataclass(frozen=True, slots=True)
class FilterPolicy:
    policy: Mapping[str, Any]
    scope: str = ATTRIBUTES

    @classmethod
    def parse(cls, text: str, scope: str) -> FilterPolicy:
        """Raises:
            Refused: it isn't one.
        """
        try:
            policy = json.loads(text)
        except ValueError as error:
            raise Refused("FilterPolicy: failed to parse JSON.") from error
        check(policy, scope)
        if len(text.encode()) > BYTES:
            raise Refused("FilterPolicy: Filter policy is too large")
        return cls(policy, scope)

    def matches(self, attributes: Mapping[str, Mapping[str, Any]] | None, message: str) -> bool:
        """``attributes``: ``{"Type": "String", "Value": "x"}`` by name."""
        if not self.policy:
            return True
        if self.scope == ATTRIBUTES:
            found = {name: values for name, attribute in (attributes or {}).items()
                     if (values := _values_of(attribute)) is not None}
            return _holds(self.policy, lambda path: found.get(path, [_MISSING]), "")
        body = read_body(message)
        return body is not None and _holds(self.policy, lambda path: list(_at(body, path)), "")


def read_body(message: str) -> dict[str, Any] | None:
    """A body that can be filtered: a JSON object."""
    try:
        body = json.loads(message)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


# -- does it match? -------------------------------------------------------------------------------------

def _holds(policy: Mapping[str, Any], values: Callable[[str], Sequence[Any]], above: str) -> bool:
    """All of a policy's members. ``values``: of the property of that path, dots in between."""
    for key, wanted in policy.items():
        path = f"{above}.{key}" if above else key
        if _is_or(key, wanted):
            if not any(_holds(one, values, above) for one in wanted):
                return False
        elif isinstance(wanted, Mapping):
            if not _holds(wanted, values, path):
                return False
        elif not any(_fits(value, rule) for value in values(path) for rule in wanted):
            return False
    return True


def _is_or(key: str, wanted: Any) -> bool:
    """``$or`` with fewer than two is an ordinary property's name."""
    return (key == "$or" and isinstance(wanted, list) and len(wanted) > 1
            and all(isinstance(one, Mapping) for one in wanted))


def _values_of(attribute: Mapping[str, Any]) -> list[Any] | None:
    """What an attribute has to be compared; None: it doesn't count (binary data)."""
    kind, value = attribute["Type"], attribute["Value"]
    if kind == "String.Array":
        try:
            found = json.loads(value)
        except ValueError:
            return [value]
        return found if isinstance(found, list) else [found]
    if kind.startswith("Number"):
        return [float(value)]
    return [value] if kind.startswith("String") else None


def _at(value: Any, path: str, here: str = "") -> Iterator[Any]:
    """The values at a path: of each element of an array. ``_MISSING`` if some element has none."""
    if isinstance(value, list):
        if not value:
            yield _MISSING
        for one in value:
            yield from _at(one, path, here)
    elif isinstance(value, dict):
        lacking = True
        for key, member in value.items():
            where = f"{here}.{key}" if here else key
            if where == path or path.startswith(f"{where}."):
                found = list(_at(member, path, where))
                lacking = lacking and _MISSING in found
                yield from (one for one in found if one is not _MISSING)
        if lacking:
            yield _MISSING
    else:
        yield value if here == path else _MISSING


def _fits(value: Any, rule: Any) -> bool:
    if isinstance(rule, Mapping):
        (operator, wanted), = rule.items()
        if operator == "exists":
            return wanted == (value is not _MISSING)
        return value is not _MISSING and value is not None and _operated(value, operator, wanted)
    return _same(value, rule)


def _same(value: Any, wanted: Any) -> bool:
    if _is_number(value) and _is_number(wanted):
        return _COMPARE["="](value, wanted)
    return type(value) is type(wanted) and value == wanted


def _operated(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "anything-but":
        if isinstance(wanted, Mapping):
            return isinstance(value, str) and not value.startswith(wanted["prefix"])
        return not any(_same(value, one) for one in (
            wanted if isinstance(wanted, list) else [wanted]))
    if operator == "numeric":
        return _is_number(value) and all(
            _COMPARE[wanted[n]](value, wanted[n + 1]) for n in range(0, len(wanted), 2))
    if not isinstance(value, str):
        return False
    if operator == "cidr":
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(wanted)
        except ValueError:
            return False
    return _OF_STRINGS[operator](value, wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- may it be set? -------------------------------------------------------------------------------------

def check(policy: Any, scope: str) -> None:
    """Raises:
        Refused: a policy (as JSON has it) that SNS wouldn't take.
    """
    if not isinstance(policy, dict):
        raise Refused("FilterPolicy: Filter policy must be a JSON object")
    if len(policy) > KEYS:
        raise Refused(f"FilterPolicy: Filter policy can not have more than {KEYS} keys")
    if _combinations(policy, scope, 1, 1) > COMBINATIONS:
        raise Refused("FilterPolicy: Filter policy is too complex")


def _combinations(policy: Mapping[str, Any], scope: str, depth: int, so_far: int) -> int:
    """How many there are, counted as SNS does: a value in a nested property counts as often as it is
    deep, and the branches of ``$or`` add up."""
    if depth > 1 and scope == ATTRIBUTES:
        raise Refused("Filter policy scope MessageAttributes does not support nested filter policy")
    for key, wanted in policy.items():
        if isinstance(wanted, dict):
            so_far = _combinations(wanted, scope, depth + 1, so_far)
        elif not isinstance(wanted, list):
            raise Refused(f'FilterPolicy: "{key}" must be an object or an array')
        elif not wanted:
            raise Refused("FilterPolicy: Empty arrays are not allowed")
        elif _is_or(key, wanted):
            so_far = sum(_combinations(one, scope, depth, so_far) for one in wanted)
        else:
            for rule in wanted:
                _check_rule(rule)
            so_far *= len(wanted) * depth
    return so_far


def _check_rule(rule: Any) -> None:
    if rule is None or isinstance(rule, str | bool):
        return
    if isinstance(rule, int | float):
        return  # AWS's page says from -10**9 to 10**9; AWS takes others too
    if not isinstance(rule, dict):
        raise Refused("FilterPolicy: Match value must be String, number, true, false, or null")
    if len(rule) != 1:
        raise Refused("FilterPolicy: Only one key allowed in match expression")
    (operator, wanted), = rule.items()
    if operator in _OF_STRINGS:
        if not isinstance(wanted, str):
            raise Refused(f"FilterPolicy: {operator} match pattern must be a string")
    elif operator == "anything-but":
        _check_anything_but(wanted)
    elif operator == "exists":
        if not isinstance(wanted, bool):
            raise Refused("FilterPolicy: exists match pattern must be either true or false.")
    elif operator == "numeric":
        _check_numeric(wanted)
    elif operator == "cidr":
        _check_cidr(wanted)
    else:
        raise Refused(f"FilterPolicy: Unrecognized match type {operator}")


def _check_anything_but(wanted: Any) -> None:
    if isinstance(wanted, dict):
        for operator in wanted:
            if operator != "prefix":
                raise Refused(f"FilterPolicy: Unsupported anything-but pattern: {operator}")
        _check_rule(wanted)
        return
    for one in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(one, dict | list):
            raise Refused("FilterPolicy: Match value must be String, number, true, false, or null")


def _check_numeric(wanted: Any) -> None:
    def bound(operator: str) -> float:
        value = left.pop(0) if left else None
        if not _is_number(value):
            name = "equals" if operator == "=" else operator
            raise Refused(f"FilterPolicy: Value of {name} must be numeric")
        return value

    if not isinstance(wanted, list) or not wanted:
        raise Refused("FilterPolicy: Invalid member in numeric match: ]")
    left = list(wanted)
    operator = left.pop(0)
    if not isinstance(operator, str):
        raise Refused(f"FilterPolicy: Invalid member in numeric match: {operator}")
    if operator not in _COMPARE:
        raise Refused(f"FilterPolicy: Unrecognized numeric range operator: {operator}")
    bottom = bound(operator)
    if not left:
        return
    if operator not in (">", ">="):
        raise Refused("FilterPolicy: Too many elements in numeric expression")
    second = left.pop(0)
    if not isinstance(second, str):
        raise Refused(f"FilterPolicy: Bad value in numeric range: {second}")
    if second not in ("<", "<="):
        raise Refused(f"FilterPolicy: Bad numeric range operator: {second}")
    if bound(second) <= bottom:
        raise Refused("FilterPolicy: Bottom must be less than top")
    if left:
        raise Refused("FilterPolicy: Too many terms in numeric range expression")


def _check_cidr(wanted: Any) -> None:
    if not isinstance(wanted, str):
        raise Refused("FilterPolicy: prefix match pattern must be a string")  # so AWS says of cidr
    if wanted.count("/") != 1:
        raise Refused("FilterPolicy: Malformed CIDR, one '/' required")
    address, bits = wanted.split("/")
    if not bits.isdecimal():
        raise Refused("FilterPolicy: Malformed CIDR, mask bits must be an integer")
    try:
        ipaddress.ip_network(wanted)
    except ValueError as error:
        raise Refused(f"FilterPolicy: Nonstandard IP address: {address}") from error
