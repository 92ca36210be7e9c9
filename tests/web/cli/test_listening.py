"""The port is shared out evenly among processes, is nobody else's, and outlives a process that is killed."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.conftest import PostgresDatabase
from pms_web.cli.listening import PortTakenError, listen
from web.cli.test_serving import call, serving


def _accepted(queue: socket.socket) -> int:
    queue.setblocking(False)
    count = 0
    while True:
        try:
            queue.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_each_process_has_a_queue_that_gets_its_share() -> None:
    listener = listen("127.0.0.1", 0)
    with ExitStack() as opened:
        queues = [opened.enter_context(each) for each in listener.queues(4)]
        for _ in range(64):
            opened.enter_context(socket.create_connection(listener.socket.getsockname()))
        shares = [_accepted(each) for each in queues]
    assert sum(shares) == 64
    assert min(shares) >= 3, shares


def test_one_queue_of_its_own_gets_all() -> None:
    listener = listen("127.0.0.1", 0)
    (queue,) = listener.queues(1)
    with queue, socket.create_connection(listener.socket.getsockname()):
        assert _accepted(queue) == 1


def test_a_port_that_is_shared_out_is_still_taken() -> None:
    listener = listen("127.0.0.1", 0)
    with ExitStack() as opened:
        queues = [opened.enter_context(each) for each in listener.queues(3)]
        assert {each.getsockname() for each in queues} == {listener.socket.getsockname()}
        with pytest.raises(PortTakenError):
            listen("127.0.0.1", listener.socket.getsockname()[1])


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@pytest.mark.postgres
@pytest.mark.fault
def test_who_waits_for_a_process_that_was_killed_is_answered_by_the_next(
    postgres_database: PostgresDatabase,
) -> None:
    with serving("--workers", "2", DATABASE_URL=postgres_database.app_url) as (process, address):
        before = _children(process.pid)
        os.kill(before[0], signal.SIGKILL)
        assert [call(address, "/health")[0] for _ in range(20)] == [200] * 20
        after = _children(process.pid)
    assert len(before) == len(after) == 2
    assert before[0] not in after
    assert before[1] in after
