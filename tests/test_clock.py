"""The clock: what it promises about order, waiting and real work."""

import contextlib
import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilambda import Cloud
from minilambda.clock import COURSE_START, Clock, ClockStopped


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_everything_happens_in_order_and_on_time(delays):
    clock, seen = Clock(start=COURSE_START), []

    def wait(delay):
        yield clock.timeout(delay)
        seen.append((clock.seconds, delay))

    for delay in delays:
        clock.process(wait(delay))
    clock.run_until_idle()
    assert [at for at, _ in seen] == sorted(delays)
    assert all(at == delay for at, delay in seen)
    assert clock.seconds == max(delays)


@given(st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=20), st.floats(0, 1000))
def test_run_passes_exactly_the_time_asked_for(timeouts, seconds):
    clock = Clock(start=COURSE_START)
    happened = []

    def wait(delay):
        yield clock.timeout(delay)
        happened.append(delay)

    for delay, cancelled in timeouts:
        if cancelled:
            clock.cancel(clock.timeout(delay))
        else:
            clock.process(wait(delay))
    clock.run(seconds)
    assert clock.seconds == seconds
    assert sorted(happened) == sorted(d for d, cancelled in timeouts if not cancelled
                                      and d <= seconds)


def test_a_cancelled_timeout_takes_no_time():
    clock = Clock(start=COURSE_START)
    clock.cancel(clock.timeout(900))
    clock.run_until_idle()
    assert clock.seconds == 0


def test_background_waits_do_not_keep_it_from_being_idle():
    clock, expired = Clock(start=COURSE_START), []

    def expire():
        yield clock.background(600)
        expired.append(clock.seconds)

    clock.process(expire())
    clock.run_until_idle()
    assert (clock.seconds, expired) == (0, [])
    clock.run(600)
    assert expired == [600]


def test_virtual_time_waits_for_real_work():
    clock = Clock(start=COURSE_START)
    work = clock.work()
    threading.Timer(0.2, work.done).start()
    began = time.monotonic()
    clock.run(3600)
    assert time.monotonic() - began >= 0.19
    assert clock.seconds == 3600


def test_answers_enter_in_the_order_in_which_the_work_began():
    clock, order = Clock(start=COURSE_START), []
    works = [clock.work() for _ in range(5)]

    def answer(number):
        def enter():
            order.append(number)
            works[number].done()

        works[number].answer(enter)

    for number in (3, 1, 4, 0):
        answer(number)
    assert order == []
    threading.Timer(0.05, answer, [2]).start()
    clock.run(1)
    assert order == [0, 1, 2, 3, 4]


def test_a_waiting_thread_s_own_work_does_not_block_it():
    clock = Clock(start=COURSE_START)
    outer = clock.work(thread=threading.get_ident())
    clock.run_until(clock.timeout(5))
    assert clock.seconds == 5
    outer.done()


def test_overrunning_work_is_told_once():
    clock, told = Clock(start=COURSE_START), []
    work = clock.work(patience=0.05, on_overrun=lambda: (told.append(1), work.done()))
    clock.run(1)
    assert told == [1]


def test_a_wait_that_can_never_end_says_so():
    clock = Clock(start=COURSE_START)
    with pytest.raises(RuntimeError, match="nothing left to happen"):
        clock.run_until(clock.event())


def test_stopping_ends_every_wait():
    clock, ended = Clock(start=COURSE_START), []
    clock.work()

    def wait():
        try:
            clock.run(10)
        except ClockStopped:
            ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    clock.stop()
    thread.join(2)
    assert ended == [True]


