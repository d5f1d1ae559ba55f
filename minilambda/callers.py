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
from .versions import Target


class Cloud(Protocol):
    """What is needed of a cloud."""

    clock: Clock
    registry: Registry
    frontend: Frontend
    limits: Limits
    account_id: str
    slow_notifications: float  # of S3's, 0 to 1


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
        limit = self.cloud.limits.payload_sync
        if len(payload) > limit:
            raise errors.request_too_large(limit, "InvokeFunction")
        return self.cloud.frontend.invoke(self._target(function), payload, patience=patience,
                                          trace_header=trace_header)

    def accept(self, function: str, payload: bytes, *, source: str,
               trace_header: str | None = None) -> str:
        """Hand over an event for a function (an ARN, with a qualifier or not): a trigger's way in.

        Nobody waits, and no time passes: see :meth:`Frontend.accept`. Value: the request's id.

        Raises:
            NotPermitted: as above; the event is for nobody, and AWS drops it.
            LambdaError: the event is too large for the queue, or the function can't take any now.
        """
        return self.cloud.frontend.accept(self._target(function), payload, source=source,
                                          trace_header=trace_header)

    def check(self, function: str) -> None:
        """Whether it may invoke the function, asked before there is anything to invoke it with.

        Raises:
            NotPermitted: as above.
        """
        self._target(function)

    def _target(self, function: str) -> Target:
        registry = self.cloud.registry
        try:
            wanted = FunctionName.parse(self.account, self.region, function)
            latest, qualifier = registry.named(wanted.account, wanted.region, function, None,
                                               action="lambda:InvokeFunction")
        except LambdaError as missing:
            raise NotPermitted(function) from missing
        if not registry.permissions.lets(latest, qualifier, Asking(
                "lambda:InvokeFunction", service=self.service, source_arn=self.source_arn,
                source_account=self.account)):
            raise NotPermitted(function)
        try:
            return registry.target(wanted.account, wanted.region, function)
        except LambdaError as missing:
            if missing.status != 404:
                raise
            raise NotPermitted(function) from missing
