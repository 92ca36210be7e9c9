"""Laws of allotments: what is kept for a channel is sold by nobody else, and a sale takes nothing twice.

Owns what every store must answer to allotments made, changed, sold from, released and ended. Leaves which
bookings are a channel's to the channels.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from attrs import evolve

from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.accompanying import Accompanied
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import ClaimKind
from pmscore.inventory.use_cases.allotments import (
    ChangeAllotment,
    EndAllotment,
    MakeAllotment,
    ReleaseAllotments,
    Sale,
    change_allotment,
    end_allotment,
    make_allotment,
    move_allotments,
    release_allotments,
)
from pmscore.kernel.errors import (
    InvalidInputError,
    KeyReusedError,
    NightsTakenError,
    NotFoundError,
    StaleVersionError,
)
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import AllotmentId, BookingId
from pmscore.testing.draws import Draws
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.races import at_once
from pmscore.testing.scenes import Scene, hotel, nights, pool, stay

__all__ = ["AllotmentLaws"]

CHANNEL = "ota"


class AllotmentLaws(StoreLaws):
    """A kept room is claimed like a sold one, until a sale takes its place or it is released."""

    THREADS: ClassVar[int] = 8

    def test_made_twice_under_one_key_it_is_made_once(self) -> None:
        """A repetition gets the allotment as it was made, whatever became of it, and another request under its key nothing."""
        scene = self.scene(pool(3))
        make = MakeAllotment(
            **scene.asked(),
            once=OnceKey("k", "POST /allotments", "first"),
            property_id=scene.property_id,
            unit_type_id=scene.type_ids[0],
            channel=CHANNEL,
            nights=nights(1, 3),
            guaranteed=2,
            cap=3,
            release_days=1,
            release_on=nights(3, 1).start,
        )
        made = _made_by(scene, make)
        assert _made_by(scene, make) == made
        with scene.begin() as work:
            assert work.allotments.read(made.allotment_id) == made
        end_allotment(EndAllotment(**scene.asked(), allotment_id=made.allotment_id), uow=scene.store)
        assert _made_by(scene, make) == made
        assert not _all(scene)
        other = evolve(make, once=OnceKey("k", "POST /allotments", "second"))
        raised(KeyReusedError, _made_by, scene, other)
        with scene.begin() as work:
            raised(NotFoundError, work.allotments.read, made.allotment_id)

    def test_what_is_kept_for_a_channel_is_sold_by_nobody_else(self) -> None:
        """Direct sales get what is left over, and everything again when the allotment ends."""
        scene = self.scene(pool(3))
        kept = _made(scene, nights(0, 4), guaranteed=2)
        scene.book(stay(1, 2))
        raised(NightsTakenError, scene.book, stay(2, 3))
        raised(NightsTakenError, scene.book, scene.request(stay(0, 4)), scene.request(stay(0, 4)))
        assert _counts(scene, nights(0, 5), ClaimKind.ALLOTTED) == (2, 2, 2, 2, 0)
        end_allotment(EndAllotment(**scene.asked(), allotment_id=kept.allotment_id), uow=scene.store)
        scene.book(scene.request(stay(0, 4)), scene.request(stay(0, 4)))
        assert _counts(scene, nights(0, 5), ClaimKind.ALLOTTED) == (0, 0, 0, 0, 0)
        all_agree(scene)

    def test_a_sale_of_the_channel_takes_the_place_of_a_kept_room(self) -> None:
        """In a full house the channel sells what is kept for it, and no night has a claim more than before."""
        scene = self.scene(hotel(2))
        _made(scene, nights(0, 3), guaranteed=1)
        scene.book(stay(0, 3))
        raised(NightsTakenError, scene.book, stay(1, 1))
        before = _claimed(scene, nights(0, 4))
        _sell(scene, stay(1, 2))
        assert _claimed(scene, nights(0, 4)) == before
        assert _counts(scene, nights(0, 4), ClaimKind.ALLOTTED) == (1, 0, 0, 0)
        raised(NightsTakenError, _sell, scene, stay(1, 1))
        all_agree(scene)

    def test_a_sale_beyond_what_is_kept_takes_a_room_of_the_house(self) -> None:
        """Nights outside of the allotment, and rooms above the guarantee, are sold like any others."""
        scene = self.scene(pool(3))
        _made(scene, nights(1, 2), guaranteed=1)
        _sell(scene, stay(0, 4), stay(1, 1))
        assert _claimed(scene, nights(0, 5)) == (1, 2, 1, 1, 0)
        assert [each.sold for each in _all(scene)] == [(2, 1)]
        all_agree(scene)

    def test_what_the_channel_gives_back_is_kept_for_it_again(self) -> None:
        """The night goes from sold to kept without being anybody else's in between."""
        scene = self.scene(pool(1))
        _made(scene, nights(0, 2), guaranteed=1)
        booking_id = _sell(scene, stay(0, 2))
        with scene.begin() as work:
            (claim,) = work.bookings.get(booking_id).claims()
            sale = Sale(scene.type_ids[0], claim.nights, -1)
            (after,) = move_allotments(work, scene.property_id, CHANNEL, [sale])
            assert after.kept() == (1, 1)
            # It is left without a commit: giving back without the booking's claims would not fit.
        with scene.begin() as work:
            move_allotments(work, scene.property_id, CHANNEL, [sale])
            raised(NightsTakenError, work.commit)
        assert [each.sold for each in _all(scene)] == [(1, 1)]
        all_agree(scene)

    def test_as_many_sales_at_once_as_rooms_are_kept_win(self) -> None:
        """Under a race the kept rooms are sold once each, and claims never come to more than before."""
        kept = 3
        scene = self.scene(pool(5))
        _made(scene, nights(0, 2), guaranteed=kept)
        for _ in range(2):
            scene.book(stay(0, 2))
        before = _claimed(scene, nights(0, 2))
        calls: list[Callable[[], object]] = [lambda: _sell(scene, stay(0, 2))] * self.THREADS
        outcomes = at_once(calls)
        assert outcomes.count("won") == kept, outcomes
        assert set(outcomes) == {"won", "inventory_overlap"}, outcomes
        assert _claimed(scene, nights(0, 2)) == before
        all_agree(scene)

    def test_released_nights_are_sold_directly(self) -> None:
        """So many days before the night, or all of them on a day; what was released stays so."""
        scene = self.scene(pool(1))
        today = scene.clock.now().date()
        first = (nights(0, 1).start - today).days
        _made(scene, nights(0, 6), guaranteed=1, release_days=first + 2)
        assert _counts(scene, nights(0, 4), ClaimKind.ALLOTTED) == (0, 0, 1, 1)
        scene.book(stay(0, 2))
        raised(NightsTakenError, scene.book, stay(2, 1))
        assert _release(scene) == 0
        scene.clock.advance(timedelta(days=1))
        assert _release(scene) == 1
        assert _release(scene) == 0
        scene.book(stay(2, 1))
        raised(NightsTakenError, scene.book, stay(3, 1))
        all_agree(scene)

    def test_on_its_day_everything_is_released(self) -> None:
        """A fixed day lets all nights go, and later changes do not take them back."""
        scene = self.scene(pool(1))
        day = scene.clock.now().date() + timedelta(days=1)
        kept = _made(scene, nights(0, 3), guaranteed=1, release_on=day)
        raised(NightsTakenError, scene.book, stay(0, 3))
        scene.clock.advance(timedelta(days=1))
        assert _release(scene) == 1
        scene.book(stay(0, 3))
        _changed(scene, kept.allotment_id, nights(0, 3), guaranteed=1)
        assert _counts(scene, nights(0, 3), ClaimKind.ALLOTTED) == (0, 0, 0)
        all_agree(scene)

    def test_a_change_that_does_not_fit_loses_nothing(self) -> None:
        """Neither the old terms nor their claims; a stale change is refused."""
        scene = self.scene(pool(2))
        kept = _made(scene, nights(0, 3), guaranteed=1)
        scene.book(stay(1, 1))
        raised(NightsTakenError, _changed, scene, kept.allotment_id, nights(0, 3), guaranteed=2)
        assert _all(scene) == (kept,)
        after = _changed(scene, kept.allotment_id, nights(2, 2), guaranteed=2)
        assert _counts(scene, nights(0, 5), ClaimKind.ALLOTTED) == (0, 0, 2, 2, 0)
        stale = ChangeAllotment(
            **scene.asked(),
            allotment_id=kept.allotment_id,
            nights=nights(0, 1),
            guaranteed=1,
            expected_version=kept.version,
        )
        raised(StaleVersionError, change_allotment, stale, uow=scene.store, clock=scene.clock)
        assert _all(scene) == (after,)
        all_agree(scene)

    def test_two_allotments_of_the_same_nights_are_refused(self) -> None:
        """One sale would be taken off both; of another channel, or beside each other, they may stand."""
        scene = self.scene(pool(4))
        first = _made(scene, nights(0, 3), guaranteed=1)
        error = raised(InvalidInputError, _made, scene, nights(2, 2), guaranteed=1)
        assert error.reason == "allotment_overlaps"
        beside = _made(scene, nights(3, 2), guaranteed=1)
        raised(InvalidInputError, _changed, scene, beside.allotment_id, nights(2, 2), guaranteed=1)
        _changed(scene, first.allotment_id, nights(1, 2), guaranteed=1)
        assert _counts(scene, nights(0, 5), ClaimKind.ALLOTTED) == (0, 1, 1, 1, 1)
        all_agree(scene)

    def test_allotments_are_found_by_property_and_channel_and_nothing_else_is(self) -> None:
        """What is not there is not found, and a cap alone claims nothing."""
        scene = self.scene(pool(1))
        capped = _made(scene, nights(0, 3), cap=1)
        assert _counts(scene, nights(0, 3), ClaimKind.ALLOTTED) == (0, 0, 0)
        _sell(scene, stay(0, 2))
        (after,) = _all(scene)
        assert after.allotment_id == capped.allotment_id
        assert after.room_to_sell() == (0, 0, 1)
        with scene.begin() as work:
            assert work.allotments.of(scene.property_id, "another") == ()
            raised(NotFoundError, work.allotments.get, AllotmentId(UUID(int=0)))
        all_agree(scene)

    def test_counters_agree_after_whatever_happens(self) -> None:
        """Allotments, sales, direct bookings, releases and ends in any order."""
        scene = self.scene(pool(4))
        draws = Draws(7)
        kept, refused = 0, 0
        for _ in range(40):
            when = stay(draws.between(0, 6), draws.between(1, 3))
            standing = _all(scene)
            try:
                match draws.between(0, 5):
                    case 0:
                        _made(scene, DateRange.from_stay(when), guaranteed=draws.between(1, 2))
                    case 1 if standing:
                        ended = EndAllotment(**scene.asked(), allotment_id=standing[0].allotment_id)
                        end_allotment(ended, uow=scene.store)
                    case 2 if standing:
                        guaranteed = draws.between(1, 3)
                        _changed(scene, standing[-1].allotment_id, DateRange.from_stay(when), guaranteed)
                    case 3:
                        scene.book(when)
                    case _:
                        _sell(scene, when)
            except (NightsTakenError, InvalidInputError):
                refused += 1
            kept += sum(sum(each.kept()) for each in _all(scene))
            all_agree(scene)
        assert kept > 20, kept
        assert refused > 3, refused


