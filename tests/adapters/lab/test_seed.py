"""The demo's agency: whole, plausible, the same for the same seed, and never half."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime

import psycopg
import pytest
from attrs import evolve

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import Services, connect
from pms_adapters.lab.seed import DEMO_AGENCY, add_missing_prices, add_missing_rates, is_seeded, seed
from pms_adapters.lab.seed_houses import HOMES, HOTEL, HouseDraft, TypeDraft
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.exchange import PostgresExchangeRates
from pms_adapters.postgres.pricing import PostgresPrices
from pms_adapters.postgres.verify import verify
from pms_adapters.settings import Settings
from pmscore.dates.nights import StayRange
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.policies.displaying import is_too_old
from pmscore.pricing.use_cases.quotes import make_quotes
from pmscore.testing.clocks import FixedClock

pytestmark = pytest.mark.postgres
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
SMALL = HouseDraft(
    name="Pension",
    address="",
    zone=HOTEL.zone,
    currency=HOTEL.currency,
    types=(TypeDraft(name="Room", floors=(1, 2), rooms_a_floor=3),),
)
HOTEL_OF_TWO = evolve(SMALL, name="Hotel", types=(TypeDraft(name="Double", floors=(1,), rooms_a_floor=2),))
PLANS = {HOTEL_OF_TWO.name: ("flex", "saver", "breakfast"), HOMES[5].name: ("flex", "saver")}


@contextmanager
def _services(database: PostgresDatabase) -> Iterator[Services]:
    with connect(Settings(database_url=database.app_url), clock=FixedClock(NOON)) as services:
        yield services


def _counts(database: PostgresDatabase, query: str) -> Mapping[str, int]:
    with psycopg.connect(database.admin_url) as connection:
        return dict(connection.execute(query).fetchall())


def _fingerprint(database: PostgresDatabase) -> object:
    with psycopg.connect(database.admin_url) as connection:
        return connection.execute(
            "SELECT md5(string_agg(b.booking_id || b.status || r.arrival || r.departure || r.nightly::text, ','"
            " ORDER BY b.booking_id)) FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)"
        ).fetchone()


def test_the_demo_has_a_hotel_of_120_rooms_and_eight_homes() -> None:
    assert sum(len(each.unit_names()) for each in HOTEL.types) == 120
    numbers = [name for each in HOTEL.types for name in each.unit_names()]
    assert len(set(numbers)) == 120
    assert len({each.name for each in HOMES}) == 8


def test_a_seeded_agency_is_whole_and_keeps_every_invariant(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    told: list[tuple[int, int]] = []
    with _services(fresh_postgres_database) as services:
        assert not is_seeded(services)
        report = seed(
            services,
            admin_url=fresh_postgres_database.admin_url,
            progress=lambda done, total: told.append((done, total)),
            drafts=(SMALL, *HOMES[:2]),
        )
        assert is_seeded(services)
    assert verify(fresh_postgres_database.admin_url) == ()
    assert told[-1] == (report.bookings, report.bookings)
    statuses = _counts(fresh_postgres_database, "SELECT status, count(*) FROM bookings GROUP BY status")
    assert {"confirmed", "checked_in", "checked_out", "cancelled"} <= set(statuses)
    assert sum(statuses.values()) == report.bookings
    assert statuses["checked_out"] > statuses["confirmed"] > statuses["checked_in"]


def test_statuses_follow_from_the_business_date(fresh_postgres_database: PostgresDatabase) -> None:
    with _services(fresh_postgres_database) as services:
        seed(services, admin_url=fresh_postgres_database.admin_url, drafts=(SMALL,))
    wrong = _counts(
        fresh_postgres_database,
        """
        SELECT b.status, count(*) FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
         WHERE (b.status = 'checked_out') <> (b.checked_out_on IS NOT NULL)
            OR (b.status IN ('checked_in', 'checked_out')) <> (b.checked_in_on IS NOT NULL)
            OR (b.status = 'checked_out' AND r.departure > '2027-03-01')
            OR (b.status = 'checked_in' AND (r.arrival > '2027-03-01' OR r.placements = '[]'))
            OR (b.status IN ('confirmed', 'pending') AND r.arrival < '2027-03-01')
            OR b.created_at > '2027-03-01 12:00:00+00'
         GROUP BY b.status""",
    )
    assert wrong == {}


def test_the_same_seed_makes_the_same_stays_and_another_one_others(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    found = []
    with _services(fresh_postgres_database) as services:
        for number in (1, 1, 2):
            seed(services, admin_url=fresh_postgres_database.admin_url, seed_number=number, drafts=HOMES[:1])
            found.append(_fingerprint(fresh_postgres_database))
    assert found[0] == found[1] != found[2]


def test_what_an_interrupted_seeding_has_left_is_removed(fresh_postgres_database: PostgresDatabase) -> None:
    class PowerCutError(Exception):
        pass

    def cut(done: int, total: int) -> None:
        if done > total // 2:
            raise PowerCutError

    with _services(fresh_postgres_database) as services:
        with pytest.raises(PowerCutError):
            seed(services, admin_url=fresh_postgres_database.admin_url, progress=cut, drafts=(SMALL,))
        assert not is_seeded(services)
        report = seed(services, admin_url=fresh_postgres_database.admin_url, drafts=(SMALL,))
        assert is_seeded(services)
    statuses = _counts(fresh_postgres_database, "SELECT status, count(*) FROM bookings GROUP BY status")
    assert sum(statuses.values()) == report.bookings
    agencies = _counts(fresh_postgres_database, "SELECT agency_id::text, 1 FROM agencies")
    assert list(agencies) == [str(DEMO_AGENCY)]
    assert verify(fresh_postgres_database.admin_url) == ()


def test_every_house_can_be_quoted(fresh_postgres_database: PostgresDatabase) -> None:
    with _services(fresh_postgres_database) as services:
        seed(services, admin_url=fresh_postgres_database.admin_url, drafts=(HOTEL_OF_TWO, HOMES[5]))
        availability = PostgresAvailability(services.engine, DEMO_AGENCY)
        prices = PostgresPrices(services.engine, DEMO_AGENCY)
        for house in availability.houses():
            request = QuoteRequest(
                stay=StayRange(date(2028, 8, 5), date(2028, 8, 12)),
                parties=(GuestParty(adults=2),),
                codes=("welcome",) if house.property.name == HOTEL_OF_TWO.name else (),
            )
            found = make_quotes(
                house.property.property_id,
                request,
                availability=availability,
                prices=prices,
                clock=services.clock,
                ids=services.ids,
            )
            assert {each.plan for each in found.quotes} == set(PLANS[house.property.name]), found.refusals
            for quote in found.quotes:
                assert quote.terms is not None
                assert quote.charged.due == quote.totals.due
                assert quote.totals.city_tax == 7 * 2 * 200
        assert add_missing_prices(services) == 0


def test_a_demo_of_before_gets_prices(fresh_postgres_database: PostgresDatabase) -> None:
    with _services(fresh_postgres_database) as services:
        seed(services, admin_url=fresh_postgres_database.admin_url, drafts=(HOTEL_OF_TWO, SMALL))
        with psycopg.connect(fresh_postgres_database.admin_url) as connection:
            connection.execute("DELETE FROM price_books")
        assert add_missing_prices(services, drafts=(HOTEL_OF_TWO,)) == 1
        assert add_missing_prices(services, drafts=(HOTEL_OF_TWO,)) == 0


def test_quotes_can_be_shown_in_other_currencies(fresh_postgres_database: PostgresDatabase) -> None:
    """Whoever starts an old demo gets new rates, and keeps those that were put in."""
    with _services(fresh_postgres_database) as services:
        seed(services, admin_url=fresh_postgres_database.admin_url, drafts=(HOTEL_OF_TWO,))
        rates, today = PostgresExchangeRates(services.engine, DEMO_AGENCY), services.clock.now().date()
        seeded = rates.latest(today)
        assert {each.shown.code for each in seeded} >= {"USD", "GBP", "JPY"}
        assert not any(is_too_old(each, today) for each in seeded)
        assert add_missing_rates(services) == 0
        with psycopg.connect(fresh_postgres_database.admin_url) as connection:
            connection.execute("UPDATE exchange_rates SET day = day - 30 WHERE shown <> 'USD'")
            connection.execute("UPDATE exchange_rates SET rate = 2, source = 'mine' WHERE shown = 'USD'")
        assert add_missing_rates(services) == len(seeded) - 1
        again = {each.shown.code: each for each in rates.latest(today)}
        assert (again["USD"].plain(), again["USD"].source) == ("2", "mine")
        assert not any(is_too_old(each, today) for each in again.values())
