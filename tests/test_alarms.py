"""Metric alarms' rules: AWS's tables word for word, and a naive model for the rest."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.alarms import Point, Rule, Sample, judge, percentile, points

END = datetime(2020, 3, 2, 9, 5, tzinfo=UTC)
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def make(needed=None, periods=3, treat="missing", **others):
    return Rule(**{"period": 60, "evaluation_periods": periods, "datapoints_to_alarm": needed,
                   "threshold": 5.0, "comparison": "GreaterThanThreshold", "statistic": "Sum",
                   "treat_missing_data": treat} | others)


def row(text):
    """AWS's notation: X breaches, 0 doesn't, - is missing; the newest is last."""
    marks = text.split()
    return [None if mark == "-" else Point(END - timedelta(minutes=len(marks) - n),
                                           9.0 if mark == "X" else 1.0, 1.0)
            for n, mark in enumerate(marks)]


# Page "Configuring how CloudWatch alarms treat missing data"; None: retain the current state
@pytest.mark.parametrize("needed, data, states", [
    (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
    (3, "- - - - 0", ("OK", "OK", "OK", "OK")),
    (3, "- - - - -", ("INSUFFICIENT_DATA", None, "ALARM", "OK")),
    (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (3, "- - X - -", ("ALARM", None, "ALARM", "OK")),
    (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
    (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
    (2, "- - - X -", ("ALARM", None, "ALARM", "OK")),
])
def test_documented_tables(needed, data, states):
    for treat, state in zip(TREATMENTS, states, strict=True):
        assert judge(make(needed, treat=treat), row(data), END).state == state, treat


def test_a_young_breach_among_missing_data_changes_nothing_yet():
    assert judge(make(3), row("- - - X X"), END).state is None
    assert judge(make(3), row("- - X X -"), END).state == "ALARM"


def naive(marks, needed, periods, treat):
    """The page's sentences, one by one."""
    real = [m for m in marks if m != "-"]
    if len(real) >= periods:  # "the value you set for missing data is not needed and is ignored"
        considered = real[-periods:]
        return "ALARM" if considered.count("X") >= needed else "OK"
    filled = real + ["-"] * (periods - len(real))
    if treat == "breaching":
        filled = ["X" if m == "-" else m for m in filled]
    if treat == "notBreaching":
        filled = ["0" if m == "-" else m for m in filled]
    if filled.count("X") >= needed:
        return "ALARM"
    if "-" not in filled or "0" in filled:
        return "OK"
    if treat == "ignore":
        return None
    if "X" not in filled:
        return "INSUFFICIENT_DATA"
    oldest = marks.index("X")
    return "ALARM" if len(marks) - oldest >= needed else None


@given(st.data(), st.integers(1, 6), st.sampled_from(TREATMENTS))
def test_m_of_n_as_a_naive_model_says(data, periods, treat):
    needed = data.draw(st.integers(1, periods))
    marks = data.draw(st.lists(st.sampled_from("X0-"), min_size=periods + 2, max_size=periods + 2))
    verdict = judge(make(needed, periods, treat), row(" ".join(marks)), END)
    assert verdict.state == naive(marks, needed, periods, treat)


@pytest.mark.parametrize("comparison, breaching", [
    ("GreaterThanThreshold", [6]), ("GreaterThanOrEqualToThreshold", [5, 6]),
    ("LessThanThreshold", [4]), ("LessThanOrEqualToThreshold", [4, 5])])
def test_comparisons(comparison, breaching):
    rule = make(comparison=comparison)
    assert [value for value in (4, 5, 6) if rule.breaches(value)] == breaching


single = st.floats(-1e6, 1e6).map(lambda v: Sample(1, v, v, v))


@given(st.lists(st.tuples(st.integers(-400, 10), single), max_size=30), st.integers(1, 3),
       st.sampled_from(["Sum", "Average", "Minimum", "Maximum", "SampleCount"]))
def test_statistics_by_period(data, periods, statistic):
    rule = make(periods=periods, statistic=statistic)
    samples = [(END + timedelta(seconds=second), sample) for second, sample in data]
    found = points(rule, samples, END)
    assert len(found) == periods + 2
    for number, point in enumerate(reversed(found), 1):
        values = [s.total for at, s in samples
                  if END - timedelta(minutes=number) <= at < END - timedelta(minutes=number - 1)]
        if not values:
            assert point is None
            continue
        assert point.at == END - timedelta(minutes=number) and point.samples == len(values)
        exact = {"Sum": sum(map(Fraction, values)), "Average": sum(map(Fraction, values)) / len(values),
                 "Minimum": min(values), "Maximum": max(values), "SampleCount": len(values)}[statistic]
        assert point.value == pytest.approx(float(exact), rel=1e-9, abs=1e-6)


