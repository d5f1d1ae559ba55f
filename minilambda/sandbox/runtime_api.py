"""The Lambda Runtime API, one endpoint an execution environment.

AWS page: *Using the Lambda runtime API* (version 2018-06-01). Runtimes of every language, AWS's own
clients among them, speak it unmodified. ``/minilambda/…`` is ours, for virtual time.
The Extensions API is on the same endpoint (see ``extensions_api``).
Leaves out: response streaming.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from .. import faults
from .direct import DirectConnection, Handle, raw
from .extensions_api import ExtensionsApi
from .messages import Failure, GaveUp, InitError, Message, Next, Response, Sleep, Started

PREFIX = "/2018-06-01/runtime"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


@dataclass(slots=True)
class Work:
    """What GET /next answers with: headers and the event."""

    request_id: str
    headers: dict[str, str]
    payload: bytes


@dataclass(eq=False)
class RuntimeApi:
    """Lives on the sandbox's event loop; ``tell`` passes a message on.

    ``response_limit`` is the largest result a synchronous caller may get, in bytes.
    """

    tell: Callable[[Message], None]
    response_limit: int
    extensions: ExtensionsApi
    measured: asyncio.Future | None = None
    _waiting: asyncio.Future | None = None
    _request_id: str | None = None
    _queued: list[Work] = field(default_factory=list)
    _sleepers: set[asyncio.Future] = field(default_factory=set)
    _naps: dict[str, asyncio.Future] = field(default_factory=dict)
    # Given the transport of a bootstrap that can do without a web server; None: nobody can here.
    take_over: Callable[[asyncio.Transport, Handle], DirectConnection] | None = None
    _direct: DirectConnection | None = None
    _closed: bool = False
    _asks: bool = False  # has it asked for the next event on its own connection?
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def server(self) -> web.Server:
        loop = asyncio.get_running_loop()

        def make(message, payload, protocol, writer, task):
            return web.BaseRequest(message, payload, protocol, writer, task, loop,
                                   client_max_size=256 << 20)

        return web.Server(self.handle, request_factory=make, access_log=None,
                          keepalive_timeout=1e9)

    def offer_directly(self, work: Work) -> bool:
        """Give a runtime that has a connection of its own its next invocation. From any thread.

        False: it has none.
        """
        if self._direct is None:
            return False
        with self._asking:
            if not self._asks:
                self._queued.append(work)
                return True
            self._asks = False
        self._send(work)
        return True

    def offer(self, work: Work) -> None:
        """Give the runtime its next invocation."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(work)
        else:
            self._queued.append(work)

    def hear_out(self) -> None:
        """Take in what the runtime has still said before it ended."""
        if self._direct is not None:
            self._direct.read()

    def close(self) -> None:
        """The runtime is gone: nobody waits for answers any more."""
        self._closed = True
        for future in (self._waiting, self.measured, *self._sleepers):
            if future is not None:
                future.cancel()
        self.extensions.close()
        if self._direct is not None:
            self._direct.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        match request.path.removeprefix(PREFIX).split("/")[1:]:
            case ["invocation", "next"] if request.method == "GET":
                return await self._next()
            case ["invocation" | "init", *path]:
                return self._outcome(request.method, path, request.headers.get(ERROR_TYPE), body)
            case ["2020-01-01", "extension", *path]:
                return await self.extensions.handle(request, path, body)
            case ["2020-08-15", "logs"] if request.method == "PUT":
                return self.extensions.subscribe("Logs")
            case ["2022-07-01", "telemetry"] if request.method == "PUT":
                return self.extensions.subscribe("Telemetry")
            case ["minilambda", "started"]:
                try:
                    response = await self._started()
                except asyncio.CancelledError:
                    if not self._closed:
                        raise
                    # Killed before it had started: aiohttp would print that as an error of ours.
                    return _refusal(403, "Gone", "the execution environment has ended")
                if self.take_over is not None and body == b"direct":
                    return await self._go_direct(request)
                return response
            case ["minilambda", "sleep"]:
                return await self._sleep(body)
            case ["minilambda", "nap", name]:
                return await self._nap(request.method, name, body)
        return _refusal(404, "NotFound", f"{request.method} {request.path} is not in the API")

    def _outcome(self, method: str, path: list[str], error_type: str | None,
                 body: bytes) -> web.Response:
        """A result or an error of Init or of an invocation; ``path`` is what comes behind that."""
        match path:
            case [request_id, "response"] if request_id == self._request_id:
                return self._response(request_id, body)
            case [request_id, "error"] if request_id == self._request_id:
                self._request_id = None
                self.tell(Failure(request_id, error_type or _error_type(body), body))
                return _accepted()
            case [_, "response" | "error"]:
                return _refusal(400, "InvalidRequestID", "Invalid request ID")
            case ["error"]:
                self.tell(InitError(error_type or _error_type(body), body))
                return _accepted()
        return _refusal(404, "NotFound", f"{method} of {'/'.join(path)} is not in the API")

    # -- the connection of our own bootstrap -------------------------------------------------------

    async def _go_direct(self, request: web.BaseRequest) -> web.Response:
        """Serve this connection without the web server from here on."""
        accepted = _accepted()
        if request.transport is None:  # it was killed meanwhile
            return accepted
        self._direct = self.take_over(request.transport, self._handle_direct)
        self._direct.send(raw(accepted.status, {}, accepted.body))
        # The server is kept from touching the connection, until it is shut down.
        kept = asyncio.get_running_loop().create_future()
        self._sleepers.add(kept)
        await kept
        return accepted

    def _handle_direct(self, method: str, path: str, headers: Mapping[str, str],
                       body: bytes) -> bytes | None:
        match path.removeprefix(PREFIX).split("/")[1:]:
            case ["invocation", "next"]:
                self.tell(Next())
                with self._asking:
                    self._asks = not self._queued
                    work = self._queued.pop(0) if self._queued else None
                if work is not None:
                    self._send(work)
                return None
            case ["invocation" | "init", *rest]:
                response = self._outcome(method, rest, headers.get(ERROR_TYPE.lower()), body)
            case ["minilambda", "sleep"]:
                direct, accepted = self._direct, _accepted()
                done = raw(accepted.status, {}, accepted.body)
                self.tell(Sleep(float(body), lambda: direct.send(done), None,
                                lambda: not direct.closed))
                return None
            case _:
                response = _refusal(404, "NotFound", f"{method} {path} is not in the API")
        return raw(response.status, {"Content-Type": "application/json"}, response.body)

    def _send(self, work: Work) -> None:
        self._request_id = work.request_id
        self._direct.send(raw(200, work.headers, work.payload))

    # -- all others' ----------------------------------------------------------------------------------

    async def _started(self) -> web.Response:
        """The runtime goes on when it has been measured: none of the function's code counts."""
        self.measured = asyncio.get_running_loop().create_future()
        self.tell(Started())
        await self.measured
        return _accepted()

    async def _next(self) -> web.Response:
        if self.measured is None:
            await self._started()  # a runtime that isn't ours: what it holds now is its own share
        self.tell(Next())
        if self._queued:
            work = self._queued.pop(0)
        else:
            self._waiting = asyncio.get_running_loop().create_future()
            work = await self._waiting
        self._request_id = work.request_id
        return web.Response(body=work.payload, headers=work.headers)

    def _response(self, request_id: str, body: bytes) -> web.Response:
        self._request_id = None
        if len(body) > self.response_limit:  # the invocation has failed, whatever the runtime does now
            kind, message = faults.response_too_large(self.response_limit)
            refusal = _refusal(413, kind, message)
            self.tell(Failure(request_id, kind, refusal.body))
            return refusal
        self.tell(Response(request_id, body))
        return _accepted()

    async def _sleep(self, body: bytes) -> web.Response:
        """Answers when it is over."""
        try:
            seconds = float(json.loads(body))
        except (TypeError, ValueError):
            return _refusal(400, "InvalidSleep", "the body must be a number of seconds")
        woken, wake = self._sleeper()
        self.tell(Sleep(seconds, wake))
        await woken
        return _accepted()

    async def _nap(self, method: str, name: str, body: bytes) -> web.Response:
        """A sleep until an instant: POST begins it, GET waits for its end, DELETE gives it up."""
        nap = self._naps.get(name)
        if method == "POST":
            try:
                began, end = map(int, json.loads(body))
            except (TypeError, ValueError):
                return _refusal(400, "InvalidSleep", "the body must be two instants in nanoseconds")
            woken, wake = self._sleeper()
            self._naps[name] = woken
            self.tell(Sleep(0.0, wake, (began, end), lambda: not woken.cancelled()))
        elif nap is not None and method == "GET":
            await asyncio.wait([nap])
        elif nap is not None and method == "DELETE":
            del self._naps[name]
            nap.cancel()
            self.tell(GaveUp())
        return _accepted()

    def _sleeper(self) -> tuple[asyncio.Future, Callable[[], None]]:
        """What someone who sleeps waits for, and how to wake them from any thread."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        self._sleepers.add(woken)
        woken.add_done_callback(self._sleepers.discard)

        def wake() -> None:
            loop.call_soon_threadsafe(lambda: woken.done() or woken.set_result(None))

        return woken, wake


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"


def _accepted() -> web.Response:
    return web.Response(status=202, body=b'{"status":"OK"}\n', content_type="application/json")


def _refusal(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return web.Response(status=status, body=body, content_type="application/json")
