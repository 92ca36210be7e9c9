"""Which revision counts, and what keeps one from being applied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import Link, Revision, RevisionStatus, SaleKind, SoldRoom
from pmscore.channels.policies.inbound import Verdict, classify, obstacle_to
from pmscore.kernel.ids import BookingId, ConnectionId, MappingId, UnitTypeId
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import FIRST_DAY, open_scene, stay

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
CONNECTION = ConnectionId(UUID(int=1))


def revision(status=NEW, *, minute=0, revision_id=None, **more):
    said = {
        "revision_id": revision_id or f"{status}-{minute}",
        "booking_key": "K1",
        "status": status,
        "revised_at": AT + timedelta(minutes=minute),
        "rooms": (SoldRoom(room_code="R1", rate_code="BAR", stay=stay(3, 2), adults=2, nightly=(100, 120)),),
        "currency": "EUR",
    }
    return Revision(**said | more)


def link_to(told, *, booking=True, is_cancelled=None):
    return Link(
        connection_id=CONNECTION,
        booking_key=told.booking_key,
        booking_id=BookingId(UUID(int=7)) if booking else None,
        revision_id=told.revision_id,
        revised_at=told.revised_at,
        is_cancelled=told.status is CANCELLED if is_cancelled is None else is_cancelled,
    )


@pytest.mark.parametrize(
    ("known", "told", "verdict"),
    [
        (None, revision(NEW), Verdict.CREATE),
        (None, revision(CHANGED), Verdict.CREATE),
        (None, revision(CANCELLED), Verdict.BURY),
        (revision(NEW), revision(NEW), Verdict.LATE),
        (revision(CHANGED, minute=5), revision(NEW), Verdict.LATE),
        (revision(CHANGED, minute=5), revision(CANCELLED), Verdict.LATE),
        (revision(NEW), revision(CHANGED, minute=5), Verdict.CHANGE),
        (revision(NEW), revision(NEW, minute=5), Verdict.CHANGE),
        (revision(NEW), revision(CANCELLED, minute=5), Verdict.CANCEL),
        (revision(NEW), revision(CHANGED), Verdict.CHANGE),
        (revision(CHANGED), revision(NEW), Verdict.LATE),
        (revision(CHANGED), revision(CANCELLED), Verdict.CANCEL),
        (revision(CANCELLED), revision(CHANGED), Verdict.LATE),
        (revision(NEW, revision_id="a"), revision(NEW, revision_id="b"), Verdict.CHANGE),
        (revision(NEW, revision_id="b"), revision(NEW, revision_id="a"), Verdict.LATE),
        (revision(CANCELLED), revision(CHANGED, minute=5), Verdict.CONFLICT),
        (revision(CANCELLED), revision(CANCELLED, minute=5), Verdict.BURY),
    ],
)
def test_what_is_done_about_a_revision(known, told, verdict):
    link = None if known is None else link_to(known)
    assert classify(link, told, None if known is None else known.status) is verdict


def test_what_was_only_buried_can_still_be_made():
    """Nothing of ours has ended, so there is nothing that a person would have to decide."""
    buried = link_to(revision(CANCELLED), booking=False)
    assert classify(buried, revision(CHANGED, minute=5), CANCELLED) is Verdict.CREATE


def test_a_block_that_comes_back_is_made_again():
    ended = link_to(revision(CANCELLED))
    assert classify(ended, revision(NEW, minute=5, kind=SaleKind.BLOCK), CANCELLED) is Verdict.CREATE


def test_without_the_status_of_the_newest_the_answer_is_the_same_but_for_equal_instants():
    for told in (revision(NEW, minute=-5), revision(CHANGED, minute=5), revision(CANCELLED, minute=5)):
        link = link_to(revision(CHANGED))
        assert classify(link, told) is classify(link, told, CHANGED)


@given(
    st.lists(st.tuples(st.sampled_from([NEW, CHANGED]), st.integers(0, 2)), min_size=1, max_size=4),
    st.booleans(),
)
def test_in_any_order_the_newest_revision_stands(told, ends):
    """Replayed on links alone; that bookings follow is shown with the store."""
    revisions = [
        revision(status, minute=minute, revision_id=f"r{number}")
        for number, (status, minute) in enumerate(told)
    ]
    if ends:
        revisions.append(revision(CANCELLED, minute=3, revision_id="end"))
    stands = set()
    for order in permutations(revisions):
        link, status = None, None
        for each in (*order, *order):
            verdict = classify(link, each, status)
            assert verdict is not Verdict.CONFLICT
            if verdict is not Verdict.LATE:
                made = verdict is not Verdict.BURY and (link is not None or verdict is Verdict.CREATE)
                link, status = link_to(each, booking=made), each.status
        stands.add((link.revision_id, link.is_cancelled))
    assert len(stands) == 1
    assert stands.pop()[1] is ends


@pytest.fixture(scope="module")
def house():
    return open_scene(InMemoryStore(), SeededIds("inbound")).house()


TYPE = UnitTypeId(UUID(int=9))
ROOM = MappedRoom(
    mapping_id=MappingId(UUID(int=2)), connection_id=CONNECTION, unit_type_id=TYPE, room_code="R1"
)
RATE = MappedRate(
    mapping_id=MappingId(UUID(int=3)),
    connection_id=CONNECTION,
    unit_type_id=TYPE,
    plan="flex",
    room_code="R1",
    rate_code="BAR",
)
BOOK = MappingBook((ROOM,), (RATE,))


def with_room(**more):
    told = revision()
    return evolve(told, rooms=(evolve(told.rooms[0], **more),))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (revision(), None),
        (with_room(room_code="R2"), "unmapped_room"),
        (with_room(rate_code="NRF"), "unmapped_rate"),
        (with_room(rate_code=""), None),
        (with_room(nightly=(1,)), "not_one_amount_a_night"),
        (with_room(nightly=(-1, 1)), "negative_amount"),
        (with_room(nightly=()), None),
        (revision(rooms=()), "no_rooms"),
        (revision(currency="USD"), "other_currency"),
        (evolve(with_room(nightly=()), currency=""), None),
        (with_room(stay=stay(-60, 2)), "long_over"),
        (with_room(stay=stay(-3, 2)), None),
        (with_room(stay=stay(1400, 2)), "too_far_ahead"),
    ],
)
def test_what_keeps_a_revision_from_being_applied(house, told, reason):
    assert house.property.business_date == FIRST_DAY
    found = obstacle_to(told, BOOK, house)
    assert (None if found is None else found.reason) == reason


def test_a_rate_is_asked_for_only_where_rates_are_mapped(house):
    assert obstacle_to(revision(), MappingBook((ROOM,)), house) is None
