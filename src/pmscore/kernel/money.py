"""Exact money: integer minor units of an ISO 4217 currency, named roundings, lossless allocation.

Owns amounts and how they are rounded and split. Leaves the list of currencies to ``currency``, which
rounding a price or a tax names to ``pricing``, and symbols and grouping for people to ``pms_web``. How it
works: ``docs/algorithms/rounding.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, MisuseError

__all__ = ["MAX_MINOR", "Currency", "Money", "MoneyByCurrency", "Rounding", "round_ratio"]

MAX_MINOR: Final = 2**63 - 1
"""The largest amount in minor units, either sign: what a signed 64-bit column holds."""

_DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,29})(?:\.([0-9]{1,30}))?")


class Rounding(StrEnum):
    """How a fraction becomes an integer; the values are persisted and never renamed."""

    HALF_UP = "half_up"
    """To the nearest; a half goes away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half goes to the even neighbour."""
    UP = "up"
    """Away from zero."""
    DOWN = "down"
    """Towards zero."""
    CEILING = "ceiling"
    """Towards plus infinity."""
    FLOOR = "floor"
    """Towards minus infinity."""


def round_ratio(numer: int, denom: int, rounding: Rounding) -> int:
    """Return ``numer / denom`` as an integer, rounded by ``rounding``, computed exactly.

    Raises:
        MisuseError: the denominator is zero.
    """
    if denom == 0:
        raise MisuseError(denom=0)
    below, rest = divmod(numer, denom) if denom > 0 else divmod(-numer, -denom)
    if rest == 0:
        return below
    is_negative = below < 0
    match rounding:
        case Rounding.FLOOR:
            return below
        case Rounding.CEILING:
            return below + 1
        case Rounding.UP:
            return below + (not is_negative)
        case Rounding.DOWN:
            return below + is_negative
        case Rounding.HALF_UP:
            return below + (2 * rest + (not is_negative) > abs(denom))
        case Rounding.HALF_EVEN:
            return below + (2 * rest + below % 2 > abs(denom))


@frozen
class Money:
    """An exact amount; ``minor`` counts the smallest unit of ``currency`` and may be negative.

    Amounts of two currencies are unequal; to add or to order them is refused, with field ``currency`` and
    reason ``mixed_currencies``. An amount beyond ``MAX_MINOR`` is refused: ``amount``, ``too_large``.
    """

    minor: int
    currency: Currency

    def __attrs_post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidInputError("amount", "not_an_integer", type=type(self.minor).__name__)
        if not -MAX_MINOR <= self.minor <= MAX_MINOR:
            raise InvalidInputError("amount", "too_large")

    @classmethod
    def zero(cls, currency: Currency) -> Money:
        """Return nothing of ``currency``."""
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: Currency) -> Money:
        """Return the sum of ``amounts``, all in ``currency``; zero if there are none.

        Raises:
            InvalidInputError: ``mixed_currencies``.
        """
        return sum(amounts, cls(0, currency))

    @classmethod
    def parse(cls, text: str, currency: Currency | str, *, field: str = "amount") -> Money:
        """Return the amount written as plain decimal text: ``12.34``, ``-0.5``, ``7``.

        No exponent, no plus sign, no grouping, no leading zeros, no blanks, ASCII digits only.

        Raises:
            InvalidInputError: names ``field``; reason ``not_decimal``, ``too_precise`` (more digits than
                the currency has) or ``too_large``. An unknown currency names ``currency``.
        """
        known = Currency.of(currency) if isinstance(currency, str) else currency
        parts = _DECIMAL.fullmatch(text)
        if parts is None:
            raise InvalidInputError(
                field, "not_decimal", value=text[:32].encode("ascii", "backslashreplace").decode("ascii")
            )
        sign, whole, fraction = parts.group(1), parts.group(2), parts.group(3) or ""
        if len(fraction) > known.digits:
            raise InvalidInputError(field, "too_precise", currency=known.code, digits=known.digits)
        minor = int(whole + fraction.ljust(known.digits, "0"))
        if minor > MAX_MINOR:
            raise InvalidInputError(field, "too_large")
        return cls(-minor if sign else minor, known)

    def plain(self) -> str:
        """Return the amount as decimal text with all digits of the currency: ``12.34``."""
        digits = self.currency.digits
        text = str(abs(self.minor)).rjust(digits + 1, "0")
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else sign + text

    def __str__(self) -> str:
        return f"{self.plain()} {self.currency.code}"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, count: int) -> Money:
        """Return the amount ``count`` times."""
        return Money(self.minor * count, self.currency)

    def percent(self, numer: int, denom: int, rounding: Rounding) -> Money:
        """Return ``numer / denom`` of the amount: ``(19, 100)`` is 19 %, ``(725, 10_000)`` is 7.25 %."""
        return Money(round_ratio(self.minor * numer, denom, rounding), self.currency)

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Return shares in proportion to ``weights`` that sum to the amount exactly.

        Largest remainder: each share is rounded towards zero, and the units left over go one by one to
        the largest remainders, the earliest first among equals. A weight of zero gets nothing.

        Raises:
            InvalidInputError: field ``weights``; reason ``negative`` or ``no_weight`` (their sum is zero).
        """
        whole = sum(weights)
        if any(weight < 0 for weight in weights):
            raise InvalidInputError("weights", "negative")
        if whole == 0:
            raise InvalidInputError("weights", "no_weight")
        shares = [divmod(abs(self.minor) * weight, whole) for weight in weights]
        left = abs(self.minor) - sum(share for share, _ in shares)
        # A stable sort keeps the earliest first among equal remainders.
        by_remainder = sorted(range(len(shares)), key=lambda at: -shares[at][1])
        favoured = frozenset(by_remainder[:left])
        sign = -1 if self.minor < 0 else 1
        return tuple(
            Money(sign * (share + (at in favoured)), self.currency) for at, (share, _) in enumerate(shares)
        )

    def split(self, parts: int) -> tuple[Money, ...]:
        """Return ``parts`` shares as equal as can be; the earlier ones take what is left over.

        Raises:
            InvalidInputError: field ``weights``, reason ``no_weight``; fewer than one part.
        """
        return self.allocate((1,) * parts)

    def _same(self, other: Money) -> int:
        if other.currency is not self.currency:
            raise InvalidInputError(
                "currency", "mixed_currencies", first=self.currency.code, second=other.currency.code
            )
        return other.minor


