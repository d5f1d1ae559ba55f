"""Filter policies of SNS: AWS's own examples, and rules that hold for any."""

import json
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.triggers.sns_filter import ATTRIBUTES, BODY, FilterPolicy, Refused, check


def lets(policy, body=None, **attributes):
    """By the body; or by attributes: a text, a number, or a list as String.Array."""
    if body is not None:
        return FilterPolicy(policy, BODY).matches({}, json.dumps(body))
    return FilterPolicy(policy).matches({name: (
        {"Type": "String", "Value": value} if isinstance(value, str) else
        {"Type": "String.Array", "Value": json.dumps(value)} if isinstance(value, list) else
        {"Type": "Number", "Value": str(value)}) for name, value in attributes.items()}, "text")


SPORT = [
    (["rugby", "tennis"], "rugby", True), (["rugby", "tennis"], "tennis", True),
    (["rugby", "tennis"], ["rugby", "tennis"], True), (["rugby", "tennis"], "baseball", False),
    (["rugby", "tennis"], ["baseball"], False), (["rugby"], "Rugby", False),
    ([{"anything-but": ["rugby", "tennis"]}], "baseball", True),
    ([{"anything-but": ["rugby", "tennis"]}], "rugby", False),
    ([{"anything-but": ["rugby", "tennis"]}], ["rugby", "baseball"], True),
    ([{"anything-but": ["rugby", "tennis"]}], ["rugby"], False),
    ([{"anything-but": "rugby"}], "tennis", True), ([{"anything-but": "rugby"}], "rugby", False),
    ([{"anything-but": {"prefix": "order-"}}], "data-entry", True),
    ([{"anything-but": {"prefix": "order-"}}], "order-cancelled", False),
    ([{"equals-ignore-case": "Tennis"}], "TENNIS", True),
    ([{"equals-ignore-case": "tennis"}], "tenniS!", False),
    ([{"cidr": "10.0.0.0/24"}], "10.0.0.255", True), ([{"cidr": "10.0.0.0/24"}], "10.1.1.0", False),
    ([{"cidr": "10.0.0.0/24"}], "home", False), ([{"cidr": "2001:db8::/32"}], "2001:db8::1", True),
    ([{"prefix": "bas"}], "baseball", True), ([{"prefix": "bas"}], "rugby", False),
    ([{"suffix": "ball"}], "baseball", True), ([{"suffix": "ball"}], "rugby", False),
    ([301.5], 301.5, True), ([301.5], 301.51, False), ([301.5], [301.5, 1], True),
    ([301.5], 301.500001, True), ([{"numeric": ["=", 301.5]}], 3.015e2, True),
    ([{"anything-but": [100, 500]}], 101, True), ([{"anything-but": [100, 500]}], 100, False),
    ([{"numeric": [">", 0, "<=", 150]}], 150, True), ([{"numeric": [">", 0, "<=", 150]}], 0, False),
    ([{"numeric": ["<", 2]}], "1", False), (["1"], 1, False), ([1], "1", False),
    ([{"exists": True}], "x", True), ([{"exists": False}], "x", False),
    (["a", {"prefix": "b"}], "bc", True)]


@pytest.mark.parametrize("rules, value, matches", SPORT)
def test_one_property_in_an_attribute_and_in_a_body(rules, value, matches):
    assert lets({"p": rules}, p=value) == matches
    assert lets({"p": rules}, {"p": value}) == matches


def test_a_property_that_is_not_there():
    assert lets({"p": [{"exists": False}]}, q="x") and lets({"p": [{"exists": False}]}, {"q": 1})
    for rule in ("x", {"exists": True}, {"anything-but": "x"}, {"prefix": ""}, None):
        assert not lets({"p": [rule]}, q="x") and not lets({"p": [rule]}, {"q": 1})
    assert lets({"p": [{"anything-but": "x"}, {"exists": False}]}, q="x")


