"""User pools of moto's Cognito pull their triggers.

Stands for: which operation pulls which trigger, and what it makes of the answer. AWS page: *Customizing
user pool workflows with Lambda triggers* (the table of trigger sources).
Leaves out: the authentication triggers of sign-ins with SRP or a challenge, federated users, groups in
access tokens that a function has overridden. A pool with another trigger is refused when it is made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.cognitoidp.models import (
    CognitoIdpBackend, CognitoIdpUser, CognitoIdpUserPool, UserStatus,
)
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.cognitoidp.utils import flatten_attrs
from moto.core.exceptions import JsonRESTError

from ..cognito_trigger import Trigger, TriggerFailed, UserPool
from .current import installed

_THERE = {"PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication",
          "PreTokenGeneration"}
# What functions are told of the client's request that moto's models don't get to see.
_metadata: ContextVar[dict[str, Any]] = ContextVar("metadata", default={})
_source: ContextVar[str] = ContextVar("source", default="TokenGeneration_Authentication")
_UNASKED_CLAIMS = {"iss", "sub", "aud", "token_use", "iat", "exp", "auth_time", "jti", "origin_jti",
                   "cognito:username", "identities"}


def install(swap: Callable[[object, str, object], None]) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    backend = CognitoIdpBackend
    for name, ours in (("create_user_pool", _create), ("update_user_pool", _update),
                       ("sign_up", _sign_up), ("confirm_sign_up", _confirm),
                       ("admin_confirm_sign_up", _admin_confirm),
                       ("confirm_forgot_password", _confirm_forgot),
                       ("admin_create_user", _admin_create),
                       ("initiate_auth", _initiate), ("admin_initiate_auth", _admin_initiate)):
        swap(backend, name, _bind(ours, getattr(backend, name)))
    swap(CognitoIdpUserPool, "create_jwt", _bind(_jwt, CognitoIdpUserPool.create_jwt))
    for name in ("sign_up", "confirm_sign_up", "admin_confirm_sign_up", "confirm_forgot_password",
                 "admin_create_user", "initiate_auth", "admin_initiate_auth",
                 "respond_to_auth_challenge", "admin_respond_to_auth_challenge"):
        swap(CognitoIdpResponse, name, _told(getattr(CognitoIdpResponse, name)))


def _bind(ours: Callable[..., Any], stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def bound(self: Any, *args: Any, **kwargs: Any) -> Any:
        return ours(functools.partial(stock, self), self, *args, **kwargs)

    return bound


def _told(stock: Callable[..., Any]) -> Callable[..., Any]:
    """An operation of the API, with what functions are to be told of it."""

    def operation(response: CognitoIdpResponse) -> Any:
        validation = response._get_param("ValidationData")
        told = {"clientMetadata": response._get_param("ClientMetadata"),
                "validationData": {item["Name"]: item.get("Value", "") for item in validation}
                if validation else None}
        before = _metadata.set({name: value for name, value in told.items() if value is not None})
        try:
            return stock(response)
        except TriggerFailed as failed:
            raise JsonRESTError(failed.code, failed.message) from failed
        finally:
            _metadata.reset(before)

    return operation


# -- operations: ``stock`` is moto's ------------------------------------------------------------------

def _create(stock: Callable[..., Any], self: CognitoIdpBackend, name: str,
            extended_config: dict[str, Any]) -> Any:
    _check(extended_config)
    return stock(name, extended_config)


def _update(stock: Callable[..., Any], self: CognitoIdpBackend, user_pool_id: str,
            extended_config: dict[str, Any]) -> Any:
    _check(extended_config)
    return stock(user_pool_id, extended_config)


def _sign_up(stock: Callable[..., Any], self: CognitoIdpBackend, client_id: str, username: str,
             password: str, attributes: list[dict[str, str]]) -> Any:
    pool = _pool_of(self, client_id)
    answer: dict[str, Any] = {}
    if pool is not None and pool._get_user(username) is None:
        self._validate_password(pool.id, password)
        answer = _pre_sign_up(pool, "PreSignUp_SignUp", username, client_id, attributes)
    user, details = stock(client_id, username, password, attributes)
    if answer.get("autoConfirmUser"):
        user.status = UserStatus.CONFIRMED
        details = None
    _verify(user, answer)
    if user.status is UserStatus.CONFIRMED:
        _pull(pool, "PostConfirmation", "PostConfirmation_ConfirmSignUp", user, client_id)
    return user, details


def _admin_create(stock: Callable[..., Any], self: CognitoIdpBackend, user_pool_id: str,
                  username: str, message_action: str, temporary_password: str,
                  attributes: list[dict[str, str]]) -> CognitoIdpUser:
    pool = self.describe_user_pool(user_pool_id)
    answer: dict[str, Any] = {}
    if pool._get_user(username) is None:
        answer = _pre_sign_up(pool, "PreSignUp_AdminCreateUser", username, "CLIENT_ID_NOT_APPLICABLE",
                              attributes)
    user = stock(user_pool_id, username, message_action, temporary_password, attributes)
    _verify(user, answer)
    return user


def _confirm(stock: Callable[..., Any], self: CognitoIdpBackend, client_id: str,
             username: str) -> str:
    result = stock(client_id, username)
    pool = _pool_of(self, client_id)
    _pull(pool, "PostConfirmation", "PostConfirmation_ConfirmSignUp", pool._get_user(username),
          client_id)
    return result


def _admin_confirm(stock: Callable[..., Any], self: CognitoIdpBackend, user_pool_id: str,
                   username: str) -> str:
    result = stock(user_pool_id, username)
    pool = self.describe_user_pool(user_pool_id)
    _pull(pool, "PostConfirmation", "PostConfirmation_ConfirmSignUp", pool._get_user(username),
          "CLIENT_ID_NOT_APPLICABLE")
    return result


def _confirm_forgot(stock: Callable[..., Any], self: CognitoIdpBackend, client_id: str,
                    username: str, password: str, confirmation_code: str) -> None:
    stock(client_id, username, password, confirmation_code)
    pool = _pool_of(self, client_id)
    _pull(pool, "PostConfirmation", "PostConfirmation_ConfirmForgotPassword",
          pool._get_user(username), client_id)


def _initiate(stock: Callable[..., Any], self: CognitoIdpBackend, client_id: str, auth_flow: str,
              auth_parameters: dict[str, str]) -> dict[str, Any]:
    with _signing_in(_pool_of(self, client_id), client_id, auth_flow, auth_parameters) as done:
        return done(stock(client_id, auth_flow, auth_parameters))


def _admin_initiate(stock: Callable[..., Any], self: CognitoIdpBackend, user_pool_id: str,
                    client_id: str, auth_flow: str, auth_parameters: dict[str, str]
                    ) -> dict[str, Any]:
    with _signing_in(self.describe_user_pool(user_pool_id), client_id, auth_flow,
                     auth_parameters) as done:
        return done(stock(user_pool_id, client_id, auth_flow, auth_parameters))


@contextmanager
def _signing_in(pool: CognitoIdpUserPool | None, client_id: str, auth_flow: str,
                auth_parameters: dict[str, str]
                ) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """The triggers around a sign-in: before the password is looked at, and when there are tokens."""
    user = pool._get_user((auth_parameters or {}).get("USERNAME")) if pool else None
    refreshing = auth_flow.startswith("REFRESH_TOKEN")
    if user is not None and not refreshing:
        _pull(pool, "PreAuthentication", "PreAuthentication_Authentication", user, client_id)

    def done(result: dict[str, Any]) -> dict[str, Any]:
        if user is not None and not refreshing and "AuthenticationResult" in result:
            _pull(pool, "PostAuthentication", "PostAuthentication_Authentication", user, client_id,
                  newDeviceUsed=False)
        return result

    before = _source.set("TokenGeneration_RefreshTokens" if refreshing
                         else "TokenGeneration_Authentication")
    try:
        yield done
    finally:
        _source.reset(before)


def _jwt(stock: Callable[..., Any], self: CognitoIdpUserPool, client_id: str, username: str,
         token_use: str, expires_in: int = 3600, extra_data: dict[str, Any] | None = None) -> Any:
    """The id token's claims are the function's to change."""
    if token_use != "id":
        return stock(client_id, username, token_use, expires_in, extra_data)
    user, claims = self._get_user(username), dict(extra_data or {})
    groups = {"groupsToOverride": sorted(group.group_name for group in user.groups),
              "iamRolesToOverride": [], "preferredRole": None}
    answer = _pull(self, "PreTokenGeneration", _source.get(), user, client_id,
                   {"claimsOverrideDetails": None}, groupConfiguration=groups)
    details = answer.get("claimsOverrideDetails") or {}
    for name, value in (details.get("claimsToAddOrOverride") or {}).items():
        if name not in _UNASKED_CLAIMS:
            claims[name] = value
    for name in details.get("claimsToSuppress") or ():
        if name not in _UNASKED_CLAIMS:
            claims.pop(name, None)
    changed = (details.get("groupOverrideDetails") or {}).get("groupsToOverride")
    if changed is not None:
        claims["cognito:groups"] = changed
    return stock(client_id, username, token_use, expires_in, claims)


# -- inside --------------------------------------------------------------------------------------------

def _check(config: dict[str, Any]) -> None:
    if missing := sorted((config.get("LambdaConfig") or {}).keys() - _THERE):
        raise NotImplementedError("minilambda doesn't implement the trigger "
                                  f"{', '.join(missing)} (yet).")


def _pool_of(backend: CognitoIdpBackend, client_id: str) -> CognitoIdpUserPool | None:
    return next((pool for pool in backend.user_pools.values() if client_id in pool.clients), None)


def _pre_sign_up(pool: CognitoIdpUserPool, source: str, username: str, client_id: str,
                 attributes: list[dict[str, str]]) -> dict[str, Any]:
    told = _metadata.get()
    request = {"userAttributes": flatten_attrs(attributes or []),
               "validationData": told.get("validationData")}
    request |= {name: told[name] for name in ("clientMetadata",) if name in told}
    return _trigger(pool, "PreSignUp", source, username, client_id).pull(
        request, {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False})


def _pull(pool: CognitoIdpUserPool, name: str, source: str, user: CognitoIdpUser, client_id: str,
          response: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    attributes = flatten_attrs(user.attributes) | {"cognito:user_status": str(user.status.value)}
    told = _metadata.get()
    return _trigger(pool, name, source, user.username, client_id).pull(
        {"userAttributes": attributes} | request | ({"clientMetadata": told["clientMetadata"]}
                                                    if "clientMetadata" in told else {}),
        response or {})


def _trigger(pool: CognitoIdpUserPool, name: str, source: str, user_name: str,
             client_id: str) -> Trigger:
    return Trigger(installed().runtime, UserPool(
        pool.id, pool.arn, pool.account_id, pool.region,
        pool.extended_config.get("LambdaConfig") or {}), name, source, user_name, client_id)


def _verify(user: CognitoIdpUser, answer: dict[str, Any]) -> None:
    for wanted, attribute in (("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")):
        if answer.get(wanted) and attribute in flatten_attrs(user.attributes):
            user.update_attributes([{"Name": f"{attribute}_verified", "Value": "true"}])
