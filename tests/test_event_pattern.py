"""Event patterns by the examples of AWS's page, and by rules that hold for all of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.triggers.event_pattern import EventPattern, Refused, load

# From *Comparison operators for use in event patterns in Amazon EventBridge* and *Creating Amazon
# EventBridge event patterns*: the pattern, events that match, events that don't.
EXAMPLES = [
    ({"source": ["aws.ec2"]}, [{"source": "aws.ec2"}, {"source": ["aws.ec2", "x"]}],
     [{"source": "aws.s3"}, {}, {"source": None}, {"source": {"aws.ec2": 1}}]),
    ({"eventVersion": [""]}, [{"eventVersion": ""}], [{"eventVersion": "1"}, {}]),
    ({"detail": {"responseElements": [None]}}, [{"detail": {"responseElements": None}}],
     [{"detail": {"responseElements": ""}}, {"detail": {}}]),
    ({"time": [{"prefix": "2017-10-02"}]}, [{"time": "2017-10-02T18:43:48Z"}],
     [{"time": "2017-10-03"}, {"time": 2017}]),
    ({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}, [{"service": "EVENTBridge"}],
     [{"service": "xEventB"}]),
    ({"FileName": [{"suffix": ".png"}]}, [{"FileName": "a.png"}], [{"FileName": "a.PNG"}]),
    ({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}, [{"FileName": "a.PNG"}],
     [{"FileName": "a.jpg"}]),
    ({"detail-type": [{"equals-ignore-case": "ec2 instance state-change notification"}]},
     [{"detail-type": "EC2 Instance State-change Notification"}], [{"detail-type": "EC2"}]),
    ({"detail": {"state": [{"anything-but": "initializing"}]}}, [{"detail": {"state": "on"}}],
     [{"detail": {"state": "initializing"}}, {"detail": {}}]),
    ({"x": [{"anything-but": 123}]}, [{"x": 124}, {"x": "123"}], [{"x": 123}]),
    ({"x": [{"anything-but": ["stopped", "overloaded"]}]}, [{"x": "on"}], [{"x": "stopped"}]),
    ({"x": [{"anything-but": [100, 200, 300]}]}, [{"x": 150}], [{"x": 200}]),
    ({"x": [{"anything-but": {"equals-ignore-case": ["initializing", "stopped"]}}]}, [{"x": "on"}],
     [{"x": "Stopped"}, {"x": "INITIALIZING"}]),
    ({"x": [{"anything-but": {"prefix": "init"}}]}, [{"x": "on"}], [{"x": "initializing"}]),
    ({"x": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, [{"x": "a.png"}], [{"x": "a.rtf"}]),
    ({"x": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, [{"x": "/home/a"}],
     [{"x": "/usr/lib/a"}]),
    ({"detail": {"c-count": [{"numeric": [">", 0, "<=", 5]}], "d-count": [{"numeric": ["<", 10]}],
                 "x-limit": [{"numeric": ["=", 3.018e2]}]}},
     [{"detail": {"c-count": 5, "d-count": 9.9, "x-limit": 301.8}}],
     [{"detail": {"c-count": 0, "d-count": 9, "x-limit": 301.8}},
      {"detail": {"c-count": "1", "d-count": 9, "x-limit": 301.8}}]),
    ({"sourceIPAddress": [{"cidr": "10.0.0.0/24"}]}, [{"sourceIPAddress": "10.0.0.255"}],
     [{"sourceIPAddress": "10.0.1.0"}, {"sourceIPAddress": "ten"}]),
    ({"ip": [{"cidr": "2001:db8::/32"}]}, [{"ip": "2001:db8::1"}], [{"ip": "10.0.0.1"}]),
    ({"detail": {"state": [{"exists": True}]}}, [{"detail": {"state": "x"}},
                                                {"detail": {"state": None}}],
     [{"detail": {}}, {"detail": {"state": {"deeper": 1}}}, {"detail": {"state": []}}]),
    ({"detail": {"c": [{"exists": False}]}}, [{"detail": {}}, {}], [{"detail": {"c": 1}}]),
    ({"FileName": [{"wildcard": "dir/*.png"}]}, [{"FileName": "dir/a/b.png"}, {"FileName": "dir/.png"}],
     [{"FileName": "dir/a.jpg"}, {"FileName": "a/dir/b.png"}]),
    ({"FileName": [{"wildcard": "a\\*b*"}]}, [{"FileName": "a*bc"}], [{"FileName": "axb"}]),
    ({"detail": {"$or": [{"c-count": [{"numeric": [">", 0]}]}, {"d-count": [{"numeric": ["<", 10]}]},
                         {"x": [{"exists": False}]}]}},
     [{"detail": {"c-count": 1, "x": 1}}, {"detail": {"d-count": 1, "x": 1}}, {"detail": {}}],
     [{"detail": {"c-count": 0, "d-count": 11, "x": 1}}]),
    ({"source": ["s"], "$or": [{"a": ["1"]}, {"b": ["2"]}]}, [{"source": "s", "b": "2"}],
     [{"source": "t", "b": "2"}, {"source": "s"}]),
    ({"resources": ["b"]}, [{"resources": ["a", "b"]}, {"resources": [["b"]]}],
     [{"resources": ["a"]}, {"resources": []}]),
    # of an array's objects, one and the same has to match
    ({"a": {"b": ["1"], "c": ["2"]}}, [{"a": [{"b": "0"}, {"b": "1", "c": "2"}]}],
     [{"a": [{"b": "1", "c": "0"}, {"b": "0", "c": "2"}]}]),
    ({"x": [True]}, [{"x": True}], [{"x": "true"}, {"x": 1}, {"x": False}]),
    ({"x": ["a", {"prefix": "b"}, None]}, [{"x": "a"}, {"x": "bc"}, {"x": None}], [{"x": "c"}]),
]


def matches(pattern, event):
    return EventPattern.parse(json.dumps(pattern)).matches(load(json.dumps(event)))


@pytest.mark.parametrize(("pattern", "those", "others"), EXAMPLES,
                         ids=[json.dumps(example[0])[:60] for example in EXAMPLES])
def test_examples_of_aws(pattern, those, others):
    assert [event for event in those if not matches(pattern, event)] == []
    assert [event for event in others if matches(pattern, event)] == []


def test_numbers_are_compared_as_they_are_written_unless_compared_as_numbers():
    pattern = EventPattern.parse('{"x": [300]}')
    assert [pattern.matches(load(f'{{"x": {text}}}')) for text in ("300", "300.0", "3.0e2")] == [
        True, False, False]
    numeric = EventPattern.parse('{"x": [{"numeric": ["=", 300]}]}')
    assert all(numeric.matches(load(f'{{"x": {text}}}')) for text in ("300", "300.0", "3.0e2"))


@pytest.mark.parametrize(("pattern", "reason"), [
    ("nonsense", "Invalid JSON"), ("[]", "Filter is not an object"),
    ('{"x": NaN}', "Invalid JSON"),
    ('{"source": "aws.ec2"}', '"source" must be an object or an array'),
    ('{"source": []}', "Empty arrays are not allowed"), ('{"detail": {}}', "Empty objects"),
    ('{"x": [["a"]]}', "Match value must be String, number, true, false, or null"),
    ('{"x": [{"like": "a"}]}', "Unrecognized match type like"),
    ('{"x": [{"prefix": "a", "suffix": "b"}]}', "Only one key allowed in match expression"),
    ('{"x": [{"prefix": 1}]}', "prefix match pattern must be a string"),
    ('{"x": [{"suffix": {"equals": "a"}}]}', "suffix match pattern must be a string"),
    ('{"x": [{"exists": "true"}]}', "exists match pattern must be either true or false."),
    ('{"x": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters"),
    ('{"x": [{"wildcard": "a\\\\b"}]}', "Invalid escape character"),
    ('{"x": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR"),
    ('{"x": [{"cidr": "10.0.0.0/99"}]}', "Malformed CIDR"),
    ('{"x": [{"numeric": ">"}]}', "Value of numeric must be an array."),
    ('{"x": [{"numeric": []}]}', "Invalid member in numeric match"),
    ('{"x": [{"numeric": ["!", 1]}]}', "Unrecognized numeric range operator: !"),
    ('{"x": [{"numeric": [">", "1"]}]}', "Value of > must be numeric"),
    ('{"x": [{"numeric": [">"]}]}', "Value of > must be numeric"),
    ('{"x": [{"numeric": [">", 5, "<", 5]}]}', "Bottom must be less than top"),
    ('{"x": [{"numeric": ["<", 5, ">", 1]}]}', "Too many elements in numeric expression"),
    ('{"x": [{"numeric": [">", 6e9]}]}', "between -5.0E9 and 5.0E9"),
    ('{"x": [{"anything-but": [1, "a"]}]}', "mixed type is not supported"),
    ('{"x": [{"anything-but": [null]}]}', "start|null|boolean is not supported"),
    ('{"x": [{"anything-but": []}]}', "Empty arrays are not allowed"),
    ('{"x": [{"anything-but": {"numeric": [">", 1]}}]}', "Unsupported anything-but pattern: numeric"),
    ('{"$or": [{"x": ["a"]}]}', "at least 2 Objects in $or"),
])
def test_what_is_no_pattern(pattern, reason):
    with pytest.raises(Refused) as refused:
        EventPattern.parse(pattern)
    assert reason in str(refused.value)


LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab*é", max_size=4)
EVENTS = st.dictionaries(st.sampled_from("abc"), LEAVES | st.lists(LEAVES, max_size=3), max_size=3)
STRINGS = st.text("abé", max_size=3)
VALUES = LEAVES | st.one_of(
    st.builds(lambda operator, text: {operator: text},
              st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard"]), STRINGS),
    st.builds(lambda text: {"anything-but": text}, STRINGS | st.lists(STRINGS, min_size=1, max_size=2)),
    st.builds(lambda there: {"exists": there}, st.booleans()),
    st.builds(lambda low, more: {"numeric": [">=", low, "<", low + more]},
              st.integers(-9, 9), st.integers(1, 5)))
PATTERNS = st.dictionaries(st.sampled_from("abc"), st.lists(VALUES, min_size=1, max_size=3),
                           min_size=1, max_size=3)


@given(EVENTS, PATTERNS, PATTERNS)
def test_what_and_and_or_mean(event, one, two):
    """Members all have to match, values needn't; $or is or; more values never match less."""
    by_member = [matches({name: wanted}, event) for name, wanted in one.items()]
    assert matches(one, event) == all(by_member)
    for name, wanted in one.items():
        assert matches({name: wanted}, event) == any(
            matches({name: [value]}, event) for value in wanted)
    assert matches({"$or": [one, two]}, event) == (matches(one, event) or matches(two, event))


