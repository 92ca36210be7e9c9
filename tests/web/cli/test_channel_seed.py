"""``pms channel-seed``: one row however often, and the old one back after its end."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.types.json import Json

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.settings import Settings
from pms_web.cli.main import pms
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.dates.zones import Zone
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.money import Currency

pytestmark = pytest.mark.postgres


@pytest.fixture
def agency(postgres_database: PostgresDatabase) -> str:
    asked = {
        "request_id": RequestId(uuid4()),
        "agency_id": AgencyId(uuid4()),
        "actor_id": ActorId(uuid4()),
    }
    day = date(2027, 3, 1)
    with connect(Settings(database_url=postgres_database.app_url)) as parts:
        open_agency(OpenAgency(**asked, name="Seeded", slug=asked["agency_id"].hex[:20]), uow=parts.uow)
        command = CreateHouse(
            **asked,
            name="Hotel",
            zone=Zone("Europe/Lisbon"),
            currency=Currency.of("EUR"),
            business_date=day,
            types=(NewUnitType(name="Double", rooms=2, valid_from=day),),
        )
        create_house(command, uow=parts.uow, ids=parts.ids)
    return str(asked["agency_id"])


def seed(database: PostgresDatabase, agency: str, *more: str, typed: str = "") -> Result:
    environ = {"DATABASE_URL": database.app_url, "REDIS_URL": None, "PMS_HOME": None}
    return CliRunner().invoke(pms, ["channel-seed", "--agency", agency, *more], env=environ, input=typed)


def failed(database: PostgresDatabase, connection_id: str, *, is_dead: bool) -> str:
    """Write an operation that has failed into the log of a connection and return its id."""
    operation_id = uuid4()
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(
            "INSERT INTO channel_sync_logs (agency_id, log_id, connection_id, lane_id, operation_type, direction,"
            " status, details, error, task_id, created_at, updated_at)"
            " SELECT agency_id, %s, connection_id, lane_id, 'availability_update', 'outbound', 'failed', %s, 'down',"
            " %s, now(), now() FROM channel_lanes WHERE connection_id = %s AND lane = 'availability'",
            [
                operation_id,
                Json({"dead_letter": is_dead, "retry_count": 3}),
                str(operation_id),
                connection_id,
            ],
        )
    return str(operation_id)


def logged(database: PostgresDatabase, connection_id: str) -> list[tuple]:
    with psycopg.connect(database.admin_url) as connection:
        return connection.execute(
            "SELECT status, details ->> 'retry_of' FROM channel_sync_logs WHERE connection_id = %s ORDER BY created_at",
            [connection_id],
        ).fetchall()


def test_it_makes_one_row_however_often_and_brings_a_deleted_one_back(
    postgres_database: PostgresDatabase, agency: str
):
    first = seed(postgres_database, agency, "--print-cid")
    assert first.exit_code == 0, first.output
    made = first.stdout.strip()
    assert str(UUID(made)) == made
    told = seed(postgres_database, agency, "--status", "paused", "--metadata", '{"environment": "staging"}')
    assert f"Connection ID: {made}" in told.stdout
    assert "Status: paused" in told.stdout
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute(
            "UPDATE channel_connections SET deleted_at = now() WHERE connection_id = %s", [made]
        )
    assert seed(postgres_database, agency, "--print-cid").stdout.strip() == made
    with psycopg.connect(postgres_database.admin_url) as connection:
        rows = connection.execute(
            "SELECT connection_id::text, status, deleted_at FROM channel_connections WHERE agency_id = %s",
            [agency],
        ).fetchall()
    assert rows == [(made, "active", None)]


@pytest.mark.parametrize("metadata", ["[]", "{", "7"])
def test_metadata_is_an_object(postgres_database: PostgresDatabase, agency: str, metadata: str):
    told = seed(postgres_database, agency, "--metadata", metadata)
    assert told.exit_code == 2
    assert "Invalid JSON for --metadata" in told.output


def test_a_log_is_deleted_once_somebody_says_that_it_is_meant(
    postgres_database: PostgresDatabase, agency: str
):
    ours = seed(postgres_database, agency, "--print-cid").stdout.strip()
    other = seed(postgres_database, agency, "--print-cid", "--platform-type", "expedia").stdout.strip()
    for each in (ours, ours, other):
        failed(postgres_database, each, is_dead=False)
    asked = seed(postgres_database, agency, "--reset", typed="n\n")
    assert asked.exit_code == 1
    assert f"Found 2 sync logs for connection {ours}" in asked.stderr
    assert "Delete all sync logs for this connection? [y/N]" in asked.stderr
    assert len(logged(postgres_database, ours)) == 2
    told = seed(postgres_database, agency, "--purge-logs", "--yes", "--print-cid")
    assert (told.exit_code, told.stdout.strip()) == (0, ours)
    assert "✓ Purged 2 sync logs (--yes flag)" in told.stderr
    assert logged(postgres_database, ours) == []
    assert len(logged(postgres_database, other)) == 1


@pytest.mark.parametrize(
    "agency_id", ["7", "01997F3E-5F0A-7C3E-9D7E-1C2B3A4D5E6F", "01997f3e5f0a7c3e9d7e1c2b3a4d5e6f"]
)
def test_an_id_is_written_as_everywhere(postgres_database: PostgresDatabase, agency_id: str):
    told = seed(postgres_database, agency_id)
    assert told.exit_code == 2
    assert "Invalid UUID format" in told.stderr


def test_what_a_lane_gave_up_is_a_dead_letter_that_can_be_sent_again(
    postgres_database: PostgresDatabase, agency: str
):
    made = seed(postgres_database, agency, "--print-cid").stdout.strip()
    failed(postgres_database, made, is_dead=False)
    dead = failed(postgres_database, made, is_dead=True)

    def letters(*more: str) -> Result:
        environ = {"DATABASE_URL": postgres_database.admin_url, "REDIS_URL": None, "PMS_HOME": None}
        return CliRunner().invoke(pms, ["worker", "dead-letters", "--agency", agency, *more], env=environ)

    shown = json.loads(letters("--json").stdout)
    assert [(each["letter_id"], each["reaction"], each["event_id"]) for each in shown] == [
        (dead, "channels.availability", dead)
    ]
    assert (shown[0]["kind"], shown[0]["attempts"], shown[0]["error"]) == ("availability_update", 4, "down")
    again = letters("--retry", dead)
    assert again.exit_code == 0, again.output
    assert letters().exit_code == 0
    assert logged(postgres_database, made)[-1] == ("triggered", dead)
    assert letters("--retry", dead).exit_code == 1
