"""Filter patterns of CloudWatch Logs: AWS's own examples, and rules that hold for any."""

import json
import math
from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minilambda.triggers.filter_pattern import Invalid, parse


def matches(pattern, message):
    if not isinstance(message, str):
        message = json.dumps(message)
    return parse(pattern).match(message) is not None


# -- terms ----------------------------------------------------------------------------------------------

BOTH, ERROR, WARN = "ERROR WARN message", "ERROR message", "WARN message"


@pytest.mark.parametrize("pattern, found", [
    ("", {BOTH, ERROR, WARN}), ("  ", {BOTH, ERROR, WARN}), ('""', {BOTH, ERROR, WARN}),
    ("ERROR", {BOTH, ERROR}), ("error", set()), ("ERR", {BOTH, ERROR}), ("?ERROR ?WARN", {BOTH, ERROR, WARN}),
    ("ERROR WARN", {BOTH}), ("WARN ERROR", {BOTH}), ("ERROR -WARN", {ERROR}), ("-WARN", {ERROR}),
    ('"ERROR" - "WARN"', {ERROR}), ('"ERROR message"', {ERROR}), ('?"RN mess"', {BOTH, WARN}),
    ("?ERROR WARN", {BOTH, WARN}),  # beside another term the optional one is ignored
    ("%ERROR|WARN%", {BOTH, ERROR, WARN}), ("%^WARN%", {WARN}), (r"-%^ERROR\sm%", {BOTH, WARN})])
def test_terms(pattern, found):
    assert {line for line in (BOTH, ERROR, WARN) if matches(pattern, line)} == found


def test_more_of_awss_terms():
    lines = ["[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST",
             "[ERROR 419] MISSING ARGUMENTS", "[ERROR 420] INVALID ARGUMENTS"]
    assert [matches("ERROR ARGUMENTS", line) for line in lines] == [False, False, True, True]
    assert [matches('"INVALID ARGUMENTS"', line) for line in lines] == [False, False, False, True]
    assert [matches("ERROR -ARGUMENTS", line) for line in lines] == [True, True, False, False]
    assert matches("Exception ERROR", "[ERROR] Caught IllegalArgumentException")
    assert matches(r'"say \"hi\""', 'they say "hi"')
    assert matches(r"%10\.10\.0\.[0-9]{1,3}%", "from 10.10.0.17") and not matches("%a{3}%", "aab")
    assert matches("%colou?r%", "color") and matches(r"%\x28\d+\x29%", "(42)")


# -- JSON -----------------------------------------------------------------------------------------------

TRAIL = {"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
         "arrayKey": ["value", "another value"],
         "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
         "SomeObject": None, "ThisFlag": True, "code": "400", "n": 400, "f": 5e-1, "off": False}


@pytest.mark.parametrize("pattern, found", [
    ('{ $.eventType = "UpdateTrail" }', True), ("{ $.eventType = UpdateTrail }", True),
    ("{$.eventType=Update*}", True), ("{ $.eventType = *Trail }", True), ("{ $.eventType = *teT* }", True),
    ("{ $.eventType = Up*Trail }", False), ("{ $.eventType = updatetrail }", False),
    ("{ $.eventType = %Trail$% }", True), ("{ $.eventType != %Trail$% }", False),
    ("{ $.sourceIPAddress != 123.123.* }", True), ("{ $.sourceIPAddress = 111.111.* }", True),
    ('{ $.arrayKey[0] = "value" }', True), ('{ $.arrayKey[1] = "value" }', False),
    ('{ $.arrayKey[2] = "value" }', False), ('{ $.eventType[0] = "U" }', False),
    ('{ $.arrayKey[*] = "another value" }', True), ("{ $.objectList[*].id >= 2 }", True),
    ("{ $.objectList[*].id > 2 }", False),
    ("{ $.objectList[1].id = 2 }", True), ("{ $.objectList[0].id = 2 }", False),
    ("{ $.SomeObject IS NULL }", True), ("{ $.eventType IS NULL }", False), ("{ $.no IS NULL }", False),
    ("{ $.SomeOtherObject NOT EXISTS }", True), ("{ $.SomeObject NOT EXISTS }", False),
    ("{ $.ThisFlag IS TRUE }", True), ("{ $.ThisFlag IS FALSE }", False), ("{ $.off IS FALSE }", True),
    ("{ $.n IS TRUE }", False), ("{ $.objectList = 1 }", False), ("{ $.objectList != 1 }", False),
    ("{ $.no = 1 }", False), ("{ $.no != 1 }", False), ("{ $.n = * }", True), ("{ $.no = * }", False),
    ("{ $.n = 4.0e2 }", True), ("{ $.n = +400 }", True), ("{ $.n != 500 }", True), ("{ $.n = 4* }", True),
    ('{ $.n = "400" }', True), ("{ $.code = 400 }", True), ("{ $.code > 300 }", False),
    ("{ $.n < 10e3 }", True), ("{ $.n < 10e-3 }", False), ("{ $.f <= 55.5 }", True), ("{ $.f = 0.5 }", True)])
