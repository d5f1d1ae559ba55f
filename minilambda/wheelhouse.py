"""A folder of wheels for pip to install from where there is no network.

Stands for: the Python Package Index, in what a reader's ``pip install --target`` needs of it. AWS
page: *Working with .zip file archives for Python Lambda functions*. The idea and the name are pip's
own (``pip wheel``, ``--find-links``).
Leaves out: scripts that aren't entry points (a function has no use for them).

What is installed here is packed again as the wheel it came from, by the record that pip or uv left.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from collections.abc import Collection
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from os import PathLike
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name

_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can hold
# Left by the installer, not part of the wheel.
_LOCAL = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}
_COMPILED = re.compile(r"\.(so|pyd)$")


def fill(folder: str | PathLike[str], *names: str, without: Collection[str] = ()) -> list[str]:
    """Put wheels of installed packages, and of all they require, into a folder.

    Packages named in ``without``, and what only these require, are left out. Wheels that are there
    already are kept. Value: the packages' names, sorted.

    Raises:
        ValueError: a package isn't installed here, or not from a wheel.
    """
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in found and name not in without:
            found[name] = _installed(name)
            wanted += [requirement.name for text in found[name].requires or ()
                       if (requirement := Requirement(text)).marker is None
                       or requirement.marker.evaluate({"extra": ""})]
    for dist in found.values():
        tags = _tags(dist)
        path = Path(folder, _file_name(dist, tags))
        if not path.exists():
            _write(path, _files(dist) | {f"{_about(dist)}/WHEEL": _wheel(tags)})
    return sorted(found)


def foreign(folder: str | PathLike[str], name: str, platform: str) -> str:
    """Put a stand-in for a package's wheel for another platform (``win_amd64``) into a folder.

    There is no compiler for that platform here. So its Python files are the installed package's
    own, and in the place of each compiled module stands a file named as that platform names them,
    with nothing but the two letters in it that a Windows library begins with. Value: its name.

    Raises:
        ValueError: a package isn't installed here, not from a wheel, or has nothing compiled in it.
    """
    if not platform.startswith("win"):
        raise ValueError(f"platform must be a Windows one, such as 'win_amd64', not {platform!r}")
    dist = _installed(canonicalize_name(name))
    tags = {Tag(tag.interpreter, tag.abi, platform) for tag in _tags(dist)}
    python = min(tag.interpreter for tag in tags)
    files: dict[str, bytes] = {}
    for path, data in _files(dist).items():
        if _COMPILED.search(path):
            folder_, _, file = path.rpartition("/")
            path, data = f"{folder_}/{file.split('.')[0]}.{python}-{platform}.pyd", b"MZ"
        elif ".libs/" in path or ".dylibs/" in path:
            continue
        files[path] = data
    if not any(path.endswith(".pyd") for path in files):
        raise ValueError(f"{name} is the same on every platform: nothing in it is compiled")
    path = Path(folder, _file_name(dist, tags))
    _write(path, files | {f"{_about(dist)}/WHEEL": _wheel(tags)})
    return path.name


def _installed(name: str) -> Distribution:
    try:
        dist = distribution(name)
    except PackageNotFoundError:
        raise ValueError(f"{name} isn't installed here: `make test` or `make lab` installs all "
                         "that the book needs") from None
    origin = json.loads(dist.read_text("direct_url.json") or "{}")
    if (dist.files is None or dist.read_text("WHEEL") is None
            or origin.get("dir_info", {}).get("editable")):
        raise ValueError(f"{name} wasn't installed from a wheel, so it can't be packed again: "
                         f"pip install --force-reinstall {name}")
    return dist


def _about(dist: Distribution) -> str:
    """``name-version.dist-info``, as the package itself spells it."""
    return next(file.parts[0] for file in dist.files
                if file.name == "METADATA" and file.parts[0].endswith(".dist-info"))


def _tags(dist: Distribution) -> set[Tag]:
    lines = dist.read_text("WHEEL").splitlines()
    return {tag for line in lines if line.startswith("Tag:")
            for tag in parse_tag(line.partition(":")[2].strip())}


def _file_name(dist: Distribution, tags: set[Tag]) -> str:
    parts = [".".join(sorted({getattr(tag, part) for tag in tags}))
             for part in ("interpreter", "abi", "platform")]
    return "-".join([_about(dist).removesuffix(".dist-info"), *parts]) + ".whl"


def _wheel(tags: set[Tag]) -> bytes:
    pure = all(tag.platform == "any" for tag in tags)
    lines = ["Wheel-Version: 1.0", "Generator: minilambda", f"Root-Is-Purelib: {str(pure).lower()}",
             *(f"Tag: {tag}" for tag in sorted(map(str, tags)))]
    return ("\n".join(lines) + "\n").encode()


def _files(dist: Distribution) -> dict[str, bytes]:
    """The wheel's files by their names in it; what pip makes at installation isn't among them."""
    return {
        file.as_posix(): file.locate().read_bytes()
        for file in dist.files
        if ".." not in file.parts and "__pycache__" not in file.parts
        and not file.is_absolute() and file.suffix != ".pyc"
        and not (file.parts[0].endswith(".dist-info") and file.name in _LOCAL)
    }


def _write(path: Path, files: dict[str, bytes]) -> None:
    """A wheel: stored, not compressed, as it is read once or twice; and whole, or not at all."""
    [about] = {PurePosixPath(name).parts[0] for name in files
               if PurePosixPath(name).parts[0].endswith(".dist-info")}
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')}"
        f",{len(data)}\n" for name, data in files.items()) + f"{about}/RECORD,,\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name, data in (files | {f"{about}/RECORD": record.encode()}).items():
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data)
    partial.replace(path)
