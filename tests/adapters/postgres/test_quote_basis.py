"""What a stay is quoted from is read at once, and is what its readers say one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres import pricing, session
from pms_adapters.system import TimeOrderedIds
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import NotFoundError, StaleHouseError
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.ports import PriceReader
from pmscore.pricing.views.quote_basis import QuoteBasis
from pmscore.testing.price_scenes import repriced, with_prices
from pmscore.testing.scenes import Scene, hotel, open_scene, stay

pytestmark = pytest.mark.postgres

STAY = stay(10, 3)


@pytest.fixture(scope="module")
def store(postgres_database) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    yield store
    store.close()


@pytest.fixture
def scene(store) -> Scene:
    return with_prices(open_scene(store, TimeOrderedIds(), hotel(), hotel(3, turnover_nights=1)))


@pytest.fixture
def trips(monkeypatch) -> list[int]:
    """The round trips so far, each as its number of statements."""
    found: list[int] = []
    honest = session.run_pipeline

    def counted(connection, statements):
        found.append(len(statements))
        return honest(connection, statements)

    monkeypatch.setattr(session, "run_pipeline", counted)
    return found


def at_once(scene: Scene, when: StayRange = STAY, *types: UnitTypeId) -> QuoteBasis:
    prices, stock = scene.store.prices(scene.agency_id), scene.store.availability(scene.agency_id)
    return prices.basis(scene.property_id, types, when, scene.clock.now(), availability=stock)


def one_by_one(scene: Scene, when: StayRange = STAY, *types: UnitTypeId) -> QuoteBasis:
    prices, stock = scene.store.prices(scene.agency_id), scene.store.availability(scene.agency_id)
    return PriceReader.basis(prices, scene.property_id, types, when, scene.clock.now(), availability=stock)


def test_it_is_what_the_readers_say_one_by_one(scene):
    scene.book(STAY)
    scene.book(scene.request(stay(12, 4), unit_type_id=scene.type_ids[1]))
    scene.hold(stay(11, 1), minutes=30)
    scene.hold(stay(9, 2), unit_type_id=scene.type_ids[1], minutes=90)
    scene.clock.advance(timedelta(hours=1))
    for types in ((), scene.type_ids[:1], scene.type_ids[::-1]):
        found = at_once(scene, STAY, *types)
        assert found == one_by_one(scene, STAY, *types)
        assert found.claimed


def test_a_house_that_is_known_takes_one_round_trip(scene, trips):
    at_once(scene)
    trips.clear()
    at_once(scene, stay(40, 7), scene.type_ids[0])
    assert len(trips) == 1
    one_by_one(scene)
    assert len(trips) > 4


def test_changes_of_house_rules_prices_and_day_are_seen_at_once(scene):
    first = at_once(scene)
    scene.set_rooms(scene.type_ids[0], 7)
    repriced(scene, night=20_000)
    scene.advance()
    second = at_once(scene)
    assert second == one_by_one(scene)
    assert second.house.property.version > first.house.property.version
    assert second.quoter.book.version == first.quoter.book.version + 1


def test_a_house_that_never_holds_still_is_given_up(scene, monkeypatch):
    at_once(scene)
    honest = pricing._latest

    def newer(rows, property_id):
        found = honest(rows, property_id)
        return type(found)(found.version, found.today, found.house_version + 1)

    monkeypatch.setattr(pricing, "_latest", newer)
    with pytest.raises(StaleHouseError):
        at_once(scene)


def test_what_is_not_there_is_named(store, scene):
    with pytest.raises(NotFoundError, match="unit_type"):
        at_once(scene, STAY, UnitTypeId(scene.ids.new()))
    with pytest.raises(NotFoundError, match="price_book"):
        at_once(open_scene(store, TimeOrderedIds()))
    stranger = open_scene(store, TimeOrderedIds())
    with pytest.raises(NotFoundError, match="property"):
        store.prices(stranger.agency_id).basis(
            scene.property_id,
            (),
            STAY,
            scene.clock.now(),
            availability=store.availability(stranger.agency_id),
        )


def test_whoever_stands_before_the_stock_is_asked(scene):
    stock = scene.store.availability(scene.agency_id)

    class Closed(AvailabilityReader):
        def houses(self, property_ids=()):
            raise NotFoundError("property", "closed")

        rules, claimed, claims_by_kind = stock.rules, stock.claimed, stock.claims_by_kind
        free_units, occupied = stock.free_units, stock.occupied

    at_once(scene)
    with pytest.raises(NotFoundError, match="closed"):
        scene.store.prices(scene.agency_id).basis(
            scene.property_id, (), STAY, scene.clock.now(), availability=Closed()
        )
