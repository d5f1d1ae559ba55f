"""Delivery streams of moto's Firehose hand their records to functions.

Stands for: ``ProcessingConfiguration`` of an S3 destination. AWS pages: *CreateDeliveryStream*, *Configure
Amazon S3 object name format*.
Leaves out: other processors than Lambda, prefixes with expressions (but the error output's type),
compression, UpdateDestination of a stream that is processed. They are refused.

A stream without a processor stays what moto makes of it: every put is an object at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from moto.firehose.models import FirehoseBackend
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from ..callers import Cloud
from ..delivery_stream import MEGABYTE, DeliveryStream, Hints, Settings
from ..strands import Strands

_TYPE = "!{firehose:error-output-type}"
_PARAMETERS = {"LambdaArn", "NumberOfRetries", "RoleArn", "BufferSizeInMBs",
               "BufferIntervalInSeconds"}


def install(swap: Callable[[object, str, object], None], cloud: Cloud) -> None:
    """``swap`` sets an attribute until the cloud is closed."""
    strands = Strands(cloud.clock)
    streams: dict[str, DeliveryStream] = {}
    create, put, update = (FirehoseBackend.create_delivery_stream,
                           FirehoseBackend.put_record_batch, FirehoseBackend.update_destination)
    delete, signature = FirehoseBackend.delete_delivery_stream, inspect.signature(create)

    def create_delivery_stream(self: FirehoseBackend, region: str, delivery_stream_name: str,
                               *args: Any, **kwargs: Any) -> str:
        _check(signature.bind(self, region, delivery_stream_name, *args, **kwargs).arguments)
        arn = create(self, region, delivery_stream_name, *args, **kwargs)
        destination = self.delivery_streams[delivery_stream_name].destinations[0].get("ExtendedS3")
        if _enabled(destination):
            streams[arn] = _stream(cloud, strands, self, delivery_stream_name, arn, destination)
        return arn

    def put_record_batch(self: FirehoseBackend, delivery_stream_name: str,
                         records: list[dict[str, bytes]]) -> dict[str, Any]:
        stock = self.delivery_streams.get(delivery_stream_name)
        stream = streams.get(stock.delivery_stream_arn) if stock else None
        if stream is None:
            return put(self, delivery_stream_name, records)
        stream.put([record["Data"] for record in records])
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": [
            {"RecordId": cloud.clock.uuid()} for _ in records]}

    def update_destination(self: FirehoseBackend, delivery_stream_name: str, *args: Any,
                           **kwargs: Any) -> None:
        stock = self.delivery_streams.get(delivery_stream_name)
        asked = [*args, *kwargs.values()]
        if (stock and stock.delivery_stream_arn in streams) or any(
                isinstance(value, dict) and "ProcessingConfiguration" in value for value in asked):
            raise NotImplementedError("minilambda doesn't implement UpdateDestination of a stream "
                                      "with a function (yet): make a new one.")
        update(self, delivery_stream_name, *args, **kwargs)

    def delete_delivery_stream(self: FirehoseBackend, delivery_stream_name: str) -> None:
        stock = self.delivery_streams.get(delivery_stream_name)
        delete(self, delivery_stream_name)
        streams.pop(stock.delivery_stream_arn, None)

    for ours in (create_delivery_stream, put_record_batch, update_destination,
                 delete_delivery_stream):
        swap(FirehoseBackend, ours.__name__, ours)


def _enabled(destination: dict[str, Any] | None) -> bool:
    return bool(((destination or {}).get("ProcessingConfiguration") or {}).get("Enabled"))


def _check(asked: Mapping[str, Any]) -> None:
    """Refuse what a stream with a function asks for and doesn't get."""
    for name, destination in asked.items():
        if not isinstance(destination, dict) or not _enabled(destination):
            continue
        processors = destination["ProcessingConfiguration"].get("Processors") or []
        parameters = {p["ParameterName"] for found in processors for p in found["Parameters"]}
        unmet = next((what for what, is_asked in (
            ("a function for another destination than ExtendedS3",
             name != "extended_s3_destination_configuration"),
            ("other processors than one Lambda", [p["Type"] for p in processors] != ["Lambda"]),
            ("the processor's " + ", ".join(sorted(parameters - _PARAMETERS)),
             parameters - _PARAMETERS),
            ("a Kinesis stream as the source of records for a function",
             asked.get("kinesis_stream_source_configuration")),
            ("compression", destination.get("CompressionFormat", "UNCOMPRESSED") != "UNCOMPRESSED"),
            ("source record backup", destination.get("S3BackupMode", "Disabled") != "Disabled"),
            ("dynamic partitioning",
             (destination.get("DynamicPartitioningConfiguration") or {}).get("Enabled")),
            ("data format conversion",
             (destination.get("DataFormatConversionConfiguration") or {}).get("Enabled")),
            ("expressions in prefixes", any("!{" in destination.get(prefix, "").replace(_TYPE, "")
                                            for prefix in ("Prefix", "ErrorOutputPrefix"))),
        ) if is_asked), None)
        if unmet:
            raise NotImplementedError(f"minilambda doesn't implement {unmet} (yet).")


def _stream(cloud: Cloud, strands: Strands, backend: FirehoseBackend, name: str, arn: str,
            destination: dict[str, Any]) -> DeliveryStream:
    [processor] = destination["ProcessingConfiguration"]["Processors"]
    parameters = {p["ParameterName"]: p["ParameterValue"] for p in processor["Parameters"]}
    hints = destination.get("BufferingHints") or {}
    settings = Settings(
        arn, backend.region_name, parameters["LambdaArn"],
        Hints(float(parameters.get("BufferSizeInMBs", 1)) * MEGABYTE,
              float(parameters.get("BufferIntervalInSeconds", 60))),
        Hints(hints.get("SizeInMBs", 5) * MEGABYTE, hints.get("IntervalInSeconds", 300)),
        int(parameters.get("NumberOfRetries", 3)))

    def deliver(data: bytes, failed: bool) -> None:
        prefix = destination.get("Prefix", "")
        if failed:
            prefix = destination.get("ErrorOutputPrefix", "").replace(_TYPE, "processing-failed")
            prefix = prefix or f"{destination.get('Prefix', '')}processing-failed/"
        now = cloud.clock.now
        version = backend.delivery_streams[name].version_id if (
            name in backend.delivery_streams) else "1"
        key = f"{prefix}{now:%Y/%m/%d/%H}/{name}-{version}-{now:%Y-%m-%d-%H-%M-%S}-{cloud.clock.uuid()}"
        s3_backends[backend.account_id][get_partition(backend.region_name)].put_object(
            destination["BucketARN"].split(":")[-1], key, data)

    return DeliveryStream(cloud, strands, settings, deliver)
