"""One connection to a database, and what its round trips cost an execution environment.

Stands for: the network between a function and its database. The protocol is PostgreSQL's own
(PostgreSQL documentation: *Frontend/Backend Protocol*): its messages are framed, so it is known
exactly when the client has asked for something and when the server has answered in full. While an
environment waits for such an answer it is parked, as it is in an AWS call.
Leaves out: how long a query takes. A round trip costs the model's figure, whatever was asked.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from ..clock import Work
from .postgres import Postgres

PIECE = 1 << 16
LOOK_SECONDS = 0.5  # real seconds, between two looks at why there is no answer
FIRST_BYTES = 10_000  # PostgreSQL's own limit for a connection's first message
STUCK_SECONDS = 60.0  # real seconds that time stands still for a query, at most
SETTLE_SECONDS = 5.0
SSL, GSS, CANCEL = 80877103, 80877104, 80877102
ASKS = b"QSFp"  # queries, sync, function call, and what authentication asks for


class Gone(Exception):
    """The client's end is no more."""


class Party(Protocol):
    """Who is at the client's end, as far as the clock is concerned."""

    def turn(self, query: bool) -> AbstractContextManager[Work]:
        """Around the wait for one answer; may raise :class:`Gone`.

        ``query``: False for what is said to open the connection.
        """

    def opened(self, accepted: bool) -> None:
        """The server has taken the connection, or not; called within a turn."""

    def again(self, thread: int) -> Work:
        """Now it is: time waits for it, and for this thread that will bring it, once more."""

    def closed(self) -> None:
        """The connection is gone, from the server too."""


