"""Holds and blocks: what they claim, how they end, and which cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.inventory.model.blocks import Block, BlockKind
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.stock import Claim, ClaimKind, StockChange
from pmscore.inventory.ports import claiming
from pmscore.kernel.errors import (
    InvalidInputError,
    NightsTakenError,
    NotFoundError,
    StaleHouseError,
    TransitionError,
)
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, nights, open_scene, pool, stay

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
TYPE_ID, UNIT_ID, SOURCE = UUID(int=1), UUID(int=2), UUID(int=3)


def hold(**fields):
    base = {
        "hold_id": SOURCE,
        "property_id": UUID(int=4),
        "unit_type_id": TYPE_ID,
        "unit_id": UNIT_ID,
        "stay": stay(0, 2),
        "turnover_nights": 1,
        "expires_at": NOW + timedelta(minutes=30),
    }
    return Hold(**{**base, **fields})


def block(**fields):
    base = {
        "block_id": SOURCE,
        "property_id": UUID(int=4),
        "unit_id": UNIT_ID,
        "unit_type_id": TYPE_ID,
        "nights": nights(0, 3),
        "kind": BlockKind.MANUAL,
    }
    return Block(**{**base, **fields})


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(), SeededIds("claims"), hotel(2), pool(1))


def test_a_hold_claims_its_nights_and_the_turnover_while_it_is_active():
    held, buffer = hold().claims()
    assert held == Claim(ClaimKind.HELD, SOURCE, TYPE_ID, nights(0, 2), UNIT_ID)
    assert buffer == Claim(ClaimKind.BUFFER, SOURCE, TYPE_ID, nights(2, 1), UNIT_ID)
    assert len(hold(turnover_nights=0).claims()) == 1
    for status in set(HoldStatus) - {HoldStatus.ACTIVE}:
        assert hold(status=status).claims() == ()


@pytest.mark.parametrize("status", [HoldStatus.TAKEN_UP, HoldStatus.RELEASED, HoldStatus.EXPIRED])
def test_a_hold_comes_to_one_end(status):
    decision = hold().ended(status)
    assert (decision.state.status, decision.state.version) == (status, 2)
    assert decision.events[0].kind in {"hold.takenUp", "hold.released", "hold.expired"}
    for second in set(HoldStatus) - {HoldStatus.ACTIVE}:
        with pytest.raises(TransitionError):
            decision.state.ended(second)


@pytest.mark.parametrize(
    ("minutes", "is_fine"),
    [(-1, False), (0, False), (1, True), (30 * 24 * 60, True), (30 * 24 * 60 + 1, False)],
)
def test_a_hold_ends_after_now_and_within_thirty_days(minutes, is_fine):
    placed = hold(expires_at=NOW + timedelta(minutes=minutes))
    if is_fine:
        assert placed.placed(NOW).events[0].kind == "hold.placed"
        return
    with pytest.raises(InvalidInputError) as refused:
        placed.placed(NOW)
    assert refused.value.field == "expires_at"


def test_a_hold_is_over_at_the_instant_it_names():
    assert not hold().is_expired(NOW + timedelta(minutes=29, seconds=59))
    assert hold().is_expired(NOW + timedelta(minutes=30))
    assert not hold(status=HoldStatus.RELEASED).is_expired(NOW + timedelta(days=1))


def test_a_clock_that_is_set_back_brings_no_hold_to_its_end(scene):
    scene.hold(stay(0), unit_type_id=scene.type_ids[1])
    scene.clock.advance(timedelta(days=-1))
    with pytest.raises(NightsTakenError):
        scene.book(scene.request(stay(0), unit_type_id=scene.type_ids[1]))


@pytest.mark.parametrize("kind", list(BlockKind), ids=lambda each: each.value)
def test_a_block_claims_its_unit_and_is_counted_by_its_kind(kind):
    (claim,) = block(kind=kind).claims()
    is_broken = kind is BlockKind.OUT_OF_ORDER
    assert claim.kind is (ClaimKind.OUT_OF_ORDER if is_broken else ClaimKind.BLOCKED)
    assert (claim.unit_id, claim.unit_type_id, claim.nights) == (UNIT_ID, TYPE_ID, nights(0, 3))


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"nights": nights(0, 1097)}, "end"), ({"note": "x\x00"}, "note"), ({"note": "x" * 501}, "note")],
    ids=["longer than three years", "a note with NUL", "a long note"],
)
def test_a_block_that_cannot_be_is_refused_by_field(fields, field):
    with pytest.raises(InvalidInputError) as refused:
        block(**fields)
    assert refused.value.field == field


def test_the_note_of_a_block_stays_out_of_its_events():
    made = block(note="owner's sister").made()
    assert "sister" not in str(made.events[0].payload())
    assert made.events[0].payload()["unit_id"] == str(UNIT_ID)


def test_the_unit_of_a_hold_must_be_of_the_type_that_is_named(scene):
    with pytest.raises(InvalidInputError) as refused:
        scene.hold(stay(0), unit_type_id=scene.type_ids[1], unit_id=scene.unit().unit_id)
    assert refused.value.field == "unit_id"


def test_unknown_holds_blocks_and_units_are_not_found(scene):
    nobody = UUID(int=99)
    for do in (
        lambda: scene.release(nobody),
        lambda: scene.lift(nobody),
        lambda: scene.block(nobody, nights(0)),
        lambda: scene.hold(stay(0), unit_id=nobody),
    ):
        with pytest.raises(NotFoundError):
            do()


def test_a_released_hold_is_not_released_again(scene):
    held = scene.hold(stay(0))
    scene.release(held.hold_id)
    with pytest.raises(TransitionError):
        scene.release(held.hold_id)


def test_changes_add_up():
    one = Claim(ClaimKind.BOOKED, SOURCE, TYPE_ID, nights(0), UNIT_ID)
    other = evolve(one, nights=nights(1))
    change = StockChange.releasing(one) + StockChange.claiming(other)
    assert change == StockChange((one,), (other,))
    assert list(change.type_nights()) == [(TYPE_ID, nights(1))]
    assert not StockChange((), ())
    assert change


def test_an_attempt_on_an_old_house_is_run_again_and_at_last_given_up():
    tries = []

    def attempt(expired):
        tries.append(expired)
        if len(tries) < succeeds_at:
            raise StaleHouseError
        return "done"

    succeeds_at = 3
    assert claiming(attempt) == "done"
    tries.clear()
    succeeds_at = 1000
    with pytest.raises(StaleHouseError):
        claiming(attempt)
    assert 1 < len(tries) < 20
