"""``/api/v1/properties/{property_id}/restrictions``: stay rules of a property.

Owns addresses and how a rule is written; which kinds there are, and what each asks for, is the core's registry.
"""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Final

from attrs import frozen
from flask import Response

from pms_web.examples import UNIT_TYPE
from pms_web.paging import Page, PageQuery, page_of
from pms_web.restriction_views import StayRuleBody, stay_rule_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import Document, Entries, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId, parse_id
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import EVERY_DAY, Rule, RuleSlot, RuleValue
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties/<property_id>/restrictions"
MOST_CHANGED: Final = 500


class Weekday(Enum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


_VALUE: Final = Document(
    "StayRuleValue",
    {
        "description": "What the rule asks for: a number of nights or days, a text, or a list of numbers; see the kinds of rules.",
        "type": ["integer", "string", "array", "null"],
        "items": {"type": "integer"},
    },
)


@frozen(kw_only=True)
class RulePlace:
    """A kind of rule, and whose it is: the property's own where nothing else is named."""

    kind: Annotated[str, Says("Such as closed_night, closed_to_arrival, min_stay_arrival.")]
    unit_type_id: UnitTypeId | None = None
    plan: str | None = None
    channel: str | None = None

    @rule
    def slot(self) -> RuleSlot:
        """Return the place."""
        return RuleSlot(kind=self.kind, unit_type_id=self.unit_type_id, plan=self.plan, channel=self.channel)


@frozen(kw_only=True)
class NewRule(RulePlace):
    """A stay rule, in force on the weekdays that it names; on all where it names none."""

    weekdays: Annotated[tuple[Weekday, ...], Entries(7)] = ()
    value: Annotated[Json, _VALUE] = None

    @rule
    def read_value(self) -> RuleValue:
        """Return the value as rules have it."""
        value = self.value
        if isinstance(value, list):
            numbers = tuple(each for each in value if isinstance(each, int) and not isinstance(each, bool))
            if len(numbers) != len(value):
                raise InvalidInputError("value", "not_a_number")
            return numbers
        if isinstance(value, bool | dict):
            raise InvalidInputError("value", "not_a_number")
        return value

    def on(self, nights: DateRange) -> Rule:
        """Return the rule on these nights.

        Raises:
            InvalidInputError: the kind cannot have such a value.
        """
        days = [1 << list(Weekday).index(each) for each in self.weekdays]
        return Rule(
            self.kind, nights, sum(set(days)) or EVERY_DAY, self.read_value(), self.unit_type_id, self.plan,
            self.channel,
        )  # fmt: skip


@frozen(kw_only=True)
class RulesChange:
    """Rules to put in force on some nights, and places to clear there; other places stay as they are."""

    from_: Annotated[date, Says("The first night.")]
    to: Annotated[date, Says("The day after the last night.")]
    rules: Annotated[tuple[NewRule, ...], Entries(MOST_CHANGED)] = ()
    clear: Annotated[tuple[RulePlace, ...], Entries(MOST_CHANGED)] = ()

    @rule
    def nights(self) -> DateRange:
        """Return the nights."""
        if self.to <= self.from_:
            raise InvalidInputError("to", "not_after_start")
        return DateRange(self.from_, self.to)


@frozen(kw_only=True)
class RulesQuery(PageQuery):
    """Which rules; all of them where no nights are named."""

    from_: Annotated[date | None, Says("Rules on some night from this one on.")] = None
    to: Annotated[date | None, Says("Rules on some night before this day.")] = None

    @rule
    def nights(self) -> DateRange | None:
        """Return the nights."""
        if self.from_ is None and self.to is None:
            return None
        start, end = self.from_ or date.min, self.to or date.max
        if end <= start:
            raise InvalidInputError("to", "not_after_start")
        return DateRange(start, end)


def listed(services: WebServices, property_id: str, query: RulesQuery) -> Response:
    """Return a page of the stay rules of a property, in the order in which they are kept."""
    key, nights = PropertyId(parse_id(property_id, field="property_id")), query.nights()

    def attempt() -> RuleBook:
        with services.uow.begin(services.question) as work:
            work.houses.get(key)
            return work.restrictions.get(key)

    found = [each for each in services.retry(attempt).rules if nights is None or each.nights.overlaps(nights)]
    page = found[query.offset : query.offset + query.limit]
    return answer(page_of(map(stay_rule_body, page), query, total=len(found)))


def put(services: WebServices, property_id: str, body: RulesChange) -> Response:
    """Put rules in force on some nights; return a page of all rules on them."""
    nights = body.nights()
    command = SetRestrictions(
        **services.asking,
        property_id=PropertyId(parse_id(property_id, field="property_id")),
        nights=nights,
        rules=tuple(each.on(nights) for each in body.rules),
        clear=tuple(each.slot() for each in body.clear),
    )
    book = services.retry(lambda: set_restrictions(command, uow=services.uow))
    found = [each for each in book.rules if each.nights.overlaps(nights)]
    asked = PageQuery(limit=100)
    return answer(page_of(map(stay_rule_body, found[: asked.limit]), asked, total=len(found)))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_RESTRICTIONS,
        summary="List the stay rules",
        query=RulesQuery,
        replies={200: Page[StayRuleBody]},
        example={"from": "2027-06-01", "to": "2027-09-01"},
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_RESTRICTIONS,
        summary="Put stay rules in force",
        body=RulesChange,
        replies={200: Page[StayRuleBody]},
        example={
            "from": "2027-06-01",
            "to": "2027-09-01",
            "rules": [
                {"kind": "min_stay_arrival", "value": 3, "unit_type_id": UNIT_TYPE},
                {"kind": "closed_to_arrival", "weekdays": ["sun"]},
            ],
            "clear": [{"kind": "max_stay_arrival"}],
        },
    ),
)
