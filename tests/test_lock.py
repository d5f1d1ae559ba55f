"""requirements.txt is the lock of pyproject.toml, and what is vendored is what npm shipped."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins() -> dict[str, list[Requirement]]:
    """Canonical name -> the lock's lines about it (several when they differ by platform)."""
    found: dict[str, list[Requirement]] = {}
    for line in LINES:
        if line and not line.startswith(("#", "-")):
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize(
    "wanted", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["book"]
)
def test_every_declared_dependency_is_pinned_as_declared(wanted):
    wanted = Requirement(wanted)
    locked = pins().get(canonicalize_name(wanted.name))
    assert locked, f"{wanted.name} isn't in requirements.txt: run `make lock`"
    for pin in locked:
        version = str(pin.specifier).removeprefix("==")
        assert wanted.specifier.contains(version), f"{pin} isn't {wanted}: run `make lock`"


def test_every_line_is_an_exact_version():
    for line in LINES:
        if line and not line.startswith(("#", "-")):
            assert re.match(r"[a-z0-9._-]+==[0-9][^ *]*( ; .+)?$", line), line


def test_the_lock_ends_by_installing_the_project():
    assert LINES[-1] == "-e ."


def test_the_lock_names_no_package_host():
    assert not [line for line in LINES if "://" in line]


def test_vendored_browser_files_are_what_npm_shipped():
    command = [sys.executable, str(ROOT / "scripts" / "vendor_assets.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
