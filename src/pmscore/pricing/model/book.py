"""Everything that the prices of one property are made of, checked as a whole.

Owns whether plans, seasons and rules fit together: parents that exist and never run in a circle, seasons that
do not contend, rules whose order is plain. What they come to is worked out in ``policies``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import combinations, pairwise

from attrs import field, frozen

from pmscore.dates.recurrence import Season
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.text import checked_code, checked_text
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import TaxRounding
from pmscore.pricing.model.occupancy import OccupancyTerms
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.model.rules import PriceRule, exclusion_order
from pmscore.pricing.model.terms import Terms
from pmscore.restrictions.model.rules import RULE_KINDS

__all__ = ["PriceBook"]

DEEPEST = 10


def _by_code(plans: Iterable[RatePlan]) -> tuple[RatePlan, ...]:
    return tuple(sorted(plans, key=lambda each: each.code))


def _by_rank(rules: Iterable[PriceRule]) -> tuple[PriceRule, ...]:
    return tuple(sorted(rules, key=lambda each: (each.stage, each.rank, each.code)))


def _by_fee_code(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    return tuple(sorted(fees, key=lambda each: each.code))


def _by_inclusion_code(inclusions: Iterable[Inclusion]) -> tuple[Inclusion, ...]:
    return tuple(sorted(inclusions, key=lambda each: each.code))


def _by_name(seasons: Iterable[Season]) -> tuple[Season, ...]:
    return tuple(sorted(seasons, key=lambda each: (-each.priority, each.name)))


@frozen(kw_only=True)
class PriceBook:
    """The seasons, plans, rules, fees, taxes and terms of one property; all amounts are in ``currency``.

    Equal books are equal values, whatever the order in which their parts were given. ``version`` rises with each
    change.

    Raises:
        InvalidInputError: a part does not fit; the field is its path, ``plans.flex.parent`` for instance.
    """

    property_id: PropertyId
    currency: Currency
    seasons: tuple[Season, ...] = field(default=(), converter=_by_name)
    plans: tuple[RatePlan, ...] = field(default=(), converter=_by_code)
    rules: tuple[PriceRule, ...] = field(default=(), converter=_by_rank)
    fees: tuple[Fee, ...] = field(default=(), converter=_by_fee_code)
    inclusions: tuple[Inclusion, ...] = field(default=(), converter=_by_inclusion_code)
    taxes: TaxTable = TaxTable()
    tax_rounding: TaxRounding = TaxRounding()
    terms: Mapping[str, Terms] = field(factory=dict[str, Terms])
    version: int = 1

    def __attrs_post_init__(self) -> None:
        _refuse_twice("seasons", (each.name for each in self.seasons))
        _refuse_twice("plans", (each.code for each in self.plans))
        _refuse_twice("rules", (each.code for each in self.rules))
        _refuse_twice("fees", (each.code for each in self.fees))
        _refuse_twice("inclusions", (each.code for each in self.inclusions))
        _check_seasons(self.seasons)
        for code, terms in self.terms.items():
            checked_code(code, field="terms")
            if terms.currency != self.currency:
                raise InvalidInputError(f"terms.{code}", "mixed_currencies", expected=self.currency.code)
        for plan in self.plans:
            self._check_lineage(plan)
            self._check_plan(plan)
        for rule in self.rules:
            self._check_rule(rule)
        for rule, other in pairwise(self.rules):
            if (rule.stage, rule.rank) == (other.stage, other.rank):
                raise InvalidInputError(f"rules.{other.code}.rank", "same_rank", by=rule.code)
        exclusion_order(self.rules)

    def plan(self, code: str) -> RatePlan:
        """Return a plan.

        Raises:
            NotFoundError: the property has no such plan.
        """
        found = self._plans.get(code)
        if found is None:
            raise NotFoundError("rate_plan", code[:64])
        return found

    def lineage(self, code: str) -> tuple[RatePlan, ...]:
        """Return the plan, its parent, the parent of that, and so on."""
        found = [self.plan(code)]
        while (derivation := found[-1].derivation) is not None:
            found.append(self.plan(derivation.parent))
        return tuple(found)

    def types_of(self, plan: RatePlan) -> frozenset[UnitTypeId]:
        """Return the types that a plan is sold for."""
        if plan.prices:
            return frozenset(plan.prices)
        return plan.unit_types or self.types_of(self._parent(plan))

    def occupancy(self, plan: RatePlan, unit_type_id: UnitTypeId) -> OccupancyTerms:
        """Return what guests cost under a plan: the type's terms, else the plan's, else those of its parent."""
        own = plan.prices.get(unit_type_id)
        if own is not None and own.occupancy is not None:
            return own.occupancy
        if plan.occupancy is not None:
            return plan.occupancy
        return (
            OccupancyTerms() if plan.derivation is None else self.occupancy(self._parent(plan), unit_type_id)
        )

    def terms_of(self, plan: RatePlan) -> Terms | None:
        """Return the terms that a plan is sold on: its own, else those of its parent; None where nobody says any."""
        for each in self.lineage(plan.code):
            if each.terms is not None:
                return self.terms[each.terms]
        return None

    def inclusions_of(self, plan: RatePlan) -> tuple[Inclusion, ...]:
        """Return what the price of a plan contains: its own inclusions, else those of its parent."""
        named = next((each.inclusions for each in self.lineage(plan.code) if each.inclusions), ())
        return tuple(each for each in self.inclusions if each.code in named)

    def rule_owners(self, code: str, kind: str) -> frozenset[str]:
        """Return the plans whose stay rules of a kind hold for a plan: its own, and its parents' as far as inherited."""
        owners = [code]
        for plan in self.lineage(code):
            if plan.derivation is None or kind not in plan.derivation.inherits:
                break
            owners.append(plan.derivation.parent)
        return frozenset(owners)

    @cached_property
    def _plans(self) -> Mapping[str, RatePlan]:
        return {plan.code: plan for plan in self.plans}

    def _parent(self, plan: RatePlan) -> RatePlan:
        if plan.derivation is None:
            return plan
        return self.plan(plan.derivation.parent)

    def _check_lineage(self, plan: RatePlan) -> None:
        path = [plan.code]
        derivation = plan.derivation
        while derivation is not None:
            name = f"plans.{path[-1]}.parent"
            if derivation.parent not in self._plans:
                raise InvalidInputError(name, "unknown_plan", value=derivation.parent)
            if derivation.parent in path:
                raise InvalidInputError(
                    name, "derived_from_itself", value=" > ".join([*path, derivation.parent])
                )
            if len(path) == DEEPEST:
                raise InvalidInputError(name, "too_deep", most=DEEPEST)
            path.append(derivation.parent)
            derivation = self._plans[derivation.parent].derivation

    def _check_plan(self, plan: RatePlan) -> None:
        inherited = frozenset[str]() if plan.derivation is None else plan.derivation.inherits
        for kind in sorted(inherited - {kind for kind, _ in RULE_KINDS}):
            raise InvalidInputError(f"plans.{plan.code}.inherits", "unknown_kind", value=kind[:64])
        if plan.terms is not None and plan.terms not in self.terms:
            raise InvalidInputError(f"plans.{plan.code}.terms", "unknown_terms", value=plan.terms[:64])
        for code in sorted(set(plan.inclusions) - {each.code for each in self.inclusions}):
            raise InvalidInputError(f"plans.{plan.code}.inclusions", "unknown_inclusion", value=code[:64])
        known = {season.name for season in self.seasons}
        for type_id, prices in plan.prices.items():
            for name in sorted(prices.seasons.keys() - known):
                raise InvalidInputError(
                    f"plans.{plan.code}.prices.{type_id}.seasons", "unknown_season", value=name
                )
        if plan.inherits_price:
            for type_id in sorted(plan.unit_types - self.types_of(self._parent(plan))):
                raise InvalidInputError(
                    f"plans.{plan.code}.unit_types", "not_sold_by_parent", value=str(type_id)
                )

    def _check_rule(self, rule: PriceRule) -> None:
        for code in sorted(rule.plans - self._plans.keys()):
            raise InvalidInputError(f"rules.{rule.code}.plans", "unknown_plan", value=code)


def _refuse_twice(name: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise InvalidInputError(f"{name}.{key}", "twice")
        seen.add(key)


def _check_seasons(seasons: tuple[Season, ...]) -> None:
    for season in seasons:
        checked_text(season.name, field="seasons")
    for season, other in combinations(seasons, 2):
        if season.priority != other.priority or not season.nights.overlaps(other.nights):
            continue
        shared = season.nights & other.nights
        days = season.weekdays & other.weekdays
        if shared.on_weekdays(days.mask).bits:
            raise InvalidInputError(
                f"seasons.{other.name}", "overlaps_with_equal_priority", value=season.name
            )
