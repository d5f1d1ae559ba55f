"""The Lambda API's operations on tags: of functions, event source mappings, code signing configurations.

Stands for: *ListTags*, *TagResource* and *UntagResource* of the Lambda API reference.
Leaves out: capacity providers and network connectors, which aren't implemented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from ..code_signing import CodeSigning
from ..event_sources import EventSources
from ..function_name import FunctionName

Change = Callable[[Mapping[str, str]], Mapping[str, str]]


class TagOperations:
    """The part of ``service.LambdaApi`` that is about tags."""

    runtime: Any
    code_signing: CodeSigning
    event_sources: EventSources

    def ListTags(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        kind, name, arn = _taken_apart(params["Resource"])
        where = caller.account, caller.region
        if kind == "event-source-mapping":
            return {"Tags": self.event_sources.get(*where, name).tags}
        if kind == "code-signing-config":
            return {"Tags": self.code_signing.get(*where, arn).tags}
        if FunctionName.parse(*where, arn).qualifier:
            raise errors.tags_of_a_version()
        return {"Tags": self.runtime.registry.get(*where, arn, action="lambda:ListTags").tags}

    def TagResource(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        if not params["Tags"]:
            raise errors.no_tags()
        self._retag(params, caller, lambda old: {**old, **params["Tags"]})
        return {}

    def UntagResource(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        self._retag(params, caller, lambda old: {
            key: value for key, value in old.items() if key not in params["TagKeys"]})
        return {}

    def _retag(self, params: Mapping[str, Any], caller: Any, change: Change) -> None:
        kind, name, arn = _taken_apart(params["Resource"])
        where = caller.account, caller.region
        if kind == "event-source-mapping":
            self.event_sources.retag(*where, name, change)
        elif kind == "code-signing-config":
            self.code_signing.retag(*where, arn, change)
        else:
            self.runtime.registry.retag(*where, arn, change)


def _taken_apart(arn: str) -> tuple[str, str, str]:
    """The type of a resource, its name and its ARN; the model's pattern has been met."""
    kind, name = arn.split(":", 6)[5:7]
    if kind in ("capacity-provider", "network-connector"):
        raise errors.not_implemented(f"tags of a {kind}")
    return kind, name, arn
