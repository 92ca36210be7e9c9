"""Cases: a house, its prices, one request, and what ought to come out, in one document.

Owns the reading of what is given. Leaves the answer to ``use_cases.cases`` and what ought to come out to
``expectations``. Every field: ``docs/reference/price-cases.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from itertools import count
from typing import Final
from uuid import UUID

from attrs import frozen

from pmscore.dates.nights import FIRST_DAY, StayRange, parse_date
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.dates.zones import Zone, local_date
from pmscore.inventory.model.house import Capacity, House, Property, UnitType
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.written.book import book_from_json
from pmscore.pricing.model.written.parts import date_range, find_date_range, time_of_day, weekdays
from pmscore.pricing.model.written.plans import unit_type_at
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, RuleValue

__all__ = ["AskedCancellation", "PriceCase", "case_from_json", "instant"]

_GIVEN: Final = ("zone", "unit_types", "book", "now", "request")
_OPTIONAL: Final = (
    "name",
    "source",
    "how",
    "check_in_at",
    "business_date",
    "stay_rules",
    "claimed",
    "cancellations",
    "expect",
)
_HOUSE: Final = PropertyId(UUID(int=1))
_CHECK_IN: Final = time(15)


@frozen(kw_only=True)
class AskedCancellation:
    """A cancellation to be worked out: when, or not showing up; of which rooms and nights; what was paid before."""

    at: datetime | None
    paid: Money
    rooms: tuple[int, ...] | None
    nights: DateRange | None


@frozen(kw_only=True)
class PriceCase:
    """All that is given in a case; ``claimed`` counts the rooms that are taken, by type and night."""

    house: House
    stay_rules: RuleBook
    book: PriceBook
    claimed: Mapping[UnitTypeId, tuple[tuple[DateRange, int], ...]]
    now: datetime
    request: QuoteRequest
    cancellations: tuple[AskedCancellation, ...]

    def name_of(self, unit_type_id: UnitTypeId) -> str:
        """Return what the case calls a type."""
        return self.house.types[unit_type_id].name


def case_from_json(document: Json) -> PriceCase:
    """Return what is given in a case; what is expected is not looked at.

    Raises:
        InvalidInputError: names the place, ``book.plans.0.code`` or ``request.parties.1.ages`` for instance.
    """
    reader = ObjectReader.of(document)
    reader.hold_to(*_GIVEN, optional=_OPTIONAL)
    types = _types(reader.inside("unit_types"))
    ids = {unit_type.name: type_id for type_id, unit_type in types.items()}

    def unit_type(text: str) -> UnitTypeId:
        if text not in ids:
            raise InvalidInputError("unit_type", "unknown_type", value=ascii(text[:64]), known=", ".join(ids))
        return ids[text]

    def type_at(within: ObjectReader, name: str) -> UnitTypeId:
        return unit_type_at(unit_type, within.text(name), within.at(name))

    book = book_from_json(reader.value("book"), property_id=_HOUSE, unit_type=unit_type, path="book")
    now = instant(reader, "now")
    zone = reader.make(lambda: Zone(reader.text("zone")))
    business_date = reader.find_text("business_date")
    home = Property(
        property_id=_HOUSE,
        name="case",
        zone=zone,
        currency=book.currency,
        business_date=local_date(now, zone)
        if business_date is None
        else parse_date(business_date, field="business_date"),
        check_in_at=time_of_day(reader, "check_in_at") if reader.has("check_in_at") else _CHECK_IN,
    )
    claimed: dict[UnitTypeId, list[tuple[DateRange, int]]] = {}
    for each in reader.find_each("claimed"):
        each.hold_to("unit_type", "nights", "rooms")
        taken = date_range(each.inside("nights")), each.integer("rooms")
        claimed.setdefault(type_at(each, "unit_type"), []).append(taken)
    rules: list[Rule] = []
    for each in reader.find_each("stay_rules"):
        owner = type_at(each, "unit_type") if each.has("unit_type") else None
        rules.append(_stay_rule(each, owner))
    asked = reader.inside("request")
    asked_types = tuple(
        unit_type_at(unit_type, text, asked.at(f"unit_types.{at}"))
        for at, text in enumerate(asked.find_texts("unit_types"))
    )
    return PriceCase(
        house=House(property=home, types=types, units={}),
        stay_rules=reader.make(lambda: RuleBook(tuple(rules)), renamed={"rules": "stay_rules"}),
        book=book,
        claimed={type_id: tuple(ranges) for type_id, ranges in claimed.items()},
        now=now,
        request=_request(asked, asked_types),
        cancellations=tuple(_cancellation(each, book.currency) for each in reader.find_each("cancellations")),
    )


def instant(reader: ObjectReader, name: str) -> datetime:
    """Return the instant at a name, written as ISO 8601 with its offset: ``2027-03-01T10:00:00Z``.

    Raises:
        InvalidInputError: reason ``not_an_instant``; it is anything else, or has no offset.
    """
    text = reader.text(name)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        raise InvalidInputError(reader.at(name), "not_an_instant", value=ascii(text[:40]))
    return found.astimezone(UTC)


def _types(reader: ObjectReader) -> dict[UnitTypeId, UnitType]:
    return {
        type_id: _type(reader.inside(name), name, type_id)
        for name, type_id in zip(
            sorted(reader.values), (UnitTypeId(UUID(int=number)) for number in count(1)), strict=False
        )
    }


def _type(reader: ObjectReader, name: str, type_id: UnitTypeId) -> UnitType:
    reader.hold_to(optional=("rooms", "largest_party", "overbooking", "turnover_nights"))
    return reader.make(
        lambda: UnitType(
            unit_type_id=type_id,
            name=name,
            capacities=(Capacity(FIRST_DAY, reader.integer("rooms", 1)),),
            largest_party=reader.integer("largest_party", 2),
            overbooking=reader.integer("overbooking", 0),
            turnover_nights=reader.integer("turnover_nights", 0),
        ),
        renamed={"capacity": "rooms"},
    )


def _stay_rule(reader: ObjectReader, unit_type_id: UnitTypeId | None) -> Rule:
    reader.hold_to("kind", "nights", optional=("value", "weekdays", "unit_type", "plan", "channel"))
    nights = date_range(reader.inside("nights"))
    kind = reader.text("kind")
    return reader.make(
        lambda: Rule(
            kind=kind,
            nights=nights,
            weekdays=weekdays(reader, "weekdays").mask,
            value=_rule_value(reader, is_weekdays=kind.endswith("_weekdays")),
            unit_type_id=unit_type_id,
            plan=reader.find_text("plan"),
            channel=reader.find_text("channel"),
        )
    )


def _rule_value(reader: ObjectReader, *, is_weekdays: bool) -> RuleValue:
    """Return a value as the rule has it: weekdays by their names, lengths as a list, else a number or a text."""
    if not reader.has("value"):
        return None
    value = reader.value("value")
    if is_weekdays:
        names = reader.texts("value")
        return reader.make(lambda: Weekdays.from_names(names), renamed={"weekdays": "value"}).mask
    if isinstance(value, list):
        return reader.integers("value")
    return value if isinstance(value, str) else reader.integer("value")


def _request(reader: ObjectReader, unit_type_ids: tuple[UnitTypeId, ...]) -> QuoteRequest:
    reader.hold_to(
        "arrival",
        "departure",
        "parties",
        optional=("unit_types", "plans", "codes", "extras", "channel"),
    )
    parties = tuple(_party(each) for each in reader.each("parties"))
    return reader.make(
        lambda: QuoteRequest(
            stay=StayRange.parse(reader.text("arrival"), reader.text("departure")),
            parties=parties,
            unit_type_ids=unit_type_ids,
            plans=reader.find_texts("plans"),
            codes=reader.find_texts("codes"),
            extras=reader.find_texts("extras"),
            channel=reader.text("channel", "direct"),
        )
    )


def _party(reader: ObjectReader) -> GuestParty:
    reader.hold_to("adults", optional=("ages", "pets"))
    return reader.make(
        lambda: GuestParty(
            adults=reader.integer("adults"), ages=reader.find_integers("ages"), pets=reader.integer("pets", 0)
        )
    )


def _cancellation(reader: ObjectReader, currency: Currency) -> AskedCancellation:
    reader.hold_to(optional=("at", "no_show", "paid", "rooms", "nights"))
    is_no_show = reader.flag("no_show", default=False)
    if is_no_show == reader.has("at"):
        raise InvalidInputError(reader.path, "at_or_no_show")
    return AskedCancellation(
        at=None if is_no_show else instant(reader, "at"),
        paid=Money.parse(reader.text("paid", "0"), currency, field=reader.at("paid")),
        rooms=reader.integers("rooms") if reader.has("rooms") else None,
        nights=find_date_range(reader, "nights"),
    )
