"""AWS Config asks a function whether a resource is as it should be.

Stands for: the events of custom rules. AWS pages: *Example Events for AWS Config Rules*, *Creating AWS
Config Custom Lambda Rules*.
Leaves out: rules that AWS manages or that are written in Guard, oversized items, delivered snapshots,
and related resources; a function outside the rule's account.

A rule with a frequency is a deed on an agenda, which nobody waits for: an idle cloud stays idle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..agenda import Agenda
from ..callers import Cloud, NotPermitted, ServiceCaller
from ..conversation import Steps
from ..errors import LambdaError
from ..faults import iso
from .handing_over import Notes

HOURS = {"One_Hour": 1, "Three_Hours": 3, "Six_Hours": 6, "Twelve_Hours": 12, "TwentyFour_Hours": 24}
CHANGED, SCHEDULED = "ConfigurationItemChangeNotification", "ScheduledNotification"


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    id: str
    arn: str
    account: str
    region: str
    function: str
    parameters: str
    types: frozenset[str]  # of resources; none: all
    changes: bool
    frequency: str | None


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
               ) -> dict[str, Any] | None:
    """What changed between two configuration items, property by property; None for a new one."""
    if before is None:
        return None
    now = after or {}
    changed = {}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old != new:
            kind = "CREATE" if old is None else "DELETE" if new is None else "UPDATE"
            changed[name[:1].upper() + name[1:]] = {
                "previousValue": old, "updatedValue": new, "changeType": kind}
    return {"changedProperties": changed, "changeType": "DELETE" if after is None else "UPDATE"}


class ConfigRules:
    """The custom rules of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.clock, self.agenda = cloud, cloud.clock, Agenda(cloud.clock)
        self.tokens: dict[str, Rule] = {}
        self._planned: dict[str, object] = {}

    def check(self, rule: Rule) -> None:
        """Raises NotPermitted: the function's policy doesn't let Config in."""
        self._caller(rule).check(rule.function)

    def plan(self, rule: Rule, look: Callable[[], tuple[Rule, str] | None]) -> None:
        """Ask again and again. ``look``: the rule as it is then and the recorder's role; None: not now."""
        mark = self._planned[rule.arn] = object()
        if rule.frequency is None:
            return
        period = HOURS[rule.frequency] * 3600.0

        def ask(at: float) -> None:
            if self._planned.get(rule.arn) is not mark:
                return
            found = look()
            if found is not None:
                self.scheduled(*found)
            self.agenda.add(at + period, ask)

        with self.clock.lock:
            self.agenda.add(self.clock.seconds + period, ask)

    def forget(self, arn: str) -> None:
        self._planned.pop(arn, None)

    def scheduled(self, rule: Rule, role: str) -> None:
        self._ask(rule, role, {"awsAccountId": rule.account,
                               "notificationCreationTime": iso(self.clock.now),
                               "messageType": SCHEDULED, "recordVersion": "1.0"})

    def changed(self, rule: Rule, role: str, item: Mapping[str, Any],
                difference: Mapping[str, Any] | None) -> None:
        self._ask(rule, role, {"configurationItemDiff": difference, "configurationItem": item,
                               "notificationCreationTime": iso(self.clock.now), "messageType": CHANGED,
                               "recordVersion": "1.3"})

    def _ask(self, rule: Rule, role: str, invoking: Mapping[str, Any]) -> None:
        with self.clock.lock:
            token = self.clock.uuid()
            self.tokens[token] = rule
            body = json.dumps({
                "version": "1.0", "invokingEvent": json.dumps(invoking),
                "ruleParameters": rule.parameters, "resultToken": token, "eventLeftScope": False,
                "executionRoleArn": role, "configRuleArn": rule.arn, "configRuleName": rule.name,
                "configRuleId": rule.id, "accountId": rule.account})
            notes = Notes(self.clock, self.cloud.trace, "config", rule.arn, token)
            notes.event(rule.function)
            self.clock.process(self._hand_over(rule, body, notes))

    def _hand_over(self, rule: Rule, body: str, notes: Notes) -> Steps:
        yield self.clock.timeout(0)
        try:
            request_id = self._caller(rule).accept(rule.function, body.encode(), source="config")
        except NotPermitted:
            notes.dropped(rule.function, "the function's policy doesn't let config.amazonaws.com invoke "
                                         "it, or it is gone")
        except LambdaError as problem:
            notes.dropped(rule.function, str(problem))
        else:
            notes.delivered(rule.function, request_id)

    def _caller(self, rule: Rule) -> ServiceCaller:
        return ServiceCaller(self.cloud, "config.amazonaws.com", rule.account, rule.region, rule.arn)
