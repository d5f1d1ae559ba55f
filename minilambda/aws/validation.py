"""A request against botocore's own model of the Lambda API, in AWS's words.

Stands for: the checks of *Common error types: ValidationException*: type, required, range, length,
pattern, enum.
Leaves out: what the model doesn't know (``registry``), and options not implemented (``options``).

The model is today's. Where a limits profile is narrower than the model, the profile's range is
what a value is held against.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape

from .. import errors
from ..limits import Limits

# Members whose range the limits profile sets: minimum, maximum, step.
_RANGES = {
    "memorySize": ("memory_min", "memory_max", "memory_step"),
    "timeout": ("timeout_min", "timeout_max", None),
    "ephemeralStorage.size": ("tmp_min", "tmp_max", None),
    "compatibleRuntimes": (None, "layer_runtimes", None),
}
_NAME_LENGTH = 64  # of a bare function name; the model's maximum is that of an ARN
# A function's unknown runtime has a sentence and an error type of its own (runtime_unknown).
_ENUM_ELSEWHERE = {"runtime"}
# AWS's lists of values are in an order of their own, where a record of it was found.
_ENUM_ORDER = {"startingPosition": ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")}
# Lists whose members' rules AWS names without the one about null.
_NULLS_ELSEWHERE = {"compatibleRuntimes", "compatibleArchitectures"}
_JSON_KINDS = {str: "STRING_VALUE", bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE",
               float: "NUMBER_VALUE"}


def check(operation: OperationModel, params: Mapping[str, Any], limits: Limits) -> None:
    """Raise ValidationException naming every violated constraint, as AWS does in one go."""
    violations = list(_structure(operation.input_shape, params, "", limits))
    if violations:
        raise errors.validation(violations)
    name = params.get("FunctionName") or ""
    if ":" not in name and len(name) > _NAME_LENGTH:  # AWS looks at this later than at all else
        raise errors.invalid("1 validation error detected: " + errors.violation(
            "functionName", name, "Member must have length less than or equal to "
            f"{_NAME_LENGTH}"))


def check_types(shape: Shape, value: Any) -> None:
    """Raise SerializationException where JSON holds another type than the model asks for."""
    kind = shape.type_name
    if value is None or kind == "blob":
        return
    if kind in ("structure", "map"):
        _expect(isinstance(value, dict), value, "Object")
        for name, item in value.items():
            member = shape.members.get(name) if kind == "structure" else shape.value
            if member is not None:
                check_types(member, item)
    elif kind == "list":
        _expect(isinstance(value, list), value, "List")
        for item in value:
            check_types(shape.member, item)
    elif kind == "string":
        _expect(isinstance(value, str), value, "a String")
    elif kind in ("integer", "long"):
        _expect(isinstance(value, int) and not isinstance(value, bool), value, "an Integer")
    elif kind in ("double", "float"):
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value, "a Double")
    elif kind == "boolean":
        _expect(isinstance(value, bool), value, "a Boolean")
    elif kind == "timestamp":
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value,
                "a Timestamp")


def _expect(fits: bool, value: Any, wanted: str) -> None:
    if not fits:
        found = _JSON_KINDS.get(type(value), "Start of structure or map")
        raise errors.unreadable_request(f"{found} can not be converted to {wanted}")


def _structure(shape: Shape, value: Mapping[str, Any], path: str,
               limits: Limits) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield errors.violation(_join(path, name), None, "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _value(member, value[name], _join(path, name), limits)


def _value(shape: Shape, value: Any, path: str, limits: Limits) -> Iterator[str]:
    kind = shape.type_name
    hidden = shape.metadata.get("sensitive", False)
    for constraint in _constraints(shape, value, path, limits):
        yield errors.violation(path, value, constraint, hidden=hidden)
    if kind == "structure":
        yield from _structure(shape, value, path, limits)
    elif kind == "list" and shape.member.type_name == "structure":
        for number, item in enumerate(value, 1):
            where = f"{path}.{number}.member"
            if item is None:
                yield errors.violation(where, None, "Member must not be null")
            else:
                yield from _structure(shape.member, item, where, limits)
    elif kind == "list":
        if any(_broken(shape.member, item, path, limits) for item in value):
            rules = ", ".join(_rules(shape.member))
            if path not in _NULLS_ELSEWHERE:
                rules += ", Member must not be null"
            # AWS words a layer's runtimes as if the list were one value.
            yield errors.violation(
                path, value, rules if path == "compatibleRuntimes" else
                f"Member must satisfy constraint: [{rules}]", hidden=hidden)
    elif kind == "map":
        for part, items, side in (("keys", value, shape.key), ("value", value.values(),
                                                               shape.value)):
            broken = [c for item in items if item is not None
                      for c in _constraints(side, item, path, limits)]
            if None in items:
                broken.append("Member must not be null")
            if broken:
                rules = ", ".join(_bounds(side) or broken[:1])
                yield errors.violation(path, value, f"Map {part} must satisfy constraint: [{rules}]",
                                       hidden=hidden)


def _constraints(shape: Shape, value: Any, path: str, limits: Limits) -> Iterator[str]:
    """The constraints that a value violates, as AWS words them."""
    meta, kind = shape.metadata, shape.type_name
    low, high, step = meta.get("min"), meta.get("max"), None
    if path in _RANGES:
        low, high, step = (name and getattr(limits, name) for name in _RANGES[path])
    if kind in ("integer", "long", "double", "float"):
        if low is not None and value < low:
            yield f"Member must have value greater than or equal to {low}"
        elif high is not None and value > high:
            yield f"Member must have value less than or equal to {high}"
        elif step and value % step:  # no record of AWS's own sentence was found for this one
            yield f"Member must have value that is a multiple of {step}"
    elif kind in ("string", "list", "map", "blob"):
        if low is not None and len(value) < low:
            yield f"Member must have length greater than or equal to {low}"
        if high is not None and len(value) > high:
            yield f"Member must have length less than or equal to {high}"
    if kind == "string":
        pattern = meta.get("pattern")
        if pattern and not compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
        enum = meta.get("enum")
        if enum and value not in enum and path not in _ENUM_ELSEWHERE:
            yield f"Member must satisfy enum value set: [{', '.join(_ENUM_ORDER.get(path, enum))}]"


def _bounds(shape: Shape) -> list[str]:
    """What AWS names together for a map's keys or values; nothing where it has a pattern only."""
    meta = shape.metadata
    if shape.type_name in ("double", "float"):
        return [f"Member must have value less than or equal to {float(meta['max'])}",
                f"Member must have value greater than or equal to {float(meta['min'])}",
                "Member must not be null"]
    return [*_rules(shape), "Member must not be null"] if "max" in meta else []


def _broken(shape: Shape, value: Any, path: str, limits: Limits) -> bool:
    return value is None or next(
        _constraints(shape, value, f"{path}.member", limits), None) is not None


def _rules(shape: Shape) -> Iterator[str]:
    """Every rule for a list's members, which AWS names all when one member breaks one."""
    meta = shape.metadata
    if "max" in meta:
        yield f"Member must have length less than or equal to {meta['max']}"
    if "min" in meta:
        yield f"Member must have length greater than or equal to {meta['min']}"
    if "pattern" in meta:
        yield f"Member must satisfy regular expression pattern: {meta['pattern']}"
    if "enum" in meta:
        yield f"Member must satisfy enum value set: [{', '.join(meta['enum'])}]"


def _join(path: str, member: str) -> str:
    name = member[0].lower() + member[1:]
    return f"{path}.{name}" if path else name


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the model. Its Unicode classes (letters, digits, separators) in Python's way."""
    for unicode_class, ours in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(unicode_class, ours)
    return re.compile(pattern)
