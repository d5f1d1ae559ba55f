"""Application Auto Scaling that really scales: moto's control plane, and provisioned concurrency.

Stands for: RegisterScalableTarget, PutScalingPolicy, PutScheduledAction, their opposites and
DescribeScalingActivities, for the service namespace ``lambda``. AWS pages: those of these names, and
*Managing Lambda provisioned concurrency with Application Auto Scaling*.
Leaves out: other service namespaces, which stay what moto makes of them: nothing is scaled. For
``lambda``: metric math in a policy, and predictive scaling, both refused.

moto keeps targets, policies and actions. The hooks are on its backend; rules are in
``minilambda.autoscaling``, and alarms in ``aws.alarms``. Capacity is set as PutProvisionedConcurrencyConfig
sets it; a capacity of 0 is DeleteProvisionedConcurrencyConfig.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

from ..alarms import Point
from ..autoscaling import Activity, Autoscaling, Plan, Target, tracking
from ..errors import LambdaError
from ..function import LATEST
from ..schedule import ScheduleError, parse
from ..trace import Event
from .alarms import Alarms

LAMBDA = "lambda"
DIMENSION = "lambda:function:ProvisionedConcurrency"
UTILIZATION = "LambdaProvisionedConcurrencyUtilization"
SERVICE_ROLE = ("role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency")
LOW = 0.9  # of the target: where AlarmLow is
HIGH_PERIODS, LOW_PERIODS = 3, 15  # minutes


class ProvisionedCapacity:
    """What is scaled: how much provisioned concurrency an alias or version is to have."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime

    def _named(self, target: Target) -> tuple[Any, str]:
        _, name, qualifier = target.resource_id.split(":")
        return self.runtime.registry.named(target.account, target.region, name, qualifier,
                                           action="lambda:PutProvisionedConcurrencyConfig")

    def read(self, target: Target) -> int:
        try:
            return self.runtime.provisioned.get(*self._named(target)).places.wanted
        except LambdaError:  # nothing is provisioned, or the function is gone
            return 0

    def write(self, target: Target, wanted: int) -> None:
        if wanted:
            self.runtime.provisioned.put(*self._named(target), wanted)
        else:
            self.runtime.provisioned.delete(*self._named(target))


def install(swap: Callable[[object, str, object], None], runtime: Any, alarms: Alarms) -> None:
    """Make moto's Application Auto Scaling scale; ``alarms`` are those of this cloud."""
    Scaling(runtime, alarms).install(swap)


