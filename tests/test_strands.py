"""Strands run one at a time, in the clock's order, and let no time pass themselves."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda.clock import Clock
from minilambda.strands import Strands


def test_waits_take_the_clocks_time_when_somebody_lets_it_pass():
    clock = Clock()
    strands, seen = Strands(clock), []

    def program(name, seconds):
        for _ in range(3):
            strands.sleep(seconds)
            seen.append((name, clock.seconds))

    strands.begin(program, "a", 2)
    strands.begin(program, "b", 3)
    assert seen == []
    clock.run(4)
    assert seen == [("a", 2), ("b", 3), ("a", 4)]
    clock.run_until_idle()
    assert seen[3:] == [("b", 6), ("a", 6), ("b", 9)]


def test_one_event_for_two():
    clock = Clock()
    strands, seen = Strands(clock), []
    event = strands.Event()

    def waits(name):
        seen.append((name, event.wait(5), clock.seconds))

    threads = [strands.Thread(target=waits, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    clock.run(1)
    assert all(thread.is_alive() for thread in threads)
    event.set()
    clock.run_until_idle()
    assert seen == [(name, True, 1) for name in "abc"]
    assert not any(thread.is_alive() for thread in threads)
    event.clear()
    strands.begin(waits, "late")
    clock.run_until_idle()
    assert seen[-1] == ("late", False, 6) and event.is_set() is False


def test_joining_a_strand_and_giving_up():
    clock = Clock()
    strands, seen = Strands(clock), []

    def program():
        thread = strands.Thread(target=strands.sleep, args=(10,))
        thread.start()
        thread.join(4)
        seen.append((thread.is_alive(), clock.seconds))
        thread.join()
        seen.append((thread.is_alive(), clock.seconds))

    strands.begin(program)
    clock.run_until_idle()
    assert seen == [(True, 4), (False, 10)]


def test_a_thread_that_is_no_strand_lets_time_pass():
    clock = Clock()
    strands = Strands(clock)
    strands.sleep(7)
    assert clock.seconds == 7


def test_a_stopped_clock_ends_them():
    clock = Clock()
    strands = Strands(clock)
    before = threading.active_count()
    strands.begin(strands.sleep, 10)
    clock.run(1)
    clock.stop()
    for thread in threading.enumerate():
        if thread.name == "strand":
            thread.join()
    assert threading.active_count() == before


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=5))
def test_never_two_at_once_and_always_the_same(programs):
    def story():
        clock = Clock()
        strands, seen, inside = Strands(clock), [], []

        def program(name, sleeps):
            for seconds in sleeps:
                assert not inside
                inside.append(name)
                seen.append((name, clock.seconds))
                inside.remove(name)
                strands.sleep(seconds)
            seen.append((name, clock.seconds))

        for name, sleeps in enumerate(programs):
            strands.begin(program, name, sleeps)
        clock.run_until_idle()
        return seen

    found = story()
    assert found == story()
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert len(found) == sum(len(sleeps) + 1 for sleeps in programs)
