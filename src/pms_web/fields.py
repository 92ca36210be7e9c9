"""Reading members of a JSON object, or of a query, one by one, with every mistake noted under its path.

Owns types and paths: who reads gets a value or None, and at the end one error with all mistakes. Leaves which
members there are to ``schemas``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from attrs import Factory, frozen

from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import DomainError, InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import parse_id
from pmscore.kernel.money import Money
from pmscore.kernel.reading import moved

__all__ = ["FieldError", "Fields", "FieldsError", "collecting"]

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)
LONGEST_TEXT = 10_000


class _Parse(Protocol[ResultT_co]):
    def __call__(self, text: str, /, *, field: str) -> ResultT_co: ...


@frozen
class FieldError:
    """One mistake: the path of the member, a stable code, and what the code needs to be explained."""

    field: str
    code: str
    params: Mapping[str, str | int | None] = Factory(dict)


class FieldsError(DomainError):
    """Some members cannot be what they say; ``errors`` has every mistake that was found."""

    code = "invalid_input"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(fields=",".join(each.field for each in errors[:20]))
        self.errors = errors


@contextmanager
def collecting() -> Iterator[list[FieldError]]:
    """Yield a list for mistakes; raise them all at the end of the block.

    Raises:
        FieldsError: the list is not empty.
    """
    errors: list[FieldError] = []
    try:
        yield errors
    except InvalidInputError as error:
        # A value that could not be built from parts that were mistaken themselves says nothing new.
        if not errors:
            errors.append(_mistake(error, error.field))
    if errors:
        raise FieldsError(tuple(errors))


class Fields:
    """One JSON object being read; ``path`` is where it stands in the body."""

    def __init__(self, members: Mapping[str, Json], errors: list[FieldError], path: str = "") -> None:
        self._members = members
        self._errors = errors
        self._path = path
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Return whether the member is there and not null."""
        return self._members.get(name) is not None

    def note(self, name: str, code: str, **params: str | int | None) -> None:
        """Note a mistake."""
        self._errors.append(FieldError(self.path(name), code, params))

    def path(self, name: str) -> str:
        """Return the path of a member."""
        return f"{self._path}.{name}" if self._path else name

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Return a text."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.note(name, "not_text")
            return None
        if len(value) > LONGEST_TEXT:
            self.note(name, "too_long", longest=LONGEST_TEXT)
            return None
        return value

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """Return a whole number of at most nine digits."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.note(name, "not_a_number")
            return None
        if abs(value) > 999_999_999:
            self.note(name, "out_of_range", most=999_999_999)
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self._take(name, required=False)
        if value is not None and not isinstance(value, bool):
            self.note(name, "not_a_switch")
            return None
        return value

    def texts(self, name: str, *, most: int) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(each for each in self._list(name, most, "not_text") if isinstance(each, str))

    def wholes(self, name: str, *, most: int) -> tuple[int, ...]:
        """Return a list of whole numbers."""
        return tuple(each for each in self._list(name, most, "not_a_number") if isinstance(each, int))

    def refuse(self, name: str, code: str, **params: str | int | None) -> None:
        """Note a mistake if the member is there: beside another it has no meaning."""
        if self._take(name, required=False) is not None:
            self.note(name, code, **params)

    def day(self, name: str, *, required: bool = False) -> date | None:
        """Return a date."""
        return self._parsed(name, parse_date, required=required)

    def id(self, name: str, *, required: bool = False) -> UUID | None:
        """Return an id."""
        return self._parsed(name, parse_id, required=required)

    def currency(self, name: str, *, required: bool = False) -> Currency | None:
        """Return a currency by its code."""
        return self._parsed(name, _parse_currency, required=required)

    def instant(self, name: str) -> datetime | None:
        """Return an instant, which must have its offset from UTC."""
        return self._parsed(name, _parse_instant, required=False)

    def money(self, name: str, *, required: bool = False) -> Money | None:
        """Return an amount, written ``{"amount": "123.45", "currency": "EUR"}``."""
        value = self._take(name, required=required)
        if value is None:
            return None
        return _money(value, self._errors, self.path(name))

    def amounts(self, name: str) -> tuple[Money, ...] | None:
        """Return a list of amounts."""
        value = self._take(name, required=False)
        if value is None:
            return None
        if not isinstance(value, list):
            self.note(name, "not_a_list")
            return None
        if len(value) > 1096:
            self.note(name, "too_many", most=1096)
            return None
        read = [_money(each, self._errors, f"{self.path(name)}[{at}]") for at, each in enumerate(value)]
        return tuple(each for each in read if each is not None)

    def object(self, name: str) -> Fields | None:
        """Return an object for reading."""
        value = self._take(name, required=False)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.note(name, "not_an_object")
            return None
        return Fields(value, self._errors, self.path(name))

    def objects(self, name: str, *, most: int) -> tuple[Fields, ...]:
        """Return a list of objects for reading."""
        value = self._take(name, required=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self.note(name, "not_a_list" if not isinstance(value, list) else "empty")
            return ()
        if len(value) > most:
            self.note(name, "too_many", most=most)
            return ()
        found: list[Fields] = []
        for at, each in enumerate(value):
            if isinstance(each, dict):
                found.append(Fields(each, self._errors, f"{self.path(name)}[{at}]"))
            else:
                self._errors.append(FieldError(f"{self.path(name)}[{at}]", "not_an_object"))
        return tuple(found)

    def ids(self, name: str, *, most: int = 100) -> tuple[UUID, ...]:
        """Return a list of ids."""
        value = self._take(name, required=False)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.note(name, "not_a_list")
            return ()
        if len(value) > most:
            self.note(name, "too_many", most=most)
            return ()
        found: list[UUID] = []
        for at, each in enumerate(value):
            where = f"{self.path(name)}[{at}]"
            if not isinstance(each, str):
                self._errors.append(FieldError(where, "not_text"))
                continue
            parsed = self._made(lambda each=each, where=where: parse_id(each, field=where))  # type: ignore[misc]
            if parsed is not None:
                found.append(parsed)
        return tuple(found)

    def made(self, make: Callable[[], ResultT]) -> ResultT | None:
        """Return what ``make`` makes; a field that it refuses is noted under this object's path."""
        try:
            return make()
        except InvalidInputError as error:
            self._errors.append(_mistake(error, self.path(error.field)))
            return None

    def close(self) -> None:
        """Note every member that nobody has read."""
        for name in sorted(set(self._members) - self._read):
            shown = name[:64].encode("ascii", "backslashreplace").decode("ascii")
            self._errors.append(FieldError(self.path(shown), "unknown_field"))

    def _list(self, name: str, most: int, code: str) -> list[Json]:
        """Return a list whose members are texts or whole numbers; ``code`` says which, and notes all others."""
        value = self._take(name, required=False)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note(name, "not_a_list")
            return []
        if len(value) > most:
            self.note(name, "too_many", most=most)
            return []
        kind = str if code == "not_text" else int
        for at, each in enumerate(value):
            if not isinstance(each, kind) or isinstance(each, bool):
                self._errors.append(FieldError(f"{self.path(name)}[{at}]", code))
        return value

    def _take(self, name: str, *, required: bool) -> Json:
        self._read.add(name)
        value = self._members.get(name)
        if value is None and required:
            self.note(name, "required")
        return value

    def _parsed(self, name: str, parse: _Parse[ResultT], *, required: bool) -> ResultT | None:
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.note(name, "not_text")
            return None
        return self._made(lambda: parse(value, field=self.path(name)))

    def _made(self, make: Callable[[], ResultT]) -> ResultT | None:
        try:
            return make()
        except InvalidInputError as error:
            self._errors.append(_mistake(error, error.field))
            return None


def _mistake(error: InvalidInputError, path: str) -> FieldError:
    params = {name: value for name, value in error.params.items() if name not in {"field", "reason"}}
    return FieldError(path, error.reason, params)


def _parse_currency(text: str, /, *, field: str) -> Currency:
    try:
        return Currency.of(text)
    except InvalidInputError as error:
        raise moved(error, field) from error


def _parse_instant(text: str, /, *, field: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise InvalidInputError(field, "without_offset")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(field, "not_an_instant") from error


def _money(value: Json, errors: list[FieldError], path: str) -> Money | None:
    if not isinstance(value, dict):
        errors.append(FieldError(path, "not_money"))
        return None
    fields = Fields(value, errors, path)
    amount, currency = fields.text("amount", required=True), fields.text("currency", required=True)
    fields.close()
    if amount is None or currency is None:
        return None
    return fields.made(lambda: Money.parse(amount, currency))