def test_many_threads_may_wait_at_once():
    clock, woken = Clock(start=COURSE_START), []

    def wait(seconds):
        clock.run_until(clock.process(sleep(seconds)))

    def sleep(seconds):
        yield clock.timeout(seconds)
        woken.append(seconds)

    held = clock.work()
    threads = [threading.Thread(target=wait, args=[n]) for n in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    held.done()
    for thread in threads:
        thread.join(5)
    assert woken == sorted(woken) and len(woken) == 20 and clock.seconds == 19


def test_wall_clock_follows_the_computer_s():
    clock = Clock(wall=True, speed=20)
    began = time.monotonic()
    clock.run(2)
    assert time.monotonic() - began >= 0.1
    assert clock.seconds >= 2
    assert clock.now > datetime(2024, 1, 1, tzinfo=UTC)


def test_ids_come_from_the_seed():
    assert Clock(seed=3).uuid() == Clock(seed=3).uuid() != Clock(seed=4).uuid()


def test_work_that_has_answered_does_not_overrun_while_others_work():
    clock, told = Clock(), []
    quick = clock.work(patience=0.001, on_overrun=lambda: told.append("quick"))
    slow = clock.work(patience=0.2, on_overrun=lambda: (told.append("slow"), slow.done()))
    quick.answer(quick.done)
    clock.run(1)
    assert told == ["slow"] and not quick.open


def test_what_is_due_at_an_instant_comes_before_answers_at_it():
    """Or who is quicker would tell: the answer may or may not be there when the next step is."""
    clock, order = Clock(), []

    def steps(name):
        yield clock.timeout(1.0)
        order.append(f"{name} begins")
        work = clock.work()
        answered = clock.event()
        work.answer(lambda: (work.done(), order.append(f"{name} answers"), answered.succeed()))
        yield answered

    for name in ("first", "second", "third"):
        clock.process(steps(name))
    clock.run(2)
    assert order == [f"{name} {what}" for what in ("begins", "answers")
                     for name in ("first", "second", "third")]


def test_who_waits_for_somebody_elses_time_lets_none_pass():
    clock = Clock()
    event, got = clock.timeout(5.0, "five"), []
    waiter = threading.Thread(target=lambda: got.append(clock.wait_for(event)))
    waiter.start()
    assert clock.seconds == 0
    clock.run(4)
    assert not got
    clock.run(2)
    waiter.join(30)
    assert got == ["five"] and clock.seconds == 6


def test_a_run_that_another_thread_has_moved_past_its_end_goes_on():
    """What began at the later instant is answered by whoever is left to let time pass."""
    clock, answered = Clock(start=COURSE_START), []
    work, five = clock.work(), clock.timeout(5.0)

    def begin(_):
        work = clock.work()
        work.answer(lambda: (answered.append(clock.seconds), work.done()))
        clock.timeout(0)  # also due at this instant

    five.callbacks.append(begin)
    runner = threading.Thread(target=lambda: clock.run(1), daemon=True)
    runner.start()
    while not clock._asleep:
        time.sleep(0.01)
    with clock.lock:  # so that the runner doesn't look in between
        work.done()
        clock.run_until(five)
    runner.join(20)
    clock.stop()
    assert not runner.is_alive() and answered == [5.0] and clock.seconds == 5.0


def test_beside_work_that_is_alone_nothing_happens_even_at_this_instant():
    def tell(alone):
        clock, told = Clock(start=COURSE_START), []
        work = clock.work()
        if alone:
            clock.alone(work)

        def steps():
            told.append("a step")
            yield clock.timeout(0)

        def lend_a_hand():
            clock.lend_a_hand = None
            told.append("the work")
            work.done()
            return True

        clock.lend_a_hand = lend_a_hand
        clock.process(steps())
        clock.run(1)
        return told

    assert tell(alone=True) == ["the work", "a step"]
    assert tell(alone=False) == ["a step", "the work"]


@pytest.mark.parametrize("wall", [False, True])
def test_who_comes_to_a_stopped_clock_does_not_sleep_on_it(wall):
    clock = Clock(wall=wall, start=COURSE_START)
    clock.timeout(1000)
    clock.stop()
    for wait in (lambda: clock.run(2000), lambda: clock.run_until(clock.timeout(5)),
                 clock.run_until_idle):
        with pytest.raises(ClockStopped):
            wait()


class Sockets:
    """Stands in for the pump: read by whoever leads, till somebody rings."""

    def __init__(self):
        self.bell, self.read, self.readers = threading.Event(), [], []

    def __call__(self, real_seconds):
        self.readers.append(threading.get_ident())
        self.bell.wait(real_seconds)
        self.bell.clear()
        while self.read:
            self.read.pop()()
            time.sleep(0.2)  # the others take steps and sleep again, before this one has the lock

    def wake(self):
        self.bell.set()

    def answer(self, function):
        self.read.append(function)
        self.bell.set()


def test_when_the_leader_leaves_who_only_lets_time_pass_leads():
    """Else nobody reads answers until the next step of that one, which may be long from now."""
    clock, sockets = Clock(wall=True, speed=60), Sockets()
    clock.pump, asked, answered = sockets, clock.event(), clock.event()
    work = clock.work()

    def wait_for(event):
        clock.run_until(event)

    def succeed(event):
        with clock.lock:
            clock.succeed(event)

    leader = threading.Thread(target=wait_for, args=[asked], daemon=True)
    leader.start()
    while not sockets.readers:
        time.sleep(0.01)

    def let_pass():
        with contextlib.suppress(ClockStopped):
            clock.run(60 * 60 * 60)

    threading.Thread(target=let_pass, daemon=True).start()
    while not clock._asleep:
        time.sleep(0.01)
    sockets.answer(lambda: succeed(asked))
    leader.join(30)
    sockets.answer(lambda: succeed(answered))
    end = time.monotonic() + 30
    while not answered.triggered and time.monotonic() < end:
        time.sleep(0.01)
    assert answered.triggered and not leader.is_alive()
    work.done()
    clock.stop()


@pytest.mark.parametrize("sandbox", ["process", "inline"])
def test_a_wait_of_months_on_the_wall_clock_is_one_like_any_other(sandbox):
    """epoll takes none of more than 24 days: nothing is to be heard of that."""
    with Cloud(clock="wall", sandbox=sandbox) as cloud:
        ended = []

        def wait():
            with pytest.raises(ClockStopped):
                cloud.run(seconds=100 * 86_400)
            ended.append(True)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive()
        cloud.close()
        thread.join(30)
        assert ended == [True]
