from __future__ import annotations

import psycopg
import pytest

from pms_adapters.embedded import processes
from pms_adapters.embedded.home import folder_mark
from pms_adapters.embedded.temporary import temporary_postgres, temporary_redis


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


@pytest.mark.postgres
def test_temporary_servers_do_not_meet_and_leave_nothing():
    with temporary_postgres(max_connections=20) as one, temporary_postgres() as other:
        assert one.url() != other.url()
        assert ask(one.url(), "SHOW max_connections") == "20"
        assert ask(other.url(), "SHOW fsync") == "off"
        folders = [one.folder, other.folder]
    for folder in folders:
        assert not folder.parent.exists()
        assert processes.find_servers("postgres", folder / "data", folder_mark(folder)) == ()


def test_a_temporary_redis_leaves_nothing_even_after_a_kill():
    with temporary_redis() as server:
        folder = server.folder
        server.kill()
        server.start()
        server.kill()
    assert not folder.parent.exists()
