"""What a function's execution role may do, by the policies that moto's IAM has for it.

Stands for: Lambda assuming that role to send a record. AWS pages: *Defining Lambda function permissions
with an execution role*; *Permissions boundaries for IAM entities*.
Leaves out: policies of the resource that is asked for, and what ``identity_policy`` leaves out.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from ..identity_policy import Document, allows


def role_may(role: str, action: str, resource: str) -> bool:
    """Whether a role (an ARN) may do ``action`` to ``resource`` (an ARN).

    Its inline policies, the managed ones attached to it (AWS's own too) and its boundary count.
    """
    account = role.split(":")[4]
    if account not in iam_backends:
        return False
    backend = iam_backends[account]["aws"]
    found = next((r for r in backend.get_roles() if r.arn == role), None)
    if found is None:
        return False
    own = [*map(json.loads, found.policies.values()),
           *map(_document, found.managed_policies.values())]
    if not allows(own, action, resource):
        return False
    boundary = found.permissions_boundary_arn
    return not boundary or (boundary in backend.managed_policies and allows(
        [_document(backend.managed_policies[boundary])], action, resource))


def _document(policy: Any) -> Document:
    return json.loads(next(v.document for v in policy.versions if v.is_default))
