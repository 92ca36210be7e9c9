"""What a quote agrees on, night by night: the price of the room, the fees, the taxes on top.

Owns the sharing out of a quote's lines among its nights. Leaves what is owed on them, when a booking is
cancelled or a deposit falls due, to ``cancellation`` and ``deposits``. Law: all in all it is what is due.
"""

from __future__ import annotations

from pmscore.pricing.model.charges.lines import TaxResult
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.settlement import AgreedRoom

__all__ = ["agreed_rooms"]


def agreed_rooms(quote: Quote, charged: TaxResult) -> tuple[AgreedRoom, ...]:
    """Return what was agreed for each room, in the order of the quote's parties; none of their nights is removed.

    ``charged`` are the lines of the quote, ``quote.charged``. Prices and fees are as shown, with the taxes that they
    include; ``taxes`` are those on top, city taxes among them. What a price contains is part of its night; what
    belongs to no night stands with the first, and what is charged once a booking with the first room.
    """
    of_nights = quote.source.lines_of_nights(quote)
    first, length = quote.stay.first_ordinal, quote.stay.length
    nightly, fees, taxes = ([[0] * length for _ in quote.parties] for _ in range(3))
    for at, line in enumerate(charged.charges):
        night = line.charge.night
        to = nightly if at < of_nights else fees
        to[line.charge.room][0 if night is None else night.toordinal() - first] += line.gross
    for tax in charged.taxes:
        if not tax.is_inclusive:
            taxes[tax.room][0 if tax.night is None else tax.night.toordinal() - first] += tax.amount
    return tuple(
        AgreedRoom(stay=quote.stay, nightly=tuple(one), fees=tuple(two), taxes=tuple(three))
        for one, two, three in zip(nightly, fees, taxes, strict=True)
    )