def test_statistic_sets_count_as_what_they_sum_up():
    sets = [(END - timedelta(seconds=5), Sample(3, 12.0, 1.0, 8.0)),
            (END - timedelta(seconds=4), Sample(1, 2.0, 2.0, 2.0))]
    values = {name: points(make(statistic=name), sets, END)[-1].value
              for name in ("Sum", "Average", "Minimum", "Maximum", "SampleCount")}
    assert values == {"Sum": 14, "Average": 3.5, "Minimum": 1, "Maximum": 8, "SampleCount": 4}
    assert points(make(statistic="p90"), sets, END)[-1] is None  # they have no percentiles
    one_value = [(END - timedelta(seconds=5), Sample(3, 12.0, 4.0, 4.0))]
    assert points(make(statistic="p90"), one_value, END)[-1].value == 4.0


def test_percentiles_lie_between_values():
    values = [(float(n), 1) for n in range(1, 101)]
    assert percentile(values, 0) == 1 and percentile(values, 100) == 100
    assert percentile(values, 50) == 50.5
    assert percentile(values, 99) == pytest.approx(99.01)
    assert percentile([(7.0, 3)], 95) == 7 and percentile([], 50) is None
    assert percentile([(1.0, 9), (2.0, 1)], 50) == 1


def test_a_percentile_of_too_few_samples_may_be_ignored():
    few = [(END - timedelta(seconds=n), Sample(1, 9.0, 9.0, 9.0)) for n in range(1, 21)]
    rule = make(periods=1, statistic="p90")
    careful = make(periods=1, statistic="p90", low_samples_ignored=True)
    assert judge(rule, points(rule, few, END), END).state == "ALARM"
    assert judge(careful, points(careful, few, END), END).state is None  # 100 are needed
    enough = [few[0]] * 100
    assert judge(careful, points(careful, enough, END), END).state == "ALARM"


@pytest.mark.parametrize("rule, data, reason", [
    (make(periods=1), "- - X", "Threshold Crossed: 1 datapoint [9.0 (02/03/20 09:04:00)] was greater "
     "than the threshold (5.0)."),
    (make(periods=1), "- - 0", "Threshold Crossed: 1 datapoint [1.0 (02/03/20 09:04:00)] was not "
     "greater than the threshold (5.0)."),
    (make(1, periods=1), "- - X", "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (02/03/20 "
     "09:04:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM "
     "transition)."),
    (make(2, periods=2), "0 - X 0", "Threshold Crossed: 1 out of the last 2 datapoints [1.0 (02/03/20 "
     "09:04:00)] was not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK "
     "transition)."),
    (make(), "- - X X X", "Threshold Crossed: 3 datapoints [9.0 (02/03/20 09:04:00), 9.0 (02/03/20 "
     "09:03:00), 9.0 (02/03/20 09:02:00)] were greater than the threshold (5.0)."),
    (make(periods=6), "- - X X X X X X", "Threshold Crossed: 6 datapoints were greater than the "
     "threshold (5.0). The most recent datapoints which crossed the threshold: [9.0 (02/03/20 "
     "09:04:00), 9.0 (02/03/20 09:03:00), 9.0 (02/03/20 09:02:00), 9.0 (02/03/20 09:01:00), 9.0 "
     "(02/03/20 09:00:00)]."),
    (make(periods=1, treat="breaching"), "- - -", "Threshold Crossed: no datapoints were received for "
     "1 period and 1 missing datapoint was treated as [Breaching]."),
    (make(treat="notBreaching"), "- - - - -", "Threshold Crossed: no datapoints were received for 3 "
     "periods and 3 missing datapoints were treated as [NonBreaching]."),
    (make(periods=1), "- - -", "Insufficient Data: 1 datapoint was unknown."),
    (make(periods=5), "- - - - - - -", "Insufficient Data: 5 datapoints were unknown."),
])
def test_reasons_are_cloudwatchs(rule, data, reason):
    assert judge(rule, row(data), END).reason == reason


def test_reason_data_are_cloudwatchs():
    assert judge(make(periods=2, unit="Count"), row("0 - X X"), END).data == {
        "version": "1.0", "queryDate": "2020-03-02T09:05:00.000+0000",
        "startDate": "2020-03-02T09:03:00.000+0000", "unit": "Count", "statistic": "Sum", "period": 60,
        "recentDatapoints": [9.0, 9.0], "threshold": 5.0, "evaluatedDatapoints": [
            {"timestamp": "2020-03-02T09:04:00.000+0000", "sampleCount": 1.0, "value": 9.0},
            {"timestamp": "2020-03-02T09:03:00.000+0000", "sampleCount": 1.0, "value": 9.0}]}
    assert judge(make(periods=1), row("- - -"), END).data["evaluatedDatapoints"] == [
        {"timestamp": "2020-03-02T09:04:00.000+0000"}]
