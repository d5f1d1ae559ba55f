"""Fixtures for tests that need a browser: `chromium`, `book` (built and served) and `visit`."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser_driver import (  # noqa: F401 - the fixtures are used by name
    ROOT,
    WIDTHS,
    Listener,
    chromium,
    run_again_when_the_browser_died,
    served,
    settle,
    start_chromium,
)


def pytest_collection_modifyitems(items):
    """A browser that dies is started again."""
    run_again_when_the_browser_died(items)


@dataclass(frozen=True)
class Book:
    """The built book: its folder on disk and its address."""

    folder: Path
    url: str


def build_book(target: Path) -> None:
    """Build the book into `target`, as `make build` does; a warning fails it."""
    command = [
        str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT),
        "--path-output", str(target), "-W", "-n", "--keep-going", "--all",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"the book's build failed:\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The Book, built from the sources as they are: once a run, by whichever worker is first."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    target = shared / "book-build"
    with open(shared / "book-build.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "done").exists():
            shutil.rmtree(target, ignore_errors=True)
            build_book(target)
            (target / "done").touch()
    folder = target / "_build" / "html"
    with served(folder) as url:
        yield Book(folder, url)


@pytest.fixture
def visit(chromium, book):
    """visit(name, width="wide", theme="light") opens a page of the book (name without .html).

    Gives the Playwright page, settled, and the Listener that heard it load.
    """
    contexts = []

    def open_page(name: str, width: str = "wide", theme: str = "light"):
        context = chromium.new_context(viewport=WIDTHS[width], color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        listener = Listener(page, book.url)
        page.goto(f"{book.url}/{name}.html")
        settle(page)
        return page, listener

    yield open_page
    for context in contexts:
        context.close()
