"""Calls in an open and in a closed loop: when they go out, what they are charged with, and what stops a run."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pms_adapters.lab.bench.call_loop import Calls, Heard
from pms_adapters.lab.bench.calling import Callers, http_call, schedule
from pms_adapters.lab.bench.programs import processor_seconds, serving

ASKED = http_call("POST", "/", b"x")


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pause = 0.0
    status = 200
    closes = False
    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.pause)
        self.send_response(self.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
        self.close_connection = self.closes

    def log_message(self, *_args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # all callers connect at once


@contextmanager
def answering(**settings: object) -> Iterator[tuple[type[Answering], tuple[str, int]]]:
    handler = type("Handler", (Answering,), {**settings, "bodies": []})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield handler, ("127.0.0.1", server.server_port)
        finally:
            server.shutdown()
            thread.join()


def calls_to(
    place: tuple[str, int], requests: tuple[bytes, ...], times: tuple[float, ...], **more: object
) -> Calls:
    host, port = place
    return Calls(host=host, port=port, requests=requests, times=times, **more)


@pytest.fixture(scope="module")
def callers() -> Iterator[Callers]:
    with Callers() as callers:
        yield callers


def test_the_same_seed_gives_the_same_times_at_the_rate_that_is_asked_for():
    times = schedule(400, 200.0, seed=3)
    assert times == schedule(400, 200.0, seed=3)
    assert times != schedule(400, 200.0, seed=4)
    assert list(times) == sorted(times)
    assert times[-1] == pytest.approx(2.0)


def test_every_call_is_made_in_turn_and_answered(callers):
    requests = tuple(http_call("POST", "/", body) for body in (b"one", b"two"))
    with answering() as (handler, place):
        heard = callers.send(calls_to(place, requests, schedule(50, 500.0, 1)))
    assert sorted(handler.bodies) == [b"one"] * 25 + [b"two"] * 25
    assert len(heard.seconds) == 50
    assert all(each > 0 for each in heard.seconds)
    assert heard.rate <= 500


def test_what_waits_behind_a_slow_answer_is_charged_with_the_wait(callers):
    # All callers are busy for a fifth of a second, and twice as many calls are due at once: the second half waits.
    with answering(pause=0.2) as (_, place):
        heard = callers.send(calls_to(place, (ASKED,), (0.0,) * 64))
    assert heard.percentile(0.25) < 0.4
    assert heard.percentile(0.75) >= 0.4


def test_a_connection_that_the_server_has_closed_is_opened_anew(callers):
    with answering(closes=True) as (handler, place):
        heard = callers.send(calls_to(place, (ASKED,), schedule(100, 1_000.0, 1), callers=2))
    assert len(heard.seconds) == 100
    assert len(handler.bodies) >= 100


def test_another_status_stops_the_run_and_is_named(callers):
    with answering(status=503) as (_, place), pytest.raises(RuntimeError, match="503"):
        callers.send(calls_to(place, (ASKED,), (0.0, 0.0)))


@pytest.mark.parametrize("status", [201, 204])
def test_all_of_2xx_is_an_answer(callers, status):
    with answering(status=status) as (_, place):
        assert len(callers.send(calls_to(place, (ASKED,), (0.0,) * 8)).seconds) == 8


def test_a_caller_who_waits_calls_again_when_answered_and_is_charged_from_then(callers):
    with answering(pause=0.05) as (handler, place):
        heard = callers.send(calls_to(place, (ASKED,), (9.0,) * 12, callers=4, follows_answers=True))
    assert len(handler.bodies) == 12
    # Three turns of four callers: each call takes a pause, and all of them three.
    assert min(heard.seconds) >= 0.05
    assert heard.span >= 0.15
    assert heard.span < sum(heard.seconds)


def test_answers_with_a_mark_in_their_head_are_counted(callers):
    with answering() as (_, place):
        marked = callers.send(calls_to(place, (ASKED,), (0.0,) * 6, mark=b"Content-Length: 5"))
        unmarked = callers.send(calls_to(place, (ASKED,), (0.0,) * 6, mark=b"Content-Length: 6"))
    assert (marked.marked, unmarked.marked) == (6, 0)


def test_waiting_for_a_free_caller_is_not_the_callers_being_late(callers):
    with answering(pause=0.2) as (_, place):
        heard = callers.send(calls_to(place, (ASKED,), (0.0,) * 64))
    assert heard.lateness(1.0) < 0.2 <= heard.percentile(0.75)


def test_callers_say_what_processor_time_they_took(callers):
    with answering() as (_, place):
        heard = callers.send(calls_to(place, (ASKED,), schedule(100, 1_000.0, 1)))
    assert 0 < heard.busy < heard.span + 0.2


def test_a_whole_family_of_processes_is_charged():
    burn = "import time\nwhile time.process_time() < 0.2: pass\n"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code + ";print(1, flush=True);input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == b"1\n"
        took = processor_seconds(parent.pid)
        parent.stdin.write(b"\n")
    assert took is not None
    assert took >= 0.2
    assert processor_seconds(parent.pid) is None


def test_a_percentile_is_one_of_what_was_heard():
    heard = Heard(seconds=tuple(float(each) for each in range(100, 0, -1)), span=2.0)
    assert [heard.percentile(part) for part in (0.0, 0.5, 0.99, 1.0)] == [1.0, 51.0, 100.0, 100.0]
    assert heard.rate == 50


@pytest.mark.parametrize("code", ["print('Hello')", "pass", "import sys; sys.exit(3)"])
def test_a_program_that_does_not_say_where_it_serves_is_no_server(code):
    with pytest.raises(RuntimeError, match="serve"), serving((sys.executable, "-c", code), {}):
        pass
