"""A job that a pipeline has a function do, and what became of it.

Stands for: the Lambda invoke action. AWS pages: *AWS Lambda invoke action reference*, *Invoke an AWS Lambda
function in a pipeline in CodePipeline*, *PutJobSuccessResult*, *PutJobFailureResult*, *Quotas in AWS
CodePipeline*.
Leaves out: encryption keys of artifact stores; whether the function's role may call back (that comes with
the enforcement of permissions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPLY_SECONDS = 20 * 60.0  # a function that hasn't replied by then has failed
ACTION_SECONDS = 24 * 3600.0  # all the jobs of an action
# Until a job goes on for which the function wants to be called again. AWS says "periodically".
AGAIN_SECONDS = 30.0


class Failed(Exception):
    """An action's failure. ``code``: one of AWS's failure types."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Artifact:
    name: str
    bucket: str
    key: str
    revision: str | None = None

    def described(self) -> dict[str, Any]:
        return {"location": {"s3Location": {"bucketName": self.bucket, "objectKey": self.key},
                             "type": "S3"}, "name": self.name, "revision": self.revision}


@dataclass(frozen=True, slots=True)
class Result:
    """What a function has said of a job. ``continuation``: it wants to be called again with it."""

    summary: str | None = None
    external_id: str | None = None
    percent: int | None = None
    continuation: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    failure: Failed | None = None


@dataclass(slots=True, eq=False)
class Job:
    """``reply``: an event on the clock, whose value is the :class:`Result`."""

    id: str
    account: str
    configuration: Mapping[str, str]
    inputs: Sequence[Artifact]
    outputs: Sequence[Artifact]
    credentials: Mapping[str, Any]
    continuation: str | None
    context: Mapping[str, Any]  # pipeline, stage and action
    reply: Any
    status: str = "InProgress"  # Succeeded, Failed, TimedOut

    def described(self) -> dict[str, Any]:
        """The event, as JSON has it."""
        data: dict[str, Any] = {
            "actionConfiguration": {"configuration": dict(self.configuration)},
            "inputArtifacts": [one.described() for one in self.inputs],
            "outputArtifacts": [one.described() for one in self.outputs],
            "artifactCredentials": dict(self.credentials)}
        if self.continuation is not None:
            data["continuationToken"] = self.continuation
        return {"CodePipeline.job": {"id": self.id, "accountId": self.account, "data": data}}


def no_reply(function: str) -> Failed:
    return Failed("JobFailed", f"The AWS Lambda function {function} failed to return a result. Check the "
                  "function to verify that it has permission to call the PutJobSuccessResult action and "
                  "that it made a call to PutJobSuccessResult.")
