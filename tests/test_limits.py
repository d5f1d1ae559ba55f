"""The quotas: both profiles, by name, and as the table that pages print."""

import pytest

from minilambda import limits
from minilambda.limits import Limits


def test_course_and_today_differ_where_aws_moved_on():
    course, today = Limits.load("course"), Limits.load("today")
    assert (course.memory_min, course.memory_max, course.memory_step) == (128, 3008, 64)
    assert (today.memory_max, today.memory_step) == (10240, 1)
    assert (course.vcpu_at_mb, today.vcpu_at_mb) == (1792, 1769)
    assert (course.billing_step_ms, today.billing_step_ms) == (100, 1)
    assert (course.payload_async, today.payload_async) == (262144, 1048576)
    assert (course.tmp_max, today.tmp_max) == (512, 10240)


def test_figures_both_profiles_share():
    for profile in limits.PROFILES:
        figures = Limits.load(profile)
        assert (figures.timeout_default, figures.timeout_max) == (3, 900)
        assert figures.payload_sync == 6291456
        assert (figures.zip_direct, figures.unzipped) == (52428800, 262144000)
        assert (figures.env_bytes, figures.layers) == (4096, 5)
        assert (figures.concurrency, figures.unreserved_min) == (1000, 100)
        # $1.00 buys 60,000 GB-seconds, not the 600,000 the notes say.
        assert 1 / figures.price_per_gb_second == pytest.approx(60_000, rel=1e-4)
        assert figures.price_per_request * 1_000_000 == pytest.approx(0.20)


def test_course_is_the_default():
    assert Limits.load().profile == "course"


def test_unknown_profile_says_what_there_is():
    with pytest.raises(ValueError, match="'course' .* or 'today'"):
        Limits.load("2020")


def test_unknown_figure_names_the_file():
    with pytest.raises(AttributeError, match="limits.toml"):
        Limits.load().memory


def test_every_row_has_the_same_figures_in_both_profiles_and_a_page():
    course, today = (Limits.load(profile).figures() for profile in limits.PROFILES)
    assert course.keys() == today.keys()
    for row in limits.table():
        assert row.page and row.what
        assert "{" not in row.course + row.today


def test_the_table_prints_the_enforced_figures():
    rows = {row.what: row for row in limits.table()}
    assert rows["Memory"].course == "128-3,008 MB in steps of 64 MB, 128 MB unless set"
    assert rows["Deployment package, direct upload"].today == "50 MB"
    assert rows["Payload, asynchronous"].course == "256 KB"
    assert rows["Payload, asynchronous"].today == "1 MB"
    assert rows["Price (x86)"].course == (
        "$0.20 per million requests, $0.0000166667 per GB-second")
    assert rows["Memory"].page == "Lambda quotas"
