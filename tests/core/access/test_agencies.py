"""Agencies: names, slugs, and opening one."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given

from pmscore.access.model.agencies import Agency
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.strategies import bad_texts, texts


def agency(**fields):
    return Agency(**{"agency_id": UUID(int=1), "name": "Seehof Letting", "slug": "seehof", **fields})


@given(name=bad_texts)
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(InvalidInputError) as refused:
        agency(name=name)
    assert refused.value.field == "name"


@given(name=texts())
def test_names_in_any_script_are_kept(name):
    assert agency(name=name).name == name


@pytest.mark.parametrize("slug", ["a", "seehof-2", "0", "a" * 63])
def test_a_slug_is_letters_digits_and_hyphens(slug):
    assert agency(slug=slug).slug == slug


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a b", "a/b", "../a", "ä", "a\n", "a" * 64, "a\x00"])
def test_anything_else_is_no_slug(slug):
    with pytest.raises(InvalidInputError) as refused:
        agency(slug=slug)
    assert refused.value.field == "slug"


def opening(ids, **fields):
    base = {"request_id": ids.new(), "agency_id": ids.new(), "actor_id": ids.new(), "name": "A", "slug": "a"}
    return OpenAgency(**{**base, **fields})


def test_opening_an_agency_stores_and_records_it():
    store, ids = InMemoryStore(), SeededIds("agency")
    command = opening(ids)
    opened = open_agency(command, uow=store)
    with store.begin(command) as work:
        assert work.agencies.get(command.agency_id) == opened
    (event,) = store.events_after()
    assert (event.kind, event.aggregate_id, event.payload) == ("agency.opened", command.agency_id, {})


def test_an_agency_is_opened_once_and_a_slug_given_once():
    store, ids = InMemoryStore(), SeededIds("agency")
    command = opening(ids)
    open_agency(command, uow=store)
    with pytest.raises(MisuseError):
        open_agency(command, uow=store)
    with pytest.raises(InvalidInputError) as refused:
        open_agency(opening(ids), uow=store)
    assert refused.value.field == "slug"
    assert len(store.events_after()) == 1
