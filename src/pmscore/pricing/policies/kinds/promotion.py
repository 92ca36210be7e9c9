"""Promotion codes.

Law: the change is made for stays asked for with the code, and for no others. How often a code has been used is
counted by the store; a code that is used up or out of its dates is refused before rules are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.bands import change_from_json, fields_of, whole_number
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, Stage

__all__ = ["Promotion"]

MOST_USES = 1_000_000


@PRICE_RULES.register("promotion")
@frozen
class Promotion:
    """``{"code": "summer", "uses": 100, "change": {"percent": "-20"}}``; without ``uses`` as often as wanted."""

    stage: ClassVar[Stage] = Stage.PROMOTION
    code: str
    change: Change
    uses: int | None = None

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused without a code or a change."""
        read = fields_of(dict(value), field="value", known=frozenset({"code", "change", "uses"}))
        uses = read.get("uses")
        code = read.get("code")
        if not isinstance(code, str):
            raise InvalidInputError("value.code", "required" if code is None else "not_text")
        return cls(
            checked_code(code, field="value.code"),
            change_from_json(read.get("change"), field="value.change"),
            None if uses is None else whole_number(uses, field="value.uses", least=1, most=MOST_USES),
        )

    def changes(self, question: PriceQuestion, /) -> Change | None:
        """Return the change where the code was given."""
        return self.change if self.code in question.codes else None
