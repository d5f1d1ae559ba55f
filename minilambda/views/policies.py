"""What a policy document says about one request: allowed, denied, not mentioned, or can't be told.

Stands for: how AWS decides by identity and resource policies. AWS page: *Policy evaluation logic*.
Leaves out: permissions boundaries, session policies, organizations' policies; conditions on anything
but the source's ARN and account, of which it says that it can't tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"  # by a statement with the effect Deny
    SILENT = "silent"  # no statement allows it, so it is refused
    UNSURE = "unsure"  # it hangs on a condition that isn't looked at here


@dataclass(frozen=True, slots=True)
class Request:
    """What would be asked. ``principal``: an AWS service (``sns.amazonaws.com``) or an ARN."""

    action: str
    resource: str
    principal: str | None = None  # None: the policy is the principal's own
    source_arn: str | None = None
    source_account: str | None = None


def judge(documents: Iterable[str | Mapping[str, Any] | None], request: Request) -> Verdict:
    """The verdict of some policy documents together (JSON text, or as boto3 gives them)."""
    allowed, unsure_allow, unsure_deny = False, False, False
    for statement in (s for document in documents for s in statements(document)):
        if not _speaks_of(statement, request):
            continue
        holds = _conditions_hold(statement.get("Condition", {}), request)
        if statement.get("Effect") == "Deny":
            if holds:
                return Verdict.DENIED
            unsure_deny |= holds is None
        else:
            allowed |= holds is True
            unsure_allow |= holds is None
    if allowed:
        return Verdict.UNSURE if unsure_deny else Verdict.ALLOWED
    return Verdict.UNSURE if unsure_allow else Verdict.SILENT


def statements(document: str | Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The statements of a document; none of one that isn't there or is no JSON."""
    if isinstance(document, str):
        try:
            document = json.loads(document if document.lstrip().startswith("{")
                                  else unquote(document))
        except ValueError:
            return []
    return listed((document or {}).get("Statement"))


def listed(value: Any) -> list[Any]:
    """As a list what a policy may write as a list or as a single value."""
    return value if isinstance(value, list) else [] if value is None else [value]


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """IAM's wildcards: ``*`` for any characters, ``?`` for one."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.IGNORECASE if ignore_case else 0) is not None


def _speaks_of(statement: Mapping[str, Any], request: Request) -> bool:
    return (_named(statement, "Action", request.action, True)
            and _named(statement, "Resource", request.resource, False)
            and (request.principal is None or _is_principal(statement, request)))


def _named(statement: Mapping[str, Any], field: str, value: str, ignore_case: bool) -> bool:
    if field == "Resource" and not {"Resource", "NotResource"} & statement.keys():
        return True  # a trust policy is about the role that has it
    if f"Not{field}" in statement:
        return not any(matches(p, value, ignore_case=ignore_case)
                       for p in listed(statement[f"Not{field}"]))
    return any(matches(p, value, ignore_case=ignore_case) for p in listed(statement.get(field)))


def _is_principal(statement: Mapping[str, Any], request: Request) -> bool:
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return principal == "*"
    who = [p for kind in ("Service", "AWS") for p in listed(principal.get(kind))]
    return "*" in who or request.principal in who


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], request: Request) -> bool | None:
    """None: there is a condition that isn't looked at here."""
    known = {"aws:sourcearn": request.source_arn, "aws:sourceaccount": request.source_account}
    found: bool | None = True
    for operator, tests in conditions.items():
        operator = operator.removesuffix("IfExists")
        for key, wanted in tests.items():
            if key.lower() == "aws:sourceowner" and request.source_arn is not None:
                return False  # SNS's default policy: the owner's own calls, not a service's
            value = known.get(key.lower())
            if value is None or operator not in ("ArnEquals", "ArnLike", "StringEquals",
                                                 "StringLike"):
                found = None if found else found
                continue
            like = operator != "StringEquals"  # ArnEquals knows wildcards too
            if not any(matches(w, value) if like else w == value for w in listed(wanted)):
                return False
    return found
