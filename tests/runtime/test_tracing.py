"""X-Ray from outside: the real SDK in a handler, its segments in X-Ray."""

import json
import threading
import time
import zipfile
from datetime import timedelta

import boto3
import pytest

from minilambda import wheelhouse, xray, zip_handler

SDK_APP = """
import boto3
from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()
s3 = boto3.client("s3")

def handler(event, context):
    with xray_recorder.in_subsegment("names"):
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    if event == "raise":
        raise ValueError("no")
    return names
"""
# The daemon's protocol without the SDK: many documents, and some that are none.
RAW_APP = """
import json, os, socket

def handler(event, context):
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    root = os.environ["_X_AMZN_TRACE_ID"].split(";")[0].split("=")[1]
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(event):
        body = {"id": f"{number:016x}", "name": "raw", "trace_id": root, "start_time": 1.0,
                "end_time": 2.0, "type": "subsegment"}
        head = json.dumps({"format": "json", "version": 1})
        out.sendto(f"{head}\\n{json.dumps(body)}".encode(), (host, int(port)))
        out.sendto(b"nonsense", (host, int(port)))
    return os.environ["_X_AMZN_TRACE_ID"]
"""


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    """A folder with the X-Ray SDK and what it needs beside what a function has anyway."""
    folder = tmp_path_factory.mktemp("sdk")
    wheelhouse.fill(folder / "wheels", "aws-xray-sdk", without=["botocore"])
    for wheel in (folder / "wheels").iterdir():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "package")
    return folder / "package"


@pytest.fixture
def traced(lab, sdk, tmp_path):
    def deploy(source=SDK_APP, mode="Active", **more):
        (tmp_path / "app.py").write_text(source)
        name = lab.deploy("", TracingConfig={"Mode": mode}, Timeout=30, **more)
        lab.client.update_function_code(
            FunctionName=name, ZipFile=zip_handler(tmp_path / "app.py", sdk))
        lab.cloud.run(seconds=2)  # a traced one is due
        return name

    return deploy


def trace_of(lab, reply):
    """The trace that a REPORT line names: its segment documents by name, in order."""
    [line] = [line for line in reply.log.splitlines() if line.startswith("XRAY TraceId: ")]
    trace_id, segment_id, sampled = [field.split(": ")[1] for field in line.split("\t")[:3]]
    [trace] = boto3.client("xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
    assert sampled == "true"
    found = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    [service] = [document for document in found if document.get("origin") == "AWS::Lambda"]
    assert service["id"] == segment_id
    return found


def test_the_sdk_traces_a_bucket_listing(lab, traced):
    boto3.client("s3").create_bucket(
        Bucket=f"traced-{lab.cloud.sandbox}",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    reply = lab.invoke(traced())
    assert f"traced-{lab.cloud.sandbox}" in reply.value
    documents = trace_of(lab, reply)
    service = next(d for d in documents if d.get("origin") == "AWS::Lambda")
    own = next(d for d in documents if d.get("origin") == "AWS::Lambda::Function")
    names = next(d for d in documents if d["name"] == "names")
    call = next(d for d in documents if d.get("namespace") == "aws")
    assert own["parent_id"] == service["id"]
    assert names["parent_id"] == own["id"] and call["parent_id"] == names["id"]
    assert call["aws"]["operation"] == "ListBuckets"
    assert call["http"]["response"]["status"] == 200
    assert own["start_time"] < call["start_time"] < call["end_time"] < own["end_time"]
    assert len(documents) == 4


def test_a_failure_is_a_fault_in_the_trace(lab, traced):
    documents = trace_of(lab, lab.invoke(traced(), "raise"))
    faults = {d.get("origin", d["name"]): d.get("fault", False) for d in documents}
    assert faults == {"AWS::Lambda": True, "AWS::Lambda::Function": True, "names": False,
                      "s3": False}


@pytest.mark.parametrize("mode", ["PassThrough", "Active"])
def test_what_is_not_sampled_writes_no_segment(lab, traced, mode):
    name = traced(mode=mode)
    first = lab.invoke(name)
    again = lab.invoke(name)  # the same second
    assert ("XRAY" in first.log) is (mode == "Active")
    assert "XRAY" not in again.log and again.error is None
    window = {"StartTime": lab.cloud.now - timedelta(seconds=1),
              "EndTime": lab.cloud.now + timedelta(minutes=1)}
    found = boto3.client("xray").get_trace_summaries(**window)["TraceSummaries"]
    assert len(found) == (1 if mode == "Active" else 0)


def test_every_segment_is_there_when_the_invocation_has_ended(lab, traced):
    documents = trace_of(lab, lab.invoke(traced(RAW_APP), 60))
    raw = [d for d in documents if d["name"] == "raw"]
    assert {d["id"] for d in raw} == {f"{number:016x}" for number in range(60)}


def test_segments_that_one_thread_takes_in_are_told_before_another_tells_of_the_end(
        lab, traced, monkeypatch):
    document, held = xray.document, threading.Event()

    def read_slowly(datagram):
        if not held.is_set():
            held.set()
            time.sleep(0.5)  # by then the function has ended, and others wait for its answer
        return document(datagram)

    name = traced(RAW_APP)
    monkeypatch.setattr(xray, "document", read_slowly)
    raw = [d for d in trace_of(lab, lab.invoke(name, 60)) if d["name"] == "raw"]
    assert len(raw) == 60 and held.is_set()


def test_a_callers_own_trace_goes_on(lab, traced):
    name = traced(RAW_APP)
    root = "1-5759e988-bd862e3fe1be46a994272793"

    def name_the_trace(request, **_):
        request.headers["X-Amzn-Trace-Id"] = f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1"

    lab.client.meta.events.register("before-send.lambda.Invoke", name_the_trace)
    try:
        reply = lab.invoke(name, 0)
    finally:
        lab.client.meta.events.unregister("before-send.lambda.Invoke", name_the_trace)
    documents = trace_of(lab, reply)
    assert {d["trace_id"] for d in documents} == {root}
    service, own = sorted(documents, key=lambda d: d["origin"])
    assert service["parent_id"] == "53995c3f42cd8ad8"
    assert reply.value == f"Root={root};Parent={own['id']};Sampled=1"


def test_the_mode_is_set_shown_and_changed(lab):
    name = lab.deploy("def handler(event, context): pass")
    shown = lambda: lab.client.get_function_configuration(  # noqa: E731
        FunctionName=name)["TracingConfig"]["Mode"]
    assert shown() == "PassThrough"
    lab.client.update_function_configuration(FunctionName=name, TracingConfig={"Mode": "Active"})
    assert shown() == "Active"
    lab.client.update_function_configuration(FunctionName=name, Timeout=9)
    assert shown() == "Active"
