"""The connection of our own bootstrap to the Runtime API, without a web server in between.

AWS page: *Using the Lambda runtime API*. A bootstrap that asks for it when it reports that it has
started keeps its connection, and from then on one write here and one write there are an invocation:
it sends its answer and asks for the next event in one go, and gets both replies in one.
Leaves out: HTTP that our bootstrap doesn't speak (bodies in chunks, other versions). A peer that
sends such a thing is hung up on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus

LONGEST_HEAD = 1 << 16
CHUNK = 1 << 18

# Takes: method, path, headers (names in small letters), body. Gives the reply, None if it follows.
Handle = Callable[[str, str, Mapping[str, str], bytes], bytes | None]


class DirectConnection:
    """Args:
        connection: does not block.
        handle: is given each request.
        write_rest: writes what the connection won't take at once, later.
        on_close: called when there is nothing more to read.
    """

    def __init__(self, connection: socket.socket, handle: Handle,
                 write_rest: Callable[[bytes], None], on_close: Callable[[], None]) -> None:
        self.socket, self._handle = connection, handle
        self._write_rest, self._on_close = write_rest, on_close
        self.closed = False
        self._buffer = bytearray()
        self._held = b""  # replies that wait for the one after them
        self._lock, self._reading = threading.Lock(), threading.RLock()

    def read(self) -> None:
        """Take in what has come; doesn't wait for more."""
        with self._reading:
            self._read()

    def _read(self) -> None:
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._buffer += data
        try:
            follows = self._take_requests()
        except (ValueError, KeyError):  # not what our bootstrap would say
            self.close()
            return
        if not follows:
            self.send(b"")

    def send(self, reply: bytes) -> None:
        """Write a reply, and those that have waited for it. From any thread."""
        with self._lock:
            data, self._held = self._held + reply, b""
            if not data or self.closed:
                return
            try:
                sent = self.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:  # it is gone, and will be reported
                return
            if sent < len(data):
                self._write_rest(data[sent:])

    def close(self) -> None:
        self.closed = True
        self._on_close()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def _take_requests(self) -> bool:
        """Handle every request that is all there. Value: does a reply follow?"""
        follows = False
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            first, *rest = self._buffer[:end].decode("latin-1").split("\r\n")
            method, path, version = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in
                       (line.partition(":") for line in rest)}
            length = int(headers.get("content-length", "0"))
            if version != "HTTP/1.1" or length < 0 or "transfer-encoding" in headers:
                raise ValueError(first)
            if len(self._buffer) < end + 4 + length:
                return follows
            body = bytes(self._buffer[end + 4:end + 4 + length])
            del self._buffer[:end + 4 + length]
            reply = self._handle(method, path, headers, body)
            follows = reply is None
            if reply is not None:
                with self._lock:
                    self._held += reply
        if len(self._buffer) > LONGEST_HEAD and b"\r\n\r\n" not in self._buffer:
            raise ValueError("a head without end")
        return follows


def raw(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """A reply as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
