"""What the application may do with the tables of access, and how a credential is found in them."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres import access_reader
from pms_adapters.postgres.tables import GLOBAL_TABLES
from pms_adapters.system import TimeOrderedIds
from pmscore.access.policies.secrets import fingerprint
from pmscore.testing.access_scenes import AccessScene, open_access_scene

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def store(postgres_database):
    made = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def scene(store) -> AccessScene:
    scene = open_access_scene(store, TimeOrderedIds())
    scene.add("ada")
    return scene


def test_the_tables_outside_of_row_level_security_are_the_listed_ones(postgres_database):
    with psycopg.connect(postgres_database.admin_url) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND NOT relrowsecurity"
        ).fetchall()
    assert {name for (name,) in rows} == GLOBAL_TABLES - {"agencies"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM users",
        "TRUNCATE users CASCADE",
        "UPDATE key_index SET agency_id = gen_random_uuid()",
        "DELETE FROM key_index",
        "DELETE FROM memberships",
        "DELETE FROM api_keys",
    ],
)
def test_the_application_may_not_do_what_it_does_not_need(postgres_database, statement):
    with psycopg.connect(postgres_database.app_url) as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute(statement)


def test_a_look_leaves_no_agency_behind_on_its_connection(store, scene):
    """The setting ends with the look, so whoever has the connection next sees nothing."""
    secret = scene.log_in(scene.email("ada")).secret
    made = scene.key()
    for _ in range(3):
        assert scene.reader.find_session(fingerprint(secret)) is not None
        assert scene.reader.find_key(fingerprint(made.text)) == made.key
        with store.engine.connect() as connection:
            named = connection.exec_driver_sql("SELECT current_setting('app.agency_id', true)").scalar()
            assert not named
            assert connection.exec_driver_sql("SELECT count(*) FROM api_keys").scalar() == 0


def test_an_unknown_credential_names_no_agency(scene):
    assert scene.reader.find_key("0" * 64) is None
    assert scene.reader.find_session("0" * 64) is None
    assert scene.reader.find_user("nobody@example.com") is None


def test_a_key_that_the_index_gives_to_another_agency_is_not_found(postgres_database, store, scene):
    """The wall stands behind the index: a wrong entry finds nothing rather than somebody else's key."""
    made, other = scene.key(), open_access_scene(store, TimeOrderedIds())
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute(
            "UPDATE key_index SET agency_id = %s WHERE key_hash = %s", [other.agency_id, made.key.key_hash]
        )
    assert scene.reader.find_key(made.key.key_hash) is None


@pytest.mark.parametrize(
    ("name", "index"),
    [("_KEY", "key_index_pkey"), ("_SESSION", "sessions_pkey"), ("_USER", "users_email_key")],
)
def test_a_credential_is_found_by_an_index(postgres_database, scene, name, index):
    sql = getattr(access_reader, name).replace("%s", "'x'")
    with psycopg.connect(postgres_database.app_url) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {sql}"))
    assert index in plan
