"""A Firehose delivery stream whose records a function transforms on their way to S3."""

import base64
import json

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab

SHOUT = """
    import base64, json

    def handler(event, context):
        print(json.dumps(event))
        records = []
        for record in event["records"]:
            text = base64.b64decode(record["data"]).decode()
            result = {"drop": "Dropped", "fail": "ProcessingFailed"}.get(text, "Ok")
            data = base64.b64encode(text.upper().encode()).decode()
            records.append({"recordId": record["recordId"], "result": result, "data": data})
        return {"records": records}
"""
BUCKET = "archive"


class Stream:
    def __init__(self, lab, source=SHOUT, parameters=None, **destination):
        self.lab, self.client, self.s3 = lab, boto3.client("firehose"), boto3.client("s3")
        self.s3.create_bucket(Bucket=BUCKET,
                              CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        self.function = lab.client.get_function(FunctionName=lab.deploy(source, Timeout=60))[
            "Configuration"]["FunctionArn"]
        parameters = {"LambdaArn": self.function} | (parameters or {})
        self.arn = self.client.create_delivery_stream(
            DeliveryStreamName="clicks", ExtendedS3DestinationConfiguration={
                "RoleARN": lab.role, "BucketARN": f"arn:aws:s3:::{BUCKET}",
                "ProcessingConfiguration": {"Enabled": True, "Processors": [{
                    "Type": "Lambda", "Parameters": [
                        {"ParameterName": name, "ParameterValue": value}
                        for name, value in parameters.items()]}]}} | destination)["DeliveryStreamARN"]

    def put(self, *texts):
        return self.client.put_record_batch(DeliveryStreamName="clicks", Records=[
            {"Data": text.encode()} for text in texts])

    def objects(self):
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
                for key in keys}

    def failures(self):
        return [json.loads(line) for key, text in self.objects().items() if "failed" in key
                for line in text.splitlines()]


def test_records_go_through_the_function_into_s3(fresh):
    stream = Stream(fresh)
    fresh.cloud.run(seconds=0.5)
    assert stream.put("one ", "drop", "two ")["FailedPutCount"] == 0
    fresh.cloud.run(seconds=30)
    stream.client.put_record(DeliveryStreamName="clicks", Record={"Data": b"three"})
    fresh.cloud.run(seconds=29.9)
    assert not fresh.cloud.trace.select("invoke.started") and stream.objects() == {}
    fresh.cloud.run(seconds=10)  # the buffer's sixty seconds are over
    assert len(fresh.cloud.trace.select("invoke.ended")) == 1 and stream.objects() == {}
    fresh.cloud.run_until_idle()  # and then S3's three hundred
    [(key, text)] = stream.objects().items()
    assert text == "ONE TWO THREE"
    assert key.startswith("2020/03/02/09/clicks-1-2020-03-02-09-06-00-")
    assert fresh.cloud.seconds == pytest.approx(360.6, abs=0.2)
    [event] = [json.loads(line) for line in fresh.log_lines("function-1") if line[0] == "{"]
    assert {**event, "records": [], "invocationId": ""} == {
        "invocationId": "", "deliveryStreamArn": stream.arn, "region": "eu-west-2", "records": []}
    first, *_, last = event["records"]
    assert first.keys() == {"recordId", "approximateArrivalTimestamp", "data"}
    assert first["data"] == base64.b64encode(b"one ").decode()
    assert last["approximateArrivalTimestamp"] - first["approximateArrivalTimestamp"] == 30_000
    assert len({record["recordId"] for record in event["records"]}) == 4


