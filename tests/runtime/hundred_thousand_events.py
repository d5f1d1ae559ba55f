"""100,000 events, for ``test_conservation``: what came of them, and a digest of the trace, as JSON.

Five modelled functions fail at random and crash now and then; two of them have too few places. A
function's role loses its permissions for an hour, an age runs out, a function is deleted, another is
stopped for a while; and the queue delivers one event in a hundred twice.
"""

import hashlib
import json
import sys
from collections import Counter
from datetime import timedelta

import boto3

from minilambda import Cloud, FunctionModel
from minilambda.distributions import exponential, uniform
from minilambda.errors import LambdaError

from .conftest import Lab
from .test_destinations import allow, arn, configure, deny_everything, queue

HOURS = 4
MODELS = {  # and the places that each has
    "steady": (FunctionModel(duration=exponential(0.5), errors=0.2), None),
    "crashing": (FunctionModel(duration=uniform(0.1, 2), errors=0.1, crashes=0.2), None),
    "narrow": (FunctionModel(duration=exponential(2), errors=0.3), 4),
    "old": (FunctionModel(duration=exponential(1), errors=0.5), 2),
    "gone": (FunctionModel(duration=0.2, errors=0.4), None)}


def run(events, seed):
    with Cloud(durations="modelled", sandbox="inline", seed=seed, async_duplicates=0.01) as cloud:
        lab = Lab(cloud)
        allow("*")
        queues = {name: queue(name) for name in ("letters", "records")}
        names = {}
        for name, (model, places) in MODELS.items():
            names[name] = deployed = lab.deploy(
                "def handler(event, context): return 1", Timeout=60,
                DeadLetterConfig={"TargetArn": arn("sqs", "letters")})
            kinds = ["OnFailure", "OnSuccess"][:1 + (name == "steady")]  # successes are the most
            configure(lab, deployed, DestinationConfig={
                kind: {"Destination": arn("sqs", "records")} for kind in kinds})
            cloud.model(deployed, model)
            if places:
                lab.client.put_function_concurrency(
                    FunctionName=deployed, ReservedConcurrentExecutions=places)
        lab.client.update_function_event_invoke_config(
            FunctionName=names["old"], MaximumEventAgeInSeconds=120)
        sent = send_all(cloud, list(names.values()), events)
        arrived = Counter()

        def quarter():
            for _ in range(HOURS * 9):
                cloud.run(seconds=100)
                empty(queues, arrived)  # moto takes longer for each message that lies in a queue

        quarter()
        deny_everything()
        lab.client.put_function_concurrency(
            FunctionName=names["crashing"], ReservedConcurrentExecutions=0)
        quarter()
        allow("*")
        lab.client.delete_function_concurrency(FunctionName=names["crashing"])
        quarter()
        lab.client.delete_function(FunctionName=names["gone"])
        for _ in range(2):
            quarter()
        cloud.run_until_idle()
        cloud.run(seconds=100)
        empty(queues, arrived)
        return report(cloud, names, sent) | {"queues": arrived}


def empty(queues, arrived):
    """Count the messages that are there, and take them away."""
    sqs = boto3.client("sqs")
    for name, url in queues.items():
        arrived[name] += int(sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"][
                "ApproximateNumberOfMessages"])
        sqs.purge_queue(QueueUrl=url)


def send_all(cloud, names, events):
    """Somebody sends them all, evenly, from a process on the clock. Value: how it went, so far."""
    sent, region = Counter(), "eu-west-2"

    def steps():
        for number in range(events):
            name = names[number % len(names)]
            try:
                target = cloud.registry.target(cloud.account_id, region, name)
                cloud.frontend.accept(target, b"%d" % number, source="test")
                sent["accepted"] += 1
            except LambdaError as error:
                sent[type(error).__name__] += 1
            yield cloud.clock.timeout(HOURS * 3600 / events)

    with cloud.clock.lock:
        cloud.clock.process(steps())
    return sent


def report(cloud, names, sent):
    trace, digest = cloud.trace, hashlib.sha256()
    for event in trace:
        digest.update(repr(event).encode())
    ended = trace.select("async.ended")
    metrics = boto3.client("cloudwatch")

    def total(name):
        found = 0.0
        for metric in metrics.list_metrics(Namespace="AWS/Lambda", MetricName=name)["Metrics"]:
            if [d["Name"] for d in metric["Dimensions"]] != ["FunctionName"]:
                continue
            found += sum(point["Sum"] for point in metrics.get_metric_statistics(
                Namespace="AWS/Lambda", MetricName=name, Dimensions=metric["Dimensions"],
                StartTime=cloud.now - timedelta(days=2), EndTime=cloud.now + timedelta(days=2),
                Period=86400, Statistics=["Sum"])["Datapoints"])
        return found

    return {
        "sent": dict(sent), "digest": digest.hexdigest(),
        "queued": len(trace.select("async.queued")),
        "duplicated": len(trace.select("async.duplicated")),
        "ended": Counter(e["condition"] for e in ended),
        "tries": Counter(e["invoke_count"] for e in ended),
        "succeeded and told": sum(e["condition"] == "Success" for e in trace.select(
            "async.ended", function=names["steady"])),
        "twice": len(ended) - len({(e["request_id"], e["copy"]) for e in ended}),
        "delivered": Counter(e["role"] for e in trace.select("async.delivered")),
        "undelivered": Counter(e["role"] for e in trace.select("async.undelivered")),
        "running": cloud.frontend.concurrency.running(cloud.account_id, "eu-west-2"),
        "metrics": {name: total(name) for name in (
            "AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors",
            "DestinationDeliveryFailures")}}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
