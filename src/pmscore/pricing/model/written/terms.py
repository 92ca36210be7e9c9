"""Cancellation, no-show and deposit in their written form.

Owns the form in a book, with decimal text and without what goes without saying. The snapshot that a quote and a
booking keep is ``model.terms``' own.
"""

from __future__ import annotations

from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.percent import Percent
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier
from pmscore.pricing.model.written.parts import amount, amount_text, find_amount, stated, time_of_day

__all__ = ["terms_from", "terms_json"]

_FEE = ("amount", "percent", "base", "extent", "first_nights", "cap", "may_exceed_price", "tax_code")


def terms_from(reader: ObjectReader, currency: Currency) -> Terms:
    """Return terms; all amounts are of ``currency``."""
    reader.hold_to("cancellation", "no_show", "deposit")
    tiers = tuple(_tier(each, currency) for each in reader.each("cancellation"))
    milestones = tuple(_milestone(each, currency) for each in reader.each("deposit"))
    return Terms(
        currency=currency,
        cancellation=reader.make(lambda: CancellationPolicy(tiers)),
        no_show=_fee(reader.inside("no_show"), currency),
        deposit=reader.make(lambda: DepositPolicy(milestones)),
    )


def terms_json(terms: Terms) -> dict[str, Json]:
    """Return terms as :func:`terms_from` reads them."""
    return {
        "cancellation": [_tier_json(each, terms.currency) for each in terms.cancellation.tiers],
        "no_show": _fee_json(terms.no_show, terms.currency),
        "deposit": [_milestone_json(each, terms.currency) for each in terms.deposit.milestones],
    }


def _tier(reader: ObjectReader, currency: Currency) -> Tier:
    reader.hold_to("anchor", "fee", optional=("days", "hours", "wall"))
    fee = _fee(reader.inside("fee"), currency)
    wall = time_of_day(reader, "wall") if reader.has("wall") else None
    return reader.make(
        lambda: Tier(
            anchor=reader.choice("anchor", Anchor),
            days=reader.integer("days", 0),
            hours=reader.integer("hours", 0),
            wall=wall,
            fee=fee,
        )
    )


def _tier_json(tier: Tier, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "anchor": tier.anchor.value,
        "days": tier.days,
        "hours": tier.hours,
        "wall": None if tier.wall is None else tier.wall.isoformat(),
        "fee": _fee_json(tier.fee, currency),
    }
    return stated(written, {"days": 0, "hours": 0, "wall": None})


def _fee(reader: ObjectReader, currency: Currency) -> FeeSpec:
    reader.hold_to(optional=_FEE)
    return reader.make(
        lambda: FeeSpec(
            amount=amount(reader, "amount", currency, 0),
            percent=Percent.parse(reader.text("percent", "0"), field=reader.at("percent")),
            base=reader.choice("base", FeeBase, FeeBase.NIGHTS),
            extent=reader.choice("extent", Extent, Extent.REMOVED),
            first_nights=reader.find_integer("first_nights"),
            cap=find_amount(reader, "cap", currency),
            may_exceed_price=reader.flag("may_exceed_price", default=False),
            tax_code=reader.text("tax_code", ""),
        )
    )


def _fee_json(fee: FeeSpec, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "amount": amount_text(fee.amount, currency),
        "percent": fee.percent.plain(),
        "base": fee.base.value,
        "extent": fee.extent.value,
        "first_nights": fee.first_nights,
        "cap": None if fee.cap is None else amount_text(fee.cap, currency),
        "may_exceed_price": fee.may_exceed_price,
        "tax_code": fee.tax_code,
    }
    return stated(
        written,
        {
            "amount": amount_text(0, currency),
            "percent": "0",
            "base": FeeBase.NIGHTS.value,
            "extent": Extent.REMOVED.value,
            "first_nights": None,
            "cap": None,
            "may_exceed_price": False,
            "tax_code": "",
        },
    )


def _milestone(reader: ObjectReader, currency: Currency) -> Milestone:
    reader.hold_to("due", optional=("days", "on", "percent", "amount"))
    on = reader.find_text("on")
    percent = reader.find_text("percent")
    return reader.make(
        lambda: Milestone(
            due=reader.choice("due", Due),
            days=reader.find_integer("days"),
            on=None if on is None else parse_date(on, field="on"),
            percent=None if percent is None else Percent.parse(percent),
            amount=find_amount(reader, "amount", currency),
        )
    )


def _milestone_json(milestone: Milestone, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "due": milestone.due.value,
        "days": milestone.days,
        "on": None if milestone.on is None else milestone.on.isoformat(),
        "percent": None if milestone.percent is None else milestone.percent.plain(),
        "amount": None if milestone.amount is None else amount_text(milestone.amount, currency),
    }
    return stated(written, {"days": None, "on": None, "percent": None, "amount": None})
