"""Longer stays for less: weekly, monthly, or any bands of nights.

Law: the band of the whole stay changes each of its nights alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from attrs import frozen

from pmscore.kernel.events import Json
from pmscore.pricing.model.bands import Bands, fields_of
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, Stage

__all__ = ["LengthOfStay"]

LONGEST = 1_000


@PRICE_RULES.register("length_of_stay")
@frozen
class LengthOfStay:
    """``{"bands": [{"from": 7, "change": {"percent": "-10"}}]}``: from so many nights on."""

    stage: ClassVar[Stage] = Stage.LENGTH_OF_STAY
    bands: Bands

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused unless it has ``bands`` alone."""
        read = fields_of(dict(value), field="value", known=frozenset({"bands"}))
        return cls(Bands.of(read.get("bands"), field="value.bands", most=LONGEST))

    def changes(self, question: PriceQuestion, /) -> Change | None:
        """Return the change of the longest band that the stay reaches."""
        return self.bands.at(question.stay.length)