class Scaling:
    """The hooks of one cloud."""

    def __init__(self, runtime: Any, alarms: Alarms) -> None:
        self.runtime, self.clock = runtime, runtime.clock
        self.engine = Autoscaling(runtime.clock, runtime.trace, ProvisionedCapacity(runtime))
        alarms.scale = self._alarm
        runtime.trace.listen(self._heard)

    def install(self, swap: Callable[[object, str, object], None]) -> None:
        """Put the hooks on moto's Application Auto Scaling, by ``swap(owner, name, value)``."""
        backend = ApplicationAutoscalingBackend
        for name in ("register_scalable_target", "deregister_scalable_target", "put_scaling_policy",
                     "delete_scaling_policy", "put_scheduled_action", "delete_scheduled_action"):
            swap(backend, name, self._locked(getattr(self, "_" + name), getattr(backend, name)))
        swap(FakeApplicationAutoscalingPolicy, "create_alarms",
             self._create_alarms(FakeApplicationAutoscalingPolicy.create_alarms))
        swap(ApplicationAutoScalingResponse, "describe_scaling_activities",
             self._describe_activities())

    def _locked(self, ours: Callable[..., Any], stock: Callable[..., Any]) -> Callable[..., Any]:
        def method(backend: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any) -> Any:
            with self.clock.lock:
                self.engine.agenda.settle()
                return ours(stock, backend, *args, **kwargs)

        return method

    # -- targets -------------------------------------------------------------------------------------

    def _register_scalable_target(self, stock: Callable[..., FakeScalableTarget],
                                  backend: ApplicationAutoscalingBackend, namespace: str, r_id: str,
                                  dimension: str, min_capacity: int | None, max_capacity: int | None,
                                  role_arn: str, suspended_state: Any) -> FakeScalableTarget:
        if namespace == LAMBDA:
            former = backend.targets.get(dimension, {}).get(r_id)
            if former is None and (min_capacity is None or max_capacity is None):
                raise AWSValidationException("Minimum and maximum capacity must be specified when "
                                             "registering a new scalable target")
            low = former.min_capacity if min_capacity is None else min_capacity
            high = former.max_capacity if max_capacity is None else max_capacity
            if low < 0 or high < low:
                raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")
            if dimension == DIMENSION:
                self._check_resource(backend, r_id)
            role_arn = role_arn or f"arn:aws:iam::{backend.account_id}:{SERVICE_ROLE}"
        made = stock(backend, namespace, r_id, dimension, min_capacity, max_capacity, role_arn,
                     suspended_state)
        if namespace == LAMBDA:
            self.engine.register(backend.account_id, backend.region_name, r_id, made)
        return made

    def _check_resource(self, backend: ApplicationAutoscalingBackend, resource_id: str) -> None:
        found = re.fullmatch(r"function:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,128}|\$LATEST)",
                             resource_id)
        if found is None or found[2] == LATEST:
            raise AWSValidationException(
                "Unsupported service namespace, resource type or scalable dimension")
        try:
            self.runtime.registry.get(backend.account_id, backend.region_name, *found.groups())
        except LambdaError as error:
            raise AWSValidationException(f"Resource does not exist: {resource_id}") from error

    def _deregister_scalable_target(self, stock: Callable[..., None],
                                    backend: ApplicationAutoscalingBackend, namespace: str, r_id: str,
                                    dimension: str) -> None:
        if namespace == LAMBDA:
            self._target(backend, r_id, dimension)
        stock(backend, namespace, r_id, dimension)
        if namespace != LAMBDA:
            return
        self.engine.deregister(backend.account_id, backend.region_name, r_id)
        for key, policy in list(backend.policies.items()):
            if (policy.service_namespace, policy.resource_id) == (LAMBDA, r_id):
                policy.delete_alarms(backend.account_id, backend.region_name)
                del backend.policies[key]
        backend.scheduled_actions = [
            action for action in backend.scheduled_actions
            if (action.service_namespace, action.resource_id) != (LAMBDA, r_id)]

    def _target(self, backend: ApplicationAutoscalingBackend, resource_id: str,
                dimension: str) -> Target:
        found = self.engine.targets.get((backend.account_id, backend.region_name, resource_id))
        if found is None or dimension != DIMENSION:
            raise JsonRESTError("ObjectNotFoundException", "No scalable target registered for service "
                                f"namespace: {LAMBDA}, resource ID: {resource_id}, scalable "
                                f"dimension: {dimension}")
        return found

    # -- policies ------------------------------------------------------------------------------------

    def _put_scaling_policy(self, stock: Callable[..., FakeApplicationAutoscalingPolicy],
                            backend: ApplicationAutoscalingBackend, policy_name: str,
                            service_namespace: str, resource_id: str, scalable_dimension: str,
                            policy_body: dict[str, Any], policy_type: str | None
                            ) -> FakeApplicationAutoscalingPolicy:
        asked = (policy_name, service_namespace, resource_id, scalable_dimension, policy_body,
                 policy_type)
        if service_namespace != LAMBDA:
            return stock(backend, *asked)
        target = self._target(backend, resource_id, scalable_dimension)
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name)
        former = backend.policies.get(key)
        kind = policy_type or (former.policy_type if former else None)
        if kind != "TargetTrackingScaling":
            raise AWSValidationException(f"Policy type {kind or 'StepScaling'} is not supported for "
                                         f"scalable dimension: {scalable_dimension}")
        configuration = policy_body or former.target_tracking_scaling_policy_configuration
        _check(configuration)
        if former is not None:
            former.delete_alarms(backend.account_id, backend.region_name)
        made = stock(backend, policy_name, service_namespace, resource_id, scalable_dimension,
                     configuration, kind)
        target.policies[policy_name] = tracking(configuration)
        return made

    def _delete_scaling_policy(self, stock: Callable[..., None],
                               backend: ApplicationAutoscalingBackend, policy_name: str,
                               service_namespace: str, resource_id: str,
                               scalable_dimension: str) -> None:
        stock(backend, policy_name, service_namespace, resource_id, scalable_dimension)
        if service_namespace == LAMBDA:
            self._target(backend, resource_id, scalable_dimension).policies.pop(policy_name, None)

    def _create_alarms(self, stock: Callable[..., None]) -> Callable[..., None]:
        def create_alarms(policy: FakeApplicationAutoscalingPolicy) -> None:
            if policy.service_namespace != LAMBDA:
                stock(policy)
                return
            former = applicationautoscaling_backends[policy.account_id][
                policy.region_name].policies.get(policy.formulate_key(
                    LAMBDA, policy.resource_id, policy.scalable_dimension, policy.policy_name))
            if former is not None:  # an update keeps the ARN
                policy.policy_arn, policy.creation_time = former.policy_arn, former.creation_time
            configuration = policy.target_tracking_scaling_policy_configuration
            value = configuration["TargetValue"]
            action = f"{policy.policy_arn}:createdBy/{mock_random.uuid4()}"
            backend = cloudwatch_backends[policy.account_id][policy.region_name]
            kinds = [("AlarmHigh", "GreaterThanThreshold", HIGH_PERIODS, value)]
            if not configuration.get("DisableScaleIn"):
                kinds.append(("AlarmLow", "LessThanThreshold", LOW_PERIODS, round(value * LOW, 9)))
            policy.alarms = [backend.put_metric_alarm(
                name=f"TargetTracking-{policy.resource_id}-{kind}-{mock_random.uuid4()}",
                comparison_operator=comparison, evaluation_periods=periods, period=60,
                threshold=threshold, alarm_actions=[action],
                description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
                **_metric(policy.resource_id, configuration))
                for kind, comparison, periods, threshold in kinds]

        return create_alarms

    def _alarm(self, action: str, alarm: Alarm, newest: Point | None, at: datetime) -> str | None:
        """An alarm is in ALARM, and says so every minute. What is wrong with its action, if anything."""
        arn = action.split(":createdBy/")[0]
        region, account = arn.split(":")[3:5]
        for policy in applicationautoscaling_backends[account][region].policies.values():
            if policy.policy_arn == arn:
                break
        else:
            return "the scaling policy is no longer there"
        target = self.engine.targets.get((account, region, policy.resource_id))
        if policy.service_namespace != LAMBDA or target is None:
            return "minilambda scales provisioned concurrency only (yet)"
        rule = target.policies[policy.policy_name]
        if newest is not None:
            cause = (f"monitor alarm {alarm.name} in state ALARM triggered policy "
                     f"{policy.policy_name}")
            up = alarm.comparison_operator.startswith("Greater")
            (self.engine.high if up else self.engine.low)(target, rule, newest.value, cause)
        return None

    # -- scheduled actions ---------------------------------------------------------------------------

    def _put_scheduled_action(self, stock: Callable[..., None],
                              backend: ApplicationAutoscalingBackend, service_namespace: str,
                              schedule: str | None, timezone: str | None, scheduled_action_name: str,
                              resource_id: str, scalable_dimension: str, start_time: Any,
                              end_time: Any, scalable_target_action: dict[str, Any] | None) -> None:
        asked = (service_namespace, schedule, timezone, scheduled_action_name, resource_id,
                 scalable_dimension, start_time, end_time, scalable_target_action)
        if service_namespace != LAMBDA:
            stock(backend, *asked)
            return
        target = self._target(backend, resource_id, scalable_dimension)
        former = next((a for a in backend.scheduled_actions if (
            a.service_namespace, a.scheduled_action_name, a.resource_id) == (
            LAMBDA, scheduled_action_name, resource_id)), None)
        if former is None and not schedule:
            raise AWSValidationException("Schedule must be specified for a new scheduled action")
        action = scalable_target_action or (former.scalable_target_action if former else None) or {}
        low, high = action.get("MinCapacity"), action.get("MaxCapacity")
        if low is None and high is None:
            raise AWSValidationException("MinCapacity or MaxCapacity must be specified")
        if low is not None and high is not None and high < low:
            raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")
        start, end = _instant(start_time), _instant(end_time)
        if start is not None and end is not None and end <= start:
            raise AWSValidationException("Start time must be before end time")
        try:
            parsed = parse(schedule or former.schedule, self.clock.now,
                           timezone or (former.timezone if former else None))
        except ScheduleError as problem:
            raise AWSValidationException(
                f"Invalid schedule expression. Details: {problem}") from problem
        stock(backend, *asked)
        self.engine.plan(target, Plan(scheduled_action_name, parsed, start, end, low, high))

    def _delete_scheduled_action(self, stock: Callable[..., None],
                                 backend: ApplicationAutoscalingBackend, service_namespace: str,
                                 scheduled_action_name: str, resource_id: str,
                                 scalable_dimension: str) -> None:
        if service_namespace == LAMBDA:
            target = self._target(backend, resource_id, scalable_dimension)
            if target.plans.pop(scheduled_action_name, None) is None:
                raise JsonRESTError("ObjectNotFoundException", "No scheduled action found for service "
                                    f"namespace: {LAMBDA}, resource ID: {resource_id}, scalable "
                                    f"dimension: {scalable_dimension}, scheduled action name: "
                                    f"{scheduled_action_name}")
        stock(backend, service_namespace, scheduled_action_name, resource_id, scalable_dimension)

    # -- activities ----------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        """Provisioned concurrency has come about, or failed, or somebody has asked for another."""
        if event.kind != "provisioned.changed" or event["status"] == "IN_PROGRESS":
            return
        resource_id = f"function:{event.function}:{event['qualifier']}"
        for target in list(self.engine.targets.values()):
            if target.resource_id == resource_id:
                self.engine.fulfilled(target, event["requested"], event["reason"])

    def _describe_activities(self) -> Callable[[ApplicationAutoScalingResponse], str]:
        def describe_scaling_activities(response: ApplicationAutoScalingResponse) -> str:
            ask, backend = response._get_param, response.applicationautoscaling_backend
            if ask("IncludeNotScaledActivities"):
                raise NotImplementedError("minilambda doesn't implement IncludeNotScaledActivities "
                                          "(yet).")
            with self.clock.lock:
                self.engine.agenda.settle()
                found = [_describe(activity) for activity in self.engine.activities(
                    backend.account_id, backend.region_name)
                    if ask("ResourceId") in (None, activity.resource_id)]
            if ask("ServiceNamespace") != LAMBDA or ask("ScalableDimension") not in (None, DIMENSION):
                found = []
            first, count = int(ask("NextToken") or 0), int(ask("MaxResults") or 50)
            more = {"NextToken": str(first + count)} if first + count < len(found) else {}
            return json.dumps({"ScalingActivities": found[first:first + count]} | more)

        return describe_scaling_activities


