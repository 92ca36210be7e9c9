"""Working out a case: the same quoting as everywhere, on what stands in one document.

Owns the ports of a case, which have everything in them already. Leaves the form to ``model.written``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from pmscore.availability.model import OccupiedRange
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import FIRST_DAY, LAST_DAY
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import DomainError, NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import Clock, IdSource
from pmscore.pricing.model.written.cases import PriceCase, case_from_json
from pmscore.pricing.ports import PriceReader
from pmscore.pricing.use_cases.quotes import QuoteAnswer, make_quotes
from pmscore.pricing.views.quoting import Quoter
from pmscore.pricing.views.written_quotes import quote_json, refusal_json
from pmscore.restrictions.model.book import RuleBook

__all__ = ["answer_case", "quotes_for_case"]

_AROUND: Final = timedelta(days=60)


def answer_case(document: Json) -> dict[str, Json]:
    """Return what comes out of a case: ``quotes`` and ``refusals``, or the ``error`` that it is refused with.

    What the case expects is not looked at; ``model.written.expectations.differences`` compares it.
    """
    try:
        case = case_from_json(document)
        answer = quotes_for_case(case)
        return {
            "quotes": [quote_json(each, case) for each in answer.quotes],
            "refusals": [refusal_json(each, case) for each in answer.refusals],
        }
    except DomainError as error:
        told = {
            name: value for name, value in error.params.items() if name in {"field", "reason", "kind", "id"}
        }
        return {"error": {"code": error.code, **told}}


def quotes_for_case(case: PriceCase) -> QuoteAnswer:
    """Return the quotes of a case, cheapest first, and the refusals.

    Raises:
        NotFoundError, InvalidInputError: as :func:`make_quotes`.
    """
    return make_quotes(
        case.house.property.property_id,
        case.request,
        availability=_Stock(case),
        prices=_Prices(case),
        clock=_Clock(case.now),
        ids=_Ids(),
    )


@frozen
class _Clock(Clock):
    at: datetime

    def now(self) -> datetime:
        return self.at


class _Ids(IdSource):
    def __init__(self) -> None:
        self._drawn = 0

    def new(self) -> UUID:
        self._drawn += 1
        return UUID(int=self._drawn)


@frozen
class _Prices(PriceReader):
    case: PriceCase
    _quoter: Quoter = field(init=False)

    def __attrs_post_init__(self) -> None:
        stay = self.case.request.stay
        first = max(stay.arrival - _AROUND, FIRST_DAY)
        nights = DateRange(first, min(stay.departure + _AROUND, LAST_DAY))
        quoter = Quoter(self.case.book, nights, self.case.house.property.zone)
        object.__setattr__(self, "_quoter", quoter)

    def quoter(self, property_id: PropertyId, version: int | None = None) -> Quoter:
        if property_id != self.case.book.property_id or version not in {None, self.case.book.version}:
            raise NotFoundError("price_book", property_id)
        return self._quoter

    def uses(
        self,
        property_id: PropertyId,  # noqa: ARG002 (a case has no bookings)
        codes: Iterable[str],  # noqa: ARG002
    ) -> Mapping[str, int]:
        return {}


@frozen
class _Stock(AvailabilityReader):
    case: PriceCase

    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        if set(property_ids) - {self.case.book.property_id}:
            raise NotFoundError("property", ", ".join(map(str, property_ids)))
        return (self.case.house,)

    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        return dict.fromkeys(property_ids, self.case.stay_rules)

    def claimed(
        self,
        unit_type_ids: Iterable[UnitTypeId],
        nights: DateRange,
        now: datetime,  # noqa: ARG002 (no claim of a case expires)
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        return {
            type_id: tuple(
                sum(rooms for taken, rooms in self.case.claimed[type_id] if night in taken)
                for night in nights.nights()
            )
            for type_id in unit_type_ids
            if type_id in self.case.claimed
        }

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        counts = self.claimed(unit_type_ids, nights, now)
        return {type_id: {ClaimKind.BOOKED: each} for type_id, each in counts.items()}

    def free_units(
        self,
        wanted: Mapping[UnitTypeId, DateRange],
        now: datetime,  # noqa: ARG002 (no claim of a case expires)
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        # Types of a case are sold by number.
        return dict.fromkeys(wanted, ())

    def occupied(
        self,
        property_id: PropertyId,  # noqa: ARG002 (claims of a case have no source)
        nights: DateRange,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> tuple[OccupiedRange, ...]:
        return ()
