"""What the browser tests share: Chromium, a served folder, and an ear for what a page says."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "tests" / "_screenshots"  # not in git: what the last run saw
AXE = Path(__file__).parent / "assets" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # Containers give /dev/shm 64 MB, which a page with figures can exceed: Chromium then dies.
    "--disable-dev-shm-usage",
]
HOW_TO_GET = (
    "needs Chromium: `sudo apt install chromium` (or `brew install --cask chromium`), "
    "or set CHROMIUM_PATH to its program"
)
# What others' code says on the console, and why it isn't ours to mend.
NOT_OURS = (
    # The JSON schema checker inside html-manager, about html-manager's own schema.
    "strict mode: use allowUnionTypes",
)
WIDTHS = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def chromium_path() -> str | None:
    """The program to drive: CHROMIUM_PATH when set, else one on PATH, else None.

    FileNotFoundError when CHROMIUM_PATH names nothing.
    """
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        if not Path(named).is_file():
            raise FileNotFoundError(f"CHROMIUM_PATH={named}: there is no such file")
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


# Module scope, not session: Playwright's sync interface keeps an event loop running in this thread,
# which tests of other modules in the same worker would stumble over.
@pytest.fixture(scope="module")
def start_chromium():
    """start() gives a headless Chromium (a Playwright Browser): the running one, or a new one
    when it has died, so that a browser's crash costs one test and not the rest of its module.
    """
    path = chromium_path()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_GET)
    with sync_playwright() as playwright:
        running = []

        def start():
            if not running or not running[-1].is_connected():
                launch = playwright.chromium.launch
                running.append(launch(executable_path=path, args=FLAGS))
            return running[-1]

        yield start
        for browser in running:
            browser.close()


@pytest.fixture
def chromium(start_chromium):
    """A headless Chromium. Skips where none is installed; fails in CI."""
    return start_chromium()


def run_again_when_the_browser_died(items) -> None:
    """Give tests that drive Chromium one more try when its process died under them.

    Only then: Playwright's TargetClosedError says so. Everything else fails at the first try, and
    a page that brings the browser down each time fails too; pytest's last line counts the reruns,
    and more than the one that test_driver.py causes is worth a look.
    """
    for item in items:
        drives = "chromium" in getattr(item, "fixturenames", ())
        if drives and item.get_closest_marker("flaky") is None:  # both conftests call this
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TargetClosedError"]))


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line on stderr for every request."""

    def log_message(self, format, *args):
        pass


@contextmanager
def served(folder: Path):
    """Serve `folder` on a free loopback port; gives its address, without a slash at the end."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Listener:
    """Everything a page says or asks for that it shouldn't.

    problems: console errors and warnings, uncaught exceptions, failed requests, answers of 400 and
    above, requests to another origin. Each is one sentence.
    """

    def __init__(self, page, origin: str):
        self.problems: list[str] = []
        self.origin = origin
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", lambda r: self.problems.append(f"failed: {r.url} {r.failure}"))
        page.on("response", self._response)

    def _console(self, message):
        if message.type in ("error", "warning") and not message.text.startswith(NOT_OURS):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, request):
        parts = urlsplit(request.url)
        inside = parts.scheme in ("data", "blob")
        if not inside and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.problems.append(f"asks another host: {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.problems.append(f"status {response.status}: {response.url}")


def settle(page) -> None:
    """Wait until the page has drawn what it draws by script: figures, formulas and widgets."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => window.minilambdaFigures")
    page.evaluate("() => window.minilambdaWidgets")
    page.evaluate("() => window.MathJax?.startup?.promise")


def axe_findings(page) -> list[str]:
    """What axe-core finds wrong with the page now: one line a node, `rule: selector: why`."""
    # A colour in the middle of a transition from one theme to the other has no contrast worth
    # measuring.
    page.evaluate("() => Promise.allSettled(document.getAnimations().map((a) => a.finished))")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("() => axe.run(document)")
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
