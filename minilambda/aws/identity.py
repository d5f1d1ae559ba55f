"""Who a function is, when it asks.

Stands for: the session that Lambda opens in a function's execution role, as GetCallerIdentity shows
it. AWS page: *Defining Lambda function permissions with an execution role*.
Leaves out: what the role may do (nobody is denied anything yet).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from ..function import FunctionConfiguration


def of_functions(stock: Callable[..., tuple[str, str, str]],
                 function_of: Callable[[str], FunctionConfiguration | None]
                 ) -> Callable[..., tuple[str, str, str]]:
    """moto's answer (user id, ARN, account), but for credentials that are a function's."""

    def get_caller_identity(self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
        function = function_of(access_key_id)
        if function is None:
            return stock(self, access_key_id, region)
        partition, account = get_partition(region), function.account
        roles = {role.arn: role.id for role in iam_backends[account][partition].get_roles()}
        session = f"{function.role.rsplit('/', 1)[1]}/{function.name}"
        # A role that has been deleted leaves its sessions; their ids then begin as any role's do.
        return (f"{roles.get(function.role, 'AROA')}:{function.name}",
                f"arn:{partition}:sts::{account}:assumed-role/{session}", account)

    return get_caller_identity
