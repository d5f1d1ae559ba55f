"""Handlers that misbehave: each ends in AWS's words, and hurts nobody else."""

import pytest

BAD = {
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
