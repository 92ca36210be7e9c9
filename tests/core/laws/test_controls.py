"""Laws are worth something only if they fail on stores that break them."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from attrs import evolve

from pmscore.inventory.model.stock import StockChange
from pmscore.testing.laws.booked_quotes import BookedQuoteLaws
from pmscore.testing.laws.exchange_rates import ExchangeRateLaws
from pmscore.testing.laws.idempotency import IdempotencyLaws
from pmscore.testing.laws.modules import ModuleLaws
from pmscore.testing.laws.prices import PriceLaws
from pmscore.testing.laws.quotes import QuoteLaws
from pmscore.testing.laws.races import RaceLaws
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.laws.stock import StockLaws
from pmscore.testing.laws.tenancy import TenancyLaws
from pmscore.testing.laws.webhooks import WebhookLaws
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.naive import NaiveStore
from pmscore.testing.races import race
from pmscore.testing.scenes import hotel, open_scene, pool
from pmscore.testing.webhook_log import Lease


class MeetingPoint:
    """Lets each pair of threads go on together, or one alone after a moment."""

    def __init__(self):
        self._barrier = threading.Barrier(2)

    def __call__(self):
        try:
            self._barrier.wait(timeout=0.05)
        except threading.BrokenBarrierError:
            self._barrier.reset()


@pytest.mark.race
@pytest.mark.parametrize("unit_type", [hotel(1), pool(2)], ids=["unit", "pool"])
def test_a_store_that_checks_before_it_inserts_sells_a_room_twice(unit_type):
    store = NaiveStore(MeetingPoint())
    scene = open_scene(store, SeededIds("naive"), unit_type)
    report = race(scene, threads=8, rounds=10)
    assert max(report.winners) > unit_type.rooms
    assert store.violated_invariants()


@pytest.mark.race
def test_the_race_law_fails_on_a_store_that_checks_before_it_inserts():
    store = NaiveStore(MeetingPoint())

    class Laws(RaceLaws):
        THREADS, ROUNDS = 8, 10

        def store(self):
            return store

    with pytest.raises(AssertionError):
        Laws().test_the_last_unit_is_sold_once()


class ForgetfulStore(InMemoryStore):
    """Never gives nights back."""

    def write(self, transaction):
        changes = transaction.changes
        changes.stock = [StockChange((), each.after) for each in changes.stock if not each.before]
        super().write(transaction)


class SharedStore(InMemoryStore):
    """Keeps all agencies in one set of books."""

    def begin(self, command):
        shared = self.books(next(iter(self._books), command.agency_id))
        self._books[command.agency_id] = shared
        return super().begin(command)


class KeylessStore(InMemoryStore):
    """Forgets replies."""

    def commit(self, transaction, once):
        super().commit(transaction, None)


class UncountingStore(InMemoryStore):
    """Never counts the use of a promotion."""

    def write(self, transaction):
        transaction.changes.promotion_uses.clear()
        super().write(transaction)


class UnreturningStore(InMemoryStore):
    """Never takes the use of a promotion back."""

    def write(self, transaction):
        transaction.changes.given_back.clear()
        super().write(transaction)


class RenumberingStore(InMemoryStore):
    """Takes every price list for the next version."""

    def write(self, transaction):
        books = transaction.books.price_books
        transaction.changes.price_books[:] = [
            evolve(each, version=len(books.get(each.property_id, ())) + 1)
            for each in transaction.changes.price_books
        ]
        super().write(transaction)


class MeetingStore(RenumberingStore):
    """Lets two that have read the same list go on to their commits together."""

    meet = MeetingPoint()

    def commit(self, transaction, once):
        self.meet()
        super().commit(transaction, once)


class KeepingStore(InMemoryStore):
    """Keeps the first rate of a day."""

    def write(self, transaction):
        known, changes = transaction.books.exchange_rates, transaction.changes
        changes.exchange_rates = {
            key: rate for key, rate in changes.exchange_rates.items() if key not in known
        }
        super().write(transaction)


class FloatingStore(InMemoryStore):
    """Takes rates through a binary fraction."""

    def write(self, transaction):
        changes = transaction.changes
        changes.exchange_rates = {
            key: evolve(rate, units=int(float(rate.plain()) * 10**10))
            for key, rate in changes.exchange_rates.items()
        }
        super().write(transaction)


class UnmarkingStore(InMemoryStore):
    """Forgets that a quote was booked."""

    def write(self, transaction):
        changes = transaction.changes
        changes.quotes = {
            key: kept for key, kept in changes.quotes.items() if not kept or not kept.booking_id
        }
        super().write(transaction)


class LeaselessStore(InMemoryStore):
    """Forgets who has a message in hand, and takes anybody's word for what became of it."""

    def write(self, transaction):
        log, changes = transaction.books.webhooks, transaction.changes.webhooks
        changes.leases.clear()
        for delivery, _, holder in changes.recorded:
            log.leases[delivery.delivery_id] = Lease(holder, delivery.created_at)
        super().write(transaction)


