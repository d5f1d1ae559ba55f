"""The server under load, and with clients that leave or servers that are killed in the middle of it.

A load lasts ``MINILAMBDA_LOAD_SECONDS``, 4 unless said otherwise; 60 is the whole proof.
The function has 16 places, so that most callers are throttled and call again: starting two hundred
environments at one instant is a proof of another kind. ``MINILAMBDA_LOAD_PLACES`` changes that.
"""

import http.client
import json
import os
import socket
import threading
import time

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minilambda import Cloud

from .serving import Served, assert_gone

CLIENTS = 200
PLACES = int(os.environ.get("MINILAMBDA_LOAD_PLACES", "16"))
SECONDS = float(os.environ.get("MINILAMBDA_LOAD_SECONDS", "4"))
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20200302/eu-west-2/lambda/aws4_request, "
                           "SignedHeaders=host, Signature=0"}
PATH = "/2015-03-31/functions/f/invocations"
SLOW = "import time\ndef handler(e, c):\n    print('on', e)\n    time.sleep(2)\n    return e\n"


class Load:
    """Many clients, each with a connection of its own that it keeps, calling again and again."""

    def __init__(self, port, seconds=SECONDS, clients=CLIENTS):
        self.port, self.end = port, time.monotonic() + seconds
        self.right, self.throttled, self.wrong, self.broken = 0, 0, [], 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(n,), daemon=True)
                         for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        return self

    def _client(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        calls = 0
        while calls == 0 or time.monotonic() < self.end:
            body, calls = json.dumps([number, calls]), calls + 1
            try:
                connection.request("POST", PATH, body, SIGNED)
                answer = connection.getresponse()
                said = answer.status, answer.read().decode(), answer.headers["X-Amz-Function-Error"]
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.broken += 1
                return
            with self._lock:
                if said == (200, body, None):
                    self.right += 1
                elif said[0] == 429:
                    self.throttled += 1
                else:
                    self.wrong.append(said)
        connection.close()


def running(server):
    """Environments that haven't ended, by the trace."""
    made = {event["environment"] for event in server.trace("?kind=environment.created")}
    return made - {event["environment"] for event in server.trace("?kind=environment.shutdown")}


@pytest.mark.parametrize("clock", ["wall", "virtual"])
def test_two_hundred_clients_at_once(tmp_path, clock):
    with Served("--clock", clock, "--sandbox", "process", folder=tmp_path) as server:
        server.deploy()
        server.client("lambda").put_function_concurrency(
            FunctionName="f", ReservedConcurrentExecutions=PLACES)
        load = Load(server.port).join()
        assert (load.wrong, load.broken) == ([], 0) and load.right >= PLACES
        assert load.right + load.throttled >= CLIENTS
        assert len(server.trace("?kind=request.throttled")) == load.throttled
        ended = server.trace("?kind=invoke.ended")
        assert [event["data"]["status"] for event in ended] == ["success"] * load.right
        assert len({event["data"]["request_id"] for event in ended}) == load.right
        server.ask("clock", {"seconds": 1})  # ten requests a second for each place: all are back
        lambda_ = server.client("lambda")  # and so are the places
        lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
        assert server.invoke(event="after") == "after"
        assert len(running(server)) <= PLACES
        family = server.family()
        print(f"{clock}: {load.right} invocations, {load.throttled} throttles, "
              f"{len(running(server))} environments")
        assert server.stop() == (0, "")
        assert_gone(family)
        assert os.listdir(tmp_path) == []


def test_kill_9_under_load_leaves_no_process(tmp_path):
    with Served(folder=tmp_path) as server:
        server.deploy("import subprocess, time\ndef handler(e, c):\n"
                      "    subprocess.Popen(['sleep', '600'])\n    print('on')\n"
                      "    time.sleep(600)\n")
        load = Load(server.port, clients=20)
        while len(server.trace("?kind=log.line")) < 40:  # START and "on", each
            assert not load.wrong
        family = server.family()
        assert sum(1 for process in family if name_of(process) == "sleep") == 20
        server.process.kill()
        assert load.join().broken == 20
        assert_gone(family)
        with Served(folder=tmp_path, port=server.port) as again:
            again.deploy()
            assert again.invoke(event="clean") == "clean"
            assert again.stop() == (0, "")


def name_of(process):
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return None


@pytest.mark.parametrize("clock", ["wall", "virtual"])
def test_who_leaves_in_the_middle_holds_a_place_until_the_function_has_ended(clock):
    with Served("--clock", clock) as server:
        server.deploy(SLOW if clock == "wall" else SLOW.replace("time.sleep(2)", "spin()") +
                      "def spin():\n    end = time.perf_counter() + 2\n"
                      "    while time.perf_counter() < end: pass\n")
        client = server.client("lambda")
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
        head = "".join(f"{name}: {value}\r\n" for name, value in SIGNED.items())
        with socket.create_connection(("127.0.0.1", server.port)) as leaving:
            leaving.sendall(f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{head}"
                            "Content-Length: 6\r\n\r\n\"left\"".encode())
            while not server.trace("?kind=log.line"):
                pass
        with pytest.raises(ClientError) as throttled:
            client.invoke(FunctionName="f")
        assert throttled.value.response["Reason"] == (
            "ReservedFunctionConcurrentInvocationLimitExceeded")
        while not server.trace("?kind=invoke.ended"):
            pass
        assert server.trace("?kind=invoke.ended")[0]["data"]["status"] == "success"
        while True:  # the place is given back right after
            try:
                assert json.loads(client.invoke(
                    FunctionName="f", Payload=b'"next"')["Payload"].read()) == "next"
                break
            except client.exceptions.TooManyRequestsException:
                pass
        assert len(running(server)) == 1  # the environment has served both
        assert server.stop() == (0, "")


def test_a_client_goes_on_after_a_restart_at_the_same_port():
    config = Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=300)
    with Served() as first:
        first.deploy()
        client = first.client("lambda", config=config)
        assert client.invoke(FunctionName="f", Payload=b"1")["Payload"].read() == b"1"
        assert first.stop() == (0, "")
    with Served(port=first.port) as second:
        with pytest.raises(client.exceptions.ResourceNotFoundException):  # as new
            client.invoke(FunctionName="f", Payload=b"2")
        second.deploy()
        assert client.invoke(FunctionName="f", Payload=b"3")["Payload"].read() == b"3"


