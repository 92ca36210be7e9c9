"""From JSON to wire classes: members first, then the rules about them, every mistake under its path.

Owns the one converter and what objects are on the wire. Which members there are is said by the attrs classes of the
resources, single values by ``wire_values``; size, depth and syntax of a body are read before, by ``bodies``. Null is
the same as left out, except for a member that must be there and may be null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_args

import attrs
from cattrs import Converter
from cattrs.errors import ClassValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from pms_web.field_errors import FieldError, FieldsError
from pms_web.mistakes import MISTAKES, mistakes_of, shown_name, without_twins
from pms_web.wire import is_rule, misplaced_in, nulls_of
from pms_web.wire_values import Hook, bare, is_list, may_be_null, teach_values, without_null
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = ["members_of", "structured", "structured_query", "unstructured", "wire_name"]

_NOTHING_NOTED: Sequence[FieldsError] = ()
_NUMBER = re.compile(r"-?[0-9]{1,18}\Z")

WireT = TypeVar("WireT")


def structured(members: Mapping[str, Json], wire: type[WireT]) -> WireT:
    """Return a body as an object of a wire class.

    Raises:
        FieldsError: with every mistake that was found.
    """
    try:
        made: WireT = _CONVERTER.structure(members, wire)
    except MISTAKES as error:
        raise FieldsError(tuple(without_twins(mistakes_of(error)))) from None
    return made


def structured_query(given: Iterable[tuple[str, list[str]]], wire: type[WireT]) -> WireT:
    """Return a query as an object of a wire class; lists may be repeated or written with commas.

    Raises:
        FieldsError: with every mistake that was found.
    """
    key: Any = wire  # mypy takes a class for something without a hash
    kinds = _kinds_of(key)
    members: dict[str, Json] = {}
    repeated: list[FieldError] = []
    for name, values in given:
        kind = kinds.get(name, str)
        if is_list(kind):
            inner = bare(get_args(kind)[0])
            members[name] = [_read_as(inner, part) for value in values for part in value.split(",") if part]
            continue
        if len(values) > 1:
            repeated.append(FieldError(shown_name(name), "repeated"))
        members[name] = _read_as(kind, values[0])
    try:
        made = structured(members, wire)
    except FieldsError as error:
        raise FieldsError((*repeated, *error.errors)) from None
    if repeated:
        raise FieldsError(tuple(repeated))
    return made


def unstructured(value: object) -> Json:
    """Return an object of a wire class as it would be sent; members at their defaults are left out."""
    sent: Json = _CONVERTER.unstructure(value)
    return sent


def members_of(wire: type) -> tuple[attrs.Attribute[Any], ...]:
    """Return the members of a wire class, their types resolved."""
    attrs.resolve_types(wire)
    found: tuple[attrs.Attribute[Any], ...] = attrs.fields(wire)
    return found


def wire_name(member: attrs.Attribute[Any]) -> str:
    """Return the name of a member in JSON; one that Python keeps for itself ends in an underscore here."""
    return member.name.rstrip("_")


@cache
def _kinds_of(wire: type) -> Mapping[str, Any]:
    """Return what the parameters of a query are, for those that are no texts."""
    return {wire_name(each): bare(without_null(bare(each.type))) for each in members_of(wire)}


def _read_as(kind: object, text: str) -> Json:
    if kind is int and _NUMBER.match(text):
        return int(text)
    if kind is bool and text in {"true", "false"}:
        return text == "true"
    return text


def _object_hook(wire: type) -> Hook:
    """Return what makes an object of a wire class."""
    members = members_of(wire)
    base: Hook = make_dict_structure_fn(wire, _CONVERTER, **_renamed(members))
    kept_null = {
        wire_name(each) for each in members if each.default is attrs.NOTHING and may_be_null(each.type)
    }
    droppable = ({wire_name(each) for each in members} | set(misplaced_in(wire))) - kept_null
    rules, nulls = _rules(wire), nulls_of(wire)

    def hook(value: Any, _: object) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidInputError("", "not_an_object")
        if nulls.emptied:
            value = {name: nulls.replaced(name, each) for name, each in value.items()}
        given, noted = value, _NOTHING_NOTED
        empty = {name for name, each in value.items() if each is None}
        if empty:
            refused = sorted(empty & nulls.refused)
            noted = [FieldsError(tuple(FieldError(name, "not_null") for name in refused))] if refused else []
            dropped = empty & droppable
            given = {name: each for name, each in value.items() if name not in dropped}
        try:
            made = base(given, wire)
        except ClassValidationError as error:
            wrong = {note.name for _, note in error.group_exceptions()[0]}
            partly = _partly_made(wire, given, wrong)
            broken = _broken(rules, partly, wrong)
            raise ClassValidationError(error.message, [*error.exceptions, *broken, *noted], wire) from None
        if broken := [*_broken(rules, made, set()), *noted]:
            raise ClassValidationError("rules", broken, wire)
        return made

    return hook


def _rules(wire: type) -> tuple[str, ...]:
    """Return the names of a class's rules, those of its bases first."""
    found = (
        name for each in reversed(wire.__mro__) for name, method in vars(each).items() if is_rule(method)
    )
    return tuple(dict.fromkeys(found))


def _broken(rules: Iterable[str], made: object, wrong: set[str]) -> list[Exception]:
    broken: list[Exception] = []
    for name in rules:
        try:
            getattr(made, name)()
        except MISTAKES as error:
            # Its trace leads here and would lead on to the group that it becomes a part of.
            broken.append(error.with_traceback(None))
            error.__context__ = None
        except AttributeError as error:
            # The rule looks at a member that is wrong itself and noted already.
            if error.obj is not made or error.name not in wrong:
                raise
    return broken


def _partly_made(wire: type, given: Mapping[str, Any], wrong: set[str]) -> object:
    """Return an object that has only the members that are right, for the rules about those."""
    partly: object = object.__new__(wire)
    for each in members_of(wire):
        if each.name in wrong:
            continue
        name = wire_name(each)
        kind: Any = each.type
        value = _CONVERTER.structure(given[name], kind) if name in given else _default(each)
        object.__setattr__(partly, each.name, value)
    return partly


def _default(member: attrs.Attribute[Any]) -> object:
    # mypy takes the type ``Factory`` for the function of the same name.
    make = getattr(member.default, "factory", None)
    return member.default if make is None else make()


def _renamed(members: Iterable[attrs.Attribute[Any]]) -> dict[str, Any]:
    return {each.name: override(rename=wire_name(each)) for each in members if wire_name(each) != each.name}


def _unstructure_hook(wire: type) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = make_dict_unstructure_fn(
        wire, _CONVERTER, _cattrs_omit_if_default=True, **_renamed(members_of(wire))
    )
    return made


def _is_wire_class(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and kind not in {Money, Currency}


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(_is_wire_class, _object_hook)
    converter.register_unstructure_hook_factory(_is_wire_class, _unstructure_hook)
    teach_values(converter)
    return converter


_CONVERTER = _converter()
