"""What counts as a function's memory: all of its processes, and no page twice."""

import re

PRELUDE = """
import mmap, os, signal, time

def fork(work):
    '''A child that has done the work, keeps what came of it, and waits for its end.'''
    read, write = os.pipe()
    if os.fork() == 0:
        kept = work()
        os.write(write, b"x")
        signal.pause()
    os.read(read, 1)

def linger(seconds=0.2):
    '''Time for whoever watches the memory. (CPU time: the cloud's stands still.)'''
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


def used(reply):
    return int(re.search(r"Max Memory Used: (\d+) MB", reply.log)[1])


def test_children_that_share_their_parent_s_pages_cost_nothing(lab):
    """Six processes see 60 MB each; there are 60 MB."""
    reply = lab.run(PRELUDE + """
def handler(event, context):
    data = b"x" * (60 << 20)
    for _ in range(5):
        fork(lambda: len(data))
    linger()
    return len(data)
""", Timeout=30)
    assert reply.value == 60 << 20
    assert 96 <= used(reply) < 128  # 36 of the runtime's own, 60, and what the children wrote


def test_what_children_have_of_their_own_counts(lab):
    """Three times 40 MB are more than 128 MB, though no process has so much."""
    reply = lab.run(PRELUDE + """
def handler(event, context):
    for _ in range(3):
        fork(lambda: b"x" * (40 << 20))
    linger(20)
    return "alive"
""", Timeout=30)
    assert reply.value["errorType"] == "Runtime.ExitError"
    assert reply.value["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert used(reply) == 128


def test_a_child_that_writes_to_its_parent_s_pages_has_copied_them(lab):
    reply = lab.run(PRELUDE + """
def handler(event, context):
    data = bytearray(60 << 20)
    fork(lambda: data.__setitem__(slice(0, None, 4096), b"y" * len(data[::4096])))
    linger(20)
    return "alive"
""", Timeout=30)
    assert reply.value["errorMessage"].endswith("signal: killed")


def test_a_file_that_is_mapped_is_not_the_function_s_memory(lab):
    """The kernel can drop its pages at any time and read them again."""
    reply = lab.run(PRELUDE + """
kept = []
def handler(event, context):
    with open("/tmp/data", "wb") as file:
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    with open("/tmp/data", "rb") as file:
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    kept.append(data)
    seen = sum(data[start] for start in range(0, len(data), 4096))
    linger()
    return seen // ord("x") * 4096
""", Timeout=30)
    assert reply.value == 200 << 20
    assert used(reply) < 64


def test_memory_shared_on_purpose_counts_once(lab):
    """60 MB fit, however many processes have them; 200 MB don't. One is there to compare with."""
    name = lab.deploy(PRELUDE + """
def handler(event, context):
    data = mmap.mmap(-1, event << 20)
    for start in range(0, len(data), 4096):
        data[start] = 1
    for _ in range(3):
        fork(lambda: sum(data[start] for start in range(0, len(data), 4096)))
    linger(20 if event > 128 else 0.2)
    return len(data)
""", Timeout=30)
    little, much = lab.invoke(name, 1), lab.invoke(name, 60)
    assert much.value == 60 << 20
    assert 57 <= used(much) - used(little) < 72  # four times 59 more if each counted its own
    assert lab.invoke(name, 200).value["errorMessage"].endswith("signal: killed")


def test_memory_given_back_was_used_all_the_same(lab):
    """The kernel's own high-water mark: however short the moment, it is in the report."""
    reply = lab.run("def handler(e, c): return len(b'x' * (80 << 20))\n")
    assert reply.value == 80 << 20 and used(reply) == 116
