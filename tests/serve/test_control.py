"""The paths below /_minilambda: clock, trace, reset; and who may ask for them."""

import http.client
import json
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .serving import Served

STEADY = "import time\ndef handler(e, c):\n    time.sleep(0.5)\n    return e\n"


def test_virtual_time_moves_only_when_told(virtual):
    began = virtual.ask("clock")
    assert began == {"now": "2020-03-02T09:00:00+00:00", "seconds": 0.0, "clock": "virtual"}
    assert virtual.ask("clock", {"seconds": 90})["now"] == "2020-03-02T09:01:30+00:00"
    assert virtual.ask("clock", {"seconds": 0.25})["seconds"] == 90.25
    assert virtual.ask("clock")["seconds"] == 90.25
    virtual.deploy()
    virtual.invoke()
    before = virtual.ask("clock")["seconds"]
    assert before > 90.25  # an invocation takes its time
    after = virtual.ask("clock", {"run_until_idle": True})["seconds"]
    assert before <= after < before + 60  # what only waits to expire isn't waited for
    assert not virtual.trace("?kind=environment.shutdown")
    virtual.ask("clock", {"seconds": 3600})
    assert [e["data"]["reason"] for e in virtual.trace("?kind=environment.shutdown")] == ["expired"]
    assert virtual.client("s3").list_buckets()["ResponseMetadata"]["HTTPHeaders"]["date"].startswith(
        "Mon, 02 Mar 2020 10:")


def test_on_the_wall_clock_what_falls_due_happens_though_nobody_waits():
    with Served("--speed", "100") as server:
        server.deploy()
        assert server.invoke(event=1) == 1
        ended = []
        while not ended:  # reading the trace turns no crank
            ended = server.trace("?kind=environment.shutdown")
            time.sleep(0.02)
        assert ended[0]["data"]["reason"] == "expired"
        began = server.ask("clock")["seconds"]
        assert server.ask("clock", {"seconds": 100})["seconds"] >= began + 100
        server.reset()  # the next clock turns by itself as well
        server.deploy()
        assert server.invoke(event=1) == 1
        while not server.trace("?kind=environment.shutdown"):
            time.sleep(0.02)
        assert server.stop() == (0, "")


@pytest.mark.parametrize(("body", "message"), [
    ({"seconds": -1}, "seconds must be from 0"), ({"seconds": 1e12}, "seconds must be from 0"),
    ({"seconds": 10**400}, "seconds must be from 0"),
    ({"seconds": "60"}, "say "), ({"seconds": True}, "say "), ({"seconds": float("nan")}, "say "),
    ({"seconds": None}, "say "), ({"minutes": 1}, "say "), ({"run_until_idle": False}, "say "),
    ({"seconds": 1, "run_until_idle": True}, "say "), ({}, "say "), (b"", "say "),
    ([1], "must be a JSON object"), (b"no JSON", "must be a JSON object"),
    (b"[" * 60000, "must be a JSON object"),
])
def test_bad_requests_to_the_clock(virtual, body, message):
    status, _, text = virtual.http("/_minilambda/clock", body, "POST")
    assert status == 400 and message in json.loads(text)["error"]
    assert virtual.ask("clock")["seconds"] == 0


@pytest.mark.parametrize(("method", "path", "status", "message"), [
    ("GET", "/_minilambda/cluck", 404, "no /_minilambda/cluck: there is /_minilambda/health"),
    ("DELETE", "/_minilambda/clock", 405, "takes GET, POST, not DELETE"),
    ("GET", "/_minilambda/reset", 405, "takes POST, not GET"),
    ("POST", "/_minilambda/reset?hard=1", 400, "no parameter 'hard'"),
    ("GET", "/_minilambda/health?x=", 400, "no parameter 'x'"),
    ("GET", "/_minilambda/trace?since=-1", 400, "since must be a whole number"),
    ("GET", "/_minilambda/trace?limit=all", 400, "limit must be a whole number"),
    ("GET", "/_minilambda/trace?kind=invoke.end", 400, "no kind of event 'invoke.end'"),
    ("GET", "/_minilambda/trace?format=xml", 400, "format must be lines or json"),
    ("GET", "/_minilambda/trace?name=f", 400, "no parameter 'name': there is since"),
])
def test_bad_requests(virtual, method, path, status, message):
    found = virtual.http(path, b"" if method == "POST" else None, method)
    assert found[0] == status and message in json.loads(found[2])["error"]
    assert found[1]["Content-Type"] == "application/json"
    assert "Access-Control-Allow-Origin" not in found[1]


