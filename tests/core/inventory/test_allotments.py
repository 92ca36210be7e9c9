"""What an allotment keeps, claims and releases."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import AllotmentId, PropertyId, UnitTypeId

NIGHTS = DateRange.of(date(2030, 2, 26), 6)


def allotment(**more) -> Allotment:
    return Allotment(
        allotment_id=AllotmentId(UUID(int=1)),
        property_id=PropertyId(UUID(int=2)),
        unit_type_id=UnitTypeId(UUID(int=3)),
        **{"channel": "ota", "nights": NIGHTS, "guaranteed": 2, **more},
    )


def night(number: int) -> date:
    return NIGHTS.start + timedelta(days=number)


@given(
    guaranteed=st.integers(0, 4),
    sold=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    released=st.none() | st.integers(-2, 9),
)
def test_claims_are_what_is_kept_night_by_night_in_the_longest_stretches(guaranteed, sold, released):
    found = allotment(
        guaranteed=guaranteed,
        cap=9,
        sold=tuple(sold),
        released_until=None if released is None else night(released),
    )
    kept = found.kept()
    for at, number in enumerate(kept):
        is_released = released is not None and at < released
        assert number == (0 if is_released else max(guaranteed - sold[at], 0))
        claims = [each for each in found.claims() if night(at) in each.nights]
        assert len(claims) == number
        assert {(each.kind, each.source_id) for each in claims} <= {(ClaimKind.ALLOTTED, found.allotment_id)}
    # A claim ends where there is one room less to keep.
    rises = sum(max(after - before, 0) for before, after in zip((0, *kept), kept, strict=False))
    assert len(found.claims()) == rises


@given(first=st.integers(0, 5), length=st.integers(1, 6), rooms=st.integers(1, 3))
def test_what_is_picked_and_given_back_is_kept_as_before(first, length, rooms):
    before = allotment()
    nights = DateRange.of(night(first), length)
    picked = before.picked(nights, rooms)
    assert [each.kind for each in picked.events] == ["allotment.soldFrom"]
    assert picked.state.sold == tuple(rooms if each in nights else 0 for each in NIGHTS.nights())
    back = picked.state.given_back(nights, rooms).state
    assert (back.sold, back.claims(), back.version) == (before.sold, before.claims(), 3)


def test_nothing_happens_where_nothing_is_sold():
    before = allotment()
    assert before.picked(DateRange.of(night(10), 2)).events == ()
    assert before.given_back(NIGHTS).state == before


def test_rolling_and_fixed_release():
    rolling = allotment(release_days=2)
    assert rolling.released(night(-3)).events == ()
    once = rolling.released(night(0)).state
    assert once.kept() == (0, 0, 2, 2, 2, 2)
    assert once.released(night(-1)).events == ()
    assert once.released(night(1)).state.kept() == (0, 0, 0, 2, 2, 2)
    fixed = allotment(release_on=night(-1))
    assert fixed.released(night(-2)).events == ()
    assert fixed.released(night(-1)).state.claims() == ()
    assert allotment().released(night(2)).state.kept() == (0, 0, 2, 2, 2, 2)


def test_a_change_keeps_what_was_sold_and_released():
    before = evolve(allotment(sold=(1, 2, 3, 0, 0, 0)), released_until=night(1), version=4)
    wanted = allotment(nights=DateRange.of(night(1), 7), guaranteed=3, sold=())
    after = before.changed(wanted).state
    assert after.sold == (2, 3, 0, 0, 0, 0, 0)
    assert after.kept() == (1, 0, 3, 3, 3, 3, 3)
    assert (after.version, after.released_until) == (5, night(1))
    with pytest.raises(InvalidInputError) as refused:
        before.changed(evolve(wanted, channel="other"))
    assert refused.value.field == "channel"


@pytest.mark.parametrize(
    ("fields", "named", "reason"),
    [
        ({"guaranteed": -1}, "guaranteed", "out_of_range"),
        ({"guaranteed": 1_001}, "guaranteed", "out_of_range"),
        ({"cap": 1}, "cap", "below_guaranteed"),
        ({"cap": 1_001}, "cap", "out_of_range"),
        ({"guaranteed": 0}, "guaranteed", "neither_kept_nor_capped"),
        ({"release_days": -1}, "release_days", "out_of_range"),
        ({"sold": (1,)}, "sold", "not_one_a_night"),
        ({"sold": (0, 0, -1, 0, 0, 0)}, "sold", "not_one_a_night"),
        ({"channel": "No Code"}, "channel", "not_a_code"),
        ({"nights": DateRange.of(NIGHTS.start, 1_097)}, "end", "too_long"),
    ],
)
def test_terms_that_cannot_be_are_refused(fields, named, reason):
    with pytest.raises(InvalidInputError) as refused:
        allotment(**fields)
    assert (refused.value.field, refused.value.reason) == (named, reason)


def test_a_cap_leaves_what_was_not_sold():
    capped = allotment(guaranteed=0, cap=2, sold=(0, 1, 2, 3, 0, 0))
    assert capped.room_to_sell() == (2, 1, 0, 0, 2, 2)
    assert capped.claims() == ()
    assert allotment().room_to_sell() == (None,) * 6
