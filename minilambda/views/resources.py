"""What is deployed and who calls whom, as data: read from the running cloud with boto3.

Stands for: what one would gather with the AWS CLI's list, describe and get commands.
Leaves out: services that aren't named in :data:`READERS`, other regions and accounts, buses other
than the default one, and whether a role may write its function's log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ..trace import Trace

# The service part of an ARN -> what its resources are called in the picture.
KINDS = {"lambda": "function", "iam": "role", "s3": "bucket", "sns": "topic", "sqs": "queue",
         "events": "rule", "logs": "log group", "dynamodb": "table", "kinesis": "stream",
         "rds": "database"}


@dataclass(slots=True)
class Node:
    """A resource. ``key`` is its ARN; ``missing`` if something names it and it isn't there;
    ``elsewhere`` if it is in another region or account, where nobody looks."""

    key: str
    kind: str
    name: str
    missing: bool = False
    elsewhere: bool = False


@dataclass(slots=True)
class Edge:
    """``source`` does ``what`` to ``target`` (keys of nodes).

    ``sort``: ``call`` (an event or call goes this way), ``uses`` (a function's role, layer, log),
    ``policy`` (a role allows it). ``action``: what AWS would check before it. ``problem``: why it
    can't work, one sentence; None if it can as far as one sees. ``resource``: the ARN that is
    called, where it isn't the node's: a function's version or alias.
    """

    source: str
    target: str
    what: str
    sort: str = "call"
    action: str | None = None
    problem: str | None = None
    resource: str | None = None


@dataclass(slots=True)
class Census:
    """All of it. ``policies``: of resources that are called, by ARN; ``roles``: each one's documents;
    ``trust``: each role's trust policy."""

    account: str
    region: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    policies: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, list[Any]] = field(default_factory=dict)
    trust: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, kind: str, name: str) -> None:
        self.nodes[key] = Node(key, kind, name)

    def link(self, source: str, target: str, what: str, sort: str = "call",
             action: str | None = None) -> None:
        self.edges.append(Edge(source, target, what, sort, action))


def census(trace: Trace, account: str, region: str) -> Census:
    """Read everything. ``trace``: whose functions were seen to call what."""
    found = Census(account, region)
    for read in READERS:
        read(found)
    _seen_calls(found, trace)
    for edge in found.edges:
        if edge.target not in found.nodes:
            found.nodes[edge.target] = _absent(edge.target, found)
    return found


