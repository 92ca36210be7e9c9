"""Differences become entries: every cell once, what travels together, and no more than a platform takes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.model.ari import ANY, AriRows, AriRun, RowKey
from pmscore.channels.model.manifest import Lane, Manifest, Platform, Standing
from pmscore.channels.policies.diffing import runs
from pmscore.channels.policies.packing import cells_of, entries, pushes
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_strategies import TOLD, ari_rows, told_manifests, told_mappings

BAR = MappingId(UUID(int=1))
RATE, CLOSED = MatrixField.RATE, MatrixField.CLOSED


def cells(told):
    return [(run.key, night, run.value) for run in told for night in run.nights.nights()]


def neighbours(packed):
    by_mapping = {}
    for entry in packed:
        before = by_mapping.get(entry.mapping_id)
        if before is not None and before.nights.end == entry.nights.start:
            yield before, entry
        by_mapping[entry.mapping_id] = entry


@given(data=st.data())
def test_entries_say_each_difference_once_with_what_travels_with_it(data):
    manifest = data.draw(told_manifests())
    keys = keys_of(data.draw(told_mappings()), manifest, Lane.PRICING)
    desired = data.draw(ari_rows(keys, is_desired=True))
    found = runs(data.draw(ari_rows(keys)), desired)
    for message in manifest.messages.get(Lane.PRICING, ()):
        packed = entries(found, desired, manifest, message)
        said = cells(cells_of(packed))
        assert len(said) == len(set(said))
        differing = cells(run for run in found if run.key.field in message)
        whole = manifest.whole & message
        more = {
            (key, night, value)
            for changed, night, _ in differing
            if changed.field in whole
            for key in keys
            if key.mapping_id == changed.mapping_id
            and key.field in whole
            and (value := desired.row(key)[night.toordinal() - TOLD.first_ordinal]) != ANY
        }
        assert set(said) == {*differing, *more}
        assert all(entry.values for entry in packed)
        assert all(entry.nights.length <= manifest.most_nights for entry in packed)
        for entry, following in neighbours(packed):
            assert entry.nights.end <= following.nights.start
            assert entry.values != following.values or entry.nights.length == manifest.most_nights
        sent = pushes(packed, manifest)
        assert tuple(each for push in sent for each in push) == packed
        assert all(0 < len(push) <= manifest.most_entries for push in sent)


def test_neighbouring_nights_with_the_same_changes_are_one_entry():
    first, second = DateRange.of(TOLD.start, 3), DateRange.of(TOLD.start + timedelta(days=3), 2)
    both = DateRange.of(TOLD.start, 5)
    found = (
        AriRun(RowKey(BAR, RATE), first, 9_000),
        AriRun(RowKey(BAR, RATE), second, 8_000),
        AriRun(RowKey(BAR, CLOSED), both, 0),
    )
    manifest = evolve(told_manifest(), most_nights=366)
    packed = entries(found, AriRows(TOLD, {}), manifest, frozenset({RATE, CLOSED}))
    assert [(each.nights, dict(each.values)) for each in packed] == [
        (first, {(CLOSED, 0): 0, (RATE, 0): 9_000}),
        (second, {(CLOSED, 0): 0, (RATE, 0): 8_000}),
    ]
    (alone,) = entries(found, AriRows(TOLD, {}), manifest, frozenset({CLOSED}))
    assert alone.nights == both
    single = entries(found, AriRows(TOLD, {}), evolve(manifest, most_nights=1), frozenset({CLOSED}))
    assert [each.nights.length for each in single] == [1] * 5


def test_one_occupancy_that_differs_takes_all_others_of_the_night_with_it():
    rows = {RowKey(BAR, RATE, 1): (80,) * 16, RowKey(BAR, RATE, 2): (100,) * 15 + (ANY,)}
    night, last = DateRange.of(TOLD.start, 1), DateRange.of(TOLD.start + timedelta(days=15), 1)
    found = (AriRun(RowKey(BAR, RATE, 1), night, 80), AriRun(RowKey(BAR, RATE, 1), last, 80))
    manifest = evolve(told_manifest(), whole=frozenset({RATE}))
    packed = entries(found, AriRows(TOLD, rows), manifest, frozenset({RATE}))
    assert [(each.nights, dict(each.values)) for each in packed] == [
        (night, {(RATE, 1): 80, (RATE, 2): 100}),
        (last, {(RATE, 1): 80}),
    ]


def told_manifest():
    return Manifest(
        gateway="x",
        title="X",
        platforms=frozenset({Platform.GOOGLE}),
        standing=Standing.FORMAT_ONLY,
        evidence=(),
        lanes=frozenset({Lane.PRICING}),
        messages={Lane.PRICING: (frozenset({RATE, CLOSED}),)},
    )
