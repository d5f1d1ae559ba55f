"""The tier's own thread and processes: one event loop, one supervisor, many sandboxes.

The engine owns no thread, process or socket; all of those are here. A :class:`Host` belongs to one
cloud. Calls come in from any thread and return at once; answers go to each sandbox's receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..function import FunctionConfiguration
from . import runtimes, tiers
from .code_store import CodeStore

if TYPE_CHECKING:
    from .sandbox import Sandbox

FILES = 65_536

# What the supervisor, and so every function, is started with: nothing of the reader's own.
CLEAN_ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin",
                     "PYTHONHASHSEED": "0"}


class Host:
    """Starts and stops what sandboxes need.

    Args:
        tier: ``auto``, ``process`` or ``bubblewrap``.
        cloud_port: the port of the cloud's AWS endpoint on loopback.
        serve_connection: takes an accepted socket and serves the AWS endpoint on it (for
            sandboxes with a network of their own).
    """

    def __init__(self, tier: str, cloud_port: int,
                 serve_connection: Callable[[socket.socket], None]) -> None:
        self.tier = tiers.choose(tier)
        _allow_many_files()
        self.cloud_port, self.serve_connection = cloud_port, serve_connection
        self.root = Path(tempfile.mkdtemp(prefix="minilambda-"))
        os.chmod(self.root, 0o755)
        self.store = CodeStore(self.root / "store")
        self.sandboxes: dict[str, Sandbox] = {}
        # What a sandbox reaches beside the Runtime API and AWS: a port on loopback -> who takes a
        # connection, and the access key of the sandbox that it comes from.
        self.services: dict[int, Callable[[socket.socket, str], None]] = {}
        self._send_lock = threading.Lock()
        self._closed = False
        self._tasks: set[asyncio.Task] = set()
        self.loop = asyncio.new_event_loop()
        self._start_supervisor()
        self._thread = threading.Thread(target=self._run, name="minilambda-sandbox", daemon=True)
        self._thread.start()

    # -- for sandboxes ---------------------------------------------------------------------------

    def entrypoint_problem(self, function: FunctionConfiguration,
                           variables: dict[str, str]) -> str | None:
        """Why the program that a function's package must bring can't be started, if so."""
        folders = {"/var/task": self.store.unpack(function.code),
                   "/opt": self.store.opt([layer.content for layer in function.layers])}
        return runtimes.entrypoint_problem(function.runtime, variables, folders)

    def ask(self, descriptors: tuple[int, ...] = (), /, **message: Any) -> None:
        """Send one message to the supervisor, from any thread."""
        data = json.dumps(message).encode() + b"\n"
        with self._send_lock:
            if self._closed:
                return
            try:
                sent = socket.send_fds(self._control, [data], descriptors)
                while sent < len(data):
                    sent += self._control.send(data[sent:])
            except OSError:
                pass  # the supervisor is gone; every sandbox is told so by its reader

    def on_loop(self, function: Callable[[], Any]) -> None:
        """Run on the event loop, soon."""
        if not self._closed:
            self.loop.call_soon_threadsafe(function)

    def task(self, steps: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the event loop; called on it."""
        task = self.loop.create_task(steps)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Kill every sandbox and leave nothing behind. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._control.shutdown(socket.SHUT_RDWR)
        self._supervisor.wait(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self._control.close()
        self._remove_folder()

    # -- inside -------------------------------------------------------------------------------------

    def _start_supervisor(self) -> None:
        self._control, theirs = socket.socketpair()
        # Elsewhere than on Linux the supervisor needs psutil, so site packages stay visible.
        command = tiers.python() if sys.platform.startswith("linux") else [sys.executable, "-B"]

        def place() -> None:
            os.dup2(theirs.fileno(), 3)

        self._supervisor = subprocess.Popen(
            [*command, str(self.store.runtime / "supervisor.py"), str(self.root)],
            stdin=subprocess.DEVNULL, env=dict(CLEAN_ENVIRONMENT), cwd="/",
            preexec_fn=place, pass_fds=(3,), start_new_session=True,
        )
        theirs.close()
        self._buffer = b""

    def _remove_folder(self) -> None:
        """The supervisor does that; this is for when it was killed."""
        for parent, _, _ in os.walk(self.root):
            with contextlib.suppress(OSError):
                os.chmod(parent, 0o700)
        shutil.rmtree(self.root, ignore_errors=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._control.setblocking(True)
        self.loop.add_reader(self._control, self._read)
        try:
            self.loop.run_forever()
        finally:
            for sandbox in list(self.sandboxes.values()):
                sandbox.release()
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.close()

    def _read(self) -> None:
        try:
            data = self._control.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self.loop.remove_reader(self._control)
            for sandbox in list(self.sandboxes.values()):
                sandbox.on_supervisor({"event": "exit", "code": -9, "reason": "supervisor",
                                       "peak_kb": 0, "cpu": []})
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            sandbox = self.sandboxes.get(message.get("name", ""))
            if sandbox is not None:
                sandbox.on_supervisor(message)


def _allow_many_files() -> None:
    """Every environment, frozen ones too, holds half a dozen descriptors of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems say less than they allow
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