class Frames:
    """Cuts a stream into the protocol's messages. The client's first has no type."""

    def __init__(self, typed: bool) -> None:
        self.typed, self._data = typed, bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Whole messages: (type, all of its bytes). The type of an untyped one is its code."""
        self._data += data
        while True:
            head = 1 if self.typed else 0
            if len(self._data) < head + 8 - 4 * head:
                return
            size = head + struct.unpack_from("!I", self._data, head)[0]
            if not self.typed and size > FIRST_BYTES:
                raise Gone  # it speaks another protocol
            if len(self._data) < size:
                return
            message = bytes(self._data[:size])
            del self._data[:size]
            if self.typed:
                yield message[:1], message
            else:
                code = struct.unpack_from("!I", message, 4)[0]
                self.typed = code not in (SSL, GSS)
                yield {SSL: b"ssl", GSS: b"ssl", CANCEL: b"cancel"}.get(code, b"start"), message


class Relay:
    """Args:
        server: the database's.
        client: an accepted connection.
        party: whose it is; None for somebody outside, whose time is not ours.
        others: all relays of this server; it puts itself in and takes itself out.
    """

    def __init__(self, server: Postgres, client: socket.socket, party: Party | None,
                 others: set[Relay]) -> None:
        self.server, self.client, self.party, self.others = server, client, party, others
        self._upstream: socket.socket | None = None
        self._asked, self._told = Frames(typed=False), Frames(typed=True)
        self._pid = self._thread = 0
        self._ready = False  # is the connection open, as the client sees it?
        self._copying = False
        self._idle, self._away = False, False
        self._blocked, self._again = False, None
        self._changed = threading.Condition()
        self.closed = threading.Event()
        self.ended = False
        others.add(self)

    def start(self) -> None:
        threading.Thread(target=self._run, name="database-connection", daemon=True).start()

    def end(self) -> None:
        """The client is being killed: let go of the server. Returns at once."""
        self.ended = True
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)

    def settle(self) -> None:
        """Wait, in real time, until what its client did so far has reached the server."""
        limit = time.monotonic() + SETTLE_SECONDS
        with self._changed:
            while not self._is_quiet() and time.monotonic() < limit:
                self._changed.wait(0.002)

    def _is_quiet(self) -> bool:
        if self.closed.is_set():
            return True
        if self.ended:
            return False
        try:
            return self._away or (self._idle and not select.select([self.client], [], [], 0)[0])
        except (OSError, ValueError):
            return False

    # -- its own thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        self._thread = threading.get_ident()
        try:
            self._upstream = self.server.connect()
            self.client.setblocking(True)
            self._serve()
        except (OSError, Gone):
            pass
        finally:
            self._close()

    def _serve(self) -> None:
        while True:
            self._state(idle=True)
            ready = select.select([self.client, self._upstream], [], [])[0]
            self._state(idle=False)
            if self._upstream in ready:  # what the server says unasked
                data = self._upstream.recv(PIECE)
                if not data:
                    return
                for kind, message in self._told.feed(data):
                    self._look(kind, message)
                self.client.sendall(data)
            if self.client in ready:
                data = self.client.recv(PIECE)
                if not data:
                    return
                for kind, message in self._asked.feed(data):
                    if not self._pass_on(kind, message):
                        return

    def _state(self, *, idle: bool = False, away: bool = False) -> None:
        with self._changed:
            self._idle, self._away = idle, away
            self._changed.notify_all()

    def _pass_on(self, kind: bytes, message: bytes) -> bool:
        """One message of the client's; False: it was the last."""
        asks = kind in (b"start", b"ssl") or (len(kind) == 1 and kind in ASKS)
        if kind in (b"c", b"f") and self._copying:
            asks, self._copying = True, False
        if not asks:
            self._upstream.sendall(message)
            return kind not in (b"X", b"cancel")
        self._state(away=True)
        try:
            if self.party is None:
                for other in list(self.others - {self}):
                    other.settle()
                answer, last = self._ask(kind, message, None)
                self._wake_others()
            else:
                with self.party.turn(self._ready) as work:
                    for other in list(self.others - {self}):
                        other.settle()
                    answer, last = self._ask(kind, message, work)
                    self._wake_others()
        finally:
            self._drop_work()
            self._state()
        self.client.sendall(answer)
        return not last

    def _ask(self, kind: bytes, message: bytes, work: Work | None) -> tuple[bytearray, bool]:
        """The whole answer, and whether the server has closed behind it."""
        self._upstream.sendall(message)
        answer, began = bytearray(), time.monotonic()
        while True:
            if select.select([self._upstream], [], [], LOOK_SECONDS)[0]:
                data = self._upstream.recv(PIECE)
                answer += data
                if not data:
                    return answer, True
                if kind == b"ssl":
                    return answer, False
                over = False
                for told, piece in self._told.feed(data):
                    self._look(told, piece)
                    over = over or self._ends(kind, told, piece)
                if over:
                    return answer, False
                continue
            self._check_client()
            if work is not None and work.open:
                # Another environment may have to run on before this one gets its answer.
                blocked = self.server.waits_for_a_lock(self._pid) is True
                if blocked or time.monotonic() - began > STUCK_SECONDS:
                    with self._changed:
                        self._blocked = blocked
                    work.done()

    def _look(self, kind: bytes, message: bytes) -> None:
        if kind in (b"Z", b"E") and not self._ready and self.party is not None:
            self.party.opened(kind == b"Z")
        if kind == b"Z":
            self._ready = True
        elif kind == b"K":
            self._pid = struct.unpack_from("!I", message, 5)[0]
        elif kind == b"G":
            self._copying = True
        elif kind == b"E":
            self._copying = False

    @staticmethod
    def _ends(asked: bytes, told: bytes, message: bytes) -> bool:
        """Whether the server waits for the client after this message."""
        if told == b"Z":
            return True
        if told == b"G":
            return asked in b"QS"
        if told == b"C":
            return asked == b"c"
        if told == b"E":
            return asked == b"f"
        # A request for proof; 0 and 12 say that it was good, and more follows.
        return told == b"R" and struct.unpack_from("!I", message, 5)[0] not in (0, 12)

    def _check_client(self) -> None:
        try:
            if self.client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                raise Gone
        except BlockingIOError:
            pass

    def _wake_others(self) -> None:
        """What was asked may have let others go on: then time waits for them again."""
        for other in list(self.others):
            if not other._blocked or self.server.waits_for_a_lock(other._pid) is not False:
                continue
            with other._changed:
                if other._blocked:  # still: else its answer has come meanwhile
                    other._blocked, other._again = False, other.party.again(other._thread)

    def _drop_work(self) -> None:
        with self._changed:
            self._blocked = False
            if self._again is not None:
                self._again.done()
                self._again = None

    def _close(self) -> None:
        """PostgreSQL closes when a connection's process is done: only then is its place free."""
        if self._upstream is not None:
            with contextlib.suppress(OSError):
                self._upstream.settimeout(SETTLE_SECONDS)
                self._upstream.sendall(b"X\0\0\0\4")
                self._upstream.shutdown(socket.SHUT_WR)
                while self._upstream.recv(PIECE):
                    pass
            self._upstream.close()
        self.client.close()
        self._drop_work()
        self._wake_others()
        self.others.discard(self)
        with self._changed:
            self.closed.set()
            self._changed.notify_all()
        if self.party is not None:
            self.party.closed()
