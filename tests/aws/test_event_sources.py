"""Event source mappings as boto3 sees them: the control plane, in both profiles."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda.event_source import Source
from minilambda.event_sources import EventSources

ACCOUNT = "arn:aws:lambda:eu-west-2:123456789012"
NOWHERE = "00000000-0000-4000-8000-000000000000"
SETTLE = 10  # seconds: model.toml


def refusal(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value


def said(call, **params):
    error = refusal(call, **params).response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def start(run, spec):
    """A served runtime with a function ``f``, and what creates a mapping of it, unchecked."""
    def start(profile="today"):
        running = run(profile=profile)
        client = boto3.client("lambda", config=Config(parameter_validation=False))
        for operation in ("CreateFunction", "PublishVersion", "UpdateFunctionConfiguration"):
            client.meta.events.register(  # until it has come about: what is asked here is others
                f"after-call.lambda.{operation}", lambda **_: running.runtime.clock.run(5))
        client.create_function(**spec)
        allow("*")
        running.lambda_ = client
        running.settle = lambda: running.runtime.clock.run(SETTLE)
        running.map = lambda arn, **options: client.create_event_source_mapping(
            **{"FunctionName": "f", "EventSourceArn": arn, "Enabled": False} | options)
        return running

    return start


@pytest.fixture
def here(start):
    return start()


@pytest.fixture
def queue(here):
    return a_queue()


@pytest.fixture
def stream(here):
    return a_stream()


def allow(*actions):
    """What the execution role may do from now on: this, and nothing else."""
    boto3.client("iam").put_role_policy(
        RoleName="lambda-role", PolicyName="of-the-test", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))


def a_queue(name="q", **attributes):
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def a_stream(name="s"):
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    return kinesis.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"]


def a_table(name="t"):
    return boto3.client("dynamodb").create_table(
        TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST", StreamSpecification={
            "StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]


# -- a mapping's life ------------------------------------------------------------------------------

def test_the_life_of_a_queues_mapping(here, queue):
    made = here.map(queue)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    uuid = made["UUID"]
    assert {name: made[name] for name in made.keys() - {"ResponseMetadata", "LastModified"}} == {
        "UUID": uuid, "EventSourceArn": queue, "FunctionArn": f"{ACCOUNT}:function:f",
        "EventSourceMappingArn": f"{ACCOUNT}:event-source-mapping:{uuid}",
        "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": [],
        "State": "Creating", "StateTransitionReason": "USER_INITIATED"}
    assert made["LastModified"] == here.runtime.clock.now
    for verb, call in (("update", here.lambda_.update_event_source_mapping),
                       ("delete", here.lambda_.delete_event_source_mapping)):
        assert said(call, UUID=uuid) == (
            "ResourceInUseException",
            f"Cannot {verb} the event source mapping because it is in use.")

    here.settle()
    assert here.lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    changed = here.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=3)
    assert (changed["State"], changed["BatchSize"]) == ("Updating", 3)
    assert changed["LastModified"] > made["LastModified"]

    here.settle()
    going = here.lambda_.delete_event_source_mapping(UUID=uuid)
    assert (going["State"], going["ResponseMetadata"]["HTTPStatusCode"]) == ("Deleting", 202)
    assert here.lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    here.settle()
    assert said(here.lambda_.get_event_source_mapping, UUID=uuid) == (
        "ResourceNotFoundException", "The resource you requested does not exist.")
    assert here.lambda_.list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize("source", [a_stream, a_table])
def test_what_a_streams_mapping_has_more(here, source):
    made = here.map(source(), StartingPosition="TRIM_HORIZON")
    assert {name: made[name] for name in (
        "BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "FunctionResponseTypes",
        "LastProcessingResult", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts", "ParallelizationFactor", "StartingPosition",
        "StateTransitionReason", "TumblingWindowInSeconds")} == {
        "BatchSize": 100, "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}}, "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed", "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1,
        "StartingPosition": "TRIM_HORIZON", "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0}


def test_every_option_comes_back(here, queue, stream):
    pattern = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["a"]}})}]}
    of_queue = {"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 5, "FilterCriteria": pattern,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 2}}
    of_stream = {"BatchSize": 10000, "MaximumBatchingWindowInSeconds": 300,
                 "FilterCriteria": pattern, "ParallelizationFactor": 10,
                 "BisectBatchOnFunctionError": True, "MaximumRecordAgeInSeconds": 60,
                 "MaximumRetryAttempts": 0, "TumblingWindowInSeconds": 900,
                 "FunctionResponseTypes": ["ReportBatchItemFailures"],
                 "DestinationConfig": {"OnFailure": {"Destination": queue}}}
    for arn, options, more in ((queue, of_queue, {}),
                               (stream, of_stream, {"StartingPosition": "LATEST"})):
        uuid = here.map(arn, **options, **more)["UUID"]
        got = here.lambda_.get_event_source_mapping(UUID=uuid)
        assert {name: got[name] for name in options} == options


def test_what_an_update_leaves_out_stays_and_what_is_empty_goes(here, queue):
    pattern = {"Filters": [{"Pattern": '{"body": ["a"]}'}]}
    uuid = here.map(queue, FilterCriteria=pattern, ScalingConfig={"MaximumConcurrency": 9})["UUID"]
    here.settle()
    changed = here.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=2)
    assert (changed["FilterCriteria"], changed["ScalingConfig"]) == (
        pattern, {"MaximumConcurrency": 9})
    here.settle()
    changed = here.lambda_.update_event_source_mapping(UUID=uuid, FilterCriteria={},
                                                       ScalingConfig={})
    assert not changed.keys() & {"FilterCriteria", "ScalingConfig"}
    assert changed["BatchSize"] == 2


def test_from_a_point_in_time(here, stream):
    at = here.runtime.clock.now
    made = here.map(stream, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=at)
    assert made["StartingPositionTimestamp"] == at


def test_an_enabled_mapping_says_that_nobody_polls(here, queue):
    """Also when ``Enabled`` is left out: it is True then."""
    for error in (refusal(here.map, arn=queue, Enabled=True),
                  refusal(here.lambda_.create_event_source_mapping, FunctionName="f",
                          EventSourceArn=queue)):
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert "polling of event sources" in str(error)
    uuid = here.map(queue)["UUID"]
    here.settle()
    error = refusal(here.lambda_.update_event_source_mapping, UUID=uuid, Enabled=True)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert here.lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"


def test_with_pollers_a_mapping_is_enabled_and_disabled(here):
    """What a poller's cloud will say of its sources."""
    class Anything:
        def visibility(self, source):
            return 30

    runtime = here.runtime
    sources = EventSources(runtime.clock, runtime.limits, runtime.registry, Anything(),
                           may=lambda role, action, resource: True, seconds=5, polled=lambda kind: kind == "sqs")
    place = "123456789012", "eu-west-2"
    made = sources.create(*place, {"FunctionName": "f", "EventSourceArn":
                                   "arn:aws:sqs:eu-west-2:123456789012:q"})
    seen = []
    for enabled in (None, False, True):
        if enabled is not None:
            sources.update(*place, {"UUID": made.uuid, "Enabled": enabled})
        seen.append(sources.get(*place, made.uuid).state(runtime.clock.seconds))
        runtime.clock.run(5)
        seen.append(sources.get(*place, made.uuid).state(runtime.clock.seconds))
    assert seen == ["Creating", "Enabled", "Disabling", "Disabled", "Enabling", "Enabled"]


