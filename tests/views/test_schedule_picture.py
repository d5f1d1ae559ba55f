"""The editor of a rule's schedule, against a real rule."""

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud, views


@pytest.fixture(scope="module")
def cloud():
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        boto3.client("events").put_rule(Name="r", ScheduleExpression="rate(1 day)", State="DISABLED")
        yield cloud


@pytest.fixture
def editor(cloud):
    return views.schedule(cloud, "r", [
        "cron(0 18 ? * 1 *)", "rate(10 minutes)", "cron(0 18 * * * *)", "cron(0 0 1 1 ? 2019)"], count=2)


def expression():
    rule = boto3.client("events").describe_rule(Name="r")
    assert rule["State"] == "DISABLED"  # as it was
    return rule["ScheduleExpression"]


def test_all_are_put_beforehand_and_the_first_is_set(editor):
    start = "From Mon 2 Mar 2020, 09:00:00 UTC on:"
    assert editor.view.recorded == {
        "cron(0 18 ? * 1 *)": [True, start, ["Sun 8 Mar 2020, 18:00:00 UTC", "Sun 15 Mar 2020, 18:00:00 UTC"]],
        "rate(10 minutes)": [True, start, ["Mon 2 Mar 2020, 09:10:00 UTC", "Mon 2 Mar 2020, 09:20:00 UTC"]],
        "cron(0 18 * * * *)": [False, "Parameter ScheduleExpression is not valid. (Invalid CRON expression: "
                               "exactly one of Day-of-month and Day-of-week must be '?')", []],
        "cron(0 0 1 1 ? 2019)": [True, "AWS takes it, but it never falls due.", []]}
    assert expression() == "cron(0 18 ? * 1 *)"


def test_what_is_typed_is_put(editor):
    editor.view.typed = "rate(2 hours)"
    assert expression() == "rate(2 hours)"
    assert editor.view.live["answer"][2][0] == "Mon 2 Mar 2020, 11:00:00 UTC"
    editor.view.typed = "at(2020-03-02T18:00:00)"
    taken, sentence, times = editor.view.live["answer"]
    assert (taken, times, editor.view.live["count"]) == (False, [], 2)
    assert sentence.endswith("(rules take rate(…) and cron(…) only)")
    assert expression() == "rate(2 hours)"  # a refusal changes nothing


def test_what_cannot_be_edited(cloud):
    with pytest.raises(ValueError, match="at least one expression"):
        views.schedule(cloud, "r", [])
    with pytest.raises(ClientError, match="does not exist"):
        views.schedule(cloud, "nobody", ["rate(1 day)"])
