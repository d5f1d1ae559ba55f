"""Deployment packages: made from files, and judged."""

import io
import os
import stat
import zipfile

import pytest

from minilambda.errors import LambdaError
from minilambda.function import CodePackage
from minilambda.limits import Limits
from minilambda.package import check_archive, zip_handler

COURSE = Limits.load("course")
NOT_A_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


def archive_of(*entries, mode=0o100644):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            opened.writestr(info, data)
    return buffer.getvalue()


def refused(archive, limits=COURSE):
    with pytest.raises(LambdaError) as caught:
        check_archive(archive, limits)
    return caught.value


@pytest.fixture
def app(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def handler(event, context):\n    return event\n")
    return file


def test_a_handler_file_lands_at_the_root(app):
    archive = zip_handler(app)
    check_archive(archive, COURSE)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["app.py"]
        assert opened.read("app.py") == app.read_bytes()
        assert opened.getinfo("app.py").external_attr >> 16 == 0o100644


def test_equal_files_give_equal_archives_whenever_they_were_written(app):
    first = zip_handler(app)
    os.utime(app, (1_000_000_000, 1_000_000_000))
    assert CodePackage.of(zip_handler(app)).sha256 == CodePackage.of(first).sha256
    app.write_text("changed")
    assert zip_handler(app) != first


def test_a_folder_and_a_file_together(app, tmp_path):
    folder = tmp_path / "lib"
    (folder / "deep" / "__pycache__").mkdir(parents=True)
    (folder / "deep" / "mod.py").write_text("x = 1")
    (folder / "deep" / "__pycache__" / "mod.pyc").write_text("")
    (folder / "bootstrap").write_text("#!/bin/sh\n")
    (folder / "bootstrap").chmod(0o755)
    with zipfile.ZipFile(io.BytesIO(zip_handler(str(app), folder))) as opened:
        assert opened.namelist() == ["app.py", "bootstrap", "deep/mod.py"]
        assert opened.getinfo("bootstrap").external_attr >> 16 == 0o100755


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="write the handler first"):
        zip_handler(tmp_path / "nope.py")


def test_nothing_to_pack(tmp_path):
    with pytest.raises(ValueError, match="nothing to pack"):
        zip_handler()


def test_two_files_of_one_name(app, tmp_path):
    other = tmp_path / "other" / "app.py"
    other.parent.mkdir()
    other.write_text("")
    with pytest.raises(ValueError, match="app.py"):
        zip_handler(app, other)


@pytest.mark.parametrize("garbage", [b"", b"not a zip", b"PK\x05\x06", os.urandom(1000)])
def test_garbage_is_no_zip(garbage):
    assert refused(garbage).message == NOT_A_ZIP


def test_an_empty_zip():
    assert refused(archive_of()).message == "Uploaded file must be a non-empty zip"


def test_a_damaged_zip():
    archive = bytearray(archive_of(("app.py", b"x = 1\n" * 100)))
    archive[40] ^= 0xFF  # in the compressed data
    assert refused(bytes(archive)).message == NOT_A_ZIP


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/etc/evil", "..\\evil.py"])
def test_an_entry_may_not_leave_its_folder(name):
    assert refused(archive_of((name, b"x"))).message == NOT_A_ZIP


def test_a_symbolic_link_is_refused_by_name():
    error = refused(archive_of(("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777))
    assert error.status == 501
    assert "link" in error.message


def test_a_fifo_is_refused():
    assert refused(archive_of(("pipe", b""), mode=stat.S_IFIFO | 0o644)).message == NOT_A_ZIP


def test_a_bomb_is_refused_by_its_own_directory_without_unpacking():
    bomb = archive_of(("zeros", bytes(1024 * 1024)))
    small = Limits("course", {**COURSE.figures(), "unzipped": 1024 * 1024})
    assert refused(bomb, small).message == "Unzipped size must be smaller than 1048576 bytes"
    check_archive(bomb, Limits("course", {**COURSE.figures(), "unzipped": 1024 * 1024 + 1}))


def test_a_directory_that_lies_about_sizes_is_damaged():
    archive = bytearray(archive_of(("zeros", bytes(1024 * 1024))))
    end = archive.rindex(b"PK\x01\x02")
    archive[end + 24:end + 28] = (10).to_bytes(4, "little")  # "uncompressed size"
    assert refused(bytes(archive)).message == NOT_A_ZIP
