"""CPU time passes on the share that the memory buys: on both sides of one vCPU, of one and of many.

Handlers measure their own CPU time, which a busy machine hardly changes; what is reported is compared
with that.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda import Cloud
from minilambda.processor import Processor, less
from minilambda.sandbox.sharing import Sharing

from .conftest import Lab, need_tier

# Each part computes for 0.3 s of CPU, outside of the interpreter's lock.
COMPUTE = """
import hashlib, os, threading, time

def compute(seconds=0.3, clock=time.thread_time):
    began = clock()
    while clock() - began < seconds:
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10_000)
    spent.append(clock() - began)

def loop(seconds=0.3):  # holds the lock
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass
    spent.append(time.thread_time() - began)

def at_once(*jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def forked(count):
    pipes = []
    for _ in range(count):
        reader, writer = os.pipe()
        if os.fork() == 0:
            compute(clock=time.process_time)
            os.write(writer, repr(spent[-1]).encode())
            os._exit(0)
        os.close(writer)
        pipes.append(reader)
    for reader in pipes:
        spent.append(float(os.read(reader, 100)))
    for _ in pipes: os.wait()

def handler(event, context):
    global spent
    spent = []
    match event:
        case "alone": compute()
        case "two": at_once(compute, compute)
        case "four": at_once(*[compute] * 4)
        case "in turn":
            at_once(compute)
            at_once(compute)
        case "locked": at_once(loop, loop)
        case "forked": forked(2)
        case "uneven": at_once(compute, lambda: compute(0.9))
        case "long": at_once(lambda: compute(1.2), lambda: compute(1.2))
    return spent
"""


@pytest.fixture(scope="module", params=["process", "bubblewrap"])
def measured(request):
    need_tier(request.param)
    with Cloud(sandbox=request.param) as cloud:
        yield Lab(cloud)


def expected(spent, vcpus):
    """What threads take that start together and share: never more than a whole vCPU each."""
    seconds, done = 0.0, 0.0
    for number, cpu in zip(range(len(spent), 0, -1), sorted(spent), strict=True):
        seconds += (cpu - done) * number / min(number, vcpus)
        done = cpu
    return seconds


@pytest.mark.parametrize(("what", "memory"), [
    ("alone", 896), ("alone", 1792), ("alone", 3008), ("two", 896), ("two", 1792), ("two", 3008),
    ("four", 3008), ("uneven", 3008), ("forked", 896), ("forked", 3008),
])
def test_threads_share_what_was_bought(measured, what, memory):
    name = measured.deploy(COMPUTE, MemorySize=memory, Timeout=60)
    vcpus = memory / 1792
    for _ in range(3):  # a busy machine blurs who computed beside whom, but not every time
        spent = measured.invoke(name, what).value
        ended = measured.cloud.trace.select("invoke.ended", function=name)[-1]
        took = ended["duration_ms"] / 1000
        if took == pytest.approx(expected(spent, vcpus), rel=0.12, abs=0.05):
            break
    assert took == pytest.approx(expected(spent, vcpus), rel=0.12, abs=0.05)
    # And these are different things: one after the other, or with a processor for each.
    if what in ("two", "four", "forked") and vcpus > 1:
        assert took < sum(spent) * 0.75
        assert took > max(spent) * 1.1


def test_threads_in_turn_share_nothing(measured):
    name = measured.deploy(COMPUTE, MemorySize=3008, Timeout=60)
    spent = measured.invoke(name, "in turn").value
    took = measured.cloud.trace.select("invoke.ended", function=name)[-1]["duration_ms"] / 1000
    assert took == pytest.approx(sum(spent), rel=0.12, abs=0.05)


def test_threads_that_want_the_interpreter_s_lock_take_turns(measured):
    """A busy machine blurs who holds it. But side by side they would take 0.6 of this."""
    name = measured.deploy(COMPUTE, MemorySize=3008, Timeout=60)
    spent = measured.invoke(name, "locked").value
    took = measured.cloud.trace.select("invoke.ended", function=name)[-1]["duration_ms"] / 1000
    assert 0.66 * sum(spent) < took < 1.12 * sum(spent) + 0.05


@pytest.mark.parametrize(("memory", "timeout", "late"), [
    (1792, 2, True),  # two threads of 1.2 seconds on one vCPU take 2.4
    (1792, 3, False),
    (3008, 1, True),  # on 1.68 they take 1.43
    (3008, 2, False),
])
def test_the_timeout_falls_when_the_share_is_used_up(measured, memory, timeout, late):
    name = measured.deploy(COMPUTE, MemorySize=memory, Timeout=timeout)
    reply = measured.invoke(name, "long")
    assert (reply.error is not None) == late, reply.log
    if late:
        assert f"Task timed out after {timeout}.00 seconds" in reply.value["errorMessage"]


PIECES = st.lists(st.floats(0.001, 1).map(lambda x: round(x, 3)), min_size=1, max_size=5)


@given(st.lists(PIECES, min_size=1, max_size=6), st.data())
def test_side_by_side_is_seen_whoever_was_let_run_first(demands, data):
    """Threads that have all begun, and then run in pieces of any order: as if all at once."""
    sharing, had = Sharing(), [1e-6] * len(demands)
    sharing.look({n: (had[n], True) for n in range(len(demands))})
    left = [list(pieces) for pieces in demands]
    while any(left):
        runs = data.draw(st.sampled_from([n for n, pieces in enumerate(left) if pieces]))
        had[runs] += left[runs].pop(0)
        sharing.look({n: (had[n], bool(left[n])) for n in range(len(demands))})
    found = tuple(sharing.by_number())
    assert sum(found) == pytest.approx(sum(had))
    for memory in (896, 1792, 3008, 10240):
        seconds = Processor(memory, 1792, wall=False).seconds(found)
        assert seconds == pytest.approx(expected(had, memory / 1792), rel=1e-3)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0.001, 1)), max_size=30))
def test_one_after_the_other_is_seen_too(turns):
    sharing, had = Sharing(), [0.0] * 5
    for runs, cpu in turns:
        sharing.look({n: (had[n], n == runs) for n in range(5)})
        had[runs] += cpu
    sharing.look({n: (had[n], False) for n in range(5)})
    assert sharing.by_number() == pytest.approx([sum(had)] if turns else [])


@given(st.lists(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=3, max_size=3)),
       st.sampled_from([128, 896, 1792, 3008]))
def test_time_goes_forward_and_not_too_fast(looks, memory):
    """Whatever is seen: all CPU time is there, and the bill never shrinks from look to look."""
    sharing, had, before = Sharing(), [0.0] * 3, ()
    processor = Processor(memory, 1792, wall=False)
    for look in looks:
        had = [cpu + more for cpu, (more, _) in zip(had, look, strict=True)]
        sharing.look({n: (had[n], wants) for n, (_, wants) in enumerate(look)})
        now = tuple(sharing.by_number())
        assert sum(now) == pytest.approx(sum(had), abs=1e-9)
        assert processor.seconds(less(now, before)) >= -1e-9
        before = now
    assert processor.seconds(before) >= max(had) - 1e-9
    assert processor.seconds(before) >= sum(had) / processor.bought - 1e-9
