"""One tax as it is stored, and how taxes are rounded.

Owns a tax and the checks that need no other tax. Leaves what taxes must be among each other to
``tax_table`` and the calculation to ``policies.taxing``. The rules and their sources:
``docs/algorithms/taxes.md``.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR, Rounding
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.charges.counting import EVERYBODY, AgeLimit, Per

__all__ = ["RoundingScope", "Tax", "TaxRounding"]


class RoundingScope(StrEnum):
    """What is rounded; the values are persisted and never renamed."""

    PER_LINE = "per_line"
    """Every tax of every line by itself."""
    PER_RATE = "per_rate"
    """Each tax once, on the sum of the nets that bear it at one rate. Prices that include taxes may change by
    a unit."""
    PER_RATE_KEEPING_GROSS = "per_rate_keeping_gross"
    """Each tax once at each rate, but worked out so that every price stays what it is."""


@frozen(kw_only=True)
class TaxRounding:
    """The scope and the mode in which a house rounds its taxes."""

    scope: RoundingScope = RoundingScope.PER_LINE
    mode: Rounding = Rounding.HALF_UP


@frozen(kw_only=True)
class Tax:
    """A tax on charges of some categories.

    ``rate`` is a percentage of what is charged, or a flat amount in minor units for each unit of ``per``.

    - A percentage is taken on the net of each charge whose category is in ``on``, and as well on the taxes
      of lower levels named in ``compounds``, or on all of them (``compounds_lower``).
    - A flat tax is charged once a room and night (or room, or booking: see ``per``) that has a charge of a
      category in ``on``, be that charge zero.
    - ``is_inclusive``: it is contained in the price; else it is added to it.
    - The tax counts that is ``valid`` on the night; for a charge of no night, on the day of arrival.
    - The first ``skipped_nights`` of a stay are free of it; then it is charged for at most ``most_nights``.
      Both count from the arrival, and touch only charges that belong to a night.
    - ``counted``: who bears it. A flat tax per person counts them; an added percentage is taken on their
      share of the heads in the room.
    - Stays of ``exempt_from_nights`` and more are free of it, and those sold by a channel in
      ``remitted_by``, which pays the tax itself.
    - ``is_city_tax``: collected for the town; never part of the house's revenue or its gross.

    Raises ``InvalidInputError`` naming the field.
    """

    code: str
    name: str
    rate: Percent | int
    on: tuple[str, ...] = ("room",)
    per: Per | None = None
    level: int = 1
    compounds: tuple[str, ...] = ()
    compounds_lower: bool = False
    is_inclusive: bool = False
    is_city_tax: bool = False
    valid: DateRange | None = None
    counted: AgeLimit = EVERYBODY
    skipped_nights: int = 0
    most_nights: int | None = None
    exempt_from_nights: int | None = None
    remitted_by: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        checked_code(self.code, field="code")
        checked_text(self.name, field="name")
        if not self.on:
            raise InvalidInputError("on", "no_basis")
        for category in self.on:
            checked_code(category, field="on")
        for channel in self.remitted_by:
            checked_code(channel, field="remitted_by")
        _check_number("level", self.level, least=0)
        _check_number("skipped_nights", self.skipped_nights, least=0)
        _check_number("most_nights", self.most_nights, least=1)
        _check_number("exempt_from_nights", self.exempt_from_nights, least=1)
        if self.compounds and self.compounds_lower:
            raise InvalidInputError("compounds", "named_and_all")
        if isinstance(self.rate, Percent):
            self._check_percentage(self.rate)
        else:
            self._check_flat(self.rate)

    @property
    def millionths(self) -> int:
        """The percentage in millionths; 0 for a flat tax."""
        return self.rate.millionths if isinstance(self.rate, Percent) else 0

    @property
    def flat(self) -> int:
        """The flat amount in minor units; 0 for a percentage."""
        return 0 if isinstance(self.rate, Percent) else self.rate

    def _check_percentage(self, rate: Percent) -> None:
        if not 0 <= rate.millionths <= WHOLE:
            raise InvalidInputError("rate", "not_a_share", value=rate.plain(), most="100")
        if self.per is not None:
            raise InvalidInputError("per", "percentage_has_none")
        if self.is_inclusive and self.counted != EVERYBODY:
            raise InvalidInputError("counted", "in_a_price_that_includes_it")

    def _check_flat(self, rate: int) -> None:
        if type(rate) is not int:
            raise InvalidInputError("rate", "not_an_integer", type=type(rate).__name__)
        if not 0 <= rate <= MAX_MINOR:
            raise InvalidInputError("rate", "negative" if rate < 0 else "too_large")
        if self.per is None:
            raise InvalidInputError("per", "missing")
        if self.compounds or self.compounds_lower:
            raise InvalidInputError("compounds", "flat")
        if self.counted != EVERYBODY and not self.per.counts_people:
            raise InvalidInputError("counted", "nobody_is_counted", per=self.per.value)
        if self.per.is_nightly:
            return
        if self.skipped_nights or self.most_nights is not None:
            limit = "skipped_nights" if self.skipped_nights else "most_nights"
            raise InvalidInputError(limit, "not_nightly", per=self.per.value)
        if self.is_inclusive:
            raise InvalidInputError("is_inclusive", "not_nightly", per=self.per.value)


def _check_number(name: str, value: int | None, *, least: int) -> None:
    if value is not None and (type(value) is not int or not least <= value <= MAX_MINOR):
        raise InvalidInputError(name, "out_of_range", least=least)
