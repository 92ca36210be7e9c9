"""Laws of keeping bookings: what is stored comes back equal, locked, and in every status.

Owns the booking repository; leaves claims to ``stock`` and figures to ``guests``.
"""

from __future__ import annotations

import threading
from datetime import timedelta

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.replace_rooms import ReplaceRooms, replace_rooms
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.errors import (
    BusyError,
    NightsTakenError,
    NotFoundError,
    StaleVersionError,
    TransitionError,
)
from pmscore.kernel.ids import BookingId, BookingRoomId
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import Scene, hotel, nights, pool, stay
from pmscore.testing.strategies import bookings

__all__ = ["BookingLaws"]


class BookingLaws(StoreLaws):
    """A booking comes back as it was stored; who reads it to change it has it alone."""

    def test_any_booking_comes_back_equal(self) -> None:
        """Every field of every status survives the store, nasty texts included."""
        scene = self.scene(hotel(4), pool(9))
        house = scene.house()

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(drawn=st.data())
        def comes_back(drawn: st.DataObject) -> None:
            booking = _with_fresh_ids(drawn.draw(bookings(house, scene.guest_id)), scene)
            if _kept(scene, booking):
                assert scene.booking(booking.booking_id) == booking
                _end(scene, booking)

        comes_back()

    def test_an_unknown_booking_is_not_found(self) -> None:
        """The answer is an error, never None."""
        scene = self.scene()
        raised(NotFoundError, lambda: scene.booking(BookingId(scene.ids.new())))
        with scene.begin() as work:
            raised(NotFoundError, work.bookings.read, BookingId(scene.ids.new()))

    def test_a_booking_can_be_read_while_somebody_changes_it(self) -> None:
        """Reading asks for no lock and shows what was committed last."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0)).booking_id
        with scene.begin() as changing:
            locked = changing.bookings.get(booking_id)
            with scene.begin() as reading:
                assert reading.bookings.read(booking_id) == locked

    def test_versions_count_up_by_one(self) -> None:
        """Each change of a booking raises its version; a refused one does not."""
        scene = self.scene(hotel(1))
        receipt = scene.book(stay(2, 2))
        assert receipt.version == 1
        assert scene.move_stay(receipt.booking_id, stay(3, 2)).version == 2
        raised(TransitionError, lambda: scene.act(receipt.booking_id, Act.CHECK_OUT))
        assert scene.act(receipt.booking_id, Act.CANCEL).version == 3
        assert scene.act(receipt.booking_id, Act.CANCEL).version == 3
        assert scene.booking(receipt.booking_id).status is Status.CANCELLED

    def test_a_booking_that_is_being_changed_is_kept_from_others(self) -> None:
        """A second reader waits, then is told that it is busy; it sees the change if it waited long enough."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0)).booking_id
        outcomes: list[object] = []

        def read_too() -> None:
            try:
                outcomes.append(scene.booking(booking_id))
            except BusyError as error:
                outcomes.append(error)

        with scene.begin() as work:
            booking = work.bookings.get(booking_id)
            reader = threading.Thread(target=read_too)
            reader.start()
            reader.join()
            work.bookings.save(evolve(booking, notes="late arrival", version=2))
            work.commit()
        assert [type(each) for each in outcomes] == [BusyError], outcomes
        assert scene.booking(booking_id).notes == "late arrival"

    def test_a_booking_made_on_an_old_house_is_refused(self) -> None:
        """Whoever read the house before it changed is told so at the commit, and nothing is written."""
        scene = self.scene(pool(1))
        booking = scene.booking(scene.book(stay(9)).booking_id)
        draft = _with_fresh_ids(booking, scene)
        with scene.begin() as work:
            work.houses.get(scene.property_id)
            scene.set_rooms(scene.type_ids[0], 3)
            work.bookings.add(draft)
            work.guests.count(draft.metrics_since(None))
            work.stock.change(StockChange.claiming(*draft.claims()))
            raised(StaleVersionError, work.commit)
        raised(NotFoundError, lambda: scene.booking(draft.booking_id))
        all_agree(scene)

    def test_options_that_are_over_are_found_oldest_first(self) -> None:
        """Pending bookings of this property whose option has ended, and no others."""
        scene = self.scene(pool(9))
        now = scene.clock.now()
        made = [scene.book(stay(9), option_until=now + timedelta(hours=hours)) for hours in (3, 1, 2, 9)]
        scene.book(stay(9))
        scene.act(made[2].booking_id, Act.CONFIRM)
        with scene.begin() as work:
            assert work.bookings.due_options(scene.property_id, now) == ()
            due = work.bookings.due_options(scene.property_id, now + timedelta(hours=3))
        assert due == (made[1].booking_id, made[0].booking_id)

    def test_who_stays_on_given_nights_is_found(self) -> None:
        """Bookings with nights in the range, in the order of their ids; ended ones have no nights."""
        scene = self.scene(pool(9))
        inside = [scene.book(stay(first, 2)).booking_id for first in (4, 5, 6)]
        scene.book(stay(0, 4))
        scene.book(stay(7, 2))
        scene.act(scene.book(stay(5, 2)).booking_id, Act.CANCEL)
        with scene.begin() as work:
            found = work.bookings.staying(scene.property_id, nights(5, 2))
        assert [each.booking_id for each in found] == sorted(inside)

    def test_a_reinstated_booking_needs_free_nights(self) -> None:
        """Reinstating is a fresh claim: refused where the nights were sold, granted where they are free."""
        scene = self.scene(hotel(1))
        first = scene.book(stay(3, 2)).booking_id
        scene.act(first, Act.CANCEL)
        second = scene.book(stay(4, 2)).booking_id
        raised(NightsTakenError, lambda: scene.act(first, Act.REINSTATE))
        scene.act(second, Act.CANCEL)
        assert scene.act(first, Act.REINSTATE).status is Status.CONFIRMED
        raised(NightsTakenError, lambda: scene.book(stay(3, 1)))
        all_agree(scene)

    def test_an_early_departure_frees_the_nights_that_were_left(self) -> None:
        """After check-out only the nights before it stay claimed; undoing it claims the rest again."""
        scene = self.scene(hotel(1))
        booking_id = scene.book(stay(0, 4)).booking_id
        scene.act(booking_id, Act.CHECK_IN)
        scene.advance()
        scene.act(booking_id, Act.CHECK_OUT)
        other = scene.book(stay(2, 1)).booking_id
        raised(NightsTakenError, lambda: scene.act(booking_id, Act.UNDO_CHECK_OUT))
        scene.act(other, Act.CANCEL)
        assert scene.act(booking_id, Act.UNDO_CHECK_OUT).status is Status.CHECKED_IN
        raised(NightsTakenError, lambda: scene.book(stay(2, 1)))
        all_agree(scene)

    def test_rooms_can_be_replaced_by_more_and_by_fewer(self) -> None:
        """Whatever list of rooms follows on another, the booking has just these rooms, and the claims are theirs."""
        scene = self.scene(hotel(2), pool(3))
        booking_id = scene.book(stay(0, 2)).booking_id

        @settings(max_examples=25, deadline=None, derandomize=True, database=None)
        @given(
            drawn=st.lists(
                st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=4
            )
        )
        def follows(drawn: list[tuple[int, int, int]]) -> None:
            rooms = tuple(
                scene.request(stay(first, length), unit_type_id=scene.type_ids[number])
                for number, first, length in drawn
            )
            made = _replaced(scene, booking_id, rooms)
            assert scene.booking(booking_id) == made
            sold = sorted(
                (str(room.unit_type_id), room.stay.arrival, room.stay.departure) for room in made.rooms
            )
            assert sold == sorted(
                (str(each.unit_type_id), each.stay.arrival, each.stay.departure) for each in rooms
            )
            again = _replaced(scene, booking_id, rooms)
            assert again == made
            all_agree(scene)

        follows()

    def test_replaced_rooms_that_do_not_fit_lose_nothing(self) -> None:
        """Where the new nights are taken, the old ones are kept, all of them and in their unit."""
        scene = self.scene(hotel(1))
        before = scene.booking(scene.book(stay(0, 2)).booking_id)
        scene.book(stay(3, 1))
        longer = (scene.request(stay(0, 4)),)
        raised(NightsTakenError, lambda: _replaced(scene, before.booking_id, longer, may_oversell=False))
        assert scene.booking(before.booking_id) == before
        raised(NightsTakenError, lambda: scene.book(stay(1, 1)))
        all_agree(scene)


