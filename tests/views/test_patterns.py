"""Patterns of traffic: how many requests, in order, within their time, the same for a seed."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minilambda.views import patterns

rates = st.floats(0.1, 50)
lengths = st.floats(0.5, 60)
seeds = st.integers(0, 2**32)


def check(pattern):
    """What is true of any pattern."""
    assert list(pattern.instants) == sorted(pattern.instants)
    assert all(0 <= instant < pattern.seconds for instant in pattern.instants)
    groups = pattern.groups()
    assert [at for at, _ in groups] == sorted({at for at, _ in groups})
    assert sum(callers for _, callers in groups) == len(pattern.instants)
    assert f"{len(pattern.instants):,} requests" in repr(pattern)


@given(rates, lengths)
def test_constant(rate, seconds):
    pattern = patterns.constant(rate, seconds)
    check(pattern)
    assert len(pattern.instants) == math.ceil(round(rate * seconds, 6))
    gaps = [b - a for a, b in zip(pattern.instants, pattern.instants[1:], strict=False)]
    assert all(gap == pytest.approx(1 / rate, abs=3e-6) for gap in gaps)


@given(st.floats(0, 50), st.floats(0, 50), lengths)
def test_ramp(first, last, seconds):
    assume(max(first, last) > 0.1)
    pattern = patterns.ramp(first, last, seconds)
    check(pattern)
    assert abs(len(pattern.instants) - (first + last) / 2 * seconds) <= 1
    assume(abs(last - first) * seconds > 20)
    early = sum(instant < seconds / 2 for instant in pattern.instants)
    assert (early < len(pattern.instants) / 2) == (first < last)


@given(st.integers(1, 50), st.floats(0.1, 5), lengths)
def test_burst(callers, every, seconds):
    assume(callers * seconds / every < patterns.MOST / 2)
    pattern = patterns.burst(callers, every, seconds)
    check(pattern)
    assert {came for _, came in pattern.groups()} == {callers}


@given(rates, rates, st.floats(0, 20), st.floats(0.5, 20), st.floats(0, 20))
def test_spike(rate, peak, at, length, rest):
    pattern = patterns.spike(rate, peak, at + length + rest, at, length)
    check(pattern)
    inside = sum(at <= instant < at + length for instant in pattern.instants)
    assert abs(inside - peak * length) <= 2
    assert abs(len(pattern.instants) - inside - rate * (at + rest)) <= 3


@given(rates, lengths, seeds)
def test_poisson(rate, seconds, seed):
    pattern = patterns.poisson(rate, seconds, seed)
    check(pattern)
    assert pattern == patterns.poisson(rate, seconds, seed)
    expected = rate * seconds
    assert abs(len(pattern.instants) - expected) < 8 * math.sqrt(expected) + 8


@given(st.floats(0, 5), st.floats(1, 20), lengths, seeds)
def test_daily(low, more, seconds, seed):
    pattern = patterns.daily(low, low + more, seconds, seed)
    check(pattern)
    assert pattern == patterns.daily(low, low + more, seconds, seed)
    expected = (low + more / 2) * seconds
    assert abs(len(pattern.instants) - expected) < 8 * math.sqrt(expected) + 8


def test_a_day_has_its_night_and_its_noon():
    day = patterns.daily(0, 0.1, seed=1)
    assert day.seconds == 86_400
    night = sum(instant < 10_800 or instant >= 75_600 for instant in day.instants)
    noon = sum(32_400 <= instant < 54_000 for instant in day.instants)
    assert noon > 5 * night > 0


def test_another_seed_is_another_trace():
    assert patterns.poisson(5, 30, 1) != patterns.poisson(5, 30, 2)
    assert patterns.daily(1, 5, 60, 1) != patterns.daily(1, 5, 60, 2)


def test_examples():
    assert patterns.constant(2, 3).instants == (0, 0.5, 1, 1.5, 2, 2.5)
    assert patterns.burst(3, every=2, seconds=4).groups() == [(0, 3), (2, 3)]
    assert patterns.ramp(0, 2, 4).instants == (0, 2, 2.828427, 3.464102)
    assert repr(patterns.burst(5, 1, 10)) == "burst, 5 at once every 1 s: 50 requests in 10 s"


@pytest.mark.parametrize("make, says", [
    (lambda: patterns.constant(0, 5), "rate must be greater than 0"),
    (lambda: patterns.constant(5, -1), "seconds must be greater than 0"),
    (lambda: patterns.constant(5, math.inf), "seconds must be greater than 0"),
    (lambda: patterns.constant(1000, 100), "100,000 requests are too many: 20,000"),
    (lambda: patterns.poisson(1000, 100), "too many"),
    (lambda: patterns.burst(1.5, 1, 1), "whole number"),
    (lambda: patterns.burst(20_001, 1, 1), "too many"),
    (lambda: patterns.ramp(-1, 5, 5), "at least 0"),
    (lambda: patterns.ramp(0, 0, 5), "greater than 0"),
    (lambda: patterns.spike(1, 5, 10, 8, 3), "must lie within 0-10 s"),
    (lambda: patterns.daily(5, 5), "less than high"),
])
def test_what_is_no_pattern_is_refused_in_words(make, says):
    with pytest.raises(ValueError, match=says):
        make()
