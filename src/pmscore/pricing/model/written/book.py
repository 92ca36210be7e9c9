"""A price book as one document, and back.

Owns the document of the whole: its version of the form, the lists of its parts, and where in it an error of the
whole book lies. The parts are read by the neighbours. Every field: ``docs/reference/price-cases.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.reading import ObjectReader, joined, moved
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.written.charges import (
    fee_from,
    fee_json,
    inclusion_from,
    inclusion_json,
    tax_from,
    tax_json,
    tax_rounding_from,
    tax_rounding_json,
)
from pmscore.pricing.model.written.parts import stated
from pmscore.pricing.model.written.plans import plan_from, plan_json, season_from, season_json
from pmscore.pricing.model.written.rules import rule_from, rule_json
from pmscore.pricing.model.written.terms import terms_from, terms_json

__all__ = ["FORMAT", "book_from_json", "book_to_bytes", "book_to_json"]

FORMAT: Final = 1
"""Of the written form; raised whenever a field changes its meaning or its default."""

_NAMED_BY: Final = {
    "seasons": "name",
    "plans": "code",
    "rules": "code",
    "fees": "code",
    "inclusions": "code",
    "taxes": "code",
}


def book_to_json(book: PriceBook, *, unit_type: Callable[[UnitTypeId], str] = str) -> dict[str, Json]:
    """Return the document of a book; ``unit_type`` is the text that stands for a type, its id unless told.

    Equal books make equal documents, down to the order of the names. The property is not in it.
    """
    currency = book.currency
    written: dict[str, Json] = {
        "format": FORMAT,
        "currency": currency.code,
        "version": book.version,
        "seasons": [season_json(each) for each in book.seasons],
        "plans": [plan_json(each, currency, unit_type) for each in book.plans],
        "rules": [rule_json(each, currency, unit_type) for each in book.rules],
        "fees": [fee_json(each, currency) for each in book.fees],
        "inclusions": [inclusion_json(each, currency) for each in book.inclusions],
        "taxes": [tax_json(each, currency) for each in book.taxes.taxes],
        "tax_rounding": tax_rounding_json(book.tax_rounding),
        "terms": {code: terms_json(book.terms[code]) for code in sorted(book.terms)},
    }
    empty: dict[str, Json] = {name: [] for name in _NAMED_BY}
    return stated(written, {"version": 1, "tax_rounding": {}, "terms": {}, **empty})


def book_to_bytes(book: PriceBook, *, unit_type: Callable[[UnitTypeId], str] = str) -> bytes:
    """Return the document as text with sorted names: equal books, equal bytes."""
    document = book_to_json(book, unit_type=unit_type)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def book_from_json(
    document: Json, *, property_id: PropertyId, unit_type: Callable[[str], UnitTypeId], path: str = ""
) -> PriceBook:
    """Return the book of a property that a document describes; ``unit_type`` says which type a text means.

    Raises:
        InvalidInputError: names the place in the document, ``plans.0.derivation.parent`` for instance, below
            ``path`` where the document is a part of another; reasons as in :class:`ObjectReader`, and those of the
            book and its parts.
    """
    reader = ObjectReader.of(document, path)
    if reader.integer("format") != FORMAT:
        raise InvalidInputError(reader.at("format"), "unknown_format", known=FORMAT)
    reader.hold_to("format", "currency", optional=("version", "tax_rounding", "terms", *_NAMED_BY))
    currency = reader.make(lambda: Currency.recorded(reader.text("currency")))
    type_texts: dict[str, str] = {}

    def known_type(text: str) -> UnitTypeId:
        found = unit_type(text)
        type_texts[str(found)] = text
        return found

    seasons = tuple(season_from(each) for each in reader.find_each("seasons"))
    plans = tuple(plan_from(each, currency, known_type) for each in reader.find_each("plans"))
    rules = tuple(rule_from(each, currency, known_type) for each in reader.find_each("rules"))
    fees = tuple(fee_from(each, currency) for each in reader.find_each("fees"))
    inclusions = tuple(inclusion_from(each, currency) for each in reader.find_each("inclusions"))
    taxes = tuple(tax_from(each, currency) for each in reader.find_each("taxes"))
    tax_rounding = tax_rounding_from(reader.find_inside("tax_rounding"))
    terms = reader.find_inside("terms")
    named = {} if terms is None else {code: terms_from(terms.inside(code), currency) for code in terms.values}
    version = reader.integer("version", 1)
    try:
        return PriceBook(
            property_id=property_id,
            currency=currency,
            seasons=seasons,
            plans=plans,
            rules=rules,
            fees=fees,
            inclusions=inclusions,
            taxes=TaxTable(taxes),
            tax_rounding=tax_rounding,
            terms=named,
            version=version,
        )
    except InvalidInputError as error:
        raise _placed(error, reader, type_texts) from error


def _placed(
    error: InvalidInputError, reader: ObjectReader, type_texts: Mapping[str, str]
) -> InvalidInputError:
    """Return an error of the whole book, which names parts by their codes, about the place in the document."""
    section, _, rest = error.field.partition(".")
    field = error.field
    if section in _NAMED_BY:
        longest = -1
        for at, each in enumerate(reader.find_each(section)):
            name = each.text(_NAMED_BY[section])
            # Codes may hold dots; of two parts with one code the later one is meant.
            if f"{rest}.".startswith(f"{name}.") and len(name) >= longest:
                longest = len(name)
                field = joined(f"{section}.{at}", rest[len(name) + 1 :]).rstrip(".")
    if section == "plans":
        head, _, last = field.rpartition(".")
        field = f"{head}.derivation.parent" if last == "parent" else field
    value = error.params.get("value")
    for type_id, text in type_texts.items():
        field = field.replace(type_id, text[:64])
        value = text[:64] if value == type_id else value
    placed = moved(error, reader.at(field))
    if "value" in placed.params:
        placed.params["value"] = value
    return placed
