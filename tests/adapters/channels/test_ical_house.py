"""Calendar feeds and a house: what is read is booked once, what is no calendar changes nothing, what is ours is told."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from adapters.channels.stub_wire import StubWire
from pms_adapters.channels.ical import IcalGateway, written_calendar
from pms_adapters.channels.ical.reader import read_calendar
from pmscore.availability.model import TypeNights
from pmscore.booking.model.lifecycle import Status
from pmscore.channels.model.calls import At, OutcomeKind, Pulled
from pmscore.channels.model.revisions import IssueKind
from pmscore.channels.views.calendar import calendar_of, counts_for_calendar
from pmscore.dates.ranges import DateRange
from pmscore.kernel.secrets import Secret
from pmscore.testing.inbound_scenes import InboundScene, open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, nights, open_scene, stay

WINDOW = nights(0, 60)


class Addressed(IcalGateway):
    """Has the address of a feed for the first room, wherever its connection has none."""

    def pull(self, at: At, cursor: str) -> Pulled:
        return super().pull(evolve(at, credentials={"url.R1": Secret("https://feeds.test/one")}), cursor)


def house() -> tuple[InboundScene, StubWire]:
    inbound = open_inbound_scene(open_scene(InMemoryStore(), SeededIds("feeds"), hotel(1)))
    wire = StubWire()
    inbound.gateway = Addressed(wire, inbound.scene.clock)
    return inbound, wire


def feed(*stays: tuple[str, DateRange, str]) -> bytes:
    events = (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART;VALUE=DATE:{when.start:%Y%m%d}\r\n"
        f"DTEND;VALUE=DATE:{when.end:%Y%m%d}\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
        for uid, when, summary in stays
    )
    head = "BEGIN:VCALENDAR\r\nPRODID:-//Airbnb Inc//EN\r\nVERSION:2.0\r\n"
    return f"{head}{''.join(events)}END:VCALENDAR\r\n".encode()


def read(inbound: InboundScene, wire: StubWire, status: int, body: bytes) -> OutcomeKind:
    inbound.scene.clock.advance(timedelta(hours=1))
    wire.answers.clear()
    wire.answers_with(status, body)
    return inbound.run().outcome.kind


def standing(inbound: InboundScene) -> tuple[list[DateRange], list[DateRange]]:
    stays = [each.rooms[0].stay for each in inbound.bookings() if each.status is Status.CONFIRMED]
    return sorted(map(DateRange.from_stay, stays)), sorted(each.nights for each in inbound.blocks())


TWO = feed(("a", nights(3, 2), "Reserved"), ("b", nights(6, 2), "Airbnb (Not available)"))


def test_reservations_are_booked_once_and_everything_else_is_kept_from_sale() -> None:
    inbound, wire = house()
    assert read(inbound, wire, 200, TWO) is OutcomeKind.DONE
    assert standing(inbound) == ([nights(3, 2)], [nights(6, 2)])
    events = len(inbound.scene.store.events_after())
    for _ in range(3):
        assert read(inbound, wire, 200, TWO) is OutcomeKind.DONE
    assert len(inbound.scene.store.events_after()) == events
    moved = feed(("a", nights(4, 2), "Reserved"), ("b", nights(6, 2), "Airbnb (Not available)"))
    assert read(inbound, wire, 200, moved) is OutcomeKind.DONE
    assert standing(inbound) == ([nights(4, 2)], [nights(6, 2)])
    assert len(inbound.bookings()) == 1


def test_what_is_no_calendar_and_an_empty_one_free_no_night() -> None:
    inbound, wire = house()
    read(inbound, wire, 200, TWO)
    events = len(inbound.scene.store.events_after())
    page = b"<html>please sign in</html>"
    for status, body in (
        (200, page), (200, TWO[:-20]), (200, TWO[:200]), (200, b""), (304, b""), (403, b""), (404, TWO), (500, b"")
    ):  # fmt: skip
        for _ in range(2):
            assert read(inbound, wire, status, body) not in {OutcomeKind.DONE, OutcomeKind.PARTLY}
    assert len(inbound.scene.store.events_after()) == events
    for _ in range(3):
        assert read(inbound, wire, 200, feed()) is OutcomeKind.DONE
    assert standing(inbound) == ([nights(3, 2)], [nights(6, 2)])
    assert [each.kind for each in inbound.issues()] == [IssueKind.FEED_SHRUNK]
    # One that is gone, seen twice, is ended: the control of all the others.
    without = feed(("a", nights(3, 2), "Reserved"))
    for _ in range(2):
        read(inbound, wire, 200, without)
    assert standing(inbound) == ([nights(3, 2)], [])


def exported(inbound: InboundScene) -> set[tuple[str, DateRange]]:
    """Return what a platform reads in our calendar of the room."""
    scene = inbound.scene
    with scene.begin() as work:
        (room,) = work.mappings.book(inbound.connection_id).rooms
        links = work.revisions.links(inbound.connection_id)
    reader, now, type_id = scene.store.availability(scene.agency_id), scene.clock.now(), room.unit_type_id
    occupied = reader.occupied(scene.property_id, WINDOW, now)
    counts = TypeNights(
        unit_type_id=type_id,
        nights=WINDOW,
        capacity=(1,) * WINDOW.length,
        overbooking=0,
        claims=reader.claims_by_kind([type_id], WINDOW, now).get(type_id, {}),
    )
    ranges = calendar_of(
        room,
        house=scene.house(),
        occupied=occupied,
        links=links,
        nights=WINDOW,
        sellable=counts_for_calendar(counts, room, occupied, links).sellable(),
    )
    body = written_calendar(ranges, made_at=now)
    assert scene.guest().name.encode() not in body
    return {(each.uid, each.nights) for each in read_calendar(body, scene.house().property.zone)}


def test_our_calendar_read_back_is_the_house_without_what_the_platform_has_told_itself() -> None:
    inbound, wire = house()
    scene = inbound.scene
    booking_id = scene.book(stay(10, 3)).booking_id
    block = scene.block(scene.unit().unit_id, nights(20, 5))
    ours = {(f"{booking_id}@pmscore", nights(10, 3)), (f"{block.block_id}@pmscore", nights(20, 5))}
    assert exported(inbound) == ours
    read(inbound, wire, 200, TWO)
    assert len(standing(inbound)[0]) == 2
    assert exported(inbound) == ours