def _replaced(
    scene: Scene, booking_id: BookingId, rooms: tuple[RoomRequest, ...], *, may_oversell: bool = True
) -> Booking:
    command = ReplaceRooms(
        **scene.asked(), booking_id=booking_id, rooms=rooms, overrides_rules=True, may_oversell=may_oversell
    )
    return replace_rooms(command, uow=scene.store, clock=scene.clock, ids=scene.ids)


def _with_fresh_ids(booking: Booking, scene: Scene) -> Booking:
    rooms = tuple(evolve(room, room_id=BookingRoomId(scene.ids.new())) for room in booking.rooms)
    return evolve(booking, booking_id=BookingId(scene.ids.new()), rooms=rooms)


def _kept(scene: Scene, booking: Booking) -> bool:
    """Store a booking with its claims; False where the drawn rooms do not fit with each other."""
    with scene.begin() as work:
        work.bookings.add(booking)
        work.guests.count(booking.metrics_since(None))
        work.stock.change(StockChange.claiming(*booking.claims()))
        try:
            work.commit()
        except NightsTakenError:
            return False
    return True


def _end(scene: Scene, booking: Booking) -> None:
    """Cancel a booking whatever its status, so that the next one meets an empty house."""
    ended = evolve(booking, status=Status.CANCELLED, version=booking.version + 1)
    with scene.begin() as work:
        work.bookings.get(booking.booking_id)
        work.bookings.save(ended)
        work.guests.count(ended.metrics_since(booking))
        work.stock.change(StockChange(booking.claims(), ended.claims()))
        work.commit()
