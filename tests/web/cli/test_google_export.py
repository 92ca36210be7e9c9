"""``pms google-export``: files for a partner of Google's, and a sentence where there is nothing to write."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from adapters.channels.stub_wire import StubWire
from adapters.conftest import PostgresDatabase
from adapters.postgres.subject import PostgresStore
from pms_adapters.channels.google import GoogleGateway
from pms_adapters.serialization.xml import parse
from pms_web.cli.main import pms
from pmscore.channels.model.mappings import MappingBook
from pmscore.testing.channel_houses import ConnectedHouse, connected, open_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def channel(postgres_database: PostgresDatabase):
    store = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    scene = open_house(store, str(uuid4()))
    yield connected(store, scene, GoogleGateway(StubWire(), scene.clock))
    store.close()


def export(database: PostgresDatabase, channel: ConnectedHouse, *more: str) -> Result:
    environ = {"DATABASE_URL": database.app_url, "REDIS_URL": None, "PMS_HOME": None}
    command = ["google-export", "--agency", str(channel.scene.agency_id), *more]
    return CliRunner().invoke(pms, command, env=environ)


def test_it_writes_numbered_files_that_can_be_sent_in_their_order(
    postgres_database: PostgresDatabase, channel: ConnectedHouse, tmp_path: Path
):
    told = export(postgres_database, channel, "--out", str(tmp_path / "files"), "--language", "de")
    assert told.exit_code == 0, told.output
    files = sorted((tmp_path / "files").iterdir())
    names = [each.name for each in files]
    assert names[0] == "001-rooms.xml"
    assert {each[4:-4] for each in names} == {"rooms", "inventory", "rates", "availability"}
    assert names[-1].endswith("availability.xml")
    roots = {parse(each.read_bytes()).name for each in files}
    assert roots == {
        "Transaction",
        "OTA_HotelInvCountNotifRQ",
        "OTA_HotelRateAmountNotifRQ",
        "OTA_HotelAvailNotifRQ",
    }
    rooms = parse(files[0].read_bytes())
    assert {each.attr["language"] for each in rooms.walk("Text")} == {"de"}
    assert rooms.said("PropertyDataSet", "Property") == "house-1"
    assert len([*rooms.walk("RoomData")]) == 3
    again = export(postgres_database, channel, "--out", str(tmp_path / "files"))
    assert again.exit_code == 0
    assert sorted(each.name for each in (tmp_path / "files").iterdir()) == names


def test_where_nothing_is_mapped_or_connected_it_says_so_and_writes_nothing(
    postgres_database: PostgresDatabase, channel: ConnectedHouse, tmp_path: Path
):
    with channel.scene.begin() as work:
        work.mappings.replace(channel.connection_id, MappingBook())
        work.commit()
    told = export(postgres_database, channel, "--out", str(tmp_path / "files"))
    assert told.exit_code != 0
    assert "mapped" in told.output
    with channel.scene.begin() as work:
        connection = work.connections.get(channel.connection_id)
        work.connections.save(connection.deleted(channel.scene.clock.now()).state)
        work.commit()
    gone = export(postgres_database, channel, "--out", str(tmp_path / "files"))
    assert gone.exit_code != 0
    assert "google_ari" in gone.output
    assert not (tmp_path / "files").exists()
