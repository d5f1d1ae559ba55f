"""Where the endpoint listens: loopback always, and another address of this machine if asked.

Stands for nothing of AWS's. Functions reach the cloud by 127.0.0.1, whatever else it listens at.
"""

from __future__ import annotations

import errno
import socket

LOOPBACK = "127.0.0.1"
_BACKLOG = 1024  # callers may come all at once


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets, all on one port; 0: a free one.

    Raises:
        OSError: the port is taken, or ``host`` is no address of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                 flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise OSError(errno.EADDRNOTAVAIL,
                      f"{host!r} is no address: {error.strerror}") from None
    addresses = [(family, address[0])]
    if address[0] not in (LOOPBACK, "0.0.0.0"):
        addresses.insert(0, (socket.AF_INET, LOOPBACK))
    listeners: list[socket.socket] = []
    try:
        for family, name in addresses:
            listeners.append(_listen(family, name, port))
            port = listeners[0].getsockname()[1]
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen(family: int, name: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:  # IPv4's loopback has a socket of its own
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((name, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(errno.EADDRINUSE, f"port {port} on {name} is taken: stop what uses it, "
                          "or choose another (port=0 takes a free one)") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise OSError(errno.EADDRNOTAVAIL, f"{name} is no address of this machine") from None
        raise
    return listener
