"""Yield: the fuller the house on a night, the dearer the night, in steps that can be read out.

Law: each night is judged by how much of the type is taken on that night, in whole per cent, and by nothing else but
the days ahead. Where nobody has counted, nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.pricing.model.bands import Bands, fields_of, whole_number
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, Stage

__all__ = ["OccupancyYield"]

FARTHEST = 1_500


@PRICE_RULES.register("yield")
@frozen
class OccupancyYield:
    """``{"steps": [{"from": 80, "change": {"percent": "15"}}], "least_lead": 0, "most_lead": 30}``.

    ``from`` is the share of the type that is taken, in per cent; the leads are days from asking to arrival.
    """

    stage: ClassVar[Stage] = Stage.YIELD
    steps: Bands
    least_lead: int = 0
    most_lead: int = FARTHEST

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused without steps, or where the leads are in wrong order."""
        read = fields_of(dict(value), field="value", known=frozenset({"steps", "least_lead", "most_lead"}))
        least = whole_number(read.get("least_lead", 0), field="value.least_lead", least=0, most=FARTHEST)
        most = whole_number(read.get("most_lead", FARTHEST), field="value.most_lead", least=0, most=FARTHEST)
        if most < least:
            raise InvalidInputError("value.most_lead", "below_least", least=least)
        return cls(Bands.of(read.get("steps"), field="value.steps", most=100), least, most)

    def changes(self, question: PriceQuestion, /) -> Sequence[Change | None] | None:
        """Return the step of each night; None where no night reaches one."""
        if question.occupied is None or not self.least_lead <= question.lead_days <= self.most_lead:
            return None
        by_night = tuple(self.steps.at(percent) for percent in question.occupied)
        return by_night if any(by_night) else None
