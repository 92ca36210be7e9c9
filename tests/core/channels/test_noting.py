"""What an event of the house makes dirty."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.channels.model.connections import ConnectionStatus
from pmscore.channels.model.manifest import Lane
from pmscore.channels.reactions.noting import Happened, Note, is_noted, note_event
from pmscore.inventory.model.house import MOST_TURNOVER_NIGHTS
from pmscore.pricing.model.rules import PriceRule
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.channel_gateways import DirectGateway
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_houses import connected, open_house, remote_rooms
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.channel_profiles import profile
from pmscore.testing.draws import Draws
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.price_scenes import price_book, repriced, set_book
from pmscore.testing.scenes import FIRST_DAY, nights, stay

AVAILABILITY, PRICING = Lane.AVAILABILITY, Lane.PRICING


class Noted:
    """A connected house without dirt, and what the last thing made dirty."""

    def __init__(self, gateway="plain"):
        self.store = InMemoryStore()
        self.scene = open_house(self.store, "noting")
        manifest = profile(gateway)
        platform = RemotePlatform(
            clock=self.scene.clock, chance=Draws(1), rooms=remote_rooms(manifest), currency="EUR"
        )
        made = DirectGateway(manifest, platform, Hostility(0, Draws(1)), self.scene.clock)
        self.channel = connected(self.store, self.scene, made)
        for lane in manifest.lanes:
            self.channel.run(lane)
        self.position = self.store.events_after()[-1].position

    def rows(self):
        for event in self.store.events_after(self.position):
            if is_noted(event.kind):
                self.channel.note(event)
        return {lane: self.channel.dirt(lane) for lane in (AVAILABILITY, PRICING)}


def said(rows):
    return [
        (each.nights and each.nights.start, each.nights and each.nights.end, each.unit_type_ids)
        for each in rows
    ]


def test_a_new_booking_touches_the_counts_of_its_type_on_its_nights():
    house = Noted()
    house.scene.book(stay(3, 2))
    rows = house.rows()
    end = FIRST_DAY + timedelta(days=5 + MOST_TURNOVER_NIGHTS)
    wanted = [(FIRST_DAY + timedelta(days=3), end, frozenset(house.scene.type_ids[:1]))]
    assert said(rows[AVAILABILITY]) == wanted
    assert rows[PRICING] == ()


def test_prices_that_follow_the_counts_are_looked_at_with_them():
    house = Noted()
    book = price_book(house.scene)
    rule = PriceRule(
        code="full",
        name="Nearly full",
        kind="yield",
        value={"steps": [{"from": 50, "change": {"percent": "10"}}]},
        rank=10,
        group="yield",
    )
    set_book(house.scene, evolve(book, rules=(*book.rules, rule)), based_on=1)
    house.rows()
    house.channel.run(AVAILABILITY)
    house.channel.run(PRICING)
    house.position = house.store.events_after()[-1].position
    house.scene.book(stay(3, 2))
    rows = house.rows()
    assert said(rows[PRICING]) == said(rows[AVAILABILITY])


def test_a_change_that_does_not_say_what_was_before_touches_all_counts():
    house = Noted()
    booking_id = house.scene.book(stay(3, 2)).booking_id
    house.scene.act(booking_id, Act.CANCEL)
    assert said(house.rows()[AVAILABILITY])[1:] == [(None, None, None)]


def test_a_hold_and_a_block_touch_their_nights():
    house = Noted()
    house.scene.hold(stay(1, 1))
    house.scene.block(house.scene.unit().unit_id, nights(4, 2))
    rows = said(house.rows()[AVAILABILITY])
    assert [first for first, _, _ in rows] == [FIRST_DAY + timedelta(days=day) for day in (1, 4)]


def test_prices_touch_rates_only():
    house = Noted()
    repriced(house.scene, night=12_000)
    rows = house.rows()
    assert (said(rows[AVAILABILITY]), said(rows[PRICING])) == ([], [(None, None, None)])


@pytest.mark.parametrize(("gateway", "folds"), [("plain", False), ("alpinebits", True)])
def test_rules_touch_their_nights_and_counts_where_closed_is_a_count_of_none(gateway, folds):
    house = Noted(gateway)
    command = SetRestrictions(
        **house.scene.asked(),
        property_id=house.scene.property_id,
        nights=nights(5, 3),
        rules=(Rule(kind="closed_night", nights=nights(5, 3), value=None),),
    )
    set_restrictions(command, uow=house.store)
    rows = house.rows()
    assert bool(rows[AVAILABILITY]) == folds
    assert bool(rows[PRICING]) == (not folds)
    for row in rows[AVAILABILITY] + rows[PRICING]:
        assert row.nights.start <= FIRST_DAY + timedelta(days=5)
        assert row.nights.end >= FIRST_DAY + timedelta(days=8)


def test_a_house_that_changes_touches_everything():
    house = Noted()
    house.scene.set_rooms(house.scene.type_ids[2], 6)
    rows = house.rows()
    assert said(rows[AVAILABILITY]) == said(rows[PRICING]) == [(None, None, None)]


@pytest.mark.parametrize(
    ("kind", "fields", "forgets"),
    [
        ("channel.mappingChanged", None, False),
        ("channel.connectionChanged", ["status"], False),
        ("channel.connectionChanged", ["status", "listing_id"], True),
        ("pms.external.connected", None, True),
    ],
)
def test_a_connection_that_changes_is_told_all_and_another_listing_all_again(kind, fields, forgets):
    house = Noted()
    event = Happened(
        kind=kind,
        aggregate="channel_connection",
        aggregate_id=house.channel.connection_id,
        payload={} if fields is None else {"fields": fields},
    )
    note_event(
        Note(**house.scene.asked(), event=event),
        uow=house.store,
        ids=house.scene.ids,
        means=house.channel.means,
    )
    for lane in (AVAILABILITY, PRICING):
        (row,) = house.channel.dirt(lane)
        assert (row.nights, row.unit_type_ids, row.forgets) == (None, None, forgets)


def test_what_happens_elsewhere_and_while_paused_touches_nothing():
    house = Noted()
    with house.scene.begin() as work:
        connection = work.connections.get(house.channel.connection_id)
        work.connections.save(evolve(connection, status=ConnectionStatus.PAUSED))
        work.commit()
    house.scene.book(stay(3, 2))
    assert house.rows() == {AVAILABILITY: (), PRICING: ()}
    other = Happened(
        kind="house.updated", aggregate="property", aggregate_id=UUID(int=7), payload={"property_id": "x"}
    )
    assert (
        note_event(
            Note(**house.scene.asked(), event=other),
            uow=house.store,
            ids=house.scene.ids,
            means=house.channel.means,
        )
        == 0
    )