# -- what the execution role may do ----------------------------------------------------------------

QUEUE_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
STREAM_ACTIONS = ["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"]


@pytest.mark.parametrize("missing", QUEUE_ACTIONS)
def test_the_role_must_be_allowed_to_read_the_queue(here, queue, missing):
    allow(*(action for action in QUEUE_ACTIONS if action != missing))
    refused = ("InvalidParameterValueException", "The function execution role does not have "
               f"permissions to call {missing.removeprefix('sqs:')} on SQS")
    assert said(here.map, arn=queue) == refused
    assert here.lambda_.list_event_source_mappings()["EventSourceMappings"] == []
    allow(*QUEUE_ACTIONS)
    uuid = here.map(queue)["UUID"]
    here.settle()
    allow(*(action for action in QUEUE_ACTIONS if action != missing))
    assert said(here.lambda_.update_event_source_mapping, UUID=uuid, BatchSize=5) == refused


@pytest.mark.parametrize("missing", STREAM_ACTIONS)
@pytest.mark.parametrize("service", ["kinesis", "dynamodb"])
def test_the_role_must_be_allowed_to_read_the_stream(here, service, missing):
    arn = a_stream() if service == "kinesis" else a_table()
    allow(*(f"{service}:{action}" for action in STREAM_ACTIONS if action != missing))
    assert said(here.map, arn=arn, StartingPosition="LATEST") == (
        "InvalidParameterValueException", f"Cannot access stream {arn}. Please ensure the role can "
        "perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your "
        "stream in IAM.")
    allow(*(f"{service}:{action}" for action in STREAM_ACTIONS))
    assert here.map(arn, StartingPosition="LATEST")["State"] == "Creating"


