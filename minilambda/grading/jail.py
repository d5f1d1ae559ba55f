"""The sandbox that a submission's kernel runs in.

The ``bubblewrap`` tier: namespaces of its own for processes, network, users and files. It sees
the system's programs, Python with its packages and minilambda, all read-only; its home and /tmp are
small and in memory; its network is one door to the judge's cloud, a listening socket opened inside
and passed out (SCM_RIGHTS). The judge watches its memory, time and output, and kills all of it.

The ``process`` tier is an ordinary process with a built-up environment, for machines without
bubblewrap: it shares the user's files and network, so it is for the teacher's own notebooks only.
"""

from __future__ import annotations

import codecs
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ..sandbox import processes, tiers

PACKAGE = Path(__file__).resolve().parents[1]
KERNEL = Path(__file__).with_name("kernel.py")
HOME = "/home/student"
NOBODY = "65533"  # a user that owns nothing
_LINE_BYTES = 1 << 20  # the longest message that is read from a kernel
_POLL_SECONDS = 0.01
_MARK = "MINILAMBDA_SUBMISSION"
_proc = processes.table()
_DEVICES = ["--dev", "/dev", "--perms", "1777", "--size", str(16 << 20), "--tmpfs", "/dev/shm",
            "--remount-ro", "/dev"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a submission may use. ``seconds`` are real ones, for all of its cells together."""

    seconds: int = 120
    memory_mb: int = 1024
    output_kb: int = 1024
    disk_mb: int = 64  # in its home, and as much in /tmp
    processes: int = 64


class Ended(Exception):
    """The kernel is no more. The message says why, in words for the student."""


class NotStarted(RuntimeError):
    """No kernel could be started; none of the student's code has run."""


class Jail:
    """A sandboxed kernel, from its making to :meth:`close`. Not for several threads.

    Raises:
        NotStarted: with what the kernel said.

    Args:
        tier: ``bubblewrap`` or ``process``.
        home: an empty folder, for the ``process`` tier.
        port: of the cloud's endpoint on 127.0.0.1.
        serve_connection: takes an accepted socket and serves the endpoint on it.
        ask: answers what the kernel asks while a cell runs: ``ask(what, details)``. It runs on a
            thread of its own; ValueError is handed to the cell.
    """

    def __init__(self, tier: str, allowance: Allowance, home: Path, port: int,
                 serve_connection: Callable[[socket.socket], None],
                 ask: Callable[[str, dict], Any]) -> None:
        self.allowance, self._ask, self._serve = allowance, ask, serve_connection
        self._confined = tier == "bubblewrap"
        self._channel, theirs = socket.socketpair()
        self._output, their_output = os.pipe()
        os.set_blocking(self._output, False)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines, self._text, self._written = b"", "", 0
        self._messages: list[dict] = []
        self._door: socket.socket | None = None
        self._mark = f"{os.getpid()}-{id(self)}"
        self._deadline = time.monotonic() + allowance.seconds
        options = {"channel": theirs.fileno(), "port": port, "door": self._confined, "limits": {
            "memory_mb": allowance.memory_mb, "disk_mb": allowance.disk_mb,
            "seconds": allowance.seconds,
            # Threads count too; outside a user namespace all of the user's processes would.
            "processes": 4 * allowance.processes if self._confined else 0}}
        command = [sys.executable, "-I", "-B", str(KERNEL), json.dumps(options)]
        if self._confined:
            command = _bwrap(allowance) + command
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=their_output, stderr=their_output,
            cwd="/" if self._confined else home, env=self._environment(home),
            pass_fds=(theirs.fileno(),), start_new_session=True)
        theirs.close()
        os.close(their_output)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ, self._read_channel)
        self._selector.register(self._output, selectors.EVENT_READ, self._read_output)
        try:
            self._await("ready")
        except Ended as end:
            raise NotStarted(f"{end}: {self._text}") from None
        self._text = ""

    def run(self, source: str) -> tuple[str, str | None]:
        """Run a cell: what it printed, and what went wrong in it (None: nothing).

        Raises:
            Ended: the kernel ended before the cell did; :meth:`printed` has what came before.
        """
        self._text = ""
        try:
            self._channel.sendall(json.dumps({"run": source}).encode() + b"\n")
        except OSError:
            self._end(self._how_it_died())
        message = self._await("done")
        self._read_output()
        error = message.get("error")
        return self.printed(), None if error is None else str(error)[:2000]

    def printed(self) -> str:
        """What the present cell has printed so far."""
        return self._text

    def close(self) -> None:
        """Kill everything in it. Safe to call twice."""
        if self._process.returncode is None:
            self._kill()
        self._selector.close()
        self._channel.close()
        if self._door is not None:
            self._door.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    # -- waiting -----------------------------------------------------------------------------------

    def _await(self, what: str) -> dict:
        """The next message of this kind; meanwhile serve, watch and read."""
        while True:
            while self._messages:
                message = self._messages.pop(0)
                if what in message:
                    return message
                if "ask" in message:
                    self._answer(message)
            for key, _ in self._selector.select(_POLL_SECONDS):
                key.data()
            self._watch()

    def _watch(self) -> None:
        allowed = self.allowance
        if time.monotonic() > self._deadline:
            self._end(f"the notebook ran longer than {allowed.seconds} seconds and was stopped")
        if self._written > allowed.output_kb * 1024:
            self._end(f"the notebook printed more than {allowed.output_kb} KB and was stopped")
        pids = _proc.tree(self._process.pid)
        if len(pids) > allowed.processes:
            self._end(f"the notebook started more than {allowed.processes} processes and was "
                      "stopped")
        limit_kb = allowed.memory_mb * 1024
        if (sum(map(_proc.resident_kb, pids)) > limit_kb
                and sum(map(_proportional_kb, pids)) > limit_kb):
            self._end(f"the notebook used more than {allowed.memory_mb} MB of memory and was "
                      "stopped")

    def _answer(self, message: dict) -> None:
        """Work out an answer on a thread, so that time and memory are watched meanwhile."""
        def work() -> None:
            try:
                reply = {"answer": self._ask(str(message["ask"]), message)}
            except (ValueError, TypeError, RuntimeError, KeyError) as error:
                reply = {"refused": str(error)}
            try:
                self._channel.sendall(json.dumps(reply).encode() + b"\n")
            except OSError:
                pass  # it has ended; the reader finds out

        threading.Thread(target=work, daemon=True).start()

    def _read_channel(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._channel, 1 << 16, 4)
        except OSError:
            data, descriptors = b"", []
        for descriptor in descriptors:
            if self._confined and self._door is None:
                self._door = socket.socket(fileno=descriptor)
                self._door.setblocking(False)
                self._selector.register(self._door, selectors.EVENT_READ, self._accept)
            else:
                os.close(descriptor)
        if not data:
            self._end(self._how_it_died())
        *lines, self._lines = (self._lines + data).split(b"\n")
        if len(self._lines) > _LINE_BYTES:
            self._end("the notebook's kernel stopped making sense")
        for line in filter(None, lines):
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                message = None
            if not isinstance(message, dict):
                self._end("the notebook's kernel stopped making sense")
            self._messages.append(message)

    def _accept(self) -> None:
        try:
            connection, _ = self._door.accept()
        except OSError:
            return
        connection.setblocking(True)
        self._serve(connection)

    def _read_output(self) -> None:
        """Take what has been printed; past the limit the rest is left unread."""
        while self._written <= self.allowance.output_kb * 1024:
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(self._output)
                return
            self._written += len(data)
            self._text += self._decoder.decode(data)

    # -- the end -----------------------------------------------------------------------------------

    def _end(self, reason: str) -> None:
        if self._output >= 0 and self._output in self._selector.get_map():
            self._read_output()
        self.close()
        raise Ended(reason)

    def _how_it_died(self) -> str:
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "the notebook's kernel cut its connection and was stopped"
        if code < 0 or code > 128:  # bubblewrap reports a signal as a shell does
            number = -code if code < 0 else code - 128
            return f"the notebook's kernel died ({_signal_name(number)})"
        return f"the notebook's kernel ended (exit status {code})"

    def _kill(self) -> None:
        """The sandbox dies with its first process; without one its tree is hunted down."""
        if self._confined:
            self._process.kill()
        else:
            for process in _marked(self._mark):
                process.kill()
            for pid in reversed(_proc.tree(self._process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self._process.wait()
        # Everyone who could write is gone when the pipe ends.
        limit = time.monotonic() + 5
        with selectors.DefaultSelector() as ending:
            ending.register(self._output, selectors.EVENT_READ)
            while time.monotonic() < limit:
                if ending.select(0.2) and not os.read(self._output, 1 << 20):
                    return

    def _environment(self, home: Path) -> dict[str, str]:
        inside = HOME if self._confined else str(home)
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin",
                                     "/bin"]),
            "HOME": inside, "IPYTHONDIR": f"{inside}/.ipython",
            "TMPDIR": "/tmp" if self._confined else inside, "LANG": "C.UTF-8", "TZ": "UTC",
            "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", "MPLBACKEND": "agg",
            _MARK: self._mark,
        }


