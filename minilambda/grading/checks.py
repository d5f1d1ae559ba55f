"""What a lab's check cells are written with. They look at the cloud, never at printed text.

The same cells run in two places: in the student's notebook ("check yourself"), and in the judge's
kernel after the submission has run. What a check needs is read through boto3, and from the cloud's
trace, the one record that a function's own calls can't change.

A check that isn't met raises :class:`NotYet`, which a notebook shows as one line of advice.
"""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, ReadTimeoutError

from ..trace import Event

if TYPE_CHECKING:  # a sandboxed kernel has no cloud of its own, and needn't load moto
    from ..cloud import Cloud

ANSWER_SECONDS = 20  # real ones that a function gets for one event of a check
SHOWN = 240  # characters of a value in a message
_config = Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
# Invocations made by checks; the trace's others are the student's own.
_ours: set[str] = set()
# Functions (name, revision) that didn't answer: they aren't waited for again.
_stuck: set[tuple[str, str]] = set()


class NotYet(AssertionError):
    """Something asked for isn't there yet. The message says what, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"Not yet: {self}"]


def require(condition: object, reason: str) -> None:
    """Raise NotYet with this reason unless the condition holds."""
    if not condition:
        raise NotYet(reason)


def shown(value: object) -> str:
    """A value in a message: its repr, cut short."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … ({len(text)} characters)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered. ``error`` is the error's type, None on success.

    ``result`` is the result, or the error document. ``log`` holds the lines of this invocation.
    """

    result: Any
    error: str | None
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function that exists. ``configuration`` and ``tags`` are as of the look."""

    cloud: Cloud
    name: str
    configuration: dict[str, Any]
    tags: dict[str, str]

    @property
    def _plain(self) -> str:
        return self.name.partition(":")[0]  # the trace names functions only

    def invoke(self, event: Any) -> Answer:
        """Call it with ``event``, as a check (the student's invocations don't include it).

        Raises:
            NotYet: it doesn't answer.
        """
        client = boto3.client("lambda", config=_config)
        known_as = self.name, self.configuration["RevisionId"]
        require(known_as not in _stuck, f"{self.name!r} doesn't answer")
        try:
            reply = client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        except (ReadTimeoutError, ConnectionError):
            _stuck.add(known_as)
            raise NotYet(f"{self.name!r} didn't answer within {ANSWER_SECONDS} seconds") from None
        except ClientError as error:
            raise NotYet(f"invoking {self.name!r} was refused: {error}") from None
        request_id = reply["ResponseMetadata"]["RequestId"]
        _ours.add(request_id)
        result = json.loads(reply["Payload"].read())
        error = None
        if "FunctionError" in reply:
            error = str(result.get("errorType", "Error")) if isinstance(result, dict) else "Error"
        return Answer(result, error, self.log(request_id))

    def log(self, request_id: str) -> tuple[str, ...]:
        """The log lines of one invocation, START, END and REPORT included."""
        lines = self.cloud.trace.select("log.line", function=self._plain, request_id=request_id)
        return tuple(event["message"].rstrip("\n") for event in lines)

    def invocations(self) -> list[Event]:
        """The student's invocations that have ended: ``invoke.ended`` events of the trace."""
        return [event for event in self.cloud.trace.select("invoke.ended", function=self._plain)
                if event["request_id"] not in _ours]

    def errors(self) -> int:
        """Invocations that failed, whoever made them: what the metric ``Errors`` adds up to."""
        ended = self.cloud.trace.select("invoke.ended", function=self._plain)
        return sum(event["status"] not in ("success", "throttled") for event in ended)


def find_function(cloud: Cloud, name: str) -> Deployed:
    """The function of this name; a version or an alias of it if the name says so ("f:1").

    Raises:
        NotYet: there is none.
    """
    try:
        found = boto3.client("lambda", config=_config).get_function(FunctionName=name)
    except ClientError as error:
        function, _, version = name.partition(":")
        if version.isdigit():
            find_function(cloud, function)
            raise NotYet(_absent(error, f"version of {function!r}", version, "publish_version")
                         ) from None
        raise NotYet(_absent(error, "function", name, "create_function")) from None
    return Deployed(cloud, name, found["Configuration"], found.get("Tags", {}))


def find_role(name: str) -> dict[str, Any]:
    """The role of this name, as IAM's GetRole describes it.

    Raises:
        NotYet: there is none.
    """
    try:
        return boto3.client("iam", config=_config).get_role(RoleName=name)["Role"]
    except ClientError as error:
        raise NotYet(_absent(error, "role", name, "create_role")) from None


def trusts(role: dict[str, Any], service: str) -> bool:
    """Whether the role's trust policy lets this service (``lambda.amazonaws.com``) assume it."""
    statements = role["AssumeRolePolicyDocument"].get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        actions = statement.get("Action", [])
        if (statement.get("Effect") == "Allow"
                and service in ([services] if isinstance(services, str) else services)
                and {"sts:AssumeRole", "sts:*", "*"}
                & set([actions] if isinstance(actions, str) else actions)):
            return True
    return False


def find_layer(name: str, version: int | None = None) -> dict[str, Any]:
    """A version of a layer (None: the newest), as GetLayerVersion describes it.

    Raises:
        NotYet: there is none.
    """
    client = boto3.client("lambda", config=_config)
    try:
        listed = client.list_layer_versions(LayerName=name)["LayerVersions"]
        require(listed, f"there is no layer named {name!r}. Make it with publish_layer_version.")
        numbers = [found["Version"] for found in listed]
        number = version or numbers[0]
        require(number in numbers, f"the layer {name!r} has no version {number}. Publish it with "
                "publish_layer_version.")
        return client.get_layer_version(LayerName=name, VersionNumber=number)
    except ClientError as error:
        raise NotYet(f"looking for the layer {name!r} failed: {error}") from None


def find_alias(function: str, name: str) -> dict[str, Any]:
    """An alias of a function, as GetAlias describes it.

    Raises:
        NotYet: there is none.
    """
    try:
        found = boto3.client("lambda", config=_config).get_alias(FunctionName=function, Name=name)
    except ClientError as error:
        raise NotYet(_absent(error, f"alias of {function!r}", name, "create_alias")) from None
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def files_in(content: Mapping[str, Any]) -> list[str]:
    """Names of the files in an archive, in order.

    ``content``: what tells where it is, ``Code`` of GetFunction or ``Content`` of GetLayerVersion.
    """
    with urllib.request.urlopen(content["Location"], timeout=ANSWER_SECONDS) as answer:
        with zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
            return sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())


def _absent(error: ClientError, kind: str, name: str, call: str) -> str:
    if error.response["ResponseMetadata"].get("HTTPStatusCode") == 404:
        return f"there is no {kind} named {name!r}. Make it with {call}."
    return f"looking for the {kind} {name!r} failed: {error}"