def test_the_trace_by_number_and_by_what_it_tells_of(virtual):
    for name in ("f", "g"):
        virtual.deploy(name=name)
        virtual.invoke(name, 1)
        virtual.invoke(name, 2)
    everything = virtual.trace()
    assert [event["number"] for event in everything] == list(range(len(everything)))
    assert everything[0].keys() == {"number", "at", "kind", "function", "environment", "data"}
    half = len(everything) // 2
    assert virtual.trace(f"?since={half}") == everything[half:]
    assert virtual.trace(f"?since={half}&limit=2") == everything[half:half + 2]
    assert virtual.trace(f"?since={len(everything)}") == []
    ended = virtual.trace("?kind=invoke.ended&kind=init.ended&function=g")
    assert ended == [e for e in everything
                     if e["kind"] in ("invoke.ended", "init.ended") and e["function"] == "g"]
    assert len(ended) == 3
    wanted = ended[-1]["data"]["request_id"]
    assert virtual.trace(f"?request_id={wanted}") == [
        e for e in everything if e["data"].get("request_id") == wanted]
    environment = ended[-1]["environment"]
    assert virtual.trace(f"?environment={environment}") == [
        e for e in everything if e["environment"] == environment]
    document = virtual.ask("trace?format=json")
    assert document["events"] == everything and document["seed"] == 3


def test_a_reset_makes_it_as_new_to_the_last_byte(virtual):
    def story():
        virtual.deploy("import random\ndef handler(e, c): print(c.aws_request_id)\n")
        virtual.client("sqs").create_queue(QueueName="q")
        virtual.invoke(event="x")
        return virtual.trace(), virtual.client("sqs").list_queues()["QueueUrls"]

    before = virtual.ask("health")
    first = story()
    virtual.reset()
    assert virtual.trace() == [] and virtual.ask("clock")["seconds"] == 0
    assert virtual.client("lambda").list_functions()["Functions"] == []
    assert "QueueUrls" not in virtual.client("sqs").list_queues()
    assert virtual.client("iam").list_roles()["Roles"] == []
    virtual.reset()
    assert story() == first
    after = virtual.ask("health")
    assert after.pop("cloud") != before.pop("cloud")
    assert {**after, "seconds": 0, "now": 0} == {**before, "seconds": 0, "now": 0}


def test_a_kept_connection_outlives_a_reset(virtual):
    connection = http.client.HTTPConnection("127.0.0.1", virtual.port)
    for _ in range(3):
        connection.request("POST", "/_minilambda/reset", b"")
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["seconds"] == 0
    connection.close()


def test_reset_under_load():
    """Whoever calls gets an answer: the old cloud's, the new one's, or that it is gone."""
    with Served("--speed", "10") as server:
        stop, wrong, answered = threading.Event(), [], [0]
        client = server.client("lambda", config=Config(
            max_pool_connections=20, read_timeout=300, retries={"total_max_attempts": 1}))

        def call(number):
            while not stop.is_set():
                try:
                    answer = client.invoke(FunctionName="f", Payload=str(number))
                    value = json.loads(answer["Payload"].read())
                    if value != number:
                        wrong.append(value)
                    answered[0] += 1
                except ClientError as error:
                    code = error.response["Error"]["Code"]
                    if code not in ("ServiceUnavailable", "ResourceNotFoundException"):
                        wrong.append(error)
                except Exception as error:
                    wrong.append(error)

        with ThreadPoolExecutor(12) as pool:
            try:
                server.deploy(STEADY)
                for number in range(12):
                    pool.submit(call, number)
                for _ in range(4):
                    seen = answered[0]
                    while answered[0] < seen + 12 and not wrong:
                        time.sleep(0.01)
                    server.reset()
                    server.deploy(STEADY)
            finally:
                stop.set()
        assert wrong == []
        server.reset()
        assert server.trace() == []
        assert server.client("lambda").list_functions()["Functions"] == []
        family = server.family()
        assert server.stop() == (0, "")
        assert [process for process in family if process.is_running()] == []