def _bwrap(allowance: Allowance) -> list[str]:
    """The command that starts a program in the sandbox."""
    size = str(allowance.disk_mb << 20)
    command = [
        "bwrap", *_identity()[0], "--die-with-parent", "--new-session", "--hostname", "notebook",
        "--perms", "1777", "--size", size, "--tmpfs", "/tmp",
        "--perms", "0777", "--size", size, "--tmpfs", HOME,
    ]
    folders = _python_folders()
    for folder in (*folders, sys.base_prefix, sys.base_exec_prefix):
        for parent in reversed(Path(folder).parents[:-1]):
            command += ["--perms", "0755", "--dir", str(parent)]
    # bubblewrap makes a missing parent for its own user only; pip looks into /etc.
    command += ["--perms", "0755", "--dir", "/etc"]
    command += [*tiers._system(), "--proc", "/proc", *_DEVICES]
    for folder in folders:
        command += ["--ro-bind", folder, folder]
    return [*command, "--remount-ro", "/", "--chdir", HOME, "--", *_identity()[1]]


@functools.cache
def _identity() -> tuple[list[str], list[str]]:
    """Who the sandboxed program is: options of bubblewrap, and a command before the program's.

    It is in a user namespace of its own, where it can make no further ones (and so mount nothing).
    The kernel holds no limit on the number of processes against root, in any namespace: started by
    root, the program becomes somebody else before it enters its namespace. What this machine can't
    do is left out; the judge's own watch is all there is then.
    """
    spaces = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
              "--unshare-cgroup-try"]
    user = ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    drop = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]
    inner = ["bwrap", *user, "--disable-userns", "--bind", "/", "/", *_DEVICES, "--"]
    choices = [([*spaces, *user, "--disable-userns"], []), ([*spaces, *user], [])]
    if os.geteuid() == 0:
        choices.insert(0, ([*spaces, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"],
                           [*drop, *inner]))
    return next((choice for choice in choices if _works(*choice)), choices[-1])


def _works(options: list[str], before: list[str]) -> bool:
    command = ["bwrap", *options, *tiers._system(), "--perms", "1777", "--tmpfs", "/tmp",
               "--proc", "/proc", *_DEVICES, "--", *before, "true"]
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _python_folders() -> list[str]:
    """Where Python's packages and minilambda are, without the project's other folders."""
    wanted = {sys.prefix, *map(sysconfig.get_path, ("purelib", "platlib")), str(PACKAGE)}
    folders: list[str] = []
    for folder in sorted(wanted):
        if not any(Path(folder).is_relative_to(parent) for parent in [*folders, "/usr"]):
            folders.append(folder)
    return folders


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            pass
    return found


def _proportional_kb(pid: int) -> int:
    """Resident memory, with what processes share (a fork's) counted once between them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass  # it has gone, or this isn't Linux
    return _proc.resident_kb(pid)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
