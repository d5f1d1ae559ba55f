"""Who may invoke a function: the policies of functions, versions and aliases.

Stands for: AddPermission, RemovePermission and GetPolicy of the Lambda API.
AWS page: *Using resource-based policies for Lambda*.
A policy belongs to what the request named: the function as a whole, one version, or one alias. What
the alias's policy allows is allowed by that alias's name only.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from . import errors
from .clock import Clock
from .errors import LambdaError
from .function import LATEST, FunctionConfiguration
from .limits import Limits
from .policy import Asking, Policy, Statement
from .versions import Key, Versions, key_of

_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_ACCOUNT = re.compile(r"\d{12}")
_ALIAS = re.compile(r"(?!\d+$)[A-Za-z0-9_-]+")  # what AWS takes for an alias's name
_ARN = re.compile(r"arn:aws:(iam|sts)::\d{12}:.+")


class Permissions:
    """``lock`` is the registry's; ``touch`` gives what a policy belongs to another revision.

    A policy has no revision of its own: it is that of the function, the version or the alias.
    """

    def __init__(self, clock: Clock, limits: Limits, versions: Versions,
                 lock: threading.RLock,
                 touch: Callable[[FunctionConfiguration, str | None], None]) -> None:
        self.clock, self.limits, self.versions, self._lock = clock, limits, versions, lock
        self._touch = touch
        self._policies: dict[tuple[Key, str | None], Policy] = {}

    def add(self, latest: FunctionConfiguration, qualifier: str | None,
            request: Mapping[str, Any]) -> Statement:
        """Add a statement; value: the statement as the policy has it."""
        if qualifier == LATEST:
            raise errors.policy_of_latest()
        arn = self._check(latest, qualifier)
        if request.get("FunctionUrlAuthType") and request["Action"] != "lambda:InvokeFunctionUrl":
            raise errors.invalid("FunctionUrlAuthType is only supported for "
                                 "lambda:InvokeFunctionUrl action")
        statement = _statement(arn, request)
        with self._lock:
            policy = self._of(latest, qualifier) or Policy("")
            if request["StatementId"] in policy:
                raise errors.statement_exists(request["StatementId"])
            self._check_revision(latest, qualifier, request)
            changed = policy.with_statement(statement, "")
            size = len(changed.document())
            if size > self.limits.function_policy:
                raise errors.policy_too_long(size, self.limits.function_policy)
            self._policies[key_of(latest), qualifier] = changed
            self._touch(latest, qualifier)
        return statement

    def remove(self, latest: FunctionConfiguration, qualifier: str | None,
               request: Mapping[str, Any]) -> None:
        self._check(latest, qualifier)
        with self._lock:
            policy = self._of(latest, qualifier)
            if policy is None:
                raise errors.no_policy()
            if request["StatementId"] not in policy:
                raise errors.statement_not_found(request["StatementId"])
            self._check_revision(latest, qualifier, request)
            changed = policy.without(request["StatementId"], "")
            if changed.statements:
                self._policies[key_of(latest), qualifier] = changed
            else:
                del self._policies[key_of(latest), qualifier]
            self._touch(latest, qualifier)

    def get(self, latest: FunctionConfiguration, qualifier: str | None) -> Policy:
        policy = self._of(latest, qualifier)
        if policy is None:
            raise errors.no_such_resource()
        return replace(policy, revision_id=self.versions.revision(latest, qualifier))

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

    def _check_revision(self, latest: FunctionConfiguration, qualifier: str | None,
                        request: Mapping[str, Any]) -> None:
        wanted = request.get("RevisionId")
        if wanted and wanted != self.versions.revision(latest, qualifier):
            raise errors.revision_mismatch()

    def _check(self, latest: FunctionConfiguration, qualifier: str | None) -> str:
        """Whether there is what the request names; value: its ARN."""
        arn = f"{latest.arn}:{qualifier}" if qualifier else latest.arn
        try:
            self.versions.get(latest, qualifier)
        except LambdaError:
            if qualifier and _ALIAS.fullmatch(qualifier):
                raise errors.alias_not_found(arn) from None
            raise
        return arn


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
                                   ("StringEquals", "lambda:FunctionUrlAuthType",
                                    "FunctionUrlAuthType"),
                                   ("ArnLike", "AWS:SourceArn", "SourceArn")):
        if request.get(member):
            condition.setdefault(operator, {})[name] = request[member]
    if request.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {
            "lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
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
