"""Cloud.connect: a served cloud under a notebook's hands."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pytest

from minilambda import Cloud, views
from minilambda.trace import Trace

from .serving import ECHO, TRUST, Served, archive


@pytest.fixture
def cloud(virtual):
    with Cloud.connect(virtual.url) as connected:
        yield connected


def test_it_takes_this_process_and_gives_it_back(virtual, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    before = dict(os.environ)
    cloud = Cloud.connect(virtual.url)
    assert "AWS_PROFILE" not in os.environ
    boto3.client("sqs").create_queue(QueueName="q")
    assert virtual.client("sqs").list_queues()["QueueUrls"][0].startswith(virtual.url)
    cloud.close()
    assert dict(os.environ) == before
    monkeypatch.delenv("AWS_PROFILE")
    assert "not connected any more" in repr(cloud)
    with pytest.raises(RuntimeError, match="connect anew"):
        cloud.run(seconds=1)
    cloud.close()  # harmless
    assert virtual.client("sqs").list_queues()["QueueUrls"]  # the server runs on


def test_its_time(virtual, cloud):
    began = cloud.now
    cloud.run(minutes=1, seconds=0.5)
    assert (cloud.now - began).total_seconds() == cloud.seconds == 60.5
    virtual.deploy()
    virtual.invoke()
    cloud.run_until_idle()
    assert 60.5 < cloud.seconds < 120
    with pytest.raises(ValueError, match="only moves forward"):
        cloud.run(seconds=-1)


def test_its_trace_is_a_trace_that_grows(virtual, cloud):
    virtual.deploy()
    assert list(cloud.trace) == []
    virtual.invoke(event=1)
    trace = cloud.trace
    assert isinstance(trace, Trace)
    first = len(trace)
    assert trace.select("invoke.ended", function="f")[0]["status"] == "success"
    virtual.invoke(event=2)
    assert len(trace) == first  # what was fetched
    assert len(cloud.trace) > first and cloud.trace is trace
    assert [event.number for event in trace] == list(range(len(trace)))
    cloud.reset()
    assert list(cloud.trace) == [] and cloud.seconds == 0
    virtual.deploy()
    virtual.invoke(event=1)
    again = cloud.trace
    assert again is not trace and list(again) == list(trace)[:first]


def test_views_show_it(virtual, cloud):
    _tell(cloud)
    served = views.life(cloud).to_json()
    with Cloud(durations="modelled", seed=3) as own:
        _tell(own)
        assert views.life(own).to_json() == served
    panel = views.panel(cloud, "f", event=1, memory=(128, 256, 128), timeout=(3, 4, 1))
    assert panel is not None
    assert cloud.limits.memory_max == 3008


def _tell(cloud):
    boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    client = boto3.client("lambda")
    client.create_function(FunctionName="f", Runtime="python3.8", Handler="app.handler", Timeout=900,
                           Role="arn:aws:iam::123456789012:role/role",
                           Code={"ZipFile": archive(ECHO)})
    client.invoke(FunctionName="f", Payload=json.dumps(1))
    cloud.run(minutes=1)


def test_a_second_connection_replaces_the_first_and_clouds_nest(virtual):
    before = dict(os.environ)
    first = Cloud.connect(virtual.url)
    second = Cloud.connect(f"{virtual.url}/")
    assert "not connected" in repr(first)
    with Cloud() as own:
        assert os.environ["AWS_ENDPOINT_URL"] == own.endpoint_url
    assert os.environ["AWS_ENDPOINT_URL"] == second.endpoint_url == virtual.url
    second.close()
    assert dict(os.environ) == before


def test_what_it_has_not_it_says(cloud):
    with pytest.raises(AttributeError, match="no 'hold' here: there is boto3, and now"):
        cloud.hold(3)


@pytest.mark.parametrize("url", ["127.0.0.1:4566", "https://127.0.0.1", "http://", "", "http://x:y",
                                 "http://127.0.0.1:4566/_minilambda", "http://u@127.0.0.1"])
def test_not_a_url(url):
    with pytest.raises(ValueError, match="isn't the URL of a server"):
        Cloud.connect(url)


def test_nobody_there():
    before = dict(os.environ)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"nobody answers .*minilambda serve --port {port}"):
        Cloud.connect(f"http://127.0.0.1:{port}")
    assert dict(os.environ) == before


def test_somebody_else_there():
    class Other(BaseHTTPRequestHandler):
        replies = iter([(200, b"<html>"), (404, b""), (200, b"[]"), (200, b'{"service": "x"}')])

        def do_GET(self):
            status, body = next(self.replies)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        for _ in range(4):
            with pytest.raises(ConnectionError, match="isn't minilambda"):
                Cloud.connect(f"http://127.0.0.1:{other.server_port}")
        other.shutdown()


def test_the_cloud_of_another_process():
    source = """
        from minilambda import Cloud
        with Cloud() as cloud:
            print(cloud.endpoint_url, flush=True)
            input()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        url = owner.stdout.readline().strip()
        with pytest.raises(ConnectionError, match="cloud of another Python process"):
            Cloud.connect(url)
        owner.communicate("\n")
    assert owner.returncode == 0


def test_a_server_that_goes_away():
    with Served() as server, Cloud.connect(server.url) as cloud:
        assert server.stop()[0] == 0
        with pytest.raises(ConnectionError, match="nobody answers"):
            cloud.seconds
