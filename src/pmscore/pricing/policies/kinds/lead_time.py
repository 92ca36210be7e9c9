"""Early birds and late deciders: what the days between booking and arrival are worth.

Law: only the number of days from the local day of asking to arrival counts, never the hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.pricing.model.bands import Bands, change_from_json, fields_of, whole_number
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, Stage

__all__ = ["EarlyBird", "LastMinute"]

FARTHEST = 1_500


@PRICE_RULES.register("early_bird")
@frozen
class EarlyBird:
    """``{"bands": [{"from": 60, "change": {"percent": "-10"}}]}``: so many days ahead or more."""

    stage: ClassVar[Stage] = Stage.LEAD_TIME
    bands: Bands

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused unless it has ``bands`` alone."""
        read = fields_of(dict(value), field="value", known=frozenset({"bands"}))
        return cls(Bands.of(read.get("bands"), field="value.bands", most=FARTHEST))

    def changes(self, question: PriceQuestion, /) -> Change | None:
        """Return the change of the farthest band that the stay was asked for in."""
        return self.bands.at(question.lead_days)


@PRICE_RULES.register("last_minute")
@frozen
class LastMinute:
    """``{"until": [{"days": 3, "change": {"percent": "-15"}}]}``: so many days ahead or fewer; the nearest counts."""

    stage: ClassVar[Stage] = Stage.LEAD_TIME
    days: tuple[int, ...]
    by_days: tuple[Change, ...]

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused unless it has ``until`` alone, a list with no day twice."""
        read = fields_of(dict(value), field="value", known=frozenset({"until"}))
        listed = read.get("until")
        if not isinstance(listed, list) or not listed:
            raise InvalidInputError("value.until", "no_band")
        found: dict[int, Change] = {}
        for at, each in enumerate(listed):
            name = f"value.until.{at}"
            band = fields_of(each, field=name, known=frozenset({"days", "change"}))
            days = whole_number(band.get("days"), field=f"{name}.days", least=0, most=FARTHEST)
            if days in found:
                raise InvalidInputError(f"{name}.days", "same_threshold", value=days)
            found[days] = change_from_json(band.get("change"), field=f"{name}.change")
        ordered = sorted(found)
        return cls(tuple(ordered), tuple(found[each] for each in ordered))

    def changes(self, question: PriceQuestion, /) -> Change | None:
        """Return the change of the nearest band that the stay was asked for in."""
        lead = question.lead_days
        return next(
            (change for days, change in zip(self.days, self.by_days, strict=True) if lead <= days), None
        )
