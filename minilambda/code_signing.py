"""Code signing configurations, and which functions have one.

Stands for: CreateCodeSigningConfig and the other code signing operations of the Lambda API. AWS page:
*Using code signing to verify code integrity with Lambda*.
Leaves out: signatures. AWS Signer's jobs, which sign a package, aren't in moto, so no package here can
be a signed one: a function whose configuration says Enforce takes no code, one that says Warn takes
any. AWS's warning in such a case (a log entry in CloudTrail, the metric SignatureValidationErrors)
isn't written. Whether a signing profile exists isn't looked at, as on AWS.
"""

from __future__ import annotations

import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from .clock import Clock
from .errors import LambdaError
from .function import FunctionConfiguration
from .registry import Registry
from .versions import Key, key_of

_PAGE = 50  # in one answer, however many are asked for
_LETTERS = string.ascii_lowercase + string.digits
ENFORCE, WARN = "Enforce", "Warn"


@dataclass(frozen=True, slots=True)
class CodeSigningConfig:
    """``publishers``: ARNs of signing profiles. ``policy``: Warn or Enforce."""

    id: str
    account: str
    region: str
    publishers: tuple[str, ...]
    policy: str = WARN
    description: str = ""
    last_modified: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:code-signing-config:{self.id}"


class CodeSigning:
    """All code signing configurations of one cloud."""

    def __init__(self, clock: Clock, registry: Registry) -> None:
        self.clock, self.registry = clock, registry
        self._configs: dict[str, CodeSigningConfig] = {}
        self._of: dict[Key, str] = {}  # a function's configuration, by ARN
        self._lock = threading.RLock()

    def create(self, account: str, region: str, request: Mapping[str, Any]) -> CodeSigningConfig:
        tags = self.registry.check_tags(request.get("Tags") or {})
        with self.clock.lock:
            id_ = "csc-" + "".join(self.clock.random.choices(_LETTERS, k=17))
        made = self._changed(CodeSigningConfig(id_, account, region, (), tags=tags), request)
        with self._lock:
            self._configs[made.arn] = made
        return made

    def get(self, account: str, region: str, arn: str) -> CodeSigningConfig:
        """Raises:
            LambdaError: ResourceNotFoundException.
        """
        found = self._configs.get(arn)
        if found is None or (found.account, found.region) != (account, region):
            raise LambdaError("ResourceNotFoundException", "The Lambda code signing configuration "
                              f"{arn} can not be found.", 404, type_=None)
        return found

    def update(self, account: str, region: str, request: Mapping[str, Any]) -> CodeSigningConfig:
        """Change what the request names; the rest stays."""
        with self._lock:
            old = self.get(account, region, request["CodeSigningConfigArn"])
            self._configs[old.arn] = new = self._changed(old, request)
            return new

    def delete(self, account: str, region: str, arn: str) -> None:
        with self._lock:
            self.get(account, region, arn)
            if arn in self._of.values():  # AWS's rule; the words are ours
                raise LambdaError("ResourceConflictException", f"The code signing configuration "
                                  f"{arn} is in use by functions.", 409)
            del self._configs[arn]

    def list(self, account: str, region: str, marker: str | None, max_items: int | None
             ) -> tuple[list[CodeSigningConfig], str | None]:
        """One page in the order in which they were made, and the next marker."""
        with self._lock:
            found = [config for config in self._configs.values()
                     if (config.account, config.region) == (account, region)]
        return _page(found, lambda config: config.id, marker, max_items)

    def retag(self, account: str, region: str, arn: str,
              change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        with self._lock:
            old = self.get(account, region, arn)
            self._configs[arn] = replace(old, tags=self.registry.check_tags(change(old.tags)))

    # -- functions ---------------------------------------------------------------------------------

    def find(self, account: str, region: str, arn: str) -> CodeSigningConfig:
        """The configuration that a function is to have.

        Raises:
            LambdaError: CodeSigningConfigNotFoundException.
        """
        try:
            return self.get(account, region, arn)
        except LambdaError:
            raise LambdaError(
                "CodeSigningConfigNotFoundException", "The code signing configuration cannot be "
                f"found. Check that the provided configuration is not deleted: {arn}.",
                404) from None

    def attach(self, function: FunctionConfiguration, config: CodeSigningConfig) -> None:
        with self._lock:
            self._of[key_of(function)] = config.arn

    def detach(self, function: FunctionConfiguration) -> None:
        """Harmless when it has none."""
        with self._lock:
            self._of.pop(key_of(function), None)

    def of(self, function: FunctionConfiguration) -> CodeSigningConfig | None:
        with self._lock:
            return self._configs.get(self._of.get(key_of(function), ""))

    def functions(self, account: str, region: str, arn: str, marker: str | None,
                  max_items: int | None) -> tuple[list[str], str | None]:
        """One page of the ARNs of functions that have it, and the next marker."""
        self.get(account, region, arn)
        with self._lock:
            keys = sorted(key for key, config in self._of.items() if config == arn)
        arns = [f"arn:aws:lambda:{r}:{a}:function:{name}" for a, r, name in keys]
        return _page(arns, lambda name: name, marker, max_items)

    def check(self, config: CodeSigningConfig | None, name: str) -> None:
        """Whether a function with this configuration may have code: none here is signed.

        Raises:
            LambdaError: CodeVerificationFailedException.
        """
        if config is not None and config.policy == ENFORCE:
            raise LambdaError(
                "CodeVerificationFailedException", "Lambda cannot deploy the function. The function "
                "or layer might be signed using a signature that the client is not configured to "
                f"accept. Check the provided signature for {name}.")

    def _changed(self, old: CodeSigningConfig, request: Mapping[str, Any]) -> CodeSigningConfig:
        publishers = (request.get("AllowedPublishers") or {}).get("SigningProfileVersionArns")
        policy = (request.get("CodeSigningPolicies") or {}).get("UntrustedArtifactOnDeployment")
        description = request.get("Description")
        return replace(
            old, publishers=tuple(publishers) if publishers else old.publishers,
            policy=policy or old.policy, last_modified=self.clock.api_date(),
            description=old.description if description is None else description)


def _page(items: list[Any], name: Callable[[Any], str], marker: str | None,
          max_items: int | None) -> tuple[list[Any], str | None]:
    names = [name(item) for item in items]
    start = names.index(marker) + 1 if marker in names else 0
    stop = start + min(max_items or _PAGE, _PAGE)
    return items[start:stop], names[stop - 1] if stop < len(items) else None
