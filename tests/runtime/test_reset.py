"""Cloud.reset, in the process that the cloud belongs to."""

import os

import boto3
import pytest

from minilambda import Cloud

from .conftest import Lab


@pytest.mark.parametrize("sandbox", ["auto", "inline"])
def test_everything_is_gone_and_the_client_works_on(sandbox):
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        client, variables, seen = boto3.client("lambda"), dict(os.environ), []
        for _ in range(3):
            assert client.list_functions()["Functions"] == []
            lab = Lab(cloud)
            lab.run("def handler(e, c): return c.aws_request_id\n")
            cloud.run(minutes=1)
            seen.append([*cloud.trace])
            cloud.reset()
            assert cloud.seconds == 0 and len(cloud.trace) == 0
            assert dict(os.environ) == variables
        assert seen[0] == seen[1] == seen[2] != []


def test_a_closed_cloud_has_nothing_to_reset():
    with Cloud() as cloud:
        pass
    with pytest.raises(RuntimeError, match="this cloud is closed"):
        cloud.reset()
