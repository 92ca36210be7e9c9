"""The mistakes of a body, each under its path.

Owns how what cattrs and the hooks of ``structuring`` raise becomes entries for people. Sentences stand in ``texts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError

from pms_web.field_errors import FieldError, FieldsError
from pms_web.wire import misplaced_in
from pmscore.kernel.errors import InvalidInputError

__all__ = ["MISTAKES", "mistakes_of", "shown_name", "under", "without_twins"]

MISTAKES = (ClassValidationError, InvalidInputError, FieldsError)
"""What reading a value may raise when the value is wrong; everything else is a fault of the program."""


def mistakes_of(error: BaseException) -> Iterator[FieldError]:
    """Yield the mistakes in what cattrs and the hooks raise, with paths from there."""
    match error:
        case ClassValidationError():
            noted, others = error.group_exceptions()
            for each, note in noted:
                yield from _attribute_mistakes(each, note.name.rstrip("_"))
            for other in others:
                yield from mistakes_of(other)
        case ForbiddenExtraKeysError(extra_fields=names, cl=wire):
            for name in sorted(names):
                yield _unknown(name, misplaced_in(wire).get(name))
        case FieldsError(errors=errors):
            yield from errors
        case InvalidInputError(field=path, reason=reason):
            params = {name: each for name, each in error.params.items() if name not in {"field", "reason"}}
            yield FieldError(path, reason, params)
        case _:
            raise error


def _attribute_mistakes(error: Exception, name: str) -> Iterator[FieldError]:
    # cattrs reads a member that is not there like any other and lets the KeyError be.
    if isinstance(error, KeyError):
        yield FieldError(name, "required")
        return
    yield from under(name, mistakes_of(error))


def under(name: str, found: Iterable[FieldError]) -> Iterator[FieldError]:
    """Yield the same mistakes at their paths from one level further out."""
    for each in found:
        dot = "." if each.field and not each.field.startswith("[") else ""
        yield FieldError(f"{name}{dot}{each.field}", each.code, each.params)


def _unknown(name: str, misplaced: FieldError | None) -> FieldError:
    if misplaced is not None:
        return FieldError(name, misplaced.code, misplaced.params)
    return FieldError(shown_name(name), "unknown_field")


def without_twins(found: Iterable[FieldError]) -> Iterator[FieldError]:
    """Yield each mistake once: two rules may build the same value."""
    seen: set[tuple[str, str]] = set()
    for each in found:
        if (each.field, each.code) not in seen:
            seen.add((each.field, each.code))
            yield each


def shown_name(name: str) -> str:
    """Return the name of an unknown member in a form that every log and terminal can show."""
    return name[:64].encode("ascii", "backslashreplace").decode("ascii")