def test_the_role_must_be_allowed_to_report_failed_batches(here, stream, queue):
    allow("kinesis:*")
    failed = {"OnFailure": {"Destination": queue}}
    assert said(here.map, arn=stream, StartingPosition="LATEST", DestinationConfig=failed) == (
        "InvalidParameterValueException", "The function's execution role does not have permissions "
        f"to call SendMessage on {queue}")
    allow("kinesis:*", "sqs:SendMessage")
    assert here.map(stream, StartingPosition="LATEST", DestinationConfig=failed)[
        "DestinationConfig"] == failed


# -- which function, which source ------------------------------------------------------------------

def test_a_function_in_every_form(here, queue):
    here.lambda_.publish_version(FunctionName="f")
    here.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    arn = f"{ACCOUNT}:function:f"
    for name, printed in (("f", arn), ("123456789012:function:f:$LATEST", arn + ":$LATEST"),
                          (arn + ":1", arn + ":1"), (arn + ":live", arn + ":live")):
        assert here.map(queue, FunctionName=name)["FunctionArn"] == printed


def test_a_pair_of_source_and_function_exists_once(here, queue, stream):
    first = here.map(queue)
    assert said(here.map, arn=queue, FunctionName=f"{ACCOUNT}:function:f") == (
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {queue} ") and function (" f ") already exists. '
        f"Please update or delete the existing mapping with UUID {first['UUID']}")
    second = here.map(stream, StartingPosition="LATEST")
    assert said(here.map, arn=stream, StartingPosition="LATEST") == (
        "ResourceConflictException",
        f'The event source arn (" {stream} ") and function (" f ") provided mapping already '
        f"exists. Please update or delete the existing mapping with UUID {second['UUID']}")
    here.settle()
    here.lambda_.delete_event_source_mapping(UUID=first["UUID"])
    here.settle()
    here.map(queue)


@pytest.mark.parametrize(("options", "words"), [
    ({"EventSourceArn": None}, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:dynamodb:eu-west-2:123456789012:table/t",
      "StartingPosition": "LATEST"}, "Unrecognized event source."),
    ({"FunctionName": "none"}, "Function does not exist"),
    ({"FunctionName": "f:7"}, "Function does not exist"),
    ({"EventSourceArn": "arn:aws:sqs:eu-west-2:123456789012:none"},
     "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService."
     "NonExistentQueue. SQS Error Message: The specified queue does not exist."),
    ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"},
     "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService."
     "NonExistentQueue. SQS Error Message: The specified queue does not exist."),
    ({"EventSourceArn": "arn:aws:kinesis:eu-west-2:123456789012:stream/none",
      "StartingPosition": "LATEST"},
     "Stream not found: arn:aws:kinesis:eu-west-2:123456789012:stream/none"),
    ({"EventSourceArn": "arn:aws:dynamodb:eu-west-2:123456789012:table/t/stream/1999",
      "StartingPosition": "LATEST"},
     "Stream not found: arn:aws:dynamodb:eu-west-2:123456789012:table/t/stream/1999"),
])
def test_sources_and_functions_that_are_not_there(here, queue, options, words):
    a_table()
    params = {"FunctionName": "f", "EventSourceArn": queue, "Enabled": False} | options
    params = {name: value for name, value in params.items() if value is not None}
    assert said(here.lambda_.create_event_source_mapping, **params) == (
        "InvalidParameterValueException", words)


