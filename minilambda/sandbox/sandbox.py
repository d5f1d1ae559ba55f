"""One execution environment's sandbox: a process tree and its Runtime API.

Everything it has to say goes to its receiver as messages (see ``messages``), in order, on the
host's loop thread. The methods may be called from any thread and never block.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial

from aiohttp import web

from ..function import FunctionConfiguration
from .cloud_time import PAGE
from .host import Host
from .messages import Exit, GaveUp, Message, Output, Sleep, Started, Usage
from .output import OutputPipe
from .runtime_api import RuntimeApi, Work


class Sandbox:
    """Args:
        host: of this cloud.
        name: unique; the log stream carries it too.
        function: whose code and limits apply.
        variables: the function's environment variables, the service's own included.
        receiver: takes each message.
        response_limit: bytes.
        base_model_kb: with modelled durations, what the runtime itself counts as (KB); else None.
    """

    def __init__(self, host: Host, name: str, function: FunctionConfiguration,
                 variables: dict[str, str], receiver: Callable[[Message], None],
                 response_limit: int, base_model_kb: int | None) -> None:
        self.host, self.name, self.receiver = host, name, receiver
        self._base_model_kb = base_model_kb
        self.home = host.root / "environments" / name
        self.home.mkdir(parents=True)
        task = host.store.unpack(function.code)
        opt = host.store.opt([layer.content for layer in function.layers])
        self._gone = self._frozen = False
        self._clock_fd = _page()
        self._clock = mmap.mmap(self._clock_fd, PAGE.size)
        self._doors: list[socket.socket] = []
        self._watched: list[socket.socket] = []
        self._services = dict(host.services)
        self._access_key = variables["AWS_ACCESS_KEY_ID"]
        ports = {port: port for port in self._services}
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self.api = RuntimeApi(self._tell, response_limit)
        if host.tier.name == "process":
            door = socket.create_server(("127.0.0.1", 0))
            self._doors.append(door)
            for port in ports:
                self._doors.append(socket.create_server(("127.0.0.1", 0)))
                ports[port] = self._doors[-1].getsockname()[1]
            variables = variables | {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{door.getsockname()[1]}"}
        self.plan = host.tier.plan(host.store, task, opt, self.home, variables, function.runtime,
                                   function.memory_size, function.ephemeral_storage,
                                   host.cloud_port, ports)
        self.output = OutputPipe(self.plan.renames)
        host.sandboxes[name] = self
        host.on_loop(self._open)

    # -- what the engine asks -------------------------------------------------------------------

    def set_time(self, timestamp_ns: int, rate: float) -> None:
        """Write the present instant (ns since 1970) where the runtime reads it.

        ``rate``: how fast it goes on from there, in seconds a real second; 0: it stands still.
        """
        if not self._gone:
            self._clock[:] = PAGE.pack(timestamp_ns, time.monotonic_ns(), rate)

    def invoke(self, work: Work) -> None:
        """Thaw, and hand over an invocation."""
        self.output.new_invocation()
        if self._frozen:
            self._frozen = False
            self.host.ask(do="thaw", name=self.name)
        self.host.on_loop(lambda: self.api.offer(work))

    def freeze(self) -> None:
        """Stop the whole tree; a :class:`Usage` message follows."""
        self._frozen = True
        self.host.ask(do="freeze", name=self.name)

    def measure(self) -> None:
        """Ask for a :class:`Usage` message."""
        self.host.ask(do="usage", name=self.name)

    def kill(self) -> None:
        """SIGKILL to the whole tree; an :class:`Exit` message follows."""
        self.host.ask(do="kill", name=self.name)

    # -- on the loop ----------------------------------------------------------------------------

    def _open(self) -> None:
        self.host.loop.add_reader(self.output.reader, self._read_output)
        descriptors = [self.output.writer, self._clock_fd]
        if self.plan.opens_own_doors:
            self._channel, theirs = socket.socketpair()
            self.host.loop.add_reader(self._channel, self._take_doors)
            descriptors.append(theirs.fileno())
        else:
            theirs = None
            self._serve_api(self._doors[0])
            self._serve_others(self._doors[1:])
        self.host.ask(
            tuple(descriptors), do="spawn", name=self.name, limit_kb=self.plan.limit_mb * 1024,
            environment=self.plan.environment, descriptors=len(descriptors),
            command=self.plan.command, redirect=self.plan.redirect, skip=self.plan.skip,
            shares=self._base_model_kb is None,
        )
        self.output.close_writer()
        if theirs is not None:
            theirs.close()

    def _serve_api(self, door: socket.socket) -> None:
        async def serve() -> None:
            self._server = self.api.server()
            self._listener = await self.host.loop.create_server(self._server, sock=door)

        self.host.task(serve())

    def _take_doors(self) -> None:
        """The sandbox passes out its listening sockets: Runtime API, AWS endpoint, and services."""
        self.host.loop.remove_reader(self._channel)
        wanted = 2 + len(self._services)
        _, descriptors, _, _ = socket.recv_fds(self._channel, 64, wanted)
        self._channel.close()
        self._doors += [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if len(descriptors) != wanted:
            return  # it died first; the supervisor will say so
        api, cloud, *others = self._doors
        self._serve_api(api)
        self._watch(cloud, self.host.serve_connection)
        self._serve_others(others)

    def _serve_others(self, doors: list[socket.socket]) -> None:
        for door, serve in zip(doors, self._services.values(), strict=True):
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

    def _read_output(self) -> None:
        lines = self.output.drain(limit=4)
        if lines:
            self.receiver(Output(lines))

    def _tell(self, message: Message) -> None:
        # A sleep may come in the middle of a line; anything else ends it.
        lines = self.output.drain(final=not isinstance(message, Started | Sleep | GaveUp))
        if lines:
            self.receiver(Output(lines))
        if isinstance(message, Started):
            self.host.ask(do="limit", name=self.name, base_model_kb=self._base_model_kb)
        self.receiver(message)

    def on_supervisor(self, message: dict) -> None:
        match message["event"]:
            case "limited":
                if self.api.measured is not None and not self.api.measured.done():
                    self.api.measured.set_result(None)
            case "usage":
                self.receiver(Usage(message["peak_kb"] / 1024, tuple(message["cpu"])))
            case "exit":
                if not self._gone:
                    self._tell(Exit(message["code"], message["reason"], message["peak_kb"] / 1024,
                                    tuple(message["cpu"])))
                    self.release()

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
        for door in self._doors:
            door.close()
        self.output.close()
        self._clock.close()
        os.close(self._clock_fd)
        shutil.rmtree(self.home, ignore_errors=True)


def _page() -> int:
    """A file descriptor of the shared bytes that hold the time."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("clock")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, PAGE.size)
    return descriptor
