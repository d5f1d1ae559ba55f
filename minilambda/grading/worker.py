"""One judge process for one submission: pytest with nbval, whose kernel is the judge.

Everything the judge makes lives in one folder of its own, which goes when it is done. A judge that
hangs, grows or dies costs its own submission's points and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import psutil

from .checks import ANSWER_SECONDS
from .jail import Allowance
from .lab import Check, Lab
from .rebuild import rebuild

CHECKS, PLAN, TRANSCRIPT = "check.ipynb", "plan.json", "transcript.json"
JUDGE_MB = 2048  # that a judge may grow to (the cloud of one submission)
START_SECONDS = 60  # until a judge is ready, on a busy machine
_MOST_REASON = 1000  # characters


class Stopped(Exception):
    """Grading was called off."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``reason``: why no points; None if they were earned."""

    check: Check
    reason: str | None

    @property
    def earned(self) -> int:
        return self.check.points if self.reason is None else 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a submission. ``ended``: why its kernel was stopped, if it was.

    ``broken`` says that the judge itself failed, and why: then the points mean nothing.
    """

    results: list[CheckResult]
    transcript: list[dict]  # id, role, task, source, printed, error of each cell that was run
    ended: str | None = None
    broken: str | None = None


class Worker:
    """Judges submissions, one at a time; several workers may share a ``stop`` event.

    Args:
        tier: the sandbox, ``bubblewrap`` or ``process``.
        folder: where the folders of single runs go.
    """

    def __init__(self, tier: str, allowance: Allowance, folder: Path,
                 stop: threading.Event) -> None:
        self.tier, self.allowance, self.folder, self.stop = tier, allowance, folder, stop

    def judge(self, lab: Lab, student: str, answers: Mapping[str, str]) -> Verdict:
        """Run the answers and check what they have made.

        Raises:
            Stopped: the stop event was set meanwhile.
        """
        place = Path(tempfile.mkdtemp(prefix="judge-", dir=self.folder))
        try:
            built = rebuild(lab, answers, PLAN)
            nbformat.write(built.notebook, place / CHECKS)
            plan = {"cells": [asdict(cell) for cell in built.cells], "tier": self.tier,
                    "transcript": TRANSCRIPT, "allowance": asdict(self.allowance),
                    # Not a reader's seed: ids that were copied from somewhere are wrong ones.
                    "seed": zlib.crc32(f"{lab.name}/{student}".encode(errors="replace")) + 1}
            (place / PLAN).write_text(json.dumps(plan), encoding="utf-8")
            return self._verdict(place, built.entries, *self._run(place, len(lab.checks)))
        finally:
            _end_stragglers(place)
            remove(place)

    def _run(self, place: Path, checks: int) -> tuple[dict[int, dict], str | None]:
        """Outcomes by cell number, and why the judge was stopped, if it was."""
        reader, writer = os.pipe()
        (place / "tmp").mkdir()
        cell_seconds = self.allowance.seconds + START_SECONDS
        deadline = time.monotonic() + cell_seconds + START_SECONDS + checks * ANSWER_SECONDS
        command = [sys.executable, "-I", str(Path(__file__).with_name("reporter.py")),
                   str(place / CHECKS), str(cell_seconds)]
        with open(place / "pytest.log", "wb") as log:
            process = subprocess.Popen(command, cwd=place, env=_environment(place, writer),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       pass_fds=(writer,), start_new_session=True)
        os.close(writer)
        outcomes: dict[int, dict] = {}
        why = None
        try:
            why = self._listen(process, reader, deadline, outcomes)
        finally:
            _kill_tree(process)
            os.close(reader)
        return outcomes, why

    def _listen(self, process: subprocess.Popen, reader: int, deadline: float,
                outcomes: dict[int, dict]) -> str | None:
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            while True:
                if selector.select(0.2):
                    data = os.read(reader, 1 << 16)
                    if not data:
                        return None
                    *lines, rest = (rest + data).split(b"\n")
                    for line in map(json.loads, lines):
                        outcomes.setdefault(line["cell"], line)
                if self.stop.is_set():
                    raise Stopped
                if time.monotonic() > deadline:
                    return "it took too long to check"
                if _resident_mb(process) > JUDGE_MB:
                    return f"its cloud grew over {JUDGE_MB} MB"

    def _verdict(self, place: Path, entries: list[Check | None], outcomes: dict[int, dict],
                 why: str | None) -> Verdict:
        results, broken = [], None
        for number, check in enumerate(entries):
            outcome = outcomes.get(number)
            if check is not None:
                results.append(CheckResult(check, _reason(outcome, why)))
            elif why is None and (outcome is None or outcome["outcome"] != "passed"):
                said = ": ".join(filter(None, outcome["error"])) if outcome else _tail(place)
                broken = broken or f"the judge failed in cell {number} of its notebook: {said}"
        try:
            transcript = json.loads((place / TRANSCRIPT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            transcript = {"cells": [], "ended": None}
        return Verdict(results, transcript["cells"], transcript["ended"] or why, broken)


def remove(folder: Path) -> None:
    """Delete a folder, read-only ones in it too."""
    for parent, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(parent, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _reason(outcome: dict | None, why: str | None) -> str | None:
    """Why a check earned nothing; None if it passed."""
    if outcome is None:
        return f"not checked: {why or 'the judge ended early'}"
    if outcome["outcome"] == "passed":
        return None
    if outcome["outcome"] == "skipped":
        return "not checked: an earlier check didn't come to an end"
    name, message = outcome["error"] or ("", "it failed")
    text = message if name in ("NotYet", "") else f"the check ended with {name}: {message}"
    return text if len(text) <= _MOST_REASON else text[:_MOST_REASON] + " …"


def _environment(place: Path, report: int) -> dict[str, str]:
    """Built from nothing: none of the teacher's settings, configuration or credentials."""
    return {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(place),
        "TMPDIR": str(place / "tmp"),
        "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "IPYTHONDIR": str(place / "ipython"),
        "JUPYTER_CONFIG_DIR": str(place / "jupyter"), "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "0", "MINILAMBDA_REPORT": str(report),
    }


def _resident_mb(process: subprocess.Popen) -> float:
    """Of pytest and its kernel; functions and the submission have limits of their own."""
    try:
        top = psutil.Process(process.pid)
        return sum(one.memory_info().rss for one in [top, *top.children()]) / (1 << 20)
    except psutil.Error:
        return 0.0


def _kill_tree(process: subprocess.Popen) -> None:
    """When pytest is done its kernel is too; this is for when it isn't, and does no harm then."""
    try:
        tree = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        tree = []
    process.kill()
    for one in tree:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()
    psutil.wait_procs(tree, timeout=10)


def _end_stragglers(place: Path) -> None:
    """Programs of the judge's end by themselves when it does: see to it that they have.

    They are known by the folder, which all of their command lines name.
    """
    left = []
    for one in psutil.process_iter():
        try:
            if any(str(place) in argument for argument in one.cmdline()):
                left.append(one)
        except psutil.Error:
            pass
    _, alive = psutil.wait_procs(left, timeout=2)
    for one in alive:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(alive, timeout=2)


def _tail(place: Path) -> str:
    try:
        said = (place / "pytest.log").read_text(errors="replace").strip()
        return said[-1500:] or "it said nothing"
    except OSError:
        return "it left no log"
