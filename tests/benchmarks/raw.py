"""HTTP without a library, so that it is the server that is measured; and a load of it.

As a program: ``raw.py host port path connections seconds`` prints requests a second.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

# The credential scope tells the endpoint which service is meant; nobody checks the signature.
_AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=AKIAMINILAMBDA000000/20200302/eu-west-2/lambda/"
                  "aws4_request, SignedHeaders=host, Signature=0")


def request(host: str, port: int, path: str, body: bytes = b"{}") -> bytes:
    return (f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {_AUTHORIZATION}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode() + body


def path(name: str) -> str:
    return f"/2015-03-31/functions/{name}/invocations"


def connect(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def call(connection: socket.socket, data: bytes) -> bytes:
    """One request and its whole answer."""
    connection.sendall(data)
    answer = b""
    while (left := missing(answer)) > 0:
        if not (more := connection.recv(max(left, 65536))):
            raise ConnectionError(f"the server hung up after {answer!r}")
        answer += more
    return answer


def missing(answer: bytes) -> int:
    """How many bytes are still to come, at least."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return 1
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not a success: {answer[:400]!r}")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return 0 if body.endswith(b"0\r\n\r\n") else 1
    return int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]) - len(body)


def load(host: str, port: int, path: str, connections: int, seconds: float) -> float:
    """Requests a second over so many connections at once."""
    data, selector = request(host, port, path), selectors.DefaultSelector()
    answers: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        connection = connect(host, port)
        answers[connection] = b""
        selector.register(connection, selectors.EVENT_READ)
        connection.sendall(data)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1):
            connection = key.fileobj
            received = answers[connection] + connection.recv(65536)
            if missing(received) > 0:
                answers[connection] = received
                continue
            answers[connection] = b""
            done += 1
            connection.sendall(data)
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    host, port, where, connections, seconds = sys.argv[1:]
    print(load(host, int(port), where, int(connections), float(seconds)))
