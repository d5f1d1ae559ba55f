"""One execution environment's sandbox: a process tree and its Runtime API.

Everything it has to say goes to its receiver as messages (see ``messages``), in order, on the
host's loop thread. The methods may be called from any thread and never block.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from aiohttp import web

from .. import xray
from ..function import FunctionConfiguration
from . import preloading, runtimes
from .clock_page import ClockPage
from .direct import DirectConnection, Handle
from .extensions_api import ExtensionsApi
from .host import Host
from .launched import RUNTIME, Launched
from .messages import (
    Exit, ExtensionOutput, ExtensionReady, ExtensionRegistered, GaveUp, Message, Output, Segments,
    Sleep, Started, Usage,
)
from .output import OutputPipe
from .quiet import Quiet
from .runtime_api import RuntimeApi, Work

IDLE_SECONDS = 0.001  # real ones, before a quiet environment that counts as frozen is stopped


class Sandbox:
    """Args:
        host: of this cloud.
        name: unique; the log stream carries it too.
        function: whose code and limits apply.
        variables: the function's environment variables, the service's own included.
        receiver: takes each message.
        response_limit: bytes.
        base_model_kb: with modelled durations, what the runtime itself counts as (KB); else None.
        timestamp_ns: the present instant, which the runtime may read before it is told any other.
    """

    def __init__(self, host: Host, name: str, function: FunctionConfiguration,
                 variables: dict[str, str], receiver: Callable[[Message], None],
                 response_limit: int, base_model_kb: int | None, timestamp_ns: int) -> None:
        self.host, self.name, self.receiver = host, name, receiver
        self._base_model_kb = base_model_kb
        self.zygote = host.zygote(function)
        self.home = host.root / "environments" / name
        self.home.mkdir(parents=True)
        task = host.store.unpack(function.code)
        opt = host.store.opt([layer.content for layer in function.layers])
        self._gone = self._frozen = False
        self._clock = ClockPage(host.mark(name))
        self._doors: list[socket.socket] = []
        self._watched: list[socket.socket] = []
        self._services = dict(host.services)
        self._access_key = variables["AWS_ACCESS_KEY_ID"]
        ports = {port: port for port in self._services}
        self._daemon: socket.socket | None = None  # the X-Ray daemon's, a UDP socket
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        names = tuple(runtimes.extensions(opt))
        self.api = RuntimeApi(self._tell, response_limit,
                              ExtensionsApi(self._tell, function, names, name))
        self._launched: Launched | None = None
        self._telling = threading.RLock()  # the loop's thread and the pump's both have things to tell
        self._direct: DirectConnection | None = None
        self._freezing = threading.Lock()
        self._idle_since: float | None = None  # real seconds; None: it runs, or has been stopped
        self._quiet: Quiet | None = None
        if host.tier.name == "process":
            door = socket.create_server(("127.0.0.1", 0))
            self._doors.append(door)
            for port in ports:
                self._doors.append(socket.create_server(("127.0.0.1", 0)))
                ports[port] = self._doors[-1].getsockname()[1]
            daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            daemon.bind(("127.0.0.1", 0))
            self._doors.append(daemon)
            # (The daemon's address is one of those that a function may set for itself.)
            variables = {
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}"} | variables | {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{door.getsockname()[1]}"}
        self.plan = host.tier.plan(host.store, task, opt, self.home, variables, function.runtime,
                                   function.memory_size, function.ephemeral_storage,
                                   host.cloud_port, ports)
        if host.pump is not None and not self.plan.extensions:
            self.api.take_over = self._take_over
        self._own = preloading.own_names(task, opt) if self.plan.redirect else []
        self.output = OutputPipe(self.plan.renames)
        self.set_time(timestamp_ns, 0.0)
        host.sandboxes[name] = self
        host.on_loop(self._open)

    # -- what the engine asks -------------------------------------------------------------------

    def set_time(self, timestamp_ns: int, rate: float) -> None:
        """Write the present instant (ns since 1970) where the runtime reads it.

        ``rate``: how fast it goes on from there, in seconds a real second; 0: it stands still.
        """
        if not self._gone:
            self._clock.write(timestamp_ns, rate)

    def invoke(self, work: Work) -> None:
        """Thaw, and hand over an invocation."""
        self.output.new_invocation()
        self.thaw()
        if not self.api.offer_directly(work):
            self.host.on_loop(lambda: self.api.offer(work))

    def thaw(self) -> None:
        with self._freezing:
            self._idle_since = None
            if self._frozen:
                self._frozen = False
                self.zygote.ask(do="thaw", name=self.name)

    def send_event(self, names: Iterable[str], event: dict[str, Any]) -> None:
        """Give extensions their next event (thawed, if need be)."""
        self.thaw()
        self.host.on_loop(lambda: self.api.extensions.send(names, event))

    def close_registration(self) -> None:
        """From now on no extension can register."""
        self.host.on_loop(lambda: setattr(self.api.extensions, "closed", True))

    def start_runtime(self) -> None:
        """The runtime of an environment with external extensions is started only now."""
        self._order(do="start")

    def signal(self, number: int, name: str = RUNTIME) -> None:
        """Send a signal to the runtime's process, or to an external extension's."""
        if self.plan.extensions:
            self._order(do="signal", name=name, number=number)
        else:
            self.zygote.ask(do="signal_main", name=self.name, number=number)

    def freeze(self) -> Usage | None:
        """Stop the whole tree. Gives what it has used, or None: then a :class:`Usage` follows.

        One that is sure to do nothing (see ``quiet``) is stopped only when it is left alone for a
        moment: most of the time the next event comes before that.
        """
        used = self._quiet.measure() if self._quiet is not None else None
        if used is None:
            self._frozen = True
            self.zygote.ask(do="freeze", name=self.name)
            return None
        self._idle_since = time.monotonic()
        self.host.rest(self)
        return Usage(used[0], (used[1],))

    def stop_if_idle(self) -> bool:
        """Really stop what counts as frozen. False: it is too early, ask again."""
        with self._freezing:
            if self._idle_since is None:
                return True
            if time.monotonic() - self._idle_since < IDLE_SECONDS:
                return False
            self._idle_since, self._frozen = None, True
            self.zygote.ask(do="stop", name=self.name)
            return True

    def measure(self, states: bool = False) -> None:
        """Ask for a :class:`Usage` message; with ``states`` it says whether anyone is busy.

        Then what was sent before has arrived when that is looked at, and what they had sent by then
        is told before it.
        """
        ask = partial(self.zygote.ask, do="usage", name=self.name, states=states)
        if states:
            self.host.on_loop(lambda: (self.api.hear_out(), self._later(ask)))
        else:
            ask()

    def kill(self) -> None:
        """SIGKILL to the whole tree; an :class:`Exit` message follows."""
        self.zygote.ask(do="kill", name=self.name)

    # -- on the loop ----------------------------------------------------------------------------

    def _open(self) -> None:
        if self.zygote.lost:
            self.lose()
            return
        self.host.loop.add_reader(self.output.reader, self._read_output)
        descriptors = [self.output.writer, self._clock.descriptor]
        theirs = None
        if self.plan.opens_own_doors or self.plan.extensions:
            self._channel, theirs = socket.socketpair()
            descriptors.append(theirs.fileno())
        if self.plan.opens_own_doors:
            self.host.loop.add_reader(self._channel, self._take_doors)
        else:
            self._serve_api(self._doors[0])
            self._serve_others(self._doors[1:])
            self._hear_launcher()
        self.zygote.ask(
            tuple(descriptors), do="spawn", name=self.name, limit_kb=self.plan.limit_mb * 1024,
            environment=self.plan.environment, descriptors=len(descriptors),
            command=self.plan.command, redirect=self.plan.redirect, confine=self.plan.confine,
            skip=self.plan.skip, shares=self._base_model_kb is None, own=self._own,
        )
        self.output.close_writer()
        if theirs is not None:
            theirs.close()

    def _serve_api(self, door: socket.socket) -> None:
        async def serve() -> None:
            if not self._gone:  # (nor can it go before it is known that somebody listens)
                self._server = self.api.server()
                self._listener = await self.host.loop.create_server(
                    self._server, sock=door, start_serving=False)
                await self._listener.start_serving()

        self.host.task(serve())

    def _take_doors(self) -> None:
        """The sandbox passes out its sockets: Runtime API, AWS endpoint, services, X-Ray daemon."""
        self.host.loop.remove_reader(self._channel)
        wanted = 3 + len(self._services)
        _, descriptors, _, _ = socket.recv_fds(self._channel, len(b"doors"), wanted)
        self._doors += [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if len(descriptors) != wanted:
            self._channel.close()
            return  # it died first; the supervisor will say so
        if self.plan.extensions:
            self._hear_launcher()
        else:
            self._channel.close()
        api, cloud, *others = self._doors
        self._serve_api(api)
        self._watch(cloud, self.host.serve_connection)
        self._serve_others(others)

    def _hear_launcher(self) -> None:
        if self.plan.extensions:
            self._launched = Launched(self.host.loop, self._channel, self.plan.extensions,
                                      self.plan.renames, self._tell)

    def _order(self, **order: object) -> None:
        # Whoever gives orders has heard from an extension, so there is a launcher.
        self.host.on_loop(lambda: self._launched and self._launched.order(**order))

    def _serve_others(self, doors: list[socket.socket]) -> None:
        *services, daemon = doors
        self._listen_for_segments(daemon)
        for door, serve in zip(services, self._services.values(), strict=True):
            self._watch(door, partial(self._admit, serve))

    def _admit(self, serve: Callable[[socket.socket, str], None],
               connection: socket.socket) -> None:
        serve(connection, self._access_key)

    def _watch(self, door: socket.socket, take: Callable[[socket.socket], None]) -> None:
        door.setblocking(False)
        self._watched.append(door)
        self.host.loop.add_reader(door, self._accept, door, take)

    def _accept(self, door: socket.socket, take: Callable[[socket.socket], None]) -> None:
        try:
            connection, _ = door.accept()
        except OSError:
            return
        connection.setblocking(True)
        take(connection)

    def _listen_for_segments(self, daemon: socket.socket) -> None:
        daemon.setblocking(False)
        self._daemon = daemon
        self.host.loop.add_reader(daemon, self._on_segments)

    def _on_segments(self) -> None:
        # Whoever tells of the invocation's end reads on another thread: what this one has taken
        # must have been told before.
        with self._telling:
            self._read_segments()

    def _read_segments(self) -> None:
        """Take what has been sent to the X-Ray daemon; loopback delivers in order and at once."""
        documents = []
        while self._daemon is not None:
            try:
                documents.append(xray.document(self._daemon.recv(1 << 16)))
            except OSError:  # there is no more
                break
        if found := tuple(filter(None, documents)):
            self.receiver(Segments(found))

    def _take_over(self, transport: asyncio.Transport, handle: Handle) -> DirectConnection:
        """Our own bootstrap's connection: whoever waits for its answers reads them (see ``pump``)."""
        transport.pause_reading()
        connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        connection.setblocking(False)
        pump, descriptor = self.host.pump, connection.fileno()
        self._direct = DirectConnection(
            connection, handle, lambda data: self.host.on_loop(lambda: transport.write(data)),
            lambda: pump.remove(descriptor))
        pump.add(descriptor, self._direct.read)
        return self._direct

    def _read_output(self) -> None:
        with self._telling:
            lines = self.output.drain(limit=4)
            if lines:
                self.receiver(Output(lines))

    def _tell(self, message: Message) -> None:
        with self._telling:
            self._tell_in_order(message)

    def _tell_in_order(self, message: Message) -> None:
        # A sleep may come in the middle of a line; anything else ends it.
        lines = self.output.drain(final=not isinstance(
            message, Started | Sleep | GaveUp | ExtensionOutput | ExtensionRegistered | ExtensionReady))
        if lines:
            self.receiver(Output(lines))
        self._read_segments()
        if self._launched is not None:
            if isinstance(message, ExtensionReady):
                self._launched.drain(message.name)
            elif isinstance(message, Exit):
                self._launched.drain_all()
        if isinstance(message, Started):
            self.zygote.ask(do="limit", name=self.name, base_model_kb=self._base_model_kb)
        self.receiver(message)

    def on_supervisor(self, message: dict) -> None:
        match message["event"]:
            case "limited":
                # With measured durations only the supervisor knows who has computed beside whom.
                if self.api.take_over is not None and self._base_model_kb is not None and message["pid"]:
                    self._quiet = Quiet(message["pid"], message["base_kb"], message["cpu"])
                if self.api.measured is not None and not self.api.measured.done():
                    self.api.measured.set_result(None)
            case "usage":
                usage = Usage(message["peak_kb"] / 1024, tuple(message["cpu"]), message["busy"])
                if message["states"]:
                    self.api.hear_out()
                    self._later(lambda: self.receiver(usage))
                else:
                    self.receiver(usage)
            case "exit":
                if not self._gone:
                    self.api.hear_out()
                    self._tell(Exit(message["code"], message["reason"], message["peak_kb"] / 1024,
                                    tuple(message["cpu"])))
                    self.release()

    def lose(self) -> None:
        """The supervisor is gone, and this environment with it."""
        self.on_supervisor({"event": "exit", "code": -9, "reason": "supervisor", "peak_kb": 0,
                            "cpu": []})

    def _later(self, action: Callable[[], None], turns: int = 5) -> None:
        """When the loop has done what there is to do: a request takes it several turns."""
        if turns:
            self.host.loop.call_soon(self._later, action, turns - 1)
        else:
            action()

    def release(self) -> None:
        """Let go of everything the host holds for it. Called on the loop, or after its end."""
        if self._gone:
            return
        self._gone = True
        self.host.sandboxes.pop(self.name, None)
        if not self.host.loop.is_closed():
            self.host.loop.remove_reader(self.output.reader)
            self.api.close()
            if self._listener is not None:
                self._listener.close()
                self.host.task(self._server.shutdown(0))
            for door in self._watched:
                self.host.loop.remove_reader(door)
            if self._daemon is not None:
                self.host.loop.remove_reader(self._daemon)
        if self._launched is not None:
            self._launched.close()
        if self._direct is not None:
            self._direct.close()
            self._direct.socket.close()
        if self._quiet is not None:
            self._quiet.close()
        for door in self._doors:
            door.close()
        self._daemon = None
        self.output.close()
        self._clock.close()
        self.host.remove(self.home)
