"""How often promotion codes may be used.

Owns which codes of a quote are limited. Leaves the counting to the store, which judges when a booking is made; until
then a quote with a code that is still to be had is no promise that it stays so.
"""

from __future__ import annotations

from collections.abc import Mapping

from pmscore.kernel.errors import Violation
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.quote import Quote

__all__ = ["limited_promotions", "used_up"]


def limited_promotions(quote: Quote, book: PriceBook) -> tuple[tuple[str, int], ...]:
    """Return the promotion codes in a quote that may be used so often and no more, with how often, by code.

    ``book`` is the one that the quote was made from. Where several rules have one code, the smallest number counts.
    """
    applied = {each.code for each in quote.versions if each.kind == "rule"}
    limits: dict[str, int] = {}
    for rule in book.rules:
        code, uses = rule.value.get("code"), rule.value.get("uses")
        if (
            rule.code in applied
            and rule.kind == "promotion"
            and isinstance(code, str)
            and isinstance(uses, int)
        ):
            limits[code] = min(uses, limits.get(code, uses))
    return tuple(sorted(limits.items()))


def used_up(quote: Quote, book: PriceBook, uses: Mapping[str, int]) -> tuple[Violation, ...]:
    """Return the codes of a quote that were used as often as they may be."""
    return tuple(
        Violation("code_used_up", None, code, "plan")
        for code, most in limited_promotions(quote, book)
        if uses.get(code, 0) >= most
    )
