"""What differs from what a platform has, and what nobody knows any more."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pmscore.channels.model.ari import ANY, UNKNOWN, AriRows, RowKey
from pmscore.channels.model.manifest import Lane
from pmscore.channels.policies.diffing import forgotten, runs
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_strategies import TOLD, ari_rows, dirty_rows, told_mappings, told_nights

LENGTH = TOLD.length


def keys_in(book):
    return [RowKey(each.mapping_id, MatrixField.RATE) for each in (*book.rooms, *book.rates)]


@given(data=st.data())
def test_the_runs_put_on_what_was_acknowledged_give_what_is_desired(data):
    keys = keys_in(data.draw(told_mappings()))
    acked = data.draw(ari_rows(keys[:-1] or keys))
    nights = data.draw(told_nights())
    desired = data.draw(ari_rows(keys, nights=nights, is_desired=True))
    found = runs(acked, desired)
    after = acked.put(found)
    differing = 0
    for key in keys:
        before, then = acked.between(nights).row(key), after.between(nights).row(key)
        for was, wanted, now in zip(before, desired.row(key), then, strict=True):
            assert now == (was if wanted == ANY else wanted)
            differing += wanted not in (ANY, was)
    # Nothing else is in them, and none could be longer.
    assert sum(run.nights.length for run in found) == differing
    for run, following in pairwise(found):
        if run.key == following.key:
            assert run.nights.end <= following.nights.start
            assert run.nights.end < following.nights.start or run.value != following.value


@given(data=st.data())
def test_only_what_forgetting_rows_name_is_unknown(data):
    book = data.draw(told_mappings())
    keys = keys_in(book)
    acked = data.draw(ari_rows(keys))
    dirty = data.draw(st.lists(dirty_rows(Lane.PRICING), max_size=3))
    found = forgotten(acked, dirty, book)
    for key in keys:
        mapped = book.by_id(key.mapping_id)
        for at, night in enumerate(TOLD.nights()):
            is_unknown = any(
                each.forgets
                and (each.nights is None or night in each.nights)
                and (each.unit_type_ids is None or mapped.unit_type_id in each.unit_type_ids)
                for each in dirty
            )
            assert found.row(key)[at] == (UNKNOWN if is_unknown else acked.row(key)[at])


def test_equal_rows_and_rows_that_may_be_anything_say_nothing():
    key = RowKey(MappingId(UUID(int=1)), MatrixField.SELLABLE)
    acked = AriRows(TOLD, {key: (5,) * LENGTH})
    assert runs(acked, acked) == ()
    assert runs(acked, AriRows(TOLD, {key: (ANY,) * LENGTH})) == ()
    assert runs(acked, AriRows(TOLD, {})) == ()
