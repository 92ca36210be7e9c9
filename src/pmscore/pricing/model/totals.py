"""What a quote comes to, as numbers that are shown, taxed and paid.

Owns the sums. Leaves the lines that they are sums of to ``charges.lines``. All amounts are minor units of one
currency.
"""

from __future__ import annotations

from attrs import frozen

__all__ = ["Totals"]


# Without slots, because a frozen value with them takes twice as long to make, and quotes are made by the hundred.
@frozen(slots=False)
class Totals:
    """What a quote comes to.

    ``room`` and ``fees`` are as shown: with the taxes that prices include. ``net`` is without any tax, ``tax`` all
    taxes but city tax, which is collected for the town and kept apart; ``due`` is what the guest pays.
    """

    room: int
    fees: int
    net: int
    tax: int
    city_tax: int

    @property
    def due(self) -> int:
        """What the guest pays."""
        return self.net + self.tax + self.city_tax
