from __future__ import annotations

from uuid import uuid4

import pytest

from pms_adapters.postgres.events import BEGINNING
from pms_adapters.worker.listeners import Listeners, follow
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

pytestmark = pytest.mark.postgres


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def listeners(pauses):
    return Listeners(most=3, sleep=pauses.append)


def follow_all(shop, listeners):
    return follow(shop.runtime.services.engine, shop.agency_id, listeners, BEGINNING)


def test_they_hear_their_kinds_in_order_until_they_are_ended(shop, listeners):
    heard, all_heard = [], []
    end = listeners.register(
        shop.agency_id, ["note.noted"], lambda _, event: heard.append(event.version), name="a"
    )
    listeners.register(shop.agency_id, ["*"], lambda _, event: all_heard.append(event.version), name="b")
    listeners.register(shop.agency_id, ["other"], lambda *_: pytest.fail("not its kind"), name="c")
    shop.append(3)
    reached = follow_all(shop, listeners)
    end()
    shop.append(1, aggregates=list(shop.versions))
    follow(shop.runtime.services.engine, shop.agency_id, listeners, reached)
    assert (heard, all_heard) == ([1, 2, 3], [1, 2, 3, 4])
    assert (listeners.heard["a"], listeners.heard["b"], listeners.count(shop.agency_id)) == (3, 4, 2)


def test_a_listener_hears_its_own_agency_only(shop, listeners):
    another = AgencyId(uuid4())
    listeners.register(another, ["*"], lambda *_: pytest.fail("of another agency"), name="a")
    shop.append(1)
    follow_all(shop, listeners)
    assert listeners.heard["a"] == 0


def test_one_that_fails_is_tried_three_times_more_and_harms_no_other(shop, listeners, pauses):
    heard, tries = [], []

    def fail(_, event):
        tries.append(list(heard))
        raise RuntimeError

    listeners.register(shop.agency_id, ["*"], fail, name="bad")
    listeners.register(shop.agency_id, ["*"], lambda _, event: heard.append(event.version), name="good")
    shop.append(1)
    follow_all(shop, listeners)
    assert pauses == [1, 2, 4]
    assert len(tries) == 4
    assert heard == [1]
    assert tries[1] == [1], "the sound one is not kept waiting"
    assert (listeners.given_up["bad"], listeners.heard["good"]) == (1, 1)


def test_one_that_recovers_is_not_given_up(shop, listeners, pauses):
    tries = []

    def fail_once(_, event):
        tries.append(event)
        if len(tries) == 1:
            raise RuntimeError

    listeners.register(shop.agency_id, ["*"], fail_once, name="a")
    shop.append(1)
    follow_all(shop, listeners)
    assert pauses == [1]
    assert (listeners.heard["a"], listeners.given_up["a"]) == (1, 0)


def test_an_agency_has_so_many_and_each_name_once(shop, listeners):
    for name in ("a", "b"):
        listeners.register(shop.agency_id, ["*"], print, name=name)
    with pytest.raises(MisuseError, match="name_taken"):
        listeners.register(shop.agency_id, ["*"], print, name="a")
    listeners.register(shop.agency_id, ["*"], print, name="c")
    with pytest.raises(MisuseError, match="too_many"):
        listeners.register(shop.agency_id, ["*"], print, name="d")
    listeners.register(AgencyId(uuid4()), ["*"], print, name="a")
