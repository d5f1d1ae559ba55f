"""Event buses whose rules reach their targets, and whose schedules run.

Stands for: EventBridge's PutEvents, PutRule, PutTargets and TestEventPattern, as far as delivery needs
them. AWS pages: *PutEvents*, *PutTargets*, *Amazon EventBridge event bus targets*.
Leaves out: targets other than functions, queues, topics and log groups (refused), buses as targets among
them; buses of other accounts. AWS's message for a schedule doesn't say what is wrong with it, nor does
this.

moto holds buses, rules and archives, and matches events; all that happens to an event from PutEvents on
is ours. Other services of moto's put events on a bus by ``Rule.send_to_targets``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import moto.events.models as stock
from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.events.exceptions import (
    InvalidEventPatternException,
    ResourceNotFoundException,
    ValidationException,
)
from moto.events.models import EventPattern, EventPatternParser, EventsBackend, Rule
from moto.events.responses import EventsHandler
from moto.moto_api._internal import mock_random

from ..callers import Cloud
from ..schedule import ScheduleError
from ..triggers import event_pattern, target_input
from ..triggers.eventbridge import Deliveries, Delivery
from ..triggers.rule_schedules import Schedules, read
from . import neighbour_metrics, rule_targets

ENTRY_BYTES = 256 * 1024
RULE_TARGETS = 5
_REQUIRED = ("id", "account", "source", "time", "region", "resources", "detail-type")


def install(swap: Callable[[object, str, object], None], cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    Buses(cloud).install(swap)


class Buses:
    """The event buses of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.schedules = Schedules(cloud.clock)
        self.deliveries = Deliveries(cloud, rule_targets.post, rule_targets.bury, _count)

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        swap(EventPatternParser, "parse", _parse)
        swap(EventPattern, "matches_event", lambda pattern, event: _matches(
            pattern, target_input.text(_document(event))))
        swap(EventsBackend, "put_events", lambda backend, events: self._put_events(backend, events))
        swap(EventsBackend, "put_rule", self._put_rule(EventsBackend.put_rule))
        swap(EventsBackend, "put_targets", _put_targets(EventsBackend.put_targets))
        for name in ("enable_rule", "disable_rule", "delete_rule"):
            swap(EventsBackend, name, self._then_look(getattr(EventsBackend, name)))
        swap(Rule, "send_to_targets", self._send_to_targets(Rule.send_to_targets))
        swap(EventsHandler, "test_event_pattern", _test_event_pattern)

    # -- rules ------------------------------------------------------------------------------------------

    def _put_rule(self, put: Callable[..., Rule]) -> Callable[..., Rule]:
        def put_rule(backend: EventsBackend, name: str, *args: Any, **given: Any) -> Rule:
            if expression := given.get("scheduled_expression"):
                try:
                    read(expression, self.cloud.clock.now)
                except ScheduleError as error:
                    raise ValidationException("Parameter ScheduleExpression is not valid.") from error
            rule = put(backend, name, *args, **given)
            self._look_at(rule)
            return rule

        return put_rule

    def _then_look(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def changed(backend: EventsBackend, name: str, event_bus_arn: str | None) -> Any:
            bus = backend.event_buses.get(backend._normalize_event_bus_arn(event_bus_arn))
            rule = bus.rules.get(name) if bus is not None else None
            answer = operation(backend, name, event_bus_arn)
            if rule is None and operation.__name__ != "delete_rule":
                where = bus.name if bus is not None else event_bus_arn
                raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {where}.")
            if rule is not None:
                self._look_at(rule, there=bus.rules.get(name) is rule)
            return answer

        return changed

    def _look_at(self, rule: Rule, there: bool = True) -> None:
        """Its schedule runs, if it has one and is enabled."""
        if rule.event_bus_name != "default":
            return
        key = rule.account_id, rule.region_name, rule.name
        if there and rule.scheduled_expression and _enabled(rule):
            self.schedules.start(key, rule.scheduled_expression, lambda due: self._fire(key, due))
        else:
            self.schedules.stop(key)

    def _fire(self, key: tuple[str, str, str], due: datetime) -> None:
        account, region, name = key
        rule = stock.events_backends[account][region].event_buses["default"].rules[name]
        self._deliver(rule, {
            "version": "0", "id": str(mock_random.uuid4()), "detail-type": "Scheduled Event",
            "source": "aws.events", "account": account, "time": _time(due), "region": region,
            "resources": [rule.arn], "detail": {}})

    # -- events -----------------------------------------------------------------------------------------

    def _put_events(self, backend: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(events) > 10:
            raise ValidationException(
                f"1 validation error detected: Value '[{len(events)} entries]' at 'entries' failed to "
                "satisfy constraint: Member must have length less than or equal to 10")
        if sum(map(_bytes, events)) > ENTRY_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        answers = []
        for event in events:
            problem = _wrong(event)
            if problem is not None:
                answers.append({"ErrorCode": problem[0], "ErrorMessage": problem[1]})
                continue
            event_id = str(mock_random.uuid4())
            answers.append({"EventId": event_id})
            # (an event for a bus that isn't there is accepted, and for nobody)
            bus = backend.event_buses.get(backend._normalize_event_bus_arn(event.get("EventBusName")))
            document = {
                "version": "0", "id": event_id, "detail-type": event["DetailType"],
                "source": event["Source"], "account": backend.account_id,
                "time": _time(event.get("Time") or utcnow()), "region": backend.region_name,
                "resources": event.get("Resources") or []}
            for rule in list(bus.rules.values()) if bus is not None else []:
                self._offer(rule, document, event["Detail"])
        return answers

    def _offer(self, rule: Rule, document: dict[str, Any], detail: str) -> None:
        """Deliver it if the rule is for it. ``detail`` is JSON whose numbers keep their spelling."""
        head = target_input.text(document)[:-1]
        if _enabled(rule) and rule.event_pattern.dump() and _matches(
                rule.event_pattern, f'{head},"detail":{detail}}}'):
            neighbour_metrics.add(rule.account_id, rule.region_name, "AWS/Events", "MatchedEvents",
                                  _dimensions(rule.arn, rule.name))
            self._deliver(rule, document | {"detail": json.loads(detail)})

    def _send_to_targets(self, send: Callable[..., None]) -> Callable[..., None]:
        def send_to_targets(rule: Rule, original_event: Any, transform_input: bool = True) -> None:
            """What moto's other services, its archives and replays, put on a bus."""
            event = _document(original_event)
            event["id"] = event["id"] or str(mock_random.uuid4())
            self._offer(rule, {name: value for name, value in event.items() if name != "detail"},
                        target_input.text(event["detail"]))

        self._archive = send
        return send_to_targets

    def _deliver(self, rule: Rule, event: dict[str, Any]) -> None:
        where = rule.account_id, rule.region_name
        neighbour_metrics.add(*where, "AWS/Events", "TriggeredRules",
                              _dimensions(rule.arn, rule.name))
        facts = target_input.Facts(rule.arn, rule.name, _time(utcnow(), "milliseconds"))
        for target in list(rule.targets):
            if _is_archive(target):
                one = copy.copy(rule)
                one.targets = [target]
                self._archive(one, event)
                continue
            with self.cloud.clock.lock:
                self.deliveries.send(Delivery(
                    *where, rule.arn, rule.name, target, event["id"], target_input.text(event),
                    target_input.made_of(target, event, facts)))


# -- details --------------------------------------------------------------------------------------------

def _enabled(rule: Rule) -> bool:
    return rule.state != "DISABLED"


def _is_archive(target: Mapping[str, Any]) -> bool:
    """moto's archives are rules with a target that nobody else may have."""
    parts = str(target["Arn"]).split(":")
    return len(parts) > 5 and parts[2] == "events" and not parts[5]


def _count(delivery: Delivery, name: str) -> None:
    neighbour_metrics.add(delivery.account, delivery.region, "AWS/Events", name,
                          _dimensions(delivery.rule_arn, delivery.rule_name))


def _dimensions(arn: str, name: str) -> dict[str, str]:
    """Of a rule's metrics; a bus other than the default one is named (``…:rule/bus/name``)."""
    bus = arn.split(":rule/")[1].removesuffix(name).rstrip("/")
    return ({"EventBusName": bus} if bus else {}) | {"RuleName": name}


def _time(instant: datetime | float | str, precision: str = "seconds") -> str:
    if isinstance(instant, str):
        instant = float(instant) if instant.replace(".", "", 1).isdigit() else datetime.fromisoformat(
            instant)
    if not isinstance(instant, datetime):
        instant = datetime.fromtimestamp(instant, UTC)
    return instant.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _document(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of moto's as EventBridge sends it."""
    return {name: _time(event[name]) if name == "time" else event.get(name) for name in (
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")}


def _bytes(entry: Mapping[str, Any]) -> int:
    """An entry's size as EventBridge counts it."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"),
             *(entry.get("Resources") or [])]
    return sum(len(text.encode()) for text in texts if text) + (14 if entry.get("Time") else 0)


def _wrong(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return ("InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        if not isinstance(event_pattern.load(entry["Detail"]), dict):
            raise ValueError
    except ValueError:
        return "MalformedDetail", "Detail is malformed."
    return None


# -- patterns -------------------------------------------------------------------------------------------

def _parse(parser: EventPatternParser) -> dict[str, Any]:
    if not parser.pattern:
        return {}
    _pattern(parser.pattern)
    return dict(json.loads(parser.pattern))


@lru_cache(maxsize=256)
def _pattern(text: str) -> event_pattern.EventPattern:
    try:
        return event_pattern.EventPattern.parse(text)
    except event_pattern.Refused as refused:
        raise InvalidEventPatternException(str(refused)) from refused


def _matches(pattern: EventPattern, event: str) -> bool:
    text = pattern.dump()
    return not text or _pattern(text).matches(event_pattern.load(event))


def _test_event_pattern(handler: EventsHandler) -> tuple[str, dict[str, Any]]:
    """TestEventPattern, which moto lacks."""
    try:
        event = event_pattern.load(handler._get_param("Event"))
        if not isinstance(event, dict):
            raise ValueError
    except ValueError as error:
        raise JsonRESTError("ValidationException", "Parameter Event is not valid.") from error
    missing = [name for name in _REQUIRED if name not in event]
    if missing:
        raise JsonRESTError("ValidationException", "Parameter Event is not valid. Reason: it must have "
                                                   f"{', '.join(missing)}.")
    return handler._create_response(
        {"Result": _pattern(handler._get_param("EventPattern")).matches(event)})


# -- targets --------------------------------------------------------------------------------------------

def _put_targets(put: Callable[..., None]) -> Callable[..., None]:
    def put_targets(backend: EventsBackend, name: str, event_bus_arn: str | None,
                    targets: list[dict[str, Any]]) -> None:
        bus = backend._get_event_bus(backend._normalize_event_bus_arn(event_bus_arn))
        if bus.rules.get(name) is None:
            raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus.name}.")
        for target in targets:
            if _is_archive(target):  # moto's own
                continue
            try:
                rule_targets.check(target)
                target_input.check(target)
            except (rule_targets.Refused, target_input.Refused) as refused:
                raise ValidationException(str(refused).format(target=target["Id"])) from refused
        ids = {target["Id"] for target in [*bus.rules[name].targets, *targets]}
        if len(ids) > RULE_TARGETS:
            raise JsonRESTError("LimitExceededException",
                                "The requested resource exceeds the maximum number allowed.")
        put(backend, name, event_bus_arn, targets)

    return put_targets
