"""The terms a stay is sold on, as one value, and the form in which a quote and a booking keep them.

Owns the snapshot: once written it is what counts, whatever happens to the policies it was made from. Leaves
the parts to ``tiers`` and ``instalments``, and what they come to for a stay to ``policies``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time
from typing import Final, Self

from attrs import frozen

from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.percent import Percent
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.tiers import Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier

__all__ = ["Terms"]

VERSION: Final = 1
"""Of the persisted form; raised whenever its meaning changes."""


@frozen(kw_only=True, cache_hash=True)
class Terms:
    """Cancellation, no-show and deposit; amounts in all three are minor units of ``currency``."""

    currency: Currency
    cancellation: CancellationPolicy
    no_show: FeeSpec
    deposit: DepositPolicy

    def to_json(self) -> dict[str, Json]:
        """Return the persisted form; :meth:`from_json` turns it back into an equal value."""
        return {
            "version": VERSION,
            "currency": self.currency.code,
            "cancellation": {"tiers": [_tier_json(each) for each in self.cancellation.tiers]},
            "no_show": _fee_json(self.no_show),
            "deposit": {"milestones": [_milestone_json(each) for each in self.deposit.milestones]},
        }

    def to_bytes(self) -> bytes:
        """Return the persisted form as text with sorted names: equal terms, equal bytes."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, document: Mapping[str, Json]) -> Self:
        """Return the terms that were persisted.

        Raises:
            InvalidInputError: names the place as a path from ``terms`` on, such as
                ``terms.cancellation.tiers.0.fee.percent``; reason as for the value itself, or
                ``unknown_version``, ``missing``, ``unknown_name``, ``not_an_object``, ``not_a_list``,
                ``not_text``, ``not_an_integer``, ``not_a_flag``, ``unknown_value``, ``not_a_time``.
        """
        reader = ObjectReader(document, "terms")
        if reader.integer("version") != VERSION:
            raise InvalidInputError("terms.version", "unknown_version", known=VERSION)
        reader.hold_to("version", "currency", "cancellation", "no_show", "deposit")
        cancellation = reader.inside("cancellation")
        cancellation.hold_to("tiers")
        deposit = reader.inside("deposit")
        deposit.hold_to("milestones")
        tiers = tuple(_tier(each) for each in cancellation.each("tiers"))
        milestones = tuple(_milestone(each) for each in deposit.each("milestones"))
        return cls(
            currency=reader.make(lambda: Currency.recorded(reader.text("currency"))),
            cancellation=cancellation.make(lambda: CancellationPolicy(tiers)),
            no_show=_fee(reader.inside("no_show")),
            deposit=deposit.make(lambda: DepositPolicy(milestones)),
        )


def _fee_json(fee: FeeSpec) -> dict[str, Json]:
    return {
        "amount": fee.amount,
        "percent": fee.percent.plain(),
        "base": fee.base.value,
        "extent": fee.extent.value,
        "first_nights": fee.first_nights,
        "cap": fee.cap,
        "may_exceed_price": fee.may_exceed_price,
        "tax_code": fee.tax_code,
    }


def _fee(reader: ObjectReader) -> FeeSpec:
    reader.hold_to(*_fee_json(FeeSpec()))
    return reader.make(
        lambda: FeeSpec(
            amount=reader.integer("amount"),
            percent=Percent.parse(reader.text("percent")),
            base=reader.choice("base", FeeBase),
            extent=reader.choice("extent", Extent),
            first_nights=reader.find_integer("first_nights"),
            cap=reader.find_integer("cap"),
            may_exceed_price=reader.flag("may_exceed_price"),
            tax_code=reader.text("tax_code"),
        )
    )


def _tier_json(tier: Tier) -> dict[str, Json]:
    return {
        "anchor": tier.anchor.value,
        "days": tier.days,
        "hours": tier.hours,
        "wall": None if tier.wall is None else tier.wall.isoformat(),
        "fee": _fee_json(tier.fee),
    }


def _tier(reader: ObjectReader) -> Tier:
    reader.hold_to("anchor", "days", "hours", "wall", "fee")
    fee = _fee(reader.inside("fee"))
    return reader.make(
        lambda: Tier(
            anchor=reader.choice("anchor", Anchor),
            days=reader.integer("days"),
            hours=reader.integer("hours"),
            wall=_wall(reader.find_text("wall")),
            fee=fee,
        )
    )


def _wall(text: str | None) -> time | None:
    if text is None:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidInputError("wall", "not_a_time") from None


def _milestone_json(milestone: Milestone) -> dict[str, Json]:
    return {
        "due": milestone.due.value,
        "days": milestone.days,
        "on": None if milestone.on is None else milestone.on.isoformat(),
        "percent": None if milestone.percent is None else milestone.percent.plain(),
        "amount": milestone.amount,
    }


def _milestone(reader: ObjectReader) -> Milestone:
    reader.hold_to("due", "days", "on", "percent", "amount")
    on = reader.find_text("on")
    percent = reader.find_text("percent")
    return reader.make(
        lambda: Milestone(
            due=reader.choice("due", Due),
            days=reader.find_integer("days"),
            on=None if on is None else parse_date(on, field="on"),
            percent=None if percent is None else Percent.parse(percent),
            amount=reader.find_integer("amount"),
        )
    )
