"""What is wrong with what was sent, member by member.

Owns the two shapes. Leaves finding mistakes to ``structuring`` and saying them to ``texts``.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, frozen

from pmscore.kernel.errors import DomainError

__all__ = ["FieldError", "FieldsError", "SyncTypeError", "UnknownChoiceError", "WrongPhraseError"]


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


class UnknownChoiceError(DomainError):
    """A value is none of those that the documentation lists: ``field`` and ``choices`` say which there are."""

    code = "unknown_choice"


class WrongPhraseError(DomainError):
    """Whoever asked for something that cannot be undone did not write ``phrase`` into ``field``."""

    code = "wrong_phrase"


class SyncTypeError(DomainError):
    """The gateway of a connection does not do what was asked for."""

    code = "sync_type_not_supported"
