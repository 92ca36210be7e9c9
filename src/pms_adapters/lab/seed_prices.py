"""The price lists of the demo's houses: enough to see a quote explain itself, all invented but plausible for Portugal.

Owns plans, seasons, discounts, fees, taxes and terms. What an ordinary night costs stands in ``seed_houses``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pms_adapters.bootstrap import Services
from pms_adapters.lab.seed_houses import HouseDraft
from pms_adapters.postgres.availability import PostgresAvailability
from pmscore.inventory.model.house import House, UnitType
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import UnitTypeId, parse_id
from pmscore.kernel.money import Money
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.written.book import FORMAT, book_from_json
from pmscore.pricing.use_cases.prices import SetPrices, set_prices

__all__ = ["seed_missing_prices", "seed_prices"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKEND = ("fri", "sat")
_YEARS = range(-1, 5)

_VAT: tuple[Json, ...] = (
    {"code": "vat-room", "name": "VAT on stays", "rate": {"percent": "6"}, "on": ["room"], "is_inclusive": True},
    {"code": "vat-meal", "name": "VAT on meals", "rate": {"percent": "13"}, "on": ["meal"], "is_inclusive": True},
    {"code": "vat-fee", "name": "VAT on services", "rate": {"percent": "23"}, "on": ["fee"], "is_inclusive": True},
    {
        "code": "city",
        "name": "Municipal tourist tax",
        "rate": {"amount": "2.00"},
        "per": "person_night",
        "most_nights": 7,
        "is_city_tax": True,
        "counted": {"ages": {"from": 13, "to": 121}},
    },
)  # fmt: skip
_WHOLE: dict[str, Json] = {"percent": "100", "base": "total"}
_FIRST_NIGHT: dict[str, Json] = {"percent": "100", "base": "total", "extent": "first", "first_nights": 1}
_TERMS: dict[str, Json] = {
    "flexible": {
        "cancellation": [{"anchor": "arrival_at", "days": -1, "wall": "18:00", "fee": _FIRST_NIGHT}],
        "no_show": _WHOLE,
        "deposit": [{"due": "arrival"}],
    },
    "non-refundable": {
        "cancellation": [{"anchor": "created", "fee": _WHOLE}],
        "no_show": _WHOLE,
        "deposit": [{"due": "booking"}],
    },
    "holiday-home": {
        "cancellation": [
            {"anchor": "arrival_date", "days": -60, "fee": {"percent": "30"}},
            {"anchor": "arrival_date", "days": -30, "fee": {"percent": "60"}},
            {"anchor": "arrival_date", "days": -7, "fee": {"percent": "90"}},
        ],
        "no_show": {"percent": "90"},
        "deposit": [{"due": "booking", "percent": "30"}, {"due": "before_arrival", "days": 30}],
    },
}


def seed_prices(services: Services, command: Command, house: House, draft: HouseDraft) -> PriceBook:
    """Give a house without prices its first list."""
    home = house.property
    document = _home_list(house, draft) if draft.by_week else _hotel_list(house, draft)
    book = book_from_json(
        {"format": FORMAT, "currency": home.currency.code, **document},
        property_id=home.property_id,
        unit_type=lambda text: UnitTypeId(parse_id(text, field="unit_type")),
    )
    return set_prices(
        SetPrices(
            request_id=command.request_id, agency_id=command.agency_id, actor_id=command.actor_id, book=book
        ),
        uow=services.uow,
    )


def seed_missing_prices(services: Services, command: Command, drafts: Sequence[HouseDraft]) -> int:
    """Give prices to houses of an older demo that have none; return to how many."""
    found = 0
    by_name = {each.name: each for each in drafts}
    for house in _unpriced(services, command):
        draft = by_name.get(house.property.name)
        if draft is not None:
            seed_prices(services, command, house, draft)
            found += 1
    return found


def _hotel_list(house: House, draft: HouseDraft) -> dict[str, Json]:
    children: list[Json] = [
        {"ages": {"from": 0, "to": 3}, "price": {"amount": "0.00"}, "needs_bed": False},
        {"ages": {"from": 3, "to": 13}, "price": {"percent": "50"}},
    ]
    flex: dict[str, Json] = {
        "code": "flex",
        "name": "Flexible",
        "prices": _prices(house, draft, {"summer": 130, "new-year": 150}),
        "occupancy": {"extra_adult": "35.00", "empty_place": "12.00", "children": children},
        "terms": "flexible",
    }
    saver = _derived("saver", "Non-refundable", "-12")
    saver["limits"] = {"step": "1.00"}
    saver["terms"] = "non-refundable"
    breakfast: dict[str, Json] = {
        "code": "breakfast",
        "name": "Bed and breakfast",
        "derivation": {"parent": "flex", "operations": [{"amount": "28.00"}]},
        "inclusions": ["breakfast"],
    }
    return {
        "seasons": _seasons(house),
        "plans": [flex, saver, breakfast],
        "rules": [*_lengths("-8", "-20"), _promotion()],
        "fees": [_fee("parking", "Parking", "night", "15.00", is_chosen=True)],
        "inclusions": [
            {"code": "breakfast", "per": "person_night", "price": {"amount": "14.00"}, "category": "meal"}
        ],
        "taxes": [*_VAT],
        "terms": {code: _TERMS[code] for code in ("flexible", "non-refundable")},
    }


def _home_list(house: House, draft: HouseDraft) -> dict[str, Json]:
    largest = max(each.largest_party for each in house.types.values())
    flex: dict[str, Json] = {
        "code": "flex",
        "name": "Holiday home",
        "prices": _prices(house, draft, {"summer": 150, "new-year": 140}),
        "occupancy": {"included": largest},
        "terms": "holiday-home",
    }
    saver = _derived("saver", "Non-refundable", "-10")
    saver["terms"] = "non-refundable"
    return {
        "seasons": _seasons(house),
        "plans": [flex, saver],
        "rules": [*_lengths("-10", "-25"), _early_bird()],
        "fees": [
            _fee("cleaning", "Final cleaning", "stay", f"{40 + 10 * largest}.00"),
            _fee("pet", "Pet", "pet", "25.00"),
            _fee("linen", "Bed linen and towels", "person", "12.00", is_chosen=True),
        ],
        "taxes": [*_VAT],
        "terms": {code: _TERMS[code] for code in ("holiday-home", "non-refundable")},
    }


def _prices(house: House, draft: HouseDraft, seasons: Mapping[str, int]) -> dict[str, Json]:
    """Return the prices of all types; ``seasons`` says how much of an ordinary night each season costs in per cent."""
    return {str(each.unit_type_id): _of_type(each, house, draft, seasons) for each in house.types.values()}


def _of_type(
    unit_type: UnitType, house: House, draft: HouseDraft, seasons: Mapping[str, int]
) -> dict[str, Json]:
    night = draft.night_minor()[unit_type.name]

    def week(percent: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for day in _DAYS:
            minor = night * percent * (112 if day in _WEEKEND else 100) // 1_000_000 * 100
            found[day] = Money(minor, house.property.currency).plain()
        return found

    return {"default": week(100), "seasons": {name: week(percent) for name, percent in seasons.items()}}


def _seasons(house: House) -> list[Json]:
    years = [house.property.business_date.year + each for each in _YEARS]

    def nights(first: tuple[int, int], end: tuple[int, int]) -> list[Json]:
        later = 1 if end < first else 0
        return [
            {"from": date(year, *first).isoformat(), "to": date(year + later, *end).isoformat()}
            for year in years
        ]

    return [
        {"name": "summer", "nights": nights((6, 15), (9, 16))},
        {"name": "new-year", "nights": nights((12, 27), (1, 3)), "priority": 1},
    ]


def _derived(code: str, name: str, percent: str) -> dict[str, Json]:
    return {
        "code": code,
        "name": name,
        "derivation": {"parent": "flex", "operations": [{"percent": percent}]},
    }


def _lengths(week: str, month: str) -> list[Json]:
    bands: list[Json] = [
        {"from": 7, "change": {"percent": week}},
        {"from": 28, "change": {"percent": month}},
    ]
    return [
        {
            "code": "long-stay",
            "name": "Weekly and monthly discount",
            "kind": "length_of_stay",
            "value": {"bands": bands},
            "rank": 10,
            "group": "length",
        }
    ]


def _promotion() -> Json:
    return {
        "code": "welcome",
        "name": "Welcome back",
        "kind": "promotion",
        "value": {"code": "welcome", "uses": 500, "change": {"percent": "-10"}},
        "rank": 10,
        "group": "code",
    }


def _early_bird() -> Json:
    return {
        "code": "early-bird",
        "name": "Early bird",
        "kind": "early_bird",
        "value": {"bands": [{"from": 120, "change": {"percent": "-5"}}]},
        "rank": 10,
        "group": "lead",
    }


def _fee(code: str, name: str, per: str, amount: str, *, is_chosen: bool = False) -> Json:
    return {
        "code": code,
        "name": name,
        "per": per,
        "price": {"amount": amount},
        "is_mandatory": not is_chosen,
    }


def _unpriced(services: Services, command: Command) -> tuple[House, ...]:
    houses = PostgresAvailability(services.engine, command.agency_id).houses()
    with services.uow.begin(command) as work:
        return tuple(each for each in houses if work.prices.find(each.property.property_id) is None)
