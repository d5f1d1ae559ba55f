"""views.topology: what is deployed, who calls whom, and what can't work, read from a real cloud."""

import json
import subprocess
import sys

import boto3
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilambda
from minilambda import views
from minilambda.views.layout import layered
from minilambda.views.policies import Request, Verdict, judge

HANDLER = """\
import boto3

def handler(event, context):
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=event)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
"""


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", **statement} for statement in statements]})


def trust(service):
    return document({"Principal": {"Service": service}, "Action": "sts:AssumeRole"})


class Site:
    """Short ways to deploy what a test is about."""

    def __init__(self, folder):
        self.source = folder / "app.py"
        self.source.write_text(HANDLER)
        for name in ("iam", "lambda", "sqs", "sns", "s3", "events", "logs", "dynamodb"):
            setattr(self, name.replace("lambda", "lam"), boto3.client(name))

    def role(self, name, service="lambda.amazonaws.com", *statements):
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))[
            "Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="own",
                                     PolicyDocument=document(*statements))
        return arn

    def function(self, name, role, **options):
        return self.lam.create_function(
            FunctionName=name, Runtime="python3.8", Role=role, Handler="app.handler", Timeout=30,
            Code={"ZipFile": minilambda.zip_handler(self.source)}, **options)["FunctionArn"]

    def queue(self, name, **attributes):
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
            "Attributes"]["QueueArn"]

    def bucket(self, name):
        self.s3.create_bucket(Bucket=name,
                              CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        return f"arn:aws:s3:::{name}"


@pytest.fixture
def cloud(tmp_path):
    with minilambda.Cloud(durations="modelled", sandbox="inline") as cloud:
        cloud.site = Site(tmp_path)
        yield cloud


@pytest.fixture
def site(cloud):
    return cloud.site


def edges(figure):
    return {(a, does, b): state for a, does, b, state in figure.layout.meta["rows"]}


def broken(figure):
    return {key: state.removeprefix("broken: ") for key, state in edges(figure).items()
            if state.startswith("broken")}


def words(figure):
    return figure.layout.meta["sentence"]


def drawn(figure, name):
    return next((trace for trace in figure.data if trace.name == name), None)


def test_an_empty_cloud_is_an_error_in_words(cloud):
    with pytest.raises(ValueError, match="nothing is deployed on this cloud yet"):
        views.topology(cloud)


def test_a_healthy_chain_has_no_fault(cloud, site):
    queue, dead = site.queue("orders"), site.queue("dead")
    topic = site.sns.create_topic(Name="news")["TopicArn"]
    site.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    site.sqs.set_queue_attributes(QueueUrl=site.sqs.get_queue_url(QueueName="orders")["QueueUrl"],
                                  Attributes={
        "Policy": document({"Principal": {"Service": "sns.amazonaws.com"}, "Resource": queue,
                            "Action": "sqs:SendMessage",
                            "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})})
    role = site.role("sender", "lambda.amazonaws.com",
                     {"Action": "sqs:SendMessage", "Resource": queue})
    site.function("mail", role)
    site.lam.invoke(FunctionName="mail", Payload=b'"orders"')
    figure = views.topology(cloud)
    assert edges(figure) == dict.fromkeys([
        ("topic news", "delivers to", "queue orders"),
        ("queue orders", "moves messages after 3 receives", "queue dead"),
        ("function mail", "assumes", "role sender"),
        ("function mail", "writes its log to", "log group /aws/lambda/mail"),
        ("function mail", "sends to", "queue orders"),
        ("role sender", "allows sqs:SendMessage", "queue orders")], "no fault found")
    assert words(figure) == ("1 role, 1 function, 2 queues, 1 topic and 1 log group."
                             " Of 6 connections none is broken.")
    assert drawn(figure, "broken") is None
    dashes = {t.line.dash for t in figure.data if t.mode == "lines+markers"}
    assert dashes == {"solid", "dot", "dash"}


def test_calls_that_aws_would_refuse_are_marked_and_explained(cloud, site):
    queue = site.queue("orders", Policy=document({
        "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}))
    site.bucket("photos-of-cats")
    site.s3.put_bucket_notification_configuration(  # S3 takes it only where the policy allows it
        Bucket="photos-of-cats", NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]})
    site.sqs.set_queue_attributes(QueueUrl=site.sqs.get_queue_url(QueueName="orders")["QueueUrl"],
                                  Attributes={"Policy": ""})
    topic = site.sns.create_topic(Name="news")["TopicArn"]
    site.events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    site.events.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": topic}])
    site.function("mail", site.role("poor"))
    site.lam.invoke(FunctionName="mail", Payload=b'"orders"')
    figure = views.topology(cloud)
    found = broken(figure)
    assert found == {
        ("bucket photos-of-cats", "notifies of s3:ObjectCreated:*", "queue orders"):
            "the policy of queue orders doesn't allow sqs:SendMessage by s3.amazonaws.com for"
            " bucket photos-of-cats: AWS would refuse it",
        ("rule nightly", "sends on rate(1 day)", "topic news"):
            "the policy of topic news doesn't allow sns:Publish by events.amazonaws.com for"
            " rule nightly: AWS would refuse it",
        ("function mail", "sends to", "queue orders"):
            "no policy of role poor allows sqs:SendMessage on queue orders: AWS would refuse the"
            " call"}
    assert "3 are broken" in words(figure)
    assert all(problem in words(figure) for problem in found.values())
    marks = next(t for t in figure.data if t.marker.symbol == "x")
    assert len(marks.x) == 3 and all("broken: " in text for text in marks.hovertext)
    assert drawn(figure, "broken").line.dash == "longdashdot"


def test_what_is_named_and_isn_t_there_is_drawn_empty(cloud, site):
    dead = site.queue("dead")
    site.queue("orders", RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": dead, "maxReceiveCount": 3}))
    site.sqs.delete_queue(QueueUrl=site.sqs.get_queue_url(QueueName="dead")["QueueUrl"])
    gone = site.role("gone")
    site.function("mail", gone)
    site.iam.delete_role(RoleName="gone")
    role = site.role("r", "lambda.amazonaws.com", {
        "Action": "dynamodb:PutItem",
        "Resource": "arn:aws:dynamodb:eu-west-2:123456789012:table/orders"})
    layer = site.lam.publish_layer_version(
        LayerName="tone", Content={"ZipFile": minilambda.zip_handler(site.source)})
    site.function("other", role, Layers=[layer["LayerVersionArn"]])
    site.lam.delete_layer_version(LayerName="tone", VersionNumber=1)
    figure = views.topology(cloud)
    found = broken(figure)
    assert len(found) == 4
    for name, problem in {
        "queue dead": "queue dead doesn't exist: what fails again and again has nowhere to go",
        "role gone": "role gone doesn't exist: Lambda can't assume it",
        "table orders": "the policy names table orders, which doesn't exist",
        "layer tone:1": "the function keeps its copy",
    }.items():
        assert any(target == name and problem in said for (_, _, target), said in found.items())
    missing = {t.name: t.marker.symbol for t in figure.data if (t.name or "").endswith("not there")}
    assert missing == {"queue, not there": "triangle-right-open", "role, not there": "diamond-open",
                       "table, not there": "hourglass-open", "layer, not there": "hexagon2-open"}


def test_a_role_that_lambda_can_t_assume(cloud, site):
    site.function("mail", site.role("worker"))
    site.iam.update_assume_role_policy(RoleName="worker",
                                       PolicyDocument=trust("ec2.amazonaws.com"))
    [problem] = broken(views.topology(cloud)).values()
    assert problem.startswith("role worker can't be assumed by Lambda: its trust policy")


def test_a_function_must_let_a_rule_invoke_it(cloud, site):
    arn = site.function("mail", site.role("worker"))
    alias = site.lam.create_alias(FunctionName="mail", Name="live", FunctionVersion=(
        site.lam.publish_version(FunctionName="mail")["Version"]))["AliasArn"]
    rules = {name: site.events.put_rule(Name=name, ScheduleExpression="rate(1 day)")["RuleArn"]
             for name in ("nightly", "daily")}
    site.events.put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": arn}])
    site.events.put_targets(Rule="daily", Targets=[{"Id": "1", "Arn": alias}])
    found = broken(views.topology(cloud))
    assert found.keys() == {
        ("rule nightly", "sends on rate(1 day)", "function mail"),
        ("rule daily", "sends on rate(1 day) (live)", "function mail")}
    assert all("doesn't allow lambda:InvokeFunction by events.amazonaws.com" in problem
               for problem in found.values())
    for rule, qualifier in (("nightly", {}), ("daily", {"Qualifier": "live"})):
        site.lam.add_permission(FunctionName="mail", StatementId=rule, SourceArn=rules[rule],
                                Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
                                **qualifier)
    assert broken(views.topology(cloud)) == {}


def test_of_another_region_or_an_address_nothing_is_claimed(cloud, site):
    topic = site.sns.create_topic(Name="news")["TopicArn"]
    for protocol, endpoint in (("sqs", "arn:aws:sqs:eu-west-1:123456789012:far"),
                               ("email", "me@example.com")):
        site.sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    figure = views.topology(cloud)
    assert broken(figure) == {} and words(figure).startswith("1 topic and 1 endpoint. Of 2")
    assert {to for _, _, to in edges(figure)} == {
        "queue far (another region or account)", "me@example.com"}


def test_what_is_connected_to_nothing_is_drawn_and_said(cloud, site):
    site.queue("lonely")
    figure = views.topology(cloud)
    assert words(figure) == "1 queue, with no connection between them."
    assert edges(figure) == {("queue lonely", "is connected to nothing", ""): ""}


def test_looking_changes_nothing_and_gives_the_same_bytes(cloud, site):
    site.function("mail", site.role("worker", "lambda.amazonaws.com",
                                    {"Action": "*", "Resource": "*"}))
    for name in ("one", "two"):
        site.queue(name)
    before = len(cloud.trace), cloud.seconds
    first = pio.to_json(views.topology(cloud))
    assert pio.to_json(views.topology(cloud)) == first
    assert (len(cloud.trace), cloud.seconds) == before


# -- policies --------------------------------------------------------------------------------------------

SEND = Request("sqs:SendMessage", "arn:aws:sqs:eu-west-2:1:orders", "sns.amazonaws.com",
               "arn:aws:sns:eu-west-2:1:news", "1")
SNS = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}


@pytest.mark.parametrize("statements, verdict", [
    ([], "silent"),
    ([SNS], "allowed"),
    ([SNS | {"Principal": "*", "Action": "SQS:*"}], "allowed"),
    ([SNS | {"Principal": {"Service": "s3.amazonaws.com"}}], "silent"),
    ([SNS | {"Action": ["sqs:Get*", "sqs:SendMessage*"]}], "allowed"),
    ([SNS | {"Action": "sqs:ReceiveMessage"}], "silent"),
    ([SNS | {"Resource": "arn:aws:sqs:*:1:ord???"}], "allowed"),
    ([SNS | {"Resource": "arn:aws:sqs:*:1:ord"}], "silent"),
    ([SNS, SNS | {"Effect": "Deny"}], "denied"),
    ([SNS | {"Effect": "Deny", "Action": "sqs:DeleteMessage"}, SNS], "allowed"),
    ([SNS | {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:n*"}}}], "allowed"),
    ([SNS | {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-2:1:old"}}}],
     "silent"),
    ([SNS | {"Condition": {"StringEquals": {"AWS:SourceAccount": ["1", "2"]}}}], "allowed"),
    ([SNS | {"Condition": {"StringEquals": {"AWS:SourceOwner": "1"}}}], "silent"),
    ([SNS | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}], "unsure"),
    ([SNS, SNS | {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}],
     "unsure"),
    ([{k: v for k, v in SNS.items() if k != "Action"} | {"NotAction": "sqs:Delete*"}], "allowed"),
])
def test_what_a_policy_says(statements, verdict):
    assert judge([document(*statements)], SEND) == Verdict(verdict)


# -- layout ----------------------------------------------------------------------------------------------


@given(st.integers(1, 14).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20))))
def test_every_node_has_a_place_of_its_own_and_every_edge_ends_at_its_nodes(graph):
    number, lines = graph
    drawing = layered(number, lines)
    assert drawing.nodes.keys() == set(range(number))
    assert len(set(drawing.nodes.values())) == number
    assert drawing.paths.keys() == {(a, b) for a, b in lines if a != b}
    for (a, b), path in drawing.paths.items():
        assert (path[0], path[-1]) == (drawing.nodes[a], drawing.nodes[b])
    assert all(0 <= x <= drawing.layers and 0 <= y < drawing.rows
               for x, y in drawing.nodes.values())


def test_a_chain_goes_from_left_to_right():
    drawing = layered(4, [(2, 1), (1, 0)])
    assert [drawing.nodes[n][0] for n in (2, 1, 0)] == [0, 1, 2]
    assert drawing.nodes[3][1] > max(drawing.nodes[n][1] for n in (0, 1, 2))


def test_the_drawing_is_the_same_in_every_process():
    """The library orders ties by hash, so by memory addresses, unless it is given numbers."""
    code = ("import random; from minilambda.views.layout import layered; r = random.Random(7);"
            "print([layered(20, [(r.randrange(20), r.randrange(20)) for _ in range(30)])"
            " for _ in range(15)])")
    outputs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True, env={"PYTHONHASHSEED": seed}).stdout
               for seed in ("1", "2", "3")}
    assert len(outputs) == 1 and outputs.pop().startswith("[Drawing(")
