"""What Lambda asks of its neighbours, moto's S3, IAM and Organizations, in this process.

Stands for: Lambda reading a deployment package from S3, being allowed to assume a function's
execution role (AWS page: *Defining Lambda function permissions with an execution role*), and the
condition key ``aws:PrincipalOrgID`` (*AWS global condition context keys*).
Leaves out: the reader's own permission to read that object or to pass that role.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from .. import errors

_LAMBDA = "lambda.amazonaws.com"


def fetch_code(account: str, region: str, bucket: str, key: str, version: str | None) -> bytes:
    """The bytes of an S3 object (``version`` None: the newest).

    Raises:
        LambdaError: no such bucket, key or version; or a bucket of another region.
    """
    backend = s3_backends[account][get_partition(region)]
    found = backend.buckets.get(bucket)
    if found is None:
        raise errors.s3_code_missing("NoSuchBucket", "The specified bucket does not exist")
    if found.region_name != region:
        raise errors.s3_code_missing(
            "PermanentRedirect", "The bucket is in this region: "
            f"{found.region_name}. Please use this region to retry the request")
    stored = backend.get_object(bucket, key, version_id=version)
    if stored is None and version is not None:
        raise errors.s3_code_missing("NoSuchVersion", "The specified version does not exist.")
    if stored is None:
        raise errors.s3_code_missing("NoSuchKey", "The specified key does not exist.")
    return stored.value


def role_trusts_lambda(role: str) -> bool:
    """Whether the role (an ARN) exists and its trust policy lets Lambda assume it."""
    account = role.split(":")[4]
    if account not in iam_backends:
        return False
    backend = iam_backends[account]["aws"]
    for found in backend.get_roles():
        if found.arn == role:
            return _trusts(found.assume_role_policy_document)
    return False


def organization_of(account: str) -> str | None:
    """The id of the organization that an account manages or belongs to, None without one."""
    manager = organizations_backends.master_accounts.get(account, (account, "aws"))[0]
    if manager not in organizations_backends:  # asking would make a backend for any number
        return None
    organization = organizations_backends[manager]["aws"].org
    return organization.id if organization else None


def _trusts(document: str | None) -> bool:
    statements = _list(json.loads(document or "{}").get("Statement"))
    fitting = [s.get("Effect") for s in statements if _names_lambda(s) and _assumes(s)]
    return "Allow" in fitting and "Deny" not in fitting


def _names_lambda(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = _list(principal.get("Service")) if isinstance(principal, dict) else [principal]
    return _LAMBDA in services or "*" in services


def _assumes(statement: dict[str, Any]) -> bool:
    return any(action in ("sts:AssumeRole", "sts:*", "*")
               for action in _list(statement.get("Action")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
