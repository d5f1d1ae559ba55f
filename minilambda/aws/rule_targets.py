"""What may be a rule's target beside functions, and how it is told: queues, topics, log groups.

Stands for: the targets of EventBridge's rules. AWS pages: *Amazon EventBridge event bus targets*,
*Using resource-based policies for Amazon EventBridge*, *Target*.
Leaves out: all other targets, and roles by which EventBridge may reach these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ..triggers.eventbridge import AGE, SERVICE, TRIES, DeadLetter, Delivery, NotDelivered
from . import resource_policy
from .current import as_service
from .models import refuse

_KNOWN = {"Id", "Arn", "Input", "InputPath", "InputTransformer", "SqsParameters", "RetryPolicy",
          "DeadLetterConfig"}
_SERVICES = ("lambda", "sqs", "sns", "logs")


class Refused(Exception):
    """A target that EventBridge doesn't take, in its words. ``{target}`` stands for the target's id."""


def check(target: Mapping[str, Any]) -> None:
    """Whether a rule may have this target. Its input isn't looked at.

    Raises:
        Refused: it may not.
        NotImplementedError: on AWS it may.
    """
    arn = target["Arn"]
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or not parts[2]:
        raise Refused(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    if parts[2] not in _SERVICES or (parts[2] == "lambda" and parts[5] != "function"):
        refuse(f"{parts[2]} as the target of a rule ({arn})")
    if unknown := {name for name, value in target.items() if value} - _KNOWN:
        refuse(f"{', '.join(sorted(unknown))} of a rule's target")
    if parts[2] == "sqs" and arn.endswith(".fifo") and not target.get("SqsParameters"):
        raise Refused("Parameter(s) SqsParameters must be specified for target: {target}.")
    if parts[2] != "sqs" and target.get("SqsParameters"):
        raise Refused("Parameter(s) SqsParameters is not valid for target: {target}.")
    policy = target.get("RetryPolicy") or {}
    for name, least, most in (("MaximumRetryAttempts", 0, TRIES),
                              ("MaximumEventAgeInSeconds", 60, AGE)):
        if not least <= policy.get(name, most) <= most:
            side = "less than or equal to" if policy[name] > most else "greater than or equal to"
            path = "targets.1.member.retryPolicy." + name[0].lower() + name[1:]
            raise Refused(f"1 validation error detected: Value '{policy[name]}' at '{path}' failed to "
                          f"satisfy constraint: Member must have value {side} "
                          f"{most if policy[name] > most else least}")
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue is not None and (not queue.startswith("arn:aws:sqs:") or queue.endswith(".fifo")):
        raise Refused("Parameter DeadLetterConfig is not valid for target {target}. Reason: it must be "
                      "the ARN of a standard queue.")


def _not_taken(why: str) -> NotDelivered:
    return NotDelivered("INVALID_PARAMETER", why)


def post(delivery: Delivery) -> None:
    """Raises:
        NotDelivered: the target is gone, or lets EventBridge not in, or can't take it.
    """
    with as_service("events", _not_taken):
        {"sqs": _queue, "sns": _topic, "logs": _log_group}[delivery.service](delivery)


def bury(letter: DeadLetter) -> None:
    """Raises:
        NotDelivered: the queue is gone, or lets EventBridge not in, or can't take it.
    """
    with as_service("events", _not_taken):
        _send(letter.queue, letter.delivery, letter.delivery.event, {
            name: {"DataType": "String", "StringValue": value or " "}
            for name, value in letter.attributes.items()})


def _queue(delivery: Delivery) -> None:
    group = (delivery.target.get("SqsParameters") or {}).get("MessageGroupId")
    _send(delivery.arn, delivery, delivery.body, None, group)


def _send(arn: str, delivery: Delivery, body: str, attributes: dict[str, Any] | None,
          group: str | None = None) -> None:
    region, account, name = arn.split(":")[3:]
    queues = sqs_backends[account][region]
    if name not in queues.queues:
        raise NotDelivered("NO_RESOURCE", f"the queue {name} does not exist")
    _let_in(queues.queues[name].policy, "sqs:SendMessage", arn, delivery)
    queues.send_message(name, body, attributes, group_id=group)


def _topic(delivery: Delivery) -> None:
    region, account = delivery.arn.split(":")[3:5]
    topics = sns_backends[account][region]
    if delivery.arn not in topics.topics:
        raise NotDelivered("NO_RESOURCE", f"the topic {delivery.arn.split(':')[5]} does not exist")
    _let_in(topics.topics[delivery.arn].policy, "sns:Publish", delivery.arn, delivery)
    topics.publish(delivery.body, delivery.arn)


def _log_group(delivery: Delivery) -> None:
    region, account = delivery.arn.split(":")[3:5]
    name = delivery.arn.split(":")[6]
    logs = logs_backends[account][region]
    if name not in logs.groups:
        raise NotDelivered("NO_RESOURCE", f"the log group {name} does not exist")
    policies = [policy.policy_document for policy in logs.resource_policies.values()]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not any(resource_policy.lets(policy, who, action, f"{delivery.arn.removesuffix(':*')}:*",
                                        _facts(delivery))
                   for policy in policies for who in (SERVICE, "delivery.logs.amazonaws.com")):
            raise NotDelivered("NO_PERMISSIONS",
                               f"no resource policy of the account's logs lets {SERVICE} do {action}")
    stream = str(mock_random.uuid4())
    logs.create_log_stream(name, stream)
    logs.put_log_events(name, stream, [
        {"timestamp": int(unix_time_millis()), "message": delivery.body}])


def _let_in(policy: str | Mapping[str, Any] | None, action: str, arn: str, delivery: Delivery) -> None:
    document = policy if isinstance(policy, str | None) else json.dumps(policy)
    if not resource_policy.lets(document, SERVICE, action, arn, _facts(delivery)):
        raise NotDelivered("NO_PERMISSIONS", f"the policy of {arn} doesn't let {SERVICE} do {action}")


def _facts(delivery: Delivery) -> dict[str, str]:
    return {"aws:SourceArn": delivery.rule_arn, "aws:SourceAccount": delivery.account}
