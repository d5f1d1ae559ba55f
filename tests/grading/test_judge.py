"""A whole class is graded once, by the command; the tests look at what came of it."""

import csv
import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from minilambda.grading.jail import PACKAGE
from minilambda.grading.release import student_notebook

from .hand_in import IN_THE_JUDGE, LAB, WRONG_ANSWERS, before, hand_in, notebook

pytestmark = IN_THE_JUDGE
FULL = [1, 3, 2, 2, 2]
AT_EASE = """
import asyncio
from concurrent.futures import ThreadPoolExecutor

import order as my_order
print("imported", my_order.handler({"order": "x", "lines": [tea, scone]}, None)["total"])
began = cloud.now
cloud.run(minutes=3)
print("slept", (cloud.now - began).total_seconds())
call = lambda n: lambda_.invoke(FunctionName="order-total", Payload=json.dumps(order))["StatusCode"]
with ThreadPoolExecutor(3) as pool, cloud.hold(3):
    print("held", list(pool.map(call, range(3))))
await asyncio.sleep(0.01)
print("awaited")
!echo shell $(basename $HOME)
!aws lambda list-functions --query 'Functions[].FunctionName'
"""
DAEMON_SECONDS = "86399.25"  # tells our daemon from everyone else's sleep

ATTACKS = {
    "at-ease": {"event_invoke": before("event-invoke", AT_EASE),
                "error_note": before("error-note", "").rstrip() + "\nimport sys\nsys.exit('stop here')"},
    "endless-loop": {"memory_set": "while True:\n    pass"},
    "dead-kernel": {"memory_set": "import os\nos._exit(0)"},
    "huge-output": {"memory_set": "while True:\n    print('x' * 10_000)"},
    "memory-hog": {"memory_set": "held = []\nwhile True:\n    held.append(b'x' * 10_000_000)"},
    "fork-bomb": {"memory_set": "import os\nwhile True:\n    try:\n        os.fork()\n"
                                "    except OSError:\n        pass"},
    "babbler": {"memory_set": "import os, socket\nfor fd in range(3, 256):\n    try:\n"
                              "        os.write(fd, b'{\"done\": true}\\n' * 3 + b'not json\\n')\n"
                              "    except OSError:\n        pass"},
    "markup": {"event_invoke": before(
        "event-invoke", "print('<script>alert(1)</script>\\x1b[31mred\\u202e')"),
        "error_code": "%%writefile order.py\ndef handler(event, context):\n"
                      "    return '<img src=x onerror=alert(1)>'"},
    "spy": {"function_create": before("function-create", f"""
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "{DAEMON_SECONDS}"])
    os._exit(0)
"""), "role_create": before("role-create", """
import json, os, socket, urllib.request

wanted = ["lab" + ".ipynb", "check" + ".ipynb", "plan" + ".json", "honest" + ".ipynb"]
open("lab" + ".ipynb", "w").write("planted")
found, readable = [], []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
    found += [os.path.join(folder, name) for name in files if name in wanted]
for name in os.listdir("/proc"):
    if name.isdigit():
        command = open(f"/proc/{name}/cmdline").read()
        if "pytest" in command or "ipykernel" in command:
            readable.append(command)
refused = []
for address in [("127.0.0.1", 22), ("1.1.1.1", 53), ("169.254.169.254", 80)]:
    try:
        socket.create_connection(address, timeout=2)
    except OSError:
        refused.append(address[0])
print("SPY" + json.dumps({
    "found": found, "readable": readable, "refused": refused,
    "writable": [f for f in ("/", "/usr", "/etc", "/dev") if os.access(f, os.W_OK)],
    "secret": [v for v in os.environ if "SECRET" in v and "minilambda" not in os.environ[v]]}))
""")},
}


