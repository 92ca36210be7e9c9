"""Changing prices: a new version of a property's price book, checked as a whole."""

from __future__ import annotations

from attrs import evolve, fields, frozen

from pmscore.kernel.errors import InvalidInputError, StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ports import UnitOfWork
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.events import PricesChanged
from pmscore.pricing.ports import PriceSettingWork

__all__ = ["SetPrices", "set_prices"]


@frozen(kw_only=True)
class SetPrices(Command):
    """Put ``book`` in place of the property's prices.

    ``based_on`` is the version that the change was made from; None says that there were none.
    """

    book: PriceBook
    based_on: int | None = None


def set_prices(command: SetPrices, *, uow: UnitOfWork[PriceSettingWork]) -> PriceBook:
    """Store the book as the next version; quotes made from earlier ones keep their prices.

    Raises:
        NotFoundError: no such property in this agency, or no such unit type in it.
        InvalidInputError: the book is in another currency than the property.
        StaleVersionError: the prices have changed since ``based_on``.
    """
    with uow.begin(command) as work:
        house = work.houses.get(command.book.property_id)
        if command.book.currency != house.property.currency:
            raise InvalidInputError("currency", "mixed_currencies", expected=house.property.currency.code)
        for plan in command.book.plans:
            for type_id in (*plan.prices, *plan.unit_types):
                house.type_of(type_id)
        for rule in command.book.rules:
            for type_id in rule.unit_types:
                house.type_of(type_id)
        before = work.prices.find(command.book.property_id)
        if command.based_on != (None if before is None else before.version):
            raise StaleVersionError(property_id=str(command.book.property_id))
        book = evolve(command.book, version=1 if before is None else before.version + 1)
        work.prices.add(book)
        work.record(
            PricesChanged(aggregate_id=book.property_id, version=book.version, parts=_changed(before, book))
        )
        work.commit()
        return book


def _changed(before: PriceBook | None, after: PriceBook) -> tuple[str, ...]:
    """Return the names of the parts that differ."""
    return tuple(
        each.name
        for each in fields(PriceBook)
        if each.eq
        and each.name not in {"version", "property_id"}
        and (before is None or getattr(before, each.name) != getattr(after, each.name))
    )
