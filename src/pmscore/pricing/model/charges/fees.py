"""What a house charges beside the nights, and what of the room price is not for the room.

Owns fees and inclusions as they are stored and checked. Leaves what they come to for a stay to
``policies.charging`` and their taxes to ``taxes``.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.charges.counting import EVERYBODY, AgeLimit, Per

__all__ = ["Fee", "Inclusion"]


@frozen(kw_only=True)
class Fee:
    """An amount that is charged beside the nights: always, or if the guest chooses it.

    ``amount`` is in minor units for each unit of ``per``, or a percentage of the room revenue: of each night
    (per night), of each room's stay (per stay), or of all rooms (per booking). ``category`` decides which
    taxes it bears. ``valid`` are the nights on which a nightly fee is charged, and the arrival dates of the
    stays for which any other one is. ``counted`` says who counts where it is charged per person.

    Raises ``InvalidInputError`` naming the field: ``amount`` (negative, or a percentage above 100 or per
    person or pet) or ``counted`` (ages, but nothing per person).
    """

    code: str
    name: str
    per: Per
    amount: int | Percent
    category: str = "fee"
    is_mandatory: bool = True
    valid: DateRange | None = None
    counted: AgeLimit = EVERYBODY

    def __attrs_post_init__(self) -> None:
        checked_code(self.code, field="code")
        checked_text(self.name, field="name")
        checked_code(self.category, field="category")
        _check_amount(self.amount)
        if isinstance(self.amount, Percent) and self.per not in (Per.NIGHT, Per.STAY, Per.BOOKING):
            raise InvalidInputError("amount", "percentage_per_head", per=self.per.value)
        _check_counted(self.counted, self.per)


@frozen(kw_only=True)
class Inclusion:
    """A part of every night's room price that bears other taxes, such as breakfast that the rate includes.

    ``amount`` is in minor units for each night or for each guest and night, or a percentage of the night's
    price; taxes that the price includes are in it. It is never more than there is of the price.

    Raises ``InvalidInputError`` naming the field: ``per`` (neither per night nor per person and night),
    ``amount`` or ``counted``.
    """

    code: str
    per: Per
    amount: int | Percent
    category: str
    valid: DateRange | None = None
    counted: AgeLimit = EVERYBODY

    def __attrs_post_init__(self) -> None:
        checked_code(self.code, field="code")
        checked_code(self.category, field="category")
        _check_amount(self.amount)
        if self.per not in (Per.NIGHT, Per.PERSON_NIGHT):
            raise InvalidInputError("per", "not_part_of_a_night", per=self.per.value)
        if isinstance(self.amount, Percent) and self.per is not Per.NIGHT:
            raise InvalidInputError("amount", "percentage_per_head", per=self.per.value)
        _check_counted(self.counted, self.per)


def _check_amount(amount: int | Percent) -> None:
    if isinstance(amount, Percent):
        if not 0 <= amount.millionths <= WHOLE:
            raise InvalidInputError("amount", "not_a_share", value=amount.plain(), most="100")
    elif type(amount) is not int:
        raise InvalidInputError("amount", "not_an_integer", type=type(amount).__name__)
    elif not 0 <= amount <= MAX_MINOR:
        raise InvalidInputError("amount", "negative" if amount < 0 else "too_large")


def _check_counted(counted: AgeLimit, per: Per) -> None:
    if counted != EVERYBODY and not per.counts_people:
        raise InvalidInputError("counted", "nobody_is_counted", per=per.value)
