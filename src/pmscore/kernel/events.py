"""What is asked (commands), what happened (events), and the two together (decisions).

Owns the shape of both; the contexts own their own commands and events. Events carry ids and field names,
never personal values: they are outbox, history and audit at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import ClassVar, Generic, TypeAlias, TypeGuard, TypeVar
from uuid import UUID

from attrs import fields, frozen, has

from pmscore.kernel.errors import MisuseError, NotFoundError
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId, RequestId

__all__ = ["Command", "Decision", "Event", "Json", "OnceKey", "to_json"]

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
StateT_co = TypeVar("StateT_co", covariant=True)
_ENVELOPE = frozenset({"kind", "aggregate_id", "version"})


@frozen
class OnceKey:
    """An idempotency key: the same key, route and principal stand for one effect.

    ``fingerprint`` is a hash of the request; a repetition with another one is refused.
    """

    key: str
    route: str
    fingerprint: str


@frozen(kw_only=True)
class Command:
    """What every command says: which request, on whose behalf, in which agency.

    ``property_ids`` is the actor's reach: what belongs to another property is not found, as if it were another
    agency's. None reaches all of the agency.
    """

    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId
    once: OnceKey | None = None
    property_ids: frozenset[PropertyId] | None = None

    def reaches(self, property_id: PropertyId) -> bool:
        """Return whether the actor may see and touch the property."""
        return self.property_ids is None or property_id in self.property_ids

    def check_reach(self, property_id: PropertyId, kind: str, key: object) -> None:
        """Go on only if the actor reaches the property that ``key`` belongs to.

        Raises:
            NotFoundError: they do not; the same answer as for what does not exist.
        """
        if not self.reaches(property_id):
            raise NotFoundError(kind, key)


@frozen(kw_only=True)
class Event:
    """Something that happened to one aggregate; subclasses name it and add their fields.

    ``kind`` and ``aggregate`` are persisted and never renamed. ``version`` is the aggregate's after the
    event.
    """

    aggregate: ClassVar[str]

    kind: str
    aggregate_id: UUID
    version: int

    def payload(self) -> dict[str, Json]:
        """Return the subclass's own fields as JSON values."""
        return {
            field.name: to_json(getattr(self, field.name))
            for field in fields(type(self))
            if field.name not in _ENVELOPE
        }


@frozen
class Decision(Generic[StateT_co]):
    """The new state of an aggregate and the events that say why; nothing was changed in place."""

    state: StateT_co
    events: tuple[Event, ...]


def to_json(value: object) -> Json:
    """Return ``value`` as JSON: ids, dates, instants and enums as text, frozen values as objects.

    Raises:
        MisuseError: the type has no JSON form here (a float, for instance).
    """
    match value:
        case Enum():
            return to_json(value.value)
        case None | bool() | int() | str():
            return value
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case _ if _is_tuple(value):
            return [to_json(each) for each in value]
        case _ if _is_mapping(value):
            return {str(key): to_json(each) for key, each in value.items()}
        case _:
            return _fields_to_json(value)


def _fields_to_json(value: object) -> Json:
    cls = type(value)
    if not has(cls):
        raise MisuseError(type=cls.__name__)
    return {field.name: to_json(getattr(value, field.name)) for field in fields(cls)}


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