@given(st.text(max_size=6), st.text(max_size=6))
def test_strings_by_their_own_rules(text, part):
    event = {"x": text}
    assert matches({"x": [part]}, event) == (text == part)
    assert matches({"x": [{"prefix": part}]}, event) == text.startswith(part)
    assert matches({"x": [{"suffix": part}]}, event) == text.endswith(part)
    assert matches({"x": [{"anything-but": part}]}, event) == (text != part)
    assert matches({"x": [{"anything-but": {"prefix": part}}]}, event) == (not text.startswith(part))
    escaped = part.replace("\\", "\\\\").replace("*", "\\*")
    assert matches({"x": [{"wildcard": f"{escaped}*"}]}, event) == text.startswith(part)
    assert matches({"x": [{"wildcard": f"*{escaped}"}]}, event) == text.endswith(part)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
    st.sampled_from(["a", "$or", "prefix", "numeric", "exists", "anything-but", "cidr", "wildcard"]),
    inner, max_size=2), max_leaves=8), EVENTS)
def test_any_json_is_a_pattern_or_is_refused(pattern, event):
    try:
        parsed = EventPattern.parse(json.dumps(pattern))
    except Refused as refused:
        assert str(refused)
    else:
        assert parsed.matches(load(json.dumps(event))) in (True, False)
