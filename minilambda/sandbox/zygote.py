"""One supervisor process, and the socket by which it is asked for things.

A cloud has two at the most: one that forks environments from a bare Python, and one that has the
AWS SDK imported (see ``preloading``), which is started when the first function needs it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import tiers

# Real ones for the supervisor to end everything and clear up: packages can be thousands of files,
# and the machine may be busy.
CLOSE_SECONDS = 60

# What the supervisor, and so every function, is started with: nothing of the reader's own.
CLEAN_ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin",
                     "PYTHONHASHSEED": "0"}


class Zygote:
    """Args:
        program: supervisor.py.
        root: the cloud's temporary folder.
        preload: a folder and a module in it, to be imported before anything is forked.
    """

    def __init__(self, program: Path, root: Path, preload: tuple[str, str] | tuple[()] = ()) -> None:
        self.control, theirs = socket.socketpair()
        self._send_lock = threading.Lock()
        self._closed = False
        self.lost = False  # has it died, though nobody told it to?
        self._buffer = b""
        # Elsewhere than on Linux the supervisor needs psutil, so site packages stay visible.
        command = tiers.python() if sys.platform.startswith("linux") else [sys.executable, "-B"]

        def place() -> None:
            os.dup2(theirs.fileno(), 3)

        self.process = subprocess.Popen(
            [*command, str(program), str(root), *preload], stdin=subprocess.DEVNULL,
            env=dict(CLEAN_ENVIRONMENT), cwd="/", preexec_fn=place, pass_fds=(3,),
            start_new_session=True,
        )
        theirs.close()

    def ask(self, descriptors: tuple[int, ...] = (), /, **message: Any) -> None:
        """Send one message to the supervisor, from any thread."""
        data = json.dumps(message).encode() + b"\n"
        with self._send_lock:
            if self._closed:
                return
            try:
                sent = socket.send_fds(self.control, [data], descriptors)
                while sent < len(data):
                    sent += self.control.send(data[sent:])
            except OSError:
                pass  # the supervisor is gone; every sandbox is told so by its reader

    def read(self, take: Callable[[dict[str, Any]], None]) -> bool:
        """Hand over what it has said; False: it is gone."""
        try:
            data = self.control.recv(1 << 16)
        except OSError:
            data = b""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            take(json.loads(line))
        return bool(data)

    def hang_up(self) -> None:
        """It ends, and all that it has started."""
        self._closed = True
        with contextlib.suppress(OSError):  # it may be gone already
            self.control.shutdown(socket.SHUT_RDWR)

    def wait(self) -> None:
        """Until it has ended; one that is too slow at it is killed, and what it started with it."""
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.control.close()
