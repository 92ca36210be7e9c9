"""What is written to Channex and read from it, but for bookings: bytes on one side, contracts on the other.

Owns the shape of messages about nights: both ends of their ranges are nights, ours end before the departure. Leaves
bookings to ``sales`` and sending to ``gateway``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from pms_adapters.channels.channex.mapping import AVAILABILITY_NAME, FLAGS, MINIMA, PRICING_NAMES
from pms_adapters.serialization.json import written
from pmscore.channels.model.ari import UNKNOWN, AriRows, Entry, RowKey
from pmscore.channels.model.calls import (
    At,
    Outcome,
    OutcomeKind,
    Push,
    PushResult,
    Refused,
    RemoteRate,
    RemoteRoom,
)
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappedRoom
from pmscore.dates.nights import parse_date
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["minor_of", "push_body", "push_result", "read_cells", "read_rooms"]

_DAY: Final = timedelta(days=1)
_LONGEST_REASON: Final = 200
_FIELDS: Final[Mapping[str, MatrixField]] = {
    AVAILABILITY_NAME: MatrixField.SELLABLE,
    "rates": MatrixField.RATE,
    **{name: each for each, name in PRICING_NAMES.items()},
}


def push_body(at: At, push: Push) -> bytes:
    """Return the message that says the entries of ``push``."""
    return written({"values": [_value(at, each) for each in push.entries]})


def push_result(at: At, push: Push, reply: ObjectReader) -> PushResult:
    """Return what came of a push that was answered with success: warnings name what was not taken.

    A warning that cannot be placed puts everything in doubt: all of the push counts as refused, never as taken.

    Raises:
        InvalidInputError: the answer is none to a push.
    """
    refused: list[Refused] = []
    for warning in reply.inside("meta").find_each("warnings"):
        found = _refused(at, push.entries, warning)
        refused += found or [_refused_whole(each, _reason(warning)) for each in push.entries]
    kind = OutcomeKind.PARTLY if refused else OutcomeKind.DONE
    return PushResult(Outcome(kind, refused[0].reason if refused else ""), tuple(refused))


def read_cells(at: At, lane: Lane, nights: DateRange, reply: ObjectReader) -> AriRows:
    """Return the cells that the platform says it has; unknown where it says nothing.

    Prices by occupancy cannot be read back, so their rows are left out.

    Raises:
        InvalidInputError: the answer is not one of this kind.
    """
    data = reply.inside("data")
    rows: dict[RowKey, tuple[int, ...]] = {}
    if lane is Lane.AVAILABILITY:
        for room in at.mappings.rooms:
            days = data.find_inside(room.room_code)
            rows[RowKey(room.mapping_id, MatrixField.SELLABLE)] = _counts(days, nights)
        return AriRows(nights, rows)
    for rate in at.mappings.rates:
        days = data.find_inside(rate.rate_code)
        for name in PRICING_NAMES:
            if name is not MatrixField.RATE or not rate.occupancies:
                rows[RowKey(rate.mapping_id, name)] = _numbers(days, name, nights, at.currency)
    return AriRows(nights, rows)


def read_rooms(types: Iterable[ObjectReader], plans: Iterable[ObjectReader]) -> tuple[RemoteRoom, ...]:
    """Return the room types with the rate plans that are sold for each.

    Raises:
        InvalidInputError: one of them is none.
    """
    rates: dict[str, list[RemoteRate]] = {}
    for plan in plans:
        room_code = plan.inside("relationships").inside("room_type").inside("data").text("id")
        attributes = plan.inside("attributes")
        occupancies: tuple[int, ...] = ()
        if attributes.find_text("sell_mode") == "per_person":
            occupancies = tuple(sorted(each.integer("occupancy") for each in attributes.find_each("options")))
        rates.setdefault(room_code, []).append(
            RemoteRate(room_code, plan.text("id"), attributes.text("title"), occupancies)
        )
    return tuple(
        RemoteRoom(
            each.text("id"), each.inside("attributes").text("title"), tuple(rates.get(each.text("id"), ()))
        )
        for each in types
    )


def minor_of(value: Json, currency: Currency, *, field: str) -> int:
    """Return an amount in minor units; zeros beyond the digits of the currency are no matter.

    Raises:
        InvalidInputError: for ``field``: it is no amount.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInputError(field, "not_decimal")
    whole, _, fraction = str(value).partition(".")
    spare = fraction[currency.digits :]
    kept = fraction if spare.strip("0") else fraction[: currency.digits]
    return Money.parse(f"{whole}.{kept}" if kept else whole, currency, field=field).minor


