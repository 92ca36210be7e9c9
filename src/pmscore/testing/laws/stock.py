"""Laws of the two layers of stock: what is claimed is claimed once, and comes free again.

Owns what every store must answer to claims, changes of claims and changes of capacity. Leaves claims that
race to ``races`` and long random sequences to :mod:`pmscore.testing.histories`.
"""

from __future__ import annotations

from datetime import timedelta

from pmscore.booking.model.lifecycle import Act
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import BlockKind
from pmscore.inventory.model.holds import HoldStatus
from pmscore.inventory.model.stock import Claim, ClaimKind, StockChange
from pmscore.kernel.errors import NightsTakenError, NotFoundError, PmsError
from pmscore.kernel.ids import UnitId, UnitTypeId
from pmscore.testing.draws import Draws
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised, taken_nights
from pmscore.testing.scenes import FIRST_DAY, hotel, nights, pool, stay

__all__ = ["StockLaws"]

ROUNDS = 40


def _night(number: int) -> int:
    return FIRST_DAY.toordinal() + number


class StockLaws(StoreLaws):
    """No night is claimed twice; a change that does not fit loses nothing; what ends is free."""

    def test_a_unit_has_one_claim_a_night_whatever_the_kind(self) -> None:
        """Booking, hold and block keep each other from the same unit and night."""
        scene = self.scene(hotel(2))
        unit = scene.unit()
        scene.book(scene.request(stay(0, 3), unit_id=unit.unit_id))
        hold = scene.hold(stay(4, 2), unit_id=unit.unit_id)
        scene.block(unit.unit_id, nights(8, 2), BlockKind.OUT_OF_ORDER)
        for when in (stay(2, 1), stay(5, 1), stay(9, 4), stay(3, 6)):
            wanted = scene.request(when, unit_id=unit.unit_id)
            raised(NightsTakenError, scene.book, wanted)
            raised(NightsTakenError, scene.hold, when, unit_id=unit.unit_id)
            raised(NightsTakenError, scene.block, unit.unit_id, DateRange.from_stay(when))
        scene.release(hold.hold_id)
        scene.book(scene.request(stay(4, 2), unit_id=unit.unit_id))
        all_agree(scene)

    def test_a_refusal_names_each_taken_night_with_its_unit(self) -> None:
        """Only nights that are taken are named, and they are among those wanted."""
        scene = self.scene(hotel(2))
        unit = scene.unit()
        scene.book(scene.request(stay(1, 2), unit_id=unit.unit_id))
        found = taken_nights(lambda: scene.book(scene.request(stay(0, 5), unit_id=unit.unit_id)))
        taken = {("unit_taken", _night(1), str(unit.unit_id)), ("unit_taken", _night(2), str(unit.unit_id))}
        assert found == taken, found

    def test_a_refusal_names_each_full_night_with_its_type(self) -> None:
        """A type that is sold by number is refused by night and type."""
        scene = self.scene(pool(1))
        scene.book(stay(1, 2))
        found = taken_nights(lambda: scene.book(stay(0, 5)))
        type_id = str(scene.type_ids[0])
        assert found == {("type_full", _night(1), type_id), ("type_full", _night(2), type_id)}, found

    def test_a_type_takes_as_many_as_its_capacity_and_allowance(self) -> None:
        """The limit is capacity plus overbooking, on each night for itself."""
        scene = self.scene(pool(2, overbooking=1))
        for _ in range(3):
            scene.book(stay(0, 2))
        raised(NightsTakenError, lambda: scene.book(stay(1, 2)))
        scene.book(stay(2, 1))
        all_agree(scene)

    def test_nights_before_the_capacity_begins_have_no_room(self) -> None:
        """Before its first validity date a type has no capacity."""
        scene = self.scene(pool(2))
        type_id = scene.type_ids[0]
        day_before = nights(-1, 1)
        claim = Claim(ClaimKind.BOOKED, scene.ids.new(), type_id, day_before)
        with scene.begin() as work:
            work.stock.change(StockChange.claiming(claim))
            raised(NightsTakenError, work.commit)

    def test_a_booking_gets_all_its_rooms_or_none(self) -> None:
        """Where the last of several rooms does not fit, nothing of the booking is kept."""
        scene = self.scene(hotel(2), pool(1))
        scene.book(scene.request(stay(3), unit_type_id=scene.type_ids[1]))
        rooms = (scene.request(stay(3)), scene.request(stay(3), unit_type_id=scene.type_ids[1]))
        raised(NightsTakenError, lambda: scene.book(*rooms))
        assert scene.guest().metrics.total_bookings == 1
        scene.book(stay(3), stay(3))
        all_agree(scene)

    def test_two_rooms_of_one_booking_cannot_share_a_unit(self) -> None:
        """A booking is no exception to one claim a unit and night."""
        scene = self.scene(hotel(2))
        wanted = scene.request(stay(0, 2), unit_id=scene.unit().unit_id)
        raised(NightsTakenError, lambda: scene.book(wanted, wanted))
        all_agree(scene)

    def test_a_change_keeps_the_nights_that_both_sides_have(self) -> None:
        """Moving a stay by a night needs only the new night."""
        scene = self.scene(hotel(1))
        receipt = scene.book(stay(0, 3))
        scene.move_stay(receipt.booking_id, stay(1, 3))
        scene.book(stay(0, 1))
        raised(NightsTakenError, lambda: scene.book(stay(3, 1)))
        all_agree(scene)

    def test_a_change_that_does_not_fit_loses_nothing(self) -> None:
        """The old nights stay claimed where the new ones are taken."""
        scene = self.scene(hotel(1))
        receipt = scene.book(stay(0, 3))
        scene.book(stay(4, 2))
        raised(NightsTakenError, lambda: scene.move_stay(receipt.booking_id, stay(1, 5)))
        assert scene.booking(receipt.booking_id).rooms[0].stay == stay(0, 3)
        raised(NightsTakenError, lambda: scene.book(stay(0, 1)))
        all_agree(scene)

    def test_random_changes_of_stays_answer_as_sets_of_nights_would(self) -> None:
        """Two bookings on one unit: a move is granted exactly if it meets no night of the other."""
        scene = self.scene(hotel(1))
        draws = Draws(20300101)
        stays = [stay(0, 2), stay(10, 2)]
        bookings = [scene.book(each).booking_id for each in stays]
        for _ in range(ROUNDS):
            mover = draws.below(2)
            wanted = stay(draws.below(12), draws.between(1, 6))
            if wanted.overlaps(stays[1 - mover]):
                raised(NightsTakenError, scene.move_stay, bookings[mover], wanted)
            else:
                scene.move_stay(bookings[mover], wanted)
                stays[mover] = wanted
        all_agree(scene)

    def test_what_ends_is_free_at_once(self) -> None:
        """Cancelling, releasing, lifting: each leaves its nights to the next."""
        scene = self.scene(hotel(1))
        for _ in range(2):
            receipt = scene.book(stay(0, 4))
            scene.act(receipt.booking_id, Act.CANCEL)
            hold = scene.hold(stay(0, 4))
            assert scene.release(hold.hold_id).status is HoldStatus.RELEASED
            block = scene.block(scene.unit().unit_id, nights(0, 4))
            scene.lift(block.block_id)
            raised(NotFoundError, scene.lift, block.block_id)
        all_agree(scene)

    def test_an_expired_hold_gives_way_and_a_running_one_does_not(self) -> None:
        """Whoever wants the nights of a hold that is over gets them, and the hold is marked expired."""
        scene = self.scene(hotel(1, turnover_nights=1))
        hold = scene.hold(stay(2, 2), minutes=30)
        raised(NightsTakenError, lambda: scene.book(stay(0, 3)))
        scene.clock.advance(timedelta(minutes=30))
        receipt = scene.book(stay(4, 1))
        scene.book(stay(1, 2))
        with scene.begin() as work:
            assert work.holds.get(hold.hold_id).status is HoldStatus.EXPIRED
        scene.act(receipt.booking_id, Act.CANCEL)
        all_agree(scene)

    def test_holds_that_do_not_stand_in_the_way_are_left_alone(self) -> None:
        """An expired hold on other nights, or of another type, is not touched."""
        scene = self.scene(hotel(1), hotel(1))
        first, second = scene.type_ids
        elsewhere = scene.hold(stay(0), unit_type_id=second)
        later = scene.hold(stay(5), unit_type_id=first)
        scene.book(scene.request(stay(1), unit_type_id=first))
        scene.clock.advance(timedelta(hours=1))
        raised(NightsTakenError, lambda: scene.book(scene.request(stay(1), unit_type_id=first)))
        with scene.begin() as work:
            for hold in (elsewhere, later):
                assert work.holds.get(hold.hold_id).status is HoldStatus.ACTIVE
        all_agree(scene)

    def test_turnover_nights_are_claimed_after_each_departure(self) -> None:
        """Bookings and holds keep their unit empty for the type's turnover nights."""
        scene = self.scene(hotel(1, turnover_nights=2))
        scene.book(stay(0, 2))
        raised(NightsTakenError, lambda: scene.book(stay(3, 1)))
        scene.hold(stay(4, 1))
        raised(NightsTakenError, lambda: scene.book(stay(6, 1)))
        scene.book(stay(7, 1))
        all_agree(scene)

    def test_blocks_take_units_from_what_can_be_sold_by_type(self) -> None:
        """A blocked unit counts against its type."""
        scene = self.scene(hotel(2))
        scene.block(scene.unit(0).unit_id, nights(0, 2))
        scene.book(stay(0, 2))
        raised(NightsTakenError, lambda: scene.book(stay(1, 1)))
        all_agree(scene)

    def test_capacity_can_grow_and_shrink_to_what_is_claimed(self) -> None:
        """A capacity below the claims of a night is refused and changes nothing."""
        scene = self.scene(pool(2))
        type_id = scene.type_ids[0]
        scene.book(stay(2, 2))
        scene.book(stay(3, 1))
        error = raised(NightsTakenError, lambda: scene.set_rooms(type_id, 1))
        assert all(each.code == "type_full" for each in error.violations), error.violations
        assert scene.type().capacity_on(FIRST_DAY) == 2
        scene.set_rooms(type_id, 1, first=4)
        scene.book(stay(4, 1))
        raised(NightsTakenError, lambda: scene.book(stay(4, 1)))
        scene.set_rooms(type_id, 3)
        scene.book(stay(3, 1))
        raised(NightsTakenError, lambda: scene.book(stay(3, 1)))
        all_agree(scene)

    def test_an_allowance_can_be_withdrawn_only_where_it_is_not_used(self) -> None:
        """Lowering the overbooking below the claims of a night to come is refused."""
        scene = self.scene(pool(1, overbooking=1))
        type_id = scene.type_ids[0]
        first, _ = scene.book(stay(5)), scene.book(stay(5))
        raised(NightsTakenError, lambda: scene.set_rooms(type_id, 1, overbooking=0))
        scene.act(first.booking_id, Act.CANCEL)
        scene.set_rooms(type_id, 1, overbooking=0)
        raised(NightsTakenError, lambda: scene.book(stay(5)))
        all_agree(scene)

    def test_an_oversold_booking_claims_nothing(self) -> None:
        """It is stored and flagged, and the night it found full is no fuller."""
        scene = self.scene(hotel(1))
        first = scene.book(stay(0, 2))
        oversold = scene.book(stay(0, 2), may_oversell=True)
        assert oversold.is_oversold
        scene.act(first.booking_id, Act.CANCEL)
        scene.book(stay(0, 2))
        scene.act(oversold.booking_id, Act.CANCEL)
        all_agree(scene)

    def test_occupancy_shows_the_claimed_nights_of_each_unit(self) -> None:
        """Bit 0 is the first night of the range; units without a claim are left out."""
        scene = self.scene(hotel(3))
        first, second = scene.unit(0).unit_id, scene.unit(1).unit_id
        scene.book(scene.request(stay(1, 2), unit_id=first))
        scene.block(first, nights(6, 1))
        scene.hold(stay(0, 2), unit_id=second)
        expected: dict[UnitId, int] = {first: 0b100011, second: 0b1}
        with scene.begin() as work:
            found = work.stock.unit_occupancy(scene.type_ids[0], nights(1, 6))
        assert dict(found) == expected, found

    def test_claims_on_types_and_units_of_nobody_are_refused(self) -> None:
        """A claim must be on a type, and on a unit, of this agency; nothing of it is kept."""
        scene = self.scene(hotel(1))
        nobody = UnitTypeId(scene.ids.new())
        strays = (
            Claim(ClaimKind.BOOKED, scene.ids.new(), nobody, nights(0)),
            Claim(ClaimKind.BOOKED, scene.ids.new(), scene.type_ids[0], nights(0), UnitId(scene.ids.new())),
        )
        for stray in strays:
            with scene.begin() as work:
                work.stock.change(StockChange.claiming(stray))
                raised(PmsError, work.commit)
        scene.book(stay(0))
        all_agree(scene)

    def test_what_was_never_claimed_cannot_be_given_up(self) -> None:
        """Counters never fall below nothing."""
        scene = self.scene(pool(1))
        claim = Claim(ClaimKind.BOOKED, scene.ids.new(), scene.type_ids[0], nights(0))
        with scene.begin() as work:
            work.stock.change(StockChange.releasing(claim))
            raised(PmsError, work.commit)
        all_agree(scene)

    def test_leaving_without_a_commit_undoes_everything(self) -> None:
        """Claims, aggregates and events of a transaction that was left are nowhere."""
        scene = self.scene(pool(1))
        events = len(scene.store.events_after((0, 0)))
        guest = scene.guest()
        with scene.begin() as work:
            claim = Claim(ClaimKind.BOOKED, scene.ids.new(), scene.type_ids[0], nights(0))
            work.stock.change(StockChange.claiming(claim))
            work.record(*guest.added().events)
        assert len(scene.store.events_after((0, 0))) == events
        scene.book(stay(0))
        all_agree(scene)
