"""Functions' network interfaces, in the VPCs that moto's EC2 has.

Stands for: the Hyperplane network interfaces that Lambda makes for functions in a VPC, one for each
combination of subnet and security groups, whoever shares it. AWS page: *Giving Lambda functions access
to resources in an Amazon VPC*.
Leaves out: the up to 20 minutes until an interface that nobody needs is deleted.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from moto.ec2.exceptions import InvalidNetworkInterfaceIdError, InvalidSubnetIdError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from .. import errors
from ..function import FunctionConfiguration
from ..vpc import Networks, Trouble
from .execution_role import role_may

_NEEDED = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface")
_FAILED = "Error occurred while {}. EC2 Error Code: {}. EC2 Error Message: {}"

Place = tuple[str, str, str, tuple[str, ...]]  # account, region, subnet, security groups
User = tuple[str, str]  # a function's ARN, its version


class NetworkInterfaces(Networks):
    """Of one cloud. The caller holds the registry's lock."""

    def __init__(self) -> None:
        self._made: dict[Place, tuple[str, float]] = {}  # their ids, and when they are ready
        self._users: dict[Place, set[User]] = {}

    def vpc_of(self, account: str, region: str, subnets: tuple[str, ...], groups: tuple[str, ...]
               ) -> str:
        ec2 = _ec2(account, region)
        found = []
        for subnet in subnets:
            if (known := _subnet(ec2, subnet)) is None:
                raise errors.invalid(_FAILED.format(
                    "DescribeSubnets", "InvalidSubnetID.NotFound",
                    f"The subnet ID '{subnet}' does not exist"))
            found.append(known.vpc_id)
        for group in groups:
            if (known := ec2.get_security_group_from_id(group)) is None:
                raise errors.invalid(_FAILED.format(
                    "DescribeSecurityGroups", "InvalidGroup.NotFound",
                    f"The security group '{group}' does not exist"))
            found.append(known.vpc_id)
        if len(set(found)) > 1:
            raise errors.invalid(
                "SubnetIds and SecurityGroupIds must all be of one VPC; these are of "
                f"{', '.join(sorted(set(found)))}.")
        return found[0]

    def check(self, function: FunctionConfiguration) -> None:
        if function.network is not None and (missing := _not_allowed(function)):
            raise errors.invalid("The provided execution role does not have permissions to call "
                                 f"{missing} on EC2")

    def connect(self, function: FunctionConfiguration, ready: float) -> Trouble | float:
        places, made = _places(function), []
        if missing := _not_allowed(function):
            return Trouble("InsufficientRolePermissions", "The provided execution role does not have "
                           f"permissions to call {missing} on EC2")
        ec2 = _ec2(function.account, function.region)
        for place in places:
            if self._lives(ec2, place):
                continue
            interface = _make(ec2, function, place)
            if isinstance(interface, Trouble):
                for other in made:
                    self._drop(other)
                return interface
            self._made[place] = interface, ready
            self._users.setdefault(place, set())
            made.append(place)
        for place in places:
            self._users[place].add((function.arn, function.version))
        return max(self._made[place][1] for place in places)

    def disconnect(self, function: FunctionConfiguration,
                   keep: FunctionConfiguration | None = None) -> None:
        kept = _places(keep) if keep else []
        for place in _places(function):
            if place in kept:
                continue
            users = self._users.get(place, set())
            users.discard((function.arn, function.version))
            if not users:
                self._drop(place)

    def _lives(self, ec2: EC2Backend, place: Place) -> bool:
        """Somebody may have deleted it (on AWS nobody can)."""
        return place in self._made and self._made[place][0] in ec2.enis

    def _drop(self, place: Place) -> None:
        self._users.pop(place, None)
        made = self._made.pop(place, None)
        if made is not None:
            try:
                _ec2(*place[:2]).delete_network_interface(made[0])
            except InvalidNetworkInterfaceIdError:
                pass  # it is gone: somebody else was quicker


def _places(function: FunctionConfiguration) -> list[Place]:
    network = function.network
    return [(function.account, function.region, subnet, tuple(sorted(network.security_groups)))
            for subnet in (network.subnets if network else ())]


def _not_allowed(function: FunctionConfiguration) -> str | None:
    return next((action for action in _NEEDED
                 if not role_may(function.role, f"ec2:{action}", "*")), None)


def _make(ec2: EC2Backend, function: FunctionConfiguration, place: Place) -> str | Trouble:
    """The new interface's id, or why there is none."""
    _, region, subnet_id, groups = place
    subnet = _subnet(ec2, subnet_id)
    if subnet is None:
        return Trouble("InvalidSubnet", f"The subnet ID '{subnet_id}' does not exist")
    for group in groups:
        if ec2.get_security_group_from_id(group) is None:
            return Trouble("InvalidSecurityGroup", f"The security group '{group}' does not exist")
    if subnet.available_ip_address_count < 1:
        return Trouble("SubnetOutOfIPAddresses",
                       f"All IP addresses of the subnet {subnet_id} are in use")
    named = uuid.UUID(bytes=hashlib.sha256(
        f"{function.arn}:{function.version}:{place}".encode()).digest()[:16], version=4)
    made: NetworkInterface = ec2.create_network_interface(
        subnet, [], group_ids=list(groups),
        description=f"AWS Lambda VPC ENI-{function.name}-{named}")
    made.interface_type, made.requester_managed, made.status = "lambda", True, "in-use"
    return made.id


def _subnet(ec2: EC2Backend, subnet: str) -> Any:
    try:
        return ec2.get_subnet(subnet)
    except InvalidSubnetIdError:
        return None


def _ec2(account: str, region: str) -> EC2Backend:
    return ec2_backends[account][region]
