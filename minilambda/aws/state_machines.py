"""State machines run: moto's interpreter, on the cloud's clock, with our functions behind its tasks.

Stands for: AWS Step Functions, standard workflows. AWS pages: *Invoke an AWS Lambda function with Step
Functions*, *Handling errors in Step Functions workflows*, *Wait workflow state*.
Leaves out: express workflows (StartSyncExecution), JSONata, tasks that call an API or wait for a job
(``.sync`` of other services), the role's permission to invoke.

moto's interpreter is written with threads, which wait for real. They become ``strands``: an execution
goes on as somebody lets time pass (``cloud.run_until_idle()``, say), waits and retries take the cloud's
time, and everything comes in the same order every time. The interpreter is loaded when it is first
needed. Three of moto's ways are put right: an execution without a name is given one, errors of a
function behind a bare ARN have Lambda's names, and Wait states don't wait a second too long.
"""

from __future__ import annotations

import functools
import importlib
import io
import json
import logging
import random
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import boto3
import moto.stepfunctions.responses as responses
from botocore.config import Config
from botocore.exceptions import ClientError

from ..callers import Cloud
from ..errors import LambdaError
from ..frontend import Frontend
from ..strands import Strands

_PARSER = "moto.stepfunctions.parser"
# Services whose calls are answered at once. (A call that waits for the clock would wait for ever:
# time stands still until the interpreter has its answer.)
_AT_ONCE = {"dynamodb", "events", "s3", "sns", "sqs", "stepfunctions"}
_NO_TYPE = ("The cause could not be determined because Lambda did not return an error type. "
            "Returned payload: ")
Swap = Callable[[object, str, object], None]


def install(swap: Swap, cloud: Cloud, endpoint: Callable[[], str]) -> None:
    """``swap`` sets an attribute until the cloud is closed. ``endpoint``: the cloud's URL."""
    loaded: list[Any] = []

    def get_backend(account: str, region: str) -> Any:
        if not loaded:
            loaded.append(_load(swap, cloud, endpoint))
        return loaded[0].stepfunctions_parser_backends[account][region]

    swap(responses, "get_backend", get_backend)


def _load(swap: Swap, cloud: Cloud, endpoint: Callable[[], str]) -> Any:
    """Load the interpreter and bind it to the clock; gives its module of backends."""
    models = importlib.import_module(f"{_PARSER}.models")
    strands = Strands(cloud.clock)
    with cloud.clock.lock:
        dice = random.Random(cloud.clock.random.getrandbits(64))
    client_for = functools.partial(_client_for, cloud, strands, endpoint)
    stand_ins: dict[int, Any] = {
        id(threading): _like(threading, Thread=strands.Thread, Event=strands.Event),
        id(threading.Thread): strands.Thread, id(threading.Event): strands.Event,
        id(random): _like(random, uniform=dice.uniform, choices=dice.choices, Random=lambda seed=None:
                          random.Random(dice.getrandbits(64) if seed is None else seed))}
    for name, module in list(sys.modules.items()):
        if not name.startswith(_PARSER):
            continue
        for attribute, value in list(vars(module).items()):
            if id(value) in stand_ins:
                swap(module, attribute, stand_ins[id(value)])
            elif attribute == "time" and isinstance(value, types.ModuleType):
                swap(module, attribute, _like(value, sleep=strands.sleep))
            elif attribute == "boto_client_for":
                swap(module, attribute, client_for)
    _part(swap, "utils", "uuid4", lambda: _uuid(dice))
    wait = _find("asl.component.state.wait.wait_function.wait_function").WaitFunction
    swap(wait, "_wait_interval", lambda self, env, wait_seconds:
         env.program_state_event.wait(wait_seconds) if wait_seconds > 0 else None)
    bare = _find("asl.component.state.exec.state_task.state_task_lambda")
    service = _find("asl.component.state.exec.state_task.service.state_task_service_lambda")
    for part, details in ((bare.StateTaskLambda, "lambdaFunctionFailedEventDetails"),
                          (service.StateTaskServiceLambda, "taskFailedEventDetails")):
        swap(part, "_from_error", _from_error(part._from_error, service, details))
    gateway = _find("asl.component.state.exec.state_task.service.state_task_service_api_gateway")
    swap(gateway.StateTaskServiceApiGateway, "_eval_service_task", _refuse_api_gateway)
    swap(gateway.StateTaskServiceApiGateway, "_from_error", lambda task, env, ex: (
        _api_error(service, task, env, ex)))
    log = logging.getLogger(_PARSER)  # of executions that fail, which is in their history anyway
    swap(log, "handlers", [logging.NullHandler()])
    swap(log, "propagate", False)
    backend = models.StepFunctionsParserBackend
    swap(backend, "start_execution", _named(backend.start_execution, cloud))
    return models


def _find(name: str) -> Any:
    return importlib.import_module(f"{_PARSER}.{name}")