def test_a_buffer_that_is_full_does_not_wait(fresh):
    stream = Stream(fresh, parameters={"BufferSizeInMBs": "1", "BufferIntervalInSeconds": "900"},
                    BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    half = "x" * 600_000
    stream.put(half)
    fresh.cloud.run(seconds=5)
    assert not fresh.cloud.trace.select("invoke.started")
    stream.put(half)  # two don't fit: the first goes now
    fresh.cloud.run(seconds=5)
    assert len(fresh.cloud.trace.select("invoke.ended")) == 1
    stream.put(half)
    fresh.cloud.run(seconds=5)
    assert len(fresh.cloud.trace.select("invoke.ended")) == 2
    assert [len(text) for text in stream.objects().values()] == [600_000]
    fresh.cloud.run_until_idle()
    assert sum(map(len, stream.objects().values())) == 1_800_000


def test_what_failed_is_kept_apart(fresh):
    stream = Stream(fresh, Prefix="good/", ErrorOutputPrefix="bad/!{firehose:error-output-type}/")
    stream.put("fine", "fail")
    fresh.cloud.run_until_idle()
    good, bad = sorted(stream.objects().items(), reverse=True)
    assert good[0].startswith("good/2020/03/02/09/") and good[1] == "FINE"
    assert bad[0].startswith("bad/processing-failed/2020/03/02/09/clicks-1-")
    [failure] = stream.failures()
    assert failure == {
        "attemptsMade": 1, "arrivalTimestamp": 1583139600000,
        "errorCode": "Lambda.ProcessingFailedStatus",
        "errorMessage": "ProcessingFailed status set for record",
        "attemptEndingTimestamp": failure["attemptEndingTimestamp"],
        "rawData": base64.b64encode(b"fail").decode(), "lambdaArn": stream.function}
    assert 1583139660000 < failure["attemptEndingTimestamp"] < 1583139661000


@pytest.mark.parametrize("body, code", [
    ("raise ValueError()", "Lambda.FunctionError"),
    ("return {'records': []}", "Lambda.MissingRecordId"),
    ("return None", "Lambda.JsonProcessingException"),
    ("return {'records': [dict(r, result='Ok') for r in event['records']] * 2}",
     "Lambda.DuplicatedRecordId"),
    ("return {'records': [dict(r, result='Fine') for r in event['records']]}",
     "Lambda.JsonProcessingException"),
    ("return {'records': [dict(r, result='Ok', data='?') for r in event['records']]}",
     "Lambda.JsonProcessingException")])
def test_a_function_that_answers_wrongly(fresh, body, code):
    stream = Stream(fresh, f"def handler(event, context):\n    {body}\n")
    stream.put("a", "b")
    fresh.cloud.run_until_idle()
    assert [failure["errorCode"] for failure in stream.failures()] == [code, code]
    assert {failure["attemptsMade"] for failure in stream.failures()} == {1}
    [key] = stream.objects()
    assert key.startswith("processing-failed/2020/03/02/09/")


def test_a_throttled_function_is_asked_again(fresh):
    stream = Stream(fresh, parameters={"NumberOfRetries": "2"})
    fresh.client.put_function_concurrency(FunctionName="function-1", ReservedConcurrentExecutions=0)
    stream.put("a")
    fresh.cloud.run_until_idle()
    assert [event.at for event in fresh.cloud.trace.select("request.throttled")] == [60, 61, 63]
    [failure] = stream.failures()
    assert (failure["attemptsMade"], failure["errorCode"]) == (3, "Lambda.InvokeLimitExceeded")


def test_what_is_not_implemented_is_refused(fresh):
    for options in ({"CompressionFormat": "GZIP"}, {"parameters": {"BufferSizeInMB": "1"}},
                    {"Prefix": "!{timestamp:yyyy}/"}):
        with pytest.raises(ClientError) as caught:
            Stream(fresh, **options)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        boto3.client("s3").delete_bucket(Bucket=BUCKET)
    assert boto3.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []


def test_a_stream_without_a_function_is_as_ever(fresh):
    stream = Stream(fresh, ProcessingConfiguration={"Enabled": False})
    stream.put("as ", "it is")
    assert list(stream.objects().values()) == ["as it is"] and not list(fresh.cloud.trace)


def test_one_seed_one_story():
    def story():
        with Cloud(durations="modelled", seed=8) as cloud:
            stream = Stream(Lab(cloud))
            stream.put("a", "fail", "b")
            cloud.run_until_idle()
            return stream.objects(), [(e.at, e.kind, dict(e.data)) for e in cloud.trace]

    assert story() == story()
