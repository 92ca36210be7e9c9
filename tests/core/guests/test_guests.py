"""Profiles: which can be, and that nothing personal leaves the guest tables."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given

from pmscore.guests.model import Guest, GuestMetrics, MetricsChange
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import EUR, open_scene
from pmscore.testing.strategies import bad_texts, guests, instants


def guest(**fields):
    return Guest(**{"guest_id": UUID(int=1), "name": "Ada Novak", **fields})


@given(name=bad_texts)
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(InvalidInputError) as refused:
        guest(name=name)
    assert refused.value.field == "name"


BAD = {
    "no address": ({"email": "ada"}, "email"),
    "two at signs": ({"email": "a@b@c"}, "email"),
    "blanks": ({"email": "a b@c"}, "email"),
    "a line end": ({"email": "ada@example.org\nBcc: x@y"}, "email"),
    "NUL in an address": ({"email": "ada@exam\x00ple.org"}, "email"),
    "a long address": ({"email": f"{'a' * 64}@{'b' * 200}"}, "email"),
    "NUL in a telephone number": ({"phone": "+49\x00"}, "phone"),
    "a long telephone number": ({"phone": "1" * 41}, "phone"),
    "a country in words": ({"country": "Germany"}, "country"),
    "a country in small letters": ({"country": "de"}, "country"),
}


@pytest.mark.parametrize(("fields", "field"), list(BAD.values()), ids=list(BAD))
def test_a_profile_that_cannot_be_is_refused_by_field(fields, field):
    with pytest.raises(InvalidInputError) as refused:
        guest(**fields)
    assert refused.value.field == field


@given(drawn=guests())
def test_a_new_profile_is_recorded_without_who_it_is(drawn):
    (event,) = drawn.added().events
    assert event.payload() == {}
    assert (event.kind, event.aggregate_id, event.version) == ("guest.created", drawn.guest_id, 1)


def test_adding_a_guest_stores_the_profile_with_empty_figures():
    scene = open_scene(InMemoryStore(), SeededIds("guests"))
    command = AddGuest(**scene.asked(), name="Zoë Müller", email="zoe@example.org", country="DE")
    added = add_guest(command, uow=scene.store, ids=scene.ids)
    with scene.begin() as work:
        assert work.guests.get(added.guest_id) == added
    assert added.metrics == GuestMetrics()


def test_a_refused_profile_is_not_stored():
    scene = open_scene(InMemoryStore(), SeededIds("guests"))
    before = scene.store.events_after()
    with pytest.raises(InvalidInputError):
        add_guest(AddGuest(**scene.asked(), name="\ud800"), uow=scene.store, ids=scene.ids)
    assert scene.store.events_after() == before


@pytest.mark.parametrize(("bookings", "minor", "is_change"), [(0, 0, False), (1, 0, True), (0, -5, True)])
@given(at=instants)
def test_a_change_of_figures_is_one_if_something_moves(bookings, minor, is_change, at):
    change = MetricsChange(guest_id=UUID(int=1), bookings=bookings, spent=Money(minor, EUR), booked_at=at)
    assert bool(change) is is_change
