"""The cloud's end of an environment's launcher: orders to it, and what its extensions write.

Lives on the host's loop thread; orders may be given from any thread.
Stands for nothing of AWS's; see ``launcher`` for the other end.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable

from .messages import ExtensionEnded, ExtensionOutput, Message, RuntimeExit
from .output import OutputPipe

RUNTIME = "runtime"  # the name that the launcher, a program of its own, knows it by


class Launched:
    """``names``: of the extensions, in the order in which they are started."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: socket.socket,
                 names: tuple[str, ...], renames: tuple[tuple[bytes, bytes], ...],
                 tell: Callable[[Message], None]) -> None:
        self.loop, self.channel, self.names, self.renames = loop, channel, names, renames
        self.tell = tell
        self.pipes: dict[str, OutputPipe] = {}
        self._rest = b""
        self._sending = threading.Lock()
        channel.setblocking(True)
        loop.add_reader(channel, self._read)

    def order(self, **order: object) -> None:
        with self._sending:
            try:
                self.channel.sendall(json.dumps(order).encode() + b"\n")
            except OSError:
                pass  # it has ended; the supervisor says so

    def drain(self, name: str) -> None:
        """Pass on what this extension has written so far."""
        if name in self.pipes:
            self._say(name, self.pipes[name].drain(final=True))

    def drain_all(self) -> None:
        for name in self.names:
            self.drain(name)

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.remove_reader(self.channel)
            for pipe in self.pipes.values():
                self.loop.remove_reader(pipe.reader)
        for pipe in self.pipes.values():
            pipe.close()
        self.channel.close()

    def _read(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.channel, 1 << 16, len(self.names))
        except OSError:
            data, descriptors = b"", []
        if not data:
            self.loop.remove_reader(self.channel)
            return
        for name, descriptor in zip(self.names, descriptors, strict=False):
            pipe = self.pipes[name] = OutputPipe(self.renames, descriptor)
            self.loop.add_reader(pipe.reader, self._overheard, name)
        if descriptors:
            data = data.removeprefix(b"pipes")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            report = json.loads(line)
            name, code = report["ended"], report["code"]
            if name == RUNTIME:
                self.tell(RuntimeExit(code))
            else:
                self.drain(name)
                self.tell(ExtensionEnded(name, code))

    def _overheard(self, name: str) -> None:
        pipe = self.pipes[name]
        self._say(name, pipe.drain(limit=4))
        if pipe.ended:
            self.loop.remove_reader(pipe.reader)

    def _say(self, name: str, lines: tuple[str, ...]) -> None:
        if lines:
            self.tell(ExtensionOutput(name, lines))
