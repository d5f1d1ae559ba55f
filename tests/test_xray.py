"""Trace headers, sampling, Lambda's own segments, and what the daemon takes."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda import xray
from minilambda.function import CodePackage, FunctionConfiguration

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


def function(tracing):
    return FunctionConfiguration(
        name="f", account="123456789012", region="eu-west-2", runtime="python3.8", role="",
        handler="app.handler", code=CodePackage.of(b""), environment=MappingProxyType({}),
        tracing=tracing)


def admit(sampler, tracing, number=0, seconds=0.0, incoming=None):
    return sampler.admit(function(tracing), f"request-{number}", seconds, 1583139600 + seconds,
                         incoming)


@given(st.booleans() | st.none(), st.none() | st.just("53995c3f42cd8ad8"))
def test_a_header_is_read_as_it_is_written(sampled, parent):
    header = xray.TraceHeader(ROOT, parent, sampled)
    assert xray.TraceHeader.parse(str(header)) == header


@pytest.mark.parametrize("text", [None, "", "nonsense", "Parent=1;Sampled=1", "Root=;Sampled=1"])
def test_what_names_no_trace_is_no_header(text):
    assert xray.TraceHeader.parse(text) is None


def test_the_first_in_a_second_is_traced_and_a_twentieth_of_the_rest():
    sampler = xray.Sampler()
    recorded = [admit(sampler, "Active", n, 0.5).recorded for n in range(2000)]
    assert recorded[0]
    assert 60 <= sum(recorded[1:]) <= 140
    unlucky = recorded.index(False)
    assert not admit(sampler, "Active", unlucky, 1.4).recorded
    assert admit(sampler, "Active", unlucky, 1.5).recorded


@pytest.mark.parametrize("sampled", [True, False])
def test_a_decision_made_upstream_holds(sampled):
    incoming = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled={sampled:d}"
    tracing = admit(xray.Sampler(), "Active", incoming=incoming)
    assert (tracing.header.root, tracing.header.sampled) == (ROOT, sampled)
    assert tracing.recorded is sampled
    assert tracing.upstream == "53995c3f42cd8ad8"
    assert tracing.header.parent == tracing.function_id != tracing.upstream


def test_passing_through_changes_nothing_and_records_nothing():
    incoming = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"
    tracing = admit(xray.Sampler(), "PassThrough", incoming=incoming)
    assert str(tracing.header) == incoming and not tracing.recorded
    untraced = admit(xray.Sampler(), "PassThrough")
    assert untraced.header.sampled is False and not untraced.recorded
    assert untraced.header.root.startswith("1-5e5ccb10-") and len(untraced.header.root) == 35


def test_lambdas_segments_fit_into_each_other():
    tracing = admit(xray.Sampler(), "Active", incoming=f"Root={ROOT};Parent=a1;Sampled=1")
    service, own = map(json.loads, xray.segments(
        function("Active"), "request-0", tracing, arrived=10.0, began=10.5, ended=12.0,
        init_ms=400.0, failed=True))
    assert (service["origin"], own["origin"]) == ("AWS::Lambda", "AWS::Lambda::Function")
    assert (service["parent_id"], own["parent_id"]) == ("a1", service["id"])
    assert own["id"] == tracing.header.parent
    assert {service["trace_id"], own["trace_id"]} == {ROOT}
    assert service["fault"] and own["fault"]
    init, invocation = own["subsegments"]
    assert (init["name"], init["start_time"], init["end_time"]) == ("Initialization", 10.1, 10.5)
    assert "fault" not in init and invocation["fault"]
    assert (invocation["start_time"], invocation["end_time"]) == (10.5, 12.0)
    assert own["start_time"] == 10.1 and service["start_time"] == 10.0
    warm = json.loads(xray.segments(
        function("Active"), "request-0", tracing, arrived=10.0, began=10.0, ended=12.0,
        init_ms=None, failed=False)[1])
    assert [step["name"] for step in warm["subsegments"]] == ["Invocation"]
    assert "fault" not in warm


HEAD = b'{"format": "json", "version": 1}'


def test_the_daemon_takes_a_document_after_its_header():
    assert xray.document(HEAD + b'\n{"id": "1"}') == '{"id": "1"}'


@pytest.mark.parametrize("datagram", [
    b"", b'{"id": "1"}', HEAD, HEAD + b"\n", HEAD + b"\n[1]", HEAD + b"\n{not json",
    b'{"format": "xml", "version": 1}\n{}', HEAD + b"\n" + b"[" * 60_000, b"\xff\xfe\n{}",
    HEAD + b'\n{"a": "\xff"}',
])
def test_the_daemon_drops_everything_else(datagram):
    assert xray.document(datagram) is None


@given(st.binary(max_size=200))
def test_no_datagram_upsets_the_daemon(datagram):
    for sent in (datagram, HEAD + b"\n" + datagram):
        found = xray.document(sent)
        assert found is None or isinstance(json.loads(found), dict)
