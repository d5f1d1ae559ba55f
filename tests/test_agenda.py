"""What falls due on a clock outside of functions: in order, at its instant, with one timer."""

from hypothesis import given
from hypothesis import strategies as st

from minilambda.agenda import Agenda
from minilambda.clock import COURSE_START, Clock


@given(st.lists(st.integers(0, 20), max_size=30), st.lists(st.integers(0, 7), max_size=8))
def test_every_deed_is_done_once_at_its_instant_in_order(dues, runs):
    clock = Clock(start=COURSE_START)
    agenda, done = Agenda(clock), []

    def deed(number):
        def do(due):
            assert due == clock.seconds
            done.append((due, number))
        return do

    for number, due in enumerate(dues):
        agenda.add(due, deed(number))
    for seconds in runs:
        clock.run(seconds)
        assert done == sorted((due, n) for n, due in enumerate(dues) if due <= clock.seconds)
    clock.run_until_idle()  # nobody waits for what is only on an agenda
    assert clock.seconds == sum(runs)


def test_a_thousand_deeds_of_one_day_need_few_timers():
    clock = Clock(start=COURSE_START)
    agenda, done = Agenda(clock), []
    for number in range(1000):
        agenda.add(86400 + number, done.append)
        agenda.add(number % 7 + 1, done.append)
    assert len(clock._sim._queue) < 10
    clock.run(3 * 86400)
    assert len(done) == 2000 and done == sorted(done)
    assert len(clock._sim._queue) == 0 and agenda.due == float("inf")


def test_on_the_wall_clock_what_is_overdue_is_done_when_somebody_looks():
    clock = Clock(wall=True, speed=1000)
    agenda, done = Agenda(clock), []
    agenda.add(clock.seconds + 10, done.append)
    due = agenda.due
    while clock.seconds <= due + 10:
        pass
    agenda.settle()
    assert done == [due]
