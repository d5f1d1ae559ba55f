"""CloudFormation asks a function to make, change or delete a resource, and waits for a response by PUT.

Stands for: the protocol of custom resources. AWS pages: *CloudFormation custom resource request and
response reference*, *Lambda-backed custom resources*.
Leaves out: topics as service tokens; functions of other accounts.

The function needs no statement in its policy: CloudFormation invokes it with the credentials of who asked
for the stack, or with the stack's role, which must be allowed ``lambda:InvokeFunction``. Lambda's queue
tries a failed function again; CloudFormation only looks for a response. How often it looks isn't
published: here a response counts a second after it came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..callers import Cloud
from ..conversation import Steps
from ..errors import LambdaError
from .handing_over import Notes

RESPONSE_BYTES, SECONDS, LOOK_SECONDS = 4096, 3600, 1.0
_REQUIRED = ("Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId")


class Failed(Exception):
    """The resource is not as it was asked to be; says why in CloudFormation's words.

    ``physical_id``: what the response called the resource, if there was one.
    """

    def __init__(self, reason: str, physical_id: str | None = None) -> None:
        super().__init__(reason)
        self.physical_id = physical_id


@dataclass(frozen=True, slots=True)
class Response:
    physical_id: str
    data: Mapping[str, Any] = field(default_factory=dict)
    no_echo: bool = False


def texts(value: Any) -> Any:
    """Properties as CloudFormation sends them: every number and boolean is a string."""
    if isinstance(value, Mapping):
        return {name: texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [texts(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def seconds(properties: Mapping[str, Any]) -> int:
    """How long CloudFormation waits.

    Raises:
        Failed: ServiceTimeout is none.
    """
    given = str(properties.get("ServiceTimeout", SECONDS))
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= SECONDS):
        raise Failed(f"ServiceTimeout must be an integer from 1 to {SECONDS}, not {given!r}")
    return int(given)


def function_of(properties: Mapping[str, Any]) -> str:
    """The function that a service token names.

    Raises:
        Failed: there is none.
    """
    token = properties.get("ServiceToken")
    if not isinstance(token, str) or not token.startswith("arn:aws:lambda:"):
        raise Failed(f"ServiceToken must be the ARN of a function, not {token!r}")
    return token


def read(body: bytes, asked: Mapping[str, Any]) -> Response:
    """What a response says.

    Raises:
        Failed: it says so, or it is none.
    """
    if len(body) > RESPONSE_BYTES:
        raise Failed("Response object is too long.")
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Failed("Invalid response object: it must be a JSON object")
    physical = said.get("PhysicalResourceId")
    physical = physical if isinstance(physical, str) and 0 < len(physical.encode()) <= 1024 else None
    if said.get("Status") == "FAILED":
        reason = said.get("Reason")
        if not reason:
            raise Failed("Invalid response object: Reason is required when Status is FAILED", physical)
        raise Failed("Received response status [FAILED] from custom resource. Message returned: "
                     f"{reason} (RequestId: {asked['RequestId']})", physical)
    if said.get("Status") != "SUCCESS":
        raise Failed("Invalid response object: Status must be SUCCESS or FAILED", physical)
    if physical is None:
        raise Failed("Invalid PhysicalResourceId")
    for name in _REQUIRED[2:]:
        if said.get(name) != asked[name]:
            raise Failed(f"Invalid response object: {name} isn't that of the request", physical)
    data = said.get("Data") or {}
    if not isinstance(data, dict):
        raise Failed("Invalid response object: Data must be a JSON object", physical)
    return Response(physical, data, said.get("NoEcho") in (True, "true"))


class CustomResources:
    """The requests of one cloud that wait for a response."""

    def __init__(self, cloud: Cloud, endpoint: Callable[[], str]) -> None:
        """``endpoint``: gives the cloud's URL, which may not be known yet."""
        self.cloud, self.clock, self._endpoint = cloud, cloud.clock, endpoint
        self._open: dict[str, Any] = {}  # signature of a URL -> event on the clock, of its body

    def ask(self, asked: dict[str, Any], account: str, region: str, patience: int) -> Any:
        """Send a request (all but its ResponseURL). Value: an event that gives what it came to.

        That is a Response or a Failed.
        """
        with self.clock.lock:
            token, result = asked["ServiceToken"], self.clock.event()
            notes = Notes(self.clock, self.cloud.trace, "cloudformation", asked["StackId"],
                          asked["RequestId"])
            notes.event(token)
            signature = hashlib.sha256(f"{self.clock.uuid()}".encode()).hexdigest()
            path = quote("|".join((asked["StackId"], asked["LogicalResourceId"], asked["RequestId"])),
                         safe="")
            url = (f"{self._endpoint().rstrip('/')}/cloudformation-custom-resource-response-"
                   f"{region.replace('-', '')}/{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=7200&"
                   f"X-Amz-Signature={signature}")
            self._open[signature] = answer = self.clock.event()
            self.clock.process(self._wait(asked | {"ResponseURL": url}, account, region, patience,
                                          signature, answer, result, notes))
            return result

    def put(self, signature: str, body: bytes) -> bool:
        """A response has come. Whether anybody waits for it: each URL takes one."""
        with self.clock.lock:
            answer = self._open.pop(signature, None)
            if answer is None:
                return False
            self.clock.succeed(answer, body)
            return True

    def _wait(self, asked: dict[str, Any], account: str, region: str, patience: int, signature: str,
              answer: Any, result: Any, notes: Notes) -> Steps:
        token = asked["ServiceToken"]
        yield self.clock.timeout(0)
        try:
            target = self.cloud.registry.target(account, region, token)
            request_id = self.cloud.frontend.accept(target, json.dumps(asked).encode(),
                                                    source="cloudformation")
        except LambdaError as problem:
            self._open.pop(signature, None)
            notes.dropped(token, str(problem))
            result.succeed(Failed(str(problem)))
            return
        notes.delivered(token, request_id)
        alarm = self.clock.timeout(patience)
        yield self.clock.any_of([answer, alarm])
        self._open.pop(signature, None)
        if not answer.triggered:
            result.succeed(Failed(
                "CloudFormation did not receive a response from your custom resource. Please check "
                f"your logs for requestId [{asked['RequestId']}]."))
            return
        self.clock.cancel(alarm)
        yield self.clock.timeout(LOOK_SECONDS)
        try:
            result.succeed(read(answer.value, asked))
        except Failed as problem:
            result.succeed(problem)
