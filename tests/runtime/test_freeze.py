"""What counts as frozen does nothing, though it is really stopped only a moment later."""

import concurrent.futures
import os
import random
import time
from pathlib import Path

import psutil
import pytest

PATIENCE = 20.0  # real seconds until something must have happened, however busy the machine is


def processes_of(lab, source, **options):
    """A function that has been invoked once, and its environment's processes."""
    before = set(psutil.Process().children(recursive=True))
    name = lab.deploy(source, **options)
    lab.invoke(name)
    started = set(psutil.Process().children(recursive=True)) - before
    return name, [p for p in started if p.name() != "bwrap"]


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_it_is_stopped_by_the_kernel_soon(lab):
    name, found = processes_of(lab, "def handler(e, c): return 1\n")
    assert found
    assert until(lambda: all(p.status() == psutil.STATUS_STOPPED for p in found))
    assert lab.invoke(name).value == 1
    assert until(lambda: all(p.status() == psutil.STATUS_STOPPED for p in found))
    lab.client.delete_function(FunctionName=name)


@pytest.mark.parametrize("source", [
    # a timer's signal handler
    """
    import os, signal
    count = open(os.environ.get("TMPDIR", "/tmp") + "/count", "a")
    signal.signal(signal.SIGALRM, lambda *_: os.write(count.fileno(), b"x"))
    def handler(event, context):
        signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        if event == "size":
            signal.setitimer(signal.ITIMER_REAL, 0)
            return os.fstat(count.fileno()).st_size
    """,
    # a child
    """
    import os
    count = open(os.environ.get("TMPDIR", "/tmp") + "/count", "a")
    child = None
    def handler(event, context):
        global child
        if event == "size":
            os.kill(child, 9)
            os.waitpid(child, 0)
            return os.fstat(count.fileno()).st_size
        child = os.fork()
        while child == 0:
            os.write(count.fileno(), b"x")
    """,
    # a thread
    """
    import os, threading
    count = open(os.environ.get("TMPDIR", "/tmp") + "/count", "a")
    stop = threading.Event()
    def write():
        while not stop.is_set():
            os.write(count.fileno(), b"x")
    def handler(event, context):
        if event == "size":
            stop.set()
            return os.fstat(count.fileno()).st_size
        threading.Thread(target=write, daemon=True).start()
    """,
], ids=["signal", "child", "thread"])
def test_no_code_of_it_runs_meanwhile(lab, source):
    """What is about to run on its own is stopped before the outcome is out."""
    name, found = processes_of(lab, source, Timeout=60, MemorySize=512)
    ticks = lambda: sum(sum(p.cpu_times()[:2]) for p in found)  # noqa: E731
    before = ticks()
    assert all(p.status() == psutil.STATUS_STOPPED for p in found)
    time.sleep(0.3)
    assert ticks() - before <= 0.01
    assert lab.invoke(name, "size").value >= 0
    lab.client.delete_function(FunctionName=name)


def test_the_next_event_may_come_at_any_moment(lab):
    """Before it is stopped, while it is being stopped, after it."""
    name = lab.deploy("count = 0\ndef handler(e, c):\n    global count\n    count += 1\n"
                      "    return count\n")
    for number in range(1, 150):
        assert lab.invoke(name).value == number
        time.sleep(random.random() * 0.003)


def test_memory_is_measured_all_the_same(lab):
    name = lab.deploy("def handler(e, c):\n    return len(b'x' * e)\n", MemorySize=512)
    used = []
    for size in (1, 80_000_000, 1):
        reply = lab.invoke(name, size)
        used.append(int(reply.log.partition("Max Memory Used: ")[2].split()[0]))
    assert used[0] < 60 < 100 < used[1] == used[2]


def test_large_events_and_results(lab):
    name = lab.deploy("def handler(e, c): return e\n", MemorySize=512, Timeout=60)
    for size in (10, 100_000, 1_048_570, 1_048_580, 5_000_000):
        assert lab.invoke(name, "x" * size).value == "x" * size


def test_many_callers_each_get_their_own(lab):
    """Those who wait take turns at reading what functions answer."""
    names = [lab.deploy("import time\ndef handler(e, c):\n    time.sleep(e % 3)\n    return e * 2\n",
                        Timeout=60) for _ in range(3)]

    def call(number):
        return lab.invoke(names[number % 3], number).value

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(call, range(90))) == [number * 2 for number in range(90)]


def test_a_bootstrap_s_connection_may_be_misused(lab):
    """Code that finds it and writes nonsense to it ends its own environment, nothing else."""
    reply = lab.run("""
        import os, socket, stat
        def handler(event, context):
            for number in range(3, 64):
                try:
                    found = socket.socket(fileno=number)
                    found.sendall(b"NO HTTP\\r\\n\\r\\n")
                    found.detach()
                except OSError:
                    pass
            return 1
    """, Timeout=5)
    assert reply.error == "Unhandled"
    assert lab.run("def handler(e, c): return 1\n").value == 1


def test_nothing_is_left_open():
    from minilambda import Cloud

    from .conftest import Lab

    def descriptors():
        return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0

    def run():
        with Cloud(durations="modelled", sandbox="process") as cloud:
            lab = Lab(cloud)
            for _ in range(3):
                lab.run("def handler(e, c): return 1\n")

    run()
    before = descriptors()
    run()
    assert descriptors() <= before + 4  # boto3's own connections may come and go
