"""The first program inside a sandbox that isn't forked: opens its doors, then becomes the runtime.

A bubblewrap sandbox has a network namespace of its own, with nothing in it but the loopback. Some
sockets are opened there, for the Runtime API, the cloud's AWS endpoint, each database there is, and
the X-Ray daemon (UDP), and passed out to the cloud by SCM_RIGHTS over the inherited channel (descriptor
3): that is all of the network there is.

Arguments: the ports, with commas, the daemon's last; then the runtime's command; without one it is our
Python bootstrap, which then needn't be started as a program of its own. Without a bubblewrap sandbox
there are no doors, and the one argument is a redirection of paths (JSON).
"""

import json
import os
import socket
import sys

CHANNEL_FD = 3


def open_doors(ports, daemon_port):
    doors = []
    for port in ports:
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(128)
        doors.append(door)
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", daemon_port))
    doors.append(daemon)
    channel = socket.socket(fileno=CHANNEL_FD)
    socket.send_fds(channel, [b"doors"], [door.fileno() for door in doors])
    for opened in (*doors, channel):
        opened.close()


def main():
    redirect = None
    if sys.argv[1].startswith("{"):
        redirect = json.loads(sys.argv[1])
    else:
        *ports, daemon_port = map(int, sys.argv[1].split(","))
        open_doors(ports, daemon_port)
        if command := sys.argv[2:]:
            os.execv(command[0], command)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import cloud_time

    cloud_time.install()
    import bootstrap
    import redirection

    sys.path.pop(0)
    for name in ("api_connection", "bootstrap", "cloud_time", "redirection"):
        del sys.modules[name]  # a handler's own module may have that name
    bootstrap.main(redirection.Redirection(**redirect) if redirect else None)


main()