def test_json(pattern, found):
    assert matches(pattern, TRAIL) == found


USERS = {"user": {"id": 1, "email": "John.Stiles@example.com"},
         "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
         "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}


@pytest.mark.parametrize("pattern, found", [
    ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
    ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
    ('{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch '
     '&& $.actions[2] = nomatch }', True),
    ('{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) '
     '&& $.actions[2] = nomatch }', False),
    ("{ $.coordinates[1][2] = 6 }", True), ("{ $.coordinates[*][*] = 9 }", True)])
def test_compound_conditions(pattern, found):
    assert matches(pattern, USERS) == found


@pytest.mark.parametrize("message", ["text", "[1]", '"x"', "{", "INFO {}", "1e999"])
def test_what_is_no_json_object_matches_no_json_pattern(message):
    assert not matches("{ $.a NOT EXISTS }", message)


# -- fields ---------------------------------------------------------------------------------------------

APACHE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize("pattern, found", [
    ("[ip, user, username, timestamp, request, status_code, bytes]", True),
    ("[ip, user, username, timestamp, request, status_code]", False),
    ("[ip, user, username, timestamp, request, status_code, bytes, more]", False),
    ("[..., status_code, bytes]", True), ("[ip, user, ..., status_code, bytes]", True),
    ("[ip, user, ...]", True), ("[...]", True), ("[..., bytes > 1000]", True), ("[..., bytes > 1534]", False),
    ("[..., status_code = 4*, bytes]", True), ("[..., status_code = 404, bytes]", True),
    ("[..., status_code = 200, bytes]", False), ("[..., status_code != 500, bytes]", True),
    ("[..., request = *html*, status_code = 4*, bytes]", True),
    ("[..., request=*.html*, status_code=4*,]", True),
    ("[..., status_code = 4* && status_code != 403, bytes]", True),
    ("[..., status_code = 403 || status_code = 404, bytes]", True),
    ('[..., request = "GET /index*", status, bytes]', True),
    ("[ip = %^127\\.[0-9.]+$%, ...]", True), ("[ip, user, name = fr* , ...]", True),
    ("[ip > 1, ...]", False), ("[a, b, c, d, e, f, ..., g]", True), ("[a, b, c, d, e, f, g, ..., h]", False)])
def test_fields(pattern, found):
    assert matches(pattern, APACHE) == found


def test_first_words():
    assert [matches("[w1=ERROR, w2]", line) for line in (BOTH, ERROR, WARN)] == [False, True, False]
    assert [matches("[w1=ERROR || w1=WARN, w2]", line) for line in (BOTH, ERROR, WARN)] == [
        False, True, True]


def test_extracted_fields():
    assert parse("[..., request=*.html*, status_code=4*,]").match(APACHE) == {
        "$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$7": "1534"}
    assert parse("[...]").match("") == {} == parse("ERROR").match("ERROR")


# -- what is no pattern -------------------------------------------------------------------------------

@pytest.mark.parametrize("pattern", [
    "{ }", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $ = 1 }", "{ $.a = 1 && }", "{ ($.a = 1 }",
    "{ $.a = 1) }", "{ $.a == 1 }", "{ $.a > x }", '{ $.a > "1" }', "{ $.a IS 1 }", "{ $.a is null }",
    "{ $.a EXISTS }", "{ $.a NOT }", "{ $.a = @b }", '{ $."a" = 1 }', '{ $.a = "b }', "{ $.a = 1 $.b = 2 }",
    "{ $.a[x] = 1 }", "{ $.a = %(b)% }", "{ $.a = %b c% }", "{ $.a = %[% }", "{ $.a & 1 }",
    "[ip, status_code = 4* && bytes > 1000]",  # an example of AWS's page that AWS refuses
    "{ $.a = %x% || $.a = %y% || $.a = %z% }", "[a, ..., b, ...]", "[a b]", "[a = ]", "[a = 1 && b = 1]",
    "[a IS NULL]", "[= 1]", "%something!%", "{" + "(" * 900 + "}"])
def test_invalid(pattern):
    with pytest.raises(Invalid) as invalid:
        parse(pattern)
    assert str(invalid.value) == "Invalid filter pattern"


@pytest.mark.parametrize("pattern, words", [
    ("Status: timeout", "Invalid character(s) in term ':'"), ("foo.bar", "Invalid character(s) in term '.'"),
    ("ERROR (x)", "Invalid character(s) in term '('"), ('"open', "Invalid character(s) in term '\"'"),
    ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
    ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
    ("{", "If a filter pattern starts with '{' it must end with '}'")])
def test_invalid_with_other_words(pattern, words):
    with pytest.raises(Invalid) as invalid:
        parse(pattern)
    assert str(invalid.value) == words


# -- for any --------------------------------------------------------------------------------------------

word = st.text(ascii_letters + digits + "_", min_size=1, max_size=4)
text = st.text(max_size=12)


@given(st.lists(word, min_size=1, max_size=4), st.lists(word, max_size=2), text)
def test_terms_for_any_text(included, excluded, message):
    message += "".join(included)
    pattern = " ".join([*included, *(f"-{one}" for one in excluded)])
    assert matches(pattern, message) == (not any(one in message for one in excluded))
    assert matches(" ".join(f"?{one}" for one in included), message)


@given(text, text)
def test_a_quoted_phrase_is_what_it_says(phrase, message):
    escaped = phrase.replace("\\", r"\\").replace('"', r"\"")
    assume("\n" not in phrase)
    assert matches(f'"{escaped}"', message) == (phrase in message)
    assert matches(f'"{escaped}"', message + phrase)
    if not {"*", "\\"} & set(phrase):
        assert matches(f'{{ $.a = "{escaped}" }}', {"a": message}) == (phrase == message)


@given(st.floats(-1e6, 1e6) | st.integers(-10**6, 10**6), st.integers(-1000, 1000))
def test_numbers_compare_as_numbers(value, bound):
    found = {sign: matches(f"{{ $.a {sign} {bound} }}", {"a": value})
             for sign in ("<", "<=", ">", ">=", "=", "!=")}
    assert found == {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound,
                     "=": value == bound, "!=": value != bound}
    if math.isclose(value, round(value)) and isinstance(value, int):
        assert matches(f"[..., n >= {bound}]", f"at {value}") == (value >= bound)


@given(st.booleans(), st.booleans(), st.booleans())
def test_and_binds_closer_than_or(a, b, c):
    event = {"a": a, "b": b, "c": c}
    assert matches("{ $.a IS TRUE || $.b IS TRUE && $.c IS TRUE }", event) == (a or b and c)
    assert matches("{ ($.a IS TRUE || $.b IS TRUE) && $.c IS TRUE }", event) == ((a or b) and c)


@given(st.lists(word, min_size=1, max_size=6), st.integers(0, 6))
def test_the_fields_that_are_extracted_are_the_messages(words, named):
    names = [f"f{n}" for n in range(min(named, len(words)))]
    fields = parse("[" + ", ".join([*names, "..."]) + "]").match(" ".join(words))
    assert list(fields.values()) == words
    assert list(fields) == [f"${name}" for name in names] + [
        f"${n}" for n in range(len(names) + 1, len(words) + 1)]


@given(st.text("{}[]()$.=!<>&|%\"* ?-a1,", max_size=30), text)
def test_any_text_is_a_pattern_or_is_refused(pattern, message):
    try:
        parsed = parse(pattern)
    except Invalid:
        return
    parsed.match(message)
