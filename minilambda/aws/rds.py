"""A DB instance of moto's RDS with the engine ``postgres`` has a real PostgreSQL behind it.

Stands for: CreateDBInstance, DeleteDBInstance, StopDBInstance, StartDBInstance, RebootDBInstance and
the parameters of a DB parameter group that reach the server. AWS pages: *CreateDBInstance*,
*Parameters on Amazon RDS for PostgreSQL*.
Leaves out: other engines, which stay what moto makes of them (the API without a server); restored
snapshots and replicas of a PostgreSQL, and changes of its password, port or group, which are refused.

An instance's Endpoint is a port on this machine's loopback, so that plain drivers reach it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, RDSBackend

from ..databases import ADDRESS, Database, PortTaken
from ..sandbox import PostgresFailed
from ..sandbox.postgres import FAMILY, PARAMETERS, version
from .current import installed

ENGINE = "postgres"
_RESERVED = re.compile(r"(rdsadmin|rds_superuser|rdsrepladmin|public|none|pg_.*)", re.I)
_NOT_CHANGED = {
    "master_user_password": "MasterUserPassword", "db_port_number": "DBPortNumber",
    "db_parameter_group_name": "DBParameterGroupName", "engine_version": "EngineVersion",
    "manage_master_user_password": "ManageMasterUserPassword",
    "new_db_instance_identifier": "NewDBInstanceIdentifier",
}


def install(swap: Callable[[object, str, object], None]) -> None:
    """Put our methods before moto's; ``swap`` sets an attribute until the cloud is closed."""
    for method in (_create, _delete, _stop, _start, _reboot, _modify, _replicate, _set_parameters):
        stock = getattr(RDSBackend, method.stock)
        swap(RDSBackend, method.stock, _bind(method, stock))
    address = DBInstance.address
    swap(DBInstance, "address", property(
        lambda instance: ADDRESS if _database(instance) else address.fget(instance)))


def _bind(method: Callable[..., Any], stock: Callable[..., Any]) -> Callable[..., Any]:
    def bound(self: RDSBackend, *args: Any, **kwargs: Any) -> Any:
        return method(stock, self, *args, **kwargs)

    return bound


