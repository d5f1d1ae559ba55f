"""A number that follows a schedule, or a metric: scalable targets and what is done to them.

Stands for: Application Auto Scaling. AWS pages: *How target tracking scaling for Application Auto
Scaling works*, *Scheduled scaling for Application Auto Scaling*, *Scaling activities for Application
Auto Scaling*.
Leaves out: step scaling (AWS doesn't offer it for Lambda) and predictive scaling.

What the number is, a :class:`Capacity` knows; who asks (alarms, requests) is the AWS surface's business.
AWS's pages don't say how a new capacity is reckoned: here it is the present one times the metric over
its target, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from .agenda import Agenda
from .clock import Clock
from .errors import LambdaError
from .schedule import Rate, Schedule
from .trace import Trace

IN_PROGRESS, SUCCESSFUL, FAILED, OVERRIDDEN = "InProgress", "Successful", "Failed", "Overridden"
OUT, IN, SCHEDULED = ("DynamicScalingOutSuspended", "DynamicScalingInSuspended",
                      "ScheduledScalingSuspended")

AGAIN = 60.0  # seconds: as often an alarm says that it is still one


class Bounds(Protocol):
    """The limits of a target, which others read and write too."""

    min_capacity: int
    max_capacity: int
    suspended_state: Mapping[str, bool] | None


@dataclass(eq=False)
class Activity:
    """A change that was asked for; ``start`` and ``end`` are instants."""

    activity_id: str
    resource_id: str
    description: str
    cause: str
    start: datetime
    status: str
    message: str
    before: int = 0  # of capacity
    wanted: int | None = None
    end: datetime | None = None


@dataclass(eq=False)
class Target:
    """A scalable target."""

    account: str
    region: str
    resource_id: str
    bounds: Bounds
    changing: Activity | None = None  # what is being fulfilled
    policy: Tracking | None = None  # which asked for it
    policies: dict[str, Tracking] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)


@dataclass(eq=False)
class Tracking:
    """A target tracking policy; times in seconds."""

    target_value: float
    scale_out_cooldown: float = 0.0
    scale_in_cooldown: float = 0.0
    disable_scale_in: bool = False
    base: int | None = None  # the capacity before the last scale-out
    out_until: float = 0.0  # its cooldown
    in_until: float = 0.0
    low: float = 0.0  # the metric, when it was last said to be low for long enough
    low_at: float = -math.inf  # and when that was

    def reckon(self, capacity: int, value: float) -> int:
        """The capacity that would bring the metric to its target."""
        return math.ceil(round(capacity * value / self.target_value, 9))


@dataclass(eq=False)
class Plan:
    """A scheduled action."""

    name: str
    schedule: Schedule
    start: datetime | None
    end: datetime | None
    minimum: int | None
    maximum: int | None

    def after(self, instant: datetime) -> datetime | None:
        """When it is due next."""
        schedule = self.schedule
        if self.start is not None:
            if isinstance(schedule, Rate):  # the first one is at the start
                schedule = Rate(schedule.period, self.start - schedule.period)
            instant = max(instant, self.start - timedelta(microseconds=1))
        due = schedule.after(instant)
        return due if due is not None and (self.end is None or due <= self.end) else None


class Capacity(Protocol):
    """What is scaled."""

    def read(self, target: Target) -> int:
        """How much there is, or will be when what is under way is done."""

    def write(self, target: Target, wanted: int) -> None:
        """Ask for so much. It may take time; :meth:`Autoscaling.fulfilled` is to be called then.

        Raises:
            LambdaError: it can't be.
        """


class Autoscaling:
    """All scalable targets of a cloud. Use it with the clock's lock held."""

    def __init__(self, clock: Clock, trace: Trace, capacity: Capacity) -> None:
        self.clock, self.trace, self.capacity = clock, trace, capacity
        self.agenda = Agenda(clock)
        self.targets: dict[tuple[str, str, str], Target] = {}
        self._activities: dict[tuple[str, str], list[Activity]] = {}

    # -- targets -------------------------------------------------------------------------------------

    def register(self, account: str, region: str, resource_id: str, bounds: Bounds) -> Target:
        """A target is new, or its limits are: they hold from now on."""
        key = account, region, resource_id
        target = self.targets.get(key)
        if target is None:
            target = self.targets[key] = Target(account, region, resource_id, bounds)
        self._keep_within(target)
        return target

    def deregister(self, account: str, region: str, resource_id: str) -> None:
        """Its policies and scheduled actions go with it."""
        self.targets.pop((account, region, resource_id), None)

    def activities(self, account: str, region: str) -> Iterable[Activity]:
        """Newest first."""
        return reversed(self._activities.get((account, region), []))

    # -- schedules -----------------------------------------------------------------------------------

    def plan(self, target: Target, plan: Plan) -> None:
        """A scheduled action is new, or put anew."""
        target.plans[plan.name] = plan
        self._await(target, plan, self.clock.now)

    def _await(self, target: Target, plan: Plan, after: datetime) -> None:
        due = plan.after(after)
        if due is not None:
            self.agenda.add((due - self.clock.start).total_seconds(),
                            lambda at: self._carry_out(target, plan, due))

    def _carry_out(self, target: Target, plan: Plan, due: datetime) -> None:
        if not self._registered(target) or target.plans.get(plan.name) is not plan:
            return
        self._await(target, plan, due)
        if self._suspended(target, SCHEDULED):
            return
        bounds = target.bounds
        minimum = bounds.min_capacity if plan.minimum is None else plan.minimum
        maximum = bounds.max_capacity if plan.maximum is None else plan.maximum
        given = [f"{name} capacity to {value}" for name, value in (
            ("min", plan.minimum), ("max", plan.maximum)) if value is not None]
        activity = self._begin(target, f"Setting {' and '.join(given)}",
                               f"scheduled action name {plan.name} was triggered")
        if minimum > maximum:
            self._end(activity, FAILED, f"Failed to set {' and '.join(given)}. Reason: Maximum "
                                        "capacity cannot be less than minimum capacity")
            return
        bounds.min_capacity, bounds.max_capacity = minimum, maximum
        self.trace.append(self.clock.seconds, "autoscaling.bounds", _function(target), None,
                          target=target.resource_id, minimum=minimum, maximum=maximum,
                          cause=activity.cause)
        self._end(activity, SUCCESSFUL, f"Successfully set {' and '.join(given)}")
        self._keep_within(target)

    def _keep_within(self, target: Target) -> None:
        present, bounds = self.capacity.read(target), target.bounds
        if present < bounds.min_capacity:
            self._change(target, bounds.min_capacity,
                         f"minimum capacity was set to {bounds.min_capacity}")
        elif present > bounds.max_capacity:
            self._change(target, bounds.max_capacity,
                         f"maximum capacity was set to {bounds.max_capacity}")

    # -- target tracking -----------------------------------------------------------------------------

    def high(self, target: Target, policy: Tracking, value: float, cause: str) -> None:
        """The metric has been above its target for long enough; asked again every minute."""
        now, present = self.clock.seconds, self.capacity.read(target)
        if target.changing is not None or self._suspended(target, OUT):
            return
        # What has been added is to count during the cooldown: only a larger scale-out adds more.
        cooling = now < policy.out_until and policy.base is not None
        wanted = policy.reckon(policy.base if cooling else present, value)
        wanted = min(wanted, target.bounds.max_capacity)
        if wanted > present:
            if not cooling:
                policy.base = present
            policy.in_until = 0.0
            self._change(target, wanted, cause, policy)

    def low(self, target: Target, policy: Tracking, value: float, cause: str) -> None:
        """The metric has been below its target for long enough; asked again every minute."""
        now, present = self.clock.seconds, self.capacity.read(target)
        policy.low, policy.low_at = value, now
        if (policy.disable_scale_in or target.changing is not None
                or self._suspended(target, IN) or now < policy.in_until):
            return
        others = [p for p in target.policies.values() if not p.disable_scale_in]
        if any(p.low_at < now - AGAIN for p in others):
            return  # all of them must want it, and the largest capacity is taken
        wanted = max(p.reckon(present, p.low) for p in others)
        wanted = max(wanted, target.bounds.min_capacity)
        if wanted < present:
            self._change(target, wanted, cause, policy)

    # -- changes -------------------------------------------------------------------------------------

    def _change(self, target: Target, wanted: int, cause: str,
                policy: Tracking | None = None) -> None:
        before = self.capacity.read(target)
        activity = self._begin(target, f"Setting desired concurrency to {wanted}.", cause)
        activity.before, activity.wanted = before, wanted
        if target.changing is not None:
            self._end(target.changing, OVERRIDDEN, "Scaling activity was overridden by a newer one.")
        target.changing, target.policy = activity, policy
        self.trace.append(self.clock.seconds, "autoscaling.started", _function(target), None,
                          target=target.resource_id, activity_id=activity.activity_id,
                          before=before, wanted=wanted, cause=cause)
        try:
            self.capacity.write(target, wanted)
        except LambdaError as error:
            self.fulfilled(target, wanted, error.message)
            return
        if activity.status == IN_PROGRESS:
            activity.message = (f"Successfully set desired concurrency to {wanted}. Waiting for change "
                                "to be fulfilled by lambda.")

    def fulfilled(self, target: Target, wanted: int, problem: str | None = None) -> None:
        """The capacity that somebody asked for is there, or (``problem``) can't be."""
        activity, policy = target.changing, target.policy
        if activity is None:
            return
        target.changing = target.policy = None
        if wanted != activity.wanted:
            self._end(activity, OVERRIDDEN, "Scaling activity was overridden by a newer one.", target)
        elif problem is not None:
            self._end(activity, FAILED, f"Failed to set desired concurrency to {wanted}. "
                                        f"Reason: {problem}", target)
        else:
            if policy is not None and wanted > activity.before:
                policy.out_until = self.clock.seconds + policy.scale_out_cooldown
            elif policy is not None:
                policy.in_until = self.clock.seconds + policy.scale_in_cooldown
            self._end(activity, SUCCESSFUL, f"Successfully set desired concurrency to {wanted}. "
                                            "Change successfully fulfilled by lambda.", target)

    def _begin(self, target: Target, description: str, cause: str) -> Activity:
        activity = Activity(self.clock.uuid(), target.resource_id, description, cause, self.clock.now,
                            IN_PROGRESS, "")
        self._activities.setdefault((target.account, target.region), []).append(activity)
        return activity

    def _end(self, activity: Activity, status: str, message: str,
             target: Target | None = None) -> None:
        activity.status, activity.message, activity.end = status, message, self.clock.now
        if target is not None:
            self.trace.append(self.clock.seconds, "autoscaling.ended", _function(target), None,
                              target=target.resource_id, activity_id=activity.activity_id,
                              wanted=activity.wanted, status=status, message=message)

    def _registered(self, target: Target) -> bool:
        return self.targets.get((target.account, target.region, target.resource_id)) is target

    @staticmethod
    def _suspended(target: Target, what: str) -> bool:
        return bool((target.bounds.suspended_state or {}).get(what))


def _function(target: Target) -> str:
    return target.resource_id.split(":")[1]


def tracking(configuration: Mapping[str, Any]) -> Tracking:
    """A policy by its TargetTrackingScalingPolicyConfiguration."""
    return Tracking(configuration["TargetValue"], configuration.get("ScaleOutCooldown") or 0,
                    configuration.get("ScaleInCooldown") or 0,
                    bool(configuration.get("DisableScaleIn")))
