"""A change of stay that is priced by the house: what it looks like on its way in.

Owns its members, and the names of the bases. Leaves reading single members to ``fields``, and changes whose amounts are
given by hand to ``schemas``.
"""

from __future__ import annotations

from datetime import date

from attrs import frozen

from pms_web.fields import Fields
from pmscore.booking.model.booking import Booking
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.dates.nights import StayRange
from pmscore.kernel.money import Money

__all__ = ["StayChange", "read_basis", "stay_change"]

_PRICED_BY_THE_HOUSE = (
    "rooms",
    "room_id",
    "adults",
    "children",
    "infants",
    "unit_type_id",
    "nightly",
    "rate",
)


@frozen(kw_only=True)
class StayChange:
    """Another stay for all rooms, at the amounts that its preview shows; None leaves an end of it as it is."""

    arrival: date | None
    departure: date | None
    basis: RepricingBasis
    expected_total: Money | None
    requests: str | None
    notes: str | None
    version: int | None

    def stay_of(self, booking: Booking) -> StayRange:
        """Return the stay that is meant for a booking.

        Raises:
            InvalidInputError: it would end before it begins, or is too long.
        """
        return StayRange(self.arrival or booking.arrival, self.departure or booking.departure)


def stay_change(fields: Fields, version: int | None) -> StayChange:
    """Read a change of stay; amounts, parties and single rooms have no place beside ``reprice``."""
    basis = read_basis(fields, "reprice")
    for name in _PRICED_BY_THE_HOUSE:
        fields.refuse(name, "one_of_two", other="reprice")
    return StayChange(
        arrival=fields.day("arrival"),
        departure=fields.day("departure"),
        basis=basis or RepricingBasis.AGREED,
        expected_total=fields.money("expected_total"),
        requests=fields.text("requests"),
        notes=fields.text("notes"),
        version=version,
    )


def read_basis(fields: Fields, name: str) -> RepricingBasis | None:
    """Read which nights are priced anew."""
    text = fields.text(name)
    known = {each.value: each for each in RepricingBasis}
    if text is not None and text not in known:
        fields.note(name, "unknown_value", allowed=", ".join(known))
    return known.get(text or "")
