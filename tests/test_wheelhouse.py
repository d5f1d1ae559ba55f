"""Wheels of what is installed, and what pip makes of them."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution

import pytest
from packaging.utils import parse_wheel_filename

from minilambda import wheelhouse


def pip(*arguments, folder):
    """Run pip as the book does: offline, with the wheelhouse; gives its status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *arguments],
        env=os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)},
        capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    assert wheelhouse.fill(folder, "aws-xray-sdk", without=["botocore"]) == [
        "aws-xray-sdk", "wrapt"]
    return folder


def test_a_wheel_has_the_name_and_the_tags_of_the_one_it_came_from(house):
    named = {str(parse_wheel_filename(path.name)[0]): parse_wheel_filename(path.name)
             for path in house.glob("*.whl")}
    assert set(named) == {"aws-xray-sdk", "wrapt"}
    for name, (_, version, _, tags) in named.items():
        assert str(version) == distribution(name).version
        lines = distribution(name).read_text("WHEEL").splitlines()
        assert {str(tag) for tag in tags} >= {
            line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")
            and line.count(".") == 0}


def test_pip_installs_it_with_every_file(house, tmp_path):
    status, said = pip("--target", tmp_path, "--no-deps", "aws-xray-sdk", "wrapt", folder=house)
    assert (status, said) == (0, "")
    for name in ("aws-xray-sdk", "wrapt"):
        for file in distribution(name).files:
            if "__pycache__" in file.parts or ".." in file.parts:
                continue
            if file.parts[0].endswith(".dist-info"):
                continue
            assert (tmp_path / file).read_bytes() == file.locate().read_bytes()
    assert not list(tmp_path.rglob("__pycache__"))


def test_what_a_package_requires_is_there_too_and_equal_twice(tmp_path):
    found = wheelhouse.fill(tmp_path / "one", "s3transfer")
    assert {"botocore", "jmespath", "python-dateutil", "six", "urllib3"} < set(found)
    wheelhouse.fill(tmp_path / "two", "jmespath")
    [jmespath] = tmp_path.glob("two/*.whl")
    assert jmespath.read_bytes() == (tmp_path / "one" / jmespath.name).read_bytes()


def test_a_wheel_that_is_there_is_kept(house):
    [path] = house.glob("wrapt*")
    before = path.stat()
    wheelhouse.fill(house, "wrapt")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_stand_in_for_another_platform(tmp_path):
    name = wheelhouse.foreign(tmp_path, "wrapt", "win_amd64")
    assert name.endswith("-win_amd64.whl")
    with zipfile.ZipFile(tmp_path / name) as wheel:
        compiled = [entry for entry in wheel.namelist() if entry.endswith(".pyd")]
        assert compiled and all(wheel.read(entry) == b"MZ" for entry in compiled)
        assert not any(entry.endswith(".so") for entry in wheel.namelist())
    status, said = pip("--target", tmp_path / "here", "wrapt", folder=tmp_path)
    assert status == 1 and "No matching distribution found for wrapt" in said
    status, said = pip("--target", tmp_path / "there", "--platform", "win_amd64",
                       "--only-binary=:all:", "wrapt", folder=tmp_path)
    assert (status, said) == (0, "")
    assert list((tmp_path / "there" / "wrapt").glob("*-win_amd64.pyd"))


@pytest.mark.parametrize("ask, reason", [
    (lambda to: wheelhouse.fill(to, "no-such-thing"), "no-such-thing isn't installed here"),
    (lambda to: wheelhouse.fill(to, "minilambda"), "minilambda wasn't installed from a wheel"),
    (lambda to: wheelhouse.foreign(to, "six", "win_amd64"), "nothing in it is compiled"),
    (lambda to: wheelhouse.foreign(to, "wrapt", "linux"), "must be a Windows one"),
])
def test_what_cannot_be_packed(tmp_path, ask, reason):
    with pytest.raises(ValueError, match=reason):
        ask(tmp_path)
    assert not list(tmp_path.glob("*.whl"))
