"""The real ``aws`` command against the cloud, as a ``!aws`` cell runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def aws(command, **env):
    return subprocess.run(f"aws {command}", shell=True, capture_output=True, text=True,
                          env=os.environ | env)


def test_the_environments_own_cli_comes_first(cloud):
    found = subprocess.run("command -v aws", shell=True, capture_output=True, text=True)
    assert Path(found.stdout.strip()).parent == Path(sys.prefix) / "bin"


def test_sqs_needs_no_argument_in_the_courses_region(cloud):
    made = aws("sqs create-queue --queue-name q")
    assert made.returncode == 0, made.stderr
    assert json.loads(aws("sqs list-queues").stdout)["QueueUrls"] == [
        json.loads(made.stdout)["QueueUrl"]]


def test_a_function_from_create_to_invoke(cloud, spec, archive, tmp_path):
    (tmp_path / "app.zip").write_bytes(archive)
    made = aws(f"lambda create-function --function-name f --runtime python3.8 --role {spec['Role']}"
               f" --handler app.handler --zip-file fileb://{tmp_path}/app.zip")
    assert made.returncode == 0, made.stderr
    asked = aws(f"""lambda invoke --function-name f --payload '{{"a": 1}}' {tmp_path}/out.json""")
    assert json.loads(asked.stdout) == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}


def test_an_error_in_awss_words(cloud):
    done = aws("lambda get-function --function-name nope")
    assert done.returncode == 255
    assert ("An error occurred (ResourceNotFoundException) when calling the GetFunction operation: "
            "Function not found: arn:aws:lambda:eu-west-2:123456789012:function:nope"
            ) in done.stderr


@pytest.mark.parametrize("command", ["sqs list-queues", "s3 ls", "lambda list-functions"])
def test_without_the_override_it_stops_before_anything_leaves(cloud, command):
    done = aws(command, AWS_ENDPOINT_URL="")
    assert done.returncode == 255
    assert "minilambda stopped a request to " in done.stderr
    assert "amazonaws.com" in done.stderr


def test_an_address_given_by_hand_is_held_to_the_same(cloud):
    done = aws("sqs list-queues --endpoint-url https://sqs.eu-west-2.amazonaws.com")
    assert "minilambda stopped a request to sqs.eu-west-2.amazonaws.com" in done.stderr


def test_the_plugin_is_light(cloud):
    """It is imported at every command."""
    code = ("import sys, minilambda.aws.cli_plugin\n"
            "print([m for m in ('moto', 'boto3', 'simpy', 'aiohttp', 'plotly', 'IPython') "
            "if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
