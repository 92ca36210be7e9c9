"""Which entries of a message Expedia warned about: a warning names a room, a rate and a night in brackets.

Owns finding them. What cannot be placed puts everything in doubt, rather than nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from attrs import frozen

from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Refused
from pmscore.channels.model.mappings import MappedRate
from pmscore.dates.ranges import DateRange

__all__ = ["Refusals", "Warned"]

_LONGEST_REASON: Final = 200
_PLACE: Final = re.compile(r"\s*\[([^\]]*)\]")
_ROOM, _RATE, _DAY = "Room Type ID", "Rate Plan ID", "Stay Date"


@frozen
class Warned:
    """A warning in an answer of success: its code, its text, and the attributes that say what it is about."""

    code: str
    text: str
    attr: Mapping[str, str]


class Refusals:
    """The nights of entries that warnings are about, each with the first reason that was given."""

    def __init__(self, at: At, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._nights: tuple[dict[int, str], ...] = tuple({} for _ in self._entries)
        self._by_code: dict[tuple[str, str], list[int]] = {}
        for number, entry in enumerate(self._entries):
            mapped = at.mappings.by_id(entry.mapping_id)
            if isinstance(mapped, MappedRate):
                self._by_code.setdefault((_RATE, mapped.rate_code), []).append(number)
            if mapped is not None:
                self._by_code.setdefault((_ROOM, mapped.room_code), []).append(number)

    def add(self, warned: Warned) -> None:
        """Note a warning where it belongs; one that belongs nowhere belongs everywhere."""
        place, reason = _place(warned.text), _reason(warned)
        numbers = self._named(place)
        day = _day(place.get(_DAY, ""))
        touched = [number for number in numbers if day is None or day in self._entries[number].nights]
        if not touched:
            touched, day = [*range(len(self._entries))], None
        for number in touched:
            nights = self._entries[number].nights
            ordinals = range(nights.first_ordinal, nights.end_ordinal) if day is None else (day.toordinal(),)
            for ordinal in ordinals:
                self._nights[number].setdefault(ordinal, reason)

    def found(self) -> tuple[Refused, ...]:
        """Return what was refused, neighbouring nights of one reason together."""
        return tuple(
            each
            for entry, nights in zip(self._entries, self._nights, strict=True)
            for each in _joined(entry, nights)
        )

    def _named(self, place: Mapping[str, str]) -> list[int]:
        """Return the entries of the rate that is named; of the room where no rate is."""
        if _RATE in place:
            return self._by_code.get((_RATE, place[_RATE]), [])
        return self._by_code.get((_ROOM, place.get(_ROOM, "")), [])


def _joined(entry: Entry, nights: Mapping[int, str]) -> Iterator[Refused]:
    fields = frozenset(name for name, _ in entry.values)
    first: int | None = None
    for ordinal in sorted(nights):
        first = ordinal if first is None else first
        if nights.get(ordinal + 1) != nights[ordinal]:
            stretch = DateRange(date.fromordinal(first), date.fromordinal(ordinal + 1))
            yield Refused(mapping_id=entry.mapping_id, nights=stretch, fields=fields, reason=nights[ordinal])
            first = None


def _place(text: str) -> dict[str, str]:
    """Return what stands in the brackets at the beginning of a warning, by its label."""
    bracket = _PLACE.match(text)
    found: dict[str, str] = {}
    for part in bracket[1].split(";") if bracket else ():
        for label in (_ROOM, _RATE, _DAY):
            if part.strip().startswith(label):
                found[label] = part.strip().removeprefix(label).strip(" :")
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _reason(warned: Warned) -> str:
    said = " ".join(_PLACE.sub("", warned.text, count=1).split())
    line = "".join(each if each.isprintable() else "\ufffd" for each in f"{warned.code} {said}".strip())
    return line[:_LONGEST_REASON] or "warning"
