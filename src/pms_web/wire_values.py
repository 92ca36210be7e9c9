"""What single values look like on the wire: texts, numbers, dates, instants, ids, amounts, choices, lists.

Owns one reader a type, each with the code of its mistake. Leaves objects and paths to ``structuring``. A
truth value is no number, a number is no text, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import attrs
from cattrs import Converter

from pms_web.field_errors import FieldError, FieldsError
from pms_web.mistakes import MISTAKES, mistakes_of, under
from pms_web.wire import LONGEST_TEXT, MOST_WHOLE, ByMember, Document, Entries, Mark
from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import parse_id
from pmscore.kernel.money import Money

__all__ = ["Hook", "bare", "is_list", "marks_of", "may_be_null", "teach_values", "without_null"]

Hook = Callable[[Any, Any], Any]
"""Takes what was sent and the type that it should be."""


def bare(kind: Any) -> Any:
    """Return a type without its marks."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def marks_of(kind: Any) -> tuple[Any, ...]:
    """Return the marks of a type."""
    return get_args(kind)[1:] if get_origin(kind) is Annotated else ()


def is_list(kind: Any) -> bool:
    """Return whether a type is ``tuple[X, …]``."""
    return get_origin(kind) is tuple


def may_be_null(kind: Any) -> bool:
    """Return whether a type has None among its values."""
    return not is_list(bare(kind)) and type(None) in get_args(bare(kind))


def without_null(kind: Any) -> Any:
    """Return a type without None; marks stay where they were."""
    if not may_be_null(kind):
        return kind
    left: Any = Union[tuple(each for each in get_args(bare(kind)) if each is not type(None))]  # noqa: UP007
    marked: Any = Annotated
    return marked[(left, *marks_of(kind))] if marks_of(kind) else left


def teach_values(converter: Converter) -> None:
    """Teach a converter how values are read and written."""
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(bool, _switch)
    converter.register_structure_hook(date, lambda value, _: parse_date(_text(value, str), field=""))
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(UUID, lambda value, _: parse_id(_text(value, str), field=""))
    converter.register_structure_hook(Currency, _currency)
    converter.register_structure_hook(Money, _money_hook(converter))
    converter.register_structure_hook(Enum, _choice)
    # A text as well, and would be read as one.
    converter.register_structure_hook(StrEnum, _choice)
    converter.register_structure_hook_factory(is_list, lambda kind: _list_hook(kind, converter))
    converter.register_structure_hook_factory(_is_optional, lambda kind: _optional_hook(kind, converter))
    converter.register_structure_hook_factory(_is_marked, lambda kind: _marked_hook(kind, converter))
    converter.register_unstructure_hook(UUID, str)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(Currency, lambda value: value.code)
    converter.register_unstructure_hook(
        Money, lambda value: {"amount": value.plain(), "currency": value.currency.code}
    )


def _text(value: Any, _: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError("", "not_text")
    if len(value) > LONGEST_TEXT:
        raise InvalidInputError("", "too_long", longest=LONGEST_TEXT)
    return value


def _whole(value: Any, _: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError("", "not_a_number")
    if abs(value) > MOST_WHOLE:
        raise InvalidInputError("", "out_of_range", most=MOST_WHOLE)
    return value


def _switch(value: Any, _: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError("", "not_a_switch")
    return value


def _instant(value: Any, _: object) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value, str))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError("", "not_an_instant") from None
    raise InvalidInputError("", "without_offset")


def _currency(value: Any, _: object) -> Currency:
    text = _text(value, str)
    try:
        return Currency.of(text)
    except InvalidInputError as error:
        (found,) = mistakes_of(error)
        raise FieldsError((FieldError("", found.code, found.params),)) from None


@attrs.frozen
class _Amount:
    amount: str
    currency: str


def _money_hook(converter: Converter) -> Hook:
    def hook(value: Any, _: object) -> Money:
        if not isinstance(value, Mapping):
            raise InvalidInputError("", "not_money")
        written = converter.structure(value, _Amount)
        return Money.parse(written.amount, written.currency)

    return hook


def _choice(value: Any, among: type[Enum]) -> Enum:
    text = _text(value, str)
    try:
        return among(text)
    except ValueError:
        raise InvalidInputError(
            "", "unknown_value", allowed=", ".join(str(each.value) for each in among)
        ) from None


def _is_optional(kind: Any) -> bool:
    return not _is_marked(kind) and may_be_null(kind)


def _is_marked(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _list_hook(kind: Any, converter: Converter) -> Hook:
    """Return what reads a list, marked or not; its length is looked at before its entries."""
    marks = [each for each in marks_of(kind) if isinstance(each, Mark)]
    if not any(isinstance(each, Entries) for each in marks):
        marks.append(Entries())
    inner = get_args(bare(kind))[0]
    read: Hook = converter.get_structure_hook(inner)

    def hook(value: Any, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidInputError("", "not_a_list")
        for each in marks:
            each.check(value)
        found: list[Any] = []
        wrong: list[FieldError] = []
        for at, item in enumerate(value):
            try:
                found.append(read(item, inner))
            except MISTAKES as error:
                wrong.extend(under(f"[{at}]", mistakes_of(error)))
        if wrong:
            raise FieldsError(tuple(wrong))
        return tuple(found)

    return hook


def _marked_hook(kind: Any, converter: Converter) -> Hook:
    for mark in marks_of(kind):
        if isinstance(mark, ByMember):
            return _shape_hook(mark, converter)
        if isinstance(mark, Document):
            return lambda value, _: value
    inner, marks = bare(kind), [each for each in marks_of(kind) if isinstance(each, Mark)]
    if is_list(inner):
        return _list_hook(kind, converter)

    read: Hook = converter.get_structure_hook(inner)

    def hook(value: Any, _: object) -> Any:
        made = read(value, inner)
        for each in marks:
            each.check(made)
        return made

    return hook


def _optional_hook(kind: Any, converter: Converter) -> Hook:
    inner = without_null(kind)
    read: Hook = converter.get_structure_hook(inner)
    return lambda value, _: None if value is None else read(value, inner)


def _shape_hook(shapes: ByMember, converter: Converter) -> Hook:
    return lambda value, _: converter.structure(value, shapes.shape(value))
