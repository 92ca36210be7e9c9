"""``pms channel-seed``: one row however often, and the old one back after its end."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result

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


def seed(database: PostgresDatabase, agency: str, *more: str) -> Result:
    environ = {"DATABASE_URL": database.app_url, "REDIS_URL": None, "PMS_HOME": None}
    return CliRunner().invoke(pms, ["channel-seed", "--agency", agency, *more], env=environ)


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
