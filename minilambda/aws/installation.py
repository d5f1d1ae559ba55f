"""Our Lambda service put in moto's place, and taken out again.

Every moto internal that is touched is touched here, in ``vclock``, ``neighbours``, ``identity``,
``responses``, ``protocol``, ``models``, ``polling``, ``queues``, ``streams``, ``alarms``,
``buckets``, ``topics``, ``event_buses``, ``log_subscriptions``,
``metric_filters``, ``iot_rules``, ``mail``, ``config_rules``, ``custom_resources``, ``repositories``, ``pipelines``, ``autoscaling``, ``rds``, ``rest_apis``, ``http_apis``, ``delivery_streams``, ``state_machines``, ``user_pools``, ``sources``,
``execution_role``, ``network_interfaces``, ``managed_policies``, ``delivery``, ``signatures`` or ``server``;
``tests/aws/test_moto_internals.py`` checks each signature, so that an upgrade fails by name.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial

import moto.awslambda.models as stock
import moto.sqs.models as sqs_models
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.sqs.models import SQSBackend
from moto.sts.models import STSBackend

from . import (
    alarms, buckets, current, identity, log_subscriptions, managed_policies, metric_filters, models,
    polling, queues, rds, state_machines, streams, topics,
)
from .service import LambdaApi, Runtime
from .vclock import VirtualClock

_undo: list[Callable[[], None]] = []


def install(runtime: Runtime) -> LambdaApi:
    """Make moto serve ``runtime``'s functions, read its clock, and forget everything it held.

    One cloud at a time: installing again replaces the former (its :func:`uninstall` is implied).
    """
    uninstall()
    _forget()
    api = LambdaApi(runtime)
    current.serve(api)
    _undo.append(lambda: current.serve(None))
    _swap(stock.lambda_backends, "backend", models.LambdaBackend)
    _swap(stock, "LambdaFunction", models.LambdaFunction)
    buckets.Buckets(runtime).install(_swap)
    topics.Topics(runtime).install(_swap)
    metric_filters.MetricFilters(runtime).install(_swap)
    log_subscriptions.LogSubscriptions(runtime).install(_swap)
    queues.Queues(runtime.clock, runtime.trace).install(_swap)
    streams.Streams(runtime.clock, runtime.trace).install(_swap)
    # How large a message may be, as a queue's default and as the most that may be set.
    for name in ("MAXIMUM_MESSAGE_LENGTH", "MAXIMUM_MESSAGE_SIZE_ATTR_UPPER_BOUND"):
        _swap(sqs_models, name, runtime.limits.sqs_message)
    evaluator = alarms.Alarms(runtime.clock, runtime.trace)
    evaluator.install(_swap)
    if not runtime.clock.wall:
        _swap(SQSBackend, "receive_message", polling.without_waiting(SQSBackend.receive_message))
    if function_of := getattr(runtime, "function_of", None):
        _swap(STSBackend, "get_caller_identity",
              identity.of_functions(STSBackend.get_caller_identity, function_of))
    rds.install(_swap)
    state_machines.install(_swap, runtime, lambda: os.environ["AWS_ENDPOINT_URL"])
    managed_policies.install(_swap)
    stock.lambda_backends.clear()
    clock = VirtualClock(runtime.clock, {
        f"moto.{service}.responses": partial(_install_late, part, *arguments)
        for service, (part, *arguments) in {
            "apigateway": ["rest_apis"], "apigatewayv2": ["http_apis"],
            "applicationautoscaling": ["autoscaling", runtime, evaluator],
            "cloudformation": ["custom_resources", runtime],
            "cognitoidp": ["user_pools"], "firehose": ["delivery_streams", runtime],
            "config": ["config_rules", runtime], "events": ["event_buses", runtime],
            "codecommit": ["repositories", runtime], "codepipeline": ["pipelines", runtime],
            "iot": ["iot_rules", runtime], "ses": ["mail", runtime]}.items()})
    clock.start()
    _undo.append(clock.stop)
    _seed(runtime)
    if runtime.account_id != DEFAULT_ACCOUNT_ID:
        _account(runtime.account_id)
    return api


def _install_late(part: str, *arguments: object) -> None:
    """Our part of a service that few clouds are asked for, when moto has loaded its own.

    Some of these take longer to load than all the rest of moto together.
    """
    importlib.import_module(f".{part}", __package__).install(_swap, *arguments)


def uninstall() -> None:
    """Give moto back as it was, empty. Harmless when nothing is installed."""
    if not _undo:
        return
    while _undo:
        _undo.pop()()
    stock.lambda_backends.clear()
    _forget()


def _swap(owner: object, name: str, value: object) -> None:
    """Set an attribute until the cloud is closed; one that moto lacks is taken away again."""
    former = getattr(owner, name, _swap)
    setattr(owner, name, value)
    _undo.append(lambda: delattr(owner, name) if former is _swap else setattr(owner, name, former))


def _forget() -> None:
    BackendDict.reset()
    reset_model_data()


def _seed(runtime: Runtime) -> None:
    """Ids that moto makes up come from the cloud's seed."""
    former = mock_random.getstate()
    with runtime.clock.lock:
        mock_random.seed(runtime.clock.random.getrandbits(64))
    _undo.append(lambda: mock_random.setstate(former))


def _account(account_id: str) -> None:
    """moto's default account, by the variable it reads at every request."""
    former = os.environ.get("MOTO_ACCOUNT_ID")
    os.environ["MOTO_ACCOUNT_ID"] = account_id

    def restore() -> None:
        if former is None:
            os.environ.pop("MOTO_ACCOUNT_ID", None)
        else:
            os.environ["MOTO_ACCOUNT_ID"] = former

    _undo.append(restore)
