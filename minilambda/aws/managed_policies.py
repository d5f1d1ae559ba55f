"""AWS's own managed policies, read when the first of them is asked for.

Stands for: *AWS managed policies* (``arn:aws:iam::aws:policy/…``).

moto has all of them, and reads all or none when its IAM is made. Reading takes longer than starting a
cloud, and most clouds need none.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

_PREFIX = "arn:aws:iam::aws:policy/"


def install(swap: Callable[[object, str, object], None]) -> None:
    """Put the hooks on moto's IAM, by ``swap(owner, name, value)``."""
    swap(IAMBackend, "attach_role_policy", _attach(IAMBackend.attach_role_policy))
    swap(IAMBackend, "get_policy", _get(IAMBackend.get_policy))


def _attach(stock: Callable[..., None]) -> Callable[..., None]:
    def attach_role_policy(backend: IAMBackend, policy_arn: str, role_name: str) -> None:
        _load(backend, policy_arn)
        stock(backend, policy_arn, role_name)

    return attach_role_policy


def _get(stock: Callable[..., Any]) -> Callable[..., Any]:
    def get_policy(backend: IAMBackend, policy_arn: str) -> Any:
        _load(backend, policy_arn)
        return stock(backend, policy_arn)

    return get_policy


def _load(backend: IAMBackend, arn: str) -> None:
    """The one policy that is asked for: it is among the account's from now on."""
    if not arn.startswith(_PREFIX) or arn in backend.managed_policies:
        return
    name = arn.rsplit("/", 1)[1]
    data = _data().get(name)
    if data is None:
        return
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    if policy.arn == arn:
        backend.managed_policies[arn] = policy
        backend.aws_managed_policies.append(policy)


@functools.cache
def _data() -> dict[str, Any]:
    return json.loads(aws_managed_policies_data)
