"""Runs inside an environment of the process tier: its paths, without a mount namespace.

Stands for: the file system an execution environment sees, ``/tmp`` its own, ``/var/task`` and
``/opt`` read-only. AWS page: *Lambda execution environment*.
Covers what Python code opens through ``open`` and ``os``, and programs it starts. Leaves out: what
a C library or another program opens by itself.
"""

import _posixsubprocess
import builtins
import errno
import io
import json
import os
import resource
import socket
import sys

READ_ONLY = ("/var/task", "/opt")


class Redirection:
    """What logical paths really are (``paths``), and a folder whose paths are left alone.

    ``ports``: where on loopback this environment's own door is to what others reach by that port.
    ``largest``: bytes that a file may have, as many as there are in ``/tmp``.

    ``afresh``: a command that starts the runtime once more. The dynamic loader reads
    LD_LIBRARY_PATH when a program starts, so a fork of a warm Python won't do for a function that
    brings shared libraries.
    """

    def __init__(self, paths, exempt, afresh=None, ports=None, largest=None):
        self.paths, self.exempt, self.afresh = paths, exempt, afresh
        self.ports, self.largest = ports or {}, largest

    def start_afresh(self):
        """Become a new program, if need be; then this doesn't return."""
        if self.afresh:
            rest = json.dumps({"paths": self.paths, "exempt": self.exempt, "ports": self.ports,
                               "largest": self.largest})
            os.execve(self.afresh[0], [*self.afresh, rest], os.environ)

    def apply(self):
        """From now on logical paths mean the real ones."""
        redirect(self.paths, self.exempt)
        if self.largest:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest, self.largest))
        if self.ports:
            redirect_connections({int(port): door for port, door in self.ports.items()})


def redirect_connections(ports):
    """Python's connections to these ports of the loopback go through this environment's doors."""

    def wrap(function):
        def wrapper(self, address):
            if self.family == socket.AF_INET and address[0] in ("127.0.0.1", "localhost"):
                address = (address[0], ports.get(address[1], address[1]))
            return function(self, address)

        wrapper.__name__ = function.__name__
        return wrapper

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, wrap(getattr(socket.socket, name)))


def redirect(paths, exempt):

    def translate(path):
        if isinstance(path, (str, os.PathLike)):
            text = os.fspath(path)
            if isinstance(text, str) and text.startswith(exempt):
                return path
            for logical, real in paths.items():
                if isinstance(text, str) and (text == logical or text.startswith(logical + "/")):
                    return real + text[len(logical):]
        return path

    frozen = tuple(os.path.join(paths[name], "") for name in READ_ONLY)

    def refuse(path, asked):
        """Where files can't be written on AWS they can't be here, though root could."""
        if isinstance(path, (str, os.PathLike)) and isinstance(os.fspath(path), str):
            if os.path.join(os.path.abspath(path), "").startswith(frozen):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), asked)

    def wrap(function, count, written, writes=lambda *args, **kwargs: True):
        """``count``: its first arguments are paths, the last ``written`` of them may be written."""

        def wrapper(*args, **kwargs):
            asked = args
            args = tuple(translate(a) if i < count else a for i, a in enumerate(args))
            if written and not kwargs.get("dir_fd") and writes(*args[1:], **kwargs):
                for number in range(count - written, min(count, len(args))):
                    refuse(args[number], asked[number])
            return function(*args, **kwargs)

        wrapper.__name__ = function.__name__
        return wrapper

    def mode_writes(mode="r", *args, **kwargs):
        return not set("wax+").isdisjoint(mode)

    def flags_write(flags, *args, **kwargs):
        return flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    builtins.open = io.open = wrap(io.open, 1, 1, mode_writes)
    os.open = wrap(os.open, 1, 1, flags_write)
    for count, written, names in (
        (1, 0, "stat lstat listdir scandir readlink access statvfs chdir"),
        (1, 1, "mkdir remove unlink rmdir chmod utime truncate mkfifo"),
        (2, 1, "link symlink"),
        (2, 2, "rename replace"),
    ):
        for name in names.split():
            setattr(os, name, wrap(getattr(os, name), count, written))
    # A function is alone on its machine; here "everybody" would be the reader's own processes.
    kill = os.kill

    def kill_alone(pid, number):
        if pid == -1:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return kill(pid, number)

    os.kill = kill_alone
    # Programs that are started by their path; what those open is not covered.
    start = _posixsubprocess.fork_exec

    def fork_exec(args, programs, *rest):
        programs = [os.fsencode(translate(os.fsdecode(program))) for program in programs]
        return start(args, programs, *rest)

    _posixsubprocess.fork_exec = fork_exec
    if "subprocess" in sys.modules:  # it has taken the former by then
        sys.modules["subprocess"]._fork_exec = fork_exec
    for name in ("execv", "execve"):
        setattr(os, name, wrap(getattr(os, name), 1, 0))
