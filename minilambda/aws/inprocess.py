"""The endpoint without a socket: a botocore request answered on the caller's own stack.

Stands for: the service endpoints, where a process may neither listen nor connect (a browser).
Leaves out: everything that doesn't go through botocore (downloads by URL, the AWS CLI).
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from .door import Door
from .server import Application


class InProcessServer:
    """Answers what :class:`~minilambda.aws.server.Server` would; the same life."""

    url = "http://127.0.0.1:9"  # never connected to: every request is answered before it is sent
    port = 9

    def __init__(self) -> None:
        self.door = Door()
        self._application = Application(self.door)
        self._handler = ("before-send", self._answer)

    def start(self) -> None:
        # First in line, so that nothing else gets to look at a request that is for us.
        handlers.BUILTIN_HANDLERS.insert(0, self._handler)

    def stop(self) -> None:
        if self._handler in handlers.BUILTIN_HANDLERS:
            handlers.BUILTIN_HANDLERS.remove(self._handler)

    def _answer(self, request: AWSPreparedRequest, **kwargs: Any) -> AWSResponse | None:
        parts = urlsplit(request.url)
        if (parts.hostname, parts.port) != ("127.0.0.1", self.port):
            return None
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self._application(
            _environ(request), lambda status, headers, info=None: started.append((status, headers))))
        status, headers = started[-1]
        return AWSResponse(request.url, int(status.split(" ", 1)[0]), dict(headers), _Raw(body))


class _Raw(io.BytesIO):
    """As much of urllib3's response as botocore asks for."""

    def stream(self, amt: int = 1 << 16, **kwargs: Any):
        while chunk := self.read(amt):
            yield chunk


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """A request as WSGI has it (PEP 3333)."""
    parts = urlsplit(request.url)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    environ = {
        "REQUEST_METHOD": request.method, "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path or "/").encode().decode("latin-1"),
        "RAW_URI": request.url, "REQUEST_URI": request.url, "QUERY_STRING": parts.query,
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(parts.port), "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(body)), "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": False,
        "wsgi.multiprocess": False, "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        value = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        elif key == "CONTENT_LENGTH":
            continue
        environ[key] = value
    return environ