@pytest.mark.parametrize("arn", [
    "arn:aws:kafka:eu-west-2:123456789012:cluster/c/u", "arn:aws:mq:eu-west-2:123456789012:broker:b",
    "arn:aws:rds:eu-west-2:123456789012:cluster:c",
    "arn:aws:kinesis:eu-west-2:123456789012:stream/s/consumer/c:1"])
def test_other_sources_are_not_implemented(here, arn):
    error = refusal(here.map, arn=arn, StartingPosition="LATEST")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_queue_hides_messages_for_as_long_as_the_function_may_run(here):
    here.lambda_.update_function_configuration(FunctionName="f", Timeout=60)
    words = "Queue visibility timeout: 59 seconds is less than Function timeout: 60 seconds"
    short, long = a_queue("short", VisibilityTimeout="59"), a_queue("long", VisibilityTimeout="60")
    assert said(here.map, arn=short) == ("InvalidParameterValueException", words)
    uuid = here.map(long)["UUID"]
    here.settle()
    here.lambda_.update_function_configuration(FunctionName="f", Timeout=61)
    assert said(here.lambda_.update_event_source_mapping, UUID=uuid, BatchSize=1)[1] == (
        "Queue visibility timeout: 60 seconds is less than Function timeout: 61 seconds")


# -- options ---------------------------------------------------------------------------------------

_TOO_LONG = "failed to satisfy constraint: Member must have value less than or equal to"


