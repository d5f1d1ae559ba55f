"""Which runtimes there are, how each is started, and what it would need that isn't here.

Stands for: Lambda's managed and OS-only runtimes. AWS pages: *Lambda runtimes*, *Building a custom
runtime for AWS Lambda*, *Modifying the runtime environment* (wrapper scripts).
Leaves out: Java, .NET, Go and Ruby as managed runtimes (their own clients can be put into a custom
runtime's package). Wrapper scripts are for managed runtimes only, as on AWS.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
# Family -> the language, and the program that runs (Go: builds) its functions.
_TOOLCHAINS = {"java": ("Java", "java"), "dotnet": (".NET", "dotnet"), "go": ("Go", "go"),
               "ruby": ("Ruby", "ruby")}


# How a program that this system can start begins.
_PROGRAMS = ((b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe") if sys.platform == "darwin" else
             (b"\x7fELF",))


def family(runtime: str) -> str:
    """``python3.8`` -> ``python``, ``provided.al2`` -> ``provided``."""
    return re.match(r"[a-z]+", runtime)[0].replace("dotnetcore", "dotnet")


def missing(runtime: str) -> str | None:
    """None if functions of this runtime can be run here, else what there is not."""
    kind = family(runtime)
    if kind in ("python", "provided"):
        return None
    if kind == "nodejs":
        if node() is None:
            return "there is no 'node' program on this machine's PATH; install Node.js"
        return None
    name, program = _TOOLCHAINS.get(kind, (kind, kind))
    toolchain = (f"{program!r} is on this machine's PATH, so" if shutil.which(program) else
                 f"nor is there a {program!r} program on this machine's PATH: install it, then")
    return (f"there is no {name} runtime here; {toolchain} package {name}'s own Runtime API client "
            "with the function as a custom runtime ('provided.al2023')")


def note(runtime: str) -> str | None:
    """How what runs differs from what was asked for, if it does."""
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if family(runtime) == "python" and runtime != here:
        return f"runtime {runtime} runs on this machine's Python {here.removeprefix('python')}"
    if family(runtime) == "nodejs":
        return f"runtime {runtime} runs on this machine's Node.js ({node()})"
    return None


def library_path(runtime: str) -> dict[str, str]:
    """The variable that names the folders of a language's modules, as AWS sets it.

    A function may set it to something else. (Ruby's ``GEM_PATH``: Ruby doesn't run here.)
    """
    version = runtime.removeprefix("nodejs").split(".")[0]
    return {
        "python": {"PYTHONPATH": "/var/runtime"},
        "nodejs": {"NODE_PATH": f"/opt/nodejs/node{version}/node_modules:/opt/nodejs/node_modules:"
                                "/var/runtime/node_modules:/var/runtime:/var/task"},
    }.get(family(runtime), {})


def node() -> str | None:
    """Where Node.js is on this machine."""
    found = shutil.which("node")
    return os.path.realpath(found) if found else None


def entrypoint_problem(runtime: str, variables: Mapping[str, str],
                       folders: Mapping[str, Path]) -> str | None:
    """Why the program that a function's own package must bring can't be started, in AWS's words.

    ``folders``: where ``/var/task`` and ``/opt`` are on this machine.
    """
    if family(runtime) == "provided":
        shown = _bootstrap(folders)
        if shown is None:
            return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    elif variables.get(WRAPPER):
        shown = variables[WRAPPER]
    else:
        return None
    reason = _not_executable(Path(translate(shown, {k: str(v) for k, v in folders.items()})))
    return f"fork/exec {shown}: {reason}" if reason else None


def _bootstrap(folders: Mapping[str, Path]) -> str | None:
    """A custom runtime's program: in the function's package, else in its layers."""
    for name, folder in folders.items():
        if (folder / "bootstrap").is_file():
            return f"{name}/bootstrap"
    return None


def extensions(opt: Path) -> list[str]:
    """Names of the external extensions in a function's layers, in the order of their start.

    AWS page: *Using the Lambda Extensions API to create extensions*.
    """
    folder = opt / "extensions"
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def extension_problem(opt: Path, name: str) -> str | None:
    """Why this extension can't be started, in AWS's words."""
    reason = _not_executable(opt / "extensions" / name)
    return f"fork/exec /opt/extensions/{name}: {reason}" if reason else None


def _not_executable(program: Path) -> str | None:
    if not program.is_file():
        return "no such file or directory"
    if not program.stat().st_mode & 0o111:
        return "permission denied"
    with program.open("rb") as file:
        line = file.readline(256)
    if line.startswith(b"#!"):
        words = line[2:].split()
        found = words and os.path.exists(os.fsdecode(words[0]))
        return None if found else "no such file or directory"
    return None if line.startswith(_PROGRAMS) else "exec format error"


def command(runtime: str, variables: Mapping[str, str], python: list[str],
            paths: Mapping[str, str], folders: Mapping[str, Path]) -> list[str] | None:
    """The program to start; None: our Python bootstrap, which needn't be started as one.

    ``python``: the interpreter with its options. ``paths``: where ``/var/task``,
    ``/opt`` and ``/var/runtime`` are for this program; ``folders``: where the former two are here.
    """
    kind, wrapper = family(runtime), variables.get(WRAPPER)
    if kind == "provided":
        return [translate(_bootstrap(folders) or "/var/task/bootstrap", paths)]
    if kind == "nodejs":
        program = [node(), paths["/var/runtime"] + "/node_bootstrap.mjs"]
    elif wrapper:
        program = [*python, paths["/var/runtime"] + "/python_main.py"]
    else:
        return None
    return [translate(wrapper, paths), *program] if wrapper else program


def translate(path: str, paths: Mapping[str, str]) -> str:
    """A function's name for a file -> where it is."""
    for logical, real in paths.items():
        if path == logical or path.startswith(logical + "/"):
            return real + path[len(logical):]
    return path
