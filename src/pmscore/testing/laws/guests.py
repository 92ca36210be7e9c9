"""Laws of a guest's figures: they always say what the guest's bookings say.

Owns profile and figures in the store; which status counts is decided by the booking's life cycle.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve
from hypothesis import given, settings

from pmscore.booking.model.lifecycle import Act
from pmscore.guests.model import Guest, MetricsChange
from pmscore.guests.use_cases import ChangeGuest, change_guest
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import NightsTakenError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import BookingId, GuestId
from pmscore.kernel.money import Money
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import EUR, RATE, Scene, hotel, pool, stay
from pmscore.testing.strategies import guests

__all__ = ["GuestLaws"]


class GuestLaws(StoreLaws):
    """Figures move in the transaction of the booking, and back with it."""

    def test_any_profile_comes_back_equal(self) -> None:
        """Names in any script survive the store."""
        scene = self.scene()

        @settings(max_examples=40, deadline=None, derandomize=True, database=None)
        @given(drawn=guests())
        def comes_back(drawn: Guest) -> None:
            guest = evolve(drawn, guest_id=GuestId(scene.ids.new()))
            with scene.begin() as work:
                work.guests.add(guest)
                work.commit()
            with scene.begin() as work:
                assert work.guests.get(guest.guest_id) == guest

        comes_back()

    def test_a_new_guest_has_no_figures(self) -> None:
        """Nothing counted, nothing spent, no first booking, no rating."""
        metrics = self.scene().guest().metrics
        assert (metrics.total_bookings, metrics.total_spent, metrics.average_rating) == (0, (), None)
        assert metrics.first_booking_at is None
        assert metrics.last_booking_at is None

    def test_a_profile_is_changed_where_it_is_said_to_be_and_nowhere_else(self) -> None:
        """Its figures stay; the event names fields, no values; the same again writes nothing."""
        scene = self.scene()
        scene.book(stay(0))
        before = scene.guest()
        change = ChangeGuest(**scene.asked(), guest_id=scene.guest_id, email="n@example.com", country="PT")
        changed = change_guest(change, uow=scene.store, clock=scene.clock)
        assert scene.guest() == changed
        expected = evolve(
            before, email="n@example.com", country="PT", updated_at=scene.clock.now(), version=2
        )
        assert changed == expected
        event = scene.store.events_after((0, 0), scene.agency_id)[-1]
        assert (event.kind, event.payload) == ("guest.updated", {"fields": ["country", "email"]})
        assert change_guest(change, uow=scene.store, clock=scene.clock) == changed
        all_agree(scene)

    def test_two_who_change_a_profile_at_once_do_not_overwrite_each_other(self) -> None:
        """Whoever has seen an older version is refused, by the use case and by the store."""
        scene = self.scene()
        seen = scene.guest()
        first = ChangeGuest(**scene.asked(), guest_id=scene.guest_id, phone="1", expected_version=1)
        change_guest(first, uow=scene.store, clock=scene.clock)
        raised(StaleVersionError, lambda: change_guest(first, uow=scene.store, clock=scene.clock))

        def overwrite() -> None:
            with scene.begin() as work:
                work.guests.save(evolve(seen, phone="2", version=2))
                work.commit()

        raised(StaleVersionError, overwrite)
        assert scene.guest().phone == "1"

    def test_bookings_count_until_they_are_cancelled(self) -> None:
        """Cancelling the first makes the second the first; reinstating turns it back."""
        scene = self.scene(pool(9))
        made_at: list[datetime] = []
        bookings: list[BookingId] = []
        for _ in range(3):
            made_at.append(scene.clock.now())
            bookings.append(scene.book(stay(5)).booking_id)
            scene.clock.advance(timedelta(hours=1))
        assert _counted(scene.guest()) == (3, made_at[0], made_at[2])
        scene.act(bookings[0], Act.CANCEL)
        assert _counted(scene.guest()) == (2, made_at[1], made_at[2])
        scene.act(bookings[2], Act.CANCEL)
        assert _counted(scene.guest()) == (1, made_at[1], made_at[1])
        scene.act(bookings[1], Act.CANCEL)
        assert _counted(scene.guest()) == (0, None, None)
        scene.act(bookings[2], Act.REINSTATE)
        assert _counted(scene.guest()) == (1, made_at[2], made_at[2])
        all_agree(scene)

    def test_only_stays_that_ended_are_money_spent(self) -> None:
        """Spent at check-out, taken back where it is undone."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0, 3)).booking_id
        scene.act(booking_id, Act.CHECK_IN)
        assert _spent(scene.guest()) == ()
        scene.act(booking_id, Act.CHECK_OUT)
        assert _spent(scene.guest()) == (Money(3 * RATE.minor, EUR),)
        scene.act(booking_id, Act.UNDO_CHECK_OUT)
        assert _spent(scene.guest()) == ()
        scene.act(booking_id, Act.CHECK_OUT)
        scene.act(booking_id, Act.REFUND)
        assert _spent(scene.guest()) == ()
        assert scene.guest().metrics.total_bookings == 0
        all_agree(scene)

    def test_amounts_are_summed_by_currency_in_the_order_of_the_codes(self) -> None:
        """Two currencies are never added."""
        scene = self.scene()
        yen = Currency.of("JPY")
        sums = (Money(500, yen), Money(7, EUR), Money(3, EUR))
        _spend(scene, *sums)
        assert _spent(scene.guest()) == (Money(10, EUR), Money(500, yen))
        _spend(scene, *(Money(-each.minor, each.currency) for each in sums))
        assert _spent(scene.guest()) == ()
        all_agree(scene)

    def test_a_refused_booking_leaves_the_figures_alone(self) -> None:
        """Nothing is counted for what was not written."""
        scene = self.scene(hotel(1))
        scene.book(stay(0))
        raised(NightsTakenError, lambda: scene.book(stay(0)))
        assert scene.guest().metrics.total_bookings == 1

    def test_a_booking_for_nobody_is_refused(self) -> None:
        """A guest must exist in this agency."""
        scene = self.scene()
        raised(NotFoundError, lambda: scene.book(stay(0), guest=GuestId(scene.ids.new())))
        all_agree(scene)

    def test_a_guest_can_be_made_with_the_booking(self) -> None:
        """Profile, booking and figures come in one transaction, or none of them."""
        scene = self.scene(hotel(1))
        newcomer = evolve(scene.guest(), guest_id=GuestId(scene.ids.new()), name="Zoë Müller")
        scene.book(stay(0), guest=newcomer)
        with scene.begin() as work:
            found = work.guests.get(newcomer.guest_id)
        assert (found.name, found.metrics.total_bookings) == ("Zoë Müller", 1)
        unlucky = evolve(newcomer, guest_id=GuestId(scene.ids.new()))
        raised(NightsTakenError, lambda: scene.book(stay(0), guest=unlucky))
        with scene.begin() as work:
            raised(NotFoundError, lambda: work.guests.get(unlucky.guest_id))
        all_agree(scene)


def _counted(guest: Guest) -> tuple[int, datetime | None, datetime | None]:
    metrics = guest.metrics
    return metrics.total_bookings, metrics.first_booking_at, metrics.last_booking_at


def _spend(scene: Scene, *amounts: Money) -> None:
    with scene.begin() as work:
        for amount in amounts:
            work.guests.count(
                MetricsChange(guest_id=scene.guest_id, bookings=0, spent=amount, booked_at=scene.clock.now())
            )
        work.commit()


def _spent(guest: Guest) -> tuple[Money, ...]:
    """Return the sums that are not nothing; a store may keep a sum that went back to zero."""
    return tuple(amount for amount in guest.metrics.total_spent if amount.minor)
