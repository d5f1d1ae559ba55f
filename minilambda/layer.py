"""A layer version and who may use it, as data.

Stands for: ``GetLayerVersionResponse`` and the policy of a layer version in the Lambda API.
AWS pages: *GetLayerVersion* and *AddLayerVersionPermission* in the Lambda API reference.
Leaves out: code signing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .function import CodePackage
from .policy import Asking, Policy


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One version of a layer. Immutable: publishing again makes the next version.

    ``created`` as the API prints it; ``unzipped``: bytes of its files, unpacked.
    """

    name: str
    account: str
    region: str
    version: int
    content: CodePackage
    unzipped: int
    created: str
    description: str = ""
    license_info: str | None = None
    compatible_runtimes: tuple[str, ...] | None = None
    compatible_architectures: tuple[str, ...] | None = None

    @property
    def layer_arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:layer:{self.name}"

    @property
    def arn(self) -> str:
        """The ARN with the version: what a function's ``Layers`` names."""
        return f"{self.layer_arn}:{self.version}"

    def suits(self, runtime: str | None, architecture: str | None) -> bool:
        """Whether it is listed under these filters (None: any). AWS enforces them nowhere else."""
        return ((runtime is None or runtime in (self.compatible_runtimes or ()))
                and (architecture is None
                     or architecture in (self.compatible_architectures or ())))


@dataclass(frozen=True, slots=True)
class LayerPolicy(Policy):
    """Which other accounts may use a layer version."""

    def allows(self, account: str, organization: str | None) -> bool:
        """Whether an account may use the version; ``organization``: the one it belongs to."""
        return self.lets(Asking("lambda:GetLayerVersion", account=account,
                                organization=organization))


def allowing(statement_id: str, action: str, principal: str, organization: str | None,
             arn: str) -> dict[str, Any]:
    """A statement of a layer version's policy, in the order in which AWS prints its members.

    ``principal``: ``*``, an account's id, or an account's ARN. ``organization``: of all that ``*``
    stands for only the accounts of this one.
    """
    if len(principal) == 12 and principal.isdecimal():
        principal = f"arn:aws:iam::{principal}:root"
    statement: dict[str, Any] = {
        "Sid": statement_id, "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": principal},
        "Action": action, "Resource": arn}
    if organization:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    return statement
