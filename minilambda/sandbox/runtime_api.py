"""The Lambda Runtime API, one endpoint an execution environment.

AWS page: *Using the Lambda runtime API* (version 2018-06-01). Runtimes of every language, AWS's own
clients among them, speak it unmodified. ``/minilambda/…`` is ours, for virtual time.
The Extensions API is on the same endpoint (see ``extensions_api``).
Leaves out: response streaming.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from .. import faults
from .extensions_api import ExtensionsApi
from .messages import Failure, GaveUp, InitError, Message, Next, Response, Sleep, Started

PREFIX = "/2018-06-01/runtime"


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

    def server(self) -> web.Server:
        loop = asyncio.get_running_loop()

        def make(message, payload, protocol, writer, task):
            return web.BaseRequest(message, payload, protocol, writer, task, loop,
                                   client_max_size=256 << 20)

        return web.Server(self.handle, request_factory=make, access_log=None,
                          keepalive_timeout=1e9)

    def offer(self, work: Work) -> None:
        """Give the runtime its next invocation."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(work)
        else:
            self._queued.append(work)

    def close(self) -> None:
        """The runtime is gone: nobody waits for answers any more."""
        for future in (self._waiting, self.measured, *self._sleepers):
            if future is not None:
                future.cancel()
        self.extensions.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        match request.path.removeprefix(PREFIX).split("/")[1:]:
            case ["invocation", "next"] if request.method == "GET":
                return await self._next()
            case ["invocation", request_id, "response"] if request_id == self._request_id:
                return self._response(request_id, body)
            case ["invocation", request_id, "error"] if request_id == self._request_id:
                self._request_id = None
                self.tell(Failure(request_id, _error_type(request, body), body))
                return _accepted()
            case ["invocation", _, "response" | "error"]:
                return _refusal(400, "InvalidRequestID", "Invalid request ID")
            case ["init", "error"]:
                self.tell(InitError(_error_type(request, body), body))
                return _accepted()
            case ["2020-01-01", "extension", *path]:
                return await self.extensions.handle(request, path, body)
            case ["2020-08-15", "logs"] if request.method == "PUT":
                return self.extensions.subscribe("Logs")
            case ["2022-07-01", "telemetry"] if request.method == "PUT":
                return self.extensions.subscribe("Telemetry")
            case ["minilambda", "started"]:
                return await self._started()
            case ["minilambda", "sleep"]:
                return await self._sleep(body)
            case ["minilambda", "sleep", name] if request.method == "POST":
                return await self._sleep(body, name)
            case ["minilambda", "sleep", name] if request.method == "DELETE":
                if name in self._naps:
                    self._naps[name].cancel()
                    self.tell(GaveUp())
                return _accepted()
        return _refusal(404, "NotFound", f"{request.method} {request.path} is not in the API")

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

    async def _sleep(self, body: bytes, name: str | None = None) -> web.Response:
        """Answers when it is over. One with a name is until an instant, and may be given up."""
        loop = asyncio.get_running_loop()
        try:
            asked = json.loads(body)
            seconds, until = (float(asked), None) if name is None else (0.0, tuple(asked))
        except (TypeError, ValueError):
            return _refusal(400, "InvalidSleep", "the body must be a number of seconds")
        woken = loop.create_future()
        self._sleepers.add(woken)
        woken.add_done_callback(self._sleepers.discard)
        if name is not None:
            self._naps[name] = woken

        def wake() -> None:
            loop.call_soon_threadsafe(lambda: woken.done() or woken.set_result(None))

        self.tell(Sleep(seconds, wake, until, lambda: not woken.cancelled()))
        try:
            await woken
        finally:
            if self._naps.get(name) is woken:
                del self._naps[name]
        return _accepted()


def _error_type(request: web.BaseRequest, body: bytes) -> str:
    named = request.headers.get("Lambda-Runtime-Function-Error-Type")
    if named:
        return named
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"


def _accepted() -> web.Response:
    return web.Response(status=202, body=b'{"status":"OK"}\n', content_type="application/json")


def _refusal(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return web.Response(status=status, body=body, content_type="application/json")