def _instead_of(stock: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.stock = stock
        return method

    return mark


def _key(backend: RDSBackend, identifier: str) -> tuple[str, str, str]:
    return backend.account_id, backend.region_name, identifier.lower()


def _database(instance: DBInstance) -> Database | None:
    databases = getattr(installed().runtime, "databases", None)
    if databases is None:
        return None
    return databases.get(_key(instance.backend, instance.db_instance_identifier))


@_instead_of("create_db_instance")
def _create(stock: Callable[..., Any], self: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    if db_kwargs.get("engine") != ENGINE:
        return stock(self, db_kwargs)
    if "status" in db_kwargs:  # moto's own copy of an instance that was
        raise NotImplementedError("minilambda doesn't bring a PostgreSQL database back from a "
                                  "snapshot or a point in time (yet).")
    if db_kwargs.get("manage_master_user_password"):
        raise NotImplementedError("minilambda doesn't implement ManageMasterUserPassword for "
                                  "PostgreSQL (yet): give MasterUserPassword.")
    user, password, name = _credentials(db_kwargs)
    db_kwargs["engine_version"] = _engine_version(db_kwargs.get("engine_version"))
    made = stock(self, db_kwargs)
    identifier = db_kwargs["db_instance_identifier"]
    try:
        database = installed().runtime.databases.create(
            _key(self, identifier), user, password, name,
            _parameters(self, db_kwargs.get("db_parameter_group_name")), db_kwargs.get("port"))
    except (PortTaken, PostgresFailed) as problem:
        self.delete_db_instance(identifier, skip_final_snapshot=True)
        raise RDSClientError("InvalidParameterValue", str(problem)) from problem
    except BaseException:
        self.delete_db_instance(identifier, skip_final_snapshot=True)
        raise
    made.port = database.port
    return made


@_instead_of("delete_db_instance")
def _delete(stock: Callable[..., Any], self: RDSBackend, db_instance_identifier: str,
            *args: Any, **kwargs: Any) -> DBInstance:
    deleted = stock(self, db_instance_identifier, *args, **kwargs)
    installed().runtime.databases.delete(_key(self, db_instance_identifier))
    return deleted


@_instead_of("stop_db_instance")
def _stop(stock: Callable[..., Any], self: RDSBackend, db_instance_identifier: str,
          *args: Any, **kwargs: Any) -> DBInstance:
    stopped = stock(self, db_instance_identifier, *args, **kwargs)
    if database := _database(stopped):
        database.stop()
    return stopped


@_instead_of("start_db_instance")
def _start(stock: Callable[..., Any], self: RDSBackend, db_instance_identifier: str) -> DBInstance:
    started = stock(self, db_instance_identifier)
    _run(self, started)
    return started


@_instead_of("reboot_db_instance")
def _reboot(stock: Callable[..., Any], self: RDSBackend, db_instance_identifier: str) -> DBInstance:
    rebooted = stock(self, db_instance_identifier)
    if database := _database(rebooted):
        database.stop()
        _run(self, rebooted)
    return rebooted


def _run(backend: RDSBackend, instance: DBInstance) -> None:
    """Start the server with what its parameter group says now."""
    if database := _database(instance):
        try:
            database.start(_parameters(backend, instance.db_parameter_group_name))
        except PostgresFailed as problem:
            instance.status = "incompatible-parameters"
            raise RDSClientError("InvalidParameterValue", str(problem)) from problem


@_instead_of("modify_db_instance")
def _modify(stock: Callable[..., Any], self: RDSBackend, db_instance_identifier: str,
            db_kwargs: dict[str, Any]) -> DBInstance:
    if _database(self.describe_db_instances(db_instance_identifier)[0]):
        for name, option in _NOT_CHANGED.items():
            if db_kwargs.get(name) is not None:
                raise NotImplementedError(f"minilambda doesn't change {option} of a running "
                                          "PostgreSQL (yet): make a new instance.")
    return stock(self, db_instance_identifier, db_kwargs)


@_instead_of("create_db_instance_read_replica")
def _replicate(stock: Callable[..., Any], self: RDSBackend,
               db_kwargs: dict[str, Any]) -> DBInstance:
    if _database(self.find_db_from_id(db_kwargs["source_db_instance_identifier"])):
        raise NotImplementedError("minilambda doesn't replicate a PostgreSQL database (yet).")
    return stock(self, db_kwargs)


@_instead_of("modify_db_parameter_group")
def _set_parameters(stock: Callable[..., Any], self: RDSBackend, db_parameter_group_name: str,
                    db_group_parameters: Any) -> Any:
    parameters = list(db_group_parameters)
    group = self.db_parameter_groups.get(db_parameter_group_name)
    if group is not None and str(group.family).startswith(ENGINE):
        for parameter in parameters:
            if parameter["ParameterName"] not in PARAMETERS:
                raise NotImplementedError(
                    f"minilambda doesn't honour the parameter {parameter['ParameterName']} (yet); "
                    "these reach PostgreSQL: " + ", ".join(sorted(PARAMETERS)))
    return stock(self, db_parameter_group_name, parameters)


def _parameters(backend: RDSBackend, group_name: str | None) -> dict[str, str]:
    group = backend.db_parameter_groups.get(group_name or "")
    if group is None:  # one of AWS's default groups
        return {}
    if group.family != FAMILY:
        raise RDSClientError(
            "InvalidParameterCombination",
            f"The parameter group {group.name} with DBParameterGroupFamily {group.family} can't be "
            f"used for this instance. Please use a Parameter Group with DBParameterGroupFamily "
            f"{FAMILY}")
    return {name: str(parameter["ParameterValue"]) for name, parameter in group.parameters.items()}


def _engine_version(wanted: str | None) -> str:
    present = version()
    if wanted is not None and wanted != present and wanted != present.split(".")[0]:
        raise RDSClientError("InvalidParameterCombination",
                             f"Cannot find version {wanted} for postgres")
    return present


def _credentials(db_kwargs: dict[str, Any]) -> tuple[str, str, str | None]:
    """Master user, password, and the name of a database to make. AWS page: *CreateDBInstance*."""
    user, password = db_kwargs.get("master_username"), db_kwargs.get("master_user_password")
    for name, value in (("MasterUsername", user), ("MasterUserPassword", password)):
        if not value:
            raise RDSClientError("InvalidParameterValue", f"The parameter {name} must be provided "
                                 "and must not be blank.")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", user):
        raise RDSClientError("InvalidParameterValue", "The parameter MasterUsername must begin with "
                             "a letter and hold 1 to 63 letters, digits or underscores.")
    if _RESERVED.fullmatch(user):
        raise RDSClientError("InvalidParameterValue", f"MasterUsername {user} cannot be used as it "
                             "is a reserved word used by the engine")
    if not 8 <= len(password) <= 128:
        length = "shorter than 8" if len(password) < 8 else "longer than 128"
        raise RDSClientError("InvalidParameterValue", "The parameter MasterUserPassword is not a "
                             f"valid password because it is {length} characters.")
    if not re.fullmatch(r"""[!-~]+""", password) or set('/@"') & set(password):
        raise RDSClientError("InvalidParameterValue", "The parameter MasterUserPassword is not a "
                             "valid password. Only printable ASCII characters besides '/', '@', "
                             "'\"', ' ' may be used.")
    database = db_kwargs.get("db_name")
    if database is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", database):
        raise RDSClientError("InvalidParameterValue", "DBName must begin with a letter or an "
                             "underscore and contain only alphanumeric characters.")
    return user, password, database
