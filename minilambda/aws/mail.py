"""moto's SES receives what it sends to domains and addresses of its own.

Stands for: CreateReceiptRule, UpdateReceiptRule, and what comes of SendEmail and SendRawEmail (of the v2
API too) when a recipient is verified. AWS pages: *CreateReceiptRule*, *Giving permissions to Amazon SES for
email receiving*.
Leaves out: templated mails (they aren't received); topics of other accounts; encryption of mails in S3.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

from moto.s3.models import s3_backends
from moto.ses.exceptions import InvalidLambdaFunctionException, InvalidS3ConfigurationException
from moto.ses.models import SESBackend
from moto.sns.models import sns_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud
from ..triggers.ses import ACTIONS, NotDone, Receiving, Rule, Settings
from ..triggers.ses_event import Mail
from . import resource_policy
from .current import as_service
from .models import refuse

Swap = Callable[[object, str, object], None]


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    receiving = Receiving(cloud, _perform)

    def checked(stock: Callable[..., None]) -> Callable[..., None]:
        def put(backend: SESBackend, rule_set_name: str, rule: dict[str, Any], *more: Any) -> None:
            _check(rule)
            ours = _rule(backend, rule_set_name, rule)
            if (function := receiving.check(ours)) is not None:
                raise InvalidLambdaFunctionException(f"Could not invoke Lambda function: {function}")
            for action in ours.actions:
                bucket = action.get("S3Action", {}).get("BucketName")
                if bucket and not _may_write(ours, bucket, action["S3Action"].get("ObjectKeyPrefix") or ""):
                    raise InvalidS3ConfigurationException(f"Could not write to bucket: {bucket}")
            stock(backend, rule_set_name, rule, *more)

        return put

    def received(backend: SESBackend, sent: Any, recipients: list[str], raw: bytes) -> None:
        addresses = list(dict.fromkeys(parseaddr(one)[1] for one in recipients))
        ours = [one for one in addresses if _is_ours(backend, one)]
        active = backend.describe_active_receipt_rule_set()
        if ours and active is not None:
            with cloud.clock.lock:
                name = f"{cloud.clock.random.getrandbits(160):040x}"
            receiving.received(
                Mail(name, parseaddr(sent.source)[1], ours, raw, cloud.clock.now, []),
                [_rule(backend, active.name, one) for one in active.rules])

    def send_email(backend: SESBackend, source: str, subject: str, body: str,
                   destinations: dict[str, list[str]]) -> Any:
        sent = stock_email(backend, source, subject, body, destinations)
        message = EmailMessage()
        message["From"], message["Subject"] = source, subject
        for kind, name in (("ToAddresses", "To"), ("CcAddresses", "Cc")):
            if destinations.get(kind):
                message[name] = ", ".join(destinations[kind])
        message["Date"] = format_datetime(cloud.clock.now)
        message["Message-ID"] = f"<{sent.id}@{backend.region_name}.amazonses.com>"
        message.set_content(body)
        received(backend, sent, [one for some in destinations.values() for one in some],
                 message.as_bytes())
        return sent

    def send_raw_email(backend: SESBackend, source: str, destinations: list[str], raw_data: str) -> Any:
        sent = stock_raw(backend, source, destinations, raw_data)
        received(backend, sent, sent.destinations, raw_data.encode())
        return sent

    stock_email, stock_raw = SESBackend.send_email, SESBackend.send_raw_email
    swap(SESBackend, "send_email", send_email)
    swap(SESBackend, "send_raw_email", send_raw_email)
    swap(SESBackend, "create_receipt_rule", checked(SESBackend.create_receipt_rule))
    swap(SESBackend, "update_receipt_rule", checked(SESBackend.update_receipt_rule))


def _check(rule: dict[str, Any]) -> None:
    """What isn't there is refused when the rule is made."""
    for action in rule.get("Actions") or []:
        for kind, settings in action.items():
            if kind not in ACTIONS:
                refuse(f"{kind} of receipt rules")
            needed, possible = ACTIONS[kind]
            for name in settings.keys() - needed - possible:
                refuse(f"{name} of {kind}")


def _rule(backend: SESBackend, rule_set: str, rule: dict[str, Any]) -> Rule:
    account, region = backend.account_id, backend.region_name
    return Rule(rule["Name"],
                f"arn:aws:ses:{region}:{account}:receipt-rule-set/{rule_set}:receipt-rule/{rule['Name']}",
                account, region, rule.get("Recipients") or [], _true(rule.get("Enabled")),
                _true(rule.get("ScanEnabled")), rule.get("Actions") or [])


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _is_ours(backend: SESBackend, address: str) -> bool:
    """Whether the address, its domain or one above that is verified."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = (".".join(labels[position:]) for position in range(len(labels)))
    return address in backend.email_identities or any(one in backend.email_identities for one in domains)


def _may_write(rule: Rule, name: str, prefix: str) -> bool:
    bucket = s3_backends[rule.account][get_partition(rule.region)].buckets.get(name)
    return bucket is not None and bucket.policy is not None and resource_policy.lets(
        bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy,
        "ses.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::{name}/{prefix}x",
        {"aws:SourceArn": rule.arn, "AWS:SourceArn": rule.arn,
         "aws:SourceAccount": rule.account, "AWS:SourceAccount": rule.account})


def _perform(kind: str, settings: Settings, mail: Mail, told: dict[str, Any], rule: Rule) -> None:
    with as_service("ses", NotDone):
        if kind == "S3Action":
            prefix = settings.get("ObjectKeyPrefix") or ""
            if not _may_write(rule, settings["BucketName"], prefix):
                raise NotDone("the bucket's policy doesn't let ses.amazonaws.com write to it")
            s3_backends[rule.account][get_partition(rule.region)].put_object(
                settings["BucketName"], prefix + mail.id, mail.content)
            return
        content = (b64encode(mail.content).decode() if settings.get("Encoding") == "Base64"
                   else mail.content.decode(errors="replace"))
        sns_backends[rule.account][rule.region].publish(
            json.dumps(told | {"content": content}), settings["TopicArn"],
            subject="Amazon SES Email Receipt Notification")
