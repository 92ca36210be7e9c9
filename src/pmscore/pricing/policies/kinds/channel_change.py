"""Dearer or cheaper by channel, a commission passed on for instance.

Law: a channel has at most one change, and channels that are not named keep the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from attrs import field, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.bands import change_from_json, fields_of
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, Stage

__all__ = ["ChannelChange"]


@PRICE_RULES.register("channel")
@frozen
class ChannelChange:
    """``{"channels": {"ota": {"percent": "15"}}}``: for all stays sold by the channel."""

    stage: ClassVar[Stage] = Stage.CHANNEL
    by_channel: Mapping[str, Change] = field(hash=False)

    @classmethod
    def of(cls, value: Mapping[str, Json]) -> Self:
        """Return the rule with a stored value; refused unless it has ``channels`` alone."""
        read = fields_of(dict(value), field="value", known=frozenset({"channels"}))
        listed = read.get("channels")
        if not isinstance(listed, dict) or not listed:
            raise InvalidInputError("value.channels", "no_channel")
        return cls(
            {
                checked_code(code, field="value.channels"): change_from_json(
                    each, field=f"value.channels.{code}"
                )
                for code, each in listed.items()
            }
        )

    def changes(self, question: PriceQuestion, /) -> Change | None:
        """Return the change of the channel."""
        return self.by_channel.get(question.channel)
