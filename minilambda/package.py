"""Deployment packages: files the reader can open become a zip archive; an archive is checked.

Stands for: the ``zip`` command of *Working with .zip file archives for Python Lambda functions*,
and what Lambda checks of an archive before it takes it.
Leaves out: installing dependencies (use pip and hand over the folder); symbolic links inside an
archive (refused).
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from os import PathLike
from pathlib import Path, PurePosixPath

from . import errors
from .limits import Limits

# The earliest instant a zip archive can hold. Fixed, so that equal files give equal archives, and
# with them an equal CodeSha256, on every machine.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_SKIPPED = {"__pycache__", ".ipynb_checkpoints", ".git", ".DS_Store"}


def zip_handler(*paths: str | PathLike[str]) -> bytes:
    """A deployment package of the given files and folders: a zip archive's bytes.

    A file goes to the archive's root under its own name, a folder's *contents* go there with
    their paths. The archive depends on names, contents and the executable bit only.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: nothing to pack, or two files of the same name in the archive.
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        for name, file in _files(path):
            if name in found:
                raise ValueError(f"{found[name]} and {file} would both be {name!r} in the archive")
            found[name] = file
    if not found:
        raise ValueError("nothing to pack: name a handler file, such as zip_handler('app.py')")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(found):
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.create_system = 3  # unix: the mode below counts
            executable = found[name].stat().st_mode & 0o100
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, found[name].read_bytes())
    return buffer.getvalue()


def _files(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    if path.is_dir():
        return [
            (file.relative_to(path).as_posix(), file)
            for file in path.rglob("*")
            if file.is_file() and _SKIPPED.isdisjoint(file.relative_to(path).parts)
        ]
    raise FileNotFoundError(f"no file or folder {str(path)!r}: write the handler first, or check "
                            f"the name (the current folder is {str(Path.cwd())!r})")


def check_archive(archive: bytes, limits: Limits, taken: int = 0) -> None:
    """Whether Lambda would take this deployment package (or layer).

    Sizes are judged by the archive's own directory before anything is unpacked, so that a bomb
    costs nothing; only then is every entry read once against its checksum. ``taken``: bytes of
    the room for unpacked files that a function's layers take already.

    Raises:
        LambdaError: not a zip, empty, damaged, too big when unpacked, or an entry that would end
            up outside its folder.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            if not any(not entry.is_dir() for entry in entries):
                raise errors.empty_zip()
            for entry in entries:
                _check_entry(entry)
            if sum(entry.file_size for entry in entries) >= limits.unzipped - taken:
                raise errors.unzipped_too_big(limits.unzipped - taken)
            if opened.testzip() is not None:
                raise errors.not_a_zip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            OSError, ValueError) as error:  # RuntimeError: an entry with a password
        raise errors.not_a_zip() from error


def unzipped_size(archive: bytes) -> int:
    """Bytes of an archive's files when they are unpacked (one that was checked before)."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return sum(entry.file_size for entry in opened.infolist())


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """An entry must stay in its folder (zip slip), and be a file or a folder."""
    # ZipInfo.filename stops at a NUL and turns this system's separator into "/": judge both names.
    for name in (entry.filename, entry.orig_filename):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or "\0" in name or path.parts[:1] == ():
            raise errors.not_a_zip()
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == 3 else 0
    if stat.S_ISLNK(kind):
        raise errors.not_implemented(f"symbolic links in a deployment package ({entry.filename})")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise errors.not_a_zip()
