"""Sealing anew: every sealed column, in batches, whatever happens in between."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.crypto.box import AesGcmBox, new_key, read_keys
from pms_adapters.postgres import sealed
from pms_adapters.postgres.sealed import SEALED_COLUMNS, rotate_keys
from pms_adapters.postgres.tables import metadata
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import Secret
from pmscore.webhooks.model.endpoints import SEALED_COLUMN

pytestmark = pytest.mark.postgres

OLD, NEW, LOST = (read_keys(new_key())[0] for _ in range(3))
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
COUNT = 7


@pytest.fixture
def database(fresh_postgres_database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> PostgresDatabase:
    monkeypatch.setattr(sealed, "BATCH", 3)
    return fresh_postgres_database


def fill(database: PostgresDatabase, box: AesGcmBox, count: int = COUNT) -> dict[tuple[str, str], str]:
    """Write secrets of two agencies and return what they say."""
    said: dict[tuple[str, str], str] = {}
    with psycopg.connect(database.admin_url) as connection:
        for number in range(2):
            agency, endpoint = AgencyId(uuid4()), uuid4()
            connection.execute(
                "INSERT INTO agencies (agency_id, name, slug) VALUES (%s, 'x', %s)",
                (agency, f"x{agency.hex[:20]}"),
            )
            connection.execute(
                "INSERT INTO webhook_endpoints (agency_id, endpoint_id, url, kinds, is_full, status, created_at, version)"
                " VALUES (%s, %s, 'https://x.test', '{*}', false, 'active', %s, 1)",
                (agency, endpoint, NOON),
            )
            for each in range(count):
                secret, text = uuid4(), f"secret {number} {each}"
                said[str(agency), str(secret)] = text
                connection.execute(
                    "INSERT INTO webhook_secrets (agency_id, endpoint_id, secret_id, sealed, created_at)"
                    " VALUES (%s, %s, %s, %s, %s)",
                    (agency, endpoint, secret, box.seal(agency, SEALED_COLUMN, Secret(text)), NOON),
                )
    return said


def opened(database: PostgresDatabase, box: AesGcmBox) -> dict[tuple[str, str], str]:
    with psycopg.connect(database.admin_url) as connection:
        rows = connection.execute("SELECT agency_id, secret_id, sealed FROM webhook_secrets").fetchall()
    return {
        (str(agency), str(secret)): box.open(AgencyId(agency), SEALED_COLUMN, text).reveal()
        for agency, secret, text in rows
    }


def test_after_a_rotation_the_old_key_is_needed_no_more(database: PostgresDatabase):
    said = fill(database, AesGcmBox([OLD]))
    told: list[tuple[int, int]] = []
    done = rotate_keys(database.admin_url, AesGcmBox([NEW, OLD]), progress=lambda *each: told.append(each))
    assert (done.resealed, done.current, done.unreadable) == (2 * COUNT, 0, {})
    assert opened(database, AesGcmBox([NEW])) == said
    assert told[-1] == (2 * COUNT, 2 * COUNT)
    again = rotate_keys(database.admin_url, AesGcmBox([NEW, OLD]))
    assert (again.resealed, again.current) == (0, 2 * COUNT)


def test_whoever_is_stopped_goes_on_where_it_stood(database: PostgresDatabase):
    class StoppedError(Exception):
        pass

    class Stopping(AesGcmBox):
        left = 8

        def seal(self, *args: object) -> str:
            if self.left == 0:
                raise StoppedError
            self.left -= 1
            return super().seal(*args)

    said = fill(database, AesGcmBox([OLD]))
    with pytest.raises(StoppedError):
        rotate_keys(database.admin_url, Stopping([NEW, OLD]))
    # The two whole batches stay, the third was undone.
    rest = rotate_keys(database.admin_url, AesGcmBox([NEW, OLD]))
    assert (rest.resealed, rest.current) == (2 * COUNT - 6, 6)
    assert opened(database, AesGcmBox([NEW])) == said


def test_what_nobody_can_open_is_named_and_the_rest_is_done(database: PostgresDatabase):
    fill(database, AesGcmBox([LOST]), count=2)
    fill(database, AesGcmBox([OLD]), count=2)
    done = rotate_keys(database.admin_url, AesGcmBox([NEW, OLD]))
    lost = AesGcmBox([LOST]).seal(AgencyId(uuid4()), "x", Secret("")).split(".")[1]
    assert (done.resealed, done.unreadable) == (4, {lost: 4})
    back = rotate_keys(database.admin_url, AesGcmBox([NEW, LOST]))
    assert (back.resealed, back.unreadable) == (4, {})


def test_one_agency_is_done_under_row_level_security(database: PostgresDatabase):
    said = fill(database, AesGcmBox([OLD]))
    with pytest.raises(MisconfiguredError):
        rotate_keys(database.app_url, AesGcmBox([NEW, OLD]))
    first = AgencyId(UUID(min(agency for agency, _ in said)))
    done = rotate_keys(database.app_url, AesGcmBox([NEW, OLD]), agency_id=first)
    assert (done.resealed, done.current) == (COUNT, 0)


def test_without_any_key_nothing_is_touched(database: PostgresDatabase):
    said = fill(database, AesGcmBox([OLD]))
    done = rotate_keys(database.admin_url, AesGcmBox([]))
    assert done.resealed == 0
    assert sum(done.unreadable.values()) == 2 * COUNT
    assert opened(database, AesGcmBox([OLD])) == said


def test_every_column_that_is_called_sealed_is_listed():
    there = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name == "sealed" or column.name == "sealed_token"
    }
    assert {(each.table, each.column) for each in SEALED_COLUMNS} == there
    for each in SEALED_COLUMNS:
        keys = [column.name for column in metadata.tables[each.table].primary_key]
        assert keys == ["agency_id", *each.key]
        assert each.place == f"{each.table}.{each.column}"
