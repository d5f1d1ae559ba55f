"""Whether a queue's or a topic's policy lets a service in.

Stands for: the evaluation of resource-based policies, for a service that asks. AWS page: *Policy
evaluation logic*.
Leaves out: NotPrincipal (such a statement concerns nobody).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..identity_policy import allows


def lets(document: str | None, service: str, action: str, resource: str,
         facts: Mapping[str, str]) -> bool:
    """Whether ``service`` (``s3.amazonaws.com``) may do ``action`` to ``resource`` (an ARN)."""
    try:
        statements = json.loads(document or "{}").get("Statement") or []
    except (ValueError, AttributeError):
        return False
    if isinstance(statements, dict):
        statements = [statements]
    concerned = [s for s in statements if _concerns(s.get("Principal"), service)]
    return allows([{"Statement": concerned}], action, resource, facts)


def _concerns(principal: Any, service: str) -> bool:
    if isinstance(principal, dict):
        services, accounts = principal.get("Service", []), principal.get("AWS", [])
        return service in _list(services) or "*" in _list(accounts) + _list(services)
    return principal == "*"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
