"""A function's configuration and code, as data.

Stands for: ``FunctionConfiguration`` and ``FunctionCodeLocation`` of the Lambda API.
AWS page: *FunctionConfiguration* in the Lambda API reference.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layer import LayerVersion
    from .vpc import Network

LATEST = "$LATEST"


def derived_revision(revision_id: str, touched: int) -> str:
    """The revision after so many changes. It is no draw of the cloud's generator: putting a tag on
    something changes no figure of what happens afterwards."""
    if not touched:
        return revision_id
    digest = hashlib.sha256(f"{revision_id}/{touched}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


@dataclass(frozen=True, slots=True)
class CodePackage:
    """A deployment package: the zip archive's bytes, known by their digest."""

    archive: bytes = field(repr=False)
    sha256: str  # base64 of the SHA-256 digest, as the API's CodeSha256

    @classmethod
    def of(cls, archive: bytes) -> CodePackage:
        return cls(archive, base64.b64encode(hashlib.sha256(archive).digest()).decode())

    @property
    def size(self) -> int:
        """Bytes of the archive, as the API's CodeSize."""
        return len(self.archive)

    @property
    def key(self) -> str:
        """The digest in hexadecimal: safe as a folder's name."""
        return base64.b64decode(self.sha256).hex()


@dataclass(frozen=True, slots=True)
class FunctionConfiguration:
    """One version of a function. Immutable: a change makes a new one with a new revision.

    ``memory_size`` in MB, ``timeout`` in seconds, ``ephemeral_storage`` in MB,
    ``layers`` in the order in which they are laid out, ``dead_letter`` a queue's or topic's ARN (or
    empty), ``last_modified`` as the API prints it.
    """

    name: str
    account: str
    region: str
    runtime: str
    role: str
    handler: str
    code: CodePackage
    description: str = ""
    timeout: int = 3
    memory_size: int = 128
    ephemeral_storage: int = 512
    environment: Mapping[str, str] | None = None  # None: nothing was ever said about it
    layers: tuple[LayerVersion, ...] = ()
    tracing: str = "PassThrough"  # or "Active"
    dead_letter: str = ""
    network: Network | None = None
    version: str = LATEST
    last_modified: str = ""
    revision_id: str = ""
    touched: int = 0  # changes since then that no execution environment can see: tags, policies
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def api_revision(self) -> str:
        """Its RevisionId, as the API has it."""
        return derived_revision(self.revision_id, self.touched)

    @property
    def arn(self) -> str:
        """The unqualified ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"
