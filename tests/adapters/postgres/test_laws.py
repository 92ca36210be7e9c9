"""PostgreSQL keeps the laws that the in-memory store keeps, run as the application's role."""

from __future__ import annotations

from typing import ClassVar

import pytest

from adapters.postgres.subject import PATIENT_MS, PostgresStore
from pms_adapters.system import TimeOrderedIds
from pmscore.testing.laws.access import AccessLaws
from pmscore.testing.laws.access_races import AccessRaceLaws
from pmscore.testing.laws.allotments import AllotmentLaws
from pmscore.testing.laws.availability import AvailabilityLaws
from pmscore.testing.laws.booked_quotes import BookedQuoteLaws
from pmscore.testing.laws.bookings import BookingLaws
from pmscore.testing.laws.channel_calls import ChannelCallLaws
from pmscore.testing.laws.channel_operations import ChannelOperationLaws
from pmscore.testing.laws.channel_records import ChannelRecordLaws
from pmscore.testing.laws.channel_revisions import ChannelRevisionLaws
from pmscore.testing.laws.channels import ChannelLaneLaws
from pmscore.testing.laws.events import EventLaws
from pmscore.testing.laws.exchange_rates import ExchangeRateLaws
from pmscore.testing.laws.guests import GuestLaws
from pmscore.testing.laws.houses import HouseLaws
from pmscore.testing.laws.idempotency import IdempotencyLaws
from pmscore.testing.laws.listing import ListLaws
from pmscore.testing.laws.modules import ModuleLaws
from pmscore.testing.laws.places import PlaceLaws
from pmscore.testing.laws.prices import PriceLaws
from pmscore.testing.laws.quotes import QuoteLaws
from pmscore.testing.laws.races import RaceLaws
from pmscore.testing.laws.repetitions import RepetitionLaws
from pmscore.testing.laws.restrictions import RestrictionLaws
from pmscore.testing.laws.setting import StoreLaws
from pmscore.testing.laws.stock import StockLaws
from pmscore.testing.laws.tenancy import TenancyLaws
from pmscore.testing.laws.trail import TrailLaws
from pmscore.testing.laws.webhooks import WebhookLaws

pytestmark = pytest.mark.postgres


class OnPostgres(StoreLaws):
    LOCK_TIMEOUT_MS: ClassVar[int] = PATIENT_MS

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _connected(cls, request, postgres_database):
        request.cls.STORE = PostgresStore(
            postgres_database.app_url, postgres_database.admin_url, lock_timeout_ms=cls.LOCK_TIMEOUT_MS
        )
        yield
        request.cls.STORE.close()

    def store(self):
        return self.STORE

    def ids(self):
        return TimeOrderedIds()


class TestStock(OnPostgres, StockLaws):
    pass


class TestAllotments(OnPostgres, AllotmentLaws):
    pass


class TestBookings(OnPostgres, BookingLaws):
    LOCK_TIMEOUT_MS = 300


class TestHouses(OnPostgres, HouseLaws):
    pass


class TestIdempotency(OnPostgres, IdempotencyLaws):
    LOCK_TIMEOUT_MS = 300


class TestEvents(OnPostgres, EventLaws):
    pass


class TestTrail(OnPostgres, TrailLaws):
    pass


class TestModules(OnPostgres, ModuleLaws):
    pass


class TestWebhooks(OnPostgres, WebhookLaws):
    LOCK_TIMEOUT_MS = 300


class TestChannelLanes(OnPostgres, ChannelLaneLaws):
    pass


class TestChannelCalls(OnPostgres, ChannelCallLaws):
    pass


class TestChannelRecords(OnPostgres, ChannelRecordLaws):
    LOCK_TIMEOUT_MS = 300


class TestChannelRevisions(OnPostgres, ChannelRevisionLaws):
    LOCK_TIMEOUT_MS = 300


class TestChannelOperations(OnPostgres, ChannelOperationLaws):
    LOCK_TIMEOUT_MS = 300


class TestLists(OnPostgres, ListLaws):
    pass


class TestTenancy(OnPostgres, TenancyLaws):
    pass


class TestGuests(OnPostgres, GuestLaws):
    pass


class TestRestrictions(OnPostgres, RestrictionLaws):
    pass


class TestAvailability(OnPostgres, AvailabilityLaws):
    pass


class TestPrices(OnPostgres, PriceLaws):
    pass


class TestQuotes(OnPostgres, QuoteLaws):
    pass


class TestExchangeRates(OnPostgres, ExchangeRateLaws):
    pass


class TestBookedQuotes(OnPostgres, BookedQuoteLaws):
    pass


class TestAccess(OnPostgres, AccessLaws):
    pass


class TestPlaces(OnPostgres, PlaceLaws):
    pass


class TestRepetitions(OnPostgres, RepetitionLaws):
    pass


@pytest.mark.race
class TestAccessRaces(OnPostgres, AccessRaceLaws):
    pass


@pytest.mark.race
class TestRaces(OnPostgres, RaceLaws):
    THREADS, ROUNDS = 16, 100
