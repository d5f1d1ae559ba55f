"""Who may invoke a function: the policies of functions, versions and aliases.

Stands for: AddPermission, RemovePermission and GetPolicy of the Lambda API.
AWS page: *Using resource-based policies for Lambda*.
Leaves out: function URLs (``FunctionUrlAuthType``, ``InvokedViaFunctionUrl``).

A policy belongs to what the request named: the function as a whole, one version, or one alias. What
the alias's policy allows is allowed by that alias's name only.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from . import errors
from .clock import Clock
from .function import LATEST, FunctionConfiguration
from .limits import Limits
from .policy import Asking, Policy, Statement
from .versions import Key, Versions, key_of

_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:aws:(iam|sts)::\d{12}:.+")


class Permissions:
    """``lock`` is the registry's."""

    def __init__(self, clock: Clock, limits: Limits, versions: Versions,
                 lock: threading.RLock) -> None:
        self.clock, self.limits, self.versions, self._lock = clock, limits, versions, lock
        self._policies: dict[tuple[Key, str | None], Policy] = {}

    def add(self, latest: FunctionConfiguration, qualifier: str | None,
            request: Mapping[str, Any]) -> Statement:
        """Add a statement; value: the statement as the policy has it."""
        arn = self._check(latest, qualifier)
        if qualifier == LATEST:
            raise errors.policy_of_latest()
        statement = _statement(arn, request)
        with self._lock:
            policy = self._of(latest, qualifier) or Policy(self.clock.uuid())
            if request["StatementId"] in policy:
                raise errors.statement_exists(request["StatementId"])
            _check_revision(policy, request)
            changed = policy.with_statement(statement, self.clock.uuid())
            size = len(changed.document())
            if size > self.limits.function_policy:
                raise errors.policy_too_long(size, self.limits.function_policy)
            self._policies[key_of(latest), qualifier] = changed
        return statement

    def remove(self, latest: FunctionConfiguration, qualifier: str | None,
               request: Mapping[str, Any]) -> None:
        arn = self._check(latest, qualifier)
        with self._lock:
            policy = self._of(latest, qualifier)
            if policy is None:
                raise errors.no_policy_of(arn)
            if request["StatementId"] not in policy:
                raise errors.statement_not_found(request["StatementId"])
            _check_revision(policy, request)
            changed = policy.without(request["StatementId"], self.clock.uuid())
            if changed.statements:
                self._policies[key_of(latest), qualifier] = changed
            else:
                del self._policies[key_of(latest), qualifier]

    def get(self, latest: FunctionConfiguration, qualifier: str | None) -> Policy:
        self._check(latest, qualifier)
        policy = self._of(latest, qualifier)
        if policy is None:
            raise errors.no_such_resource()
        return policy

    def lets(self, latest: FunctionConfiguration, qualifier: str | None, asking: Asking) -> bool:
        """Whether somebody may do what he asks to the function by this qualifier."""
        policy = self._of(latest, None if qualifier == LATEST else qualifier)
        return policy is not None and policy.lets(asking)

    def forget(self, latest: FunctionConfiguration, qualifier: str | None = None) -> None:
        """The function is gone (or this version or alias of it), and with it its policies."""
        with self._lock:
            for key, name in list(self._policies):
                if key == key_of(latest) and qualifier in (None, name):
                    del self._policies[key, name]

    def _of(self, latest: FunctionConfiguration, qualifier: str | None) -> Policy | None:
        return self._policies.get((key_of(latest), qualifier))

    def _check(self, latest: FunctionConfiguration, qualifier: str | None) -> str:
        """Whether there is what the request names; value: its ARN."""
        self.versions.get(latest, qualifier)
        return f"{latest.arn}:{qualifier}" if qualifier else latest.arn


def _check_revision(policy: Policy, request: Mapping[str, Any]) -> None:
    if request.get("RevisionId") and request["RevisionId"] != policy.revision_id:
        raise errors.policy_revision_mismatch()


def _statement(arn: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A statement with its members in the order in which AWS prints them."""
    statement: dict[str, Any] = {
        "Sid": request["StatementId"], "Effect": "Allow",
        "Principal": _principal(request["Principal"]), "Action": request["Action"],
        "Resource": arn}
    condition: dict[str, dict[str, str]] = {}
    for operator, name, member in (("StringEquals", "AWS:SourceAccount", "SourceAccount"),
                                   ("StringEquals", "lambda:EventSourceToken", "EventSourceToken"),
                                   ("StringEquals", "aws:PrincipalOrgID", "PrincipalOrgID"),
                                   ("ArnLike", "AWS:SourceArn", "SourceArn")):
        if request.get(member):
            condition.setdefault(operator, {})[name] = request[member]
    return statement | ({"Condition": condition} if condition else {})


def _principal(named: str) -> str | dict[str, str]:
    if named == "*":
        return "*"
    if _SERVICE.fullmatch(named):
        return {"Service": named}
    if _ACCOUNT.fullmatch(named):
        return {"AWS": f"arn:aws:iam::{named}:root"}
    if _ARN.fullmatch(named):
        return {"AWS": named}
    raise errors.principal_invalid()
