"""Ten thousand generated requests: whatever is asked, the answer has AWS's shape.

Never a 5xx but 501, an error always as AWS sends it, never a hang; and the cloud goes on working.
"""

import http.client
import json
import random
from collections import Counter

import boto3
import pytest

from request_generator import Generator

REQUESTS = 5_000  # for each of the two limits profiles
PATIENCE = 120  # real seconds for one answer: only a hang takes so long


@pytest.mark.parametrize(("profile", "seed"), [("today", 1), ("course", 2)])
def test_every_answer_has_awss_shape(run, spec, archive, profile, seed):
    running = run(profile=profile)
    client, generator = boto3.client("lambda"), Generator(random.Random(seed), archive)
    for operation in ("CreateFunction", "PublishVersion"):
        client.meta.events.register(  # until it has come about
            f"after-call.lambda.{operation}", lambda **_: running.runtime.clock.run(5))
    furnish(client, spec, archive)
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=PATIENCE)
    seen = Counter()
    for number in range(REQUESTS):
        name, method, path, headers, body = generator.request()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        problem = objection(answer, data)
        assert problem is None, f"request {number}: {name} {method} {path} {body[:500]!r}: {problem}"
        seen[name, answer.status] += 1
        if answer.status < 300 and answer.headers.get("Content-Type") == "application/json":
            generator.learn(json.loads(data or b"null"))
        if answer.status == 501 and b"the operation" in data:
            generator.missing.add(name)
        if number % 10 == 0:
            running.runtime.clock.run(5)
    connection.close()
    check_reach(seen)
    check_health(client, spec)


def objection(answer, data):
    """What is wrong with an answer, if anything."""
    if answer.status >= 500 and answer.status != 501:
        return f"status {answer.status}: {data[:500]!r}"
    if answer.status < 400:
        return None
    if not answer.headers.get("x-amzn-ErrorType") or not answer.headers.get("x-amzn-RequestId"):
        return f"status {answer.status} without AWS's headers: {data[:500]!r}"
    error = json.loads(data)
    if not error.keys() & {"message", "Message"} or not error.keys() <= {
            "message", "Message", "Type", "Reason", "retryAfterSeconds"}:
        return f"not AWS's error shape: {data[:500]!r}"
    if error.get("Type", "User") not in ("User", "Service"):
        return f"a strange type: {data[:500]!r}"
    return None


def furnish(client, spec, archive):
    """Things to ask about."""
    boto3.client("sqs").create_queue(QueueName="q")
    boto3.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_object(Bucket="code", Key="app.zip", Body=archive)
    client.publish_layer_version(LayerName="l0", Content={"ZipFile": archive})
    for name in ("f0", "f1", "f2"):
        client.create_function(**spec | {"FunctionName": name})
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def check_reach(seen):
    """The generator isn't stuck at the door: much of what it asks for is done."""
    done = {name for name, status in seen if status < 300}
    statuses = Counter()
    for (_, status), count in seen.items():
        statuses[status] += count
    assert len(done) >= 40, sorted(done)
    assert sum(count for status, count in statuses.items() if status < 300) > REQUESTS / 10
    assert {200, 201, 202, 204, 400, 404, 409, 501} <= statuses.keys(), statuses


def check_health(client, spec):
    client.create_function(**spec | {"FunctionName": "afterwards"})
    assert client.invoke(FunctionName="afterwards", Payload=b'"well"')["Payload"].read() == b'"well"'
    client.delete_function(FunctionName="afterwards")
