"""Every moto internal that minilambda touches: an upgrade that moves one fails here by name."""

import inspect

import moto.awslambda.exceptions
import moto.awslambda.models
import moto.core
import moto.core.base_backend
import moto.core.model_instances
import moto.core.request
import moto.core.responses
import moto.core.routing
import moto.core.serialize
import moto.core.utils
import moto.cloudwatch.models
import moto.iam.models
import moto.kinesis.models
import moto.kinesis.utils
import moto.logs.models
import moto.moto_api._internal
import moto.moto_server.werkzeug_app
import moto.organizations.models
import moto.s3.models
import moto.s3.notifications
import moto.sqs.models
import moto.sts.models
import moto.utilities.utils
import pytest

SIGNATURES = {
    "awslambda.models.LambdaFunction.invoke": ["self", "body", "request_headers",
                                               "response_headers"],
    "awslambda.models.LambdaBackend.__init__": ["self", "region_name", "account_id"],
    "awslambda.models.LambdaBackend.get_function": ["self", "function_name_or_arn", "qualifier"],
    "awslambda.models.LambdaBackend.get_function_by_arn": ["self", "function_arn"],
    "awslambda.models.LambdaBackend.list_functions": ["self", "func_version"],
    "awslambda.models.LambdaBackend.iter_tagged_resources": ["self"],
    "awslambda.exceptions.UnknownFunctionException.__init__": ["self", "arn"],
    "cloudwatch.models.MetricDatum.__init__": ["self", "namespace", "name", "value", "dimensions",
                                               "timestamp", "unit"],
    "core.base_backend.BackendDict.reset": [],
    "core.model_instances.reset_model_data": [],
    "core.responses.BaseResponse.__init__": ["self", "service_name"],
    "core.responses.BaseResponse.call_action": ["self"],
    "core.responses.BaseResponse._get_action": ["self"],
    "core.responses.BaseResponse._authenticate_and_authorize_normal_action": ["self", "resource"],
    "core.routing.get_service_router": ["service_name"],
    "core.routing.ServiceOperationRouter.match": ["self", "request"],
    "core.serialize.RestJSONSerializer.serialize": ["self", "result"],
    "core.utils.get_service_model": ["service_name"],
    "core.utils.unix_time_millis": ["dt"],
    "logs.models.LogEvent.__init__": ["self", "ingestion_time", "log_event"],
    "logs.models.LogsBackend.put_log_events": ["self", "log_group_name", "log_stream_name",
                                               "log_events"],
    "iam.models.IAMBackend.get_roles": ["self"],
    "moto_server.werkzeug_app.DomainDispatcherApplication.__init__": ["self", "create_app"],
    "moto_server.werkzeug_app.DomainDispatcherApplication.__call__": ["self", "environ",
                                                                      "start_response"],
    "moto_server.werkzeug_app.create_backend_app": ["service"],
    "moto_server.werkzeug_app.MotoRequestHandler.make_environ": ["self"],
    "organizations.models.FakeOrganization.__init__": ["self", "account_id", "region_name",
                                                       "feature_set"],
    "s3.models.S3Backend.get_object": ["self", "bucket_name", "key_name", "version_id",
                                       "part_number", "return_delete_marker"],
    "s3.notifications._invoke_awslambda": ["account_id", "event_body", "fn_arn", "region_name"],
    "kinesis.models.KinesisBackend.describe_stream": ["self", "stream_arn", "stream_name"],
    "kinesis.models.KinesisBackend.get_records": ["self", "stream_arn", "shard_iterator", "limit"],
    "kinesis.models.Stream.get_shard_for_key": ["self", "partition_key", "explicit_hash_key"],
    "kinesis.models.Stream.merge_shards": ["self", "shard_to_merge", "adjacent_shard_to_merge"],
    "kinesis.models.Stream.put_record": ["self", "partition_key", "explicit_hash_key", "data"],
    "kinesis.models.Stream.split_shard": ["self", "shard_to_split", "new_starting_hash_key"],
    "kinesis.utils.decompose_shard_iterator": ["shard_iterator"],
    "sqs.models.Message.had_receipt_handle": ["self", "receipt_handle"],
    "sqs.models.Queue._set_attributes": ["self", "attributes", "now"],
    "sqs.models.Queue.add_message": ["self", "message"],
    "sqs.models.Queue.delete_message": ["self", "receipt_handle"],
    "sqs.models.Queue.wait_for_messages": ["self", "timeout"],
    "sqs.models.SQSBackend.change_message_visibility": [
        "self", "queue_name", "receipt_handle", "visibility_timeout"],
    "sqs.models.SQSBackend.delete_queue": ["self", "queue_name"],
    "sqs.models.SQSBackend.get_queue": ["self", "queue_name"],
    "sqs.models.SQSBackend.is_message_valid_based_on_retention_period": [
        "self", "queue_name", "message"],
    "sqs.models.SQSBackend.purge_queue": ["self", "queue_name"],
    "sqs.models.SQSBackend.receive_message": [
        "self", "queue_name", "count", "wait_seconds_timeout", "visibility_timeout",
        "message_attribute_names"],
    "sts.models.STSBackend.get_caller_identity": ["self", "access_key_id", "region"],
    "utilities.utils.get_partition": ["region"],
}


