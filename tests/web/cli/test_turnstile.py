"""Few requests of a process are worked on at once, and none waits for long behind those that are."""

from __future__ import annotations

import threading

import pytest

from pms_web.cli.turnstile import Turnstile

GUARD = 30.0


class Slow:
    """An application whose answers wait until they may go, and that knows how many it works on."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()
        self.came = threading.Semaphore(0)

    def __call__(self, environ, start_response):
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.came.release()
        assert self.may_go.wait(GUARD)
        with self._lock:
            self.at_once -= 1
        return [b"done"]


def asked(app, count):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(app({}, lambda *_: None))) for _ in range(count)
    ]
    for each in threads:
        each.start()
    return threads, answers


def test_no_more_than_so_many_are_worked_on_at_once():
    app = Slow()
    threads, answers = asked(Turnstile(app, at_once=2, patience=GUARD), 12)
    assert app.came.acquire(timeout=GUARD)
    assert app.came.acquire(timeout=GUARD)
    app.may_go.set()
    for each in threads:
        each.join(GUARD)
    assert len(answers) == 12
    assert app.most == 2


def test_who_waits_behind_slow_ones_goes_past_them():
    app = Slow()
    threads, answers = asked(Turnstile(app, at_once=2, patience=0.01), 5)
    for _ in range(5):
        assert app.came.acquire(timeout=GUARD)
    assert app.most == 5
    app.may_go.set()
    for each in threads:
        each.join(GUARD)
    assert len(answers) == 5


def test_a_place_is_given_back_also_where_the_application_fails():
    def broken(environ, start_response):
        raise ValueError("broken")

    app = Turnstile(broken, at_once=1, patience=GUARD)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            app({}, lambda *_: None)


def test_a_request_without_a_place_gives_none_back():
    app = Slow()
    turnstile = Turnstile(app, at_once=1, patience=0.01)
    threads, _ = asked(turnstile, 4)
    for _ in range(4):
        assert app.came.acquire(timeout=GUARD)
    app.may_go.set()
    for each in threads:
        each.join(GUARD)
    later = Slow()
    turnstile._app = later
    turnstile._patience = GUARD
    threads, _ = asked(turnstile, 3)
    assert later.came.acquire(timeout=GUARD)
    later.may_go.set()
    for each in threads:
        each.join(GUARD)
    assert later.most == 1
