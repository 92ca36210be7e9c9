"""Rows of cells: put on, cut out, looked up; and what connections and mappings say of themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.model.ari import UNKNOWN, AriRows, AriRun, Entry, RowKey
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.events import ConnectionChanged, ExternalConnected, ExternalDisconnected
from pmscore.channels.model.manifest import CallGroup, CallKind, Lane, Manifest, Platform, Standing, Window
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.revisions import StoredRevision, StoredState
from pmscore.channels.policies.counting_calls import CountedCall, seconds_to_wait
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import ConnectionId, MappingId, PropertyId, UnitTypeId
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_strategies import TOLD, ari_rows, told_nights

KEYS = tuple(RowKey(MappingId(UUID(int=number)), MatrixField.RATE, number % 2) for number in range(3))
AROUND = DateRange.of(TOLD.start - timedelta(days=5), TOLD.length + 10)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def cells(rows: AriRows) -> dict[tuple[RowKey, date], int]:
    return {
        (key, night): value
        for key in KEYS
        for night, value in zip(rows.nights.nights(), rows.row(key), strict=True)
    }


@given(rows=ari_rows(KEYS[:2]), nights=told_nights(within=AROUND))
def test_rows_of_other_nights_have_the_same_cells_and_unknown_ones(rows, nights):
    known = cells(rows)
    cut = rows.between(nights)
    assert cut.nights == nights
    assert cells(cut) == {
        (key, night): known.get((key, night), UNKNOWN) for key in KEYS for night in nights.nights()
    }


@given(
    rows=ari_rows(KEYS[:2]),
    runs=st.lists(
        st.builds(AriRun, st.sampled_from(KEYS), told_nights(within=AROUND), st.integers(3, 5)), max_size=5
    ),
)
def test_runs_are_put_on_one_after_the_other(rows, runs):
    expected = cells(rows)
    for run in runs:
        for night in run.nights.nights():
            if night in TOLD:
                expected[run.key, night] = run.value
    assert cells(rows.put(runs)) == expected


def test_an_entry_has_a_run_for_each_value():
    mapping_id = MappingId(UUID(int=7))
    nights = DateRange.of(TOLD.start, 2)
    entry = Entry(
        mapping_id=mapping_id,
        nights=nights,
        values={(MatrixField.RATE, 1): 9_000, (MatrixField.CLOSED, 0): 1},
    )
    assert set(entry.runs()) == {
        AriRun(RowKey(mapping_id, MatrixField.RATE, 1), nights, 9_000),
        AriRun(RowKey(mapping_id, MatrixField.CLOSED), nights, 1),
    }


def test_mappings_are_found_by_code_and_by_id():
    connection_id, type_id = ConnectionId(UUID(int=1)), UnitTypeId(UUID(int=2))
    room = MappedRoom(
        mapping_id=MappingId(UUID(int=3)),
        connection_id=connection_id,
        unit_type_id=type_id,
        room_code="R",
    )
    rate = MappedRate(
        mapping_id=MappingId(UUID(int=4)),
        connection_id=connection_id,
        unit_type_id=type_id,
        plan="bar",
        room_code="R",
        rate_code="B",
    )
    book = MappingBook((room,), (rate,))
    assert book.room("R") == room
    assert book.room("B") is None
    assert book.rate("R", "B") == rate
    assert book.rate("B", "R") is None
    assert book.by_id(rate.mapping_id) == rate
    assert book.by_id(room.mapping_id) == room
    assert book.by_id(MappingId(UUID(int=5))) is None
    assert rate.prices_for == (0,)
    assert evolve(rate, occupancies=(1, 3)).prices_for == (1, 3)
    assert book == MappingBook((room,), (rate,))


def a_connection() -> Connection:
    return Connection(
        connection_id=ConnectionId(UUID(int=1)),
        property_id=PropertyId(UUID(int=2)),
        platform=Platform.CHANNEX,
        gateway="channex",
        channel="channex",
        status=ConnectionStatus.ACTIVE,
        sealed="sealed-credentials",
        sealed_token="sealed-token",
        knock_digest="digest-1",
        created_at=NOW,
        updated_at=NOW,
        last_sync_at=NOW,
    )


def test_a_change_names_its_fields_and_forgets_the_token_of_other_credentials():
    before, later = a_connection(), NOW + timedelta(hours=1)
    wanted = evolve(before, sealed="others", status=ConnectionStatus.PAUSED, knock_digest="digest-2")
    decision = before.changed(wanted, later)
    (told,) = decision.events
    assert isinstance(told, ConnectionChanged)
    assert told.fields == ("status", "credentials", "webhook_token")
    assert told.status == "paused"
    assert (told.version, decision.state.version, decision.state.updated_at) == (2, 2, later)
    assert decision.state.sealed_token is None
    assert not decision.state.syncs
    assert "others" not in repr(decision.state)
    assert "digest" not in repr(decision)


def test_nothing_is_told_where_only_bookkeeping_differs():
    before = a_connection()
    decision = before.changed(evolve(before, last_sync_at=NOW + timedelta(days=1)), NOW)
    assert decision.events == ()
    assert decision.state == before


def test_a_deleted_connection_has_no_credentials_and_can_come_back_under_its_id():
    deleted = a_connection().deleted(NOW)
    assert [type(each) for each in deleted.events] == [ExternalDisconnected]
    gone = deleted.state
    assert (gone.sealed, gone.sealed_token, gone.knock_digest, gone.deleted_at) == (None, None, "", NOW)
    assert not gone.syncs
    wanted = evolve(a_connection(), connection_id=ConnectionId(UUID(int=9)), listing_id="new")
    revived = gone.revived(wanted, NOW + timedelta(days=1))
    assert [type(each) for each in revived.events] == [ExternalConnected]
    back = revived.state
    assert (back.connection_id, back.listing_id, back.version) == (gone.connection_id, "new", 3)
    assert (back.last_sync_at, back.deleted_at, back.syncs) == (None, None, True)


def test_a_manifest_knows_its_fields_its_standing_by_lane_and_its_groups_of_calls():
    everything = CallGroup(name="all", kinds=frozenset(CallKind))
    pulls = CallGroup(name="pulls", kinds=frozenset({CallKind.PULL}))
    manifest = Manifest(
        gateway="x",
        title="X",
        platforms=frozenset({Platform.GOOGLE}),
        standing=Standing.NEEDS_ACCOUNT,
        lane_standings={Lane.PRICING: Standing.FORMAT_ONLY},
        evidence=(),
        lanes=frozenset(Lane),
        messages={
            Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
            Lane.PRICING: (frozenset({MatrixField.RATE}), frozenset({MatrixField.CLOSED})),
        },
        calls=(everything, pulls),
    )
    assert manifest.fields == {MatrixField.SELLABLE, MatrixField.RATE, MatrixField.CLOSED}
    assert manifest.fields_of(Lane.PRICING) == {MatrixField.RATE, MatrixField.CLOSED}
    assert manifest.fields_of(Lane.BOOKINGS) == frozenset()
    assert manifest.standing_of(Lane.PRICING) is Standing.FORMAT_ONLY
    assert manifest.standing_of(Lane.BOOKINGS) is Standing.NEEDS_ACCOUNT
    assert manifest.groups(CallKind.PULL) == (everything, pulls)
    assert manifest.groups(CallKind.TOKEN) == (everything,)


def test_a_kind_that_is_only_counted_holds_others_up_and_is_held_up_by_nothing():
    group = CallGroup(
        name="rest",
        kinds=frozenset({CallKind.PULL}),
        counted=frozenset({CallKind.ACKNOWLEDGE}),
        windows=(Window(calls=1, seconds=5),),
    )
    manifest = Manifest(
        gateway="x",
        title="X",
        platforms=frozenset({Platform.GOOGLE}),
        standing=Standing.NEEDS_ACCOUNT,
        evidence=(),
        lanes=frozenset(Lane),
        messages={},
        calls=(group,),
    )
    told = [CountedCall(started_at=NOW, ended_at=NOW, longest_seconds=20)] * 3
    (pulls,), (tells,) = manifest.groups(CallKind.PULL), manifest.groups(CallKind.ACKNOWLEDGE)
    assert pulls.name == tells.name
    assert [seconds_to_wait(each, told, now=NOW) for each in (pulls, tells)] == [6.0, 0.0]
    assert manifest.groups(CallKind.TOKEN) == ()


def test_what_was_received_is_a_revision_or_malformed_and_not_neither():
    with pytest.raises(MisuseError):
        StoredRevision(
            revision=None,
            malformed=None,
            connection_id=ConnectionId(UUID(int=1)),
            revision_id="r",
            state=StoredState.RECEIVED,
            received_at=NOW,
        )
