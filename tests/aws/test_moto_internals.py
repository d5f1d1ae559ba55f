"""Every moto internal that minilambda touches: an upgrade that moves one fails here by name."""

import inspect

import moto.apigateway.models
import moto.apigateway.responses
import moto.apigatewayv2.models
import moto.apigatewayv2.responses
import moto.applicationautoscaling.exceptions
import moto.applicationautoscaling.models
import moto.applicationautoscaling.responses
import moto.awslambda.exceptions
import moto.awslambda.models
import moto.backends
import moto.core
import moto.core.base_backend
import moto.core.model_instances
import moto.core.request
import moto.core.responses
import moto.core.routing
import moto.core.serialize
import moto.core.utils
import moto.cloudformation.custom_model
import moto.cloudformation.models
import moto.cloudformation.parsing
import moto.cloudformation.responses
import moto.cloudwatch.models
import moto.codecommit.models
import moto.codecommit.responses
import moto.codepipeline.models
import moto.codepipeline.responses
import moto.cognitoidp.models
import moto.codecommit.models
import moto.codecommit.responses
import moto.codepipeline.models
import moto.codepipeline.responses
import moto.cognitoidp.utils
import moto.firehose.models
import moto.dynamodb.models
import moto.ec2.models
import moto.ec2.models.elastic_network_interfaces
import moto.config.models
import moto.events.exceptions
import moto.events.models
import moto.events.responses
import moto.iam.access_control
import moto.cloudwatch.responses
import moto.iam.models
import moto.kinesis.models
import moto.kinesis.utils
import moto.logs.exceptions
import moto.logs.metric_filters
import moto.logs.models
import moto.moto_api._internal
import moto.moto_server.werkzeug_app
import moto.organizations.models
import moto.iot.models
import moto.iotdata.models
import moto.s3.exceptions
import moto.s3.models
import moto.s3.notifications
import moto.s3.responses
import moto.sns.exceptions
import moto.ses.models
import moto.sns.models
import moto.sns.responses
import moto.sqs.models
import moto.stepfunctions.parser.models
import moto.stepfunctions.responses
import moto.sts.models
import moto.utilities.utils
import pytest

