"""What rules make of an event for their targets, by the examples of AWS's page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.triggers.target_input import Facts, Refused, check, made_of

FACTS = Facts("arn:aws:events:eu-west-2:123456789012:rule/example", "example", "2015-11-11T21:29:54.555Z")
EVENT = {
    "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
    "account": "123456789012", "time": "2015-11-11T21:29:54Z", "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "tags": {"a": [1, "b"]}}}
PATHS = {"instance": "$.detail.instance-id", "state": "$.detail.state", "account": "$.account",
         "tags": "$.detail.tags", "nothing": "$.detail.missing", "first": "$.resources[0]"}


def made(template, paths=PATHS):
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    check(target)
    return made_of(target, EVENT, FACTS)


@pytest.mark.parametrize(("template", "result"), [
    ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
    ('{"instance": <instance>, "state": <state>}', '{"instance": "i-0123456789", "state": "RUNNING"}'),
    ('{"instance": "<instance>", "say": "it is \\"<state>\\""}',
     '{"instance": "i-0123456789", "say": "it is \\"RUNNING\\""}'),
    ('{"tags": <tags>, "text": "<tags>"}', '{"tags": {"a":[1,"b"]}, "text": "{a:[1,b]}"}'),
    ('{"nothing": <nothing>, "text": "<nothing>"}', '{"nothing": null, "text": ""}'),
    ("instance <instance> of <account>\nis <state>", "instance i-0123456789 of 123456789012\nis RUNNING"),
    ('["<first>", <aws.events.rule-name>]',
     '["arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789", "example"]'),
    ('{"at": <aws.events.event.ingestion-time>, "rule": "<aws.events.rule-arn>"}',
     f'{{"at": "{FACTS.ingested}", "rule": "{FACTS.rule_arn}"}}'),
])
def test_templates(template, result):
    assert made(template) == result


def test_the_whole_event_in_a_template():
    assert json.loads(made('{"all": <aws.events.event.json>}'))["all"] == EVENT
    whole = json.loads(made('{"head": <aws.events.event>}'))["head"]
    assert whole == {name: value for name, value in EVENT.items() if name != "detail"}


def test_all_a_part_or_something_fixed():
    assert json.loads(made_of({}, EVENT, FACTS)) == EVENT
    assert made_of({"InputPath": "$.detail.tags"}, EVENT, FACTS) == '{"a":[1,"b"]}'
    assert made_of({"InputPath": "$.detail.state"}, EVENT, FACTS) == '"RUNNING"'
    assert made_of({"Input": '{"fixed": 1}'}, EVENT, FACTS) == '{"fixed": 1}'


@pytest.mark.parametrize(("target", "words"), [
    ({"Input": "{", }, "JSON syntax error in Input"),
    ({"Input": "1", "InputPath": "$.x"}, "Only one of Input, InputPath, or InputTransformer"),
    ({"InputPath": "detail"}, "Invalid JsonPath"), ({"InputPath": "$.["}, "Invalid JsonPath"),
    ({"InputTransformer": {"InputTemplate": '{"a": <b>}'}}, "contains placeholder b"),
    ({"InputTransformer": {"InputPathsMap": {"b": "$.b"}, "InputTemplate": '{"a": <b>'}}, "no JSON"),
    ({"InputTransformer": {"InputPathsMap": {"aws.x": "$.b"}, "InputTemplate": '"x"'}}, "invalid key"),
    ({"InputTransformer": {"InputPathsMap": {str(n): "$.b" for n in range(101)},
                           "InputTemplate": '"x"'}}, "more than 100"),
])
def test_what_is_refused(target, words):
    with pytest.raises(Refused) as refused:
        check(target)
    assert words in str(refused.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6))
def test_whatever_a_path_leads_to_a_template_stays_json(value):
    event = {"detail": {"x": value}}
    target = {"InputTransformer": {"InputPathsMap": {"x": "$.detail.x"},
                                   "InputTemplate": '{"as it is": <x>}'}}
    assert json.loads(made_of(target, event, FACTS)) == {"as it is": value}
    target = {"InputTransformer": {"InputPathsMap": {"x": "$.detail.x"},
                                   "InputTemplate": '{"as text": "<x>"}'}}
    if isinstance(value, str):
        assert json.loads(made_of(target, event, FACTS)) == {"as text": value}
