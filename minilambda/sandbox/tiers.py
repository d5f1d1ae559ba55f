"""The tiers of isolation, and which of them works on this machine.

``bubblewrap``: namespaces of its own (processes, network, files, users), a read-only system and a
/tmp of exactly the right size. ``process``: an ordinary process, forked from a warm Python, with a
built-up environment, limits, its own session and its own temporary folder. A tier is chosen by
trying it, never by a version number: user namespaces are forbidden on some systems.

AWS's counterpart is a Firecracker micro virtual machine (AWS page: *Security in Lambda*).
"""

from __future__ import annotations

import functools
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
# Uid and gid that a function has on AWS (sbx_user1051).
UID, GID = "993", "990"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one environment is to be started: what the supervisor needs to know."""

    environment: dict[str, str]
    limit_mb: int
    command: list[str] | None = None  # None: fork, and become our Python bootstrap
    opens_own_doors: bool = False  # has it its own network, and passes its sockets out?
    redirect: dict | None = None
    skip: int = 0  # processes at the top of the tree that are the sandbox's, not the function's
    renames: tuple[tuple[bytes, bytes], ...] = field(default=())


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
        redirect = {"paths": paths, "exempt": str(store.root.parent),
                    "ports": {str(port): door for port, door in services.items()},
                    "largest": tmp_mb << 20}
        command = runtimes.command(runtime, variables, python(), folders,
                                   {"/var/task": task, "/opt": opt})
        if command is None and _has_libraries(task, task / "lib", opt / "lib"):
            redirect["afresh"] = [*python(), str(store.runtime / "entry.py")]
        if command and runtimes.family(runtime) == "python":
            variables = variables | {"MINILAMBDA_REDIRECT": json.dumps(redirect)}
        renames = tuple((os.fsencode(real), os.fsencode(name)) for name, real in paths.items())
        renames += ((os.fsencode(store.runtime), b"/var/runtime"),)
        return Plan(variables, limit_mb, command=command, redirect=redirect, renames=renames)


class BubblewrapTier:
    name = "bubblewrap"

    def plan(self, store: CodeStore, task: Path, opt: Path, home: Path,
             variables: dict[str, str], runtime: str, limit_mb: int, tmp_mb: int,
             cloud_port: int, services: dict[int, int]) -> Plan:
        variables = variables | {
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
            *_system(), "--proc", "/proc", "--dev", "/dev",
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
        command += ["--remount-ro", "/", "--chdir", "/var/task", "--", *python(),
                    "/var/runtime/entry.py",
                    ",".join(map(str, (RUNTIME_PORT, cloud_port, *services))), *(started or [])]
        return Plan(variables, limit_mb, command=command, opens_own_doors=True, skip=2)


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
            for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH") if name in variables}


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
               *_system(), "--proc", "/proc", "--dev", "/dev", "--size", "1048576",
               "--tmpfs", "/tmp", *python(), "-c", "print('works')"]
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
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
                 "/etc/ssl", "/nix/store"):
        if os.path.exists(name):
            arguments += ["--ro-bind", name, name]
    prefixes = {os.path.realpath(sys.base_prefix), os.path.realpath(sys.base_exec_prefix)}
    if node := runtimes.node():
        prefixes.add(os.path.dirname(os.path.dirname(node)))
    for prefix in sorted(prefixes):
        if prefix != "/usr" and not prefix.startswith("/usr/"):
            arguments += ["--ro-bind", prefix, prefix]
    return tuple(arguments)
