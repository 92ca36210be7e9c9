"""Ids in answers to searches: the same text for the same id, however many were written before."""

from __future__ import annotations

from uuid import UUID

import pytest

from pms_web import stock_views
from pms_web.stock_views import search_body
from pmscore.availability.model import Offer, SearchResult
from pmscore.dates.nights import StayRange, parse_date
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId

STAY = StayRange(parse_date("2027-06-01", field=""), parse_date("2027-06-04", field=""))


def units_written(*numbers: int) -> list[str]:
    offer = Offer(
        property_id=PropertyId(UUID(int=1)),
        unit_type_id=UnitTypeId(UUID(int=2)),
        stay=STAY,
        free_rooms=1,
        free_units=tuple(UnitId(UUID(int=number)) for number in numbers),
    )
    (body,) = search_body(STAY, SearchResult(offers=(offer,)))["offers"]
    return body["free_units"]


def test_known_and_new_units_are_written_in_their_order():
    assert units_written(5, 3) == [str(UUID(int=5)), str(UUID(int=3))]
    assert units_written(3, 9, 5) == [str(UUID(int=3)), str(UUID(int=9)), str(UUID(int=5))]
    assert units_written() == []


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stock_views, "_MOST_WRITTEN", 10)
    for first in range(0, 200, 4):
        numbers = range(first, first + 4)
        assert units_written(*numbers) == [str(UUID(int=number)) for number in numbers]
        assert len(stock_views._WRITTEN) <= 14
