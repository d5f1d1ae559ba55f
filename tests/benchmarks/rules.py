#!/usr/bin/env python3
"""What it costs to let time pass while rules of EventBridge wait, beside the same time with none.

    .venv/bin/python tests/benchmarks/rules.py

Six virtual hours each time, in one run and in turns: an empty cloud; twenty rules (ten with patterns, ten
with schedules that don't fall due) and queues that nobody sends to. The figure to look at is the ratio;
the aim is below 50 ms.
"""

from __future__ import annotations

import boto3
from sampling import Table, sample

from minilambda import Cloud

HOURS = 6 * 3600


def main() -> None:
    table = Table("rules", "6 virtual hours: p50 (best)", "beside none")
    found = {}
    for rules in (0, 20):
        with Cloud(durations="modelled", sandbox="inline") as cloud:
            if rules:
                events, sqs = boto3.client("events"), boto3.client("sqs")
                # (a year that is far away: a schedule that falls due would be delivered)
                for number in range(rules // 2):
                    sqs.create_queue(QueueName=f"q{number}")
                    arn = f"arn:aws:sqs:eu-west-2:123456789012:q{number}"
                    for kind, what in (("p", {"EventPattern": '{"source": ["shop"]}'}),
                                       ("s", {"ScheduleExpression": "cron(0 9 1 JAN ? 2199)"})):
                        events.put_rule(Name=f"{kind}{number}", **what)
                        events.put_targets(Rule=f"{kind}{number}", Targets=[{"Id": "1", "Arn": arn}])
            found[rules] = sample(lambda cloud=cloud: cloud.clock.run(HOURS), 50)
        table.row(rules, found[rules], f"{found[rules].p50 / found[0].p50:.2f} x")


if __name__ == "__main__":
    main()
