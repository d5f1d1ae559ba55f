"""Packages and layers, unpacked once each, and the folder that stands for /var/runtime.

Stands for: what AWS lays out under ``/var/task``, ``/opt`` and ``/var/runtime``.
AWS pages: *Lambda execution environment*, *Managing Lambda dependencies with layers*.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import os
import py_compile
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..function import CodePackage

# What a Python runtime on AWS ships beside the standard library: the SDK and what it needs.
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
PROGRAMS = ("api_connection.py", "bootstrap.py", "cloud_time.py", "confinement.py", "delivery.py",
            "entry.py", "launcher.py", "node_bootstrap.mjs", "preloaded.py", "processes.py",
            "python_main.py", "redirection.py", "sharing.py", "supervisor.py", "tree.py")
# Those that an environment's /var/runtime holds, and what they are compiled to.
INSIDE = ("api_connection.py", "bootstrap.py", "cloud_time.py", "delivery.py", "entry.py",
          "launcher.py", "node_bootstrap.mjs", "python_main.py", "redirection.py", "__pycache__")


class CodeStore:
    """Folders under ``root``; packages are known by their digest, so none is unpacked twice."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runtime = root / "runtime"
        self.runtime.mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy(Path(__file__).with_name(program), self.runtime / program)
            if program.endswith(".py"):
                py_compile.compile(self.runtime / program,
                                   invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        self.sdk = {path.name: path for path in map(_location, SDK) if path is not None}
        for name, path in self.sdk.items():
            (self.runtime / name).symlink_to(path)

    def unpack(self, code: CodePackage) -> Path:
        """The folder with the package's files, read-only, modes as in the archive."""
        return unpack(self.root, code)

    def opt(self, layers: Sequence[CodePackage]) -> Path:
        """The folder that is /opt of functions with these layers, in this order."""
        return merge(self.root, layers)


def unpack(root: Path, code: CodePackage) -> Path:
    """The folder below ``root`` with the package's files; unpacked once."""
    return _made_once(root / "code" / code.key, lambda folder: _extract(code, folder))


def merge(root: Path, layers: Sequence[CodePackage]) -> Path:
    """The folder below ``root`` with the layers' files, later ones over earlier, read-only.

    Functions with the same layers share it; its files are the unpacked layers' own (hard links),
    so that merging costs no space.
    """
    if len(layers) == 1:
        return unpack(root, layers[0])
    name = hashlib.sha256(" ".join(layer.key for layer in layers).encode()).hexdigest()
    return _made_once(root / "opt" / name,
                      lambda folder: [_lay(unpack(root, layer), folder) for layer in layers])


def _made_once(folder: Path, fill: Callable[[Path], object]) -> Path:
    """The read-only folder of that name, filled if it isn't there yet."""
    if folder.exists():
        return folder
    partial = folder.with_name(folder.name + f".{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    fill(partial)
    for parent, _, _ in os.walk(partial, topdown=False):
        os.chmod(parent, 0o755 if Path(parent) == partial else 0o555)
    partial.rename(folder)
    folder.chmod(0o555)
    return folder


def _extract(code: CodePackage, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code.archive)) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16
            if path.is_file():
                path.chmod(0o555 if mode & 0o111 else 0o444)


def _lay(layer: Path, over: Path) -> None:
    """Put a layer's files over what is there; a file takes a folder's place, and the reverse."""
    for parent, folders, files in os.walk(layer):
        here = over / Path(parent).relative_to(layer)
        for name in folders:
            if (here / name).is_file():
                (here / name).unlink()
            (here / name).mkdir(exist_ok=True)
        for name in files:
            if (here / name).is_dir():
                shutil.rmtree(here / name)
            with contextlib.suppress(FileNotFoundError):
                (here / name).unlink()
            os.link(Path(parent) / name, here / name)


def _location(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin)
    return path.parent if path.name == "__init__.py" else path
