"""moto's topic rules do what they say with what is published.

Stands for: CreateTopicRule, ReplaceTopicRule and Publish, and what the rules' actions ask of other
services. AWS pages: *CreateTopicRule*, *Publish*, *Granting an AWS IoT rule the access it requires*.
Leaves out: the beta version of the SQL; that an action's role must trust ``iot.amazonaws.com`` (whether
it may do what is asked is looked at).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from moto.iot.exceptions import IoTClientError
from moto.iot.models import IoTBackend
from moto.iotdata.models import IoTDataPlaneBackend, iotdata_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud
from ..triggers.iot_rule import NotDone, Rule, Rules, Unsupported, check
from ..triggers.iot_sql import SqlParseError
from .current import as_service
from .execution_role import role_may
from .models import refuse

Swap = Callable[[object, str, object], None]


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    engine: Rules

    def publish(backend: IoTDataPlaneBackend, topic: str, payload: bytes | str) -> None:
        stock_publish(backend, topic, payload)
        body = payload.encode() if isinstance(payload, str) else payload or b""
        engine.published(topic, body, [
            Rule(one.rule_name, one.arn, one.account_id, one.region_name, one.sql, one.actions,
                 one.error_action or None)
            for one in backend.iot_backend.rules.values() if not one.rule_disabled])

    def perform(kind: str, settings: Mapping[str, Any], body: bytes, rule: Rule) -> None:
        _perform(kind, settings, body, rule, publish)

    engine = Rules(cloud, perform)
    stock_publish = IoTDataPlaneBackend.publish
    swap(IoTDataPlaneBackend, "publish", publish)
    swap(IoTBackend, "create_topic_rule", _checked(IoTBackend.create_topic_rule))
    swap(IoTBackend, "replace_topic_rule", _checked(IoTBackend.replace_topic_rule))


def _checked(stock: Callable[..., None]) -> Callable[..., None]:
    def put(backend: IoTBackend, rule_name: str, **settings: Any) -> None:
        if (settings.get("aws_iot_sql_version") or "2016-03-23") not in ("2015-10-08", "2016-03-23"):
            refuse(f"version {settings['aws_iot_sql_version']} of AWS IoT SQL")
        try:
            check(settings["sql"], settings["actions"] or [], settings.get("error_action"))
        except SqlParseError as problem:
            error = IoTClientError("SqlParseException", str(problem))
            error.code = 400
            raise error from problem
        except Unsupported as problem:
            refuse(str(problem))
        stock(backend, rule_name=rule_name, **settings)

    return put


def _perform(kind: str, settings: Mapping[str, Any], body: bytes, rule: Rule,
             publish: Callable[..., None]) -> None:
    account, region = rule.account, rule.region
    if kind == "sqs":
        name = settings["queueUrl"].rsplit("/", 1)[-1]
        action, resource = "sqs:SendMessage", f"arn:aws:sqs:{region}:{account}:{name}"
    elif kind == "sns":
        action, resource = "sns:Publish", settings["targetArn"]
    elif kind == "republish":
        action = "iot:Publish"
        resource = f"arn:aws:iot:{region}:{account}:topic/{settings['topic']}"
    else:
        action = "s3:PutObject"
        resource = f"arn:aws:s3:::{settings['bucketName']}/{settings['key']}"
    if not role_may(settings["roleArn"], action, resource):
        raise NotDone(f"the role may not call {action} on {resource}")
    with as_service("iot", NotDone):
        if kind == "sqs":
            text = b64encode(body).decode() if settings.get("useBase64") else body.decode()
            sqs_backends[account][region].send_message(name, text)
        elif kind == "sns":
            sns_backends[account][region].publish(body.decode(), resource)
        elif kind == "republish":
            publish(iotdata_backends[account][region], settings["topic"].replace("$$", "$"), body)
        else:
            s3_backends[account][get_partition(region)].put_object(
                settings["bucketName"], settings["key"], body)
