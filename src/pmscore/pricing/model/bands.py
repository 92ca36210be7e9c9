"""Changes by threshold: from so many nights, days or per cent on, another change.

Owns the reading and the choice of a band; what is counted is the rule's business.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.percent import Percent
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.changes import Base, Change

__all__ = ["Bands", "change_from_json", "change_to_json", "fields_of", "whole_number"]


def fields_of(value: Json, *, field: str, known: frozenset[str]) -> Mapping[str, Json]:
    """Return the object that ``value`` is, with none but the known fields.

    Raises:
        InvalidInputError: it is no object, or has another field.
    """
    reader = ObjectReader.of(value, field)
    reader.hold_to(optional=known)
    return reader.values


def whole_number(value: Json, *, field: str, least: int, most: int) -> int:
    """Return the whole number that ``value`` is.

    Raises:
        InvalidInputError: it is none, or out of range.
    """
    if type(value) is not int:
        raise InvalidInputError(field, "not_an_integer")
    if not least <= value <= most:
        raise InvalidInputError(field, "out_of_range", least=least, most=most)
    return value


def change_from_json(value: Json, *, field: str = "change") -> Change:
    """Return the change written ``{"percent": "-10"}``, ``{"percent": "5", "base": "plan"}`` or ``{"amount": -500}``.

    Raises:
        InvalidInputError: it is written in another way.
    """
    read = fields_of(value, field=field, known=frozenset({"percent", "amount", "base"}))
    if ("percent" in read) == ("amount" in read):
        raise InvalidInputError(field, "percent_or_amount")
    if "amount" in read:
        amount = read["amount"]
        if type(amount) is not int:
            raise InvalidInputError(f"{field}.amount", "not_an_integer")
        operand: Percent | int = amount
    else:
        text = read["percent"]
        if not isinstance(text, str):
            raise InvalidInputError(f"{field}.percent", "not_text")
        operand = Percent.parse(text, field=f"{field}.percent")
    base = read.get("base", Base.RUNNING.value)
    if base not in [each.value for each in Base]:
        raise InvalidInputError(
            f"{field}.base",
            "unknown_base",
            value=str(base)[:64],
            known=", ".join(each.value for each in Base),
        )
    try:
        return Change(operand, Base(str(base)))
    except InvalidInputError as error:
        params = {name: value for name, value in error.params.items() if name not in {"field", "reason"}}
        raise InvalidInputError(f"{field}.{error.field}", error.reason, **params) from None


def change_to_json(change: Change) -> dict[str, Json]:
    """Return the change as :func:`change_from_json` reads it."""
    written: dict[str, Json] = (
        {"percent": change.operand.plain()}
        if isinstance(change.operand, Percent)
        else {"amount": change.operand}
    )
    if change.base is not Base.RUNNING:
        written["base"] = change.base.value
    return written


@frozen
class Bands:
    """Thresholds, ascending, each with its change; below the first nothing changes."""

    thresholds: tuple[int, ...]
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, value: Json, *, field: str, most: int) -> Self:
        """Return the bands written as a list of ``{"from": 7, "change": {…}}``.

        Raises:
            InvalidInputError: there is none, two begin at one number, or one is written in another way.
        """
        if not isinstance(value, list) or not value:
            raise InvalidInputError(field, "no_band")
        found: dict[int, Change] = {}
        for at, each in enumerate(value):
            read = fields_of(each, field=f"{field}.{at}", known=frozenset({"from", "change"}))
            start = whole_number(read.get("from"), field=f"{field}.{at}.from", least=0, most=most)
            if start in found:
                raise InvalidInputError(f"{field}.{at}.from", "same_threshold", value=start)
            found[start] = change_from_json(read.get("change"), field=f"{field}.{at}.change")
        ordered = sorted(found)
        return cls(tuple(ordered), tuple(found[each] for each in ordered))

    def at(self, count: int) -> Change | None:
        """Return the change of the highest threshold that ``count`` reaches."""
        place = bisect_right(self.thresholds, count)
        return self.changes[place - 1] if place else None
