"""The databases of a cloud: real servers, and how the notebook and functions reach them.

Stands for: Amazon RDS DB instances with the engine PostgreSQL. AWS page: *Amazon RDS DB instances*.
Leaves out: the minutes that AWS takes to make one; other engines; storage, backups, replicas.

A database listens on a port of the loopback. The notebook reaches it there. A function reaches it by
the same address, through a door of its own environment: opening a connection, and each round trip,
costs the environment what the model says. An environment has doors to the databases that there were
when it started.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from .clock import Work
from .conversation import Killed
from .environment import Environment
from .sandbox import Host, InlineHost, Postgres, Relay
from .sandbox.relay import Gone
from .setting import Setting

ADDRESS = "127.0.0.1"
RESERVED_PORTS = {9001: "the Runtime API"}


class PortTaken(Exception):
    """A port that was asked for can't be had."""


class Guest:
    """An environment at the end of a connection (see ``sandbox.relay.Party``)."""

    def __init__(self, setting: Setting, environment: Environment, database: str) -> None:
        self.setting, self.environment, self.database = setting, environment, database
        self.relay: Relay | None = None
        self._held: Work | None = None
        self._accepted: bool | None = None  # what the server said to the connection, if just now

    def attach(self, relay: Relay) -> None:
        self.relay = relay
        self.environment.talk.endings.append(self._end)

    @contextlib.contextmanager
    def turn(self, query: bool) -> Iterator[Work]:
        talk = self.environment.talk
        try:
            with talk.outside_call(lambda: self._cost(query), self._told) as work:
                yield work
        except Killed:
            raise Gone from None

    def again(self, thread: int) -> Work:
        return self.setting.clock.work(thread=thread)

    def opened(self, accepted: bool) -> None:
        self._accepted = accepted

    def _cost(self, query: bool) -> float:
        """The figure for a connection stands for all the round trips that it takes to open it."""
        what = "connect" if self._accepted is not None else "query" if query else None
        return self.setting.model.database(what)

    def _told(self) -> None:
        accepted, self._accepted = self._accepted, None
        if accepted is not None:
            self.setting.trace.append(
                self.setting.clock.seconds, "database.connected", self.environment.function.name,
                self.environment.name, database=self.database, accepted=accepted)

    def closed(self) -> None:
        with contextlib.suppress(ValueError):
            self.environment.talk.endings.remove(self._end)
        if self._held is not None:
            self._held.done()

    def _end(self) -> None:
        # Time waits until the connection is gone from the server too: its place is free then.
        if self._held is not None:  # an environment may be ended twice
            return
        self._held = self.setting.clock.work()
        self.relay.end()
        if self.relay.closed.is_set():
            self._held.done()


class Database:
    """A DB instance: its server, its port, its connections."""

    def __init__(self, setting: Setting, name: str, server: Postgres, listener: socket.socket,
                 by_key: Callable[[str], Environment | None]) -> None:
        self.setting, self.name, self.server = setting, name, server
        self.listener, self.by_key = listener, by_key
        self.port: int = listener.getsockname()[1]
        self.relays: set[Relay] = set()
        self.running = False

    def serve(self, connection: socket.socket, access_key: str) -> None:
        """A connection from inside the environment that has these credentials."""
        environment = self.by_key(access_key)
        if environment is None or not self.running:
            connection.close()
            return
        guest = Guest(self.setting, environment, self.name)
        guest.attach(Relay(self.server, connection, guest, self.relays))
        guest.relay.start()

    def start(self, parameters: dict[str, str]) -> None:
        self.server.start(parameters)
        self.listener.listen(128)
        self.running = True

    def stop(self) -> None:
        self.running = False
        self.server.stop()
        for relay in list(self.relays):
            relay.closed.wait(5)


class Databases:
    """All databases of a cloud.

    Args:
        setting: of this cloud.
        by_key: finds an environment by its access key.
    """

    def __init__(self, setting: Setting, by_key: Callable[[str], Environment | None]) -> None:
        self.setting, self.by_key = setting, by_key
        self.host: Host | InlineHost = setting.host
        self._made = 0
        self._all: dict[tuple[str, ...], Database] = {}
        self._lock = threading.RLock()

    def __getitem__(self, key: tuple[str, ...]) -> Database:
        return self._all[key]

    def get(self, key: tuple[str, ...]) -> Database | None:
        return self._all.get(key)

    def create(self, key: tuple[str, ...], user: str, password: str, database: str | None,
               parameters: dict[str, str], port: int | None) -> Database:
        """Make a database and start it. ``key``: account, region, identifier.

        Raises:
            NotImplementedError: this cloud can't have one; it says why.
            PortTaken: the port asked for.
            PostgresFailed: in PostgreSQL's words.
        """
        if isinstance(self.host, InlineHost):
            raise NotImplementedError(
                "Cloud(sandbox='inline') starts no process, so it can't start a database: use "
                "another sandbox.")
        with self._lock:
            listener = _listen(port)
            try:
                self._made += 1
                server = Postgres(self.host.root, f"db{self._made}", user, password, database)
                made = Database(self.setting, key[-1], server, listener, self.by_key)
                try:
                    made.start(parameters)
                except BaseException:
                    server.close()
                    raise
            except BaseException:
                listener.close()
                raise
            self._all[key] = made
            self.host.services[made.port] = made.serve
            self.host.on_loop(lambda: self.host.loop.add_reader(listener, self._accept, made))
            return made

    def delete(self, key: tuple[str, ...]) -> None:
        """Stop it, with everything in it. Harmless when there is none."""
        with self._lock:
            database = self._all.pop(key, None)
            if database is None:
                return
            self.host.services.pop(database.port, None)
            database.running = False
            done = threading.Event()

            def close() -> None:
                self.host.loop.remove_reader(database.listener)
                database.listener.close()
                done.set()

            self.host.on_loop(close)
            done.wait(5)
            database.stop()
            database.server.close()

    def close(self) -> None:
        for key in list(self._all):
            self.delete(key)

    def _accept(self, database: Database) -> None:
        try:
            connection, _ = database.listener.accept()
        except OSError:
            return
        if database.running:
            Relay(database.server, connection, None, database.relays).start()
        else:
            connection.close()


def _listen(port: int | None) -> socket.socket:
    if port in RESERVED_PORTS:
        raise PortTaken(f"inside a function port {port} is {RESERVED_PORTS[port]}'s")
    try:
        listener = socket.create_server((ADDRESS, port or 0), backlog=128)
    except OSError as error:
        raise PortTaken(f"port {port} can't be had on {ADDRESS} ({error.strerror}): leave Port "
                        "out, and read the port from the instance's Endpoint") from None
    listener.setblocking(False)
    return listener
