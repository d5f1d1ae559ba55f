"""Topics that tell functions what is published to them.

Stands for: SNS's Subscribe, SetSubscriptionAttributes and Publish, as far as subscribers need them. AWS
pages: *Fanout to Lambda functions*, *Amazon SNS dead-letter queues*, *Monitoring Amazon SNS topics using
CloudWatch*.
Leaves out: a queue's policy where a queue is subscribed (moto delivers whatever it says); the metrics of
SMS and push messages; that SNS publishes its metrics every five minutes (here at once).

moto holds topics and subscriptions, and delivers to queues. Five of its ways are put right with it:
filter policies are ours (``triggers/sns_filter``), a subscription with an attribute that is refused isn't
made, a body for each protocol is looked at before anybody is told, no entry of a batch vanishes, and a
queue that is gone doesn't make Publish fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import moto.sns.models as stock
from moto.sns.exceptions import InvalidParameterValue, SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription, Topic, sns_backends
from moto.sns.responses import SNSResponse
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from ..callers import Cloud
from ..triggers.sns import Deliveries, NotRedriven
from ..triggers.sns_event import Notification, envelope
from ..triggers.sns_filter import ATTRIBUTES, BODY, FilterPolicy, Refused, check, read_body
from . import neighbour_metrics, resource_policy
from .current import as_service

NAMESPACE = "AWS/SNS"
SUBJECT = 100  # characters, at the most
# In Subscribe SNS says "Attributes Reason" before what is wrong with an attribute.
_subscribing: ContextVar[bool] = ContextVar("subscribing", default=False)


class Topics:
    """The topics of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.deliveries = Deliveries(cloud, redrive, _count)

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """``swap`` sets an attribute until the cloud is closed."""
        swap(stock, "FilterPolicyMatcher", _matcher)
        swap(SNSBackend, "_validate_filter_policy", _check_filter_policy)
        swap(SNSBackend, "subscribe", _subscribe(SNSBackend.subscribe))
        swap(SNSBackend, "set_subscription_attributes",
             _set_attributes(SNSBackend.set_subscription_attributes))
        swap(SNSResponse, "subscribe", _all_or_nothing(SNSResponse.subscribe))
        swap(SNSBackend, "publish", _checked(SNSBackend.publish))
        swap(Topic, "publish", _publish(Topic.publish))
        swap(Subscription, "publish", self._tell(Subscription.publish))

    def _tell(self, tell: Callable[..., None]) -> Callable[..., None]:
        def publish(subscription: Subscription, message: str, message_id: str,
                    subject: str | None = None, message_attributes: dict[str, Any] | None = None,
                    group_id: str | None = None, deduplication_id: str | None = None,
                    message_structure: str | None = None) -> None:
            topic = subscription.topic.arn
            policy = subscription._filter_policy_matcher
            if policy is not None and not policy.matches(message_attributes, message):
                for name in _filtered_out(policy, message_attributes, message):
                    _count(topic, name)
                return
            body = _for_protocol(message, subscription.protocol, message_structure)
            def told() -> Notification:
                return self.deliveries.notification(topic, subscription.arn, subscription.endpoint,
                                                    message_id, body, subject, message_attributes)

            if subscription.protocol == "lambda":
                self.deliveries.send(told())
                return
            try:
                tell(subscription, message, message_id, subject, message_attributes, group_id,
                     deduplication_id, message_structure)
            except QueueDoesNotExist:
                self.deliveries.give_up(told(), 1, "the queue does not exist")
            else:
                _count(topic, "NumberOfNotificationsDelivered")

        return publish


# -- subscribing ----------------------------------------------------------------------------------------

def _subscribe(subscribe: Callable[..., Subscription]) -> Callable[..., Subscription]:
    def checked(backend: SNSBackend, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
        topic = backend.get_topic(topic_arn)
        if topic.fifo_topic and protocol != "sqs":
            raise SNSInvalidParameter(f"Invalid parameter: Invalid protocol type: {protocol}")
        if protocol == "lambda" and not _names_a_function(endpoint):
            raise SNSInvalidParameter("Invalid parameter: Lambda endpoint ARN")
        return subscribe(backend, topic_arn, endpoint, protocol)

    return checked


def _names_a_function(endpoint: str | None) -> bool:
    """Whether it looks like a function's ARN; SNS doesn't ask whether there is one."""
    parts = (endpoint or "").split(":")
    return (len(parts) in (7, 8) and parts[0] == "arn" and parts[2] == "lambda"
            and parts[5] == "function" and all(parts[3:]))


def _all_or_nothing(subscribe: Callable[..., Any]) -> Callable[..., Any]:
    """moto makes the subscription first and looks at the attributes then."""
    def whole(response: SNSResponse) -> Any:
        subscriptions = response.backend.subscriptions
        before, token = set(subscriptions), _subscribing.set(True)
        try:
            return subscribe(response)
        except Exception:
            for arn in set(subscriptions) - before:
                del subscriptions[arn]
            raise
        finally:
            _subscribing.reset(token)

    return whole


def _set_attributes(set_attributes: Callable[..., None]) -> Callable[..., None]:
    def checked(backend: SNSBackend, arn: str, name: str, value: Any) -> None:
        subscription = backend.subscriptions.get(arn)
        if subscription is not None:
            _check_attribute(subscription, name, value)
        set_attributes(backend, arn, name, value)
        if name == "FilterPolicyScope" and subscription._filter_policy is not None:
            subscription._filter_policy_matcher = _matcher(subscription._filter_policy, value)

    return checked


def _check_attribute(subscription: Subscription, name: str, value: Any) -> None:
    if name == "FilterPolicy" and value:
        try:
            FilterPolicy.parse(value, subscription.attributes.get("FilterPolicyScope", ATTRIBUTES))
        except Refused as refused:
            raise _error(refused) from refused
    elif name == "FilterPolicyScope":
        if value not in (ATTRIBUTES, BODY):
            raise _error(Refused(f"FilterPolicyScope: Invalid value [{value}]. Please use either "
                                 f"{BODY} or {ATTRIBUTES}"))
        if subscription._filter_policy is not None:
            _check_filter_policy(None, subscription._filter_policy, value)
    elif name == "RawMessageDelivery":
        if subscription.protocol == "lambda" and str(value).lower() == "true":
            raise _error(Refused("Delivery protocol [lambda] does not support raw message delivery."))
    elif name == "RedrivePolicy" and value:
        _check_redrive_policy(value)


def _check_redrive_policy(text: str) -> None:
    try:
        target = json.loads(text).get("deadLetterTargetArn", "")
    except (ValueError, AttributeError) as error:
        raise _error(Refused("RedrivePolicy: failed to parse JSON.")) from error
    parts = target.split(":") if isinstance(target, str) else []
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts):
        raise _error(Refused("RedrivePolicy: deadLetterTargetArn is an invalid arn"))


