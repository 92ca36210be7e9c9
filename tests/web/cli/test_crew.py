"""Few requests are worked on at once; what takes long holds up nobody, and threads that are not needed end."""

from __future__ import annotations

import threading
import time

import pytest

from pms_web.cli.crew import Crew

GUARD = 30.0


@pytest.fixture
def crew():
    made = []

    def make(few, most, moment):
        made.append(Crew(few, most, moment=moment))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()


class Work:
    """Something to do that waits until it may end, and knows how many do it."""

    def __init__(self):
        self.may_end = threading.Event()
        self.begun = threading.Semaphore(0)
        self.most = self._now = 0
        self._counting = threading.Lock()

    def __call__(self, number=0):
        with self._counting:
            self._now += 1
            self.most = max(self.most, self._now)
        self.begun.release()
        assert self.may_end.wait(GUARD)
        with self._counting:
            self._now -= 1
        return number


def until(holds):
    ends = time.monotonic() + GUARD
    while not holds():
        assert time.monotonic() < ends, "it never came to be"
        threading.Event().wait(0.005)


def test_what_takes_no_longer_than_a_moment_is_done_by_few(crew):
    few, work = crew(2, 8, GUARD), Work()
    asked = [few.submit(work, number) for number in range(20)]
    assert work.begun.acquire(timeout=GUARD)
    assert work.begun.acquire(timeout=GUARD)
    work.may_end.set()
    assert [each.result(GUARD) for each in asked] == list(range(20))
    assert work.most == 2
    assert few.threads == 2


def test_what_takes_long_holds_up_nobody(crew):
    several, slow = crew(2, 8, 0.01), Work()
    long = [several.submit(slow) for _ in range(4)]
    for _ in range(4):
        assert slow.begun.acquire(timeout=GUARD)
    assert several.submit(lambda: "quick").result(GUARD) == "quick"
    slow.may_end.set()
    for each in long:
        each.result(GUARD)


def test_there_are_never_more_threads_than_allowed(crew):
    three, slow = crew(2, 3, 0.01), Work()
    long = [three.submit(slow) for _ in range(6)]
    for _ in range(3):
        assert slow.begun.acquire(timeout=GUARD)
    assert not slow.begun.acquire(timeout=0.2)
    assert three.threads == 3
    slow.may_end.set()
    for each in long:
        each.result(GUARD)
    assert slow.most == 3


def test_threads_that_are_not_needed_end(crew):
    several, slow = crew(2, 8, 0.01), Work()
    long = [several.submit(slow) for _ in range(6)]
    for _ in range(6):
        assert slow.begun.acquire(timeout=GUARD)
    slow.may_end.set()
    for each in long:
        each.result(GUARD)

    def quiet():
        several.submit(int).result(GUARD)
        return several.threads == 2

    until(quiet)


def test_a_failure_is_told_to_who_waits_and_work_goes_on(crew):
    few = crew(1, 1, GUARD)
    broken = few.submit(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        broken.result(GUARD)
    assert few.submit(lambda: "well").result(GUARD) == "well"


def test_what_was_given_before_the_end_is_finished_and_nothing_is_taken_after(crew):
    few, work = crew(1, 4, GUARD), Work()
    asked = [few.submit(work, number) for number in range(3)]
    few.shutdown(wait=False)
    work.may_end.set()
    assert [each.result(GUARD) for each in asked] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="ended"):
        few.submit(int)
    until(lambda: few.threads == 0)


def test_what_was_cancelled_while_it_waited_is_not_done(crew):
    one, work = crew(1, 1, GUARD), Work()
    first = one.submit(work)
    assert work.begun.acquire(timeout=GUARD)
    waiting = one.submit(work)
    assert waiting.cancel()
    work.may_end.set()
    assert first.result(GUARD) == 0
    assert one.submit(int).result(GUARD) == 0
    assert not work.begun.acquire(timeout=0)


def test_what_waits_is_cancelled_where_that_is_asked_for(crew):
    one, work = crew(1, 1, GUARD), Work()
    first = one.submit(work, 1)
    assert work.begun.acquire(timeout=GUARD)
    waiting = [one.submit(work) for _ in range(3)]
    one.shutdown(wait=False, cancel_futures=True)
    work.may_end.set()
    assert first.result(GUARD) == 1
    assert all(each.cancelled() for each in waiting)


def test_the_end_can_be_waited_for(crew):
    few = crew(2, 2, GUARD)
    done = [few.submit(int) for _ in range(10)]
    few.shutdown()
    assert few.threads == 0
    assert all(each.done() for each in done)
