"""Handlers that misbehave: each ends in AWS's words, hurts nobody else, and leaves nothing."""

import os
import time
from pathlib import Path

import pytest

from minilambda.sandbox import confinement

BAD = {
    "starts 10,000 threads": (
        "import threading\ndef handler(e, c):\n    stop = threading.Event()\n"
        "    try:\n        for _ in range(10_000): threading.Thread(target=stop.wait).start()\n"
        "    finally: stop.set()\n", "can't start new thread"),
    "starts 10,000 processes": (
        "import os, signal\ndef handler(e, c):\n    for _ in range(10_000):\n"
        "        if os.fork() == 0: signal.pause()\n    return 1\n", "signal: killed"),
    "returns 7 MB": ("def handler(e, c): return 'x' * 7_000_000\n",
                     "Response payload size exceeded maximum allowed payload size (6291556 bytes)."),
    "sleeps inside its init": ("import time\ntime.sleep(99)\ndef handler(e, c): return 1\n",
                               "Task timed out after 3.00 seconds"),
    "raises in its init": ("raise ValueError('at once')\n", "at once"),
    "exits in its init": ("import os\nos._exit(3)\n", "exit status 3"),
    "forks and exits": ("import os, time\ndef handler(e, c):\n    if os.fork(): os._exit(0)\n"
                        "    time.sleep(99)\n", "Runtime exited without providing a reason"),
    "kills itself": ("import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)\n",
                     "signal: killed"),
    "fills /tmp with a million empty files": (
        "def handler(e, c):\n    for n in range(1_000_000): open(f'/tmp/{n}', 'w').close()\n"
        "    return 'all'\n", "Task timed out after 3.00 seconds"),
    "starts a child that ignores all signals and stops": (
        "import os, signal, time\ndef handler(e, c):\n    if os.fork() == 0:\n"
        "        for n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "        os.setsid()\n        os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    time.sleep(99)\n", "Task timed out after 3.00 seconds"),
    "fork bomb": ("import os\ndef handler(e, c):\n    while True:\n        try: os.fork()\n"
                  "        except OSError: pass\n", "signal: killed"),
    "closes every descriptor": (
        "import os\ndef handler(e, c):\n    os.closerange(0, 1024)\n    return 1\n", "exit status 1"),
    "returns a generator": ("def handler(e, c):\n    yield 1\n", "Object of type generator"),
    "is async": ("async def handler(e, c): return 1\n", "Object of type coroutine"),
    "returns a circle": ("def handler(e, c):\n    a = []\n    a.append(a)\n    return a\n",
                         "Circular reference"),
    "blocks SIGTERM": ("import signal, time\ndef handler(e, c):\n"
                       "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(99)\n",
                       "Task timed out after 3.00 seconds"),
    "swallows everything": ("import time\ndef handler(e, c):\n    while True:\n"
                            "        try: time.sleep(10)\n        except BaseException: pass\n",
                            "Task timed out after 3.00 seconds"),
    "recurses to the end of its stack": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1) + 1\n"
        "def handler(e, c): return f(0)\n", "signal: "),
    "follows a null pointer": ("import ctypes\ndef handler(e, c): return ctypes.string_at(0)\n",
                               "signal: segmentation fault"),
    "raises KeyboardInterrupt": ("def handler(e, c): raise KeyboardInterrupt\n", "Runtime exited"),
    "closes its standard output": (
        "import sys\ndef handler(e, c):\n    sys.stdout.close()\n    print('x')\n", "Runtime exited"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_fails_in_aws_s_words_and_hurts_nobody(lab, name):
    source, words = BAD[name]
    good = lab.deploy("def handler(e, c): return 'well'\n")
    assert lab.invoke(good).value == "well"
    bad = lab.deploy(source, Timeout=3, MemorySize=512)
    for _ in range(2):
        reply = lab.invoke(bad)
        assert reply.error == "Unhandled"
        assert words in reply.value["errorMessage"]
        assert "REPORT RequestId" in reply.log
    assert lab.invoke(good).value == "well"
    assert len(lab.environments(good)) == 1  # the good one's environment was never touched
    lab.client.delete_function(FunctionName=bad)
    nothing_is_left(lab, bad)


def processes_of(lab, environment):
    """Its process ids: programs by a variable, forks by the page that they have mapped."""
    found, mark = [], lab.cloud.placement.setting.host.mark(environment)
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):  # it has mapped their clocks
            continue
        if (f"MINILAMBDA_ENVIRONMENT={mark}".encode() in _read(folder / "environ")
                or f"/memfd:{mark}".encode() in _read(folder / "maps")):
            found.append(int(folder.name))
    return found


def states_of(lab, environment):
    return [_read(Path(f"/proc/{pid}/stat")).rsplit(b")", 1)[-1][1:2].decode()
            for pid in processes_of(lab, environment)]


def stopped(lab, environment, count, seconds=30):
    """Do so many of its processes come to a stop? One that gets no processor takes a while."""
    deadline = time.monotonic() + seconds
    while states_of(lab, environment).count("T") != count and time.monotonic() < deadline:
        time.sleep(0.02)
    return states_of(lab, environment).count("T") == count


