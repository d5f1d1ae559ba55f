"""A resource's policy, as data: its statements by their ids, and its revision.

Stands for: the resource-based policy of a function, a version, an alias or a layer version.
AWS page: *Using resource-based policies for Lambda*.
Leaves out: statements that Deny, and conditions that the Lambda API itself can't write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Self

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wants to do what: a service (``s3.amazonaws.com``) or an account, and on whose behalf.

    ``source_arn`` and ``source_account``: of the resource for which a service asks.
    """

    action: str
    service: str | None = None
    account: str | None = None
    organization: str | None = None
    source_arn: str | None = None
    source_account: str | None = None
    event_source_token: str | None = None
    principal: str | None = None  # the ARN of a user, a role or a session of ``account``
    url_auth_type: str | None = None  # of the function URL by which somebody comes
    via_url: str | None = None  # "true" if so


@dataclass(frozen=True, slots=True)
class Policy:
    """``statements``: by their ids, in the order in which they were added."""

    revision_id: str
    statements: tuple[tuple[str, Statement], ...] = ()

    def __contains__(self, statement_id: str) -> bool:
        return any(sid == statement_id for sid, _ in self.statements)

    def with_statement(self, statement: Statement, revision_id: str) -> Self:
        return replace(self, revision_id=revision_id,
                       statements=(*self.statements, (statement["Sid"], statement)))

    def without(self, statement_id: str, revision_id: str) -> Self:
        left = tuple(item for item in self.statements if item[0] != statement_id)
        return replace(self, revision_id=revision_id, statements=left)

    def document(self) -> str:
        """The policy as JSON, as AWS prints it."""
        return json.dumps({"Version": "2012-10-17", "Id": "default",
                           "Statement": [statement for _, statement in self.statements]},
                          separators=(",", ":"))

    def lets(self, asking: Asking) -> bool:
        """Whether any statement allows it."""
        return any(_allows(statement, asking) for _, statement in self.statements)


def _allows(statement: Statement, asking: Asking) -> bool:
    if not fnmatchcase(asking.action, statement["Action"]):
        return False
    principal = statement["Principal"]
    if principal != "*":
        service, arn = principal.get("Service"), principal.get("AWS", "")
        if service is not None:
            if service != asking.service:
                return False
        elif asking.account is None or arn not in (
                "*", asking.account, f"arn:aws:iam::{asking.account}:root", asking.principal,
                _role_of(asking.principal)):
            return False
    facts = {"aws:principalorgid": asking.organization, "aws:sourcearn": asking.source_arn,
             "aws:sourceaccount": asking.source_account,
             "lambda:eventsourcetoken": asking.event_source_token,
             "lambda:functionurlauthtype": asking.url_auth_type,
             "lambda:invokedviafunctionurl": asking.via_url}
    for operator, wanted in statement.get("Condition", {}).items():
        for name, value in wanted.items():
            known = facts.get(name.lower())
            if known is None:
                return False
            if not (fnmatchcase(known, value) if operator == "ArnLike" else known == value):
                return False
    return True


def _role_of(principal: str | None) -> str | None:
    """A session may do what its role may."""
    if principal is None or ":assumed-role/" not in principal:
        return None
    account, role = principal.split(":")[4], principal.split("/")[1]
    return f"arn:aws:iam::{account}:role/{role}"
