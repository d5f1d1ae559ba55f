"""AWS services that invoke functions: by the function's policy, and at the one door.

Stands for: what all of them have in common. AWS pages: *Invoking Lambda with events from other AWS
services*, *Granting Lambda function access to AWS services*.
Leaves out: services that invoke by a role of the reader's (``credentials``), which the policy of the
function has no say in; and what that role may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from . import errors
from .clock import Clock
from .errors import LambdaError
from .frontend import Frontend
from .function_name import FunctionName
from .invocation import Outcome
from .limits import Limits
from .policy import Asking
from .registry import Registry


class Cloud(Protocol):
    """What is needed of a cloud."""

    clock: Clock
    registry: Registry
    frontend: Frontend
    limits: Limits
    account_id: str


class NotPermitted(Exception):
    """The function's policy doesn't let this service invoke it on behalf of that resource."""


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """A service (``apigateway.amazonaws.com``) that asks on behalf of one of the reader's resources.

    ``source_arn`` is that resource's; ``account`` and ``region`` are where it is.
    """

    cloud: Cloud
    service: str
    account: str
    region: str
    source_arn: str

    def invoke(self, function: str, payload: bytes, *, patience: float | None = None,
               trace_header: str | None = None) -> Outcome:
        """Invoke a function (an ARN, with a qualifier or not) and wait for the outcome.

        Raises:
            NotPermitted: its policy has no statement for that. There is also none where there is no
                function, so a service can't tell the two apart.
            LambdaError: TooManyRequestsException, or the payload is too large.
            StillRunning: no outcome within ``patience`` seconds on the clock.
        """
        registry, limit = self.cloud.registry, self.cloud.limits.payload_sync
        if len(payload) > limit:
            raise errors.request_too_large(limit, "InvokeFunction")
        try:
            wanted = FunctionName.parse(self.account, self.region, function)
            latest, qualifier = registry.named(wanted.account, wanted.region, function, None,
                                               action="lambda:InvokeFunction")
            target = registry.target(wanted.account, wanted.region, function)
        except LambdaError as missing:
            raise NotPermitted(function) from missing
        if not registry.permissions.lets(latest, qualifier, Asking(
                "lambda:InvokeFunction", service=self.service, source_arn=self.source_arn,
                source_account=self.account)):
            raise NotPermitted(function)
        return self.cloud.frontend.invoke(target, payload, patience=patience,
                                          trace_header=trace_header)
