"""What somebody wants to know the price of.

Owns the request alone; which combinations it means and whether they can be sold is worked out elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.guests import GuestParty

__all__ = ["QuoteRequest"]

MOST_ROOMS = 50
MOST_CODES = 20


def _sorted_codes(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(codes)))


@frozen(kw_only=True)
class QuoteRequest:
    """A stay in as many rooms of one type as there are ``parties``, one for each.

    Without ``unit_type_ids`` or ``plans`` all of the property's are meant. ``codes`` are promotion codes, ``extras``
    the codes of fees that the guest chooses. ``channel`` is who sells the stay.
    """

    stay: StayRange
    parties: tuple[GuestParty, ...]
    unit_type_ids: tuple[UnitTypeId, ...] = ()
    plans: tuple[str, ...] = ()
    codes: tuple[str, ...] = field(default=(), converter=_sorted_codes)
    extras: tuple[str, ...] = field(default=(), converter=_sorted_codes)
    channel: str = "direct"

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.parties) <= MOST_ROOMS:
            raise InvalidInputError("parties", "out_of_range", least=1, most=MOST_ROOMS)
        for name, codes in (("codes", self.codes), ("extras", self.extras), ("plans", self.plans)):
            if len(codes) > MOST_CODES:
                raise InvalidInputError(name, "too_many", most=MOST_CODES)
            for code in codes:
                checked_code(code, field=name)
        checked_code(self.channel, field="channel")