def _made(
    scene: Scene,
    when: DateRange,
    *,
    guaranteed: int = 0,
    cap: int | None = None,
    release_days: int | None = None,
    release_on: date | None = None,
) -> Allotment:
    command = MakeAllotment(
        **scene.asked(),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        channel=CHANNEL,
        nights=when,
        guaranteed=guaranteed,
        cap=cap,
        release_days=release_days,
        release_on=release_on,
    )
    return _made_by(scene, command)


def _made_by(scene: Scene, command: MakeAllotment) -> Allotment:
    return make_allotment(command, uow=scene.store, clock=scene.clock, ids=scene.ids)


def _changed(scene: Scene, allotment_id: AllotmentId, when: DateRange, guaranteed: int) -> Allotment:
    command = ChangeAllotment(**scene.asked(), allotment_id=allotment_id, nights=when, guaranteed=guaranteed)
    return change_allotment(command, uow=scene.store, clock=scene.clock)


def _sell(scene: Scene, *stays: StayRange) -> BookingId:
    sales = tuple(Sale(scene.type_ids[0], DateRange.from_stay(each)) for each in stays)
    command = CreateBooking(
        **scene.asked(),
        property_id=scene.property_id,
        guest=scene.guest_id,
        rooms=tuple(scene.request(each) for each in stays),
    )

    def stage(work: ChannelWork) -> None:
        move_allotments(work, scene.property_id, CHANNEL, sales)

    selling = Accompanied(scene.store, stage)
    return create_booking(command, uow=selling, clock=scene.clock, ids=scene.ids).booking_id


def _release(scene: Scene) -> int:
    command = ReleaseAllotments(**scene.asked(), property_id=scene.property_id)
    return release_allotments(command, uow=scene.store, clock=scene.clock)


def _all(scene: Scene) -> tuple[Allotment, ...]:
    with scene.begin() as work:
        return work.allotments.of(scene.property_id)


def _counts(scene: Scene, when: DateRange, kind: ClaimKind) -> tuple[int, ...]:
    reader = scene.store.availability(scene.agency_id)
    found = reader.claims_by_kind(scene.type_ids, when, scene.clock.now())
    return found.get(scene.type_ids[0], {}).get(kind, (0,) * when.length)


def _claimed(scene: Scene, when: DateRange) -> tuple[int, ...]:
    reader = scene.store.availability(scene.agency_id)
    return reader.claimed(scene.type_ids, when, scene.clock.now()).get(scene.type_ids[0], (0,) * when.length)