def test_and_and_or():
    policy = {"source": ["aws.cloudwatch"], "$or": [{"metric": ["CPU"]}, {"space": ["AWS/EC2"]}]}
    assert lets(policy, source="aws.cloudwatch", metric="CPU")
    assert lets(policy, {"source": "aws.cloudwatch", "space": "AWS/EC2"})
    assert not lets(policy, source="aws.cloudwatch", metric="Latency")
    assert not lets(policy, metric="CPU")
    nested = {"detail": {"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}}
    assert lets(nested, {"detail": {"b": 2, "c": 3}}) and not lets(nested, {"detail": {"b": 2}})


def test_nested_bodies_and_arrays():
    policy = {"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}},
                          "eventName": [{"prefix": "ObjectCreated:"}]}}
    assert lets(policy, {"Records": [{"eventName": "ObjectRemoved:Delete"},
                                     {"eventName": "ObjectCreated:Put",
                                      "s3": {"object": {"key": "auto-0001"}}}]})
    assert not lets(policy, {"Records": [{"eventName": "ObjectCreated:Put"}]})
    assert not lets(policy, {"Records": []}) and not lets(policy, {"Records": "x"})
    assert lets({"a.b": [1]}, {"a": {"b": 1}}) and lets({"a": {"b": [1]}}, {"a.b": 1})
    assert lets({"a": [True, None]}, {"a": None}) and not lets({"a": [True]}, {"a": 1})
    assert lets({"xs": {"a": [{"exists": False}]}}, {"xs": [{"a": 1}, {"b": 2}]})
    assert not lets({"xs": {"a": [{"exists": False}]}}, {"xs": [{"a": 1}, {"a": 2}]})


@pytest.mark.parametrize("message", ["text", "[1]", '"x"', "{"])
def test_a_body_that_is_no_object_matches_nothing(message):
    assert not FilterPolicy({"a": [{"exists": False}]}, BODY).matches({}, message)
    assert FilterPolicy({}, BODY).matches({}, message)


def test_binary_attributes_count_for_nothing():
    attributes = {"p": {"Type": "Binary", "Value": "eA=="}}
    assert not FilterPolicy({"p": [{"exists": True}]}).matches(attributes, "")


@pytest.mark.parametrize("policy, words", [
    ([], "must be a JSON object"),
    ({"a": "x"}, '"a" must be an object or an array'),
    ({"a": []}, "Empty arrays are not allowed"),
    ({"a": {"b": ["x"]}}, "Filter policy scope MessageAttributes does not support nested"),
    ({name: ["x"] for name in "abcdef"}, "can not have more than 5 keys"),
    ({"a": ["x"] * 13, "b": ["x"] * 12}, "too complex"),
    ({"a": [["x"]]}, "Match value must be String, number, true, false, or null"),
    ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed"),
    ({"a": [{"starts": "x"}]}, "Unrecognized match type starts"),
    ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
    ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
    ({"a": [{"anything-but": {"suffix": "x"}}]}, "Unsupported anything-but pattern: suffix"),
    ({"a": [{"anything-but": {"prefix": 1}}]}, "prefix match pattern must be a string"),
    ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
    ({"a": [{"numeric": [1]}]}, "Invalid member in numeric match: 1"),
    ({"a": [{"numeric": ["!", 1]}]}, "Unrecognized numeric range operator: !"),
    ({"a": [{"numeric": ["=", "1"]}]}, "Value of equals must be numeric"),
    ({"a": [{"numeric": ["<", 1, ">", 2]}]}, "Too many elements in numeric expression"),
    ({"a": [{"numeric": [">", 1, 2]}]}, "Bad value in numeric range: 2"),
    ({"a": [{"numeric": [">", 1, ">", 2]}]}, "Bad numeric range operator: >"),
    ({"a": [{"numeric": [">", 1, "<"]}]}, "Value of < must be numeric"),
    ({"a": [{"numeric": [">", 2, "<", 2]}]}, "Bottom must be less than top"),
    ({"a": [{"numeric": [">", 1, "<", 2, "<", 3]}]}, "Too many terms in numeric range"),
    ({"a": [{"cidr": 1}]}, "prefix match pattern must be a string"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
    ({"a": [{"cidr": "10.0.0.0/x"}]}, "mask bits must be an integer"),
    ({"a": [{"cidr": "10.0.0/8"}]}, "Nonstandard IP address: 10.0.0")])
def test_refused(policy, words):
    with pytest.raises(Refused) as refused:
        check(policy, ATTRIBUTES)
    assert words in str(refused.value)


def test_the_count_of_combinations():
    """AWS's example: 4 values three deep and 3 values two deep are 72."""
    deep = {"key_a": {"key_b": {"key_c": ["1", "2", "3", "4"]}}, "key_d": {"key_e": ["1", "2", "3"]}}
    check(deep, BODY)
    check(deep | {"x": ["1", "2"]}, BODY)
    with pytest.raises(Refused):
        check(deep | {"x": ["1", "2", "3"]}, BODY)


words = st.text(ascii_lowercase, min_size=1, max_size=3)
simple = words | st.integers(-5, 5) | st.booleans() | st.none()


@given(st.lists(simple, min_size=1, max_size=4), simple)
def test_anything_but_is_the_opposite_of_a_list(listed, value):
    if value is not None:  # which no operator matches
        assert lets({"p": [{"anything-but": listed}]}, {"p": value}) != lets({"p": listed}, {"p": value})


@given(st.dictionaries(words, st.lists(simple, min_size=1, max_size=2), max_size=4),
       st.dictionaries(words, simple, max_size=4))
def test_more_properties_let_less_through(policy, body):
    assert lets(policy, body) == all(lets({name: rules}, body) for name, rules in policy.items())
    for name in policy:
        if lets(policy, body):
            assert lets({n: r for n, r in policy.items() if n != name}, body)


bodies = st.recursive(simple, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    words, inner, max_size=3), max_leaves=10)


@given(st.dictionaries(words, bodies, max_size=3), words)
def test_a_property_exists_or_is_missing_somewhere(body, name):
    there, missing = lets({name: [{"exists": True}]}, body), lets({name: [{"exists": False}]}, body)
    assert there or missing
    if not isinstance(body.get(name), list | dict):
        assert there == (name in body) and missing != there