def _check(configuration: dict[str, Any] | None) -> None:
    """A target tracking configuration that can't be is refused."""
    configuration = configuration or {}
    predefined = configuration.get("PredefinedMetricSpecification")
    custom = configuration.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(custom):
        raise AWSValidationException("Exactly one of PredefinedMetricSpecification and "
                                     "CustomizedMetricSpecification must be specified")
    if predefined and predefined.get("PredefinedMetricType") != UTILIZATION:
        raise AWSValidationException(f"Predefined metric type {predefined.get('PredefinedMetricType')} "
                                     f"is not supported for scalable dimension: {DIMENSION}")
    if custom and custom.get("Metrics"):
        raise NotImplementedError("minilambda doesn't implement metric math in scaling policies (yet).")
    if not configuration.get("TargetValue", 0) > 0:
        raise AWSValidationException("TargetValue must be greater than 0")


def _metric(resource_id: str, configuration: dict[str, Any]) -> dict[str, Any]:
    """What a policy's alarms watch."""
    custom = configuration.get("CustomizedMetricSpecification")
    if custom:
        return {"namespace": custom["Namespace"], "metric_name": custom["MetricName"],
                "statistic": custom["Statistic"], "unit": custom.get("Unit"),
                "dimensions": custom.get("Dimensions", [])}
    _, name, qualifier = resource_id.split(":")
    return {"namespace": "AWS/Lambda", "metric_name": "ProvisionedConcurrencyUtilization",
            "statistic": "Average", "dimensions": [
                {"Name": "FunctionName", "Value": name},
                {"Name": "Resource", "Value": f"{name}:{qualifier}"}]}


def _describe(activity: Activity) -> dict[str, Any]:
    return {
        "ActivityId": activity.activity_id, "ServiceNamespace": LAMBDA,
        "ResourceId": activity.resource_id, "ScalableDimension": DIMENSION,
        "Description": activity.description, "Cause": activity.cause,
        "StartTime": activity.start.timestamp(), "StatusCode": activity.status,
        "StatusMessage": activity.message,
    } | ({"EndTime": activity.end.timestamp()} if activity.end else {})


def _instant(value: Any) -> datetime | None:
    """A time stamp of the JSON protocol: seconds since 1970, or its ISO form."""
    if value is None:
        return None
    if isinstance(value, str):
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)
