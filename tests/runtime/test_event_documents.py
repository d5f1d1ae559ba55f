"""Every event that a service sends reads as one: in Powertools for AWS Lambda's models and classes.

Powertools is AWS's own library for handlers; its models were made from events recorded on AWS. They
say which members there must be, and of which types. What the members say is each trigger's own test.
"""

import json

import pytest
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.parser import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .test_s3_notifications import bucket_in, configure, listening

EVERY = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:*", "s3:ObjectTagging:*",
         "s3:ObjectAcl:Put"]


def seen(lab, arn):
    """The events that a function has printed."""
    lab.cloud.run_until_idle()
    return [json.loads(line) for line in lab.log_lines(arn.split(":")[6]) if line.startswith("{")]


def everything(value):
    """Read every property of a data class, and of what they are."""
    if isinstance(value, data_classes.common.DictWrapper):
        for name in dir(type(value)):
            if isinstance(getattr(type(value), name), property):
                everything(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            everything(part)
    elif hasattr(value, "__iter__") and not isinstance(value, str | bytes):
        for part in value:
            everything(part)


@pytest.mark.parametrize("versioned", [False, True])
def test_s3(fresh, versioned):
    s3 = bucket_in(fresh, versioned)
    function = listening(fresh)
    configure((function, EVERY))
    s3.put_object(Bucket="bkt", Key="a picture+1.jpg", Body=b"12")
    s3.copy_object(Bucket="bkt", Key="copy", CopySource={"Bucket": "bkt", "Key": "a picture+1.jpg"})
    s3.put_object_tagging(Bucket="bkt", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_object_acl(Bucket="bkt", Key="copy", ACL="public-read")
    s3.put_object(Bucket="bkt", Key="cold", Body=b"1", StorageClass="GLACIER")
    s3.restore_object(Bucket="bkt", Key="cold", RestoreRequest={"Days": 1})
    s3.delete_object(Bucket="bkt", Key="copy")
    found = seen(fresh, function)
    names = {event["Records"][0]["eventName"] for event in found}
    assert names >= {"ObjectCreated:Put", "ObjectCreated:Copy", "ObjectTagging:Put", "ObjectAcl:Put",
                     "ObjectRestore:Post",
                     "ObjectRemoved:DeleteMarkerCreated" if versioned else "ObjectRemoved:Delete"}
    for event in found:
        # Events of tags and ACLs have no size on AWS (recorded there), which Powertools' model wants.
        sized = not event["Records"][0]["eventName"].startswith(("ObjectTagging:", "ObjectAcl:"))
        record = models.S3Model(**event if sized else with_size(event)).Records[0]
        assert record.s3.bucket.name == "bkt" and record.eventSource == "aws:s3"
        data = data_classes.S3Event(event)
        if "ObjectCreated:" in record.eventName:  # (the classes know no others)
            everything(data)
        assert data.object_key in {"a picture+1.jpg", "copy", "cold"}
        assert bool(data.record.s3.get_object.version_id) == versioned


def with_size(event):
    """The same with the one member more. It must not have been there."""
    event = json.loads(json.dumps(event))
    assert event["Records"][0]["s3"]["object"].setdefault("size", 7) == 7
    return event


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1,
                   max_size=40).filter(lambda key: key.strip("./ ") == key))
def test_an_s3_key_comes_back_as_it_was(shared_bucket, key):
    s3, function, known = shared_bucket
    s3.put_object(Bucket="bkt", Key=key, Body=b"")
    found = seen(known["lab"], function)
    assert data_classes.S3Event(found[-1]).object_key == key
    s3.delete_object(Bucket="bkt", Key=key)


@pytest.fixture
def shared_bucket(fresh):
    s3 = bucket_in(fresh)
    function = listening(fresh)
    configure((function, ["s3:ObjectCreated:*"]))
    return s3, function, {"lab": fresh}


def test_a_stranger_is_noticed():
    """The models do refuse: or the tests above would say nothing."""
    with pytest.raises(ValueError, match="eventTime"):
        models.S3Model(**{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectRemoved:Delete",
                                       "s3": {"object": {"key": "k"}}}]})
