"""Laws of reading availability: what is said to be free can be had, and nothing else can.

Owns the reader's agreement with the judge; what search makes of it is tested with its policies.
"""

from __future__ import annotations

from datetime import timedelta

from pmscore.availability.model import Occupant
from pmscore.booking.model.lifecycle import Act
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import BlockKind
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import NightsTakenError, NotFoundError
from pmscore.kernel.ids import PropertyId
from pmscore.testing.draws import Draws
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import Scene, hotel, nights, pool, stay

__all__ = ["AvailabilityLaws"]

RANGE = nights(0, 8)
ROUNDS = 40


class AvailabilityLaws(StoreLaws):
    """The reader shows one agency, counts each kind, and treats expired holds as gone."""

    def test_an_empty_house_has_every_unit_free_and_no_claims(self) -> None:
        """Types without claims may be left out of the counts; their units are free."""
        scene = self.scene(hotel(2), pool(3))
        assert _claimed(scene) == [(0,) * 8, (0,) * 8]
        assert _free(scene) == 2
        assert _occupied(scene) == []

    def test_each_kind_of_claim_is_counted_as_such(self) -> None:
        """Bookings, holds, blocks, broken units, turnover nights and oversold rooms, night by night."""
        scene = self.scene(hotel(3, turnover_nights=1))
        units = [scene.unit(number).unit_id for number in range(3)]
        scene.book(scene.request(stay(0, 2), unit_id=units[0]))
        scene.hold(stay(1, 1), unit_id=units[1])
        scene.block(units[2], nights(4, 1), BlockKind.MAINTENANCE)
        scene.block(units[2], nights(5, 1), BlockKind.OUT_OF_ORDER)
        reader = scene.store.availability(scene.agency_id)
        found = reader.claims_by_kind(scene.type_ids, RANGE, scene.clock.now())[scene.type_ids[0]]
        expected = {
            ClaimKind.BOOKED: (1, 1, 0, 0, 0, 0, 0, 0),
            ClaimKind.HELD: (0, 1, 0, 0, 0, 0, 0, 0),
            ClaimKind.BUFFER: (0, 0, 2, 0, 0, 0, 0, 0),
            ClaimKind.BLOCKED: (0, 0, 0, 0, 1, 0, 0, 0),
            ClaimKind.OUT_OF_ORDER: (0, 0, 0, 0, 0, 1, 0, 0),
        }
        assert {kind: counts for kind, counts in found.items() if any(counts)} == expected, found
        assert _claimed(scene) == [(1, 2, 2, 0, 1, 1, 0, 0)]

    def test_oversold_rooms_are_counted_beside_the_limit(self) -> None:
        """They are shown by kind and do not count as claimed."""
        scene = self.scene(pool(1))
        scene.book(stay(0, 2))
        scene.book(stay(1, 2), may_oversell=True)
        reader = scene.store.availability(scene.agency_id)
        found = reader.claims_by_kind(scene.type_ids, RANGE, scene.clock.now())[scene.type_ids[0]]
        assert found[ClaimKind.OVERSOLD][:4] == (0, 1, 1, 0)
        assert _claimed(scene)[0][:4] == (1, 1, 0, 0)

    def test_expired_holds_count_as_free_before_anybody_has_released_them(self) -> None:
        """With their turnover nights, in counts, units and ranges."""
        scene = self.scene(hotel(1, turnover_nights=1))
        scene.hold(stay(0, 2), unit_id=scene.unit().unit_id)
        assert (_free(scene), len(_occupied(scene))) == (0, 2)
        scene.clock.advance(timedelta(minutes=30))
        assert _claimed(scene) == [(0,) * 8]
        assert _free(scene) == 1
        assert _occupied(scene) == []
        all_agree(scene)

    def test_occupied_ranges_name_their_source_and_are_not_cut(self) -> None:
        """Whole claims that touch the range, in the order of their first nights."""
        scene = self.scene(hotel(1))
        unit_id = scene.unit().unit_id
        block = scene.block(unit_id, nights(6, 5))
        booking = scene.book(scene.request(stay(0, 2), unit_id=unit_id))
        hold = scene.hold(stay(3, 2), unit_id=unit_id)
        scene.block(unit_id, nights(20, 2))
        reader = scene.store.availability(scene.agency_id)
        found = reader.occupied(scene.property_id, nights(1, 7), scene.clock.now())
        assert [(each.kind, each.nights) for each in found] == [
            (Occupant.BOOKING, nights(0, 2)),
            (Occupant.HOLD, nights(3, 2)),
            (Occupant.BLOCK, nights(6, 5)),
        ]
        assert [(each.booking_id, each.hold_id, each.block_id) for each in found] == [
            (booking.booking_id, None, None),
            (None, hold.hold_id, None),
            (None, None, block.block_id),
        ]
        assert {each.unit_id for each in found} == {unit_id}

    def test_a_unit_is_said_to_be_free_exactly_if_it_can_be_had(self) -> None:
        """Random claims: whatever the reader offers is granted by the judge, whatever it does not is refused."""
        scene = self.scene(hotel(2))
        draws = Draws(20300808)
        units = [scene.unit(number).unit_id for number in range(2)]
        for _ in range(ROUNDS):
            when = stay(draws.below(10), draws.between(1, 3))
            unit_id = draws.one_of(units)
            reader = scene.store.availability(scene.agency_id)
            free = reader.free_units({scene.type_ids[0]: DateRange.from_stay(when)}, scene.clock.now())
            wanted = scene.request(when, unit_id=unit_id)
            if unit_id in free.get(scene.type_ids[0], ()):
                receipt = scene.book(wanted)
                if draws.happens(60):
                    scene.act(receipt.booking_id, Act.CANCEL)
            else:
                raised(NightsTakenError, scene.book, wanted)

    def test_another_agency_sees_nothing_of_it(self) -> None:
        """Foreign houses are not found, foreign types are left out."""
        ours, theirs = self.scene(hotel(1)), self.scene(hotel(1))
        theirs.book(stay(0, 2))
        reader = ours.store.availability(ours.agency_id)
        now = ours.clock.now()
        assert [house.property.property_id for house in reader.houses()] == [ours.property_id]
        raised(NotFoundError, reader.houses, (theirs.property_id,))
        raised(NotFoundError, reader.occupied, theirs.property_id, RANGE, now)
        raised(NotFoundError, reader.houses, (PropertyId(ours.ids.new()),))
        assert not any(reader.claimed(theirs.type_ids, RANGE, now).values())
        assert not any(reader.claims_by_kind(theirs.type_ids, RANGE, now).values())
        assert not any(reader.free_units({theirs.type_ids[0]: RANGE}, now).values())
        assert not any(book.rules for book in reader.rules((theirs.property_id,)).values())


def _claimed(scene: Scene) -> list[tuple[int, ...]]:
    reader = scene.store.availability(scene.agency_id)
    found = reader.claimed(scene.type_ids, RANGE, scene.clock.now())
    return [found.get(type_id, (0,) * RANGE.length) for type_id in scene.type_ids]


def _free(scene: Scene) -> int:
    reader = scene.store.availability(scene.agency_id)
    type_id = scene.type_ids[0]
    return len(reader.free_units({type_id: RANGE}, scene.clock.now()).get(type_id, ()))


def _occupied(scene: Scene) -> list[object]:
    reader = scene.store.availability(scene.agency_id)
    return list(reader.occupied(scene.property_id, RANGE, scene.clock.now()))
