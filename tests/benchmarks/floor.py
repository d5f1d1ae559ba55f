"""What no runtime can be quicker than: the machine's own costs, taken in the same run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from minilambda.sandbox.tiers import python

from .sampling import Sample, sample

_ECHO = """
import socket, sys
peer = socket.socket(fileno=int(sys.argv[1]))
while data := peer.recv(65536):
    peer.sendall(data)
"""


def fork_and_exec() -> Sample:
    """``python -c pass``: what starting a program that is a Python costs."""
    return sample(lambda: subprocess.run([*python(), "-c", "pass"], check=True), 20)


def fork_alone() -> Sample:
    """Fork of this very process, which ends at once."""
    def fork() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    return sample(fork, 50)


def bubblewrap() -> Sample:
    """bubblewrap with all namespaces around ``true``."""
    command = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
               "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs",
               "/tmp", "/usr/bin/true"]
    return sample(lambda: subprocess.run(command, check=True, capture_output=True), 20)


def ping_pong(tcp: bool) -> Sample:
    """A small message to another Python process and back: by TCP on loopback, or a socket pair."""
    if tcp:
        listener = socket.create_server(("127.0.0.1", 0))
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        listener.close()
        for end in (ours, theirs):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-c", _ECHO, str(theirs.fileno())],
                             pass_fds=[theirs.fileno()])
    theirs.close()
    try:
        def round_trip() -> None:
            ours.sendall(b"x" * 200)
            ours.recv(65536)

        return sample(round_trip, 2000, warm=50)
    finally:
        ours.close()
        child.wait()
