"""Signature Version 4, checked: who signed a request, by a secret that we know.

Stands for: AWS's authentication. AWS page: *Signing AWS API requests* (IAM User Guide).
Used by function URLs with AuthType AWS_IAM; requests of the APIs themselves aren't checked.
Leaves out: signatures in the query string, and their age: clients sign with the machine's time, and the
cloud has a time of its own.

Secrets: the reader's, those of IAM users' access keys and of sessions opened with STS, and functions'.
``test`` with the secret ``test`` is the reader too, as clients of ``minilambda serve`` have that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.access_control import (
    AssumedRoleAccessKey,
    CreateAccessKeyFailure,
    IAMPolicy,
    IAMUserAccessKey,
    PermissionResult,
)
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from ..variables import SECRET
from .guard import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from .url_events import Identity, UrlRequest

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request, *"
    r"SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})\s*")
_READERS = {ACCESS_KEY_ID: SECRET_ACCESS_KEY, "test": "test"}


class SignatureRefused(Exception):
    """``code`` and the message as AWS has them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def signer(request: UrlRequest, runtime: Any, region: str) -> Identity | None:
    """Who signed the request; None if nobody did.

    ``runtime``: the cloud, which knows the readers' account and whose functions' credentials are.

    Raises:
        SignatureRefused: a key that nobody has, or a signature that isn't this request's.
    """
    text = request.headers.get("authorization")
    if text is None:
        return None
    found = _AUTHORIZATION.fullmatch(text)
    if found is None:
        raise SignatureRefused("IncompleteSignatureException",
                               "Authorization header requires existence of either a 'X-Amz-Date' or "
                               "a 'Date' header and a signature of Version 4.")
    key, day, place, service, signed, signature = found.groups()
    secret, identity = _known(key, request, runtime, region)
    if (place, service) != (region, "lambda"):
        raise SignatureRefused(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region and correct service: '{region}', 'lambda'.")
    if not (_fits(request, secret, day, place, signed.split(";"), signature)):
        raise SignatureRefused(
            "InvalidSignatureException", "The request signature we calculated does not match the "
            "signature you provided. Check your AWS Secret Access Key and signing method. Consult the "
            "service documentation for details.")
    return identity


def allows(identity: Identity, action: str, resource: str) -> bool | None:
    """What his own policies say: True, False (denied in so many words) or None (nothing)."""
    if identity.policies is None:
        return True
    found = [IAMPolicy(policy).is_action_permitted(action, resource)
             for policy in identity.policies]
    if PermissionResult.DENIED in found:
        return False
    return True if PermissionResult.PERMITTED in found else None


def _known(key: str, request: UrlRequest, runtime: Any, region: str) -> tuple[str, Identity]:
    """The secret of a key, and whose it is."""
    function_of = getattr(runtime, "function_of", lambda key: None)
    partition = get_partition(region)
    if key in _READERS:
        account, policies, secret = runtime.account_id, None, _READERS[key]
    elif (function := function_of(key)) is not None:
        account, secret = function.account, SECRET
        policies = _of_role(account, partition, function.role)
    else:
        account, secret, policies = _in_moto(key, request, partition)
    user_id, arn, _ = sts_backends[account][partition].get_caller_identity(key, region)
    return secret, Identity(key, account, arn, user_id, policies)


def _in_moto(key: str, request: UrlRequest, partition: str) -> tuple[str, str, tuple[Any, ...]]:
    headers = {"X-Amz-Security-Token": request.headers[name] for name in request.headers
               if name == "x-amz-security-token"}
    kind = AssumedRoleAccessKey if headers else IAMUserAccessKey
    for account in list(sts_backends if headers else iam_backends):
        try:
            found = kind(account_id=account, partition=partition, access_key_id=key, headers=headers)
        except CreateAccessKeyFailure:
            continue
        return account, found.create_credentials().secret_key, tuple(found.collect_policies())
    raise SignatureRefused("UnrecognizedClientException",
                           "The security token included in the request is invalid.")


def _of_role(account: str, partition: str, arn: str) -> tuple[Any, ...]:
    """The policies of a function's execution role."""
    backend = iam_backends[account][partition]
    role = next((role for role in backend.get_roles() if role.arn == arn), None)
    if role is None:
        return ()
    inline = [backend.get_role_policy(role.name, name)[1]
              for name in backend.list_role_policies(role.name)]
    return (*inline, *backend.list_attached_role_policies(role.name)[0])


class _Signing(SigV4Auth):
    """botocore's own, for exactly the headers that the client has signed."""

    def headers_to_sign(self, request: AWSRequest) -> Any:
        return request.headers


def _fits(request: UrlRequest, secret: str, day: str, region: str, signed: list[str],
          signature: str) -> bool:
    date = request.headers.get("x-amz-date", "")
    if not date.startswith(day) or not {"host", "x-amz-date"} <= set(signed):
        return False
    stated = request.headers.get("x-amz-content-sha256")
    digest = hashlib.sha256(request.body).hexdigest()
    if stated not in (None, "UNSIGNED-PAYLOAD", digest):
        return False
    asked = AWSRequest(request.method, request.url, data=request.body)
    for name in signed:
        asked.headers[name] = request.headers.get(name, "")
    if stated is not None:
        asked.headers["X-Amz-Content-SHA256"] = stated
    asked.context["timestamp"] = date
    auth = _Signing(Credentials("", secret), "lambda", region)
    canonical = auth.canonical_request(asked)
    if stated is not None and "x-amz-content-sha256" not in signed:
        del asked.headers["X-Amz-Content-SHA256"]
        canonical = "\n".join([*auth.canonical_request(asked).split("\n")[:-1], stated])
    made = auth.signature(auth.string_to_sign(asked, canonical), asked)
    return hmac.compare_digest(made, signature)
