"""moto's Config has custom rules evaluated by their functions, and keeps what they say.

Stands for: PutConfigRule, DeleteConfigRule, StartConfigRulesEvaluation, PutEvaluations,
GetComplianceDetailsByConfigRule, and the recorder's configuration items of buckets. AWS pages of these names.
Leaves out: items of anything but buckets (in the recorder's account and region); a recording group is not
looked at; pages of results; the counts and filters of DescribeComplianceByConfigRule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.config.exceptions import (
    InsufficientPermissionsException,
    InvalidResultTokenException,
    NoSuchConfigRuleException,
)
from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse
from moto.s3.models import S3Backend, s3_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud, NotPermitted
from ..faults import iso
from ..triggers.config_rule import CHANGED, HOURS, SCHEDULED, ConfigRules, Rule, difference
from .models import refuse

Swap = Callable[[object, str, object], None]
BUCKET = "AWS::S3::Bucket"


def install(swap: Swap, cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    part = _Part(cloud)
    for name in ("put_config_rule", "delete_config_rule", "put_evaluations"):
        swap(ConfigBackend, name, getattr(part, name)(getattr(ConfigBackend, name)))
    swap(ConfigResponse, "start_config_rules_evaluation", part.start)
    swap(ConfigResponse, "get_compliance_details_by_config_rule", part.details)
    swap(ConfigResponse, "describe_compliance_by_config_rule", part.compliance)
    for name in sorted(vars(S3Backend)):
        if name == "create_bucket" or name.startswith(("put_bucket", "delete_bucket")):
            swap(S3Backend, name, part.watched(getattr(S3Backend, name)))


class _Part:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.rules = cloud, ConfigRules(cloud)
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.said: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}

    def put_config_rule(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: ConfigBackend, config_rule: dict[str, Any], tags: Any = None) -> Any:
            source, name = config_rule.get("Source", {}), config_rule.get("ConfigRuleName")
            custom = source.get("Owner") == "CUSTOM_LAMBDA"
            if custom:
                former = backend.config_rules.get(name)
                arn = former.config_rule_arn if former else (
                    f"arn:aws:config:{backend.region_name}:{backend.account_id}:config-rule/new")
                function = source.get("SourceIdentifier", "")
                try:
                    self.rules.check(Rule(str(name), "", arn, backend.account_id, backend.region_name,
                                          function, "", frozenset(), False, None))
                except NotPermitted as problem:
                    raise InsufficientPermissionsException(
                        f"The AWS Lambda function {function} cannot be invoked. Check the specified "
                        "function ARN, and check the function's permissions.") from problem
                for one in source.get("SourceDetails") or []:
                    if one.get("MessageType") not in (CHANGED, SCHEDULED):
                        refuse(f"MessageType {one.get('MessageType')} of custom rules")
            answer = stock(backend, config_rule, tags)
            if custom and name in backend.config_rules:
                rule = _rule(backend, backend.config_rules[name])
                self.rules.plan(rule, lambda: self._now(backend, name))
            return answer

        return put

    def delete_config_rule(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def delete(backend: ConfigBackend, rule_name: str) -> Any:
            rule = backend.config_rules.get(rule_name)
            answer = stock(backend, rule_name)
            if rule is not None:
                self.rules.forget(rule.config_rule_arn)
                self.said.pop(rule.config_rule_arn, None)
            return answer

        return delete

    def put_evaluations(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: ConfigBackend, evaluations: Any = None, result_token: Any = None,
                test_mode: Any = False) -> Any:
            if not evaluations or not result_token or test_mode:
                return stock(backend, evaluations, result_token, test_mode)
            rule = self.rules.tokens.get(result_token)
            if rule is None:
                raise InvalidResultTokenException
            found = self.said.setdefault(rule.arn, {})
            for one in evaluations:
                found[one["ComplianceResourceType"], one["ComplianceResourceId"]] = one | {
                    "RuleName": rule.name, "At": self.cloud.clock.now.timestamp()}
            return {"FailedEvaluations": []}

        return put

    @property
    def start(self) -> Callable[[ConfigResponse], str]:
        def start_config_rules_evaluation(response: ConfigResponse) -> str:
            backend = response.config_backend
            for name in response._get_param("ConfigRuleNames") or []:
                if name not in backend.config_rules:
                    raise NoSuchConfigRuleException(name)
                found = self._now(backend, name)
                if found is not None:
                    rule, role = found
                    if rule.frequency is not None:
                        self.rules.scheduled(rule, role)
                    if rule.changes and (not rule.types or BUCKET in rule.types):
                        for item in self._buckets(backend).values():
                            self.rules.changed(rule, role, item, None)
            return "{}"

        return start_config_rules_evaluation

    @property
    def details(self) -> Callable[[ConfigResponse], str]:
        def get_compliance_details_by_config_rule(response: ConfigResponse) -> str:
            backend, name = response.config_backend, response._get_param("ConfigRuleName")
            if name not in backend.config_rules:
                raise NoSuchConfigRuleException(name)
            wanted = response._get_param("ComplianceTypes")
            found = self.said.get(backend.config_rules[name].config_rule_arn, {})
            return json.dumps({"EvaluationResults": [{
                "EvaluationResultIdentifier": {"EvaluationResultQualifier": {
                    "ConfigRuleName": name, "ResourceType": kind, "ResourceId": resource},
                    "OrderingTimestamp": one["OrderingTimestamp"]},
                "ComplianceType": one["ComplianceType"], "ResultRecordedTime": one["At"],
                **({"Annotation": one["Annotation"]} if one.get("Annotation") else {})}
                for (kind, resource), one in found.items()
                if not wanted or one["ComplianceType"] in wanted]})

        return get_compliance_details_by_config_rule

    @property
    def compliance(self) -> Callable[[ConfigResponse], str]:
        def describe_compliance_by_config_rule(response: ConfigResponse) -> str:
            backend = response.config_backend
            found = []
            if response._get_param("ComplianceTypes"):
                refuse("ComplianceTypes of DescribeComplianceByConfigRule")
            for name in response._get_param("ConfigRuleNames") or sorted(backend.config_rules):
                if name not in backend.config_rules:
                    raise NoSuchConfigRuleException(name)
                said = {one["ComplianceType"] for one in self.said.get(
                    backend.config_rules[name].config_rule_arn, {}).values()}
                kind = next((one for one in ("NON_COMPLIANT", "COMPLIANT") if one in said),
                            "INSUFFICIENT_DATA")
                found.append({"ConfigRuleName": name, "Compliance": {"ComplianceType": kind}})
            return json.dumps({"ComplianceByConfigRules": found})

        return describe_compliance_by_config_rule

    def watched(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        """A method of S3's that may change a bucket: the recorder looks afterwards."""
        def method(s3: S3Backend, *args: Any, **kwargs: Any) -> Any:
            answer = stock(s3, *args, **kwargs)
            if s3.account_id in config_backends:
                for backend in list(config_backends[s3.account_id].values()):
                    if _role(backend) is not None:
                        self._look(backend)
            return answer

        return method

    def _look(self, backend: ConfigBackend) -> None:
        now = self._buckets(backend)
        for name, item in now.items():
            before = self.items.get((backend.region_name, name))
            if before is None or _core(before) != _core(item):
                self.items[backend.region_name, name] = item
                for rule_name in list(backend.config_rules):
                    found = self._now(backend, rule_name)
                    if found and found[0].changes and (not found[0].types or BUCKET in found[0].types):
                        self.rules.changed(*found, item, difference(
                            before and _core(before), _core(item)))

    def _buckets(self, backend: ConfigBackend) -> dict[str, dict[str, Any]]:
        at = iso(self.cloud.clock.now)
        found = {}
        for bucket in s3_backends[backend.account_id][get_partition(backend.region_name)].buckets.values():
            if bucket.region_name == backend.region_name:
                described = json.loads(json.dumps(bucket.to_config_dict(), default=str))
                status = "OK" if (backend.region_name, bucket.name) in self.items else "ResourceDiscovered"
                found[bucket.name] = {
                    "configuration": described["configuration"],
                    "supplementaryConfiguration": described["supplementaryConfiguration"],
                    "tags": described.get("tags", {}), "relationships": [],
                    "configurationItemVersion": "1.3", "configurationItemCaptureTime": at,
                    "configurationItemStatus": status, "awsAccountId": backend.account_id,
                    "resourceType": BUCKET, "resourceId": bucket.name, "resourceName": bucket.name,
                    "ARN": bucket.arn, "awsRegion": backend.region_name,
                    "availabilityZone": "Regional"}
        return found

    def _now(self, backend: ConfigBackend, name: str) -> tuple[Rule, str] | None:
        """The rule and the recorder's role, if it is one of ours and the recorder is on."""
        stock, role = backend.config_rules.get(name), _role(backend)
        if stock is None or role is None or stock.source.owner != "CUSTOM_LAMBDA":
            return None
        return _rule(backend, stock), role


def _core(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("configuration", "supplementaryConfiguration", "tags")}


def _role(backend: ConfigBackend) -> str | None:
    return next((one.role_arn for one in backend.recorders.values() if one.status.recording), None)


def _rule(backend: ConfigBackend, stock: Any) -> Rule:
    details = stock.source.source_details or []
    periodic = next((one for one in details if one.message_type == SCHEDULED), None)
    types = (stock.scope.compliance_resource_types or []) if stock.scope else []
    frequency = periodic and (periodic.maximum_execution_frequency or "TwentyFour_Hours")
    assert frequency is None or frequency in HOURS
    return Rule(stock.config_rule_name, stock.config_rule_id, stock.config_rule_arn, backend.account_id,
                backend.region_name, stock.source.source_identifier, stock.input_parameters or "{}",
                frozenset(types), any(one.message_type == CHANGED for one in details), frequency)
