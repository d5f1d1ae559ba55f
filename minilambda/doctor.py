"""What works on this machine, what doesn't, and what to do about it.

Stands for nothing of AWS's. Everything is found out by trying or looking, nothing by a version.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
from dataclasses import dataclass

from .sandbox import confinement, tiers

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


# What functions of other languages take: topic, programs (any of them), what for, how to get it.
TOOLCHAINS = (
    ("Node.js", ("node",), "nodejs runtimes run on it", "nodejs functions can't run; install Node.js"),
    ("C compiler", ("cc", "gcc", "clang"), "compiles custom runtimes ('provided')",
     "none found; one compiled elsewhere runs as well"),
    *((name, (program,), "a custom runtime with its own Runtime API client runs on it",
       f"not found; needed only for functions of {name} in a custom runtime")
      for name, program in (("Java", "java"), (".NET", "dotnet"), ("Ruby", "ruby"), ("Go", "go"))),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``works`` is None for what is neither good nor bad."""

    topic: str
    works: bool | None
    text: str


class Report:
    """What the doctor found; prints as one line a finding."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def __repr__(self) -> str:
        marks = {True: "yes ", False: "NO  ", None: "    "}
        width = max(len(finding.topic) for finding in self.findings)
        return "\n".join(f"{marks[f.works]}{f.topic:<{width}}  {f.text}" for f in self.findings)


def doctor() -> Report:
    """Look at this machine."""
    problem = tiers.probe_bubblewrap()
    walls = confinement.version()
    findings = [
        Finding("Python", None, f"{platform.python_version()} runs every function of a python "
                                "runtime, whichever version its name says"),
        Finding("bubblewrap sandbox", problem is None, problem or
                "functions run in namespaces of their own: no network but the cloud's, a "
                "read-only system, a /tmp of exactly its size"),
        Finding("process sandbox", True, "functions run as ordinary processes: memory, time, "
                "threads and kill are enforced" + (
                    "; the kernel (Landlock) keeps this machine's files from them"
                    if walls else "") + (
                    ", and its other processes" if walls >= confinement.SCOPES_SINCE else "")),
        Finding("  not enforced there", None, "; ".join([
            "the size of /tmp as a whole", "a closed network for code that ignores proxies",
            *(["hiding this machine's files", "read-only folders, to programs"]
              if not walls else []),
            *(["signals to this machine's processes, from programs"]
              if walls < confinement.SCOPES_SINCE else []),
            "/tmp, /var/task and /opt by these names, to programs and C libraries"])),
    ]
    if problem is not None:
        findings.append(Finding("  grading there", None, "`minilambda grade` refuses strangers' "
                                "work without bubblewrap, unless told --allow-weak-sandbox"))
    if not sys.platform.startswith("linux"):
        findings.append(Finding("memory by /proc", False, "psutil is asked instead, less often "
                                                          "exact to the megabyte"))
    findings += [_toolchain(*row) for row in TOOLCHAINS]
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    findings += [
        Finding("AWS CLI", shutil.which("aws") is not None,
                "`aws` is on PATH" if shutil.which("aws") else
                "not on PATH here; while a Cloud is on, this environment's own is"),
        Finding("browser tests", browser is not None, browser or
                "no Chromium or Chrome found; install the package 'chromium'"),
    ]
    return Report(findings)


def _toolchain(topic: str, programs: tuple[str, ...], use: str, advice: str) -> Finding:
    found = next(filter(None, map(shutil.which, programs)), None)
    return Finding(topic, True if found else None, f"{found}: {use}" if found else advice)


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``doctor`` to the command line."""
    looking = commands.add_parser("doctor", help="say what works on this machine",
                                  description="Try what works on this machine, and say what to do "
                                              "about the rest.")
    looking.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    print(doctor())
    return 0
