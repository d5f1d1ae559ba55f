"""Why an edge of a topology can't work: its target is gone, or AWS would refuse the call.

Stands for: the checks that AWS makes of a resource policy, a role's policies and its trust policy.
AWS pages: *Policy evaluation logic*; *Defining Lambda function permissions with an execution role*.
Leaves out: what :mod:`~minilambda.views.policies` leaves out.
"""

from __future__ import annotations

from .policies import Request, Verdict, judge, listed, matches, statements
from .resources import Census, Edge, Node

# Who asks when a resource of this kind hands something on.
_SERVICES = {"bucket": "s3.amazonaws.com", "topic": "sns.amazonaws.com",
             "rule": "events.amazonaws.com", "log group": "logs.amazonaws.com"}
_LAMBDA = "lambda.amazonaws.com"


def check(found: Census) -> None:
    """Say of every edge what is wrong with it (``Edge.problem``), and add the roles' policy edges."""
    _permissions(found)
    for edge in found.edges:
        source, target = found.nodes[edge.source], found.nodes[edge.target]
        if target.missing:
            edge.problem = _gone(edge, target)
        elif not target.elsewhere:
            edge.problem = _refused(edge, source, target, found)


def _gone(edge: Edge, target: Node) -> str:
    what = f"{target.kind} {target.name}"
    if target.kind == "layer":
        return (f"{what} has been deleted: the function keeps its copy, but its configuration can't"
                " name the layer again")
    if target.kind == "role":
        return f"{what} doesn't exist: Lambda can't assume it, so no new environment would start"
    if edge.sort == "policy":
        return f"the policy names {what}, which doesn't exist"
    if edge.what.startswith("moves messages"):
        return f"{what} doesn't exist: what fails again and again has nowhere to go"
    return f"{what} doesn't exist: nothing arrives"


def _refused(edge: Edge, source: Node, target: Node, found: Census) -> str | None:
    if target.kind == "role":
        verdict = judge([found.trust[target.key]], Request("sts:AssumeRole", "*", _LAMBDA))
        return None if verdict in (Verdict.ALLOWED, Verdict.UNSURE) else (
            f"role {target.name} can't be assumed by Lambda: its trust policy doesn't let {_LAMBDA}"
            " do sts:AssumeRole")
    if edge.action is None or edge.sort == "policy":
        return None
    if source.kind == "function":
        return _by_role(edge, source, target, found)
    return _by_resource(edge, source, target, found)


def _by_role(edge: Edge, source: Node, target: Node, found: Census) -> str | None:
    role = next((e.target for e in found.edges
                 if e.source == source.key and e.action == "sts:AssumeRole"), None)
    if role not in found.roles:
        return None  # said at the role
    verdict = judge(found.roles[role], Request(edge.action, target.key))
    name = found.nodes[role].name
    if verdict is Verdict.DENIED:
        return (f"role {name} denies {edge.action} on {target.kind} {target.name}: AWS would refuse"
                " the call")
    if verdict is Verdict.SILENT:
        return (f"no policy of role {name} allows {edge.action} on {target.kind} {target.name}: AWS"
                " would refuse the call")
    return None


def _by_resource(edge: Edge, source: Node, target: Node, found: Census) -> str | None:
    service = _SERVICES[source.kind]
    resource = edge.resource or target.key
    request = Request(edge.action, resource, service, source.key, found.account)
    verdict = judge([found.policies.get(resource)], request)
    if verdict in (Verdict.ALLOWED, Verdict.UNSURE):
        return None
    why = "denies" if verdict is Verdict.DENIED else "doesn't allow"
    return (f"the policy of {target.kind} {target.name} {why} {edge.action} by {service} for"
            f" {source.kind} {source.name}: AWS would refuse it")


# -- what roles allow ---------------------------------------------------------------------------------


def _permissions(found: Census) -> None:
    """An edge from a role to each resource that a statement of its names, or names in vain."""
    used = {e.target for e in found.edges if e.action == "sts:AssumeRole"}
    for role in sorted(used & found.roles.keys()):
        allowed: dict[str, list[str]] = {}
        for statement in (s for document in found.roles[role] for s in statements(document)):
            if statement.get("Effect") != "Allow":
                continue
            actions = listed(statement.get("Action"))
            for pattern in listed(statement.get("Resource")):
                for key in _meant(pattern, actions, found):
                    kept = allowed.setdefault(key, [])
                    kept += [a for a in actions if a not in kept and _about(a, key)]
        for key, actions in sorted(allowed.items()):
            if key not in found.nodes:
                found.nodes[key] = _named(key)
            found.link(role, key, f"allows {', '.join(actions)}", "policy")


def _about(action: str, key: str) -> bool:
    return action == "*" or action.split(":")[0] == key.split(":")[2]


def _meant(pattern: str, actions: list[str], found: Census) -> list[str]:
    """The resources that a statement's pattern is about: those there are, or the one it names.

    A log group isn't drawn for the permission to write to it: every role should have that.
    """
    there = [key for key, node in found.nodes.items()
             if node.kind not in ("role", "layer", "rule", "log group", "endpoint")
             and not (node.missing or node.elsewhere) and any(_about(action, key) for action in actions)
             and (matches(pattern, key) or matches(_whole(pattern), key))]
    if there or "*" in pattern or "?" in pattern or pattern.count(":") < 5:
        return there
    return [pattern] if pattern.split(":")[2] in ("sqs", "sns", "kinesis", "dynamodb") and any(
        _about(action, pattern) for action in actions) else []


def _whole(pattern: str) -> str:
    """A bucket's objects, or a table's indexes, stand for the bucket and the table."""
    return pattern.split("/")[0] if ":s3:::" in pattern else pattern.split("/index/")[0]


def _named(key: str) -> Node:
    kinds = {"sqs": "queue", "sns": "topic", "kinesis": "stream", "dynamodb": "table"}
    return Node(key, kinds[key.split(":")[2]], key.rsplit(":", 1)[-1].rsplit("/", 1)[-1],
                missing=True)
