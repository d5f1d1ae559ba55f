"""Calls of AWS at one instant: served in the clock's order, whichever thread is the quicker."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from minilambda import Cloud
from minilambda.errands import Errands

from .conftest import Lab, need_tier

COUNT = """
import boto3

table = boto3.resource("dynamodb").Table("counts")

def handler(event, context):
    seen = []
    for _ in range(3):
        item = table.update_item(
            Key={"name": "all"}, UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": 1}, ReturnValues="UPDATED_NEW")
        seen.append(int(item["Attributes"]["n"]))
    return seen
"""
CALLERS = 6


def story(tier):
    """What six callers at one instant get, and the trace."""
    with Cloud(durations="modelled", sandbox=tier) as cloud:
        lab = Lab(cloud)
        boto3.client("dynamodb").create_table(
            TableName="counts", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}])
        name = lab.deploy(COUNT, Timeout=30)
        with cloud.hold(CALLERS), ThreadPoolExecutor(CALLERS) as callers:
            values = list(callers.map(lambda n: lab.invoke(name, n).value, range(CALLERS)))
        return values, [(e.at, e.kind, e.environment, {k: v for k, v in e.data.items() if k not in (
            "message", "max_memory_used")}) for e in cloud.trace]


@pytest.mark.parametrize("tier", ["process", "bubblewrap"])
def test_the_same_seed_gives_the_same_order_though_threads_stumble(tier, monkeypatch):
    need_tier(tier)
    values, trace = story(tier)
    assert sorted(n for seen in values for n in seen) == list(range(1, 3 * CALLERS + 1))
    outside, dice = Errands.outside_call, random.Random(tier)

    class Stumbling:
        """Around a call: a pause before it is served, and one before its answer goes back."""

        def __init__(self, call):
            self.call = call

        def __enter__(self):
            entered = self.call.__enter__()
            time.sleep(dice.random() / 20)
            return entered

        def __exit__(self, *problem):
            time.sleep(dice.random() / 20)
            return self.call.__exit__(*problem)

    monkeypatch.setattr(Errands, "outside_call",
                        lambda *given, **named: Stumbling(outside(*given, **named)))
    assert story(tier) == (values, trace)
