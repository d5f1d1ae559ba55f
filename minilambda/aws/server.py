"""The cloud's endpoint: all services on one loopback port.

Stands for: the service endpoints of an AWS region.
Leaves out: TLS.

moto's server made fit for long use: kept-alive connections without Nagle's delay (10 times faster
calls), a clean error where moto would show an HTML page, an immediate stop, and connections that
come from elsewhere (:meth:`Server.serve_connection`). A connection has a thread of its own, which
turns the clock's crank while it waits for an invocation. Invoke is answered by that thread itself
(``invoke_request``); everything else goes through werkzeug to moto.
"""

from __future__ import annotations

import contextlib
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

from ..clock import ClockStopped
from . import execute_api, invoke_request, refusal, response_urls, url_requests, visitors
from .control import Control
from .current import Asking, asking, installed
from .door import Door, DoorShut
from .guard import ACCESS_KEY_ID
from .listening import listen
from .loopback import is_loopback

log = logging.getLogger(__name__)
HOST = "127.0.0.1"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
# How moto answers for an operation, or a whole service, that it doesn't know.
_NO_SUCH_PAGE = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>"
_DOWNLOAD = re.compile(r"/awslambda-[a-z0-9-]+-(tasks|layers)/snapshots/")


class Server:
    """The endpoint, from :meth:`start` to :meth:`stop`.

    ``port`` 0 takes a free one; read :attr:`port` and :attr:`url` after :meth:`start`. ``host`` is the
    address (or a name of it) to listen at; loopback is listened at in any case, for functions.
    ``control`` answers what is asked below ``/_minilambda``; without it such paths are S3's.

    While a request is served, the runtime's ``on_request(access_key_id, service)``, if it has one,
    is entered as a context manager; both are None for requests that aren't signed.
    """

    def __init__(self, port: int = 0, host: str = HOST, control: Control | None = None) -> None:
        self.port, self.host = port, host
        self.door = Door()
        self._control = control
        self._servers: list[_WSGIServer] = []
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Take the port and serve it.

        Raises:
            OSError: the port is taken, or ``host`` isn't an address of this machine.
        """
        listeners = listen(self.host, self.port)
        self.port = listeners[0].getsockname()[1]
        local = all(is_loopback(listener.getsockname()[0]) for listener in listeners)
        application = Application(self.door, self._control, local)
        for listener in listeners:
            self._servers.append(_WSGIServer(listener.getsockname()[0], self.port, application,
                                             _Handler, fd=listener.fileno()))
            listener.close()  # the server holds a duplicate
        self._threads = [threading.Thread(target=server.serve_forever, name="aws-endpoint",
                                          daemon=True) for server in self._servers]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close the port and every connection. Harmless when not started."""
        servers, self._servers = self._servers, []
        for server in servers:
            shutdown = threading.Thread(target=server.shutdown)
            shutdown.start()
            with contextlib.suppress(OSError):  # the loop looks up only when something arrives
                socket.create_connection(server.server_address[:2], timeout=1).close()
            shutdown.join()
        for thread in self._threads:
            thread.join()
        for server in servers:
            server.close_connections()

    def serve_connection(self, connection: socket.socket) -> None:
        """Serve an accepted connection (stream socket) from elsewhere, on a thread of its own."""
        if not self._servers:
            connection.close()
            raise RuntimeError("the server isn't running")
        self._servers[0].process_request(connection, (HOST, 0))


