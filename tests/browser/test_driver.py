"""A browser that dies costs one try of one test; a test that fails still fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error

TRIES = []


def crash(browser) -> None:
    """End the browser's process as a segmentation fault would."""
    with pytest.raises(Error):
        browser.new_browser_cdp_session().send("Browser.crash")


def test_a_dead_browser_is_replaced(start_chromium):
    first = start_chromium()
    assert start_chromium() is first
    crash(first)
    second = start_chromium()
    assert second is not first
    page = second.new_page()
    page.set_content("<p>alive</p>")
    assert page.inner_text("p") == "alive"


def test_a_test_whose_browser_died_is_tried_again(chromium):
    TRIES.append(chromium)
    if len(TRIES) == 1:
        crash(chromium)
    page = chromium.new_page()
    page.set_content("<p>alive</p>")
    assert page.inner_text("p") == "alive"
    assert len(TRIES) == 2


ORDINARY = """\
def tried():
    with open("tries", "a") as file:
        file.write("x")

def test_page_is_wrong(chromium):
    tried()
    page = chromium.new_page()
    page.set_content("<p>no</p>")
    assert page.inner_text("p") == "yes"

def test_nothing_there(chromium):
    tried()
    chromium.new_page().click("#nowhere", timeout=100)
"""


def test_any_other_failure_stands_at_once(tmp_path):
    """In a pytest of their own, with the conftest that these tests have."""
    conftest = Path(__file__).with_name("conftest.py")
    (tmp_path / "conftest.py").write_text(conftest.read_text())
    (tmp_path / "test_ordinary.py").write_text(ORDINARY)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(conftest.parent)})
    assert "2 failed" in done.stdout and "rerun" not in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "tries").read_text() == "xx"
