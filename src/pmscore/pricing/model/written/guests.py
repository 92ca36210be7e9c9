"""What guests make of a price, in its written form.

Owns occupancy terms and age bands. Leaves who else is counted, for fees and taxes, to ``charges``.
"""

from __future__ import annotations

from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.model.written.parts import (
    ages,
    amount,
    amount_or_percent,
    amount_or_percent_json,
    amount_text,
    stated,
)

__all__ = ["occupancy_from", "occupancy_json"]

_INCLUDED = 2


def occupancy_from(reader: ObjectReader, currency: Currency) -> OccupancyTerms:
    """Return what more or fewer guests than included cost."""
    reader.hold_to(optional=("priced_by", "included", "extra_adult", "empty_place", "children"))
    children = tuple(_band(each, currency) for each in reader.find_each("children"))
    return reader.make(
        lambda: OccupancyTerms(
            priced_by=reader.choice("priced_by", PricedBy, PricedBy.UNIT),
            included=reader.integer("included", _INCLUDED),
            extra_adult=amount(reader, "extra_adult", currency, 0),
            empty_place=amount(reader, "empty_place", currency, 0),
            children=children,
        )
    )


def occupancy_json(terms: OccupancyTerms, currency: Currency) -> dict[str, Json]:
    """Return the terms as :func:`occupancy_from` reads them."""
    nothing = amount_text(0, currency)
    written: dict[str, Json] = {
        "priced_by": terms.priced_by.value,
        "included": terms.included,
        "extra_adult": amount_text(terms.extra_adult, currency),
        "empty_place": amount_text(terms.empty_place, currency),
        "children": [_band_json(each, currency) for each in terms.children],
    }
    return stated(
        written,
        {
            "priced_by": PricedBy.UNIT.value,
            "included": _INCLUDED,
            "extra_adult": nothing,
            "empty_place": nothing,
            "children": [],
        },
    )


def _band(reader: ObjectReader, currency: Currency) -> AgeBand:
    reader.hold_to("ages", "price", optional=("fills_place", "needs_bed"))
    first, end = ages(reader.inside("ages"))
    price = reader.inside("price")
    price.hold_to(optional=("amount", "percent"))
    return reader.make(
        lambda: AgeBand(
            from_age=first,
            to_age=end,
            price=amount_or_percent(price, currency),
            fills_place=reader.flag("fills_place", default=True),
            needs_bed=reader.flag("needs_bed", default=True),
        ),
        renamed={"from_age": "ages.from", "to_age": "ages.to"},
    )


def _band_json(band: AgeBand, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "ages": {"from": band.from_age, "to": band.to_age},
        "price": amount_or_percent_json(band.price, currency),
        "fills_place": band.fills_place,
        "needs_bed": band.needs_bed,
    }
    return stated(written, {"fills_place": True, "needs_bed": True})
