"""The Lambda API's operations on policies: parameters in, result out.

Stands for: *AddPermission*, *RemovePermission* and *GetPolicy* of the Lambda API reference.
Leaves out: what ``minilambda.permissions`` leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..errors import LambdaError
from ..function import FunctionConfiguration
from ..permissions import Permissions


class PermissionOperations:
    """The part of ``service.LambdaApi`` that is about who may invoke."""

    runtime: Any

    def AddPermission(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        statement = self._permissions.add(*self._named(params, caller, "AddPermission"), params)
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def RemovePermission(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        try:
            named = self._named(params, caller, "RemovePermission")
        except LambdaError as error:  # AWS words a function that isn't there as a policy that isn't
            if error.status != 404 or not error.message.startswith("Function not found: "):
                raise
            raise errors.no_policy_of(error.message.partition(": ")[2]) from None
        self._permissions.remove(*named, params)
        return {}

    def GetPolicy(self, params: Mapping[str, Any], caller: Any) -> dict[str, Any]:
        policy = self._permissions.get(*self._named(params, caller, "GetPolicy"))
        return {"Policy": policy.document(), "RevisionId": policy.revision_id}

    @property
    def _permissions(self) -> Permissions:
        return self.runtime.registry.permissions

    def _named(self, params: Mapping[str, Any], caller: Any, operation: str
               ) -> tuple[FunctionConfiguration, str | None]:
        return self.runtime.registry.named(
            caller.account, caller.region, params["FunctionName"], params.get("Qualifier"),
            action=f"lambda:{operation}")
