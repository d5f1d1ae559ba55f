"""Runs inside an execution environment: our bootstrap's client of the Runtime API.

AWS page: *Using the Lambda runtime API*. Standard library only. Of HTTP there is as much as that asks
for; ``/minilambda/...`` is ours, for waits that cost the cloud's time.
"""

import json
import os
import select
import socket
import threading

API = "/2018-06-01/runtime"
NEXT = API + "/invocation/next"


class Connection:
    """Just enough of HTTP/1.1 for the Runtime API.

    ``http.client`` would do, but importing it (with ssl and email) takes longer than all else that
    a cold start does.
    """

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.host, self.busy = address, False
        # Looking up a name, even one that is an address, imports tables of Unicode for it.
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def call(self, method, path, body, headers, then=None):
        """Status, headers (names in small letters) and body of the answer.

        ``then``: another request's text, to follow at once; its answer is the one that is given.
        """
        self.busy = True
        try:
            self.send(method, path, body, headers, then or "")
            if then:
                self.receive()
            return self.receive()
        finally:
            self.busy = False

    def send(self, method, path, body, headers, then=""):
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}",
                *(f"{name}: {value}" for name, value in headers.items())]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        self.socket.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (body or b"")
                            + then.encode())

    def receive(self):
        status = int(self.line().split(" ", 2)[1])
        found = {}
        while line := self.line():
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        return status, found, self.reader.read(int(found.get("content-length", 0)))

    def close(self):
        self.reader.close()
        self.socket.close()

    def line(self):
        data = self.reader.readline()
        if not data:
            raise ConnectionError("the Runtime API closed the connection")
        return data.rstrip(b"\r\n").decode("latin-1")


class Nap:
    """A sleep until an instant (ns since 1970) that one may give up before.

    It ends at once if the present is no longer ``began``: then another thread has been woken. Once
    it is made the cloud knows of it: time can't pass its end unnoticed.
    """

    def __init__(self, api, began, end):
        self.api = api
        self.path = f"/minilambda/nap/{os.getpid()}-{threading.get_ident()}"
        self.connection = Connection(api.address)
        self.connection.call("POST", self.path, json.dumps([began, end]).encode(), {})
        self.connection.send("GET", self.path, None, {})

    def over(self):
        return bool(select.select([self.connection.socket], [], [], 0)[0])

    def end(self):
        if not self.over():
            self.api.call("DELETE", self.path)
        self.connection.close()


class RuntimeApi:
    """One connection to the Runtime API a thread; the main thread has one for invocations besides."""

    def __init__(self, address):
        self.address = address
        self.main = threading.get_ident()
        self.own = Connection(address)
        self._separate()
        os.register_at_fork(after_in_child=self._forked)

    def _separate(self):
        self.local = threading.local()

    def _forked(self):
        self._separate()
        self.own = None  # it is the parent's

    def call(self, method, path, body=None, headers=None):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = Connection(self.address)
        elif connection.busy:  # a signal's handler, while a request waits
            connection = Connection(self.address)
            try:
                return connection.call(method, path, body, headers or {})
            finally:
                connection.close()
        return connection.call(method, path, body, headers or {})

    def start(self):
        """Nothing of the function's code has run yet. (And no web server is needed from here on.)"""
        self.own.call("POST", "/minilambda/started", b"direct", {})

    def next(self, request_id=None, result=None):
        """Headers and body of the next event. A result that can't be too large is sent along."""
        if request_id is None:
            return self.own.call("GET", NEXT, None, {})[1:]
        return self.own.call("POST", f"{API}/invocation/{request_id}/response", result, {},
                             then=f"GET {NEXT} HTTP/1.1\r\nHost: {self.address}\r\n\r\n")[1:]

    def respond(self, request_id, body):
        return self.own.call("POST", f"{API}/invocation/{request_id}/response", body, {})

    def fail(self, path, document, kind):
        headers = {"Lambda-Runtime-Function-Error-Type": kind, "Content-Type": "application/json"}
        self.own.call("POST", API + path, document, headers)

    def sleep(self, seconds):
        mine = self.own and not self.own.busy and threading.get_ident() == self.main
        (self.own if mine else self).call("POST", "/minilambda/sleep", json.dumps(seconds).encode(), {})

    def nap(self, began, end):
        return Nap(self, began, end)
