"""Invoke's own way through the server answers as the general way does, byte for byte."""

import re
import socket

import boto3
import pytest

CREDENTIAL = ("AWS4-HMAC-SHA256 Credential=AKIAMINILAMBDA000000/20200302/eu-west-2/lambda/"
              "aws4_request, SignedHeaders=host, Signature=0")
CHANGES = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class Wire:
    """A connection to the cloud's endpoint, and what goes over it."""

    def __init__(self, cloud):
        self.socket = socket.create_connection(("127.0.0.1", cloud.endpoint_url.rsplit(":", 1)[1]))
        self.reader = self.socket.makefile("rb")

    def send(self, name, body=b"{}", *, path="", length=None, **headers):
        lines = [f"POST /2015-03-31/functions/{name}/invocations{path} HTTP/1.1", "Host: cloud",
                 f"Content-Length: {len(body) if length is None else length}"]
        headers = {"Authorization": CREDENTIAL} | {k.replace("_", "-"): v for k, v in headers.items()}
        lines += [f"{key}: {value}" for key, value in headers.items() if value is not None]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def receive(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            assert (line := self.reader.readline())
            head += line
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        return head, self.reader.read(int(length[1])) if length else b""

    def call(self, *args, **options):
        self.send(*args, **options)
        return self.receive()


@pytest.fixture
def wire(lab):
    return Wire(lab.cloud)


@pytest.fixture(scope="module")
def names(lab):
    return {"good": lab.deploy("def handler(event, context): return event\n"),
            "bad": lab.deploy("def handler(event, context): raise ValueError('é')\n"),
            "lost": "nope", "odd": "a%20b", "long": "x" * 65}


@pytest.mark.parametrize(("which", "body", "options"), [
    ("good", b'{"a": "\xc3\xa9"}', {}),
    ("good", b"", {}),
    ("good", b"no json", {}),
    ("good", b"NaN", {}),
    ("good", b"\xff", {}),
    ("good", b"1" * 6_300_000, {}),
    ("good", b"1", {"X_Amz_Log_Type": "Tail"}),
    ("good", b"1", {"X_Amz_Log_Type": "Head"}),
    ("good", b"1", {"X_Amz_Invocation_Type": "RequestResponse"}),
    ("good", b"1", {"X_Amz_Invocation_Type": "DryRun"}),
    ("good", b"1", {"X_Amz_Client_Context": "e30="}),
    ("good", b"1", {"path": "?Qualifier=$LATEST"}),
    ("good", b"1", {"path": "?Qualifier=7"}),
    ("bad", b"1", {}),
    ("lost", b"1", {}),
    ("odd", b"1", {}),
    ("long", b"1", {}),
])
def test_both_ways_answer_alike(wire, names, which, body, options):
    name = names[which]
    wire.call(name, b"0")  # warm
    ours = wire.call(name, body, **options)
    general = wire.call(name, body, **options, Connection="keep-alive")
    if options.get("X_Amz_Log_Type") == "Tail":  # base64 of a text with a request id
        tail = re.compile(rb"(?<=X-Amz-Log-Result: )\S+")
        assert tail.search(ours[0]) and tail.search(general[0])
        ours, general = ((tail.sub(b"", head), body) for head, body in (ours, general))
    assert [CHANGES.sub(b"<id>", part) for part in ours] == [
        CHANGES.sub(b"<id>", part) for part in general]


def test_requests_may_follow_each_other_without_waiting(wire, names):
    for number in range(3):
        wire.send(names["good"], str(number).encode())
    assert [wire.receive()[1] for _ in range(3)] == [b"0", b"1", b"2"]


def test_both_ways_share_a_connection(wire, names):
    for connection in (None, "keep-alive", None, "keep-alive"):
        assert wire.call(names["good"], b"5", Connection=connection)[1] == b"5"


def test_a_head_that_comes_in_pieces(wire, names):
    data = (f"POST /2015-03-31/functions/{names['good']}/invocations HTTP/1.1\r\nHost: cloud\r\n"
            f"Authorization: {CREDENTIAL}\r\nContent-Length: 3\r\n\r\n123").encode()
    for piece in (data[:20], data[20:150], data[150:-2], data[-2:]):
        wire.socket.sendall(piece)
        with pytest.raises(BlockingIOError):
            wire.socket.recv(1, socket.MSG_DONTWAIT)
    assert wire.receive()[1] == b"123"


def test_an_arn_is_a_name(lab, names):
    arn = lab.client.get_function(FunctionName=names["good"])["Configuration"]["FunctionArn"]
    assert lab.client.invoke(FunctionName=arn, Payload=b"3")["Payload"].read() == b"3"


def test_a_failure_in_here_is_an_aws_error(lab, names, monkeypatch):
    def fail(*args, **options):
        raise KeyError("oops")

    monkeypatch.setattr(lab.cloud.frontend, "invoke", fail)
    once = boto3.client("lambda", config=boto3.session.Config(retries={"total_max_attempts": 1}))
    with pytest.raises(once.exceptions.ClientError, match="oops") as caught:
        once.invoke(FunctionName=names["good"])
    assert caught.value.response["Error"]["Code"] == "InternalFailure"
