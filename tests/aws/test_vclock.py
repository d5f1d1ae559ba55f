"""moto reads our clock, and nothing else does."""

import datetime
import importlib
import sys
import time
from datetime import UTC, timedelta

import boto3
import moto.core.utils
import pytest
from botocore.exceptions import ClientError

from minilambda.aws.vclock import VirtualClock
from minilambda.clock import COURSE_START, Clock


def test_services_tell_the_clouds_time(cloud):
    clock = cloud.runtime.clock
    s3, logs = boto3.client("s3"), boto3.client("logs")
    s3.create_bucket(Bucket="bkt",
                     CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    clock.run(3600)
    s3.put_object(Bucket="bkt", Key="k", Body=b"")
    assert s3.head_object(Bucket="bkt", Key="k")["LastModified"] == (
        COURSE_START + timedelta(hours=1))
    logs.create_log_group(logGroupName="g")
    assert logs.describe_log_groups()["logGroups"][0]["creationTime"] == int(
        clock.timestamp() * 1000)


def test_visibility_timeouts_expire_on_the_clouds_clock(cloud):
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    cloud.runtime.clock.run(29)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    cloud.runtime.clock.run(2)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_long_polling_never_hangs_on_a_clock_that_stands_still(cloud):
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(ClientError, match="cloud.run.. moves it: receive with WaitTimeSeconds=0"):
        sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert len(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]) == 1


@pytest.fixture
def bound():
    clock = Clock(start=COURSE_START)
    binding = VirtualClock(clock)
    binding.start()
    yield clock
    binding.stop()


def test_only_motos_own_modules_are_bound(bound):
    bound.run(60)
    assert moto.core.utils.utcnow() == (COURSE_START + timedelta(seconds=60)).replace(tzinfo=None)
    assert abs(datetime.datetime.now(UTC) - datetime.datetime.fromtimestamp(time.time(), UTC)) < (
        timedelta(seconds=5))
    assert datetime.datetime.now(UTC).year > 2020


def test_a_module_loaded_later_is_bound_as_it_loads(bound):
    module = importlib.reload(importlib.import_module("moto.scheduler.models"))
    assert module.utcnow() == COURSE_START.replace(tzinfo=None)


def test_a_fresh_import_is_bound_too(bound, tmp_path, monkeypatch):
    (tmp_path / "latecomer.py").write_text(
        "import time, datetime as dt\nfrom datetime import datetime, date\n"
        "from time import time as seconds\n")
    monkeypatch.setattr(moto, "__path__", [*moto.__path__, str(tmp_path)])
    late = importlib.import_module("moto.latecomer")
    start = COURSE_START.timestamp()
    try:
        assert late.time.time() == late.seconds() == start
        assert late.dt.datetime.now(UTC) == late.datetime.now(tz=UTC) == COURSE_START
        assert late.datetime.utcnow() == COURSE_START.replace(tzinfo=None)
        assert late.date.today() == late.dt.date.today() == COURSE_START.date()
        assert late.time.strftime("%Y") == "2020" and late.time.gmtime().tm_year == 2020
        # what doesn't read the time is the real thing
        assert type(late.datetime(2021, 1, 1)) is datetime.datetime
        assert isinstance(datetime.datetime(2021, 1, 1), late.datetime)
        assert late.datetime.fromtimestamp(0, UTC).year == 1970
        assert late.datetime.strptime("2021", "%Y") == datetime.datetime(2021, 1, 1)
        assert late.dt.timedelta is datetime.timedelta
    finally:
        del sys.modules["moto.latecomer"], moto.latecomer


def test_stopping_puts_every_name_back():
    names = {(module, name): value for module_name, module in list(sys.modules.items())
             if module_name.startswith("moto") for name, value in list(vars(module).items())}
    finders = list(sys.meta_path)
    binding = VirtualClock(Clock(start=COURSE_START))
    binding.start()
    assert moto.core.utils.utcnow().year == 2020
    binding.stop()
    changed = [(module.__name__, name) for (module, name), value in names.items()
               if vars(module).get(name) is not value]
    assert changed == []
    assert sys.meta_path == finders
