"""AWS IoT SQL: what is parsed, and what comes of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda.triggers.iot_sql import (
    Message,
    SqlParseError,
    Unselectable,
    matches,
    parse,
    substitute,
)
from minilambda.triggers.iot_sql_functions import UNDEFINED

PAYLOAD = {"t": 21.5, "n": 7, "s": "Kitchen", "on": True, "color": {"r": 255, "deep": {"x": None}},
           "list": [1, 2], "num": "42"}


def message(value=PAYLOAD, topic="dt/room/kitchen"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Message(topic, body, UNDEFINED if isinstance(value, bytes) else value,
                   1583139600000, "123456789012", lambda: "uuid")


def value(expression):
    return parse(f"SELECT {expression} AS v FROM '#'").select(message()).get("v", UNDEFINED)


@pytest.mark.parametrize(("expression", "expected"), [
    ("t", 21.5), ("color.r", 255), ("color.deep.x", None), ("color.gone.x", UNDEFINED),
    ("n + 1", 8), ("n - 2 * 3", 1), ("(n - 2) * 3", 15), ("n / 2", 3.5), ("n % 4", 3), ("-n", -7),
    ("n / 0", UNDEFINED), ("num + 1", "421"), ("num * 1", 42), ("s * 2", UNDEFINED), ("s + n", "Kitchen7"),
    ("'it''s'", "it's"), ("1.5e1", 15.0), ("TRUE", True), ("null", None),
    ("upper(s)", "KITCHEN"), ("Lower(s)", "kitchen"), ("abs(-3)", 3), ("floor(t)", 21), ("ceil(t)", 22),
    ("round(2.5)", 3), ("round(-2.5)", -3), ("sqrt(-1)", UNDEFINED), ("mod(7, 4)", 3), ("sign(-2)", -1),
    ("topic()", "dt/room/kitchen"), ("topic(2)", "room"), ("topic(9)", UNDEFINED),
    ("timestamp()", 1583139600000), ("clientid()", "N/A"), ("accountid()", "123456789012"),
    ("concat(s, '-', n)", "Kitchen-7"), ("substring(s, 0, 3)", "Kit"), ("get(list, 1)", 2),
    ("startswith(s, 'Kit')", True), ("indexof(s, 't')", 2), ("regexp_matches(s, '^K')", True),
    ("isundefined(gone)", True), ("isnull(color.deep.x)", True), ("length(gone)", UNDEFINED),
    ("n = 7", True), ("n = 7.0", True), ("on = 1", False), ("n <> 7", False), ("s < 'L'", True),
    ("num > 41", True), ("s > 1", UNDEFINED), ("gone = 1", UNDEFINED), ("not on", False),
    ("on and 'TRUE'", True), ("n and on", UNDEFINED), ("on or n = 1 and n = 2", True)])
def test_a_value(expression, expected):
    found = value(expression)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(("sql", "expected"), [
    ("SELECT * FROM '#'", PAYLOAD),
    ("select color.r, t from 'dt/+/kitchen'", {"r": 255, "t": 21.5}),
    ("SELECT *, topic(3) AS room FROM '#'", {**PAYLOAD, "room": "kitchen"}),
    ("SELECT gone, n FROM '#'", {"n": 7}),
    ("SELECT encode(*, 'base64') AS data FROM '#'", None)])
def test_what_is_selected(sql, expected):
    found = parse(sql).select(message())
    if expected is None:
        import base64
        assert json.loads(base64.b64decode(found["data"])) == PAYLOAD
    else:
        assert found == expected


@pytest.mark.parametrize(("where", "wanted"), [
    ("t > 20", True), ("t > 30", False), ("gone > 1", False), ("NOT (t > 30)", True), ("on", True),
    ("n", False)])
def test_where(where, wanted):
    assert parse(f"SELECT * FROM '#' WHERE {where}").wants(message()) is wanted


@pytest.mark.parametrize("sql", [
    "", "SELECT", "SELECT *", "SELECT * FROM topic", "SELECT * FROM 'a' WHERE", "SELECT n + 1 FROM 'a'",
    "SELECT * FROM 'a' extra", "SELECT nope(1) AS x FROM 'a'", "SELECT abs() AS x FROM 'a'",
    "SELECT * FROM 'a/#/b'", "SELECT * FROM 'a+'", "SELECT * FROM 'a' WHERE n IN (1)", "SELECT 'x FROM 'a'",
    "SELECT CASE n WHEN 1 THEN 2 END AS x FROM 'a'", "SELECT VALUE * FROM 'a'", "SELECT a; FROM 'a'"])
def test_what_is_no_statement(sql):
    with pytest.raises(SqlParseError):
        parse(sql)


def test_what_is_not_json_has_no_fields():
    binary = message(b"\xff\x00")
    with pytest.raises(Unselectable):
        parse("SELECT * FROM '#'").select(binary)
    assert parse("SELECT encode(*, 'base64') AS d, t FROM '#'").select(binary) == {"d": "/wA="}


def test_templates():
    assert substitute("a/${topic(2)}/${n + 1}/${gone}", message()) == "a/room/8/Undefined"


LEVEL = st.text("abc", min_size=1, max_size=3)


@given(st.lists(LEVEL, min_size=1, max_size=5), st.data())
def test_a_filter_made_of_a_topic_takes_it(levels, data):
    topic = "/".join(levels)
    position = data.draw(st.integers(0, len(levels) - 1))
    one = [*levels]
    one[position] = "+"
    assert matches("/".join(one), topic)
    assert matches("/".join([*levels[:position], "#"]), topic)
    assert not matches("/".join([*one, "+"]), topic)
    assert not matches("/".join([*levels[:position], levels[position] + "x", *levels[position + 1:]]), topic)


def test_topics_of_awss_own_are_asked_for_by_name():
    assert not matches("#", "$aws/things/x") and not matches("+/things/x", "$aws/things/x")
    assert matches("$aws/#", "$aws/things/x")


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(-99, 99))
def test_arithmetic_is_arithmetic(a, b, c):
    found = parse("SELECT a + b * c AS v, (a + b) * c AS w, a - b - c AS x FROM '#'").select(
        message({"a": a, "b": b, "c": c}))
    assert found == {"v": a + b * c, "w": (a + b) * c, "x": a - b - c}


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text):
    try:
        parse(f"SELECT {text} AS v FROM '#'").select(message())
    except (SqlParseError, Unselectable):
        pass
