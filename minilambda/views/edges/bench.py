"""What trials of limits stand on: clients that ask AWS itself, functions, and an edge's two tries.

Stands for nothing of AWS's. What a trial makes is taken away again; the time that it let pass, and
its requests in the trace, stay.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ...limits import Limits

_TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
_EVERYTHING = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # equal files are equal archives: see ``package``
_CHANGES = {"CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"}
PLAIN = "def handler(event, context):\n    return 'answered'\n"


class Past(Exception):
    """Past a limit that isn't told by an error of the API: what tells it."""


@dataclass(frozen=True, slots=True)
class Try:
    """How much was asked for, and what came of it: AWS's own words if it was ``refused``."""

    size: str
    said: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """Both sides of a limit. ``part``: of the row; empty where the row is one limit.

    ``past`` is None where the profile has no limit.
    """

    part: str
    inside: Try
    past: Try | None

    @property
    def held(self) -> bool:
        """Whether the limit is where the table says."""
        return not self.inside.refused and (self.past is None or self.past.refused)


@dataclass(frozen=True, slots=True)
class NotHere:
    """Something that can't be tried on this runtime, and why."""

    part: str
    why: str


class Bench:
    """A cloud to try limits on. Use as a context manager: what it made is gone afterwards."""

    def __init__(self, cloud: Any) -> None:
        self.cloud, self.limits = cloud, cloud.limits
        # Nothing is checked before it is sent: AWS is to answer. Nothing is tried twice.
        self.config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        self.lam = self.client("lambda")
        if self.limits.function_states:
            self.lam.meta.events.register("after-call.lambda", self._settle)
        self._stack = contextlib.ExitStack()
        self._made: dict[str, Any] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def _settle(self, model: Any, **_: Any) -> None:
        """Functions are pending, or their updates in progress, for a while."""
        if model.name in _CHANGES:
            self.cloud.run(minutes=1)

    def client(self, service: str) -> Any:
        return boto3.client(service, config=self.config)

    # -- tries -------------------------------------------------------------------------------------

    def edge(self, part: str, size: str, inside: Callable[[], Any], more: str,
             past: Callable[[], Any]) -> Edge:
        """Try ``size``, then ``more``. A call may return words; what is refused, it raises."""
        return Edge(part, attempt(size, inside), attempt(more, past))

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several trials need, made for the first of them."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def afterwards(self, call: Callable[..., Any], **params: Any) -> None:
        self._stack.callback(call, **params)

    # -- functions ---------------------------------------------------------------------------------

    @property
    def role(self) -> str:
        """A role that may do everything; the limits are in question here, not permissions."""
        return self.once("role", self._role)

    def _role(self) -> str:
        iam = self.client("iam")
        arn = iam.create_role(RoleName="edges", AssumeRolePolicyDocument=json.dumps(_TRUST))
        self.afterwards(iam.delete_role, RoleName="edges")
        iam.put_role_policy(RoleName="edges", PolicyName="everything",
                            PolicyDocument=json.dumps(_EVERYTHING))
        self.afterwards(iam.delete_role_policy, RoleName="edges", PolicyName="everything")
        return arn["Role"]["Arn"]

    def function(self, name: str, code: str = PLAIN, **settings: Any) -> str:
        """The name of a function with this code, made for the first who asks."""
        full = f"edges-{name}"
        self.once(full, lambda: self._function(full, archive({"app.py": code}), settings))
        return full

    def _function(self, name: str, code: bytes, settings: dict[str, Any]) -> str:
        arn = self.lam.create_function(
            FunctionName=name, Runtime="python3.8", Handler="app.handler", Role=self.role,
            Code={"ZipFile": code}, **settings)["FunctionArn"]
        self.afterwards(self._forget_log, name=name)
        self.afterwards(self.lam.delete_function, FunctionName=name)
        return arn

    def _forget_log(self, name: str) -> None:
        logs = self.client("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):  # it never ran
            logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")

    def arn(self, name: str) -> str:
        return self._made[name]

    def setting(self, **settings: Any) -> Callable[[], None]:
        """Sets a plain function's configuration."""
        name = self.function("plain")

        def update() -> None:
            self.lam.update_function_configuration(FunctionName=name, **settings)
        return update

    def version(self, name: str, description: str) -> str:
        """The number of a new version. Nothing is published where nothing has changed."""
        self.lam.update_function_configuration(FunctionName=name, Description=description)
        return self.lam.publish_version(FunctionName=name)["Version"]

    def invoke(self, name: str, payload: bytes = b"null", **options: Any) -> Any:
        """What the function returned; an error of the function's is past a limit."""
        reply = self.lam.invoke(FunctionName=name, Payload=payload, **options)
        result = json.load(reply["Payload"])
        if "FunctionError" in reply:
            raise Past(f"{result['errorType']}: {result['errorMessage']}" if "errorType" in result
                       else result["errorMessage"])
        return result

    def rest(self) -> None:
        """A quarter of an hour without requests: every rate is as it was at first."""
        self.cloud.run(minutes=15)


def attempt(size: str, call: Callable[[], Any]) -> Try:
    try:
        said = call()
    except ClientError as error:
        found = error.response["Error"]
        reason = error.response.get("Reason")
        return Try(size, f"{found['Code']}: {found['Message']}" + (f" ({reason})" if reason else ""),
                   True)
    except Past as past:
        return Try(size, str(past), True)
    return Try(size, said if isinstance(said, str) else "accepted", False)


def archive(files: dict[str, str | int], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files; a number stands for so many zero bytes."""
    buffer = io.BytesIO()
    add(buffer, files, compression)
    return buffer.getvalue()


def add(buffer: io.BytesIO, files: dict[str, str | int], compression: int) -> None:
    """Add files to the zip in a buffer."""
    with zipfile.ZipFile(buffer, "a") as opened:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type, entry._compresslevel = compression, 1  # quick: these are zeros
            entry.external_attr = 0o100644 << 16
            opened.writestr(entry, bytes(content) if isinstance(content, int) else content)


def each(size: int) -> str:
    """A count with its separators."""
    return f"{size:,}"


def kinds(values: Iterable[str]) -> str:
    return ", ".join(values)
