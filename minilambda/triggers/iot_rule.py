"""Topic rules: what is published to a topic goes to functions, queues, topics, buckets.

Stands for: the rules engine of AWS IoT Core. AWS pages: *Rules for AWS IoT*, *AWS IoT rule actions*,
*Lambda* (rule action), *Error handling (error action)*, *Working with binary payloads*.
Leaves out: that a rule tries again for a while what couldn't be done, Basic Ingest (``$aws/rules/...``),
and all actions but lambda, sqs, sns, republish and s3. MQTT clients aren't served: what is published
comes by HTTPS.

A payload that isn't JSON has no fields, and ``*`` can't select it: the rule fails (its error action is
told), unless it selects ``encode(*, 'base64')``.

A function comes in by its own policy (``iot.amazonaws.com`` for the rule's ARN); all other actions by
the role that they name. A function gets what was selected, and nothing beside it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from .handing_over import Notes
from .iot_sql import Message, Query, SqlParseError, Unselectable, parse, substitute
from .iot_sql_functions import UNDEFINED

Action = Mapping[str, Mapping[str, Any]]
# What each action must have, and may have.
ACTIONS = {"lambda": ({"functionArn"}, set[str]()), "sqs": ({"roleArn", "queueUrl"}, {"useBase64"}),
           "sns": ({"roleArn", "targetArn"}, {"messageFormat"}),
           "republish": ({"roleArn", "topic"}, {"qos"}),
           "s3": ({"roleArn", "bucketName", "key"}, set[str]())}


class NotDone(Exception):
    """An action that failed; says why."""


class Unsupported(Exception):
    """An action, or an option of one, that there isn't here."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    arn: str
    account: str
    region: str
    sql: str
    actions: Sequence[Action]
    error_action: Action | None = None


# kind, its settings (substituted), the body, the rule; raises NotDone
Perform = Callable[[str, Mapping[str, Any], bytes, Rule], None]


def check(sql: str, actions: Sequence[Action], error_action: Action | None) -> Query:
    """Raises:
        SqlParseError: of the statement or of a template in an action.
        Unsupported: as it says.
    """
    query = parse(sql)
    nothing = Message("", b"", UNDEFINED, 0, "", str)
    for action in [*actions, *([error_action] if error_action else [])]:
        for kind, settings in action.items():
            if kind not in ACTIONS:
                raise Unsupported(f"the action {kind} of topic rules")
            needed, possible = ACTIONS[kind]
            for name in settings.keys() - needed - possible:
                raise Unsupported(f"{name} of the action {kind} of topic rules")
            if missing := needed - settings.keys():
                raise SqlParseError(f"The action {kind} has no {', '.join(sorted(missing))}")
            if settings.get("messageFormat", "RAW") != "RAW":
                raise Unsupported("messageFormat JSON of the action sns")
            for value in settings.values():
                if isinstance(value, str):
                    substitute(value, nothing)
    return query


class Rules:
    """The rules engine of one cloud."""

    def __init__(self, cloud: Cloud, perform: Perform) -> None:
        self.cloud, self.clock, self.trace = cloud, cloud.clock, cloud.trace
        self._perform = perform

    def published(self, topic: str, payload: bytes, rules: Sequence[Rule]) -> None:
        """Have the rules look at a message; each that wants it runs for itself."""
        with self.clock.lock:
            try:
                value = json.loads(payload)
            except ValueError:
                value = UNDEFINED
            for rule in rules:
                message = Message(topic, payload, value, self.clock.timestamp_ns() // 10**6,
                                  rule.account, self.clock.uuid)
                query = parse(rule.sql)
                if query.wants(message):
                    notes = Notes(self.clock, self.trace, "iot", rule.arn, self.clock.uuid())
                    notes.event()
                    self.clock.process(self._run(rule, query, message, notes))

    def _run(self, rule: Rule, query: Query, message: Message, notes: Notes) -> Steps:
        yield self.clock.timeout(0)
        try:
            selected = query.select(message)
        except Unselectable as problem:
            self._failed(rule, message, notes, [("", "", str(problem))])
            return
        failures = []
        for action in rule.actions:
            for kind, settings in action.items():
                target = _target(kind, settings)
                try:
                    self._act(rule, kind, settings, message, json.dumps(selected).encode(), notes)
                except NotDone as problem:
                    failures.append((kind, target, str(problem)))
        if failures:
            self._failed(rule, message, notes, failures)

    def _act(self, rule: Rule, kind: str, settings: Mapping[str, Any], message: Message,
             body: bytes, notes: Notes) -> None:
        target, request_id = _target(kind, settings), None
        filled = {name: substitute(value, message) if isinstance(value, str) else value
                  for name, value in settings.items()}
        try:
            if kind == "lambda":
                request_id = ServiceCaller(self.cloud, "iot.amazonaws.com", rule.account, rule.region,
                                           rule.arn).accept(filled["functionArn"], body, source="iot")
            else:
                self._perform(kind, filled, body, rule)
        except NotPermitted as problem:
            raise NotDone("the function's policy doesn't let iot.amazonaws.com invoke it, or it is "
                          "gone") from problem
        except LambdaError as problem:
            raise NotDone(str(problem)) from problem
        notes.delivered(target, request_id)

    def _failed(self, rule: Rule, message: Message, notes: Notes,
                failures: list[tuple[str, str, str]]) -> None:
        for _, target, why in failures:
            notes.failed(target, why)
        told = {
            "ruleName": rule.name, "topic": message.topic, "cloudwatchTraceId": self.clock.uuid(),
            "clientId": message.client, "base64OriginalPayload": b64encode(message.payload).decode(),
            "failures": [{"failedAction": _named(kind), "failedResource": target, "errorMessage": why}
                         for kind, target, why in failures]}
        for kind, settings in (rule.error_action or {}).items():
            try:
                self._act(rule, kind, settings, message, json.dumps(told).encode(), notes)
            except NotDone as problem:
                notes.dropped(_target(kind, settings), str(problem))


def _target(kind: str, settings: Mapping[str, Any]) -> str:
    return str(settings[{"lambda": "functionArn", "sqs": "queueUrl", "sns": "targetArn",
                         "republish": "topic", "s3": "bucketName"}[kind]])


def _named(kind: str) -> str:
    return f"{kind[:1].upper()}{kind[1:]}Action" if kind else "Select"
