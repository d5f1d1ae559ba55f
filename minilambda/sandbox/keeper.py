"""Runs beside the cloud: keeps one server program, and ends it when the cloud ends, however it does.

Stands for nothing of AWS's. Standard library only; one keeper a server. The cloud holds the other end
of its standard input: ``stop`` ends the server and leaves its folder; the end of the input (the cloud
closed it, or was killed) ends the server and removes its folder.

Arguments: the folder, uid and gid to run as (``-`` both: as it is), then the server's command.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
# PostgreSQL's fast and immediate shutdown, then what nobody can refuse; seconds between them.
ENDS = ((signal.SIGINT, 5), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))


def start(uid, gid, command):
    user = {} if uid == "-" else {"user": int(uid), "group": int(gid), "extra_groups": []}
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None

    def follow():
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    return subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
                            preexec_fn=follow, **user)


def wait_for_the_end(server, parent):
    """Whether the folder is to go."""
    while server.poll() is None and os.getppid() == parent:
        if select.select([0], [], [], 1.0)[0]:
            return b"stop" not in os.read(0, 64)
    return os.getppid() != parent


def main():
    folder, uid, gid, *command = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a notebook is not for us
    parent = os.getppid()
    server = start(uid, gid, command)
    remove = wait_for_the_end(server, parent)
    for number, seconds in ENDS:
        if server.poll() is None:
            server.send_signal(number)
            try:
                server.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
    if remove:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            os.rmdir(os.path.dirname(folder))  # if the cloud was killed we may be the last
        except OSError:
            pass


main()
