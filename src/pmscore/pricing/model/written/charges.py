"""Fees, inclusions and taxes in their written form.

Owns each by itself. Leaves whether taxes fit together to ``model.charges.tax_table``.
"""

from __future__ import annotations

from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.money import Rounding
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.charges.counting import Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.written.parts import (
    age_limit,
    age_limit_json,
    amount_or_percent,
    amount_or_percent_json,
    find_date_range,
    range_json,
    stated,
)

__all__ = [
    "fee_from",
    "fee_json",
    "inclusion_from",
    "inclusion_json",
    "tax_from",
    "tax_json",
    "tax_rounding_from",
    "tax_rounding_json",
]

_FEE = "fee"
_TAX_OPTIONAL = (
    "on",
    "per",
    "level",
    "compounds",
    "compounds_lower",
    "is_inclusive",
    "is_city_tax",
    "valid",
    "counted",
    "skipped_nights",
    "most_nights",
    "exempt_from_nights",
    "remitted_by",
)


def fee_from(reader: ObjectReader, currency: Currency) -> Fee:
    """Return a fee."""
    reader.hold_to("code", "name", "per", "price", optional=("category", "is_mandatory", "valid", "counted"))
    price = reader.inside("price")
    price.hold_to(optional=("amount", "percent"))
    worth = amount_or_percent(price, currency)
    valid = find_date_range(reader, "valid")
    counted = age_limit(reader.find_inside("counted"))
    return reader.make(
        lambda: Fee(
            code=reader.text("code"),
            name=reader.text("name"),
            per=reader.choice("per", Per),
            amount=worth,
            category=reader.text("category", _FEE),
            is_mandatory=reader.flag("is_mandatory", default=True),
            valid=valid,
            counted=counted,
        ),
        renamed={"amount": "price"},
    )


def fee_json(fee: Fee, currency: Currency) -> dict[str, Json]:
    """Return a fee as :func:`fee_from` reads it."""
    written: dict[str, Json] = {
        "code": fee.code,
        "name": fee.name,
        "per": fee.per.value,
        "price": amount_or_percent_json(fee.amount, currency),
        "category": fee.category,
        "is_mandatory": fee.is_mandatory,
        "valid": range_json(fee.valid),
        "counted": age_limit_json(fee.counted),
    }
    return stated(written, {"category": _FEE, "is_mandatory": True, "valid": None, "counted": None})


def inclusion_from(reader: ObjectReader, currency: Currency) -> Inclusion:
    """Return an inclusion."""
    reader.hold_to("code", "per", "price", "category", optional=("valid", "counted"))
    price = reader.inside("price")
    price.hold_to(optional=("amount", "percent"))
    worth = amount_or_percent(price, currency)
    valid = find_date_range(reader, "valid")
    counted = age_limit(reader.find_inside("counted"))
    return reader.make(
        lambda: Inclusion(
            code=reader.text("code"),
            per=reader.choice("per", Per),
            amount=worth,
            category=reader.text("category"),
            valid=valid,
            counted=counted,
        ),
        renamed={"amount": "price"},
    )


def inclusion_json(inclusion: Inclusion, currency: Currency) -> dict[str, Json]:
    """Return an inclusion as :func:`inclusion_from` reads it."""
    written: dict[str, Json] = {
        "code": inclusion.code,
        "per": inclusion.per.value,
        "price": amount_or_percent_json(inclusion.amount, currency),
        "category": inclusion.category,
        "valid": range_json(inclusion.valid),
        "counted": age_limit_json(inclusion.counted),
    }
    return stated(written, {"valid": None, "counted": None})


def tax_from(reader: ObjectReader, currency: Currency) -> Tax:
    """Return a tax."""
    reader.hold_to("code", "name", "rate", optional=_TAX_OPTIONAL)
    inner = reader.inside("rate")
    inner.hold_to(optional=("amount", "percent"))
    rate = amount_or_percent(inner, currency)
    valid = find_date_range(reader, "valid")
    counted = age_limit(reader.find_inside("counted"))
    return reader.make(
        lambda: Tax(
            code=reader.text("code"),
            name=reader.text("name"),
            rate=rate,
            on=reader.texts("on") if reader.has("on") else ("room",),
            per=reader.choice("per", Per) if reader.has("per") else None,
            level=reader.integer("level", 1),
            compounds=reader.find_texts("compounds"),
            compounds_lower=reader.flag("compounds_lower", default=False),
            is_inclusive=reader.flag("is_inclusive", default=False),
            is_city_tax=reader.flag("is_city_tax", default=False),
            valid=valid,
            counted=counted,
            skipped_nights=reader.integer("skipped_nights", 0),
            most_nights=reader.find_integer("most_nights"),
            exempt_from_nights=reader.find_integer("exempt_from_nights"),
            remitted_by=reader.find_texts("remitted_by"),
        )
    )


def tax_json(tax: Tax, currency: Currency) -> dict[str, Json]:
    """Return a tax as :func:`tax_from` reads it."""
    written: dict[str, Json] = {
        "code": tax.code,
        "name": tax.name,
        "rate": amount_or_percent_json(tax.rate, currency),
        "on": [*tax.on],
        "per": None if tax.per is None else tax.per.value,
        "level": tax.level,
        "compounds": [*tax.compounds],
        "compounds_lower": tax.compounds_lower,
        "is_inclusive": tax.is_inclusive,
        "is_city_tax": tax.is_city_tax,
        "valid": range_json(tax.valid),
        "counted": age_limit_json(tax.counted),
        "skipped_nights": tax.skipped_nights,
        "most_nights": tax.most_nights,
        "exempt_from_nights": tax.exempt_from_nights,
        "remitted_by": [*tax.remitted_by],
    }
    return stated(
        written,
        {
            "on": ["room"],
            "per": None,
            "level": 1,
            "compounds": [],
            "compounds_lower": False,
            "is_inclusive": False,
            "is_city_tax": False,
            "valid": None,
            "counted": None,
            "skipped_nights": 0,
            "most_nights": None,
            "exempt_from_nights": None,
            "remitted_by": [],
        },
    )


def tax_rounding_from(reader: ObjectReader | None) -> TaxRounding:
    """Return how taxes are rounded: half up by line where nothing is said."""
    if reader is None:
        return TaxRounding(scope=RoundingScope.PER_LINE, mode=Rounding.HALF_UP)
    reader.hold_to(optional=("scope", "mode"))
    return TaxRounding(
        scope=reader.choice("scope", RoundingScope, RoundingScope.PER_LINE),
        mode=reader.choice("mode", Rounding, Rounding.HALF_UP),
    )


def tax_rounding_json(rounding: TaxRounding) -> dict[str, Json]:
    """Return the rounding as :func:`tax_rounding_from` reads it."""
    written: dict[str, Json] = {"scope": rounding.scope.value, "mode": rounding.mode.value}
    return stated(written, {"scope": RoundingScope.PER_LINE.value, "mode": Rounding.HALF_UP.value})
