"""Why a quote is what it is: a tree from what is due down to the season and the rule behind each night.

Owns the putting together. Leaves the parts to the ``explanation_*`` modules. Law: whatever the tree says an amount
comes to is what the quote says. How it works: ``docs/algorithms/quotes.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from pmscore.pricing.model.quote import Quote, QuoteSource, RuleVersion
from pmscore.pricing.views.explanation_charges import (
    explained_fees,
    explained_inclusions,
    explained_taxes,
    explained_totals,
)
from pmscore.pricing.views.explanation_nights import NightExplainer, explained_passed_over
from pmscore.pricing.views.explanation_nodes import (
    Explained,
    Explanation,
    Part,
    amount_text,
    explanation_json,
)
from pmscore.pricing.views.explanation_terms import Whereabouts, explained_terms

__all__ = [
    "Explained",
    "Explanation",
    "Part",
    "Whereabouts",
    "amount_text",
    "explain",
    "explanation_json",
]

_NIGHTS: Final = WeakKeyDictionary[QuoteSource, NightExplainer]()


def explain(quote: Quote, where: Whereabouts | None = None) -> Explanation:
    """Return how a quote came to what it comes to, worked out from what it keeps.

    With ``where`` a quote that has terms says as well what is due when and what cancelling costs, as if it were
    booked when it was made.
    """
    source = quote.source
    explainer = _explainer(source)
    stack = source.stack(quote)
    charged = source.charged(quote)
    of_nights = source.lines_of_nights(quote)
    fees = charged.charges[of_nights:]
    parts = [
        *explainer.rooms(quote, stack),
        *explained_passed_over(stack),
        *explained_inclusions(charged.charges[:of_nights]),
        explained_fees(fees),
        *explained_taxes(charged),
        explained_totals(quote.totals, charged),
    ]
    if where is not None and quote.terms is not None:
        parts += explained_terms(quote.terms, quote, charged, where)
    parts.append(_sources(quote.versions))
    return Explanation(quote.currency, Explained(Part.QUOTE, quote.plan, quote.totals.due, tuple(parts)))


def _explainer(source: QuoteSource) -> NightExplainer:
    """Return what explains the nights of the quotes of one source; it lives as long as the source does."""
    found = _NIGHTS.get(source)
    if found is None or found.is_full:
        found = _NIGHTS[source] = NightExplainer(source.book)
    return found


def _sources(versions: Iterable[RuleVersion]) -> Explained:
    return Explained(
        Part.SOURCES, "", None, tuple([Explained(Part.SOURCE, each.code, rule=each) for each in versions])
    )
