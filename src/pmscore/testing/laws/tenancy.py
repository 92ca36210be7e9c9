"""Laws of tenancy: another agency's things are not there.

Owns the rule that an id of another agency gets the same answer as one that does not exist, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from pmscore.access.model.agencies import Agency
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.inventory.model.stock import Claim, ClaimKind, StockChange
from pmscore.inventory.use_cases.houses import CreateHouse, create_house
from pmscore.kernel.errors import InvalidInputError, NotFoundError, PermissionDeniedError, PmsError
from pmscore.kernel.ids import AgencyId, PropertyId
from pmscore.testing.house_commands import add_type, change_house, change_type, give_unit, name_unit
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import Scene, hotel, nights, stay

__all__ = ["TenancyLaws"]


class TenancyLaws(StoreLaws):
    """No command of one agency reads, changes or hinders anything of another."""

    def test_ids_of_another_agency_are_not_found(self) -> None:
        """Every command that takes an id, given one of the neighbour's."""
        ours, theirs = self.scene(hotel(2)), self.scene(hotel(2))
        receipt = theirs.book(stay(0, 2))
        hold = theirs.hold(stay(3, 1))
        block = theirs.block(theirs.unit().unit_id, nights(5, 1))
        mine = ours.book(stay(0))
        unit_id, type_id = theirs.unit().unit_id, theirs.type_ids[0]
        attempts: tuple[Callable[[], object], ...] = (
            lambda: ours.booking(receipt.booking_id),
            lambda: ours.act(receipt.booking_id, Act.CANCEL),
            lambda: ours.amend(receipt.booking_id, RoomAmendment(room_id=receipt.room_ids[0])),
            lambda: ours.assign(receipt.booking_id, receipt.room_ids[0], unit_id),
            lambda: ours.assign(mine.booking_id, receipt.room_ids[0], ours.unit().unit_id),
            lambda: ours.assign(mine.booking_id, mine.room_ids[0], unit_id),
            lambda: ours.book(ours.request(stay(1), unit_type_id=type_id)),
            lambda: ours.book(ours.request(stay(1), unit_id=unit_id)),
            lambda: ours.book(stay(1), guest=theirs.guest_id),
            lambda: ours.book(stay(1), hold_ids=(hold.hold_id,)),
            lambda: ours.hold(stay(1), unit_id=unit_id),
            lambda: ours.hold(stay(1), unit_type_id=type_id),
            lambda: ours.release(hold.hold_id),
            lambda: ours.block(unit_id, nights(1)),
            lambda: ours.lift(block.block_id),
            lambda: ours.set_rooms(type_id, 9),
            lambda: change_house(evolve(ours, property_id=theirs.property_id), name="Mine"),
            lambda: change_type(evolve(ours, type_ids=theirs.type_ids), name="Mine"),
            lambda: give_unit(evolve(ours, type_ids=theirs.type_ids), "Mine"),
            lambda: name_unit(ours, unit_id, "Mine"),
        )
        for number, attempt in enumerate(attempts):
            try:
                raised(NotFoundError, attempt)
            except AssertionError as error:
                raise AssertionError(f"attempt {number}: {error}") from error
        assert theirs.booking(receipt.booking_id).version == 1
        assert ours.guest().metrics.total_bookings == 1
        all_agree(ours)

    def test_houses_rules_and_guests_of_another_agency_are_not_found(self) -> None:
        """Reading by repository instead of by command gives the same answer."""
        ours, theirs = self.scene(), self.scene()
        with ours.begin() as work:
            raised(NotFoundError, lambda: work.houses.get(theirs.property_id))
            raised(NotFoundError, lambda: work.houses.lock(theirs.property_id))
            raised(NotFoundError, lambda: work.guests.get(theirs.guest_id))
            raised(NotFoundError, lambda: work.agencies.get(theirs.agency_id))
            assert work.restrictions.get(theirs.property_id).rules == ()
            assert work.bookings.due_options(theirs.property_id, ours.clock.now()) == ()
            assert work.bookings.staying(theirs.property_id, nights(0, 9)) == ()
            assert not work.stock.unit_occupancy(theirs.type_ids[0], nights(0, 9))
            assert work.agencies.get(ours.agency_id).agency_id == ours.agency_id

    def test_what_lies_outside_of_the_reach_is_not_found(self) -> None:
        """Every command that takes an id, from somebody who may touch another property of the agency only."""
        scene = self.scene(hotel(2))
        receipt, hold = scene.book(stay(0, 2)), scene.hold(stay(3, 1))
        block = scene.block(scene.unit().unit_id, nights(5, 1))
        elsewhere = evolve(scene, reach=frozenset({PropertyId(scene.ids.new())}))
        attempts: tuple[Callable[[], object], ...] = (
            elsewhere.house,
            lambda: elsewhere.booking(receipt.booking_id),
            lambda: elsewhere.act(receipt.booking_id, Act.CANCEL),
            lambda: elsewhere.amend(receipt.booking_id, RoomAmendment(room_id=receipt.room_ids[0])),
            lambda: elsewhere.assign(receipt.booking_id, receipt.room_ids[0], None),
            lambda: elsewhere.book(stay(1)),
            lambda: elsewhere.book(stay(1), hold_ids=(hold.hold_id,)),
            lambda: elsewhere.hold(stay(1)),
            lambda: elsewhere.release(hold.hold_id),
            lambda: elsewhere.block(scene.unit().unit_id, nights(8, 1)),
            lambda: elsewhere.lift(block.block_id),
            lambda: elsewhere.set_rooms(scene.type_ids[0], 9),
            elsewhere.advance,
            lambda: change_house(elsewhere, name="Mine"),
            lambda: change_type(elsewhere, name="Mine"),
            lambda: add_type(elsewhere, hotel(1)),
            lambda: give_unit(elsewhere, "Mine"),
            lambda: name_unit(elsewhere, scene.unit().unit_id, "Mine"),
        )
        for number, attempt in enumerate(attempts):
            try:
                raised(NotFoundError, attempt)
            except AssertionError as error:
                raise AssertionError(f"attempt {number}: {error}") from error
        with elsewhere.begin() as work:
            raised(NotFoundError, lambda: work.houses.lock(scene.property_id))
            raised(NotFoundError, lambda: work.bookings.read(receipt.booking_id))
            assert work.restrictions.get(scene.property_id).rules == ()
            assert work.bookings.due_options(scene.property_id, scene.clock.now()) == ()
            assert work.bookings.staying(scene.property_id, nights(0, 9)) == ()
        assert scene.booking(receipt.booking_id).version == 1
        all_agree(scene)

    def test_within_the_reach_everything_goes_on_as_for_others(self) -> None:
        """And somebody whose reach is limited makes no new property, which would lie outside."""
        everywhere = self.scene(hotel(2))
        scene = evolve(everywhere, reach=frozenset({everywhere.property_id}))
        receipt = scene.book(stay(0, 2))
        assert scene.booking(receipt.booking_id).version == 1
        scene.release(scene.hold(stay(3, 1)).hold_id)
        scene.lift(scene.block(scene.unit().unit_id, nights(5, 1)).block_id)
        scene.act(receipt.booking_id, Act.CANCEL)
        wish = CreateHouse(
            **scene.asked(),
            name="New",
            zone=scene.house().property.zone,
            currency=scene.house().property.currency,
            business_date=scene.house().property.business_date,
            types=(hotel(1),),
        )
        raised(PermissionDeniedError, lambda: create_house(wish, uow=scene.store, ids=scene.ids))
        all_agree(everywhere)

    def test_nights_of_another_agency_cannot_be_claimed(self) -> None:
        """Not even by a program that skips the use cases."""
        ours, theirs = self.scene(), self.scene()
        claim = Claim(ClaimKind.BOOKED, ours.ids.new(), theirs.type_ids[0], nights(0), theirs.unit().unit_id)
        with ours.begin() as work:
            work.stock.change(StockChange.claiming(claim))
            raised(PmsError, work.commit)
        theirs.book(theirs.request(stay(0), unit_id=theirs.unit().unit_id))
        all_agree(theirs)

    def test_the_same_nights_in_two_agencies_have_nothing_to_do_with_each_other(self) -> None:
        """Both sell their last room."""
        for scene in (self.scene(hotel(1)), self.scene(hotel(1))):
            scene.book(stay(0, 2))
            all_agree(scene)

    def test_an_agency_is_opened_once_under_a_slug_of_its_own(self) -> None:
        """A slug is taken for all agencies; a command for one cannot open another."""
        scene = self.scene()
        newcomer = _newcomer(scene)
        slug = f"scene-{scene.agency_id.hex}"
        asked = evolve(scene, agency_id=newcomer).asked()
        command = OpenAgency(**asked, name="Again", slug=slug)
        error = raised(InvalidInputError, lambda: open_agency(command, uow=scene.store))
        assert error.field == "slug"
        stranger = Agency(agency_id=newcomer, name="Stranger", slug=f"stranger-{newcomer.hex}")

        def smuggle() -> None:
            with scene.begin() as work:
                work.agencies.add(stranger)
                work.commit()

        raised(PmsError, smuggle)

    def test_nothing_is_written_for_an_agency_that_does_not_exist(self) -> None:
        """A command for an unknown agency finds nothing to change."""
        scene = self.scene()
        guest = scene.guest()

        def write() -> None:
            with evolve(scene, agency_id=_newcomer(scene)).begin() as work:
                work.guests.add(guest)
                work.commit()

        raised(PmsError, write)


def _newcomer(scene: Scene) -> AgencyId:
    return AgencyId(scene.ids.new())
