"""The endpoint itself: connections, ports, failures, hooks."""

import contextlib
import http.client
import importlib
import socket
import threading
import time

import boto3
import moto.s3.models
import pytest
from botocore.exceptions import ClientError

from minilambda import aws

TRUST = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}"""


def refused(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value


def test_a_taken_port_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} .* is taken.*port=0 takes a free one"):
            aws.Server(port).start()


def test_a_port_can_be_chosen_and_is_free_again_after_stop(cloud):
    cloud.server.stop()
    again = aws.Server(cloud.server.port)
    again.start()
    assert boto3.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    again.stop()


def test_stopping_ends_open_connections(cloud):
    idle = http.client.HTTPConnection("127.0.0.1", cloud.server.port)
    idle.connect()
    boto3.client("sqs").list_queues()
    cloud.server.stop()
    assert idle.sock.recv(1) == b""
    cloud.server.stop()  # harmless


def test_answers_are_not_held_back(cloud):
    """Nagle's algorithm would hold every answer back for 40 ms, on any machine."""
    client = boto3.client("lambda")
    client.get_account_settings()
    durations = []
    for _ in range(30):
        started = time.perf_counter()
        client.get_account_settings()
        durations.append(time.perf_counter() - started)
    assert min(durations) < 0.035  # the best of thirty: a busy machine is not always busy


def test_one_connection_serves_many_requests(cloud):
    connection = http.client.HTTPConnection("127.0.0.1", cloud.server.port)
    connection.connect()
    first = connection.sock
    for body in (b"Action=ListQueues&Version=2012-11-05", b"Action=Nope"):
        connection.request("POST", "/", body, {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": "AWS4-HMAC-SHA256 Credential="
            "AKIAMINILAMBDA000000/20200302/eu-west-2/sqs/aws4_request, SignedHeaders=host"})
        connection.getresponse().read()
        assert connection.sock is first


def test_large_bodies_and_empty_ones_share_a_connection(cloud):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    data = bytes(range(256)) * 40_000
    for number in range(3):
        s3.put_object(Bucket="bkt", Key=f"k{number}", Body=data)
        assert s3.head_object(Bucket="bkt", Key=f"k{number}")["ContentLength"] == len(data)
        assert s3.get_object(Bucket="bkt", Key=f"k{number}")["Body"].read() == data
    s3.delete_object(Bucket="bkt", Key="k0")
    assert refused(s3.head_object, Bucket="bkt", Key="k0").response["Error"]["Code"] == "404"


def test_a_connection_from_elsewhere(cloud):
    ours, theirs = socket.socketpair()
    cloud.server.serve_connection(theirs)
    connection = http.client.HTTPConnection("cloud")
    connection.sock = ours
    for _ in range(2):
        connection.request("GET", "/2016-08-19/account-settings", headers={
            "Authorization": "AWS4-HMAC-SHA256 Credential="
            "AKIAMINILAMBDA000000/20200302/eu-west-2/lambda/aws4_request, SignedHeaders=host"})
        response = connection.getresponse()
        assert response.status == 200
        assert b"ConcurrentExecutions" in response.read()


def test_serving_a_connection_needs_a_running_server():
    ours, theirs = socket.socketpair()
    with ours, pytest.raises(RuntimeError, match="isn't running"):
        aws.Server().serve_connection(theirs)


def test_the_hook_surrounds_each_request_with_its_credentials(run):
    events = []

    @contextlib.contextmanager
    def on_request(key, service):
        events.append(("in", key, service))
        yield
        events.append(("out", key, service))

    running = run(on_request=on_request)
    events.clear()
    boto3.client("sqs", aws_access_key_id="AKIAOTHER00000000000",
                 aws_secret_access_key="secret").list_queues()
    assert events == [("in", "AKIAOTHER00000000000", "sqs"), ("out", "AKIAOTHER00000000000", "sqs")]
    events.clear()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "bkt"})
    http_get(running, url)
    assert events[-1] == ("out", "AKIAMINILAMBDA000000", "s3")