def pages(client: Any, operation: str, result: str, **arguments: Any) -> Iterator[Any]:
    """The items of a list operation, from all of its pages."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(result, ())
    else:
        yield from getattr(client, operation)(**arguments).get(result, ())


def _absent(key: str, found: Census) -> Node:
    """Something that is named and isn't there (or isn't in this region and account)."""
    parts = key.split(":", 5)
    if len(parts) < 6:
        return Node(key, "endpoint", key)  # an address: no resource of AWS's
    kind, name = KINDS.get(parts[2], parts[2]), parts[5].rsplit("/", 1)[-1]
    if parts[2] == "lambda":
        kind, _, name = parts[5].partition(":")
    here = (parts[3] or found.region, parts[4] or found.account) == (found.region, found.account)
    return Node(key, kind, name, missing=here, elsewhere=not here)


# -- one reader a service ------------------------------------------------------------------------------


def _roles(found: Census) -> None:
    iam = boto3.client("iam")
    for role in pages(iam, "list_roles", "Roles"):
        if role["Path"].startswith("/aws-service-role/"):
            continue
        name = role["RoleName"]
        found.add(role["Arn"], "role", name)
        found.trust[role["Arn"]] = role["AssumeRolePolicyDocument"]
        documents = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                     for policy in pages(iam, "list_role_policies", "PolicyNames", RoleName=name)]
        for policy in pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
            arn = policy["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            documents.append(iam.get_policy_version(
                PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
        found.roles[role["Arn"]] = documents


def _functions(found: Census) -> None:
    client = boto3.client("lambda")
    for layer in pages(client, "list_layers", "Layers"):
        for version in pages(client, "list_layer_versions", "LayerVersions",
                             LayerName=layer["LayerName"]):
            name = f"{layer['LayerName']}:{version['Version']}"
            found.add(version["LayerVersionArn"], "layer", name)
    for function in pages(client, "list_functions", "Functions"):
        arn, name = function["FunctionArn"], function["FunctionName"]
        found.add(arn, "function", name)
        found.link(arn, function["Role"], "assumes", "uses", "sts:AssumeRole")
        for layer in function.get("Layers", ()):
            found.link(arn, layer["Arn"], "contains", "uses")


def _queues(found: Census) -> None:
    client = boto3.client("sqs")
    for url in pages(client, "list_queues", "QueueUrls"):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        arn = attributes["QueueArn"]
        found.add(arn, "queue", arn.rsplit(":", 1)[-1])
        found.policies[arn] = attributes.get("Policy")
        if redrive := json.loads(attributes.get("RedrivePolicy") or "{}"):
            found.link(arn, redrive["deadLetterTargetArn"],
                       f"moves messages after {redrive['maxReceiveCount']} receives")


def _topics(found: Census) -> None:
    client = boto3.client("sns")
    for topic in pages(client, "list_topics", "Topics"):
        arn = topic["TopicArn"]
        found.add(arn, "topic", arn.rsplit(":", 1)[-1])
        found.policies[arn] = client.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
    for subscription in pages(client, "list_subscriptions", "Subscriptions"):
        _deliver(found, subscription["TopicArn"], subscription["Endpoint"], "delivers to")


def _buckets(found: Census) -> None:
    client = boto3.client("s3")
    for bucket in client.list_buckets()["Buckets"]:
        name = bucket["Name"]
        arn = f"arn:aws:s3:::{name}"
        found.add(arn, "bucket", name)
        said = client.get_bucket_notification_configuration(Bucket=name)
        for kind, target in (("LambdaFunctionConfigurations", "LambdaFunctionArn"),
                             ("QueueConfigurations", "QueueArn"),
                             ("TopicConfigurations", "TopicArn")):
            for notification in said.get(kind, ()):
                _deliver(found, arn, notification[target], "notifies of "
                         + ", ".join(notification["Events"]))


def _rules(found: Census) -> None:
    client = boto3.client("events")
    for rule in pages(client, "list_rules", "Rules"):
        found.add(rule["Arn"], "rule", rule["Name"])
        when = rule.get("ScheduleExpression") or "a matching event"
        off = " (switched off)" if rule.get("State") == "DISABLED" else ""
        for target in pages(client, "list_targets_by_rule", "Targets", Rule=rule["Name"]):
            _deliver(found, rule["Arn"], target["Arn"], f"sends on {when}{off}")
            if dead := target.get("DeadLetterConfig", {}).get("Arn"):
                _deliver(found, rule["Arn"], dead, "sends what it couldn't deliver to")


def _log_groups(found: Census) -> None:
    client = boto3.client("logs")
    functions = {node.name: key for key, node in found.nodes.items() if node.kind == "function"}
    for group in pages(client, "describe_log_groups", "logGroups"):
        name, arn = group["logGroupName"], group["arn"].removesuffix(":*")
        found.add(arn, "log group", name)
        function = functions.get(name.removeprefix("/aws/lambda/"))
        if function and name.startswith("/aws/lambda/"):
            found.link(function, arn, "writes its log to", "uses")
        for subscribed in pages(client, "describe_subscription_filters", "subscriptionFilters",
                                logGroupName=name):
            _deliver(found, arn, subscribed["destinationArn"], "passes lines on to")


def _stores(found: Census) -> None:
    tables, streams = boto3.client("dynamodb"), boto3.client("kinesis")
    place = f"{found.region}:{found.account}"
    for name in pages(tables, "list_tables", "TableNames"):
        found.add(f"arn:aws:dynamodb:{place}:table/{name}", "table", name)
    for name in pages(streams, "list_streams", "StreamNames"):
        found.add(f"arn:aws:kinesis:{place}:stream/{name}", "stream", name)
    for instance in pages(boto3.client("rds"), "describe_db_instances", "DBInstances"):
        found.add(instance["DBInstanceArn"], "database", instance["DBInstanceIdentifier"])


# In this order: log groups look for their functions.
READERS: tuple[Callable[[Census], None], ...] = (
    _roles, _functions, _queues, _topics, _buckets, _rules, _log_groups, _stores)

# What AWS would check before a service hands something to a resource of another.
_DELIVERY = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


def _deliver(found: Census, source: str, target: str, what: str) -> None:
    parts = target.split(":")
    service = parts[2] if target.startswith("arn:") else ""
    node, name, qualifier = target, "", None
    if service == "lambda":  # arn:aws:lambda:region:account:function:name[:version or alias]
        node, name, qualifier = ":".join(parts[:7]), parts[6], ":".join(parts[7:])
        what += f" ({qualifier})" if qualifier else ""
        found.policies.setdefault(target, _function_policy(name, qualifier))
    found.edges.append(Edge(source, node, what, "call", _DELIVERY.get(service), None, target))


def _function_policy(name: str, qualifier: str) -> str | None:
    try:
        return boto3.client("lambda").get_policy(
            FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


# -- what was seen -------------------------------------------------------------------------------------

# A trace event -> the service, what the function did, what AWS would check.
_SEEN = {"message.sent": ("sqs", "sends to", "sqs:SendMessage"),
         "message.received": ("sqs", "receives from", "sqs:ReceiveMessage"),
         "message.deleted": ("sqs", "deletes from", "sqs:DeleteMessage"),
         "record.put": ("kinesis", "puts into", "kinesis:PutRecord"),
         "record.read": ("kinesis", "reads from", "kinesis:GetRecords"),
         "database.connected": ("rds", "connects to", None)}


def _seen_calls(found: Census, trace: Trace) -> None:
    """Calls that functions which are still there made of what is still there."""
    functions = {node.name: key for key, node in found.nodes.items() if node.kind == "function"}
    databases = {node.name: key for key, node in found.nodes.items() if node.kind == "database"}
    seen: dict[tuple[str, str, str], str | None] = {}
    for event in trace.select(*_SEEN):
        service, what, action = _SEEN[event.kind]
        # A service that sent it on the function's behalf is seen by its own subscriptions.
        if event.function not in functions or event.data.get("via", service) != service:
            continue
        target = event.data.get("queue") or event.data.get("stream") or databases.get(
            event.data.get("database"))
        if target in found.nodes:
            seen[functions[event.function], target, what] = action
    for (source, target, what), action in seen.items():
        found.link(source, target, what, "call", action)
