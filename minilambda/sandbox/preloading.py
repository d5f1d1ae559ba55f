"""Which functions start with the AWS SDK loaded already, and what they bring that forbids it.

Stands for nothing of AWS's. Importing boto3 takes a hundred times as long as a fork, so a second
zygote has done it. A function whose code imports boto3 is always forked from that one, ready or not
(its start waits): so what it uses, memory for one, doesn't depend on who was quicker. What the zygote
imported counts as each environment's own.
"""

from __future__ import annotations

import functools
import io
import re
import zipfile
from pathlib import Path

from ..function import CodePackage, FunctionConfiguration
from . import runtimes

MODULE = "boto3"
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(?:[\w, ]+,[ \t]*)?boto3\b", re.MULTILINE)
_LARGEST = 1 << 20  # bytes of a source file that is looked into: nobody writes larger ones by hand
_SDK = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}


def wanted(function: FunctionConfiguration) -> bool:
    """Does its code import boto3, and is that the runtime's?"""
    if runtimes.family(function.runtime) != "python":
        return False
    variables = function.environment or {}
    if runtimes.WRAPPER in variables or "PYTHONPATH" in variables:
        return False
    packages = (function.code, *(layer.content for layer in function.layers))
    return _imports(function.code) and not any(map(_brings_sdk, packages))


def own_names(task: Path, opt: Path) -> list[str]:
    """The names of modules and packages that a function and its layers bring."""
    folders = task, opt / "python", *opt.glob("python/lib/*/site-packages")
    return sorted({path.name.partition(".")[0] for folder in folders if folder.is_dir()
                   for path in folder.iterdir()})


@functools.lru_cache(maxsize=1024)
def _imports(code: CodePackage) -> bool:
    with zipfile.ZipFile(io.BytesIO(code.archive)) as archive:
        return any(_IMPORT.search(archive.read(entry)) for entry in archive.infolist()
                   if entry.filename.endswith(".py") and entry.file_size <= _LARGEST)


@functools.lru_cache(maxsize=1024)
def _brings_sdk(code: CodePackage) -> bool:
    """In whatever folder: code may put it on its path."""
    with zipfile.ZipFile(io.BytesIO(code.archive)) as archive:
        return any(part.partition(".")[0] in _SDK for name in archive.namelist()
                   for part in name.split("/"))