def nothing_is_left(lab, name, seconds=60):
    """No process and no folder of any environment that the function had."""
    folders = lab.cloud.placement.setting.host.root / "environments"

    def left():
        return [found for environment in lab.environments(name)
                for found in [*folders.glob(f"*{environment}*"), *processes_of(lab, environment)]]

    deadline = time.monotonic() + seconds
    while left() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left() == []


def test_killing_everybody_kills_nobody(lab):
    """A function is alone on its machine, so there is nobody that it could kill."""
    good = lab.deploy("def handler(e, c): return 'well'\n")
    assert lab.invoke(good).value == "well"
    bad = lab.deploy("import os\ndef handler(e, c):\n    for n in (15, 9): os.kill(-1, n)\n")
    reply = lab.invoke(bad)
    assert reply.value["errorType"] == "ProcessLookupError"
    assert lab.invoke(good).value == "well" and len(lab.environments(good)) == 1


def test_links_out_of_tmp_lead_nowhere(lab, tmp_path):
    """Nor does clearing up follow them."""
    (tmp_path / "mine").write_text("the reader's")
    name = lab.deploy("""
        import os
        def handler(event, context):
            os.symlink(event, "/tmp/out")
            os.symlink("/etc/shadow", "/tmp/shadow")
            said = []
            for path in ("/tmp/out/mine", "/tmp/shadow"):
                try:
                    said.append(open(path).read())
                except OSError:
                    said.append(None)
            return said
    """)
    seen = lab.invoke(name, str(tmp_path)).value
    if lab.cloud.sandbox == "bubblewrap" or confinement.version():
        assert seen == [None, None]
    lab.client.delete_function(FunctionName=name)
    nothing_is_left(lab, name)
    assert (tmp_path / "mine").read_text() == "the reader's"


def test_a_child_that_writes_on_after_the_answer_is_frozen_too(lab):
    name = lab.deploy("""
        import os, pathlib, signal
        path = pathlib.Path("/tmp/count")
        def handler(event, context):
            if event == "start":
                read, write = os.pipe()
                if os.fork() == 0:
                    os.write(write, b"x")
                    while True:
                        path.write_text(str(os.times().user))
                os.read(read, 1)
            elif event == "stop":
                os.kill(0, signal.SIGKILL)
            return path.read_text() if path.exists() else ""
    """, Timeout=10)
    lab.invoke(name, "start")
    environment, = lab.environments(name)
    assert stopped(lab, environment, 2)  # and bubblewrap's own two sleep
    assert lab.invoke(name, "stop").value["errorMessage"].endswith("signal: killed")
    nothing_is_left(lab, name)


def test_a_daemon_lives_as_long_as_its_environment(lab):
    """A double fork into a session of its own leaves the runtime's tree, not its environment."""
    name = lab.deploy("""
        import os, signal, time
        def handler(event, context):
            if event == "start":
                read, write = os.pipe()
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
                        os.write(write, b"x")
                        while True: signal.pause()
                    os._exit(0)
                os.read(read, 1)
                os.wait()
            return 1
    """)
    lab.invoke(name, "start")
    environment, = lab.environments(name)
    assert stopped(lab, environment, 2)
    assert lab.invoke(name).value == 1 and lab.environments(name) == [environment]
    assert stopped(lab, environment, 2)
    lab.client.delete_function(FunctionName=name)
    nothing_is_left(lab, name)


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_gigabyte_of_output_and_bytes_that_are_no_text(lab):
    flood = lab.deploy("import os\ndef handler(e, c):\n    block = b'z' * (1 << 20)\n"
                       "    for _ in range(1024): os.write(1, block)\n    return 'done'\n",
                       MemorySize=512)
    reply = lab.invoke(flood)
    assert reply.value == "done"
    assert "more bytes of output were not kept" in reply.log
    binary = lab.deploy("import sys\ndef handler(e, c):\n"
                        "    sys.stdout.buffer.write(bytes(range(256)))\n    return 'done'\n")
    reply = lab.invoke(binary)
    assert reply.value == "done" and "ABCDEFG" in reply.log


def test_what_runs_on_after_the_answer_is_frozen_and_goes_on_later(lab):
    """A background thread that prints every half second prints only while an invocation runs."""
    name = lab.deploy("""
        import threading, time
        def late():
            n = 0
            while True:
                print("late", n)
                n += 1
                time.sleep(0.5)
        def handler(event, context):
            if event == "start":
                threading.Thread(target=late, daemon=True).start()
            time.sleep(0.1)
            return 1
    """)
    lab.invoke(name, "start")
    printed = len(lab.cloud.trace.select("log.line", function=name))
    lab.cloud.run(minutes=1)
    assert len(lab.cloud.trace.select("log.line", function=name)) == printed
    for _ in range(3):
        assert lab.invoke(name).value == 1


def test_many_small_files(lab):
    files = lab.deploy("import os\ndef handler(e, c):\n    for n in range(2000):\n"
                       "        open(f'/tmp/{n}', 'w').close()\n    return len(os.listdir('/tmp'))\n")
    assert lab.invoke(files).value == 2000
