"""Runs inside an execution environment: as much of an HTTP client as the Runtime API asks for.

AWS page: *Using the Lambda runtime API*. Standard library only.
"""

import socket


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
