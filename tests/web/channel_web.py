"""Channels over HTTP for tests: the app with the module on, connections in it, and platforms that tell what a test says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from uuid import UUID

from attrs import evolve
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_adapters.crypto.box import new_key
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.channels.ports import GatewayBase
from pmscore.channels.reactions.running import LaneReport, RunLane, run_lane
from pmscore.dates.zones import Zone
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.ids import ConnectionId
from pmscore.kernel.money import Currency
from pmscore.kernel.secrets import Secret
from web.conftest import TODAY, Web, web_on

HERE = "/api/v1/channel-connections"
DONE = Outcome(OutcomeKind.DONE)
_ROOMS = count(1)


def opened(database: PostgresDatabase, *, mock: bool) -> Iterator[Web]:
    """Yield the app with the module on."""
    return web_on(
        database.app_url,
        encryption_key=Secret(new_key()),
        module_switches=(("channel_manager", True),),
        is_channel_mock_mode=mock,
    )


def property_of(web: Web) -> str:
    """Return a new property with two types."""
    types = tuple(NewUnitType(name=name, rooms=2, valid_from=TODAY) for name in ("Double", "Single"))
    command = CreateHouse(
        **web.services.asking,
        name=f"House {next(_ROOMS)}",
        zone=Zone("Europe/Lisbon"),
        currency=Currency.of("EUR"),
        business_date=TODAY,
        types=types,
    )
    made = create_house(command, uow=web.services.uow, ids=web.services.ids)
    return str(made.property.property_id)


def quoted(answer: TestResponse, status: int, code: str) -> str:
    """Check an answer whose text programs read word for word, and return the text."""
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, code), answer.text
    assert body["message"] == body["detail"]
    return str(body["detail"])


def connect(web: Web, platform: str = "channex", **more: object) -> dict:
    body = {"property_id": property_of(web), "platform_type": platform, **more}
    made = web.client.post(f"{HERE}?skip_connection_test=true", json=body)
    assert made.status_code == 201, made.text
    return made.get_json()


def types_of(web: Web, property_id: str) -> list[str]:
    """Return the ids of the types of a property."""
    listed = web.client.get(f"/api/v1/properties/{property_id}/unit-types").get_json()["items"]
    return [each["id"] for each in listed]


def map_rooms(web: Web, made: dict, *codes: str) -> None:
    """Sell the types of a connection's property as rooms with these codes, in place of what was mapped."""
    types = types_of(web, made["property_id"])
    rooms = [{"unit_type_id": key, "room_code": code} for key, code in zip(types, codes, strict=False)]
    answer = web.client.put(f"{HERE}/{made['id']}/mappings", json={"rooms": rooms})
    assert answer.status_code == 200, answer.text


class Scripted(GatewayBase):
    """Tells the pages that it is given, one a call; what it can is said by a manifest."""

    def __init__(self, manifest: Manifest, pages: Sequence[Pulled]) -> None:
        self._manifest = manifest
        self._pages = [*pages]

    @property
    def manifest(self) -> Manifest:
        """What it can."""
        return self._manifest

    def pull(self, at: At, cursor: str) -> Pulled:
        """Return the next page."""
        if not self._pages:
            return Pulled(outcome=DONE, cursor=cursor)
        page = self._pages.pop(0)
        return evolve(page, cursor="", has_more=bool(self._pages))

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Take note."""
        return DONE


def run_bookings(web: Web, made: dict, *pages: Pulled) -> LaneReport:
    """Let the worker run the lane of bookings once, while the platform tells these pages."""
    services, key = web.services, ConnectionId(UUID(made["id"]))
    manifest = services.channels.gateways[made["gateway"]].manifest
    means = evolve(services.channels, gateways={made["gateway"]: Scripted(manifest, pages)})
    with services.uow.begin(services.question) as work:
        (lane_id,) = [each.lane_id for each in work.lanes.of(key) if each.lane is Lane.BOOKINGS]
    report = run_lane(
        RunLane(**services.asking, lane_id=lane_id),
        uow=services.uow,
        clock=services.clock,
        ids=services.ids,
        means=means,
    )
    assert report.has_run
    return report
