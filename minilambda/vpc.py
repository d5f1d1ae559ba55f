"""What connects a function to a VPC: its subnets and security groups, and who makes the interfaces.

Stands for: ``VpcConfig`` of the Lambda API. AWS page: *Giving Lambda functions access to resources in an
Amazon VPC*. Leaves out: IPv6, and what can be reached: a function in a VPC reaches what the others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import errors

if TYPE_CHECKING:
    from .function import FunctionConfiguration


@dataclass(frozen=True, slots=True)
class Network:
    """Identifiers, in the order in which they were given; ``vpc`` is the subnets'."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    vpc: str

    def describe(self) -> dict[str, Any]:
        """The API's VpcConfigResponse."""
        return {"SubnetIds": list(self.subnets), "SecurityGroupIds": list(self.security_groups),
                "VpcId": self.vpc, "Ipv6AllowedForDualStack": False}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection: the API's reason code, and the reason in words."""

    code: str
    reason: str


class Networks:
    """Who knows VPCs and makes network interfaces in them; where nobody does, none can be had."""

    def network(self, account: str, region: str, config: Mapping[str, Any]) -> Network | None:
        """What a VpcConfig names; None if it names nothing.

        Raises:
            LambdaError: InvalidParameterValueException: only one of the two lists, or something that
                doesn't exist or isn't of the same VPC as the rest.
        """
        subnets = tuple(dict.fromkeys(config.get("SubnetIds") or ()))
        groups = tuple(dict.fromkeys(config.get("SecurityGroupIds") or ()))
        if bool(subnets) != bool(groups):
            raise errors.invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
        if not subnets:
            return None
        return Network(subnets, groups, self.vpc_of(account, region, subnets, groups))

    def vpc_of(self, account: str, region: str, subnets: tuple[str, ...], groups: tuple[str, ...]
               ) -> str:
        raise errors.not_implemented("the option VpcConfig")

    def check(self, function: FunctionConfiguration) -> None:
        """
        Raises:
            LambdaError: InvalidParameterValueException: its role may not make network interfaces.
        """

    def connect(self, function: FunctionConfiguration, ready: float) -> Trouble | float:
        """Have the network interfaces that it needs; new ones are ``ready`` then.

        Value: when all of them are. Both in seconds on the clock.
        """
        return 0.0

    def disconnect(self, function: FunctionConfiguration,
                   keep: FunctionConfiguration | None = None) -> None:
        """This version of it needs them no more, but for those of ``keep``, which it is now; those
        that nobody needs are deleted."""
