"""Runs inside the sandbox: executes a submission's cells, one after the other.

It is IPython without Jupyter: cells behave as in a notebook (magics, ``!`` commands, ``await``),
but no message of Jupyter's protocol has to be trusted. The judge sends a cell down the channel (an
inherited socket) as one line of JSON and gets a line back when it is done; what cells print
goes to an ordinary pipe. Whatever comes back is shown to people and decides nothing.

Started by path (``python -I kernel.py OPTIONS``), OPTIONS being JSON, see :func:`main`.
"""

import asyncio
import importlib.util
import json
import os
import resource
import socket
import sys
import threading
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


class Channel:
    """Lines of JSON, both ways."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.lock = threading.RLock()

    def send(self, **message):
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self):
        line = self.lines.readline()
        if not line:
            os._exit(0)  # the judge is done, or gone
        return json.loads(line)

    def ask(self, what, **details):
        """Ask the judge something while a cell runs."""
        with self.lock:
            self.send(ask=what, **details)
            reply = self.receive()
        if "refused" in reply:
            raise ValueError(reply["refused"])
        return reply["answer"]


def limit(memory_mb, disk_mb, seconds, processes):
    """Backstops behind the judge's own watch over memory and time; 0 processes: any number."""
    mega = 1 << 20
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_FSIZE: disk_mb * mega,
        resource.RLIMIT_CPU: 2 * seconds + 10,
    }
    if sys.platform.startswith("linux"):
        # Far above what is allowed: threads and libraries reserve much more than they use.
        limits[resource.RLIMIT_AS] = (4 * memory_mb + 4096) * mega
        if processes:
            limits[resource.RLIMIT_NPROC] = processes
    for what, most in limits.items():
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def open_door(channel, port):
    """Listen where the cloud's endpoint is expected, and pass the listening socket out."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    door.listen(64)
    socket.send_fds(channel, [b"\n"], [door.fileno()])
    door.close()


def attach(channel, port):
    """Make ``minilambda`` the package without its cloud; bind boto3 and ``aws`` to the judge's."""
    spec = importlib.util.spec_from_file_location(
        "minilambda", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)])
    package = sys.modules["minilambda"] = importlib.util.module_from_spec(spec)  # never executed
    attached = importlib.import_module("minilambda.grading.attached")
    attached.ask = channel.ask
    package.Cloud = attached.AttachedCloud
    package.zip_handler = importlib.import_module("minilambda.package").zip_handler
    guard = importlib.import_module("minilambda.aws.guard")
    guard.Guard(f"http://127.0.0.1:{port}").apply()


def shell():
    """An IPython shell that keeps nothing on disk."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    InteractiveShell.ask_exit = lambda self: None  # `exit` ends nothing here, as in a notebook
    made = InteractiveShell.instance(config=config)
    sys.path.insert(0, "")  # as in a notebook: a cell may import the file that it wrote
    return made


def run(ipython, source):
    """Run a cell; what went wrong in it, or None."""
    try:
        outcome = ipython.run_cell(source, store_history=False)
        error = outcome.error_before_exec or outcome.error_in_exec
    except BaseException as problem:  # KeyboardInterrupt, and whatever a cell made of IPython
        error = problem
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    if error is None:
        return None
    try:
        return f"{type(error).__name__}: {error}"[:2000].encode("utf-8", "replace").decode()
    except BaseException:
        return type(error).__name__


def main():
    """OPTIONS: ``channel`` (file descriptor), ``port`` (of the cloud's endpoint), ``door`` (whether
    to open one in here), ``limits`` (see :func:`limit`).
    """
    options = json.loads(sys.argv[1])
    connection = socket.socket(fileno=options["channel"])
    connection.set_inheritable(False)
    if options["door"]:
        open_door(connection, options["port"])
    channel = Channel(connection)
    attach(channel, options["port"])
    ipython = shell()
    asyncio.set_event_loop(asyncio.new_event_loop())
    limit(**options["limits"])
    channel.send(ready=True)
    while True:
        source = channel.receive()["run"]
        channel.send(done=True, error=run(ipython, source))


if __name__ == "__main__":
    main()
