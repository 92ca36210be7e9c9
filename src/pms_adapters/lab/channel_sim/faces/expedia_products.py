"""The products of a simulated Expedia hotel: its room types, each with its rate plans.

Each plan has a twin for guests who pay at Expedia, which follows it; a room type that is no longer sold is
there, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pms_adapters.serialization.xml import Element, element

__all__ = ["products"]


def products(rooms: Mapping[str, Iterable[str]]) -> Iterator[Element]:
    """Yield the room types."""
    for number, (code, rates) in enumerate(rooms.items(), 1):
        plans = [each for rate in rates for each in _plans(rate)]
        yield _room(code, f"Room type {number}", "Active", plans)
    yield _room("1", "Cottage that was sold", "Inactive", [])


def _room(code: str, name: str, status: str, plans: Iterable[Element]) -> Element:
    return element("RoomType", *plans, id=code, code=name, name=name, status=status)


def _plans(rate: str) -> Iterator[Element]:
    shared = {"code": "RoomOnly", "name": "Room only", "status": "Active", "type": "Standalone"}
    yield element(
        "RatePlan", id=rate, **shared, distributionModel="HotelCollect", rateAcquisitionType="SellRate"
    )
    followed = {"distributionModel": "ExpediaCollect", "rateAcquisitionType": "Derived", "parentId": rate}
    yield element("RatePlan", id=f"{rate}-1", **shared, **followed)
