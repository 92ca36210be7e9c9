"""The in-memory store keeps every law that it is there to represent."""

from __future__ import annotations

from datetime import timedelta

import pytest

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
from pmscore.testing.memory import InMemoryStore

# One store for all laws, so that each law also shows that it does not mind the others' agencies.
STORE = InMemoryStore(lock_timeout=timedelta(milliseconds=300))


# Crowds get their turn on a slow machine, too: here a limit is only a guard against hanging.
PATIENT = InMemoryStore(lock_timeout=timedelta(minutes=1))


class InMemory(StoreLaws):
    def store(self):
        return STORE


class Crowded(StoreLaws):
    def store(self):
        return PATIENT


class TestStock(InMemory, StockLaws):
    pass


class TestAllotments(Crowded, AllotmentLaws):
    pass


class TestBookings(InMemory, BookingLaws):
    pass


class TestHouses(InMemory, HouseLaws):
    pass


class TestIdempotency(InMemory, IdempotencyLaws):
    pass


class TestEvents(InMemory, EventLaws):
    pass


class TestTrail(InMemory, TrailLaws):
    pass


class TestModules(Crowded, ModuleLaws):
    pass


class TestWebhooks(InMemory, WebhookLaws):
    pass


class TestChannelLanes(InMemory, ChannelLaneLaws):
    pass


class TestChannelCalls(InMemory, ChannelCallLaws):
    pass


class TestChannelRecords(InMemory, ChannelRecordLaws):
    pass


class TestChannelRevisions(InMemory, ChannelRevisionLaws):
    pass


class TestChannelOperations(InMemory, ChannelOperationLaws):
    pass


class TestLists(InMemory, ListLaws):
    pass


class TestTenancy(InMemory, TenancyLaws):
    pass


class TestGuests(InMemory, GuestLaws):
    pass


class TestRestrictions(InMemory, RestrictionLaws):
    pass


class TestAvailability(InMemory, AvailabilityLaws):
    pass


class TestPrices(InMemory, PriceLaws):
    pass


class TestQuotes(InMemory, QuoteLaws):
    pass


class TestExchangeRates(InMemory, ExchangeRateLaws):
    pass


class TestBookedQuotes(Crowded, BookedQuoteLaws):
    pass


class TestAccess(InMemory, AccessLaws):
    pass


class TestPlaces(InMemory, PlaceLaws):
    pass


class TestRepetitions(InMemory, RepetitionLaws):
    pass


@pytest.mark.race
class TestAccessRaces(Crowded, AccessRaceLaws):
    pass


@pytest.mark.race
class TestRaces(Crowded, RaceLaws):
    ROUNDS = 300


@pytest.mark.nightly
@pytest.mark.race
class TestManyRaces(Crowded, RaceLaws):
    THREADS, ROUNDS = 64, 500
