"""Stays quoted for ``pms quote --property``: asked of the store, as the app would.

Owns how a person names a property and its types. Leaves the answer to the use case and the drawing to ``quote_tree``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from pms_web.cli.quote_tree import quote_tree, refusal_tree, show_trees
from pms_web.exchange_views import display_text
from pms_web.quote_views import answer_body
from pms_web.services import WebServices
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.house import House
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import QuoteId, UnitTypeId
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed
from pmscore.pricing.use_cases.exchange_rates import display_quotes
from pmscore.pricing.use_cases.quotes import QuoteAnswer, make_quotes
from pmscore.pricing.views.explaining import Explanation, Whereabouts, explain, explanation_json

__all__ = ["QuotedStay", "Wish", "quoted_stay"]


@frozen(kw_only=True)
class Wish:
    """What somebody asks at a terminal; a property and its types go by name or by id."""

    property_name: str
    stay: StayRange
    party: GuestParty
    types: tuple[str, ...]
    plans: tuple[str, ...]
    codes: tuple[str, ...]
    extras: tuple[str, ...]
    channel: str
    currency: Currency | None = None


@frozen
class QuotedStay:
    """The quotes and refusals for a stay in one house; ``shown`` has the quotes in another currency, if asked for."""

    house: House
    stay: StayRange
    found: QuoteAnswer
    shown: Mapping[QuoteId, DisplayedQuote | NotDisplayed] | None = None

    def to_json(self) -> dict[str, object]:
        """Return the answer as over HTTP, with an explanation of each quote."""
        body = answer_body(self.stay, self.found, self.house.property.zone, is_kept=False, shown=self.shown)
        explained = [
            {**each, "explanation": explanation_json(self._explained(quote))}
            for each, quote in zip(body["quotes"], self.found.quotes, strict=True)
        ]
        return {**body, "quotes": explained}

    def show(self) -> None:
        """Show the answer to a person."""
        show_trees(
            quote_tree(self._name(each.unit_type_id), self._explained(each), note=self._note(each))
            for each in self.found.quotes
        )
        show_trees(refusal_tree(self._name(each.unit_type_id), each) for each in self.found.refusals)

    def _name(self, unit_type_id: UnitTypeId) -> str:
        return self.house.types[unit_type_id].name

    def _note(self, quote: Quote) -> str:
        return "" if self.shown is None else display_text(self.shown[quote.quote_id])

    def _explained(self, quote: Quote) -> Explanation:
        home = self.house.property
        return explain(quote, Whereabouts(home.zone, home.check_in_at))


def quoted_stay(wish: Wish, services: WebServices) -> QuotedStay:
    """Return what a wish costs; nothing is stored.

    Raises:
        InvalidInputError: no such property, type, plan, promotion code or extra; the known ones are named.
        NotFoundError: the property has no prices yet.
    """
    house = _house(wish.property_name, services.retry(services.availability.houses))
    request = QuoteRequest(
        stay=wish.stay,
        parties=(wish.party,),
        unit_type_ids=_types(wish.types, house),
        plans=wish.plans,
        codes=wish.codes,
        extras=wish.extras,
        channel=wish.channel,
    )
    try:
        found = services.retry(
            lambda: make_quotes(
                house.property.property_id,
                request,
                availability=services.availability,
                prices=services.prices,
                clock=services.clock,
                ids=services.ids,
            )
        )
    except InvalidInputError as error:
        if error.reason != "unknown_plan":
            raise
        raise InvalidInputError("--plan", "unknown_value", allowed=error.params.get("known")) from error
    return QuotedStay(house, wish.stay, found, _shown(wish, found, services))


def _shown(
    wish: Wish, found: QuoteAnswer, services: WebServices
) -> Mapping[QuoteId, DisplayedQuote | NotDisplayed] | None:
    currency = wish.currency
    if currency is None:
        return None
    return services.retry(lambda: display_quotes(found.quotes, currency, rates=services.exchange_rates))


def _house(name: str, houses: Iterable[House]) -> House:
    known = list(houses)
    for house in known:
        if name in {str(house.property.property_id), house.property.name}:
            return house
    names = ", ".join(sorted(house.property.name for house in known))
    raise InvalidInputError("--property", "unknown_value", allowed=names)


def _types(names: tuple[str, ...], house: House) -> tuple[UnitTypeId, ...]:
    found: list[UnitTypeId] = []
    for name in names:
        fitting = [key for key, each in house.types.items() if name in {str(key), each.name}]
        if not fitting:
            known = ", ".join(sorted(each.name for each in house.types.values()))
            raise InvalidInputError("--type", "unknown_value", allowed=known)
        found += fitting
    return tuple(dict.fromkeys(found))