@dataclass
class Graded:
    out: Path
    place: Path
    rows: dict
    status: int
    printed: str

    def points(self, student):
        row = self.rows[student]
        tasks = [int(row[f"task {n}"]) for n in range(1, 6)]
        assert sum(tasks) == int(row["points"]) and row["out of"] == "10"
        return tasks

    def remark(self, student):
        return self.rows[student]["remark"]

    def page(self, student):
        [path] = (self.out / "feedback").glob(f"{student}*.html")
        return path.read_text(encoding="utf-8")

    def text(self, student):
        return html.unescape(re.sub(r"<[^>]*>", "", self.page(student)))


def tampered(made, honest):
    """Everything in a notebook that isn't an answer, spoilt."""
    made = json.loads(json.dumps(made))
    made["metadata"] |= {"kernelspec": {"name": "bash", "display_name": "Bash", "language": "bash"}}
    cells = []
    for cell in made["cells"]:
        if "answer" not in cell["id"] and cell["cell_type"] == "code":
            cell["metadata"]["tags"] = ["nbval-skip", "raises-exception"]
        if cell["id"].endswith("-check"):
            cell["source"] = "print('Task done')"
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "Task done"}]
            cell["execution_count"] = 7
            cells += [cell, cell] if honest else [cell]
        elif cell["id"] not in ("setup-checks", "function-check"):
            cells.append(cell)
    cells.insert(0, {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [],
                     "execution_count": None, "source": "raise SystemExit"})
    made["cells"] = list(reversed(cells)) if honest else cells
    return made


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    place = tmp_path_factory.mktemp("class")
    submissions, out, tmp = place / "submissions", place / "out", place / "tmp"
    tmp.mkdir()
    for name, answers in ATTACKS.items():
        hand_in(submissions / f"{name}.ipynb", notebook(**answers))
    for name, (answers, _, _) in WRONG_ANSWERS.items():
        hand_in(submissions / f"{name}.ipynb", notebook(**answers))
    hand_in(submissions / "zoe" / "honest.ipynb", notebook())
    hand_in(submissions / "untouched.ipynb", student_notebook(LAB))
    hand_in(submissions / "tampered-right.ipynb", tampered(notebook(), honest=True))
    hand_in(submissions / "tampered-empty.ipynb", tampered(student_notebook(LAB), honest=False))
    hand_in(submissions / "=cmd()\u202e.ipynb", {"cells": "none"})
    environment = os.environ | {"TMPDIR": str(tmp), "AWS_SECRET_ACCESS_KEY": "the teacher's"}
    done = subprocess.run(
        [sys.executable, "-m", "minilambda.cli", "grade", str(submissions), "--out", str(out),
         "--jobs", "2", "--time-limit", "60", "--memory-limit", "400", "--output-limit", "200"],
        capture_output=True, text=True, env=environment, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    return Graded(out, place, rows, done.returncode, done.stdout + done.stderr)


def test_the_solution_gets_full_marks(graded):
    assert graded.points("zoe") == FULL
    assert "10 of 10 points" in graded.text("zoe")


def test_the_untouched_notebook_gets_nothing(graded):
    assert graded.points("untouched") == [0] * 5
    assert "there is no role named 'order-role'" in graded.text("untouched")


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_fails_for_its_own_reason(graded, name):
    _, points, reason = WRONG_ANSWERS[name]
    assert graded.points(name) == points
    assert reason in graded.text(name)
    others = {other for other in WRONG_ANSWERS if other != name
              and WRONG_ANSWERS[other][2] in graded.text(name)}
    # (A function can't be created without a role that Lambda may assume.)
    assert others == ({"function-never-created"} if name == "role-for-another-service" else set())


@pytest.mark.parametrize("name, reason", [
    ("endless-loop", "ran longer than 60 seconds"),
    ("dead-kernel", "kernel ended (exit status 0)"),
    ("huge-output", "printed more than 200 KB"),
    ("memory-hog", "used more than 400 MB of memory"),
    ("fork-bomb", "started more than 64 processes"),
    ("babbler", "stopped making sense"),
])
def test_what_was_done_before_the_kernel_ended_counts(graded, name, reason):
    assert reason in graded.remark(name) and graded.remark(name)
    assert graded.points(name) == [1, 3, 2, 0, 0]
    assert "It should have 256" in graded.text(name)


@pytest.mark.parametrize("name", ["at-ease", "spy", "tampered-right"])
def test_unusual_but_right_answers_get_full_marks(graded, name):
    assert graded.points(name) == FULL


def test_cells_work_as_in_a_notebook(graded):
    said = graded.text("at-ease")
    assert "slept 180.0" in said and "held [200, 200, 200]" in said
    assert "awaited" in said and "shell student" in said and '"order-total"' in said
    assert "imported 980" in said
    assert "SystemExit: stop here" in said  # ends its cell, not the kernel


def test_stored_outputs_and_changed_checks_earn_nothing(graded):
    assert graded.points("tampered-empty") == [0] * 5


def test_cells_of_ones_own_are_named_not_run(graded):
    assert "1 code cell of your own" in graded.text("tampered-right")


def test_a_submission_sees_nothing_but_its_own(graded):
    seen = json.loads(re.search(r"SPY(\{.*\})\n", graded.text("spy"))[1])
    assert seen["found"] == ["/home/student/lab.ipynb"]  # the planted one: the search does find
    assert seen["readable"] == []
    assert seen["refused"] == ["127.0.0.1", "1.1.1.1", "169.254.169.254"]
    assert seen["writable"] == [] and seen["secret"] == []


def test_nothing_survives(graded):
    assert list((graded.place / "tmp").iterdir()) == []
    left = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if DAEMON_SECONDS in line or str(graded.place) in line:
            left.append(line)
    assert left == []


def test_pages_hold_text_not_markup_of_the_students(graded):
    page = graded.page("markup")
    assert "&lt;script&gt;alert(1)" in page and "&lt;img src=x" in page
    assert "<script" not in page and "<img" not in page
    assert "\x1b" not in page and "\u202e" not in page


def test_pages_ask_nobody_else_for_anything(graded):
    for path in graded.out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in page
        assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", page), path


def test_malformed_submissions_get_zero_and_a_reason(graded):
    [row] = [row for row in graded.rows.values() if "not a notebook" in row["remark"]]
    assert row["points"] == "0"
    assert row["student"] == "'=cmd()\\u202e"  # no formula, and its direction mark spelt out


def test_the_index_links_every_page(graded):
    index = (graded.out / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(feedback/[^"]+)"', index)
    assert len(set(links)) == len(graded.rows) == len(ATTACKS) + len(WRONG_ANSWERS) + 5
    assert all((graded.out / link).is_file() for link in links)
    assert "submission" in graded.printed  # the progress bar's unit


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_called_off_or_killed_it_takes_everything_along(tmp_path, number, status):
    loop = {"role_create": "import time\nwhile True:\n    time.sleep(0.1)"}
    hand_in(tmp_path / "in" / "loop.ipynb", notebook(**loop))
    (tmp_path / "tmp").mkdir()
    grader = subprocess.Popen(
        [sys.executable, "-m", "minilambda.cli", "grade", str(tmp_path / "in"), "--out",
         str(tmp_path / "out")], env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for(lambda: any("kernel.py" in line for line in lines_about(str(PACKAGE), grader)))
    family = psutil.Process(grader.pid).children(recursive=True)
    assert len(family) >= 5  # pytest, the judge, its supervisor, the sandbox and what is in it
    grader.send_signal(number)
    assert grader.wait(20) == status
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    if number == signal.SIGINT:
        assert list((tmp_path / "tmp").iterdir()) == []


def lines_about(text, parent):
    """Command lines of a process's descendants that contain ``text``."""
    found = []
    for process in psutil.Process(parent.pid).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        found += [line] if text in line else []
    return found


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
