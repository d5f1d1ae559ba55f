"""JupyterLab for real: open the chapter, run every cell, move a slider, see the panel answer."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from browser_driver import ROOT, SCREENSHOTS, WIDTHS

CHAPTER = "03-first-function.ipynb"
# JupyterLab's own questions and look-ups, which would cover the page or ask another host.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false", "checkForUpdates": False,
    },
}


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    """Return when JupyterLab answers at `url`; fail with its log when it ends, or in a minute."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    problem = None
    for _ in range(60):
        if process.poll() is not None:
            break
        try:
            direct.open(url, timeout=1).close()
            return
        except OSError as error:
            problem = error
            try:
                process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(f"JupyterLab didn't start ({problem}):\n{log.read_text(encoding='utf-8')}")


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of book/; gives the chapter's address."""
    folder = tmp_path / "book"
    shutil.copytree(ROOT / "book", folder, ignore=shutil.ignore_patterns("_*", ".*"))
    yield from lab_on(folder, CHAPTER, tmp_path)


def lab_on(folder, notebook, tmp_path):
    """JupyterLab on a folder, with its own settings; gives a notebook's address."""
    settings = tmp_path / "settings"
    for name, content in SETTINGS.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / name).write_text(json.dumps(content), encoding="utf-8")
    port, token = free_port(), secrets.token_hex(16)
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
    ]
    log = tmp_path / "lab.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/api", process, log)
        yield f"http://127.0.0.1:{port}/lab/tree/{notebook}?token={token}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# The notebook as JupyterLab holds it: what is on screen may be only part of it.
CELLS = """() => {
  const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
  const cells = Array.from(content.model.cells).filter((cell) => cell.type === "code");
  return {
    status: sessionContext.session?.kernel?.status,
    cells: cells.map((cell) => ({
      source: cell.sharedModel.getSource(),
      count: cell.executionCount,
      mayFail: (cell.getMetadata("tags") || []).includes("raises-exception"),
      errors: cell.outputs.toJSON().filter((o) => o.output_type === "error").map((o) => o.evalue),
    })),
  };
}"""


@pytest.mark.timeout(240)
def test_chapter_runs_and_its_panel_answers(chromium, lab):
    page = chromium.new_page(viewport=WIDTHS["wide"])
    page.goto(lab)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function("() => Boolean(window.jupyterapp?.shell.currentWidget?.sessionContext)")
    page.wait_for_function(f"() => ({CELLS})().status === 'idle'", timeout=60_000)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Run All Cells").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    # Restarting takes the counts away, running gives each cell one.
    page.wait_for_function(f"() => ({CELLS})().cells.some((cell) => !cell.count)", timeout=30_000)
    page.wait_for_function(
        f"() => {{ const now = ({CELLS})(); const code = now.cells.filter((c) => c.source.trim());"
        " return now.status === 'idle' && (code.every((c) => c.count)"
        " || code.some((c) => c.errors.length && !c.mayFail)); }",
        timeout=120_000,
    )
    cells = page.evaluate(CELLS)["cells"]
    assert [cell for cell in cells if cell["errors"] and not cell["mayFail"]] == []

    panel = page.locator(".minilambda-panel").first
    panel.scroll_into_view_if_needed(timeout=30_000)
    before = panel.get_attribute("data-state")
    assert before
    slider = page.locator(".jp-OutputArea").get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.minilambda-panel').dataset.state !== before",
        arg=before, timeout=30_000,
    )
    # A panel that can't reach its cloud changes too: what it shows must be a run of just now.
    page.wait_for_function("() => document.querySelector('.minilambda-panel').dataset.source === 'live'")
    assert panel.get_attribute("data-status") in {"success", "out-of-memory", "timeout"}
    page.screenshot(path=SCREENSHOTS / "lab.png")
    page.close()
