"""The record: append-only, and every kind of event has just its own fields."""

import dataclasses

import pytest

from minilambda.trace import KINDS, Trace


def test_events_are_numbered_and_selected():
    trace, heard = Trace(), []
    trace.listen(heard.append)
    trace.append(0.0, "request.accepted", "f", request_id="a")
    trace.append(1.5, "environment.frozen", "g", "env")
    first, second = trace
    assert (first.number, first["request_id"], second.at) == (0, "a", 1.5)
    assert heard == [first, second] and len(trace) == 2
    assert trace.select("environment.frozen") == [second]
    assert trace.select(function="f") == trace.select(request_id="a") == [first]
    assert trace.select(environment="env", function="f") == []


@pytest.mark.parametrize(("kind", "data"), [
    ("invoke.vanished", {}),
    ("request.accepted", {}),
    ("request.accepted", {"request_id": "a", "more": 1}),
])
def test_an_unknown_kind_or_other_fields_are_refused(kind, data):
    trace = Trace()
    with pytest.raises(ValueError, match=r"see trace\.KINDS"):
        trace.append(0, kind, "f", **data)
    assert len(trace) == 0


def test_what_was_recorded_can_t_be_changed():
    event = Trace().append(0, "request.accepted", "f", request_id="a")
    with pytest.raises(TypeError):
        event.data["request_id"] = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.at = 1
    with pytest.raises(AttributeError):
        KINDS.clear()