def test_several_resets_at_once(virtual):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: virtual.reset()["status"], range(4)))
    assert made == ["ok"] * 4
    virtual.deploy()
    assert virtual.invoke(event=1) == 1


def test_who_waits_for_time_is_told_of_the_reset():
    with Served("--speed", "1") as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.http, "/_minilambda/clock", {"seconds": 100000})
        while not waiting.done():  # it may not have arrived yet when the first reset is over
            server.reset()
        status, _, text = waiting.result()
        assert status == 409 and "was reset" in text


# -- who may ask --------------------------------------------------------------------------------------

@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1.evil.example"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Host": "evil.example"}, {"Host": "evil.example:4566"},
    {"Host": "127.0.0.1.evil.example"}, {"Host": "[::2"}, {"Host": "cloud"},
])
def test_pages_of_others_may_not_control_it(virtual, headers):
    for path, method in (("clock", "POST"), ("reset", "POST"), ("trace", "GET"), ("health", "GET")):
        data = {"seconds": 5} if path == "clock" else None
        status, answered, text = virtual.http(f"/_minilambda/{path}", data, method, headers)
        assert status == 403 and "error" in json.loads(text)
        assert "Access-Control-Allow-Origin" not in answered
    assert virtual.ask("clock")["seconds"] == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "x.localhost", "[::1]", "127.0.0.2"])
def test_this_machine_has_several_names(virtual, host):
    address = f"{host}:{virtual.port}"
    for headers in ({}, {"Origin": f"http://{address}", "Sec-Fetch-Site": "same-origin"},
                    {"Sec-Fetch-Site": "none"}):
        assert virtual.http("/_minilambda/clock", headers={"Host": address, **headers})[0] == 200


def test_pages_of_others_may_not_use_its_services_either(virtual):
    """A page anywhere could deploy code and run it: signatures aren't checked, CORS is wide open."""
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAMINILAMBDA000000/20200302/eu-west-2/"
                               "lambda/aws4_request, SignedHeaders=host, Signature=0",
              "Content-Type": "application/json"}
    virtual.deploy()
    for path, method in (("/2015-03-31/functions/", "GET"),
                         ("/2015-03-31/functions/f/invocations", "POST"), ("/", "GET"),
                         ("/", "OPTIONS")):
        for bad in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                    {"Host": f"evil.example:{virtual.port}"}):
            status, answered, text = virtual.http(path, b"{}" if method == "POST" else None, method,
                                                  signed | bad)
            assert status == 403
            assert "AccessDenied" in text + answered.get("x-amzn-ErrorType", "")
            assert "Access-Control-Allow-Origin" not in answered
    for good in ({}, {"Origin": "http://localhost:3000"}, {"Host": "cloud:4566"},
                 {"Host": "lambda.eu-west-2.amazonaws.com"}):  # a front end under development; a container
        assert virtual.http("/2015-03-31/functions/", headers=signed | good)[0] == 200
        assert virtual.http("/2015-03-31/functions/f/invocations", b"1", "POST",
                            signed | good)[2] == "1"
    assert len(virtual.trace("?kind=invoke.ended")) == 4


def test_functions_may_not_control_their_cloud(virtual):
    if virtual.ask("health")["sandbox"] != "bubblewrap":
        pytest.skip("in the process tier a function's connection is like any other")
    virtual.deploy("""
        import os, urllib.error, urllib.request
        def handler(event, context):
            try:
                urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_minilambda/" + event)
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()
    """)
    status, text = virtual.invoke(event="trace")
    assert status == 403 and "functions may not control" in text


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=20), body=st.one_of(st.none(), st.binary(max_size=50)),
       method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]))
def test_whatever_is_asked_it_answers(one, path, body, method):
    status, headers, text = one.http("/_minilambda/" + urllib.parse.quote(path, safe="?&=/"), body,
                                     method)
    assert status in (200, 400, 404, 405)
    if method != "HEAD":
        json.loads(text)
