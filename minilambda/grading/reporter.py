"""Runs pytest with nbval on a check notebook, and reports each cell's outcome.

A program of its own (``python -I reporter.py NOTEBOOK TIMEOUT``) that needs nothing of minilambda.
An outcome is one line of JSON into a pipe that only this process and the grader hold: neither the
judge's kernel nor anything of the student's ever has it.
"""

import ctypes
import json
import os
import signal
import sys

# Only for the format of web addresses in JSON schemas, which no notebook has, and it takes a second
# to load. (jsonschema does without when it isn't installed.)
sys.modules["rfc3987_syntax"] = None

import pytest  # noqa: E402


class Reporter:
    """A pytest plugin. ``report``: the pipe's file descriptor."""

    def __init__(self, report):
        self.report = report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """``cell`` (its number among code cells), ``outcome``, ``error`` ([name, message])."""
        report = yield
        if call.when == "call" or not report.passed:
            error = None
            if call.excinfo is not None:
                error = ["", str(call.excinfo.value)]
                for output in getattr(item, "test_outputs", None) or []:
                    if output.get("output_type") == "error":
                        error = [output["ename"], output["evalue"]]
            line = {"cell": item.cell_num, "outcome": report.outcome, "error": error}
            os.write(self.report, json.dumps(line).encode() + b"\n")
        return report


def main(notebook, timeout):
    report = int(os.environ.pop("MINILAMBDA_REPORT"))
    os.set_inheritable(report, False)
    if sys.platform.startswith("linux"):
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)  # no grader, no judge
    return pytest.main(
        ["-q", "--noconftest", "-c", os.devnull, "--rootdir", ".", "-p", "nbval.plugin",
         "-p", "no:cacheprovider", "--color=no", "--nbval", "--nbval-current-env",
         f"--nbval-cell-timeout={timeout}", notebook], plugins=[Reporter(report)])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