def _value(at: At, entry: Entry) -> dict[str, Json]:
    mapped = at.mappings.by_id(entry.mapping_id)
    said: dict[str, Json] = {"property_id": at.connection.listing_id}
    match mapped:
        case MappedRoom():
            said["room_type_id"] = mapped.room_code
        case MappedRate():
            said["rate_plan_id"] = mapped.rate_code
        case None:
            raise MisuseError(unmapped=str(entry.mapping_id))
    if entry.nights.length == 1:
        said["date"] = entry.nights.start.isoformat()
    else:
        said["date_from"] = entry.nights.start.isoformat()
        said["date_to"] = entry.nights.last_night.isoformat()
    rates: list[Json] = []
    for (name, occupancy), value in entry.values.items():
        if name is MatrixField.SELLABLE:
            said[AVAILABILITY_NAME] = value
        elif name is MatrixField.RATE and occupancy:
            rates.append({"occupancy": occupancy, "rate": value})
        else:
            said[PRICING_NAMES[name]] = _said(name, value)
    return said | ({"rates": rates} if rates else {})


def _said(name: MatrixField, value: int) -> Json:
    if name in FLAGS:
        return bool(value)
    return max(value, 1) if name in MINIMA else value


def _refused(at: At, entries: Iterable[Entry], warning: ObjectReader) -> list[Refused]:
    """Return the cells that a warning is about; none where it cannot be placed."""
    nights = _nights(warning)
    code = warning.find_text("rate_plan_id") or warning.find_text("room_type_id")
    if nights is None or code is None:
        return []
    told = warning.find_inside("warning")
    named = [_FIELDS.get(name) for name in told.values] if told else []
    found: list[Refused] = []
    for entry in entries:
        mapped = at.mappings.by_id(entry.mapping_id)
        own = mapped.rate_code if isinstance(mapped, MappedRate) else mapped and mapped.room_code
        shared = entry.nights.intersection(nights) if own == code else None
        if shared is None:
            continue
        said = frozenset(name for name, _ in entry.values)
        fields = frozenset(each for each in named if each is not None)
        is_clear = bool(fields) and None not in named and fields <= said
        found.append(
            Refused(
                mapping_id=entry.mapping_id,
                nights=shared,
                fields=fields if is_clear else said,
                reason=_reason(warning),
            )
        )
    return found


def _refused_whole(entry: Entry, reason: str) -> Refused:
    fields = frozenset(name for name, _ in entry.values)
    return Refused(mapping_id=entry.mapping_id, nights=entry.nights, fields=fields, reason=reason)


def _nights(warning: ObjectReader) -> DateRange | None:
    first = warning.find_text("date_from") or warning.find_text("date")
    last = warning.find_text("date_to") or first
    if first is None or last is None:
        return None
    return DateRange(parse_date(first, field="date_from"), parse_date(last, field="date_to") + _DAY)


def _reason(warning: ObjectReader) -> str:
    told = warning.find_inside("warning")
    parts = [] if told is None else [f"{name}: {_text(value)}" for name, value in told.values.items()]
    line = " ".join("; ".join(parts).split())
    return "".join(each if each.isprintable() else "\ufffd" for each in line)[:_LONGEST_REASON] or "warning"


def _text(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _counts(days: ObjectReader | None, nights: DateRange) -> tuple[int, ...]:
    if days is None:
        return (UNKNOWN,) * nights.length
    return tuple(
        days.integer(day.isoformat()) if days.has(day.isoformat()) else UNKNOWN for day in nights.nights()
    )


def _numbers(
    days: ObjectReader | None, name: MatrixField, nights: DateRange, currency: Currency
) -> tuple[int, ...]:
    if days is None:
        return (UNKNOWN,) * nights.length
    found: list[int] = []
    for day in nights.nights():
        cell = days.find_inside(day.isoformat())
        found.append(UNKNOWN if cell is None else _number(cell, name, currency))
    return tuple(found)


def _number(cell: ObjectReader, name: MatrixField, currency: Currency) -> int:
    word = PRICING_NAMES[name]
    if word not in cell.values:
        return UNKNOWN
    value = cell.value(word)
    if name is MatrixField.RATE:
        return UNKNOWN if value is None else minor_of(value, currency, field=cell.at(word))
    if value is None:
        return 0
    if not isinstance(value, int):
        raise InvalidInputError(cell.at(word), "not_an_integer")
    return 0 if name in MINIMA and value <= 1 else int(value)
