"""Schedules against AWS's documented examples, and against a scan of every minute."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minilambda.schedule import ScheduleError, parse

START = datetime(2020, 3, 2, 9, 0, tzinfo=UTC)  # a Monday


def times(expression, count, start=START, zone=None):
    schedule, found, at = parse(expression, start, zone), [], start
    for _ in range(count):
        at = schedule.after(at)
        if at is None:
            break
        found.append(at)
    return found


def printed(*args, **kwargs):
    return [f"{at:%Y-%m-%d %H:%M}" for at in times(*args, **kwargs)]


@pytest.mark.parametrize("cron, first", [  # AWS's page: Cron expressions reference
    ("0 10 * * ? *", ["2020-03-02 10:00", "2020-03-03 10:00"]),
    ("15 12 * * ? *", ["2020-03-02 12:15", "2020-03-03 12:15"]),
    ("0 18 ? * MON-FRI *", ["2020-03-02 18:00", "2020-03-03 18:00", "2020-03-04 18:00",
                            "2020-03-05 18:00", "2020-03-06 18:00", "2020-03-09 18:00"]),
    ("0 8 1 * ? *", ["2020-04-01 08:00", "2020-05-01 08:00"]),
    ("0/15 * * * ? *", ["2020-03-02 09:15", "2020-03-02 09:30", "2020-03-02 09:45",
                        "2020-03-02 10:00"]),
    ("0/10 * ? * MON-FRI *", ["2020-03-02 09:10", "2020-03-02 09:20"]),
    ("0/5 8-17 ? * MON-FRI *", ["2020-03-02 09:05", "2020-03-02 09:10"]),
    ("0/30 20-2 ? * MON-FRI *", ["2020-03-02 20:00", "2020-03-02 20:30"]),
    ("30 6 ? * MON *", ["2020-03-09 06:30", "2020-03-16 06:30"]),  # Application Auto Scaling's
    ("0 0 1/10 * ? *", ["2020-03-11 00:00", "2020-03-21 00:00", "2020-03-31 00:00"]),
    ("0 12 ? * 3#2 *", ["2020-03-10 12:00", "2020-04-14 12:00"]),  # the second Tuesday
    ("0 12 3W * ? *", ["2020-03-03 12:00", "2020-04-03 12:00", "2020-05-04 12:00"]),
])
def test_documented_examples(cron, first):
    assert printed(f"cron({cron})", len(first)) == first


@pytest.mark.parametrize("cron, first", [
    ("0 0 L * ? *", ["2020-03-31 00:00", "2020-04-30 00:00"]),
    ("0 0 L-3 * ? *", ["2020-03-28 00:00", "2020-04-27 00:00"]),
    ("0 0 LW 5 ? *", ["2020-05-29 00:00", "2021-05-31 00:00"]),
    ("0 0 1W 2 ? *", ["2021-02-01 00:00", "2022-02-01 00:00", "2023-02-01 00:00"]),
    ("0 0 1W 8 ? *", ["2020-08-03 00:00"]),  # the 1st is a Saturday: not in July
    ("0 0 31W 5 ? *", ["2020-05-29 00:00"]),  # the 31st is a Sunday: not in June
    ("0 0 31W * ? 2020", ["2020-03-31 00:00", "2020-05-29 00:00", "2020-07-31 00:00",
                          "2020-08-31 00:00", "2020-10-30 00:00", "2020-12-31 00:00"]),
    ("0 0 ? * L *", ["2020-03-07 00:00", "2020-03-14 00:00"]),  # a week ends on Saturday
    ("0 0 ? * 6L *", ["2020-03-27 00:00", "2020-04-24 00:00"]),
    ("0 0 ? * FRIL *", ["2020-03-27 00:00", "2020-04-24 00:00"]),
    ("0 0 ? * MON#5 *", ["2020-03-30 00:00", "2020-06-29 00:00"]),
    ("0 0 ? * FRI-MON *", ["2020-03-06 00:00", "2020-03-07 00:00", "2020-03-08 00:00",
                           "2020-03-09 00:00", "2020-03-13 00:00"]),
    ("0 0 ? * 2/2 *", ["2020-03-04 00:00", "2020-03-06 00:00", "2020-03-09 00:00"]),
    ("0 0 29 2 ? *", ["2024-02-29 00:00", "2028-02-29 00:00"]),
    ("0 0 31 2 ? *", []),
    ("0 0 1 1 ? 2019", []),
    ("0 0 1 1 ? 2199", ["2199-01-01 00:00"]),
    ("59 23 31 dec ? 2020,2022/3", ["2020-12-31 23:59", "2022-12-31 23:59", "2025-12-31 23:59"]),
])
def test_wildcards_and_edges(cron, first):
    assert printed(f"cron({cron})", len(first) or 1) == first


@pytest.mark.parametrize("wrong", [
    "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 1 * MON *)", "cron(0 10 * * ?)",
    "cron(60 * * * ? *)", "cron(* 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)",
    "cron(0 0 1 13 ? *)", "cron(0 0 ? * 0 *)", "cron(0 0 ? * 8 *)", "cron(0 0 1 1 ? 1969)",
    "cron(0 0 1 1 ? 2200)", "cron(0/0 0 1 1 ? *)", "cron(0 0 ? * 3#1,6#3 *)", "cron(0 0 ? * 3#6 *)",
    "cron(0 0 W * ? *)", "cron(0 0 32W * ? *)", "cron(0 0 ? * MONL,TUEL *)", "cron(- * * * ? *)",
    "cron(0 0 L-31 * ? *)", "cron(*/5, * * * ? *)", "cron(0 16 * * MON-FRI *)", "0 10 * * ? *",
    "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 seconds)", "rate(-5 minutes)",
    "rate(5minutes)", "rate(1.5 hours)", "at(2020-02-30T00:00:00)", "at(2020-03-02 10:00:00)",
    "at(2020-03-02T10:00:00Z)", "every(5 minutes)", "cron()", "",
])
def test_what_is_no_schedule_is_refused(wrong):
    with pytest.raises(ScheduleError):
        parse(wrong, START)


def test_why_an_expression_is_refused():
    with pytest.raises(ScheduleError, match="Invalid Month value: 'MON'"):
        parse("cron(0 16 1 MON ? *)", START)


def test_a_time_zone_that_isnt_there():
    for name in ("Europe/Nowhere", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(ScheduleError, match="no time zone"):
            parse("cron(0 10 * * ? *)", START, name)


def test_at_happens_once_in_its_time_zone():
    assert printed("at(2020-03-02T18:30:00)", 2) == ["2020-03-02 18:30"]
    assert printed("at(2020-03-2T18:30:00)", 2, zone="America/New_York") == ["2020-03-02 23:30"]
    assert times("at(2020-03-02T09:00:00)", 1) == []  # now is not after now


def test_a_rate_counts_from_its_start():
    assert printed("rate(90 minutes)", 3) == [
        "2020-03-02 10:30", "2020-03-02 12:00", "2020-03-02 13:30"]
    schedule = parse("rate(1 day)", START)
    assert schedule.after(START - timedelta(days=9)) == START + timedelta(days=1)
    assert schedule.after(START + timedelta(hours=50)) == START + timedelta(days=3)


def test_summer_time_comes_and_goes():
    spring = datetime(2020, 3, 28, 12, 0, tzinfo=UTC)
    # 01:30 isn't there on 29 March; afterwards 09:00 in London is 08:00 UTC
    assert printed("cron(30 1 * * ? *)", 2, spring, "Europe/London") == [
        "2020-03-30 00:30", "2020-03-31 00:30"]
    assert printed("cron(0 9 * * ? *)", 1, spring, "Europe/London") == ["2020-03-29 08:00"]
    autumn = datetime(2020, 10, 24, 12, 0, tzinfo=UTC)
    # 01:30 comes twice on 25 October
    assert printed("cron(30 1 * * ? *)", 2, autumn, "Europe/London") == [
        "2020-10-25 00:30", "2020-10-26 01:30"]


# -- against a scan of every minute, with a reading of the fields that shares nothing with ours -------

def brute(cron, start, minutes, zone):
    """Every minute of the span that fits, looked at one by one."""
    m, h, dom, mon, dow, year = cron.split()
    for offset in range(1, minutes + 1):
        at = start + timedelta(minutes=offset)
        t = at.astimezone(zone)
        if t.fold:  # the second of two local times
            continue
        if (fits(m, t.minute, 0, 59) and fits(h, t.hour, 0, 23) and fits(mon, t.month, 1, 12)
                and fits(year, t.year, 1970, 2199) and (dom == "?" or month_day(dom, t.date()))
                and (dow == "?" or week_day(dow, t.date()))):
            yield at


def fits(field, value, low, high):
    for part in field.split(","):
        base, _, step = part.partition("/")
        begin, _, end = base.partition("-")
        first, last = (low, high) if base == "*" else (
            int(begin), int(end) if end else high if step else int(begin))
        candidate = value if value >= first else value + (high - low + 1)
        stop = last if last >= first else last + (high - low + 1)
        if candidate <= stop and (candidate - first) % int(step or 1) == 0:
            return True
    return False


def month_day(field, day):
    last = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if field.endswith("W"):
        wanted = int(field[:-1])
        if wanted > last:
            return False
        near = [date(day.year, day.month, d) for d in range(1, last + 1)
                if date(day.year, day.month, d).weekday() < 5]
        return day == min(near, key=lambda d: (abs(d.day - wanted), d.day))
    return fits(field, day.day, 1, 31)


def week_day(field, day):
    number = (day.weekday() + 1) % 7 + 1
    if field.endswith("L"):
        return number == int(field[:-1]) and (day + timedelta(days=7)).month != day.month
    if "#" in field:
        wanted, which = field.split("#")
        same = [d for d in range(1, day.day + 1) if date(
            day.year, day.month, d).weekday() == day.weekday()]
        return number == int(wanted) and len(same) == int(which)
    return fits(field, number, 1, 7)


def numbers(low, high):
    one = st.integers(low, high).map(str)
    several = st.tuples(one, one).map("-".join)
    step = st.tuples(st.one_of(st.just("*"), one, several), st.integers(1, 9).map(str)).map("/".join)
    return st.one_of(st.just("*"), st.lists(st.one_of(one, several, step), min_size=1, max_size=2)
                     .map(",".join))


days = st.one_of(
    st.tuples(st.one_of(numbers(1, 31), st.just("L"), st.integers(1, 31).map("{}W".format)),
              st.just("?")),
    st.tuples(st.just("?"), st.one_of(
        numbers(1, 7), st.integers(1, 7).map("{}L".format),
        st.tuples(st.integers(1, 7), st.integers(1, 5)).map(lambda p: f"{p[0]}#{p[1]}"))))
crons = st.tuples(numbers(0, 59), numbers(0, 23), days, numbers(1, 12)).map(
    lambda f: f"{f[0]} {f[1]} {f[2][0]} {f[3]} {f[2][1]} *")


@settings(deadline=None, max_examples=60)
@given(cron=crons, start=st.datetimes(datetime(2020, 1, 1), datetime(2021, 12, 31)),
       zone=st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata",
                             "Australia/Lord_Howe"]))
def test_the_same_minutes_as_a_scan_finds(cron, start, zone):
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    span = 3 * 24 * 60
    expected = list(brute(cron, start, span, ZoneInfo(zone)))[:50]
    schedule, found, at = parse(f"cron({cron})", start, zone), [], start
    while len(found) < 50:
        at = schedule.after(at)
        if at is None or at > start + timedelta(minutes=span):
            break
        found.append(at)
    assert found == expected


@settings(deadline=None, max_examples=60)
@given(cron=days, start=st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_the_same_days_of_a_year_as_a_scan_finds(cron, start):
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    found = times(f"cron(0 0 {cron[0]} * {cron[1]} *)", 40, begin)
    assume(found)
    expected = [begin + timedelta(days=n) for n in range(1, 4000)
                if (cron[0] == "?" or month_day(cron[0], start + timedelta(days=n)))
                and (cron[1] == "?" or week_day(cron[1], start + timedelta(days=n)))][:40]
    assert found[:len(expected)] == expected
