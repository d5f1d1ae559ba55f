"""The tier's own thread and processes: one event loop, a supervisor or two, many sandboxes.

The engine owns no thread, process or socket; all of those are here. A :class:`Host` belongs to one
cloud. Calls come in from any thread and return at once; answers go to each sandbox's receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..function import FunctionConfiguration
from . import preloading, processes, pump, runtimes, tiers
from .code_store import CodeStore
from .preloading import MODULE
from .pump import Pump
from .zygote import Zygote

if TYPE_CHECKING:
    from .sandbox import Sandbox

FILES = 65_536
REST_SECONDS = 0.001  # real ones

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
        self._closed = False
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task] = set()
        self._resting: set[Sandbox] = set()
        self._timed = False  # will somebody look after those that rest?
        self.pump = Pump() if pump.WORKS_HERE else None
        self.loop = asyncio.new_event_loop()
        self._zygote = Zygote(self.store.runtime / "supervisor.py", self.root)
        self._supervisor = self._zygote.process
        self._sdk_zygote: Zygote | None = None
        self._thread = threading.Thread(target=self._run, name="minilambda-sandbox", daemon=True)
        self._thread.start()

    # -- for sandboxes ---------------------------------------------------------------------------

    def mark(self, name: str) -> str:
        """What an environment's processes are known by: its name may be another cloud's as well."""
        return f"{self.root.name}-{name}"

    def entrypoint_problem(self, function: FunctionConfiguration,
                           variables: dict[str, str]) -> str | None:
        """Why the program that a function's package must bring can't be started, if so."""
        folders = {"/var/task": self.store.unpack(function.code),
                   "/opt": self.store.opt([layer.content for layer in function.layers])}
        return runtimes.entrypoint_problem(function.runtime, variables, folders)

    def expect(self, function: FunctionConfiguration) -> None:
        """Get ready for what it will need: it has been deployed, or is about to start."""
        self.zygote(function)

    def zygote(self, function: FunctionConfiguration) -> Zygote:
        """The process that starts this function's environments."""
        if (self._closed or self.tier.name != "process" or MODULE not in self.store.sdk
                or not preloading.wanted(function)):
            return self._zygote
        with self._lock:
            if self._sdk_zygote is None:
                zygote = Zygote(self.store.runtime / "supervisor.py", self.root,
                                (str(self.store.runtime), MODULE))
                self._sdk_zygote = zygote
                self.on_loop(lambda: self.loop.add_reader(zygote.control, self._read, zygote))
            return self._sdk_zygote

    def extensions(self, function: FunctionConfiguration) -> dict[str, str | None]:
        """External extensions in its layers: name -> why it can't be started, if so."""
        opt = self.store.opt([layer.content for layer in function.layers])
        return {name: runtimes.extension_problem(opt, name) for name in runtimes.extensions(opt)}

    def on_loop(self, function: Callable[[], Any]) -> None:
        """Run on the event loop, soon."""
        if not self._closed:
            self.loop.call_soon_threadsafe(function)

    def rest(self, sandbox: Sandbox) -> None:
        """It counts as frozen: stop it when it has been left alone for a moment."""
        with self._lock:
            self._resting.add(sandbox)
            if self._timed or self._closed:
                return
            self._timed = True
        self.on_loop(self._time)

    def _time(self) -> None:
        self.loop.call_later(REST_SECONDS, self._stop_idle)

    def _stop_idle(self) -> None:
        with self._lock:
            resting, self._resting = self._resting, set()
        again = {sandbox for sandbox in resting if not sandbox.stop_if_idle()}
        with self._lock:
            self._resting |= again
            self._timed = bool(self._resting)
        if self._timed:
            self._time()

    def task(self, steps: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the event loop; called on it."""
        task = self.loop.create_task(steps)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    def remove(self, folder: Path) -> None:
        """Remove an environment's folder. It may hold a great many files: nobody waits for it."""
        if self.loop.is_closed() or self._closed:  # then all of them go at once
            return
        gone = folder.with_name(f".{folder.name}")
        with contextlib.suppress(OSError):
            folder.rename(gone)  # at once, so that it isn't there any more
            self.loop.run_in_executor(None, partial(shutil.rmtree, gone, ignore_errors=True))

    def close(self) -> None:
        """Kill every sandbox and leave nothing behind. Safe to call twice."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
        zygotes = [zygote for zygote in (self._zygote, self._sdk_zygote) if zygote is not None]
        for zygote in zygotes:
            zygote.hang_up()
        for zygote in zygotes:
            zygote.wait()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        for zygote in zygotes:
            zygote.close()
        if self.pump is not None:
            self.pump.close()
        self._remove_folder()

    # -- inside -------------------------------------------------------------------------------------

    def _lose(self, zygote: Zygote) -> None:
        """A supervisor was killed. Its children die with it; see to their children."""
        zygote.lost = True
        zygote.wait()
        lost = [sandbox for sandbox in self.sandboxes.values() if sandbox.zygote is zygote]
        if sys.platform.startswith("linux"):
            for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
                # This process has mapped their clocks, too.
                if pid != os.getpid() and any(
                        processes.Proc.belongs(pid, self.mark(sandbox.name)) for sandbox in lost):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
        for sandbox in lost:
            sandbox.lose()

    def _remove_folder(self) -> None:
        """The supervisor does that; this is for when it was killed."""
        for parent, _, _ in os.walk(self.root):
            with contextlib.suppress(OSError):
                os.chmod(parent, 0o700)
        shutil.rmtree(self.root, ignore_errors=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self._zygote.control, self._read, self._zygote)
        try:
            self.loop.run_forever()
        finally:
            for sandbox in list(self.sandboxes.values()):
                sandbox.release()
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def _read(self, zygote: Zygote) -> None:
        if zygote.read(self._take):
            return
        self.loop.remove_reader(zygote.control)
        if not self._closed:
            self._lose(zygote)

    def _take(self, message: dict[str, Any]) -> None:
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