def test_today_s_remote_clients_wait_with_waiters_and_read_logs():
    with Served("--clock", "virtual", "--durations", "modelled", "--limits", "today") as server:
        server.deploy()  # with a waiter that really sleeps
        client = server.client("lambda")
        assert client.update_function_configuration(FunctionName="f", Timeout=9)[
            "LastUpdateStatus"] == "InProgress"
        client.get_waiter("function_updated_v2").wait(FunctionName="f")
        assert client.publish_version(FunctionName="f")["State"] == "Pending"
        with Cloud.connect(server.url) as cloud:  # here they sleep on the server's clock
            before = cloud.seconds
            boto3.client("lambda").get_waiter("published_version_active").wait(
                FunctionName="f", Qualifier="1")
            assert cloud.seconds > before
            assert json.loads(boto3.client("lambda").invoke(
                FunctionName="f:1", Payload=b'"v"')["Payload"].read()) == "v"
        lines = [event["message"] for event in server.client("logs").filter_log_events(
            logGroupName="/aws/lambda/f")["events"]]
        assert any("seen v" in line for line in lines)


def test_function_urls_of_a_server_for_anybody(virtual):
    virtual.deploy("def handler(e, c): return e['rawPath'] + ' ' + e['body']\n")
    client = virtual.client("lambda")
    url = client.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    client.add_permission(FunctionName="f", StatementId="url", Principal="*",
                          Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    host = url.removeprefix("http://").rstrip("/")
    assert host.endswith(f".lambda-url.eu-west-2.localhost:{virtual.port}")
    status, headers, text = virtual.http("/there", b"hello", headers={
        "Host": host, "Content-Type": "text/plain", "Origin": "https://example.com"})
    assert (status, text) == (200, "/there hello")
    # What is open to strangers' pages is the function, not the API beside it.
    status, _, _ = virtual.http("/2015-03-31/functions", headers={"Origin": "https://example.com"})
    assert status == 403
    virtual.reset()
    assert virtual.http("/", headers={"Host": host})[0] == 403