class RepeatingStore(InMemoryStore):
    """Makes a message each time that it is told of an event."""

    def write(self, transaction):
        changes = transaction.changes.webhooks
        changes.told[:] = [evolve(each, event_id=uuid4()) for each in changes.told]
        super().write(transaction)


class ObedientStore(InMemoryStore):
    """Takes every decision on a module for the next one."""

    def write(self, transaction):
        kept, changes = transaction.books.features, transaction.changes
        for name, feature in changes.features.items():
            if name in kept:
                changes.features[name] = evolve(feature, version=kept[name].version + 1)
        super().write(transaction)


@pytest.mark.parametrize(
    ("store", "laws", "law"),
    [
        (UncountingStore, BookedQuoteLaws, "test_a_promotion_is_used_as_often_as_it_may_be"),
        (UncountingStore, BookedQuoteLaws, "test_the_last_use_of_a_promotion_is_given_once"),
        (
            UnreturningStore,
            BookedQuoteLaws,
            "test_a_booking_that_ends_without_a_stay_gives_its_use_back_once",
        ),
        (UnreturningStore, BookedQuoteLaws, "test_of_many_who_cancel_at_once_one_gives_the_use_back"),
        (UncountingStore, BookedQuoteLaws, "test_a_guest_who_does_not_come_has_used_the_promotion"),
        (RenumberingStore, PriceLaws, "test_the_store_refuses_every_version_but_the_next"),
        (MeetingStore, PriceLaws, "test_of_two_at_once_one_wins"),
        (UnmarkingStore, BookedQuoteLaws, "test_a_quote_is_booked_once"),
        (UnmarkingStore, BookedQuoteLaws, "test_of_many_at_once_one_books"),
        (UnmarkingStore, BookedQuoteLaws, "test_what_was_quoted_is_booked"),
        (KeepingStore, ExchangeRateLaws, "test_the_same_day_twice_replaces"),
        (FloatingStore, ExchangeRateLaws, "test_rates_come_back_equal"),
        (SharedStore, ExchangeRateLaws, "test_another_agency_has_rates_of_its_own"),
        (SharedStore, WebhookLaws, "test_another_agency_has_endpoints_of_its_own"),
        (LeaselessStore, WebhookLaws, "test_what_one_has_in_hand_nobody_else_gets_until_the_lease_is_over"),
        (LeaselessStore, WebhookLaws, "test_many_at_once_carry_each_message_once"),
        (RepeatingStore, WebhookLaws, "test_an_event_is_one_message_to_each_endpoint_that_wants_it"),
        (SharedStore, ModuleLaws, "test_another_agency_decides_for_itself"),
        (ObedientStore, ModuleLaws, "test_of_two_who_have_read_the_same_the_second_is_refused"),
        (SharedStore, PriceLaws, "test_another_agency_sees_no_prices"),
        (SharedStore, QuoteLaws, "test_another_agency_sees_no_quote"),
        (ForgetfulStore, StockLaws, "test_what_ends_is_free_at_once"),
        (ForgetfulStore, StockLaws, "test_a_change_keeps_the_nights_that_both_sides_have"),
        (SharedStore, TenancyLaws, "test_ids_of_another_agency_are_not_found"),
        (SharedStore, TenancyLaws, "test_houses_rules_and_guests_of_another_agency_are_not_found"),
        (KeylessStore, IdempotencyLaws, "test_a_repetition_returns_the_first_reply_and_does_nothing"),
    ],
)
def test_a_law_fails_on_a_store_that_breaks_it(store, laws, law):
    class Laws(laws):
        def store(self):
            return broken

    broken = store(lock_timeout=timedelta(milliseconds=100))
    with pytest.raises(Exception):  # noqa: B017 - how a broken store fails is its own affair
        getattr(Laws(), law)()


def test_a_suite_must_say_which_store_it_is_about():
    with pytest.raises(NotImplementedError):
        StoreLaws().scene()


def test_an_expected_refusal_that_does_not_come_fails_the_law():
    from pmscore.kernel.errors import NotFoundError

    with pytest.raises(AssertionError, match="expected NotFoundError"):
        raised(NotFoundError, lambda: 1)