@pytest.mark.parametrize("path", SIGNATURES)
def test_signature(path):
    found = moto
    for name in path.split("."):
        found = getattr(found, name)
    assert list(inspect.signature(found).parameters) == SIGNATURES[path]


def test_data_that_is_read_or_replaced():
    assert isinstance(moto.awslambda.models.lambda_backends, moto.core.base_backend.BackendDict)
    assert moto.awslambda.models.lambda_backends.backend is moto.awslambda.models.LambdaBackend
    assert moto.core.DEFAULT_ACCOUNT_ID == "123456789012"
    assert moto.moto_api._internal.mock_random.getstate()
    assert moto.core.responses.BaseResponse.use_raw_body is False
    assert isinstance(moto.organizations.models.organizations_backends.master_accounts, dict)
    assert moto.organizations.models.OrganizationsBackend("us-east-1", "1" * 12).org is None
    assert "assume_role_policy_document" in inspect.signature(
        moto.iam.models.Role.__init__).parameters
    assert isinstance(moto.s3.models.FakeKey.value, property)
    assert isinstance(moto.sqs.models.Message.visible, property)
    assert isinstance(moto.sqs.models.Message.delayed, property)
    queue = vars(moto.sqs.models.Queue("q", "eu-west-2", "1"))
    assert {"_messages", "_pending_messages", "_messages_lock", "message_retention_period"} <= (
        queue.keys())
    message = vars(moto.sqs.models.Message("id", "body"))
    assert {"delayed_until", "sent_timestamp", "approximate_receive_count", "group_id"} <= (
        message.keys())
    assert {"records", "is_open"} <= vars(moto.kinesis.models.Shard(0, 0, 1)).keys()
    assert {"raw_path", "from_wsgi_server"} <= vars(moto.core.request.Request).keys()


def test_a_backends_urls_are_found_beside_its_module():
    """What makes minilambda.aws.models and minilambda.aws.urls a pair."""
    source = inspect.getsource(moto.core.base_backend.BaseBackend._url_module.fget)
    assert 'rstrip("models") + "urls"' in source


def test_dispatch_names_a_routes_handler():
    assert moto.core.responses.BaseResponse.dispatch.__name__ == "dispatch"
    assert moto.core.utils.convert_regex_to_flask_path("/.*") == "/<path:route>"


def test_a_log_line_and_a_data_point_are_what_moto_itself_would_have_made():
    """``telemetry`` writes them without moto's checks."""
    from datetime import UTC, datetime, timedelta

    from minilambda.aws.telemetry import LogWriter, MetricWriter
    from minilambda.metrics import NAMESPACE, Datum

    at = datetime.now(UTC).replace(microsecond=123_456)

    class Function:
        account, region, log_group = "123456789012", "eu-west-2", "/aws/lambda/f"

    class FixedClock:
        @staticmethod
        def at(seconds):
            return at + timedelta(seconds=seconds)

    logs = moto.logs.models.logs_backends["123456789012"]["eu-west-2"]
    metrics = moto.cloudwatch.models.cloudwatch_backends["123456789012"]["eu-west-2"]
    try:
        LogWriter()(Function, "ours", at, "a line")
        logs.create_log_stream("/aws/lambda/f", "theirs")
        logs.put_log_events("/aws/lambda/f", "theirs", [
            {"timestamp": round(at.timestamp() * 1000), "message": "a line"}])
        streams = logs.groups["/aws/lambda/f"].streams
        ours, theirs = (vars(streams[name]) | {"events": [
            {k: v for k, v in vars(event).items() if k not in ("event_id", "ingestion_time")}
            for event in streams[name].events]} for name in ("ours", "theirs"))
        different = {key for key in ours if ours[key] != theirs[key]}
        assert different <= {"arn", "creation_time", "last_ingestion_time", "log_stream_name"}
        MetricWriter(FixedClock, "123456789012", "eu-west-2")(
            [Datum("Errors", 1.0, "Count", 5.0, "f")])
        metrics.put_metric_data(NAMESPACE, [{
            "MetricName": "Errors", "Value": 1.0, "Unit": "Count",
            "Timestamp": FixedClock.at(5.0).replace(tzinfo=None),
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}])
        ours, theirs = (vars(datum) | {"dimensions": [vars(d) for d in datum.dimensions]}
                        for datum in metrics.metric_data)
        assert ours == theirs
    finally:
        moto.core.model_instances.reset_model_data()
        moto.core.base_backend.BackendDict.reset()
