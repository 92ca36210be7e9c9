"""Reading documents that nobody has checked yet.

Owns the walk through objects of JSON that names the place of whatever is wrong, ``plans.0.prices.villa`` for
instance. Leaves what a text or a number means to whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json

__all__ = ["ObjectReader", "joined", "moved"]

_LONGEST: Final = 200

_ValueT = TypeVar("_ValueT")
_EnumT = TypeVar("_EnumT", bound=StrEnum)


def joined(path: str, name: str) -> str:
    """Return the path of what is called ``name`` at ``path``; at the root that is the name alone.

    Paths go into answers and logs, so a name that is long or cannot be shown is cut and escaped.
    """
    shown = name if len(name) <= _LONGEST and name.isprintable() else ascii(name[:_LONGEST])[1:-1]
    return f"{path}.{shown}" if path else shown


@frozen
class ObjectReader:
    """One object of a document, and where in the document it stands.

    Every method raises ``InvalidInputError`` naming the place; reason ``missing``, ``not_an_object``,
    ``not_a_list``, ``not_text``, ``not_an_integer``, ``not_a_flag`` or ``unknown_value``. A ``default`` stands
    in for a name that is absent; only ``find_`` takes ``null`` for absent.
    """

    values: Mapping[str, Json]
    path: str = ""

    @classmethod
    def of(cls, document: Json, path: str = "") -> ObjectReader:
        """Return the reader of a whole document, or of a part of one that stands at ``path``."""
        if not isinstance(document, Mapping):
            raise InvalidInputError(path or "document", "not_an_object")
        return cls(document, path)

    def hold_to(self, *names: str, optional: Iterable[str] = ()) -> None:
        """Refuse an object that lacks one of ``names``, or has others than these and the optional ones.

        Raises:
            InvalidInputError: ``missing``; or the object's own place, reason ``unknown_name``.
        """
        for name in names:
            self.value(name)
        known = {*names, *optional}
        unknown = sorted(self.values.keys() - known)
        if unknown:
            raise InvalidInputError(
                self.path or "document",
                "unknown_name",
                value=ascii(unknown[0][:32]),
                known=", ".join(sorted(known)),
            )

    def make(self, build: Callable[[], _ValueT], *, renamed: Mapping[str, str] | None = None) -> _ValueT:
        """Return what ``build`` makes; an error that names a field of the value comes to name its place.

        ``renamed`` says what fields of the value are called in the document, where that is another name.
        """
        try:
            return build()
        except InvalidInputError as error:
            if self.path and f"{error.field}.".startswith(f"{self.path}."):
                raise
            raise moved(error, self.at((renamed or {}).get(error.field, error.field))) from error

    def at(self, name: str) -> str:
        """Return the place of ``name``."""
        return joined(self.path, name)

    def has(self, name: str) -> bool:
        """Return whether there is such a name with a value other than null."""
        return self.values.get(name) is not None

    def value(self, name: str) -> Json:
        """Return what stands at a name, whatever it is."""
        if name not in self.values:
            raise InvalidInputError(self.at(name), "missing")
        return self.values[name]

    def inside(self, name: str) -> ObjectReader:
        """Return the object at a name."""
        value = self.value(name)
        if not isinstance(value, Mapping):
            raise self._not(name, "an_object")
        return ObjectReader(value, self.at(name))

    def find_inside(self, name: str) -> ObjectReader | None:
        """Return the object at a name, None where there is none."""
        return self.inside(name) if self.has(name) else None

    def each(self, name: str) -> tuple[ObjectReader, ...]:
        """Return the objects in the list at a name."""
        return tuple(
            ObjectReader.of(item, self.at(f"{name}.{at}")) for at, item in enumerate(self.items(name))
        )

    def find_each(self, name: str) -> tuple[ObjectReader, ...]:
        """Return the objects in the list at a name; none where there is no list."""
        return self.each(name) if self.has(name) else ()

    def items(self, name: str) -> tuple[Json, ...]:
        """Return what the list at a name holds."""
        value = self.value(name)
        if not isinstance(value, list):
            raise self._not(name, "a_list")
        return tuple(value)

    def text(self, name: str, default: str | None = None) -> str:
        """Return the text at a name."""
        if default is not None and name not in self.values:
            return default
        value = self.value(name)
        if not isinstance(value, str):
            raise self._not(name, "text")
        return value

    def find_text(self, name: str) -> str | None:
        """Return the text at a name, None where there is none."""
        return self.text(name) if self.has(name) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts in the list at a name."""
        found: list[str] = []
        for at, item in enumerate(self.items(name)):
            if not isinstance(item, str):
                raise self._not(f"{name}.{at}", "text")
            found.append(item)
        return tuple(found)

    def find_texts(self, name: str) -> tuple[str, ...]:
        """Return the texts in the list at a name; none where there is no list."""
        return self.texts(name) if self.has(name) else ()

    def integer(self, name: str, default: int | None = None) -> int:
        """Return the whole number at a name; a truth value is none."""
        if default is not None and name not in self.values:
            return default
        value = self.value(name)
        if type(value) is not int:
            raise self._not(name, "an_integer")
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """Return the whole numbers in the list at a name."""
        found: list[int] = []
        for at, item in enumerate(self.items(name)):
            if type(item) is not int:
                raise self._not(f"{name}.{at}", "an_integer")
            found.append(item)
        return tuple(found)

    def find_integers(self, name: str) -> tuple[int, ...]:
        """Return the whole numbers in the list at a name; none where there is no list."""
        return self.integers(name) if self.has(name) else ()

    def find_integer(self, name: str) -> int | None:
        """Return the whole number at a name, None where there is none."""
        return self.integer(name) if self.has(name) else None

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return the truth value at a name."""
        if default is not None and name not in self.values:
            return default
        value = self.value(name)
        if not isinstance(value, bool):
            raise self._not(name, "a_flag")
        return value

    def choice(self, name: str, among: type[_EnumT], default: _EnumT | None = None) -> _EnumT:
        """Return the member of ``among`` whose value stands at a name."""
        if default is not None and name not in self.values:
            return default
        text = self.text(name)
        try:
            return among(text)
        except ValueError:
            known = ", ".join(each.value for each in among)
            raise InvalidInputError(
                self.at(name), "unknown_value", value=ascii(text[:32]), known=known
            ) from None

    def _not(self, name: str, kind: str) -> InvalidInputError:
        return InvalidInputError(self.at(name), f"not_{kind}")


def moved(error: InvalidInputError, field: str) -> InvalidInputError:
    """Return the same error about another field."""
    params = {name: each for name, each in error.params.items() if name not in {"field", "reason"}}
    return InvalidInputError(field, error.reason, **params)
