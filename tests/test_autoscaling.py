"""Scaling rules on a capacity that is a number: cooldowns, limits, schedules, more than one policy."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.autoscaling import Autoscaling, Plan, Tracking
from minilambda.clock import COURSE_START, Clock
from minilambda.errors import LambdaError
from minilambda.schedule import parse
from minilambda.trace import Trace

KEY = ("1", "eu-west-2", "function:f:live")


class Number:
    """A capacity that is there ``takes`` seconds after it was asked for."""

    def __init__(self, clock, takes=0.0):
        self.clock, self.takes, self.value, self.problem = clock, takes, 0, None

    def read(self, target):
        return self.value

    def write(self, target, wanted):
        if self.problem:
            raise self.problem
        self.value = wanted
        self.clock.background(self.takes).callbacks.append(
            lambda event: self.engine.fulfilled(target, wanted))


def make(low=0, high=100, present=0, takes=0.0):
    clock = Clock(start=COURSE_START)
    number = Number(clock, takes)
    number.value = present
    engine = number.engine = Autoscaling(clock, Trace(), number)
    bounds = SimpleNamespace(min_capacity=low, max_capacity=high, suspended_state=None)
    return engine, engine.register(*KEY, bounds), number


def policy(target, **settings):
    made = Tracking(**{"target_value": 0.5} | settings)
    target.policies[f"p{len(target.policies)}"] = made
    return made


def story(engine):
    return [(a.description, a.cause, a.status) for a in reversed(list(engine.activities(*KEY[:2])))]


def test_limits_hold_from_the_registration_on():
    engine, target, number = make(low=5, present=2)
    assert number.value == 5
    target.bounds.max_capacity = target.bounds.min_capacity = 3
    engine.clock.run(1)
    engine.register(*KEY, target.bounds)
    engine.clock.run(1)
    assert number.value == 3
    assert story(engine) == [
        ("Setting desired concurrency to 5.", "minimum capacity was set to 5", "Successful"),
        ("Setting desired concurrency to 3.", "maximum capacity was set to 3", "Successful")]


@given(present=st.integers(1, 200), value=st.floats(0, 1), goal=st.floats(0.1, 0.9),
       low=st.integers(0, 50), span=st.integers(0, 100))
def test_a_policy_brings_the_metric_near_its_target_within_the_limits(present, value, goal, low, span):
    engine, target, number = make(low, low + span, present)
    engine.clock.run(1)
    begun = number.value
    rule = policy(target, target_value=goal)
    (engine.high if value > goal else engine.low)(target, rule, value, "alarm")
    engine.clock.run(1)
    assert low <= number.value <= low + span
    if value > goal:
        assert number.value >= begun
    else:
        assert number.value <= begun
    if max(low, 1) < number.value < low + span and number.value != begun:
        load = begun * value
        assert load / number.value <= goal + 1e-6  # enough,
        assert load / (number.value - 1) > goal - 1e-6  # and not one too many


def test_during_the_scale_out_cooldown_only_a_larger_step_adds_more():
    engine, target, number = make(present=10)
    rule = policy(target, scale_out_cooldown=120)
    engine.high(target, rule, 0.75, "alarm")  # 15
    engine.clock.run(60)
    engine.high(target, rule, 0.75, "alarm")  # 15 of 10 again: what was added counts
    assert number.value == 15
    engine.high(target, rule, 1.0, "alarm")  # 20 of 10
    engine.clock.run(60)
    assert number.value == 20
    engine.high(target, rule, 1.0, "alarm")
    assert number.value == 20
    engine.clock.run(120)
    engine.high(target, rule, 1.0, "alarm")
    assert number.value == 40


def test_the_scale_in_cooldown_keeps_out_scale_ins_only():
    engine, target, number = make(present=20)
    rule = policy(target, scale_in_cooldown=300)
    engine.low(target, rule, 0.4, "alarm")  # 16
    engine.clock.run(60)
    engine.low(target, rule, 0.25, "alarm")
    assert number.value == 16
    engine.high(target, rule, 0.75, "alarm")  # at once
    engine.clock.run(1)
    assert number.value == 24
    engine.low(target, rule, 0.25, "alarm")  # a scale-out is no scale-in: its cooldown is over
    engine.clock.run(1)
    assert number.value == 12
    engine.low(target, rule, 0.25, "alarm")
    engine.clock.run(298)
    engine.low(target, rule, 0.25, "alarm")
    assert number.value == 12
    engine.clock.run(1)
    engine.low(target, rule, 0.25, "alarm")
    assert number.value == 6


def test_nothing_more_is_asked_for_until_a_change_is_fulfilled():
    engine, target, number = make(present=4, takes=90)
    rule = policy(target)
    engine.high(target, rule, 1.0, "alarm")
    [activity] = engine.activities(*KEY[:2])
    assert (activity.status, activity.end) == ("InProgress", None)
    assert activity.message == ("Successfully set desired concurrency to 8. Waiting for change to be "
                                "fulfilled by lambda.")
    engine.clock.run(60)
    engine.high(target, rule, 1.0, "alarm")
    assert number.value == 8
    engine.clock.run(60)
    assert (activity.status, activity.end) == ("Successful", COURSE_START + timedelta(seconds=90))
    assert activity.message == ("Successfully set desired concurrency to 8. Change successfully "
                                "fulfilled by lambda.")
    engine.high(target, rule, 1.0, "alarm")
    assert number.value == 16


def test_disabled_and_suspended_scaling():
    engine, target, number = make(present=10)
    engine.low(target, policy(target, disable_scale_in=True), 0.1, "alarm")
    rule = policy(target)
    target.bounds.suspended_state = {"DynamicScalingInSuspended": True}
    engine.low(target, rule, 0.1, "alarm")
    target.bounds.suspended_state = {"DynamicScalingOutSuspended": True}
    engine.high(target, rule, 1.0, "alarm")
    assert number.value == 10
    engine.low(target, rule, 0.25, "alarm")
    assert number.value == 5


def test_several_policies_scale_in_together_to_the_largest_capacity():
    engine, target, number = make(present=10)
    one, other = policy(target), policy(target)
    engine.low(target, one, 0.1, "alarm")
    assert number.value == 10
    engine.clock.run(600)  # long ago: the alarm is one no longer
    engine.low(target, other, 0.3, "alarm")
    assert number.value == 10
    engine.low(target, one, 0.1, "alarm")
    assert number.value == 6


def test_what_cant_be_had_is_an_activity_that_failed():
    engine, target, number = make(present=2)
    number.problem = LambdaError("InvalidParameterValueException", "too much", 400)
    engine.high(target, policy(target), 1.0, "alarm")
    [activity] = engine.activities(*KEY[:2])
    assert (activity.status, activity.message) == (
        "Failed", "Failed to set desired concurrency to 4. Reason: too much")
    assert [e.kind for e in engine.trace] == ["autoscaling.started", "autoscaling.ended"]
    assert engine.trace.select("autoscaling.ended")[0]["status"] == "Failed"


def test_somebody_else_sets_another_number_meanwhile():
    engine, target, number = make(present=2, takes=60)
    engine.high(target, policy(target), 1.0, "alarm")
    engine.fulfilled(target, 7)
    [activity] = engine.activities(*KEY[:2])
    assert activity.status == "Overridden" and target.changing is None


def plan(engine, target, schedule, low=None, high=None, name="a", start=None, end=None, zone=None):
    engine.plan(target, Plan(name, parse(schedule, engine.clock.now, zone), start, end, low, high))


def changes(engine):
    return [(e.at, e["wanted"]) for e in engine.trace.select("autoscaling.started")]


def test_a_day_by_schedule():
    engine, target, number = make(low=1, high=10)
    plan(engine, target, "cron(0 8 ? * MON-FRI *)", 5, 10, name="morning", zone="Europe/London")
    plan(engine, target, "cron(0 18 ? * MON-FRI *)", 0, 2, name="evening", zone="Europe/London")
    engine.clock.run(5 * 86_400)  # from Monday, 9:00
    hour = 3600.0
    assert changes(engine) == [
        (0.0, 1), (23 * hour, 5), (33 * hour, 2), (47 * hour, 5), (57 * hour, 2), (71 * hour, 5),
        (81 * hour, 2), (95 * hour, 5), (105 * hour, 2)]
    assert story(engine)[-2:] == [
        ("Setting min capacity to 0 and max capacity to 2",
         "scheduled action name evening was triggered", "Successful"),
        ("Setting desired concurrency to 2.", "maximum capacity was set to 2", "Successful")]


def test_a_schedule_that_contradicts_the_other_limit_fails_loudly():
    engine, target, number = make(low=1, high=3)
    plan(engine, target, "at(2020-03-02T10:00:00)", low=5)
    engine.clock.run(2 * 3600)
    assert story(engine)[-1] == ("Setting min capacity to 5", "scheduled action name a was triggered",
                                 "Failed")
    assert number.value == 1 and target.bounds.min_capacity == 1


@pytest.mark.parametrize("schedule, start, end, at", [
    ("rate(20 minutes)", None, None, [20, 40, 60, 80, 100, 120]),
    ("rate(20 minutes)", 30, None, [30, 50, 70, 90, 110]),
    ("rate(20 minutes)", 30, 70, [30, 50, 70]),
    ("cron(0/30 * * * ? *)", 30, 90, [30, 60, 90]),
    ("cron(0/30 * * * ? *)", 31, None, [60, 90, 120]),
    ("at(2020-03-02T09:45:00)", None, None, [45]),
    ("at(2020-03-02T09:45:00)", None, 40, []),
    ("at(2020-03-02T08:45:00)", None, None, []),
])
def test_start_and_end(schedule, start, end, at):
    engine, target, _ = make()
    begin = datetime(2020, 3, 2, 9, tzinfo=UTC)
    minute = timedelta(minutes=1)
    plan(engine, target, schedule, low=1, start=None if start is None else begin + start * minute,
         end=None if end is None else begin + end * minute)
    engine.clock.run(120 * 60)
    assert [e.at / 60 for e in engine.trace.select("autoscaling.bounds")] == at


def test_an_action_put_anew_replaces_the_former_and_a_target_that_is_gone_has_none():
    engine, target, number = make()
    plan(engine, target, "rate(10 minutes)", low=1)
    engine.clock.run(60)
    plan(engine, target, "rate(30 minutes)", low=2)
    engine.clock.run(3600)
    assert [e.at for e in engine.trace.select("autoscaling.bounds")] == [1860.0, 3660.0]
    engine.deregister(*KEY)
    engine.clock.run(3600)
    assert len(engine.trace.select("autoscaling.bounds")) == 2


def test_suspended_schedules_do_nothing():
    engine, target, number = make()
    target.bounds.suspended_state = {"ScheduledScalingSuspended": True}
    plan(engine, target, "rate(10 minutes)", low=1)
    engine.clock.run(1800)
    target.bounds.suspended_state = None
    assert number.value == 0
    engine.clock.run(1800)
    assert number.value == 1
