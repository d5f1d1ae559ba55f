"""In the judge's own kernel: the cloud of one submission, and the run of its cells.

The check notebook's first cell makes a :class:`Judge`; from then on ``minilambda.Cloud`` in this
kernel is one with the judge's seed and sandbox, so that the author's set-up cell starts the cloud
as it does for a reader. :meth:`Judge.run` then lets the submission loose on it, in a sandbox, and
returns when all of it is dead. The checks come after that.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import minilambda

from ..cloud import Cloud
from .jail import Allowance, Ended, Jail

MOST_DAYS = 31  # that a submission may let pass at once
MOST_CALLERS = 1000
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_SHOWN = 20_000  # characters of a cell's output that are kept


class Judge:
    """``plan`` is a JSON file, written by ``worker``: the ``cells`` to run, the ``allowance``, the
    ``tier`` of the sandbox, the ``seed`` of the cloud, and where the ``transcript`` goes.
    """

    def __init__(self, plan: str) -> None:
        _die_with_parent()
        self.folder = Path(plan).resolve().parent
        self.plan = json.loads(Path(plan).read_text(encoding="utf-8"))
        minilambda.Cloud = _cloud_with(seed=self.plan["seed"], sandbox=self.plan["tier"])

    def run(self, cloud: Cloud) -> None:
        """Run the submission's cells. Whatever they do goes into the transcript and no further."""
        transcript: list[dict[str, Any]] = []
        ended = None
        asked = _Asked(cloud)
        home = self.folder / "home"
        home.mkdir()
        host = cloud.placement.setting.host
        jail = None
        try:
            jail = Jail(self.plan["tier"], Allowance(**self.plan["allowance"]), home,
                        host.cloud_port, host.serve_connection, asked)
            for cell in self.plan["cells"]:
                entry = cell | {"printed": "", "error": None}
                transcript.append(entry)
                try:
                    entry["printed"], entry["error"] = jail.run(cell["source"])
                finally:
                    entry["printed"] = clean(jail.printed())
        except Ended as end:
            ended = str(end)
        finally:
            if jail is not None:
                jail.close()
            cloud.frontend.open_gate()  # somebody may have died with the door held
        text = json.dumps({"cells": transcript, "ended": ended})
        (self.folder / self.plan["transcript"]).write_text(text, encoding="utf-8")


class _Asked:
    """What a sandboxed kernel may ask for that isn't AWS: its cloud's clock."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self._gate = cloud, None

    def __call__(self, what: str, details: dict[str, Any]) -> Any:
        match what:
            case "now":
                return self.cloud.now.isoformat()
            case "run":
                seconds = float(details["seconds"])
                if not 0 <= seconds <= timedelta(days=MOST_DAYS).total_seconds():
                    raise ValueError(f"while it is graded, cloud.run takes 0 to {MOST_DAYS} days")
                return self.cloud.run(seconds=seconds)
            case "run_until_idle":
                return self.cloud.run_until_idle()
            case "hold":
                callers = int(details["callers"])
                if not 1 <= callers <= MOST_CALLERS:
                    raise ValueError(f"callers must be 1 to {MOST_CALLERS}")
                self._gate = self.cloud.frontend.gather(callers)
                return None
            case "release":
                return self.cloud.frontend.open_gate(self._gate)
        raise ValueError(f"the judge has no answer to {what!r}")


def clean(text: str) -> str:
    """Terminal escapes and control characters out; the middle too, if it is long."""
    text = _ESCAPES.sub("", text)
    text = "".join(c for c in text if c in "\n\t" or c.isprintable())
    if len(text) > _SHOWN:
        half = _SHOWN // 2
        text = f"{text[:half]}\n[… {len(text) - _SHOWN} characters left out …]\n{text[-half:]}"
    return text


def _cloud_with(**settled: Any) -> type[Cloud]:
    class JudgedCloud(Cloud):
        """The author's options, with the judge's over them."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options | settled)

    return JudgedCloud


def _die_with_parent() -> None:
    """If pytest is killed this kernel goes at once, and with it the sandboxes."""
    if sys.platform.startswith("linux"):
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