class Application(DomainDispatcherApplication):
    """moto's WSGI application, with our hooks around every request."""

    def __init__(self, door: Door | None = None, control: Control | None = None,
                 on_loopback: bool = True) -> None:
        super().__init__(create_backend_app)
        self.door = door or Door()
        self._control, self._on_loopback = control, on_loopback

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self._control is not None and (path + "/").startswith("/_minilambda/"):
            return _answer(start_response, *self._control.answer(
                environ, self.door, visitors.objection_to_control(environ, self._on_loopback)))
        key, service = _signer(environ)
        if url_requests.address(environ):  # public by its nature: strangers' pages may ask
            return self._answer_url(environ, start_response, key)
        objection = visitors.objection(environ, self._on_loopback)
        if objection is not None:
            return _answer(start_response, *refusal.refuse(
                environ, service, 403, "AccessDenied", objection, "0"))
        try:
            with self.door.passing(waits=_waits(key)):
                return self._serve(environ, start_response, key, service)
        except DoorShut as shut:
            return _answer(start_response, *refusal.refuse(
                environ, service, *_failure(shut), "0"))

    def _serve(self, environ: dict[str, Any], start_response: Any, key: str | None,
               service: str | None) -> Iterable[bytes]:
        runtime = installed().runtime
        if _DOWNLOAD.match(environ.get("PATH_INFO", "")):
            return _download(environ, start_response)
        if (response := response_urls.answer(environ)) is not None:
            return _answer(start_response, response[0], [("Content-Type", "application/xml")], response[1])
        hook = getattr(runtime, "on_request", None)
        with _asked(service), hook(key, service) if hook else contextlib.nullcontext():
            try:
                if (address := execute_api.find(environ)) is not None:
                    return _answer(start_response, *execute_api.respond(address, environ))
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

    def _answer_url(self, environ: dict[str, Any], start_response: Any,
                    key: str | None) -> Iterable[bytes]:
        """The response to a request for a function URL, with our hook around it."""
        try:
            with self.door.passing(waits=_waits(key)):
                runtime = installed().runtime
                hook = getattr(runtime, "on_request", None)
                with _asked("lambda"), hook(key, "lambda") if hook else contextlib.nullcontext():
                    try:
                        return _answer(start_response, *url_requests.answer(runtime, environ))
                    except Exception as error:
                        failure = _failure(error)
        except DoorShut as shut:
            failure = _failure(shut)
        return _answer(start_response, *refusal.refuse(environ, "lambda", *failure, "0"))

    def invoke(self, request: invoke_request.InvokeRequest, body: bytes) -> bytes:
        """The response to an Invoke, with our hook around it."""
        environ = {"CONTENT_TYPE": request.headers.get("content-type", "")}
        try:
            with self.door.passing():
                api = installed()
                hook = getattr(api.runtime, "on_request", None)
                with hook(ACCESS_KEY_ID, "lambda") if hook else contextlib.nullcontext():
                    try:
                        return invoke_request.answer(api, request, body)
                    except Exception as error:
                        return invoke_request.response(api, *refusal.refuse(
                            environ, "lambda", *_failure(error), api.runtime.clock.uuid()))
        except DoorShut as shut:
            return invoke_request.response(
                None, *refusal.refuse(environ, "lambda", *_failure(shut), "0"))


def _waits(key: str | None) -> bool:
    """Whether a request may wait for the next cloud: not with credentials that this one gave."""
    return key is None or not key.startswith("ASIA")


def _failure(error: Exception) -> tuple[int, str, str]:
    """Status, code and message for what went wrong in here."""
    log.debug("a request failed", exc_info=error)
    if isinstance(error, NotImplementedError):
        return 501, "NotImplementedException", (
            str(error) or "minilambda doesn't implement this (yet).")
    if isinstance(error, ClockStopped | DoorShut):
        return 503, "ServiceUnavailable", "The cloud that was asked has been reset or closed."
    return 500, "InternalFailure", f"{type(error).__name__}: {error}"


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
            self.request.sendall(self.server.app.invoke(request, body))

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
        environ["minilambda.headers"] = tuple(self.headers.items())  # WSGI keeps no spelling
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
        try:
            return format_date_time(installed().runtime.clock.timestamp())
        except RuntimeError:  # one cloud has gone and the next isn't there yet
            return super().date_time_string(timestamp)

    def version_string(self) -> str:
        return "minilambda"  # the same on every machine, whatever is installed

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)
