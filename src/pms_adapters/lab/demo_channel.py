"""The demo's hotel on a simulated platform: one connection, made once, to whichever platform is there at this start.

Owns what is told to whom. Leaves the platform to ``channel_sim`` and its process to the command. A platform that was
played at an earlier start is gone, with everything that it knew; so is what joined its bookings to ours. The bookings
stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict
from uuid import UUID

from attrs import frozen

from pms_adapters.bootstrap import Services, with_retries
from pms_adapters.lab.seed import DEMO_AGENCY
from pms_adapters.lab.seed_houses import HOTEL
from pms_adapters.postgres.session import Session
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.manifest import Platform
from pmscore.channels.use_cases.addresses import NewTokens, new_tokens
from pmscore.channels.use_cases.connections import ChangeConnection, Connect, change_connection, connect
from pmscore.channels.use_cases.mappings import RateWanted, ReplaceMappings, RoomWanted, replace_mappings
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.ports import IdSource
from pmscore.kernel.reading import ObjectReader
from pmscore.kernel.secrets import Secret

__all__ = ["DEMO_PLANS", "DemoChannel"]

DEMO_PLANS: Final = ("flex", "saver")
"""The plans of the demo's hotel that are sold on the platform."""

_ACTOR: Final = ActorId(UUID(int=1))


class _Asked(TypedDict):
    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId


@frozen(kw_only=True)
class DemoChannel:
    """The connection of the demo's hotel, and the path that the platform knocks at."""

    services: Services
    house: House
    connection: Connection
    knock: Secret

    @classmethod
    def prepared(cls, services: Services) -> DemoChannel:
        """Return the connection, which is made where there is none, and which nothing is sent to yet.

        Raises:
            NotFoundError: the demo has no hotel.
        """
        house = _hotel(services)
        connection = _connection(services, house)
        asking = NewTokens(**_asked(services.ids), connection_id=connection.connection_id)
        made = new_tokens(asking, uow=services.uow, clock=services.clock, means=services.channels)
        return cls(services=services, house=house, connection=made.connection, knock=made.knock)

    @property
    def knock_path(self) -> Secret:
        """Where the platform says that it has sold something."""
        return Secret(f"/channel-webhooks/{self.knock.reveal()}")

    def open(self, platform: Json) -> None:
        """Connect to a platform that is there: its address, listing, credentials, and rooms for the hotel's types.

        Raises:
            InvalidInputError: something of it is missing.
        """
        read = ObjectReader.of(platform)
        base_url, listing = read.text("base_url"), read.text("listing_id")
        credentials = {name: str(each) for name, each in read.inside("credentials").values.items()}
        rooms = {name: _texts(each) for name, each in read.inside("rooms").values.items()}
        parts, connection_id = self.services, self.connection.connection_id
        with Session(parts.engine, DEMO_AGENCY) as session:
            session.commit(
                [
                    (
                        "DELETE FROM channel_links WHERE agency_id = %s AND connection_id = %s",
                        (DEMO_AGENCY, connection_id),
                    )
                ]
            )
        changing = ChangeConnection(
            **_asked(parts.ids),
            connection_id=connection_id,
            status=ConnectionStatus.ACTIVE,
            listing_id=listing,
            settings={"base_url": base_url},
            credentials=credentials,
        )
        with_retries(
            lambda: change_connection(changing, uow=parts.uow, clock=parts.clock, means=parts.channels)
        )
        pairs = list(zip(self.house.types, rooms.items(), strict=False))
        mapping = ReplaceMappings(
            **_asked(parts.ids),
            connection_id=connection_id,
            rooms=tuple(RoomWanted(unit_type_id=kind, room_code=code) for kind, (code, _) in pairs),
            rates=tuple(
                RateWanted(unit_type_id=kind, plan=plan, room_code=code, rate_code=rate)
                for kind, (code, rates) in pairs
                for plan, rate in zip(DEMO_PLANS, rates, strict=False)
            ),
        )
        with_retries(
            lambda: replace_mappings(
                mapping, uow=parts.uow, clock=parts.clock, ids=parts.ids, means=parts.channels
            )
        )


def _hotel(services: Services) -> House:
    for each in services.channels.availability(DEMO_AGENCY).houses():
        if each.property.name == HOTEL.name:
            return each
    raise NotFoundError("property", HOTEL.name)


def _connection(services: Services, house: House) -> Connection:
    property_id = house.property.property_id
    with services.uow.begin(Command(**_asked(services.ids))) as work:
        found = work.connections.find_live(property_id, Platform.CHANNEX)
    if found is not None:
        return found
    command = Connect(
        **_asked(services.ids),
        property_id=property_id,
        platform=Platform.CHANNEX,
        gateway="channex",
        is_tested=False,
    )
    return connect(command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels)


def _texts(value: Json) -> Sequence[str]:
    if not isinstance(value, list):
        raise InvalidInputError("rooms", "not_a_list")
    return [str(each) for each in value]


def _asked(ids: IdSource) -> _Asked:
    return {"request_id": RequestId(ids.new()), "agency_id": DEMO_AGENCY, "actor_id": _ACTOR}
