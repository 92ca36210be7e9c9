"""What members of requests and replies look like: marks that both the reading and the description of the API look at.

Owns the marks for ``Annotated`` and the short names of kinds of text. Leaves reading to ``structuring`` and JSON
Schema to ``json_schema``; a mark says both in one place, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, ParamSpec, Protocol, TypeVar, runtime_checkable

from attrs import Factory, frozen

from pms_web.field_errors import FieldError
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json

__all__ = [
    "LONGEST_TEXT",
    "MOST_WHOLE",
    "ByMember",
    "CodeText",
    "CurrencyText",
    "DateText",
    "DecimalText",
    "Document",
    "Entries",
    "IdText",
    "InstantText",
    "Longest",
    "Mark",
    "NotNegative",
    "Nulls",
    "OneOf",
    "Says",
    "TimeText",
    "Within",
    "Written",
    "instead",
    "is_rule",
    "misplaced_in",
    "not_null",
    "nulls_of",
    "out_of_place",
    "rule",
]

LONGEST_TEXT = 10_000
"""No text of a request is longer, in characters; most have a smaller limit of their own."""
MOST_WHOLE = 999_999_999
"""No whole number of a request is larger."""

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")


@runtime_checkable
class Mark(Protocol):
    """Something about a value that is checked when it is read and said when it is described."""

    def check(self, value: object) -> None:
        """Refuse a value that is not as the mark says.

        Raises:
            InvalidInputError: with an empty field; the reader knows where the value stands.
        """

    def schema(self) -> Mapping[str, Json]:
        """Return the words of JSON Schema that say the same."""


@frozen
class Within:
    """A whole number between two limits, both included."""

    least: int
    most: int

    def check(self, value: object) -> None:
        """Refuse what is smaller or larger."""
        if isinstance(value, int) and not self.least <= value <= self.most:
            raise InvalidInputError("", "out_of_range", least=self.least, most=self.most)

    def schema(self) -> Mapping[str, Json]:
        """Return the limits."""
        return {"minimum": self.least, "maximum": self.most}


@frozen
class NotNegative:
    """A whole number from zero on."""

    def check(self, value: object) -> None:
        """Refuse what is below zero."""
        if isinstance(value, int) and value < 0:
            raise InvalidInputError("", "negative")

    def schema(self) -> Mapping[str, Json]:
        """Return the limit."""
        return {"minimum": 0}


@frozen
class Longest:
    """A text of so many characters at most."""

    longest: int

    def check(self, value: object) -> None:
        """Refuse a longer one."""
        if isinstance(value, str) and len(value) > self.longest:
            raise InvalidInputError("", "too_long", longest=self.longest)

    def schema(self) -> Mapping[str, Json]:
        """Return the limit."""
        return {"maxLength": self.longest}


@frozen
class Entries:
    """A list of so many entries; without this mark it is up to a hundred."""

    most: int = 100
    least: int = 0

    def check(self, value: object) -> None:
        """Refuse a list of another length."""
        if not isinstance(value, list | tuple):
            return
        if len(value) > self.most:
            raise InvalidInputError("", "too_many", most=self.most)
        if len(value) < self.least:
            raise InvalidInputError("", "empty")

    def schema(self) -> Mapping[str, Json]:
        """Return the limits."""
        return {"maxItems": self.most, **({"minItems": self.least} if self.least else {})}


@frozen
class Says:
    """A sentence about a member, for the description; it checks nothing."""

    text: str

    def check(self, value: object) -> None:
        """Let everything pass."""

    def schema(self) -> Mapping[str, Json]:
        """Return the sentence."""
        return {"description": self.text}


@frozen
class Written:
    """How a text of a reply is written; it checks nothing, because replies are ours."""

    form: str = ""
    pattern: str = ""
    example: str = ""

    def check(self, value: object) -> None:
        """Let everything pass."""

    def schema(self) -> Mapping[str, Json]:
        """Return the form, or the pattern with an example."""
        if self.form:
            return {"format": self.form}
        return {"pattern": self.pattern, "examples": [self.example]}


@frozen
class OneOf:
    """A text of a reply that is the value of one of these choices."""

    choices: type[Enum]

    def check(self, value: object) -> None:
        """Let everything pass."""

    def schema(self) -> Mapping[str, Json]:
        """Return the values."""
        return {"enum": [str(each.value) for each in self.choices]}


@frozen(eq=False)
class Document:
    """A JSON object that the core reads by itself; ``name`` and ``words`` describe it."""

    name: str
    words: Mapping[str, Json]


@frozen(eq=False)
class ByMember:
    """Which of several shapes a body has: that of the first member here that is there, else ``otherwise``.

    ``even_null`` names members whose mere presence decides, null included.
    """

    shapes: Mapping[str, type]
    otherwise: type
    even_null: frozenset[str] = frozenset()

    def shape(self, members: Mapping[str, Json]) -> type:
        """Return the shape of a body."""
        for name, shape in self.shapes.items():
            if members.get(name) is not None or (name in self.even_null and name in members):
                return shape
        return self.otherwise


IdText = Annotated[str, Written("uuid")]
DateText = Annotated[str, Written("date")]
InstantText = Annotated[str, Written("date-time")]
TimeText = Annotated[str, Written(pattern="^[0-9]{2}:[0-9]{2}$", example="15:00")]
DecimalText = Annotated[str, Written(pattern=r"^-?[0-9]+(\.[0-9]+)?$", example="123.45")]
CurrencyText = Annotated[str, Written(pattern="^[A-Z]{3}$", example="EUR")]
CodeText = Annotated[str, Longest(64)]


def rule(method: Callable[ParamsT, ResultT]) -> Callable[ParamsT, ResultT]:
    """Make a method of a wire class, one without arguments, a rule about its members.

    It runs when an object is read, as long as the members that it looks at are right, whatever else is wrong; what it
    refuses is a mistake at the path where the object stands. What it returns is for whoever calls it later, usually a
    part of a command.
    """
    setattr(method, _RULE, True)
    return method


def is_rule(method: object) -> bool:
    """Return whether a member of a class is one of its rules."""
    return getattr(method, _RULE, False) is True


ClassT = TypeVar("ClassT", bound=type)


def instead(other: str, *members: str) -> Callable[[ClassT], ClassT]:
    """Say of a wire class that ``members`` have no place beside ``other``: they get a sentence of their own."""
    return _misplacing(FieldError("", "one_of_two", {"other": other}), members)


def out_of_place(code: str, *members: str) -> Callable[[ClassT], ClassT]:
    """Say of a wire class that ``members`` belong to another one, and by which code to say so."""
    return _misplacing(FieldError("", code), members)


def not_null(*members: str, **emptied: Json) -> Callable[[ClassT], ClassT]:
    """Say of a wire class that null is not the same as left out for some members.

    For ``members`` it is a mistake; for those in ``emptied`` it says the same as the value that is given here.
    """

    def marked(wire: ClassT) -> ClassT:
        setattr(wire, _NULLS, Nulls(frozenset(members), emptied))
        return wire

    return marked


@frozen
class Nulls:
    """What null says where it is not the same as left out: members that it is a mistake for, and values it stands for."""

    refused: frozenset[str] = frozenset()
    emptied: Mapping[str, Json] = Factory(dict[str, Json])

    def replaced(self, name: str, value: Json) -> Json:
        """Return what a member says."""
        return self.emptied.get(name) if value is None else value


def nulls_of(wire: type) -> Nulls:
    """Return what null says in a wire class."""
    found: Nulls = getattr(wire, _NULLS, Nulls())
    return found


def misplaced_in(wire: type) -> Mapping[str, FieldError]:
    """Return the members that have no place in a wire class, each with what is said about that."""
    found: Mapping[str, FieldError] = getattr(wire, _MISPLACED, {})
    return found


def _misplacing(mistake: FieldError, members: tuple[str, ...]) -> Callable[[ClassT], ClassT]:
    def marked(wire: ClassT) -> ClassT:
        setattr(wire, _MISPLACED, {**misplaced_in(wire), **dict.fromkeys(members, mistake)})
        return wire

    return marked


_RULE = "__wire_rule__"
_MISPLACED = "__wire_misplaced__"
_NULLS = "__wire_nulls__"
