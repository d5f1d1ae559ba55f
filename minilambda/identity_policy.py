"""Whether a principal's own policies allow an action: IAM's evaluation, as far as it is needed.

Stands for: the evaluation of identity-based policies. AWS pages: *Policy evaluation logic*; *IAM JSON
policy elements reference*.
Leaves out: policies of resources, session policies, service control policies, policy variables,
conditions on numbers, dates and addresses (a statement that has one doesn't allow; it does deny).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

Document = Mapping[str, Any]  # a policy, read from its JSON


def allows(documents: Iterable[Document], action: str, resource: str,
           facts: Mapping[str, str] | None = None) -> bool:
    """Whether some statement allows it and none denies it.

    Args:
        action: ``sqs:SendMessage``; upper and lower case don't matter.
        resource: an ARN.
        facts: condition keys and their values (``aws:SourceArn``).
    """
    known = {name.lower(): value for name, value in (facts or {}).items()}
    allowed = False
    for document in documents:
        for statement in _list(document.get("Statement")):
            if not _concerns(statement, action, resource):
                continue
            denies = statement.get("Effect") == "Deny"
            if not _holds(statement.get("Condition") or {}, known, unknown=denies):
                continue
            if denies:
                return False
            allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def _concerns(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    def listed(member: str, value: str, fold: Callable[[str], str]) -> bool:
        return any(_like(fold(pattern), fold(value)) for pattern in _list(statement.get(member)))

    if "NotAction" in statement:
        if listed("NotAction", action, str.lower):
            return False
    elif not listed("Action", action, str.lower):
        return False
    if "NotResource" in statement:
        return not listed("NotResource", resource, str)
    return listed("Resource", resource, str)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringLike": lambda pattern, value: _like(pattern, value),
    "ArnEquals": lambda pattern, value: _like(pattern, value),
    "ArnLike": lambda pattern, value: _like(pattern, value),
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}


def _holds(condition: Mapping[str, Any], facts: Mapping[str, str], unknown: bool) -> bool:
    """Whether all of a statement's conditions hold. ``unknown``: for one that isn't known here."""
    for operator, wanted in condition.items():
        name = operator.removesuffix("IfExists")
        plain = name.replace("Not", "", 1) if name.startswith(("StringNot", "ArnNot")) else name
        for key, values in wanted.items():
            value = facts.get(key.lower())
            values = [str(v).lower() if isinstance(v, bool) else str(v) for v in _list(values)]
            if name == "Null":
                if ("true" in values) != (value is None):
                    return False
            elif plain not in _OPERATORS:
                if not unknown:
                    return False
            elif value is None:
                if name == plain and name == operator:  # a negated one holds for what isn't there
                    return False
            elif any(_OPERATORS[plain](v, value) for v in values) != (name == plain):
                return False
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _like(pattern: str, value: str) -> bool:
    """``*`` for any characters, ``?`` for one."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
