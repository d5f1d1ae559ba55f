"""SES receives a mail: the rules of the active rule set, one after the other.

Stands for: email receiving. AWS pages: *Email receiving with Amazon SES*, *Creating receipt rules console
walkthrough*, *Invoke Lambda function action*, *Lambda function examples*.
Leaves out: SMTP. The mails that come in are those that SES sends to itself. Bounce and WorkMail actions,
and the topic that an action may notify, are refused; TlsPolicy is kept, and every mail came by TLS.

A function of invocation type Event is told and not waited for. One of type RequestResponse says how it
goes on: ``{"disposition": "STOP_RULE"}`` ends this rule, STOP_RULE_SET everything; all else, an error of
the function's too, goes on. After 30 seconds SES waits no longer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from .handing_over import Notes
from .ses_event import Mail, event, mail, receipt

PATIENCE = 30.0  # seconds: "There is a 30-second timeout on RequestResponse invocations"
STOP_RULE, STOP_RULE_SET = "STOP_RULE", "STOP_RULE_SET"
ACTIONS = {"LambdaAction": ({"FunctionArn"}, {"InvocationType"}),
           "S3Action": ({"BucketName"}, {"ObjectKeyPrefix"}),
           "SNSAction": ({"TopicArn"}, {"Encoding"}),
           "AddHeaderAction": ({"HeaderName", "HeaderValue"}, set[str]()),
           "StopAction": ({"Scope"}, set[str]())}
Settings = Mapping[str, Any]


class NotDone(Exception):
    """An action that failed; says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    arn: str
    account: str
    region: str
    recipients: Sequence[str]
    enabled: bool
    scan: bool
    actions: Sequence[Mapping[str, Settings]]

    def concerned(self, addresses: Sequence[str]) -> list[str]:
        """Which of the addresses the rule is for; all, if it names none."""
        return [one for one in addresses
                if not self.recipients or any(takes(wanted, one) for wanted in self.recipients)]


def takes(wanted: str, address: str) -> bool:
    """An address is itself, a domain all of its addresses, ``.domain`` those of its subdomains."""
    wanted, address = wanted.lower(), address.lower()
    if "@" in wanted:
        return wanted == address
    domain = address.rpartition("@")[2]
    return domain.endswith(wanted) if wanted.startswith(".") else domain == wanted


# Does what an S3Action or SNSAction says: kind, its settings, the mail, the notification, the rule.
Perform = Callable[[str, Settings, Mail, dict[str, Any], Rule], None]


class Receiving:
    """The receiving side of one cloud's SES."""

    def __init__(self, cloud: Cloud, perform: Perform) -> None:
        self.cloud, self.clock, self.trace = cloud, cloud.clock, cloud.trace
        self._perform = perform

    def received(self, one: Mail, rules: Sequence[Rule]) -> None:
        with self.clock.lock:
            self.clock.process(self._through(one, rules))

    def check(self, rule: Rule) -> str | None:
        """The first function (an ARN) that SES couldn't invoke for the rule."""
        for action in rule.actions:
            if "LambdaAction" in action:
                function = action["LambdaAction"]["FunctionArn"]
                try:
                    self._caller(rule).check(function)
                except NotPermitted:
                    return str(function)
        return None

    def _through(self, one: Mail, rules: Sequence[Rule]) -> Steps:
        yield self.clock.timeout(0)
        for rule in rules:
            concerned = rule.concerned(one.recipients)
            if not rule.enabled or not concerned:
                continue
            notes = Notes(self.clock, self.trace, "ses", rule.arn, one.id)
            notes.event()
            for action in rule.actions:
                for kind, settings in action.items():
                    said = yield from self._act(kind, settings, one, concerned, rule, notes)
                    if said == STOP_RULE_SET:
                        return
                if said == STOP_RULE:
                    break

    def _act(self, kind: str, settings: Settings, one: Mail, concerned: Sequence[str], rule: Rule,
             notes: Notes) -> Steps:
        if kind == "StopAction":
            return STOP_RULE_SET
        if kind == "AddHeaderAction":
            one.added.append((settings["HeaderName"], settings["HeaderValue"]))
            return None
        target = str(settings.get("FunctionArn") or settings.get("TopicArn")
                     or f"arn:aws:s3:::{settings.get('BucketName')}")
        request_id = None
        try:
            if kind == "LambdaAction":
                how = settings.get("InvocationType") or "Event"
                told = receipt(one, concerned, rule.scan, {
                    "type": "Lambda", "functionArn": target, "invocationType": how})
                body = json.dumps(event(one, told)).encode()
                if how != "Event":
                    said = yield from self._ask(rule, target, body, notes)
                    return said
                request_id = self._caller(rule).accept(target, body, source="ses")
            else:
                described = {"type": "S3", "bucketName": settings["BucketName"],
                             "objectKeyPrefix": settings.get("ObjectKeyPrefix") or "",
                             "objectKey": (settings.get("ObjectKeyPrefix") or "") + one.id
                             } if kind == "S3Action" else {
                    "type": "SNS", "topicArn": target, "encoding": settings.get("Encoding") or "UTF-8"}
                self._perform(kind, settings, one, {
                    "notificationType": "Received", "mail": mail(one),
                    "receipt": receipt(one, concerned, rule.scan, described)}, rule)
        except NotPermitted:
            notes.dropped(target, "the function's policy doesn't let ses.amazonaws.com invoke it, or it "
                                  "is gone")
        except (LambdaError, NotDone) as problem:
            notes.dropped(target, str(problem))
        else:
            notes.delivered(target, request_id)
        return None

    def _ask(self, rule: Rule, function: str, body: bytes, notes: Notes) -> Steps:
        """Invoke and wait. Value: the disposition, if there is one."""
        self._caller(rule).check(function)
        target = self.cloud.registry.target(rule.account, rule.region, function)
        request_id = self.clock.uuid()
        answered = self.cloud.frontend.attempt(target, body, request_id=request_id, attempt=1,
                                               trace_header=None)
        if isinstance(answered, LambdaError):
            raise answered
        yield self.clock.any_of([answered, self.clock.timeout(PATIENCE)])
        if not answered.triggered:
            raise NotDone("there was no answer within 30 seconds")
        notes.delivered(function, request_id)
        try:
            answer = json.loads(answered.value.payload)
        except ValueError:
            return None
        return answer.get("disposition") if isinstance(answer, dict) else None

    def _caller(self, rule: Rule) -> ServiceCaller:
        return ServiceCaller(self.cloud, "ses.amazonaws.com", rule.account, rule.region, rule.arn)
