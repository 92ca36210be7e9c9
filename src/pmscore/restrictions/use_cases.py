"""Putting and clearing stay rules."""

from __future__ import annotations

from attrs import evolve, frozen

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.ports import UnitOfWork
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import RestrictionsChanged, Rule, RuleSlot
from pmscore.restrictions.ports import RuleSettingWork

__all__ = ["SetRestrictions", "set_restrictions"]


@frozen(kw_only=True)
class SetRestrictions(Command):
    """Put ``rules`` in force on ``nights``, and clear the slots ``clear`` there.

    In each slot (kind, type, plan, channel) of a rule the values from before are cut out of ``nights``, on
    all weekdays; slots that are not mentioned stay as they are.
    """

    property_id: PropertyId
    nights: DateRange
    rules: tuple[Rule, ...] = ()
    clear: tuple[RuleSlot, ...] = ()


def set_restrictions(command: SetRestrictions, *, uow: UnitOfWork[RuleSettingWork]) -> RuleBook:
    """Lock the house, change its rules, raise its version, record ``restrictions.changed``.

    The version makes sure that no booking is written that was checked against the rules from before.

    Raises:
        NotFoundError: no such property in this agency, or no such unit type in it.
        InvalidInputError: nothing to change; a rule leaves the range; too many rules.
    """
    slots = (*command.clear, *(rule.slot for rule in command.rules))
    if not slots:
        raise InvalidInputError("rules", "empty")
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        for slot in slots:
            if slot.unit_type_id is not None:
                house.type_of(slot.unit_type_id)
        book = work.restrictions.get(command.property_id)
        changed = book.with_rules(command.nights, command.rules, command.clear)
        raised = evolve(house, property=evolve(house.property, version=house.property.version + 1))
        work.houses.save(raised)
        work.restrictions.save(command.property_id, changed)
        work.record(_changed(raised, command.nights, slots))
        work.commit()
        return changed


def _changed(house: House, nights: DateRange, slots: tuple[RuleSlot, ...]) -> RestrictionsChanged:
    types = {slot.unit_type_id for slot in slots if slot.unit_type_id is not None}
    return RestrictionsChanged(
        kind="restrictions.changed",
        aggregate_id=house.property.property_id,
        version=house.property.version,
        kinds=tuple(sorted({slot.kind for slot in slots})),
        unit_type_ids=tuple(sorted(types)),
        plans=tuple(sorted({slot.plan for slot in slots if slot.plan is not None})),
        channels=tuple(sorted({slot.channel for slot in slots if slot.channel is not None})),
        first_night=nights.start,
        end=nights.end,
    )