def _check_filter_policy(_: Any, value: Any, scope: str | None) -> None:
    try:
        check(value, scope or ATTRIBUTES)
    except Refused as refused:
        raise _error(refused) from refused


def _error(refused: Refused) -> SNSInvalidParameter:
    where = "Attributes Reason: " if _subscribing.get() else ""
    return SNSInvalidParameter(f"Invalid parameter: {where}{refused}")


def _matcher(policy: dict[str, Any], scope: str | None) -> FilterPolicy:
    return FilterPolicy(policy, scope or ATTRIBUTES)


# -- publishing -----------------------------------------------------------------------------------------

def _checked(publish: Callable[..., str]) -> Callable[..., str]:
    """moto's error for a subject has other words, and makes an entry of a batch vanish."""
    def checked(backend: SNSBackend, message: str, arn: str | None, phone_number: str | None = None,
                subject: str | None = None, *args: Any, **kwargs: Any) -> str:
        if subject is not None and (not 0 < len(subject) <= SUBJECT or not subject.isprintable()):
            raise InvalidParameterValue("Invalid parameter: Subject")
        return publish(backend, message, arn, phone_number, subject, *args, **kwargs)

    return checked


def _publish(publish: Callable[..., str]) -> Callable[..., str]:
    def counted(topic: Topic, message: str, subject: str | None = None,
                message_attributes: dict[str, Any] | None = None, group_id: str | None = None,
                deduplication_id: str | None = None, message_structure: str | None = None) -> str:
        _for_protocol(message, "default", message_structure)
        _count(topic.arn, "NumberOfMessagesPublished")
        _count(topic.arn, "PublishSize", float(len(message.encode())), "Bytes")
        return publish(topic, message, subject, message_attributes, group_id, deduplication_id,
                       message_structure)

    return counted


def _for_protocol(message: str, protocol: str, structure: str | None) -> str:
    if structure != "json":
        return message
    try:
        bodies = {name: body for name, body in json.loads(message).items() if isinstance(body, str)}
    except (ValueError, AttributeError) as error:
        raise InvalidParameterValue("Invalid parameter: Message Structure - JSON message body failed "
                                    "to parse") from error
    if "default" not in bodies:
        raise InvalidParameterValue("Invalid parameter: Message Structure - No default entry in JSON "
                                    "message body")
    return bodies.get(protocol, bodies["default"])


def _filtered_out(policy: FilterPolicy, attributes: dict[str, Any] | None, message: str) -> list[str]:
    """The metrics of a message that a policy didn't let through: in all, and of which sort."""
    name = "NumberOfNotificationsFilteredOut"
    if policy.scope == BODY:
        return [name, f"{name}-{'InvalidMessageBody' if read_body(message) is None else BODY}"]
    return [name, f"{name}-{ATTRIBUTES if attributes else 'NoMessageAttributes'}"]


def redrive(told: Notification) -> str | None:
    """Send a notification to its subscription's dead-letter queue. Value: the queue's ARN.

    Raises:
        NotRedriven: it is gone, elsewhere, or its policy doesn't let SNS in.
    """
    subscription = sns_backends[told.account][told.region].subscriptions.get(told.subscription)
    text = subscription.attributes.get("RedrivePolicy") if subscription is not None else None
    if not text:
        return None
    target = json.loads(text)["deadLetterTargetArn"]
    region, account, name = target.split(":")[3:]
    if (region, account) != (told.region, told.account):
        raise NotRedriven("it is in another account or region")
    queues = sqs_backends[account][region]
    if name not in queues.queues:
        raise NotRedriven("it does not exist")
    if name.endswith(".fifo"):
        raise NotRedriven("it is a FIFO queue")
    facts = {"aws:SourceArn": told.topic, "aws:SourceAccount": told.account}
    if not resource_policy.lets(queues.queues[name].policy, "sns.amazonaws.com", "sqs:SendMessage",
                                target, facts):
        raise NotRedriven("its policy doesn't let sns.amazonaws.com send messages")
    with as_service("sns", NotRedriven):
        queues.send_message(name, envelope(told))
    return target


def _count(topic: str, name: str, value: float = 1.0, unit: str = "Count") -> None:
    region, account, topic_name = topic.split(":")[3:]
    neighbour_metrics.add(account, region, NAMESPACE, name, {"TopicName": topic_name}, value, unit)