def _part(swap: Swap, module: str, name: str, value: Any) -> None:
    swap(_find(module), name, value)


def _like(module: types.ModuleType, **changes: Any) -> types.ModuleType:
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(vars(module), **changes)
    return copy


def _uuid(dice: random.Random) -> str:
    number = f"{dice.getrandbits(128):032x}"
    return "-".join((number[:8], number[8:12], f"4{number[13:16]}", f"a{number[17:20]}",
                     number[20:]))


def _named(stock: Callable[..., Any], cloud: Cloud) -> Callable[..., Any]:
    """StartExecution; an execution without a name gets one."""

    def start_execution(backend: Any, state_machine_arn: str, name: str | None = None,
                        *args: Any, **kwargs: Any) -> Any:
        return stock(backend, state_machine_arn, name or cloud.clock.uuid(), *args, **kwargs)

    return start_execution


def _client_for(cloud: Cloud, strands: Strands, endpoint: Callable[[], str], region: str,
                service: str, state_credentials: Any = None) -> Any:
    """What the interpreter calls a service by."""
    if service == "lambda":
        return LambdaClient(cloud, strands, region)
    if service not in _AT_ONCE:
        raise _not_implemented(f"tasks that call {service}")
    return boto3.client(service, region_name=region, endpoint_url=endpoint(), config=Config(
        parameter_validation=False, retries={"total_max_attempts": 1}))


def _api_error(module: Any, task: Any, env: Any, ex: Exception) -> Any:
    """A task that calls an API has failed. (moto's own way of saying so fails itself.)"""
    error = "ApiGateway.NotImplementedException"
    return module.FailureEvent(
        env=env, error_name=module.CustomErrorName(error),
        event_type=module.HistoryEventType.TaskFailed,
        event_details=module.EventDetails(taskFailedEventDetails=module.TaskFailedEventDetails(
            error=error, cause=str(ex), resource=task._get_sfn_resource(),
            resourceType=task._get_sfn_resource_type())))


def _refuse_api_gateway(*args: Any, **kwargs: Any) -> None:
    raise _not_implemented("tasks that call an API")


def _not_implemented(what: str) -> ClientError:
    """As boto3 would raise it, for the interpreter knows what to make of that."""
    return ClientError({
        "Error": {"Code": "NotImplementedException", "Message":
                  f"minilambda doesn't implement {what} (yet)."},
        "ResponseMetadata": {"HTTPStatusCode": 501, "RequestId": "0"}}, "Invoke")


def _from_error(stock: Callable[..., Any], module: Any, details: str) -> Callable[..., Any]:
    """The failure that an exception is, by Lambda's names for it."""

    def from_error(task: Any, env: Any, ex: Exception) -> Any:
        found = stock(task, env=env, ex=ex)
        if isinstance(ex, ClientError):
            error, cause = module.StateTaskServiceLambda._error_cause_from_client_error(ex)
        elif isinstance(ex, module.lambda_eval_utils.LambdaFunctionErrorException) and (
                not _has_type(ex.payload)):
            error, cause = "Lambda.Unknown", _NO_TYPE + ex.payload
        else:
            return found
        found.event_details[details] |= {"error": error, "cause": cause}
        return module.FailureEvent(
            env=env, error_name=module.CustomErrorName(error), event_type=found.event_type,
            event_details=found.event_details)

    return from_error


def _has_type(payload: str) -> bool:
    try:
        return "errorType" in json.loads(payload)
    except (ValueError, TypeError):
        return False


class LambdaClient:
    """The part of boto3's client of Lambda that the interpreter calls."""

    def __init__(self, cloud: Cloud, strands: Strands, region: str) -> None:
        self.cloud, self.strands, self.region = cloud, strands, region

    def __getattr__(self, name: str) -> Any:
        raise _not_implemented(f"tasks that call lambda:{name}")

    def invoke(self, FunctionName: str, Payload: bytes = b"{}", Qualifier: str | None = None,
               **options: Any) -> dict[str, Any]:
        """Invoke and rest until the outcome is there.

        Raises:
            ClientError: as boto3 would; NotImplementedException for an option that isn't there.
        """
        if options:
            raise _not_implemented(f"lambda:invoke's {', '.join(sorted(options))}")
        frontend: Frontend = self.cloud.frontend
        try:
            target = self.cloud.registry.target(self.cloud.account_id, self.region, FunctionName,
                                                Qualifier)
            outcome = frontend.invoke(target, Payload, wait=self.strands.wait)
        except LambdaError as error:
            raise ClientError({
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.status, "RequestId":
                                     error.request_id or self.cloud.clock.uuid()}},
                "Invoke") from error
        reply = {"StatusCode": 200, "ExecutedVersion": outcome.version,
                 "Payload": io.BytesIO(outcome.payload)}
        return reply | ({"FunctionError": "Unhandled"} if outcome.failed else {})
