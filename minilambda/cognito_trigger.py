"""What Amazon Cognito asks a user pool's functions, and what it makes of their answers.

Stands for: a user pool's Lambda triggers. AWS pages: *Customizing user pool workflows with Lambda
triggers* (the common parameters, five seconds), *Pre sign-up Lambda trigger*, *Post confirmation Lambda
trigger*, *Pre authentication Lambda trigger*, *Post authentication Lambda trigger*, *Pre token
generation Lambda trigger* (version 1).
Leaves out: the second and third try when a function doesn't answer in time; the triggers of custom
challenges, messages and migration, and versions 2 and 3 of the token trigger's event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .callers import Cloud, NotPermitted, ServiceCaller
from .errors import LambdaError
from .frontend import StillRunning
from .invocation import Status

PATIENCE = 5.0  # seconds
SDK = "aws-sdk-unknown-unknown"  # what Cognito says when the client doesn't name its SDK


class TriggerFailed(Exception):
    """``code`` is AWS's error type."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class UserPool:
    """``functions``: its LambdaConfig, trigger's name to function's ARN."""

    id: str
    arn: str
    account: str
    region: str
    functions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One of a pool's triggers, about to be pulled.

    ``name`` as in LambdaConfig (``PreSignUp``), ``source`` what pulled it (``PreSignUp_SignUp``).
    """

    cloud: Cloud
    pool: UserPool
    name: str
    source: str
    user_name: str
    client_id: str

    def pull(self, request: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke the function, if the pool has one for this; gives the event's ``response`` part.

        Raises:
            TriggerFailed: UserLambdaValidationException if the function failed,
                InvalidLambdaResponseException if it answered something else than an event,
                UnexpectedLambdaException if it couldn't be invoked or answered too late.
        """
        function = self.pool.functions.get(self.name)
        if not function:
            return dict(response)
        event = {"version": "1", "region": self.pool.region, "userPoolId": self.pool.id,
                 "userName": self.user_name,
                 "callerContext": {"awsSdkVersion": SDK, "clientId": self.client_id},
                 "triggerSource": self.source, "request": request, "response": response}
        caller = ServiceCaller(self.cloud, "cognito-idp.amazonaws.com", self.pool.account,
                               self.pool.region, self.pool.arn)
        try:
            outcome = caller.invoke(function, json.dumps(event).encode(), patience=PATIENCE)
        except StillRunning:
            raise self._unexpected("Socket timeout while invoking Lambda function") from None
        except NotPermitted:
            raise self._unexpected("AccessDeniedException") from None
        except LambdaError as error:
            raise self._unexpected(error.code) from None
        if outcome.status is not Status.SUCCESS:
            said = json.loads(outcome.payload).get("errorMessage", "")
            raise TriggerFailed("UserLambdaValidationException",
                                f"{self.name} failed with error {said}.")
        return self._read(outcome.payload)

    def _read(self, payload: bytes) -> dict[str, Any]:
        try:
            found = json.loads(payload)
        except ValueError:
            found = None
        answer = found.get("response") if isinstance(found, dict) else None
        if not isinstance(answer, dict):
            raise TriggerFailed("InvalidLambdaResponseException", "Unrecognizable lambda output")
        return answer

    def _unexpected(self, why: str) -> TriggerFailed:
        return TriggerFailed("UnexpectedLambdaException",
                             f"{self.name} invocation failed due to error {why}.")
