"""The numbers by which sums are remembered: one for each set of taxes, whoever draws them at the same moment."""

from __future__ import annotations

from datetime import date

from core.pricing.price_scene import COUPLE, base, book
from pmscore.dates.nights import StayRange
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import ChargedStay
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.views.charge_shapes import shape_of


class Overtaken(dict[object, int]):
    """What a thread sees that others overtake: it counts, and by the time it writes there are more."""

    def __len__(self) -> int:
        return 0


def test_two_sets_of_taxes_never_share_a_number() -> None:
    taxes = TaxTable((Tax(code="vat", name="VAT", rate=Percent.parse("7"), is_inclusive=True),))
    priced = book(base(), taxes=taxes)
    keys = Overtaken()
    numbers = [
        shape_of(priced, (), ChargedStay(stay=StayRange.of(date(2027, 3, 1), 2), rooms=(party,)), (), keys)
        .classes[0][0]
        .key
        for party in (COUPLE, GuestParty(adults=1), COUPLE)
    ]
    assert numbers[0] == numbers[2] != numbers[1]
