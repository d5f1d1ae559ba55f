"""The Lambda Extensions API, on the same endpoint as the Runtime API.

AWS page: *Using the Lambda Extensions API to create extensions* (version 2020-01-01). Words of
refusal are those of AWS's own runtime interface emulator.
Leaves out: the Telemetry and Logs APIs. Subscribing answers what that emulator answers: 202, with a
document that says that it isn't supported.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..function import FunctionConfiguration
from .messages import ExtensionFailed, ExtensionReady, ExtensionRegistered, Message

MOST = 10  # AWS page as above: "You can use up to ten extensions"
EVENTS = ("INVOKE", "SHUTDOWN")
ERROR_TYPE = "Lambda-Extension-Function-Error-Type"


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(eq=False, slots=True)
class _Extension:
    """``state``: as AWS names it."""

    name: str
    external: bool
    identifier: str
    state: str = "Started"
    waiting: asyncio.Future | None = None
    queued: list[dict[str, Any]] = field(default_factory=list)


class ExtensionsApi:
    """Lives on the sandbox's event loop; ``tell`` passes a message on.

    ``external``: names of the programs in ``/opt/extensions``. ``seed``: what identifiers are made
    from, so that they are the same in every run.
    """

    def __init__(self, tell: Callable[[Message], None], function: FunctionConfiguration,
                 external: Iterable[str], seed: str) -> None:
        self.tell, self.function, self.seed = tell, function, seed
        self.closed = False  # is registration over?
        self._all: dict[str, _Extension] = {}
        for name in external:
            self._add(name, True)

    # -- what the engine asks ----------------------------------------------------------------------

    def send(self, names: Iterable[str], event: dict[str, Any]) -> None:
        """Answer these extensions' requests for their next event."""
        for extension in [self._all[name] for name in names]:
            if extension.waiting is not None and not extension.waiting.done():
                extension.waiting.set_result(event)
            else:
                extension.queued.append(event)

    def close(self) -> None:
        for extension in self._all.values():
            if extension.waiting is not None:
                extension.waiting.cancel()

    # -- requests ------------------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest, path: list[str],
                     body: bytes) -> web.Response:
        """``path``: what follows ``/2020-01-01/extension``."""
        try:
            match request.method, path:
                case "POST", ["register"]:
                    return self._register(request, body)
                case "GET", ["event", "next"]:
                    return await self._next(self._known(request))
                case "POST", ["init", "error"]:
                    return self._failed(request, body, "InitError", ("Registered",))
                case "POST", ["exit", "error"]:
                    return self._failed(request, body, "ExitError",
                                        ("Registered", "Ready", "Running"))
        except _Refused as refusal:
            return _document(403, {"errorType": refusal.kind, "errorMessage": str(refusal)})
        return _document(404, {"errorType": "NotFound", "errorMessage":
                               f"{request.method} {request.path} is not in the API"})

    @staticmethod
    def subscribe(what: str) -> web.Response:
        """PUT /2020-08-15/logs (``Logs``) or /2022-07-01/telemetry (``Telemetry``)."""
        return _document(202, {"errorType": f"{what}.NotSupported",
                               "errorMessage": f"{what} API is not supported"})

    def _register(self, request: web.BaseRequest, body: bytes) -> web.Response:
        name = request.headers.get("Lambda-Extension-Name", "")
        if not name:
            raise _Refused("Extension.InvalidExtensionName", "Empty extension name")
        events = _events(body)
        extension = self._all.get(name)
        external = extension is not None and extension.external
        for event in events:
            if event not in EVENTS:
                raise _Refused("Extension.InvalidEventType", f"{event}: ErrorInvalidEventType")
            if event == "SHUTDOWN" and not external:
                raise _Refused("Extension.InvalidEventType",
                               "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension")
        if external:
            if extension.state != "Started":
                raise self._transition(extension, "Registered", name)
        else:
            extension = self._internal(name)
        extension.state = "Registered"
        self.tell(ExtensionRegistered(name, tuple(events), external))
        answer = {"functionName": self.function.name, "functionVersion": self.function.version,
                  "handler": self.function.handler}
        wanted = request.headers.get("Lambda-Extension-Accept-Feature", "").split(",")
        if "accountId" in [feature.strip() for feature in wanted]:
            answer["accountId"] = self.function.account
        return _document(200, answer, {"Lambda-Extension-Identifier": extension.identifier})

    def _internal(self, name: str) -> _Extension:
        """One that the runtime starts, as a part of its own process."""
        if self.closed:
            raise _Refused("Extension.RegistrationClosed", "Extension registration closed already")
        if name in self._all:
            raise _Refused("Extension.InvalidExtensionState",
                           "Extension with this name already registered")
        if len(self._all) >= MOST:
            raise _Refused("Extension.TooManyExtensions", f"Extension limit ({MOST}) reached")
        return self._add(name, False)

    def _add(self, name: str, external: bool) -> _Extension:
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        identifier = str(uuid.UUID(bytes=digest[:16], version=4))
        extension = self._all[name] = _Extension(name, external, identifier)
        return extension

    def _known(self, request: web.BaseRequest) -> _Extension:
        identifier = request.headers.get("Lambda-Extension-Identifier", "")
        if not identifier:
            raise _Refused("Extension.MissingExtensionIdentifier",
                           "Missing Lambda-Extension-Identifier header")
        try:
            identifier = str(uuid.UUID(identifier))
        except ValueError:
            raise _Refused("Extension.InvalidExtensionIdentifier",
                           "Invalid Lambda-Extension-Identifier") from None
        for extension in self._all.values():
            if extension.identifier == identifier and extension.state != "Started":
                return extension
        raise _Refused("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")

    async def _next(self, extension: _Extension) -> web.Response:
        if extension.state not in ("Registered", "Running"):
            raise self._transition(extension, "Ready", extension.identifier)
        extension.state = "Ready"
        extension.waiting = asyncio.get_running_loop().create_future()
        self.tell(ExtensionReady(extension.name))
        if extension.queued:
            extension.waiting.set_result(extension.queued.pop(0))
        event = await extension.waiting
        if extension.state == "Ready":
            extension.state = "Running"
        return _document(200, event, {"Lambda-Extension-Event-Identifier": extension.identifier})

    def _failed(self, request: web.BaseRequest, body: bytes, state: str,
                allowed: tuple[str, ...]) -> web.Response:
        extension = self._known(request)
        kind = request.headers.get(ERROR_TYPE)
        if not kind:
            raise _Refused("Extension.MissingHeader", f"{ERROR_TYPE} not found")
        if extension.state != state:  # only the first one counts
            if extension.state not in allowed:
                target = "Exited" if state == "ExitError" else state
                raise self._transition(extension, target, extension.identifier)
            extension.state = state
            self.tell(ExtensionFailed(extension.name, state, kind))
        return _document(202, {"status": "OK"})

    @staticmethod
    def _transition(extension: _Extension, state: str, who: str) -> _Refused:
        return _Refused("Extension.InvalidExtensionState",
                        f"State transition from {extension.state} to {state} failed for extension "
                        f"{who}. Error: State transition is not allowed")


def _events(body: bytes) -> list[str]:
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError(f"cannot read a {type(document).__name__} as a register request")
        if document.get("configurationKeys"):
            raise ValueError("configurationKeys are deprecated; use environment variables instead")
        events = document.get("events") or []
        if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
            raise ValueError("events must be a list of strings")
    except ValueError as error:
        raise _Refused("InvalidRequestFormat", str(error)) from None
    return events


def _document(status: int, document: dict[str, Any],
              headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=json.dumps(document).encode(), headers=headers,
                        content_type="application/json")
