"""Laws of lists: a page shows what its conditions admit, in one order, and never what the actor does not reach.

Owns pages of bookings, guests, holds and blocks. What a condition means of one booking stands in
``booking.model.listing``; here every store is held to it.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.booking import Booking, parse_reference
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.model.listing import BookingFilter
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import BlockFilter
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import GuestId, PropertyId
from pmscore.kernel.paging import Page
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.scenes import Scene, nights, pool, stay

__all__ = ["ListLaws"]

_RANGES = st.none() | st.builds(nights, st.integers(-1, 12), st.integers(1, 5))
_EVERYTHING = Page(limit=100)


class ListLaws(StoreLaws):
    """Lists agree with looking at each thing by itself."""

    def test_a_page_of_bookings_is_what_the_conditions_admit_newest_first(self) -> None:
        """Any conditions over bookings of many kinds, page by page."""
        scene = self.scene(pool(50))
        every = _many_bookings(scene)

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(
            statuses=st.frozensets(st.sampled_from(Status), max_size=3),
            arrival=_RANGES,
            departure=_RANGES,
            staying=_RANGES,
            guest_id=st.none() | st.sampled_from(sorted({each.guest_id for each in every})),
            limit=st.integers(1, 9),
        )
        def agrees(
            statuses: frozenset[Status],
            arrival: DateRange | None,
            departure: DateRange | None,
            staying: DateRange | None,
            guest_id: GuestId | None,
            limit: int,
        ) -> None:
            wanted = BookingFilter(
                statuses=statuses, arrival=arrival, departure=departure, staying=staying, guest_id=guest_id
            )
            admitted = [each for each in every if wanted.admits(each)]
            assert _paged_through(scene, wanted, limit) == admitted

        agrees()

    def test_property_channel_and_reference_are_conditions_too(self) -> None:
        """Each of them alone admits the booking that has it, and not another."""
        scene = self.scene(pool(5))
        booked = scene.booking(scene.book(stay(0)).booking_id)
        elsewhere = frozenset({PropertyId(scene.ids.new())})
        for wanted, is_shown in (
            (BookingFilter(property_ids=frozenset({scene.property_id})), True),
            (BookingFilter(property_ids=elsewhere), False),
            (BookingFilter(property_ids=frozenset()), False),
            (BookingFilter(channel="direct"), True),
            (BookingFilter(channel="airbnb"), False),
            (BookingFilter(channel_reference=""), True),
            (BookingFilter(channel_reference="HM123"), False),
        ):
            assert _paged_through(scene, wanted, 9) == ([booked] if is_shown else [])

    def test_a_booking_is_found_by_its_own_reference(self) -> None:
        """However it was written down; one that is off by a digit finds nothing."""
        scene = self.scene(pool(9))
        booked = [scene.booking(scene.book(stay(0)).booking_id) for _ in range(5)]
        for each in booked:
            said = f"{each.reference[:5]}-{each.reference[5:]}".lower().replace("0", "o").replace("1", "l")
            wanted = BookingFilter(reference=parse_reference(said, field="reference"))
            assert _paged_through(scene, wanted, 9) == [each]
            for at in range(len(each.reference)):
                digit = "7" if each.reference[at] != "7" else "8"
                other = each.reference[:at] + digit + each.reference[at + 1 :]
                if other not in {found.reference for found in booked}:
                    assert _paged_through(scene, BookingFilter(reference=other), 9) == []

    def test_guests_of_a_page_are_read_in_one_go(self) -> None:
        """All of them, or none where one is unknown or out of reach."""
        scene = self.scene()
        other = scene.add_guest("Noor Haddad").guest_id
        scene.book(stay(0))
        with scene.begin() as work:
            found = work.guests.get_all((scene.guest_id, other, scene.guest_id))
            assert found == {each: work.guests.get(each) for each in (scene.guest_id, other)}
            assert work.guests.get_all(()) == {}
            raised(NotFoundError, lambda: work.guests.get_all((other, GuestId(scene.ids.new()))))
        with evolve(scene, reach=frozenset({scene.property_id})).begin() as work:
            assert set(work.guests.get_all((scene.guest_id,))) == {scene.guest_id}
            raised(NotFoundError, lambda: work.guests.get_all((scene.guest_id, other)))

    def test_guests_are_found_by_a_part_of_name_or_mail(self) -> None:
        """Whatever the case of its letters; in the order of their names."""
        scene = self.scene()
        names = ["Zoe Lindqvist", "Ada Moreira", "Bo Adan", "Ulf (Bo) %_"]
        ids = {scene.add_guest(name).guest_id: name for name in names}
        with scene.begin() as work:
            for text, expected in (
                ("ADA", ["Ada Moreira", "Bo Adan"]),
                ("bo", ["Bo Adan", "Ulf (Bo) %_"]),
                ("%_", ["Ulf (Bo) %_"]),
                ("nobody", []),
            ):
                found = work.guests.find(text, _EVERYTHING)
                assert [each.name for each in found.items if each.guest_id in ids] == expected
                assert found.total == len(found.items)
            first = work.guests.find("", Page(limit=1))
            assert (len(first.items), first.total, first.has_more) == (1, 5, True)

    def test_active_holds_and_blocks_are_listed_by_property(self) -> None:
        """A hold that is over is not; a block outside of the asked nights is not."""
        scene = self.scene()
        late, soon = scene.hold(stay(3), minutes=90), scene.hold(stay(0), minutes=10)
        scene.release(scene.hold(stay(6)).hold_id)
        second = scene.block(scene.unit(1).unit_id, nights(9, 2))
        first = scene.block(scene.unit(0).unit_id, nights(5, 1))
        now = scene.clock.now()
        with scene.begin() as work:
            assert work.holds.find(scene.property_id, now, _EVERYTHING).items == (soon, late)
            after = now + timedelta(minutes=30)
            assert work.holds.find(scene.property_id, after, _EVERYTHING).items == (late,)
            assert work.blocks.find(BlockFilter(property_id=scene.property_id), _EVERYTHING).items == (
                first,
                second,
            )
            assert work.blocks.find(BlockFilter(nights=nights(6, 4)), _EVERYTHING).items == (second,)
            assert work.blocks.find(BlockFilter(nights=nights(6, 3)), _EVERYTHING).items == ()
            assert work.blocks.find(BlockFilter(note=""), _EVERYTHING).total == 2
            assert work.blocks.find(BlockFilter(note="roof"), _EVERYTHING).total == 0
            page = work.blocks.find(BlockFilter(property_id=scene.property_id), Page(limit=1, offset=1))
            assert (page.items, page.total, page.has_more) == ((second,), 2, False)

    def test_no_list_shows_what_the_actor_does_not_reach(self) -> None:
        """Another property's bookings, holds and blocks; and guests who have no booking in one's own."""
        scene = self.scene()
        stranger = scene.add_guest("Noor Haddad").guest_id
        scene.book(stay(0))
        scene.hold(stay(2))
        scene.block(scene.unit().unit_id, nights(5, 1))
        within = evolve(scene, reach=frozenset({scene.property_id}))
        outside = evolve(scene, reach=frozenset({PropertyId(scene.ids.new())}))
        now = scene.clock.now()
        for actor, seen in ((within, 1), (outside, 0)):
            with actor.begin() as work:
                assert work.bookings.find(BookingFilter(), _EVERYTHING).total == seen
                assert work.holds.find(scene.property_id, now, _EVERYTHING).total == seen
                assert work.blocks.find(BlockFilter(property_id=scene.property_id), _EVERYTHING).total == seen
                assert work.guests.find("", _EVERYTHING).total == seen
        with within.begin() as work:
            assert work.guests.get(scene.guest_id).guest_id == scene.guest_id
            raised(NotFoundError, lambda: work.guests.get(stranger))
        with outside.begin() as work:
            raised(NotFoundError, lambda: work.guests.get(scene.guest_id))

    def test_no_list_shows_what_belongs_to_another_agency(self) -> None:
        """However it is asked for."""
        ours, theirs = self.scene(), self.scene()
        theirs.book(stay(0))
        theirs.hold(stay(2))
        theirs.block(theirs.unit().unit_id, nights(5, 1))
        now = ours.clock.now()
        with ours.begin() as work:
            wanted = BookingFilter(property_ids=frozenset({theirs.property_id}))
            assert work.bookings.find(wanted, _EVERYTHING).total == 0
            assert work.holds.find(theirs.property_id, now, _EVERYTHING).total == 0
            assert work.blocks.find(BlockFilter(property_id=theirs.property_id), _EVERYTHING).total == 0
            assert [each.guest_id for each in work.guests.find("", _EVERYTHING).items] == [ours.guest_id]


def _many_bookings(scene: Scene) -> list[Booking]:
    """Make bookings of one and of two rooms in several statuses, by two guests; return them newest first."""
    other = scene.add_guest("Noor Haddad").guest_id
    ids = [
        scene.book(stay(number % 10, 1 + number % 4), guest=other if number % 3 == 0 else None).booking_id
        for number in range(14)
    ]
    ids.append(scene.book(stay(0, 1), stay(8, 2)).booking_id)
    for number, booking_id in enumerate(ids):
        if number % 4 == 0:
            scene.act(booking_id, Act.CANCEL)

    found = [scene.booking(booking_id) for booking_id in ids]
    return sorted(found, key=lambda each: (each.created_at, each.booking_id), reverse=True)


def _paged_through(scene: Scene, wanted: BookingFilter, limit: int) -> list[Booking]:
    """Return all that a list shows, page by page; each page says how many there are in all."""
    found: list[Booking] = []
    while True:
        with scene.begin() as work:
            page = work.bookings.find(wanted, Page(limit=limit, offset=len(found)))
        found += page.items
        assert len(page.items) <= limit
        assert page.total >= len(found)
        if not page.has_more:
            assert page.total == len(found)
            return found
