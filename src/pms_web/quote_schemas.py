"""What questions about prices look like on their way in.

Owns the members of request bodies about quotes. Leaves bookings of quotes to ``booking_schemas`` and what goes out to
``quote_views``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from attrs import frozen

from pms_web.stay_schemas import StayAsked
from pms_web.wire import ByMember, Entries, Says, instead, rule
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.pricing.model.guests import MOST_GUESTS, GuestParty
from pmscore.pricing.model.request import MOST_CODES, MOST_ROOMS, QuoteRequest

__all__ = ["AnyNewQuotes", "HoldOfQuote", "NewParty", "NewQuotes", "NewQuotesOfParties"]


@frozen(kw_only=True, slots=False)
class NewParty:
    """Who shares a room: adults, children by age, pets."""

    adults: int
    ages: Annotated[tuple[int, ...], Entries(MOST_GUESTS), Says("The ages of the children at arrival.")] = ()
    pets: int = 0

    @rule
    def party(self) -> GuestParty:
        """Return the party."""
        return GuestParty(adults=self.adults, ages=self.ages, pets=self.pets)


@frozen(kw_only=True, slots=False)
class _Asked(StayAsked):
    property_id: PropertyId
    unit_type_ids: Annotated[tuple[UnitTypeId, ...], Says("All types where none is named.")] = ()
    plans: Annotated[tuple[str, ...], Entries(MOST_CODES), Says("All plans where none is named.")] = ()
    codes: Annotated[tuple[str, ...], Entries(MOST_CODES), Says("Promotion codes.")] = ()
    extras: Annotated[tuple[str, ...], Entries(MOST_CODES), Says("Fees that are chosen.")] = ()
    channel: Annotated[str, Says("The code of a channel.")] = "direct"
    keep: Annotated[bool, Says("Keep the quotes, so that they can be held or booked.")] = False
    display_currency: Annotated[
        Currency | None, Says("Show the amounts in this currency as well, by the exchange rates of the day.")
    ] = None

    def asked(self, *parties: GuestParty) -> QuoteRequest:
        """Return the question for some parties."""
        return QuoteRequest(
            stay=self.stay(),
            parties=parties,
            unit_type_ids=tuple(dict.fromkeys(self.unit_type_ids)),
            plans=tuple(dict.fromkeys(self.plans)),
            codes=self.codes,
            extras=self.extras,
            channel=self.channel or "direct",
        )


@frozen(kw_only=True, slots=False)
class NewQuotes(_Asked, NewParty):
    """What a room costs; its party stands in the body itself."""

    @rule
    def request(self) -> QuoteRequest:
        """Return the question."""
        return self.asked(self.party())


@instead("parties", "adults", "ages", "pets")
@frozen(kw_only=True, slots=False)
class NewQuotesOfParties(_Asked):
    """What several rooms cost, one party in each."""

    parties: Annotated[tuple[NewParty, ...], Entries(MOST_ROOMS, least=1)]

    @rule
    def request(self) -> QuoteRequest:
        """Return the question."""
        return self.asked(*(each.party() for each in self.parties))


AnyNewQuotes: TypeAlias = Annotated[
    NewQuotesOfParties | NewQuotes, ByMember({"parties": NewQuotesOfParties}, otherwise=NewQuotes)
]


@frozen(kw_only=True)
class HoldOfQuote:
    """Until when a quote is to be held, and whether its rooms are kept as well."""

    until: datetime
    with_stock: Annotated[bool, Says("Hold rooms for it too.")] = False
