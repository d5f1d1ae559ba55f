"""The same seed is the same traffic and the same trace, on every tier and however time is cut."""

import json

import boto3
import pytest

import minilambda
from minilambda.views import patterns
from minilambda.views.traffic import Traffic


@pytest.mark.parametrize("sandbox", ["process", "bubblewrap"])
def test_the_same_seed_is_the_same_trace(sandbox, tmp_path):
    if sandbox == "bubblewrap" and "bubblewrap" not in str(minilambda.Cloud.doctor()):
        pytest.skip("needs bubblewrap")
    (tmp_path / "app.py").write_text(
        "import time, random\ndef handler(event, context):\n    print('in')\n"
        "    time.sleep(0.25)\n    print('out')\n    return 1\n")

    def story(steps):
        with minilambda.Cloud(durations="modelled", sandbox=sandbox, seed=5) as fresh:
            lam = boto3.client("lambda")
            role = boto3.client("iam").create_role(
                RoleName="r", AssumeRolePolicyDocument=json.dumps({
                    "Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
            lam.create_function(FunctionName="f", Runtime="python3.8", Role=role,
                                Handler="app.handler",
                                Code={"ZipFile": minilambda.zip_handler(tmp_path / "app.py")})
            lam.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=3)
            going = Traffic(fresh, "f", patterns.spike(4, 12, 5, at=1, length=2))
            for _ in range(steps):
                going.advance(3.9 / steps)
            lam.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
            going.finish()
            return [(event.at, event.kind, event.environment, dict(event.data))
                    for event in fresh.trace]

    first = story(1)
    assert any(event[1] == "request.throttled" for event in first)
    assert story(1) == first
    assert story(9) == first
