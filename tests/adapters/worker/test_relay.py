from __future__ import annotations

from uuid import uuid4

import pytest

pytestmark = pytest.mark.postgres


def test_every_reaction_has_one_effect_an_event_in_the_order_of_the_aggregate(shop):
    aggregates = shop.append(60, aggregates=[uuid4() for _ in range(5)])
    shop.relay()
    shop.work_off()
    for reaction in ("first", "second"):
        found = shop.effects(reaction)
        assert len(found) == 60
        for aggregate_id in aggregates:
            assert [version for each, version in found if each == aggregate_id] == list(range(1, 13))
    assert shop.waiting() == 0


def test_what_is_done_is_not_due_any_more(shop):
    shop.append(3)
    shop.relay()
    assert shop.admin("SELECT kind FROM work_due WHERE kind = 'events'") == []
