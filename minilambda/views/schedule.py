"""An editor of a rule's schedule: the expression is put, and the next times at which it falls due are shown.

Stands for the console's page *Define schedule*, which lists the next trigger dates. Every expression is
a PutRule, made with boto3; what AWS refuses shows AWS's words, and ours for what is wrong. In a page
without a kernel the expressions that were given beforehand show what was recorded.
Leaves out: rules of other buses (AWS has no schedules there), time zones (a rule's times are in UTC).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import boto3
import ipywidgets
import traitlets
from botocore.exceptions import ClientError

from ..clock import COURSE_START
from ..schedule import ScheduleError, parse
from .sources import source


class ScheduleView(anywidget.AnyWidget):
    """What schedule.js draws: a field, buttons with expressions, and the next times.

    ``recorded`` holds, by expression, whether AWS took it, a sentence, and the times. ``typed`` is what
    the reader has asked for; ``live`` the last answer of this kernel: expression, answer, and which
    answer it was, counted from 1.
    """

    _esm = source("element.js", "schedule.js")
    _css = source("schedule.css")

    rule = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    typed = traitlets.Unicode().tag(sync=True)
    recorded = traitlets.Dict().tag(sync=True)
    live = traitlets.Dict().tag(sync=True)


class ScheduleEditor(ipywidgets.VBox):
    """The editor. Made by :func:`schedule`. Set ``editor.view.typed`` to ask for an expression."""

    def __init__(self, cloud: Any, rule: str, expressions: Sequence[str], count: int) -> None:
        self.cloud, self.rule, self.count = cloud, rule, count
        self.events = boto3.client("events")
        self.state = self.events.describe_rule(Name=rule)["State"]
        recorded = {expression: self._put(expression) for expression in expressions}
        self._put(expressions[0])
        self.view = ScheduleView(rule=rule, names=list(expressions), typed=expressions[0],
                                 recorded=recorded)
        self.view.observe(self._asked, "typed")
        super().__init__([self.view])

    def __repr__(self) -> str:
        return f"Schedule of the rule {self.rule}. Run this cell to edit it."

    def _asked(self, change: Any) -> None:
        self.view.live = {"expression": change["new"], "answer": self._put(change["new"]),
                          "count": self.view.live.get("count", 0) + 1}

    def _put(self, expression: str) -> list[Any]:
        """Whether AWS took it, a sentence, and the next times."""
        try:
            self.events.put_rule(Name=self.rule, State=self.state, ScheduleExpression=expression)
        except ClientError as refused:
            return [False, f"{refused.response['Error']['Message']} ({_wrong(expression)})", []]
        now = at = self.cloud.clock.now
        found, times = parse(expression, now), []
        while len(times) < self.count and (at := found.after(at)) is not None:
            times.append(f"{at:%a} {at.day} {at:%b %Y, %H:%M:%S} UTC")
        sentence = (f"From {now:%a} {now.day} {now:%b %Y, %H:%M:%S} UTC on:" if times
                    else "AWS takes it, but it never falls due.")
        return [True, sentence, times]


def schedule(cloud: Any, rule: str, expressions: Sequence[str], count: int = 5) -> ScheduleEditor:
    """Edit the schedule of a rule on the default event bus, and see when it falls due next.

    All expressions are put once now, so that they also work in a page with no kernel; then the first
    one is set.

    Args:
        cloud: a :class:`minilambda.Cloud`.
        rule: the name of a rule that exists.
        expressions: what to offer, such as ``["rate(1 hour)", "cron(0 18 ? * MON-FRI *)"]``; some
            that AWS refuses may be among them.
        count: how many of the next times are shown.

    Raises:
        ValueError: nothing is offered, or fewer than one time is asked for.
        botocore.exceptions.ClientError: there is no such rule.
    """
    if not expressions or count < 1:
        raise ValueError("schedule: give at least one expression, and a count of at least 1")
    return ScheduleEditor(cloud, rule, list(expressions), count)


def _wrong(expression: str) -> str:
    try:
        parse(expression, COURSE_START)
    except ScheduleError as problem:
        return str(problem)
    return "rules take rate(…) and cron(…) only"
