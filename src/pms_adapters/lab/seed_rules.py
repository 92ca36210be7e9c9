"""The stay rules of the demo's houses: enough to see a refusal explain itself."""

from __future__ import annotations

from datetime import date, timedelta

from pms_adapters.bootstrap import Services
from pmscore.dates.nights import HalfOpen
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.events import Command
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions

__all__ = ["seed_rules"]

_FRIDAY_AND_SATURDAY = 0b0110000
_SATURDAY = 0b0100000


def seed_rules(services: Services, command: Command, house: House, *, by_week: bool) -> int:
    """Put a year of rules in force from the business date on; return how many."""
    today = house.property.business_date
    year = DateRange(today, today + timedelta(days=366))
    rules = _home_rules(year) if by_week else _hotel_rules(year)
    set_restrictions(
        SetRestrictions(
            request_id=command.request_id,
            agency_id=command.agency_id,
            actor_id=command.actor_id,
            property_id=house.property.property_id,
            nights=year,
            rules=rules,
        ),
        uow=services.uow,
    )
    return len(rules)


def _hotel_rules(year: DateRange) -> tuple[Rule, ...]:
    summer = tuple(
        Rule("min_stay_arrival", nights, _FRIDAY_AND_SATURDAY, 2) for nights in _months(year, 7, 8)
    )
    eves = tuple(Rule("closed_to_arrival", nights) for nights in _days(year, 12, 24))
    return (*summer, *eves, Rule("max_stay_arrival", year, value=28))


def _home_rules(year: DateRange) -> tuple[Rule, ...]:
    season = _months(year, 7, 8)
    return (
        *(Rule("arrival_weekdays", nights, value=_SATURDAY) for nights in season),
        *(Rule("min_stay_arrival", nights, value=7) for nights in season),
        Rule("min_stay_arrival", year, value=2, channel="direct"),
    )


def _months(year: HalfOpen, first: int, last: int) -> tuple[DateRange, ...]:
    """Return the days from the first of one month to the last of another, in each year that is touched."""
    numbers = range(year.first_night.year, year.last_night.year + 1)
    found = (
        DateRange(date(number, first, 1), date(number, last + 1, 1)).intersection(year) for number in numbers
    )
    return tuple(each for each in found if each is not None)


def _days(year: HalfOpen, month: int, day: int) -> tuple[DateRange, ...]:
    numbers = range(year.first_night.year, year.last_night.year + 1)
    found = (DateRange.of(date(number, month, day), 1).intersection(year) for number in numbers)
    return tuple(each for each in found if each is not None)
