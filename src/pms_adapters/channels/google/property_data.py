"""The rooms and packages of a hotel as Google wants to know them, before it shows any rate of theirs.

Owns the message about them. It adds and changes, and takes away nothing that a partner has entered. When a stay can
be given back for nothing is told where a plan says it with one date; what is more than that cannot be said there, and
is left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final

from pms_adapters.serialization.xml import Element, element, written
from pmscore.channels.model.calls import At
from pmscore.channels.model.mappings import MappedRate, MappedRoom
from pmscore.inventory.model.house import House
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.tiers import Anchor, FeeSpec

__all__ = ["property_data"]

_BREAKFAST: Final = "breakfast"
_MOST_GUESTS: Final = 20


def property_data(
    at: At, house: House, book: PriceBook | None, *, token: str, partner: str, language: str = "en"
) -> bytes:
    """Return the message; rooms by their code, then packages by theirs, each once."""
    says = (
        element("Property", text=at.connection.listing_id),
        *_rooms(at.mappings.rooms, house, language),
        *_packages(at.mappings.rates, book, language),
    )
    told = Element("PropertyDataSet", {"action": "delta"}, "", says)
    head = {"timestamp": f"{at.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "id": token, "partner": partner}
    return written(Element("Transaction", head, "", (told,)))


def _rooms(mapped: Iterable[MappedRoom], house: House, language: str) -> Iterator[Element]:
    for room in sorted(mapped, key=lambda each: each.room_code):
        unit_type = house.types.get(room.unit_type_id)
        if unit_type is not None:
            yield element(
                "RoomData",
                element("RoomID", text=room.room_code),
                _name(unit_type.name, language),
                element("Capacity", text=str(min(unit_type.largest_party, _MOST_GUESTS))),
            )


def _packages(mapped: Iterable[MappedRate], book: PriceBook | None, language: str) -> Iterator[Element]:
    plans = {} if book is None else {plan.code: plan for plan in book.plans}
    by_code = {rate.rate_code: rate.plan for rate in mapped}
    for rate_code, code in sorted(by_code.items()):
        plan = plans.get(code)
        if plan is None or book is None:
            continue
        yield element(
            "PackageData",
            element("PackageID", text=rate_code),
            _name(plan.name, language),
            *_refundable(plan, book),
            *((element("BreakfastIncluded", text="1"),) if _BREAKFAST in plan.inclusions else ()),
        )


def _refundable(plan: RatePlan, book: PriceBook) -> Iterator[Element]:
    terms = book.terms.get(plan.terms) if plan.terms is not None else None
    tiers = () if terms is None else terms.cancellation.tiers
    if len(tiers) != 1:
        return
    (tier,) = tiers
    if tier.begins_with_booking and tier.fee == FeeSpec.whole():
        yield Element("Refundable", {"available": "false"})
    if tier.anchor is Anchor.ARRIVAL_AT and tier.wall is not None and tier.days <= 0 == tier.hours:
        said = {"available": "true", "refundable_until_days": str(-tier.days)}
        yield Element("Refundable", said | {"refundable_until_time": f"{tier.wall:%H:%M:%S}"})


def _name(text: str, language: str) -> Element:
    return element("Name", Element("Text", {"text": text, "language": language}))
