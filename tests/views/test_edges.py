"""Every row of the limits table is tried at its edge, or the table says why not."""

import boto3
import pytest

from minilambda import Cloud, limits, views
from minilambda.views.edges import Edge, NotHere, Try
from minilambda.views.edges.bench import Bench, Past, attempt
from minilambda.views.edges.table import ABSENT, FACTS, GROUPS, TRIALS, Edges, Line

ROWS = {row.what: row for row in limits.table()}
HEAVY = {"Code storage of a region"}  # in one profile is enough: its figures are the same in both


@pytest.fixture(scope="module", params=limits.PROFILES)
def cloud(request):
    with Cloud(durations="modelled", limits=request.param) as cloud:
        yield cloud


def test_every_row_is_tried_or_named_once():
    named = [*TRIALS, *FACTS, *ABSENT]
    assert sorted(named) == sorted(ROWS), "a row of limits.toml needs a trial, or a reason for none"


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_the_edge_is_where_the_table_says(cloud, name):
    if name in HEAVY and cloud.limits.profile != "course":
        assert ROWS[name].course == ROWS[name].today
        return
    [line] = views.edges(cloud, name).lines
    assert line.says == getattr(ROWS[name], cloud.limits.profile)
    found = [tried for tried in line.tried if isinstance(tried, Edge)]
    assert found, "a trial with nothing but excuses belongs below ABSENT"
    for edge in found:
        assert edge.held, edge
        # Only a profile that has no such limit may have no other side.
        assert edge.past or (name == "Recursion" and not cloud.limits.recursion_max)
        assert edge.past is None or "NotImplemented" not in edge.past.said


def test_a_cloud_is_left_as_it_was(cloud):
    def there():
        lam = boto3.client("lambda")
        return (lam.list_functions()["Functions"], lam.list_layers()["Layers"],
                lam.list_event_source_mappings()["EventSourceMappings"],
                boto3.client("sqs").list_queues().get("QueueUrls", []),
                boto3.client("s3").list_buckets()["Buckets"],
                boto3.client("iam").list_roles()["Roles"],
                lam.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])

    before = there()
    views.edges(cloud, "Layers of a function", "SQS batch", "Must stay unreserved")
    assert there() == before


def test_trying_again_finds_the_same(cloud):
    """What a former try left in trace, rates and logs has no part in the next."""
    names = ("Recursion", "Asynchronous: throttles and 5xx", "Scaling rate")
    first = views.edges(cloud, *names)
    assert all(edge.held for edge in first.edges)
    assert repr(views.edges(cloud, *names)) == repr(first)
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    assert not [group for group in groups if "edges-" in group["logGroupName"]]


def test_profiles_differ_in_what_is_tried():
    said = {}
    for profile in limits.PROFILES:
        with Cloud(durations="modelled", limits=profile) as cloud:
            table = views.edges(cloud, "Memory", "Timeout", "Billing step", changed=True)
            said[profile] = [(line.row.what, [e.inside.size for e in line.tried if e.part == "most"])
                             for line in table.lines]
    assert said == {"course": [("Memory", ["3,008 MB"]), ("Billing step", [])],
                    "today": [("Memory", ["10,240 MB"]), ("Billing step", [])]}


def test_a_group_is_its_rows_and_an_unknown_name_says_what_there_is(cloud):
    shown = [line.row.what for line in views.edges(cloud, "no limits", "Price (x86)").lines]
    assert shown == list(GROUPS["no limits"])
    with pytest.raises(ValueError, match="no limit 'Memry'; there is: 'Memory'"):
        views.edges(cloud, "Memry")


def test_a_limit_that_does_not_hold_is_seen(cloud):
    """The judge can find against: nothing here is true because it is written down."""
    def fine():
        pass

    def refused():
        raise Past("the function said so")

    with Bench(cloud) as bench:
        assert not bench.edge("", "1", fine, "2", fine).held
        assert not bench.edge("", "1", refused, "2", refused).held
        assert not bench.edge("", "1", refused, "2", fine).held
        assert bench.edge("", "1", fine, "2", refused).held
    assert attempt("2", refused) == Try("2", "the function said so", True)


def test_text_and_page_say_the_same():
    row = limits.Row("Weight", "9 <kg>", "9 <kg>", "kg", "No page")
    edge = Edge("most", Try("9 kg", "accepted", False), Try("10 kg", "Heavy: <10>", True))
    table = Edges("course", [
        Line(row, row.course, [edge, NotHere("rest", "too heavy")]),
        Line(row, row.course, [Edge("", Try("1", "accepted", False), None)]),
        Line(row, row.course, why="a price")])
    assert repr(table).splitlines() == [
        "Weight: 9 <kg>", "  most: 9 kg: accepted", "  most: 10 kg: Heavy: <10>",
        "  rest: not tried: too heavy", "Weight: 9 <kg>", "  1: accepted", "  no limit",
        "Weight: 9 <kg> (not tried: a price)"]
    html = table._repr_html_()
    assert "course limits: 2 edges tried, 2 hold" in html
    for part in ("9 &lt;kg&gt;", "most: 9 kg", "<code>Heavy: &lt;10&gt;</code>", "No limit.",
                 "rest: not tried: too heavy.", "Not tried: a price."):
        assert part in html
    assert "<10>" not in html