def http_get(running, url):
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port)
    connection.request("GET", url.removeprefix(running.server.url))
    response = connection.getresponse()
    assert response.status == 200, response.read()


@pytest.mark.parametrize(("service", "operation", "params"), [
    ("glue", "cancel_statement", {"SessionId": "s", "Id": 1}),  # json
    ("elasticache", "describe_events", {}),  # query
    ("ec2", "describe_bundle_tasks", {}),  # ec2
])
def test_what_moto_lacks_is_refused_at_once_in_each_protocol(cloud, service, operation, params):
    error = refused(getattr(boto3.client(service), operation), **params)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert error.response["Error"]["Code"] == "NotImplementedException"
    assert operation in error.response["Error"]["Message"]


@pytest.mark.parametrize(("failure", "status", "code"), [
    (NotImplementedError("no such trick"), 501, "NotImplementedException"),
    (KeyError("oops"), 500, "InternalFailure"),
])
def test_a_failure_inside_moto_is_an_aws_error_and_no_web_page(cloud, monkeypatch, failure, status,
                                                               code):
    def fail(self, **request):
        raise failure

    monkeypatch.setattr(moto.s3.models.S3Backend, "list_buckets", fail)
    error = refused(boto3.client("s3").list_buckets)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.response["Error"]["Code"] == code
    assert failure.args[0] in error.response["Error"]["Message"]


def test_nothing_is_printed(cloud, capfd):
    client = boto3.client("lambda")
    client.list_functions()
    refused(client.get_function, FunctionName="nope")
    assert capfd.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_ids(run):
    def ids(seed):
        running = run(seed=seed)
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        sent = boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
        running.close()
        return role["Role"]["RoleId"], sent["MessageId"]

    assert ids(1) == ids(1) != ids(2)


def test_a_cloud_starts_empty_and_leaves_nothing(run):
    first = run()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    first.close()
    run()
    assert boto3.client("s3").list_buckets()["Buckets"] == []


def test_many_clients_at_once(cloud):
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    failures = []

    def send():
        try:
            client = boto3.session.Session().client("sqs")
            for _ in range(10):
                client.send_message(QueueUrl=queue, MessageBody="m")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    count = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert count == {"ApproximateNumberOfMessages": "80"}


# -- moto's own callers of Lambda ------------------------------------------------------------------

def test_an_sns_subscription_reaches_its_function(cloud, spec, monkeypatch):
    taken = []
    monkeypatch.setattr(cloud.runtime.frontend, "accept", lambda target, payload, **_: (
        taken.append(target.function.name), "request-id")[1], raising=False)
    client, sns = boto3.client("lambda"), boto3.client("sns")
    arn = client.create_function(**spec)["FunctionArn"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    client.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction",
                          Principal="sns.amazonaws.com", SourceArn=topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    message_id = sns.publish(TopicArn=topic, Message="m")["MessageId"]
    cloud.runtime.clock.run(1)
    (delivered,) = cloud.runtime.trace.select("trigger.delivered")
    assert (delivered["event_id"], delivered["target"]) == (message_id, arn)
    assert taken == ["f"]


def test_a_cloudformation_function_does_not_pretend(cloud):
    template = """{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {
        "Runtime": "python3.8", "Handler": "index.handler", "Code": {"ZipFile": "x = 1"},
        "Role": "arn:aws:iam::123456789012:role/lambda-role"}}}}"""
    cloudformation = boto3.client("cloudformation")
    error = refused(cloudformation.create_stack, StackName="s", TemplateBody=template)
    assert error.response["Error"]["Code"] == "NotImplementedException"


@pytest.mark.parametrize("service", [
    "apigateway", "apigatewayv2", "applicationautoscaling", "cloudformation", "cognitoidp",
    "config", "events", "firehose", "iot", "ses"])
def test_a_cloud_opens_where_a_former_one_has_loaded_a_service(service, run):
    """Its part is put in at once then, before there is a server to ask for its address."""
    importlib.import_module(f"moto.{service}.responses")
    run()
    assert boto3.client("sts").get_caller_identity()["Account"]
