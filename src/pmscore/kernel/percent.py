"""Exact percentages.

Owns the value and its text; how a share of an amount is rounded is :mod:`pmscore.kernel.money`'s.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["WHOLE", "Percent"]

WHOLE: Final = 1_000_000
"""How many millionths a hundred percent are."""

_LARGEST: Final = 1_000 * WHOLE
_DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,5})(?:\.([0-9]{1,4}))?")


@frozen(order=True)
class Percent:
    """A share in millionths of the whole: 7.25 % is 72,500."""

    millionths: int

    def __attrs_post_init__(self) -> None:
        if type(self.millionths) is not int:
            raise InvalidInputError("percent", "not_an_integer", type=type(self.millionths).__name__)
        if not -_LARGEST <= self.millionths <= _LARGEST:
            raise InvalidInputError("percent", "out_of_range")

    @classmethod
    def parse(cls, text: str, *, field: str = "percent") -> Percent:
        """Return the percentage written as plain decimal text: ``19``, ``-5``, ``8.875``.

        Raises:
            InvalidInputError: names ``field``; reason ``not_decimal`` (also more than four decimals) or
                ``out_of_range``.
        """
        parts = _DECIMAL.fullmatch(text)
        if parts is None:
            raise InvalidInputError(field, "not_decimal", value=ascii(text[:32]))
        sign, whole, fraction = parts.group(1), parts.group(2), parts.group(3) or ""
        millionths = int(whole + fraction.ljust(4, "0"))
        if millionths > _LARGEST:
            raise InvalidInputError(field, "out_of_range")
        return cls(-millionths if sign else millionths)

    def plain(self) -> str:
        """Return the percentage as decimal text without needless zeros: ``8.875``."""
        whole, rest = divmod(abs(self.millionths), 10_000)
        fraction = f"{rest:04d}".rstrip("0")
        return f"{'-' if self.millionths < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"

    def __str__(self) -> str:
        return f"{self.plain()} %"

    def __neg__(self) -> Percent:
        return Percent(-self.millionths)