SIGNATURES = {
    "apigateway.models.RestAPI.apply_patch_operations": ["self", "patch_operations"],
    "apigateway.models.RestAPI.create_deployment": ["self", "name", "description",
                                                    "stage_variables"],
    "apigateway.models.Resource.get_path": ["self"],
    "apigateway.responses.APIGatewayResponse.create_rest_api": ["self"],
    "apigatewayv2.models.ApiGatewayV2Backend.create_stage": ["self", "api_id", "config"],
    "apigatewayv2.models.Api.create_stage": ["self", "config"],
    "apigatewayv2.responses.ApiGatewayV2Response.create_api": ["self"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.delete_scaling_policy": [
        "self", "policy_name", "service_namespace", "resource_id", "scalable_dimension"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.delete_scheduled_action": [
        "self", "service_namespace", "scheduled_action_name", "resource_id", "scalable_dimension"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.deregister_scalable_target": [
        "self", "namespace", "r_id", "dimension"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.put_scaling_policy": [
        "self", "policy_name", "service_namespace", "resource_id", "scalable_dimension",
        "policy_body", "policy_type"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.put_scheduled_action": [
        "self", "service_namespace", "schedule", "timezone", "scheduled_action_name", "resource_id",
        "scalable_dimension", "start_time", "end_time", "scalable_target_action"],
    "applicationautoscaling.models.ApplicationAutoscalingBackend.register_scalable_target": [
        "self", "namespace", "r_id", "dimension", "min_capacity", "max_capacity", "role_arn",
        "suspended_state"],
    "applicationautoscaling.models.FakeApplicationAutoscalingPolicy.create_alarms": ["self"],
    "applicationautoscaling.models.FakeApplicationAutoscalingPolicy.delete_alarms": [
        "self", "account_id", "region_name"],
    "applicationautoscaling.models.FakeApplicationAutoscalingPolicy.formulate_key": [
        "service_namespace", "resource_id", "scalable_dimension", "policy_name"],
    "applicationautoscaling.exceptions.AWSValidationException.__init__": ["self", "message"],
    "awslambda.models.LambdaFunction.invoke": ["self", "body", "request_headers",
                                               "response_headers"],
    "awslambda.models.LambdaBackend.__init__": ["self", "region_name", "account_id"],
    "awslambda.models.LambdaBackend.get_function": ["self", "function_name_or_arn", "qualifier"],
    "awslambda.models.LambdaBackend.get_function_by_arn": ["self", "function_arn"],
    "awslambda.models.LambdaBackend.list_functions": ["self", "func_version"],
    "awslambda.models.LambdaBackend.iter_tagged_resources": ["self"],
    "awslambda.exceptions.UnknownFunctionException.__init__": ["self", "arn"],
    "cloudwatch.models.CloudWatchBackend.delete_alarms": ["self", "alarm_names"],
    "cloudwatch.models.CloudWatchBackend.put_metric_alarm": [
        "self", "name", "namespace", "metric_name", "comparison_operator", "evaluation_periods",
        "period", "threshold", "statistic", "description", "dimensions", "alarm_actions",
        "metric_data_queries", "datapoints_to_alarm", "extended_statistic", "ok_actions",
        "insufficient_data_actions", "unit", "actions_enabled", "treat_missing_data",
        "evaluate_low_sample_count_percentile", "threshold_metric_id", "rule", "tags"],
    "cloudwatch.models.CloudWatchBackend.set_alarm_state": [
        "self", "alarm_name", "reason", "reason_data", "state_value"],
    "cloudwatch.responses.CloudWatchResponse.describe_alarms": ["self"],
    "core.responses.ActionResult.__init__": ["self", "result"],
    "sns.models.SNSBackend.subscribe": ["self", "topic_arn", "endpoint", "protocol"],
    "sns.models.SNSBackend.set_subscription_attributes": ["self", "arn", "name", "value"],
    "sns.models.SNSBackend._validate_filter_policy": ["self", "value", "scope"],
    "sns.models.FilterPolicyMatcher.__init__": ["self", "filter_policy", "filter_policy_scope"],
    "sns.models.FilterPolicyMatcher.matches": ["self", "message_attributes", "message"],
    "sns.models.Topic.publish": ["self", "message", "subject", "message_attributes", "group_id",
                                 "deduplication_id", "message_structure"],
    "sns.models.Subscription.publish": [
        "self", "message", "message_id", "subject", "message_attributes", "group_id",
        "deduplication_id", "message_structure"],
    "sns.responses.SNSResponse.subscribe": ["self"],
    "sns.models.SNSBackend.publish": [
        "self", "message", "arn", "phone_number", "subject", "message_attributes", "group_id",
        "deduplication_id", "message_structure"],
    "cloudwatch.models.MetricDatum.__init__": ["self", "namespace", "name", "value", "dimensions",
                                               "timestamp", "unit"],
    "cognitoidp.models.CognitoIdpBackend.admin_confirm_sign_up": ["self", "user_pool_id",
                                                                  "username"],
    "cognitoidp.models.CognitoIdpBackend.admin_create_user": [
        "self", "user_pool_id", "username", "message_action", "temporary_password", "attributes"],
    "cognitoidp.models.CognitoIdpBackend.admin_initiate_auth": [
        "self", "user_pool_id", "client_id", "auth_flow", "auth_parameters"],
    "cognitoidp.models.CognitoIdpBackend.confirm_forgot_password": [
        "self", "client_id", "username", "password", "confirmation_code"],
    "cognitoidp.models.CognitoIdpBackend.confirm_sign_up": ["self", "client_id", "username"],
    "cognitoidp.models.CognitoIdpBackend.create_user_pool": ["self", "name", "extended_config"],
    "cognitoidp.models.CognitoIdpBackend.initiate_auth": [
        "self", "client_id", "auth_flow", "auth_parameters"],
    "cognitoidp.models.CognitoIdpBackend.sign_up": [
        "self", "client_id", "username", "password", "attributes"],
    "cognitoidp.models.CognitoIdpBackend.update_user_pool": ["self", "user_pool_id",
                                                             "extended_config"],
    "cognitoidp.models.CognitoIdpBackend._validate_password": ["self", "user_pool_id", "password"],
    "cognitoidp.models.CognitoIdpUserPool._get_user": ["self", "username"],
    "cognitoidp.models.CognitoIdpUserPool.create_jwt": [
        "self", "client_id", "username", "token_use", "expires_in", "extra_data"],
    "cognitoidp.utils.flatten_attrs": ["attrs"],
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
    "logs.models.LogEvent.to_filter_dict": ["self"],
    "logs.models.LogGroup.put_subscription_filter": [
        "self", "filter_name", "filter_pattern", "destination_arn", "role_arn"],
    "logs.models.LogStream._send_log_events": ["self", "service", "destination_arn", "filter_name",
                                               "log_events"],
    "logs.models.LogStream.put_log_events": ["self", "log_events"],
    "logs.models.LogsBackend.delete_metric_filter": ["self", "filter_name", "log_group_name"],
    "logs.metric_filters.MetricFilters.get_matching_filters": [
        "self", "prefix", "log_group_name", "metric_name", "metric_namespace"],
    "logs.models.EventMessageFilter.__init__": ["self", "pattern"],
    "logs.models.EventMessageFilter.matches": ["self", "message"],
    "logs.models.LogsBackend.filter_log_events": [
        "self", "log_group_name", "log_stream_names", "start_time", "end_time", "limit", "next_token",
        "filter_pattern", "interleaved"],
    "logs.models.LogsBackend.put_metric_filter": [
        "self", "filter_name", "filter_pattern", "log_group_name", "metric_transformations"],
    "logs.models.LogsBackend.put_subscription_filter": [
        "self", "log_group_name", "filter_name", "filter_pattern", "destination_arn", "role_arn"],
    "logs.exceptions.InvalidParameterException.__init__": ["self", "msg", "constraint", "parameter",
                                                          "value"],
    "logs.models.LogsBackend.put_log_events": ["self", "log_group_name", "log_stream_name",
                                               "log_events"],
    "firehose.models.FirehoseBackend.delete_delivery_stream": ["self", "delivery_stream_name"],
    "firehose.models.FirehoseBackend.put_record_batch": ["self", "delivery_stream_name", "records"],
    "backends.get_backend": ["name"],
    "events.models.EventsBackend.put_events": ["self", "events"],
    "events.models.EventsBackend.put_rule": [
        "self", "name", "description", "event_bus_arn", "event_pattern", "role_arn",
        "scheduled_expression", "state", "managed_by", "tags"],
    "events.models.EventsBackend.delete_rule": ["self", "name", "event_bus_arn"],
    "events.models.EventsBackend.disable_rule": ["self", "name", "event_bus_arn"],
    "events.models.EventsBackend.enable_rule": ["self", "name", "event_bus_arn"],
    "events.models.EventsBackend.put_targets": ["self", "name", "event_bus_arn", "targets"],
    "events.models.EventsBackend._normalize_event_bus_arn": ["self", "event_bus_arn"],
    "events.models.EventsBackend._get_event_bus": ["self", "name"],
    "events.models.EventPattern.dump": ["self"],
    "events.models.EventPattern.matches_event": ["self", "event"],
    "events.models.EventPatternParser.parse": ["self"],
    "events.models.Rule.send_to_targets": ["self", "original_event", "transform_input"],
    "events.responses.EventsHandler.test_event_pattern": ["self"],
    "events.exceptions.InvalidEventPatternException.__init__": ["self", "reason"],
    "iot.models.IoTBackend.create_topic_rule": ["self", "rule_name", "sql", "kwargs"],
    "iot.models.IoTBackend.replace_topic_rule": ["self", "rule_name", "kwargs"],
    "iotdata.models.IoTDataPlaneBackend.publish": ["self", "topic", "payload"],
    "ses.models.SESBackend.create_receipt_rule": ["self", "rule_set_name", "rule", "after"],
    "ses.models.SESBackend.update_receipt_rule": ["self", "rule_set_name", "rule"],
    "ses.models.SESBackend.send_email": ["self", "source", "subject", "body", "destinations"],
    "ses.models.SESBackend.send_raw_email": ["self", "source", "destinations", "raw_data"],
    "ses.models.SESBackend.describe_active_receipt_rule_set": ["self"],
    "cloudformation.models.Stack.create_resources": ["self"],
    "cloudformation.models.Stack.update": ["self", "template", "role_arn", "parameters", "tags"],
    "cloudformation.models.Stack._create_output_map": ["self"],
    "cloudformation.models.CloudFormationBackend.delete_stack": ["self", "name_or_stack_id"],
    "cloudformation.models.CloudFormationBackend.execute_change_set": [
        "self", "change_set_name", "stack_name"],
    "cloudformation.parsing.resource_class_from_type": ["resource_type"],
    "cloudformation.parsing.ResourceMap.create": ["self", "template"],
    "cloudformation.parsing.ResourceMap.update": ["self", "template", "parameters"],
    "cloudformation.parsing.ResourceMap.delete": ["self"],
    "cloudformation.responses.CloudFormationResponse.create_stack": ["self"],
    "config.models.ConfigBackend.put_config_rule": ["self", "config_rule", "tags"],
    "config.models.ConfigBackend.delete_config_rule": ["self", "rule_name"],
    "config.models.ConfigBackend.put_evaluations": ["self", "evaluations", "result_token", "test_mode"],
    "codecommit.models.CodeCommitBackend.delete_repository": ["self", "repository_name"],
    "codepipeline.models.CodePipelineBackend.create_pipeline": ["self", "pipeline", "tags"],
    "codepipeline.models.CodePipelineBackend.update_pipeline": ["self", "pipeline"],
    "codepipeline.models.CodePipelineBackend.delete_pipeline": ["self", "name"],
    "codepipeline.models.PipelineExecution.__init__": [
        "self", "pipeline_name", "pipeline_version", "variables"],
    "codepipeline.models.PipelineExecution.to_dict": ["self"],
    "codepipeline.responses.CodePipelineResponse.start_pipeline_execution": ["self"],
    "sts.models.STSBackend.assume_role": ["self", "region_name", "role_session_name", "role_arn",
                                          "policy", "duration", "external_id"],
    "s3.models.FakeBucket.to_config_dict": ["self"],
    "iam.models.AWSManagedPolicy.from_data": ["name", "account_id", "region_name", "data"],
    "iam.models.IAMBackend.attach_role_policy": ["self", "policy_arn", "role_name"],
    "iam.models.IAMBackend.get_policy": ["self", "policy_arn"],
    "iam.access_control.IAMUserAccessKey.__init__": ["self", "account_id", "partition",
                                                     "access_key_id", "headers"],
    "iam.access_control.IAMUserAccessKey.collect_policies": ["self"],
    "iam.access_control.IAMUserAccessKey.create_credentials": ["self"],
    "iam.access_control.AssumedRoleAccessKey.__init__": ["self", "account_id", "partition",
                                                         "access_key_id", "headers"],
    "iam.access_control.AssumedRoleAccessKey.collect_policies": ["self"],
    "iam.access_control.AssumedRoleAccessKey.create_credentials": ["self"],
    "iam.access_control.IAMPolicy.is_action_permitted": [
        "self", "action", "resource", "principal", "incoming_condition_values"],
    "iam.models.IAMBackend.get_role_policy": ["self", "role_name", "policy_name"],
    "iam.models.IAMBackend.list_attached_role_policies": ["self", "role_name", "marker",
                                                          "max_items", "path_prefix"],
    "iam.models.IAMBackend.list_role_policies": ["self", "role_name"],
    "iam.models.IAMBackend.get_roles": ["self"],
    "ec2.models.EC2Backend.get_subnet": ["self", "subnet_id"],
    "ec2.models.EC2Backend.get_security_group_from_id": ["self", "group_id"],
    "ec2.models.EC2Backend.delete_network_interface": ["self", "eni_id"],
    "dynamodb.models.DynamoDBBackend.__init__": ["self", "region_name", "account_id"],
    "moto_server.werkzeug_app.DomainDispatcherApplication.__init__": ["self", "create_app"],
    "moto_server.werkzeug_app.DomainDispatcherApplication.__call__": ["self", "environ",
                                                                      "start_response"],
    "moto_server.werkzeug_app.create_backend_app": ["service"],
    "moto_server.werkzeug_app.MotoRequestHandler.make_environ": ["self"],
    "organizations.models.FakeOrganization.__init__": ["self", "account_id", "region_name",
                                                       "feature_set"],
    "s3.models.S3Backend.get_object": ["self", "bucket_name", "key_name", "version_id",
                                       "part_number", "return_delete_marker"],
    "s3.models.S3Backend.put_object": [
        "self", "bucket_name", "key_name", "value", "storage", "etag", "multipart", "encryption",
        "kms_key_id", "bucket_key_enabled", "lock_mode", "lock_legal_status", "lock_until",
        "checksum_value", "request_method", "disable_notification"],
    "s3.models.S3Backend.delete_object": ["self", "bucket_name", "key_name", "version_id", "bypass"],
    "s3.models.S3Backend.put_bucket_notification_configuration": [
        "self", "bucket_name", "notification_config"],
    "s3.notifications.send_event": ["account_id", "event_name", "bucket", "key"],
    "s3.notifications.send_test_event": ["account_id", "bucket"],
    "s3.responses.S3Response._notification_config_from_body": ["self"],
    "s3.responses.S3Response.put_object_tagging": ["self"],
    "s3.exceptions.InvalidArgumentError.__init__": ["self", "message", "name", "value"],
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
    "sqs.models.SQSBackend.send_message": [
        "self", "queue_name", "message_body", "message_attributes", "delay_seconds",
        "deduplication_id", "group_id", "system_attributes", "validate_group_id"],
    "sqs.models.SQSBackend.purge_queue": ["self", "queue_name"],
    "sqs.models.SQSBackend.receive_message": [
        "self", "queue_name", "count", "wait_seconds_timeout", "visibility_timeout",
        "message_attribute_names"],
    "stepfunctions.parser.models.StepFunctionsParserBackend.start_execution": [
        "self", "state_machine_arn", "name", "execution_input", "trace_header"],
    "stepfunctions.responses.get_backend": ["account", "region"],
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
    assert callable(moto.s3.models.S3Backend.complete_multipart_upload)
    assert {"keys", "is_versioned", "notification_configuration", "account_id", "region_name"} <= {
        *dir(moto.s3.models.FakeBucket), *vars(moto.s3.models.FakeBucket(
            "b", "1" * 12, "eu-west-2"))}
    assert isinstance(moto.awslambda.models.lambda_backends, moto.core.base_backend.BackendDict)
    assert moto.awslambda.models.lambda_backends.backend is moto.awslambda.models.LambdaBackend
    assert moto.core.DEFAULT_ACCOUNT_ID == "123456789012"
    assert moto.moto_api._internal.mock_random.getstate()
    assert moto.core.responses.BaseResponse.use_raw_body is False
    assert isinstance(moto.organizations.models.organizations_backends.master_accounts, dict)
    assert moto.organizations.models.OrganizationsBackend("us-east-1", "1" * 12).org is None
    assert "assume_role_policy_document" in inspect.signature(
        moto.iam.models.Role.__init__).parameters
    assert {"policies", "managed_policies", "permissions_boundary_arn"} <= vars(moto.iam.models.Role(
        "1" * 12, "aws", "id", "r", "{}", "/", None, "", [], None)).keys()
    assert {"managed_policies", "aws_managed_policies"} <= vars(
        moto.iam.models.IAMBackend("aws", "1" * 12)).keys()
    assert moto.iam.models.aws_managed_policies_data.lstrip().startswith("{")
    assert {"subnet", "private_ip_address", "group_ids", "description"} <= inspect.signature(
        moto.ec2.models.EC2Backend.create_network_interface).parameters.keys()
    ec2 = moto.ec2.models.EC2Backend("eu-west-2", "1" * 12)
    subnet = ec2.create_subnet(ec2.create_vpc("10.0.0.0/16").id, "10.0.0.0/24")
    interface = ec2.create_network_interface(subnet, [])
    assert ec2.enis == {interface.id: interface} and subnet.available_ip_address_count == 250
    assert {"interface_type", "requester_managed", "status"} <= vars(interface).keys()
    assert "event_buses" in vars(moto.events.models.EventsBackend("eu-west-2", "1" * 12))
    rule = moto.events.models.Rule("r", "1" * 12, "eu-west-2", None, None, "rate(1 hour)", None,
                                   "default", None)
    assert (rule.state, rule.targets, rule.event_pattern.dump()) == ("ENABLED", [], None)
    assert moto.events.models.EventPatternParser("{}").pattern == "{}"
    assert {"resource_policies", "groups"} <= vars(
        moto.logs.models.LogsBackend("eu-west-2", "1" * 12)).keys()
    assert isinstance(moto.s3.models.FakeKey.value, property)
    assert isinstance(moto.sqs.models.Message.visible, property)
    assert isinstance(moto.sqs.models.Message.delayed, property)
    assert "tables" in vars(moto.dynamodb.models.DynamoDBBackend("eu-west-2", "1" * 12))
    assert "streams" in vars(moto.kinesis.models.KinesisBackend("eu-west-2", "1" * 12))
    assert "latest_stream_label" in inspect.getsource(moto.dynamodb.models.table.Table.__init__)
    assert moto.sqs.models.MAXIMUM_MESSAGE_LENGTH == (
        moto.sqs.models.MAXIMUM_MESSAGE_SIZE_ATTR_UPPER_BOUND)
    queue = vars(moto.sqs.models.Queue("q", "eu-west-2", "1"))
    assert "visibility_timeout" in queue
    assert {"_messages", "_pending_messages", "_messages_lock", "message_retention_period"} <= (
        queue.keys())
    message = vars(moto.sqs.models.Message("id", "body"))
    assert {"delayed_until", "sent_timestamp", "approximate_receive_count", "group_id"} <= (
        message.keys())
    assert {"records", "is_open"} <= vars(moto.kinesis.models.Shard(0, 0, 1)).keys()
    cloudwatch = moto.cloudwatch.models.CloudWatchBackend("eu-west-2", "1")
    assert cloudwatch.metric_data == [] and cloudwatch.alarms == {}
    # ours is put in its place: moto having its own would be news
    assert not hasattr(moto.cloudwatch.responses.CloudWatchResponse, "describe_alarm_history")
    assert not hasattr(moto.applicationautoscaling.responses.ApplicationAutoScalingResponse,
                       "describe_scaling_activities")
    scaling = moto.applicationautoscaling.models
    backend = scaling.ApplicationAutoscalingBackend("eu-west-2", "1")
    assert (backend.targets, backend.policies, backend.scheduled_actions) == ({}, {}, [])
    assert {"min_capacity", "max_capacity", "suspended_state", "resource_id"} <= vars(
        scaling.FakeScalableTarget(backend, "lambda", "r", "d", 1, 2, "", None)).keys()
    assert {"schedule", "timezone", "scalable_target_action", "scheduled_action_name",
            "service_namespace", "resource_id"} <= vars(scaling.FakeScheduledAction(
                "lambda", "s", "z", "n", "r", "d", None, None, {}, "1", "eu-west-2")).keys()
    assert {"policy_arn", "policy_name", "policy_type", "creation_time", "resource_id", "alarms",
            "service_namespace", "target_tracking_scaling_policy_configuration"} <= vars(
        scaling.FakeApplicationAutoscalingPolicy(
            "1", "eu-west-2", "p", "lambda", "r", "d", "TargetTrackingScaling", {})).keys()
    sns = moto.sns.models.SNSBackend("eu-west-2", "1")
    assert isinstance(sns.topics, dict) and isinstance(sns.subscriptions, dict)
    topic = moto.sns.models.Topic("t", sns)
    assert {"topic", "protocol", "endpoint", "arn", "attributes", "_filter_policy",
            "_filter_policy_matcher"} <= vars(moto.sns.models.Subscription(
                "1", topic, "endpoint", "http")).keys() and topic.arn and not topic.fifo_topic
    for refusal in (moto.sns.exceptions.SNSInvalidParameter,
                    moto.sns.exceptions.InvalidParameterValue):
        assert refusal("m").message == "m" and refusal("m").code == "InvalidParameter"
    assert {"state_value", "state_reason", "state_reason_data", "state_updated_timestamp"} <= (
        inspect.getclosurevars(moto.cloudwatch.models.Alarm.update_state).unbound)
    assert {"raw_path", "from_wsgi_server"} <= vars(moto.core.request.Request).keys()


def test_an_apis_data_that_is_read():
    models = moto.apigateway.models
    api = models.RestAPI("id", "1" * 12, "eu-west-2", "name", "", binaryMediaTypes=["a/b"])
    assert api.binaryMediaTypes == ["a/b"]
    assert {"stages", "deployments", "resources", "policy", "minimum_compression_size",
            "disableExecuteApiEndpoint", "account_id", "region_name"} <= vars(api).keys()
    assert {"deployment_id", "variables", "method_settings", "cache_cluster_enabled",
            "tracing_enabled", "access_log_settings"} <= vars(models.Stage()).keys()
    assert {"authorization_type", "api_key_required", "request_validator_id",
            "method_integration"} <= vars(models.Method("GET", "NONE")).keys()
    assert {"integration_type", "uri", "timeout_in_millis", "credentials", "request_parameters",
            "content_handling"} <= vars(models.Integration("MOCK", "", "GET")).keys()


def test_what_pipelines_and_repositories_are_read_for():
    pipelines = moto.codepipeline
    declared = {"name": "p", "stages": [{"actions": [{}]}]}
    known = pipelines.models.CodePipeline("1" * 12, "eu-west-2", declared)
    assert known.executions == {} and known.metadata.keys() == {"pipelineArn", "created", "updated"}
    assert known.pipeline["version"] == 1
    assert known.pipeline["stages"][0]["actions"] == [{
        "runOrder": 1, "configuration": {}, "outputArtifacts": [], "inputArtifacts": []}]
    assert {"pipeline_execution_id", "status", "last_update_time"} <= vars(
        pipelines.models.PipelineExecution("p", 1, None)).keys()
    assert pipelines.models.CodePipelineBackend("eu-west-2", "1" * 12).pipelines == {}
    assert moto.codecommit.models.CodeCommitBackend("eu-west-2", "1" * 12).repositories == {}
    # ours are put there: moto having its own would be news
    for response, names in (
            (pipelines.responses.CodePipelineResponse, ("put_job_success_result", "get_pipeline_state")),
            (moto.codecommit.responses.CodeCommitResponse, ("put_file", "put_repository_triggers"))):
        assert not any(hasattr(response, name) for name in names)
    session = moto.sts.models.STSBackend("us-east-1", "1" * 12).assume_role(
        region_name="us-east-1", role_session_name="s", role_arn=f"arn:aws:iam::{'1' * 12}:role/r",
        policy="", duration=60, external_id="")
    assert {"access_key_id", "secret_access_key", "session_token", "expiration"} <= vars(session).keys()


def test_a_delivery_streams_destinations():
    firehose = moto.firehose.models
    asked = inspect.signature(firehose.FirehoseBackend.create_delivery_stream).parameters
    assert {"extended_s3_destination_configuration", "kinesis_stream_source_configuration"} <= (
        asked.keys())
    assert list(asked)[:3] == ["self", "region", "delivery_stream_name"]
    stream = firehose.DeliveryStream("1" * 12, "eu-west-2", "s", "DirectPut", {}, {}, "ExtendedS3",
                                     {"BucketARN": "arn:aws:s3:::b"})
    assert stream.destinations[0]["ExtendedS3"] == {"BucketARN": "arn:aws:s3:::b"}
    assert stream.delivery_stream_arn.endswith(":deliverystream/s") and stream.version_id == "1"


def test_the_interpreter_of_state_machines_waits_where_we_think_it_does():
    import importlib
    import threading
    import time

    def part(name):
        return importlib.import_module(f"moto.stepfunctions.parser.{name}")

    component = "asl.component."
    execute = part(component + "state.exec.execute_state")
    assert execute.threading is threading and execute.Thread is threading.Thread
    assert part("asl.eval.callback.callback").Event is threading.Event
    for name in ("program.program", "state.exec.state_map.iteration.job",
                 "state.exec.state_parallel.branch_worker"):
        assert part(component + name).threading is threading
    assert part(component + "common.retry.retrier_decl").time is time
    assert part("backend.execution_worker").Thread is threading.Thread
    assert callable(part("utils").uuid4)
    wait = part(component + "state.wait.wait_function.wait_function").WaitFunction
    assert list(inspect.signature(wait._wait_interval).parameters) == ["self", "env",
                                                                       "wait_seconds"]
    tasks = component + "state.exec.state_task."
    bare = part(tasks + "state_task_lambda").StateTaskLambda
    service = part(tasks + "service.state_task_service_lambda")
    for found in (bare, service.StateTaskServiceLambda):
        assert list(inspect.signature(found._from_error).parameters) == ["self", "env", "ex"]
    assert service.lambda_eval_utils.LambdaFunctionErrorException("Unhandled", "{}").payload == "{}"
    client_for = part(tasks + "lambda_eval_utils").boto_client_for
    assert list(inspect.signature(client_for).parameters) == ["region", "service",
                                                              "state_credentials"]
    gateway = part(tasks + "service.state_task_service_api_gateway").StateTaskServiceApiGateway
    assert callable(gateway._eval_service_task)


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
