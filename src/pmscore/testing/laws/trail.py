"""Laws of the audit trail: a search shows what its conditions admit, newest first, and nothing out of reach.

What a condition means of one event stands in ``kernel.trail``; here every store is held to it. That the log
is complete stands in ``events``.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.lifecycle import Act
from pmscore.kernel.ids import ActorId, PropertyId
from pmscore.kernel.paging import Page
from pmscore.kernel.trail import EventFilter, RecordedEvent
from pmscore.testing.house_commands import change_house
from pmscore.testing.laws.setting import StoreLaws
from pmscore.testing.price_scenes import book_kept, hold_kept, keep_one, with_prices
from pmscore.testing.scenes import Scene, hotel, nights, stay

__all__ = ["TrailLaws"]

_KINDS = ("booking.created", "booking.", "booking.cancelled", "house.", "guest.created", "hold.", "none.")


class TrailLaws(StoreLaws):
    """Searching agrees with looking at each event by itself."""

    def test_a_search_shows_what_its_conditions_admit_newest_first(self) -> None:
        """Any conditions over events of many kinds, page by page."""
        scene = self.scene(hotel(3))
        _live(scene)
        every = _searched(scene, EventFilter(), 100)
        positions = [each.position for each in every]
        assert positions == sorted(set(positions), reverse=True)
        logged = scene.store.events_after((0, 0), scene.agency_id)
        assert [(each.kind, each.payload) for each in reversed(every)] == [
            (each.kind, each.payload) for each in logged
        ]

        some = st.none() | st.sampled_from(every)

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(
            kinds=st.frozensets(st.sampled_from(_KINDS), max_size=2),
            of=some,
            by=some,
            asked=some,
            aggregate=st.none() | st.sampled_from(["booking", "property", "nothing"]),
            since=some,
            until=some,
            before=some,
            limit=st.integers(1, 9),
        )
        def agrees(
            kinds: frozenset[str],
            of: RecordedEvent | None,
            by: RecordedEvent | None,
            asked: RecordedEvent | None,
            aggregate: str | None,
            since: RecordedEvent | None,
            until: RecordedEvent | None,
            before: RecordedEvent | None,
            limit: int,
        ) -> None:
            wanted = EventFilter(
                kinds=kinds,
                aggregate=aggregate,
                aggregate_id=None if of is None else of.aggregate_id,
                actor_id=None if by is None else by.actor_id,
                request_id=None if asked is None else asked.request_id,
                since=None if since is None else since.at,
                until=None if until is None else until.at,
                before=None if before is None else before.position,
            )
            assert _searched(scene, wanted, limit) == [each for each in every if wanted.admits(each)]

        agrees()

    def test_each_condition_admits_some_and_not_others(self) -> None:
        """So that the law above is not kept by lists that are always empty."""
        scene = self.scene(hotel(3))
        other = evolve(scene, actor_id=ActorId(scene.ids.new()))
        _live(scene)
        renamed = change_house(other, name="Other").property
        every = _searched(scene, EventFilter(), 100)
        newest, oldest = every[0], every[-1]
        assert (newest.kind, newest.aggregate_id) == ("house.updated", renamed.property_id)
        for wanted in (
            EventFilter(kinds=frozenset({"house."})),
            EventFilter(kinds=frozenset({"house.updated"})),
            EventFilter(aggregate="property"),
            EventFilter(aggregate_id=newest.aggregate_id),
            EventFilter(actor_id=other.actor_id),
            EventFilter(request_id=newest.request_id),
            EventFilter(since=newest.at),
        ):
            found = _searched(scene, wanted, 100)
            assert newest in found, wanted
            assert 0 < len(found) < len(every), wanted
        assert _searched(scene, EventFilter(until=oldest.at + timedelta(microseconds=1)), 100)[-1] == oldest
        assert oldest not in _searched(scene, EventFilter(until=oldest.at), 100)
        assert _searched(scene, EventFilter(before=newest.position), 100) == every[1:]

    def test_a_limited_reach_shows_the_events_of_its_properties_alone(self) -> None:
        """And none that belongs to no property, such as a new guest."""
        scene = self.scene(hotel(3))
        _live(scene)
        every = _searched(scene, EventFilter(), 100)
        within = evolve(scene, reach=frozenset({scene.property_id}))
        outside = evolve(scene, reach=frozenset({PropertyId(scene.ids.new())}))
        nobody = evolve(scene, reach=frozenset[PropertyId]())
        seen = _searched(within, EventFilter(), 100)
        assert seen == [each for each in every if each.lies_within(within.reach)]
        assert {each.kind for each in every} - {each.kind for each in seen} == {
            "agency.opened",
            "guest.created",
        }
        assert _searched(outside, EventFilter(), 100) == _searched(nobody, EventFilter(), 100) == []

    def test_no_search_shows_what_happened_in_another_agency(self) -> None:
        """However it is asked for."""
        ours, theirs = self.scene(), self.scene()
        _live(theirs)
        for wanted in (
            EventFilter(aggregate_id=theirs.property_id),
            EventFilter(actor_id=theirs.actor_id),
            EventFilter(kinds=frozenset({"booking."})),
        ):
            assert _searched(theirs, wanted, 100)
            assert _searched(ours, wanted, 100) == []


def _live(scene: Scene) -> None:
    """Let things of several kinds happen."""
    ids = [scene.book(stay(number, 2)).booking_id for number in range(3)]
    scene.act(ids[0], Act.CANCEL)
    scene.act(ids[0], Act.REINSTATE)
    scene.release(scene.hold(stay(9)).hold_id)
    scene.lift(scene.block(scene.unit().unit_id, nights(20)).block_id)
    scene.add_guest()
    scene.advance()
    with_prices(scene)
    kept = keep_one(scene, stay(40))
    hold_kept(scene, kept.quote.quote_id)
    book_kept(scene, kept.quote.quote_id)


def _searched(scene: Scene, wanted: EventFilter, limit: int) -> list[RecordedEvent]:
    """Return all that a search shows, page by page; each page says how many there are in all."""
    found: list[RecordedEvent] = []
    while True:
        with scene.begin() as work:
            page = work.events.find(wanted, Page(limit=limit, offset=len(found)))
        found += page.items
        assert len(page.items) <= limit
        assert not page.is_total_capped
        assert page.has_more == (page.total > len(found))
        if not page.has_more:
            assert page.total == len(found)
            return found
