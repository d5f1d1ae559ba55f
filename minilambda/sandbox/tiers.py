"""The tiers of isolation, and which of them works on this machine.

``bubblewrap``: namespaces of its own (processes, network, files, users), a read-only system and a
/tmp of exactly the right size. ``process``: an ordinary process, forked from a warm Python, with a
built-up environment, limits, its own session and its own temporary folder. A tier is chosen by
trying it, never by a version number: user namespaces are forbidden on some systems.

AWS's counterpart is a Firecracker micro virtual machine (AWS page: *Security in Lambda*).
"""

from __future__ import annotations

import functools
import glob
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import runtimes
from .code_store import INSIDE, CodeStore

RUNTIME_PORT = 9001
DAEMON_PORT = 2000  # of the X-Ray daemon (UDP)
# Uid and gid that a function has on AWS (sbx_user1051).
UID, GID = "993", "990"
# The kernel's own files. Root on the machine is not root in a sandbox, but the same user still, so
# without the second option it could write the machine's settings. /dev is a file system in memory of
# no fixed size: read-only (as on AWS /dev/shm can't be used), so that /tmp is all there is to fill.
KERNEL = ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys",
          "--dev", "/dev", "--remount-ro", "/dev")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one environment is to be started: what the supervisor needs to know."""

    environment: dict[str, str]
    limit_mb: int
    command: list[str] | None = None  # None: fork, and become our Python bootstrap
    opens_own_doors: bool = False  # has it its own network, and passes its sockets out?
    redirect: dict | None = None
    confine: dict | None = None  # what of the machine it may read and write; None: see command
    skip: int = 0  # processes at the top of the tree that are the sandbox's, not the function's
    renames: tuple[tuple[bytes, bytes], ...] = field(default=())
    extensions: tuple[str, ...] = ()  # names of external ones: then a launcher is started


class ProcessTier:
    name = "process"

    def plan(self, store: CodeStore, task: Path, opt: Path, home: Path,
             variables: dict[str, str], runtime: str, limit_mb: int, tmp_mb: int,
             cloud_port: int, services: dict[int, int]) -> Plan:
        tmp = home / "tmp"
        tmp.mkdir()
        paths = {"/tmp": str(tmp), "/var/task": str(task), "/opt": str(opt)}
        folders = paths | {"/var/runtime": str(store.runtime)}
        variables = variables | _real_lists(variables, folders) | {
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(store.runtime),
            "TMPDIR": str(tmp),
        }
        fresh = [*python(), str(store.runtime / "entry.py")]
        redirect = {"paths": paths, "exempt": str(store.root.parent),
                    "ports": {str(port): door for port, door in services.items()},
                    "largest": tmp_mb << 20}
        command = runtimes.command(runtime, variables, python(), folders,
                                   {"/var/task": task, "/opt": opt})
        extensions = tuple(runtimes.extensions(opt))
        if extensions:
            main = command or [*python(), str(store.runtime / "python_main.py")]
            command = _launcher(str(store.runtime), None, str(opt), extensions, main, str(task))
        elif command is None and _has_libraries(task, task / "lib", opt / "lib"):
            redirect["afresh"] = fresh
        if command and runtimes.family(runtime) == "python":
            variables = variables | {"MINILAMBDA_REDIRECT": json.dumps(redirect)}
        redirect["fresh"] = fresh  # for the supervisor, should it not be able to fork
        renames = tuple((os.fsencode(real), os.fsencode(name)) for name, real in paths.items())
        renames += ((os.fsencode(store.runtime), b"/var/runtime"),)
        readable = [*prefixes(), store.runtime, *store.sdk.values(), task, opt]
        confine = {"read": [str(path) for path in readable], "write": [str(home)]}
        return Plan(variables, limit_mb, command=command, redirect=redirect, confine=confine,
                    renames=renames, extensions=extensions, skip=1 if extensions else 0)


class BubblewrapTier:
    name = "bubblewrap"

    def plan(self, store: CodeStore, task: Path, opt: Path, home: Path,
             variables: dict[str, str], runtime: str, limit_mb: int, tmp_mb: int,
             cloud_port: int, services: dict[int, int]) -> Plan:
        variables = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{DAEMON_PORT}"} | variables | {
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{RUNTIME_PORT}",
        }
        # For what runs inside: bwrap itself is a program of this system.
        libraries = variables.pop("LD_LIBRARY_PATH", "")
        command = [
            _bwrap(), "--unshare-all", "--die-with-parent", "--new-session",
            "--uid", UID, "--gid", GID, "--hostname", "lambda",
            "--setenv", "LD_LIBRARY_PATH", libraries,
            *_system(), *KERNEL,
            "--size", str(tmp_mb << 20), "--tmpfs", "/tmp",
            "--ro-bind", str(task), "/var/task", "--ro-bind", str(opt), "/opt",
            "--dir", "/var/runtime",
        ]
        for program in INSIDE:
            command += ["--ro-bind", str(store.runtime / program), f"/var/runtime/{program}"]
        for name, path in store.sdk.items():
            command += ["--ro-bind", str(path), f"/var/runtime/{name}"]
        folders = {name: name for name in ("/var/task", "/var/runtime", "/opt")}
        started = runtimes.command(runtime, variables, python(), folders,
                                   {"/var/task": task, "/opt": opt})
        command += ["--remount-ro", "/", "--chdir", "/var/task", "--"]
        extensions = tuple(runtimes.extensions(opt))
        ports = RUNTIME_PORT, cloud_port, *services, DAEMON_PORT
        if extensions:
            main = started or [*python(), "/var/runtime/python_main.py"]
            command += _launcher("/var/runtime", ports, "/opt", extensions, main, "/var/task")
        else:
            command += [*python(), "/var/runtime/entry.py", ",".join(map(str, ports)),
                        *(started or [])]
        return Plan(variables, limit_mb, command=command, opens_own_doors=True,
                    extensions=extensions, skip=3 if extensions else 2)


def _launcher(runtime: str, ports: tuple[int, ...] | None, opt: str, extensions: tuple[str, ...],
              command: list[str], task: str) -> list[str]:
    """The command of a launcher; paths as they are for it."""
    plan = {"ports": ports, "runtime": command, "task": task,
            "extensions": {name: f"{opt}/extensions/{name}" for name in extensions}}
    return [*python(), f"{runtime}/launcher.py", json.dumps(plan)]


def _real_lists(variables: dict[str, str], paths: dict[str, str]) -> dict[str, str]:
    """The variables that are lists of folders, with the folders' real places.

    Programs that a function starts, and the dynamic loader, know of no redirection.
    """
    def real(folder: str) -> str:
        for logical, place in paths.items():
            if folder == logical or folder.startswith(logical + "/"):
                return place + folder[len(logical):]
        return folder

    return {name: ":".join(map(real, variables[name].split(":")))
            for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "NODE_PATH") if name in variables}


def _has_libraries(*folders: Path) -> bool:
    """Whether there are shared libraries in any of these folders of LD_LIBRARY_PATH."""
    return any(any(folder.glob("lib*.so*")) for folder in folders)


Tier = ProcessTier | BubblewrapTier


def choose(name: str = "auto") -> Tier:
    """The strongest tier that works here, or the one asked for.

    Raises:
        ValueError: no such tier.
        RuntimeError: the tier asked for doesn't work on this machine (it says why).
    """
    if name not in ("auto", "process", "bubblewrap"):
        raise ValueError("sandbox must be 'auto', 'bubblewrap', 'process' or 'inline', "
                         f"not {name!r}")
    if name == "process":
        return ProcessTier()
    problem = probe_bubblewrap()
    if problem is None:
        return BubblewrapTier()
    if name == "bubblewrap":
        raise RuntimeError(f"the bubblewrap sandbox doesn't work here: {problem}")
    return ProcessTier()


@functools.cache
def probe_bubblewrap() -> str | None:
    """None if a sandbox can be started, else the reason it can't."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap is for Linux only"
    if shutil.which("bwrap") is None:
        return "no bwrap program found; install the package 'bubblewrap'"
    command = [_bwrap(), "--unshare-all", "--die-with-parent", "--uid", UID, "--gid", GID,
               *_system(), *KERNEL, "--size", "1048576", "--tmpfs", "/tmp",
               *python(), "-c", "print('works')"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.stdout == "works\n" else (done.stderr.strip() or "it printed nothing")


def python() -> list[str]:
    """The base interpreter without site packages, user folders or the current folder."""
    return [os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
            "-S", "-s", "-P", "-B"]


def _bwrap() -> str:
    return shutil.which("bwrap") or "bwrap"


@functools.cache
def _system() -> tuple[str, ...]:
    """Arguments that show the sandbox a read-only system and the interpreter, and no more."""
    arguments: list[str] = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(name):
            arguments += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            arguments += ["--ro-bind", name, name]
    # Debian's Java has its settings in /etc; without them it doesn't start.
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
                 "/etc/ssl", "/nix/store", *sorted(glob.glob("/etc/java-*"))):
        if os.path.exists(name):
            arguments += ["--ro-bind", name, name]
    for prefix in prefixes():
        arguments += ["--ro-bind", prefix, prefix]
    return tuple(arguments)


@functools.cache
def prefixes() -> tuple[str, ...]:
    """Where Python and Node.js are installed, if not among the system's programs."""
    found = {os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)}
    if node := runtimes.node():
        found.add(os.path.dirname(os.path.dirname(node)))
    return tuple(prefix for prefix in sorted(found)
                 if prefix != "/usr" and not prefix.startswith("/usr/"))
