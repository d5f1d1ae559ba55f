"""Start, ready, stop: the process as its owner sees it."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from minilambda.cli import main

from .serving import COMMAND, Served, assert_gone, environment

SLEEPER = "import time\ndef handler(event, context):\n    print('on')\n    time.sleep(600)\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One folder for temporary files, and one port, once it is known."""
    return {"folder": tmp_path_factory.mktemp("place"), "port": 0}


@pytest.mark.parametrize("number", range(10))
def test_it_starts_and_stops_ten_times_at_one_port_and_leaves_nothing(place, number):
    with Served(**place) as server:
        place["port"] = server.port
        assert server.ask("health")["status"] == "ok"
        if number % 3 == 0:
            server.deploy()
            assert server.invoke(event=number) == number
        else:  # as new: whatever the one before had is gone
            assert server.client("lambda").list_functions()["Functions"] == []
        family = server.family()
        assert family  # its supervisor at least
        assert server.stop(signal.SIGTERM if number % 2 else signal.SIGINT) == (0, "")
        assert_gone(family)
        assert os.listdir(place["folder"]) == []


def test_two_at_once_know_nothing_of_each_other():
    with Served() as first, Served("--clock", "virtual", "--limits", "today") as second:
        assert first.port != second.port
        first.deploy("def handler(e, c): return 'first'\n")
        second.deploy("def handler(e, c): return 'second'\n")
        assert (first.invoke(), second.invoke()) == ("first", "second")
        first.client("sqs").create_queue(QueueName="q")
        assert "QueueUrls" not in second.client("sqs").list_queues()
        assert first.stop()[0] == 0
        assert second.invoke() == "second"
        assert second.ask("health")["limits"] == "today"


def test_a_taken_port_is_said_and_leaves_nothing(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([COMMAND, "serve", "--port", str(port)], capture_output=True, text=True,
                              env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"minilambda: port {port} on 127.0.0.1 is taken")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("option", "message"), [
    ("--speed=0", "speed must be greater than 0"), ("--clock=virtual --speed=2", "for the wall clock"),
    ("--host=192.0.2.1", "no address of this machine"), ("--host=no.such.invalid", "is no address"),
    ("--port=70000", "must be from 0 to 65535"), ("--start=noon", "isn't an instant"),
    ("--sandbox=inline", "invalid choice: 'inline'"), ("--retry-wait=1", "unrecognized arguments"),
    ("--async-retry-wait=-1", "a number of seconds, 0 or more"),
    ("--async-retry-wait=nan", "a number of seconds, 0 or more"),
])
def test_mistakes_are_said(option, message, capsys):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        status = main(["serve", "--port=0", *option.split()])
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "") and message in said.err
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_the_wait_between_asynchronous_retries_can_be_said(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "--async-retry-wait SECONDS" in capsys.readouterr().out
    with Served("--async-retry-wait", "0.3") as server:
        server.deploy("def handler(event, context):\n    raise ValueError(event)\n")
        server.client("lambda").invoke(FunctionName="f", InvocationType="Event", Payload="1")
        while not (ended := server.trace("?kind=async.ended")):  # nobody turns the crank but it
            time.sleep(0.1)
        assert ended[0]["data"]["invoke_count"] == 3
        began = [e["at"] for e in server.trace("?kind=async.taken")]
        failed = [e["at"] for e in server.trace("?kind=invoke.ended")]
        assert began[1] - failed[0] >= 0.3 and began[2] - failed[1] >= 0.6


def test_sigterm_while_an_invocation_runs(tmp_path):
    with Served(folder=tmp_path) as server:
        server.deploy(SLEEPER)
        outcome = _invoking(server)
        family = server.family()
        code, errors = server.stop()
        assert (code, errors) == (0, "")
        assert_gone(family)
        with pytest.raises((ClientError, BotoCoreError)) as caught:
            outcome.result()
        if isinstance(caught.value, ClientError):
            assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
        assert os.listdir(tmp_path) == []


def test_a_second_signal_ends_it_at_once():
    with Served() as server:
        server.deploy(SLEEPER)
        _invoking(server)
        family = server.family()
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGTERM)
        server.process.communicate()
        assert server.process.returncode in (0, 128 + signal.SIGTERM)  # one may be merged, or late
        assert_gone(family)


def test_kill_9_leaves_no_function_and_the_next_start_is_clean(tmp_path):
    with Served(folder=tmp_path) as server:
        server.deploy(SLEEPER)
        server.deploy(name="warm")
        server.invoke("warm")
        _invoking(server)
        family = server.family()
        assert len(family) > 1
        server.process.kill()
        assert_gone(family)
        server.process.communicate()
        with Served(folder=tmp_path, port=server.port) as again:
            assert again.client("lambda").list_functions()["Functions"] == []
            again.deploy()
            assert again.invoke(event="clean") == "clean"
            assert again.stop() == (0, "")


def test_a_client_that_leaves_in_the_middle_hurts_nobody():
    with Served() as server:
        server.deploy("import time\ndef handler(e, c):\n    time.sleep(1)\n    return e\n")
        config = b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: localhost\r\n"
        key = b"Authorization: AWS4-HMAC-SHA256 Credential=test/20200302/eu-west-2/lambda/" \
              b"aws4_request, SignedHeaders=host, Signature=0\r\n"
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port)) as leaving:
                leaving.sendall(config + key + b"Content-Length: 2\r\n\r\n{}")
            with socket.create_connection(("127.0.0.1", server.port)) as leaving:
                leaving.sendall(config + key + b"Content-Length: 200\r\n\r\n{}")  # never all of it
        assert server.invoke(event="here") == "here"
        assert server.stop() == (0, "")


def test_listening_for_other_machines_is_said_aloud():
    with Served("--host", "0.0.0.0") as server:
        assert server.ask("health")["status"] == "ok"
        code, errors = server.stop()
        assert code == 0
        assert "warning: listening at 0.0.0.0" in errors


def _invoking(server):
    """An invocation in the background, once its handler is at work."""
    outcome = concurrent.futures.Future()

    def call():
        try:
            outcome.set_result(server.invoke())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    while not any(event["data"]["message"] == "on"
                  for event in server.trace("?kind=log.line&function=f")):
        assert not outcome.done(), outcome.exception()
    return outcome
