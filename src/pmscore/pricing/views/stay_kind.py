"""What stays that are quoted alike have in common, and what one of them comes to, cut out of tables.

Owns the kind of a stay. Leaves which kind a stay is of to ``known_kinds``, and stays that no table has to
``quoting``.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import TypeAlias

from attrs import frozen

from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.quote import Offer
from pmscore.pricing.model.stack import Stack
from pmscore.pricing.model.totals import Totals
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.views.charge_shapes import Charged, RateShape
from pmscore.pricing.views.night_table import BYTES, NightTable

__all__ = ["StayAmounts", "StayKind", "TaxedRun"]

TaxedRun: TypeAlias = "tuple[int, int, array[int], array[int], array[int] | None]"
"""A run of nights that bear the same taxes: its first night and its end in the stay, and its running sums."""

StayAmounts: TypeAlias = "tuple[tuple[tuple[int, ...], ...], list[bytes], Totals]"
"""The amounts of each room by night, the same as a fingerprint has them, and what the stay comes to."""


@frozen(kw_only=True)
class StayKind:
    """What all stays of a kind have in common.

    ``tables`` has a table for each room; fewer where a rule changes each night in its own way. ``runs`` is
    None where charges touch each other, so that only the tax engine knows what they come to; else
    ``constant`` is what the stay comes to beside its nights. ``by_rate`` knows the same where taxes are
    rounded by rate. ``digest`` is the beginning of the fingerprint.
    """

    offer: Offer
    plan: RatePlan
    stack: Stack
    charges: tuple[PartyCharge, ...]
    length: int
    tables: tuple[NightTable, ...]
    runs: tuple[TaxedRun, ...] | None
    constant: Charged
    by_rate: RateShape | None
    digest: blake2b

    def tabled(self, runs: tuple[TaxedRun, ...], first: int) -> StayAmounts | None:
        """Return what a stay comes to that begins at a place in the tables; None where a night is not sold."""
        end = first + self.length
        nightly: list[tuple[int, ...]] = []
        written: list[bytes] = []
        room = 0
        for table in self.tables:
            gross, unsold = table.gross, table.unsold
            if unsold is not None and unsold[end] != unsold[first]:
                return None
            nightly.append(table.amounts[first:end])
            written.append(table.written[first * BYTES : end * BYTES])
            room += gross[end] - gross[first]
        constant = self.constant
        net, tax, city_tax = constant.net, constant.tax, constant.city_tax
        for start, until, nets, taxes, city_taxes in runs:
            begin, close = first + start, first + until
            net += nets[close] - nets[begin]
            tax += taxes[close] - taxes[begin]
            if city_taxes is not None:
                city_tax += city_taxes[close] - city_taxes[begin]
        return tuple(nightly), written, Totals(room, constant.shown, net, tax, city_tax)
