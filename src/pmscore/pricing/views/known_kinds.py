"""Which stays are quoted alike, wherever they begin: their rules, tables, charges and terms are worked out once.

Owns what stays must have in common, and how long that is remembered. Leaves the amounts of a stay to
``stay_kind``. Law: what is remembered of one kind of stay never gets into the price of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import blake2b
from typing import Final, TypeAlias

from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import ChargedStay
from pmscore.pricing.model.charges.taxes import RoundingScope
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.quote import Offer, Quote, QuoteSource, RuleVersion
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceQuestion, PriceRule
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.views.charge_shapes import (
    NOTHING,
    ChargeShape,
    RateShape,
    has_shapes,
    rate_shape_of,
    shape_of,
)
from pmscore.pricing.views.night_table import NightTable
from pmscore.pricing.views.rate_tables import RateTables
from pmscore.pricing.views.stay_kind import StayKind, TaxedRun

__all__ = ["KnownKinds", "question_of"]

MOST_KINDS: Final = 50_000
_Key: TypeAlias = "tuple[object, ...]"


class KnownKinds:
    """The kinds of stays of one book, remembered as long as the tables that they are made of."""

    def __init__(self, book: PriceBook, tables: RateTables, source: QuoteSource) -> None:
        self._book = book
        self._source = source
        self._tables = tables
        self._kinds: dict[_Key, StayKind] = {}
        self._times_cleared = 0
        self._classes: dict[object, int] = {}
        self._has_shapes = has_shapes(book)
        self._turn = _turn_of(book.rules)
        self._known_codes = frozenset(str(rule.value.get("code")) for rule in book.rules)

    def of(
        self,
        request: QuoteRequest,
        unit_type_id: UnitTypeId,
        plan_code: str,
        booked_on: date,
        occupied: tuple[int, ...] | None,
    ) -> StayKind | tuple[Violation, ...]:
        """Return the kind of a stay, or why it is not sold.

        Kinds where somebody has counted how full the house is are not remembered.

        Raises:
            NotFoundError: the property has no such plan.
            InvalidInputError: field ``codes`` (no such promotion) or ``extras`` (no such fee).
        """
        if occupied is not None:
            return self._made(request, unit_type_id, self._book.plan(plan_code), booked_on, occupied)
        key = self._key(request, unit_type_id, plan_code, booked_on)
        kind = self._kinds.get(key)
        if kind is None:
            found = self._made(request, unit_type_id, self._book.plan(plan_code), booked_on, None)
            if isinstance(found, tuple):
                return found
            kind = found
            self._remember(key, kind)
        return kind

    def _remember(self, key: _Key, kind: StayKind) -> None:
        """Keep a kind as long as its tables are kept."""
        if len(self._kinds) >= MOST_KINDS or self._times_cleared != self._tables.times_cleared:
            self._kinds.clear()
            self._times_cleared = self._tables.times_cleared
        self._kinds[key] = kind

    def _key(self, request: QuoteRequest, unit_type_id: UnitTypeId, plan: str, booked_on: date) -> _Key:
        """Return what stays must have in common to be quoted alike."""
        stay = request.stay
        first = stay.arrival.toordinal()
        return (
            unit_type_id,
            plan,
            request.parties,
            request.channel,
            stay.departure.toordinal() - first,
            first - booked_on.toordinal(),
            request.codes,
            request.extras,
            first % self._turn if self._turn else first,
        )

    def _made(
        self,
        request: QuoteRequest,
        unit_type_id: UnitTypeId,
        plan: RatePlan,
        booked_on: date,
        occupied: tuple[int, ...] | None,
    ) -> StayKind | tuple[Violation, ...]:
        for code in request.codes:
            if code not in self._known_codes:
                raise InvalidInputError("codes", "unknown_code", value=code)
        if unit_type_id not in self._book.types_of(plan):
            return (Violation("plan_not_sold_for_type", None, plan.code, "plan"),)
        stack = self._tables.stack(question_of(request, unit_type_id, plan.code, booked_on, occupied))
        if unused := _unused_codes(request.codes, stack):
            return tuple(Violation("code_does_not_apply", None, code, "plan") for code in unused)
        charges = tuple(self._tables.charge(plan, unit_type_id, party) for party in request.parties)
        found = [self._tables.table(plan, unit_type_id, charge, stack) for charge in charges]
        tables = tuple(table for table in found if table is not None)
        shape = self._shape(plan, request) if len(tables) == len(charges) else None
        offer = Offer(
            property_id=self._book.property_id,
            unit_type_id=unit_type_id,
            plan=plan.code,
            parties=request.parties,
            channel=request.channel,
            codes=request.codes,
            extras=request.extras,
            currency=self._book.currency,
            terms=self._book.terms_of(plan),
            versions=self._versions(plan, stack),
            occupied=occupied,
            source=self._source,
        )
        return StayKind(
            offer=offer,
            plan=plan,
            stack=stack,
            charges=charges,
            length=request.stay.length,
            tables=tables,
            runs=None if shape is None else _runs(shape, tables),
            constant=NOTHING if shape is None else shape.constant,
            by_rate=self._rate_shape(plan, request),
            digest=blake2b(_prefix(offer, request.stay.length), digest_size=16),
        )

    def _shape(self, plan: RatePlan, request: QuoteRequest) -> ChargeShape | None:
        if not self._has_shapes:
            return None
        stay = ChargedStay(stay=request.stay, rooms=request.parties, channel=request.channel)
        return shape_of(self._book, self._book.inclusions_of(plan), stay, request.extras, self._classes)

    def _rate_shape(self, plan: RatePlan, request: QuoteRequest) -> RateShape | None:
        if self._book.tax_rounding.scope is RoundingScope.PER_LINE or self._book.inclusions_of(plan):
            return None
        stay = ChargedStay(stay=request.stay, rooms=request.parties, channel=request.channel)
        return rate_shape_of(self._book, stay, request.extras)

    def _versions(self, plan: RatePlan, stack: Stack) -> tuple[RuleVersion, ...]:
        return (
            RuleVersion("book", "", self._book.version),
            *(RuleVersion("plan", each.code, each.version) for each in self._book.lineage(plan.code)),
            *(RuleVersion("rule", each.rule.code, each.rule.version) for each in stack.applied),
        )


def question_of(
    asked: QuoteRequest | Quote,
    unit_type_id: UnitTypeId,
    plan: str,
    booked_on: date,
    occupied: tuple[int, ...] | None,
) -> PriceQuestion:
    """Return what price rules are asked for a stay, be it requested or quoted."""
    return PriceQuestion(
        stay=asked.stay,
        unit_type_id=unit_type_id,
        plan=plan,
        booked_on=booked_on,
        channel=asked.channel,
        codes=frozenset(asked.codes),
        occupied=occupied,
    )


def _unused_codes(codes: Iterable[str], stack: Stack) -> list[str]:
    """Return the codes that change nothing; one whose rule stands back for a better one is no mistake of the guest's."""
    met = [each.rule for each in stack.applied] + [each.rule for each in stack.passed_over]
    used = {str(rule.value.get("code")) for rule in met}
    return [code for code in codes if code not in used]


def _runs(shape: ChargeShape, tables: Sequence[NightTable]) -> tuple[TaxedRun, ...]:
    """Return the runs of nights of all rooms."""
    return tuple(
        (each.start, each.end, *table.sums(each.key, each.totals_of))
        for table, classes in zip(tables, shape.classes, strict=True)
        for each in classes
    )


def _turn_of(rules: Iterable[PriceRule]) -> int:
    """Return after how many days a stay meets the same rules again; zero where that is never so."""
    if any(rule.nights is not None or rule.booked is not None for rule in rules):
        return 0
    return 7 if any(rule.weekdays != Weekdays.EVERY for rule in rules) else 1


def _prefix(offer: Offer, length: int) -> bytes:
    """Return what a fingerprint says beside the first night and the amounts."""
    asked = (length, offer.parties, offer.channel, offer.codes, offer.extras)
    said = repr((str(offer.unit_type_id), offer.plan, asked, offer.versions)).encode()
    return said + (b"" if offer.terms is None else offer.terms.to_bytes())