@frozen
class MoneyByCurrency:
    """Sums kept apart by currency; never mixed, never converted.

    Invariants: one amount a currency, none of them zero, in the order of the codes. So equal sums are
    equal values. Build it with :meth:`of`.
    """

    amounts: tuple[Money, ...] = ()

    def __attrs_post_init__(self) -> None:
        codes = [amount.currency.code for amount in self.amounts]
        if codes != sorted(set(codes)) or not all(self.amounts):
            raise MisuseError(amounts=",".join(codes), instead="MoneyByCurrency.of")

    @classmethod
    def of(cls, amounts: Iterable[Money]) -> MoneyByCurrency:
        """Return the sums of ``amounts``."""
        sums: dict[str, Money] = {}
        for amount in amounts:
            code = amount.currency.code
            sums[code] = sums[code] + amount if code in sums else amount
        return cls(tuple(sums[code] for code in sorted(sums) if sums[code]))

    def __iter__(self) -> Iterator[Money]:
        return iter(self.amounts)

    def __add__(self, other: MoneyByCurrency | Money) -> MoneyByCurrency:
        more = (other,) if isinstance(other, Money) else other.amounts
        return MoneyByCurrency.of(self.amounts + more)

    def __neg__(self) -> MoneyByCurrency:
        return MoneyByCurrency(tuple(-amount for amount in self.amounts))

    def __sub__(self, other: MoneyByCurrency | Money) -> MoneyByCurrency:
        return self + -other

    def get(self, currency: Currency) -> Money:
        """Return the sum in ``currency``; zero if there is none."""
        return next((each for each in self.amounts if each.currency is currency), Money(0, currency))