@pytest.mark.parametrize(("options", "words"), [
    ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
    ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0 if maximum batch "
                        "size is greater than 10"),
    ({"ParallelizationFactor": 2},
     "Unsupported ParallelizationFactor parameter for given event source mapping type."),
    ({"BisectBatchOnFunctionError": False}, "Unsupported BisectBatchOnFunctionError parameter for "
                                            "given event source mapping type."),
    ({"FilterCriteria": {"Filters": [{"Pattern": "null"}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": '[{"a": ["b"=1]}]'}]}},
     "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"a": "b"}'}]}},
     "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}] * 6}},
     "A mapping can have at most 5 filters."),
])
def test_options_a_queue_does_not_take(here, queue, options, words):
    assert said(here.map, arn=queue, **options) == ("InvalidParameterValueException", words)


@pytest.mark.parametrize(("options", "words"), [
    ({"StartingPosition": None}, "1 validation error detected: Value null at 'startingPosition' "
                                 "failed to satisfy constraint: Member must not be null."),
    ({"StartingPositionTimestamp": 1}, "Timestamp only valid with StartingPosition AT_TIMESTAMP"),
    ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": -1},
     "Received Exception while reading from provided stream. class java.lang.Long can not be "
     "converted to a Timestamp"),
    ({"StartingPosition": "AT_TIMESTAMP"},
     "StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp."),
    ({"ScalingConfig": {"MaximumConcurrency": 2}},
     "Unsupported ScalingConfig parameter for given event source mapping type."),
    ({"MaximumRecordAgeInSeconds": 59}, "1 validation error detected: Value '59' at "
     "'maximumRecordAgeInSeconds' failed to satisfy constraint: Member must have value greater "
     "than or equal to 60"),
    ({"DestinationConfig": {"OnSuccess": {}}},
     "Unsupported DestinationConfig parameter for given event source mapping type."),
    ({"DestinationConfig": {"OnFailure": {"Destination": f"{ACCOUNT}:function:f"}}},
     "The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure("
     f"destination={ACCOUNT}:function:f)) is invalid."),
])
def test_options_a_stream_does_not_take(here, stream, options, words):
    options = {"StartingPosition": "LATEST"} | options
    options = {name: value for name, value in options.items() if value is not None}
    assert said(here.map, arn=stream, **options) == ("InvalidParameterValueException", words)


def test_a_table_has_no_points_in_time(here):
    arn = a_table()
    assert said(here.map, arn=arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1)[
        1] == f"Unsupported starting position for arn type: {arn}"


def test_fifo_queues_take_ten_and_no_window(here):
    arn = a_queue("q.fifo", FifoQueue="true")
    assert said(here.map, arn=arn, MaximumBatchingWindowInSeconds=1)[1] == (
        "Batching window is not supported for FIFO queues")
    assert said(here.map, arn=arn, BatchSize=11)[1].endswith(f"{_TOO_LONG} 10")
    assert here.map(arn, BatchSize=10)["BatchSize"] == 10


@pytest.mark.parametrize(("source", "options"), [
    (a_queue, {"BatchSize": 11}), (a_queue, {"MaximumBatchingWindowInSeconds": 1}),
    (a_queue, {"FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}]}}),
    (a_queue, {"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
    (a_queue, {"ScalingConfig": {"MaximumConcurrency": 2}}),
    (a_table, {"BatchSize": 1001}), (a_stream, {"TumblingWindowInSeconds": 1}),
    (a_stream, {"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
    (a_stream, {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}}),
])
def test_what_came_later_is_refused_under_the_courses_limits(start, source, options):
    here = start("course")
    more = {} if source is a_queue else {"StartingPosition": "LATEST"}
    arn = source()
    assert said(here.map, arn=arn, **options, **more)[0] == "InvalidParameterValueException"
    here.map(arn, **more)


def test_the_courses_own_options_work_under_its_limits(start):
    here = start("course")
    made = here.map(a_table(), StartingPosition="LATEST", BatchSize=1000, ParallelizationFactor=10,
                    BisectBatchOnFunctionError=True, MaximumRetryAttempts=10000,
                    MaximumRecordAgeInSeconds=604800, MaximumBatchingWindowInSeconds=300,
                    TumblingWindowInSeconds=0, FunctionResponseTypes=[])
    assert (made["BatchSize"], made["ParallelizationFactor"]) == (1000, 10)


@pytest.mark.parametrize("options", [
    {"KMSKeyArn": "arn:aws:kms:eu-west-2:123456789012:key/k"}, {"Topics": ["t1"]},
    {"Queues": ["q"]}, {"MetricsConfig": {"Metrics": ["EventCount"]}},
    {"ProvisionedPollerConfig": {"MinimumPollers": 1}},
    {"LoggingConfig": {"SystemLogLevel": "INFO"}},
    {"SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "x"}]},
    {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:1"]}}},
    {"DocumentDBEventSourceConfig": {"DatabaseName": "d"}},
    {"AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}},
])
def test_options_not_implemented_are_named(here, queue, options):
    error = refusal(here.map, arn=queue, **options)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert next(iter(options)) in str(error)


# -- lists and tags --------------------------------------------------------------------------------

def test_lists_are_filtered_and_paged(here, spec):
    here.lambda_.create_function(**spec | {"FunctionName": "g"})
    queues = [a_queue(f"q{number}") for number in range(3)]
    uuids = [here.map(arn)["UUID"] for arn in queues]
    other = here.map(queues[0], FunctionName="g")["UUID"]

    def listed(**params):
        pages = here.lambda_.get_paginator("list_event_source_mappings").paginate(**params)
        return [[m["UUID"] for m in page["EventSourceMappings"]] for page in pages]

    assert listed() == [[*uuids, other]]
    assert listed(FunctionName="f", PaginationConfig={"PageSize": 2}) == [uuids[:2], uuids[2:]]
    assert listed(EventSourceArn=queues[0]) == [[uuids[0], other]]
    assert listed(EventSourceArn=queues[0], FunctionName="g") == [[other]]
    elsewhere = boto3.client("lambda", region_name="us-east-1")
    assert elsewhere.list_event_source_mappings()["EventSourceMappings"] == []
    assert said(elsewhere.get_event_source_mapping, UUID=other)[0] == "ResourceNotFoundException"


def test_tags_of_a_mapping(here, queue):
    client, arn = here.lambda_, here.map(queue, Tags={"a": "1"})["EventSourceMappingArn"]
    client.tag_resource(Resource=arn, Tags={"b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert said(client.list_tags, Resource=f"{ACCOUNT}:event-source-mapping:{NOWHERE}") == (
        "ResourceNotFoundException", "The resource you requested does not exist.")


def test_an_arn_is_taken_apart():
    source = Source.parse("arn:aws:dynamodb:eu-west-2:123456789012:table/t/stream/2020-01-01T00:00")
    assert (source.kind, source.name, source.region, source.account) == (
        "dynamodb", "t", "eu-west-2", "123456789012")
