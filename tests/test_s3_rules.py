"""Which configurations of a bucket may stand side by side, against an oracle that tries every key."""

import itertools

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.triggers.s3_rules import EVENT_TYPES, Refused, Rule, check_together, rule

KEYS = ["".join(key) for length in range(6) for key in itertools.product("ab", repeat=length)]
texts = st.text("ab", max_size=2)
types = st.lists(st.sampled_from(["s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy",
                                  "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete"]),
                 min_size=1, max_size=2).map(tuple)
rules = st.builds(Rule, st.just("id"), st.just("arn:aws:sqs:r:1:q"), types, texts, texts)


def event_for_both(one, other):
    return any(one.matches(event, key) and other.matches(event, key)
               for event in set().union(*EVENT_TYPES.values()) for key in KEYS)


@given(rules, rules)
def test_configurations_overlap_exactly_if_one_event_could_be_for_both(one, other):
    if not event_for_both(one, other):
        check_together([one, other])
        return
    with pytest.raises(Refused) as refused:
        check_together([one, other])
    assert refused.value.message.startswith(
        "Configuration is ambiguously defined." if any(r.prefix + r.suffix for r in (one, other))
        else "Configurations overlap.")


def test_all_event_types_of_the_api_but_the_newest_are_there():
    known = set(botocore.session.get_session().get_service_model("s3").shape_for("Event").enum)
    assert known - set(EVENT_TYPES) <= {"s3:ObjectAnnotation:*", "s3:ObjectAnnotation:Put",
                                        "s3:ObjectAnnotation:Delete", "s3:ObjectRetention:Put"}
    assert set(EVENT_TYPES) <= known


@pytest.mark.parametrize("filters, words", [
    ([("infix", "a")], "filter rule name must be either prefix or suffix"),
    ([("prefix", "a"), ("Prefix", "b")], "Cannot specify more than one prefix rule in a filter."),
    ([("suffix", "a"), ("suffix", "a")], "Cannot specify more than one suffix rule in a filter."),
    ([("prefix", "")], "filter value cannot be empty"),
    ([("prefix", "é" * 513)], "Size of filter rule value cannot exceed 1024 bytes"),
])
def test_filters_that_cannot_be(filters, words):
    with pytest.raises(Refused, match=words):
        rule("id", "arn", ["s3:ObjectCreated:*"], filters)
    assert rule("id", "arn", ["s3:ObjectCreated:*"], [("Prefix", "é" * 512)]).prefix == "é" * 512
