"""The cloud's endpoint: all services on one loopback port.

Stands for: the service endpoints of an AWS region.
Leaves out: TLS; anything but loopback.

moto's server made fit for long use: kept-alive connections without Nagle's delay (10 times faster
calls), a clean error where moto would show an HTML page, an immediate stop, and connections that
come from elsewhere (:meth:`Server.serve_connection`). A connection has a thread of its own, which
turns the clock's crank while it waits for an invocation. Invoke is answered by that thread itself
(``invoke_request``); everything else goes through werkzeug to moto.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs
from wsgiref.handlers import format_date_time

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from . import invoke_request, refusal
from .current import Asking, asking, installed
from .guard import ACCESS_KEY_ID

log = logging.getLogger(__name__)
HOST = "127.0.0.1"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
# How moto answers for an operation, or a whole service, that it doesn't know.
_NO_SUCH_PAGE = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>"
_DOWNLOAD = re.compile(r"/awslambda-[a-z0-9-]+-(tasks|layers)/snapshots/")


class Server:
    """The endpoint, from :meth:`start` to :meth:`stop`.

    ``port`` 0 takes a free one; read :attr:`port` and :attr:`url` after :meth:`start`.

    While a request is served, the runtime's ``on_request(access_key_id, service)``, if it has one,
    is entered as a context manager; both are None for requests that aren't signed.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._server: _WSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Take the port and serve it.

        Raises:
            OSError: the port is taken.
        """
        listener = _listen(self.port)
        self.port = listener.getsockname()[1]
        self._server = _WSGIServer(HOST, self.port, Application(), _Handler, fd=listener.fileno())
        listener.close()  # the server holds a duplicate
        self._thread = threading.Thread(target=self._server.serve_forever, name="aws-endpoint",
                                        daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection. Harmless when not started."""
        server, self._server = self._server, None
        if server is None:
            return
        shutdown = threading.Thread(target=server.shutdown)
        shutdown.start()
        with contextlib.suppress(OSError):  # the loop looks up only when something arrives
            socket.create_connection((HOST, self.port), timeout=1).close()
        shutdown.join()
        self._thread.join()
        server.close_connections()

    def serve_connection(self, connection: socket.socket) -> None:
        """Serve an accepted connection (stream socket) from elsewhere, on a thread of its own."""
        if self._server is None:
            connection.close()
            raise RuntimeError("the server isn't running")
        self._server.process_request(connection, (HOST, 0))


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(errno.EADDRINUSE, f"port {port} on {HOST} is taken: stop what uses it, "
                          "or choose another (port=0 takes a free one)") from None
        raise
    return listener


class Application(DomainDispatcherApplication):
    """moto's WSGI application, with our hooks around every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        runtime = installed().runtime
        if _DOWNLOAD.match(environ.get("PATH_INFO", "")):
            return _download(environ, start_response)
        key, service = _signer(environ)
        hook = getattr(runtime, "on_request", None)
        with _asked(service), hook(key, service) if hook else contextlib.nullcontext():
            try:
                # Read to the end here: some of moto's answers are generators.
                body = b"".join(super().__call__(environ, start_response))
                if not body.startswith(_NO_SUCH_PAGE):
                    return [body]
                answer = 501, "NotImplementedException", (
                    f"minilambda doesn't implement this operation of {service or 'AWS'} (yet).")
            except Exception as error:
                answer = _failure(error)
            return _answer(start_response, *refusal.refuse(
                environ, service, *answer, runtime.clock.uuid()))


def _failure(error: Exception) -> tuple[int, str, str]:
    """Status, code and message for what went wrong in here."""
    log.debug("a request failed", exc_info=error)
    if isinstance(error, NotImplementedError):
        return 501, "NotImplementedException", (
            str(error) or "minilambda doesn't implement this (yet).")
    return 500, "InternalFailure", f"{type(error).__name__}: {error}"


def _invoke(request: invoke_request.InvokeRequest, body: bytes) -> bytes:
    """The response to an Invoke, with our hook around it."""
    api = installed()
    hook = getattr(api.runtime, "on_request", None)
    with hook(ACCESS_KEY_ID, "lambda") if hook else contextlib.nullcontext():
        try:
            return invoke_request.answer(api, request, body)
        except Exception as error:
            environ = {"CONTENT_TYPE": request.headers.get("content-type", "")}
            return invoke_request.response(api, *refusal.refuse(
                environ, "lambda", *_failure(error), api.runtime.clock.uuid()))


@contextlib.contextmanager
def _asked(service: str | None) -> Iterator[None]:
    before = asking.set(Asking(service=service))
    try:
        yield
    finally:
        asking.reset(before)


def _signer(environ: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Access key id and service a request is signed for (by header or presigned)."""
    text = environ.get("HTTP_AUTHORIZATION", "")
    if not text and "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        text = "Credential=" + parse_qs(environ["QUERY_STRING"])["X-Amz-Credential"][0]
    found = _CREDENTIAL.search(text)
    return (found[1], found[3].lower()) if found else (None, None)


def _download(environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
    """``Code.Location`` of GetFunction, ``Content.Location`` of GetLayerVersion."""
    signature = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Signature", [""])[0]
    archive = installed().downloads.fetch(signature)
    if archive is None:
        return _answer(start_response, *refusal.refuse(
            environ, "s3", 403, "AccessDenied", "Request has expired", "0"))
    return _answer(start_response, 200, [("Content-Type", "application/zip")], archive)


def _answer(start_response: Any, status: int, headers: list[tuple[str, str]],
            body: bytes) -> Iterable[bytes]:
    start_response(f"{status} ", [*headers, ("Content-Length", str(len(body)))])
    return [body]


class _WSGIServer(ThreadedWSGIServer):
    """Knows its open connections, so that stopping doesn't wait for clients to leave."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection of %s failed", client_address, exc_info=True)

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)


class _Handler(MotoRequestHandler):
    """HTTP/1.1 with kept-alive connections. (werkzeug's own handler closes after each answer.)"""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer leaves in one piece

    def setup(self) -> None:
        # A connection handed over may not be TCP.
        self.disable_nagle_algorithm = self.request.family in (socket.AF_INET, socket.AF_INET6)
        super().setup()

    def handle_one_request(self) -> None:
        request = invoke_request.parse(self.rfile.peek(1))
        if request is None:
            super().handle_one_request()
            return
        self.close_connection = False
        self.rfile.read(request.head)
        body = self.rfile.read(request.length)
        if len(body) == request.length:
            self.request.sendall(_invoke(request, body))

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.environ = self.make_environ()
        # The body is read to its end whatever the service reads of it: the next request on this
        # connection starts right behind.
        chunked = environ.get("wsgi.input_terminated", False)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read() if chunked else self.rfile.read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        started: list[Any] = []
        answer = b"".join(self.server.app(
            environ, lambda status, headers, exc_info=None: started.append((status, headers))))
        status, headers = started[-1]
        self._respond(int(status.split(" ", 1)[0]), headers, answer)

    def _respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        bodiless = self.command == "HEAD" or status in (204, 304)
        for name, value in headers:
            if bodiless or name.lower() != "content-length":
                self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(body)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_date_time(installed().runtime.clock.timestamp())

    def version_string(self) -> str:
        return "minilambda"  # the same on every machine, whatever is installed

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)
