"""A platform that sells our rooms by what it was told, and tells what it has sold until we say that we know.

Owns its cells, its bookings and its own count of our calls, each written without a look at how we do it.
Leaves what goes wrong on the way to ``channel_hostility`` and what its messages look like to gateways and
faces.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from pmscore.channels.model.manifest import CallGroup, CallKind
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ports import Clock
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.draws import Chance

__all__ = ["ArrivalCount", "Garbled", "RemotePlatform", "TypeCells"]

_NAMES: Final = ("Ada Novak", "Noor Haddad", "Lena Vogt", "Juan Ortega", "Mina Sato", "Ole Berg")
_PAGE: Final = 20
_TOLD_GARBLED: Final = 6
"""So often that not all of the answers are lost."""

TypeCells = tuple[str, str, MatrixField, int]
"""A room code, a rate code ("" for what is the room's), a field and an occupancy."""


@frozen(kw_only=True)
class Garbled:
    """A message of the platform's that nobody can read."""

    message_id: str
    text: str = field(repr=False)


class ArrivalCount:
    """Counts arriving calls by the platform's own limits, each window by itself, to the microsecond."""

    def __init__(self, groups: Sequence[CallGroup]) -> None:
        self._groups = tuple(groups)
        self._arrivals: dict[tuple[str, int], deque[datetime]] = {}
        self._open: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self.exceeded = 0

    def arrived(self, kind: CallKind, at: datetime) -> bool:
        """Count a call and return whether it keeps all limits; one that does not is counted in ``exceeded``."""
        self.total[kind.value] += 1
        keeps = True
        for group in self._groups:
            if kind not in group.kinds:
                continue
            for number, window in enumerate(group.windows):
                seen = self._arrivals.setdefault((group.name, number), deque())
                while seen and at - seen[0] >= timedelta(seconds=window.seconds):
                    seen.popleft()
                seen.append(at)
                keeps &= len(seen) <= window.calls
            self._open[group.name] += 1
            keeps &= self._open[group.name] <= group.in_flight
        self.exceeded += not keeps
        return keeps

    def left(self, kind: CallKind) -> None:
        """Note that the call is no longer being worked on."""
        for group in self._groups:
            if kind in group.kinds:
                self._open[group.name] -= 1


class RemotePlatform:
    """One house on a platform; ``rooms`` names the rates of each room.

    A cell that it was never told is closed where it is a number of rooms, and no rule where it is a rule.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        chance: Chance,
        rooms: Mapping[str, Sequence[str]],
        currency: str,
        groups: Sequence[CallGroup] = (),
        name: str = "remote",
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._name = name
        self._currency = currency
        self._numbers = 0
        # Numbers, because there are platforms whose bookings have no other names.
        self._first_key = 1_000_000 + int(sha256(name.encode()).hexdigest()[:6], 16)
        self.rooms = {code: tuple(rates) for code, rates in rooms.items()}
        self.calls = ArrivalCount(groups)
        self.cells: dict[TypeCells, dict[int, int]] = {}
        self.told = 0
        """How many cells it was told, repetitions included."""
        self.bookings: dict[str, Revision] = {}
        """The newest revision of each booking."""
        self.history: list[Revision] = []
        self.garbled: list[Garbled] = []
        self.shows_states = False
        """Whether it shows what stands and never what has changed, as calendars do: its bookings are known by their nights."""
        self.counts_itself = False
        """Whether it lowers its own counts when it sells, and raises them when somebody cancels, before we know."""
        self._pending: dict[str, Revision] = {}
        self._garbled_pending: dict[str, int] = {}
        self._guests: dict[str, SoldTo] = {}

    # What it is told

    def tell(
        self,
        room_code: str,
        rate_code: str,
        name: MatrixField,
        nights: DateRange,
        value: int,
        *,
        occupancy: int = 0,
    ) -> None:
        """Take over a number for each night of a range."""
        row = self.cells.setdefault((room_code, rate_code, name, occupancy), {})
        row.update(dict.fromkeys(range(nights.first_ordinal, nights.end_ordinal), value))
        self.told += nights.length

    def cell(
        self, room_code: str, rate_code: str, name: MatrixField, day: date, *, occupancy: int = 0
    ) -> int | None:
        """Return what it was told last, None where it never was."""
        return self.cells.get((room_code, rate_code, name, occupancy), {}).get(day.toordinal())

    def row(
        self, room_code: str, rate_code: str, name: MatrixField, nights: DateRange, *, occupancy: int = 0
    ) -> tuple[int | None, ...]:
        """Return the cells of a range of nights."""
        row = self.cells.get((room_code, rate_code, name, occupancy), {})
        return tuple(row.get(ordinal) for ordinal in range(nights.first_ordinal, nights.end_ordinal))

    # What it sells

    def admits(self, room_code: str, rate_code: str, stay: StayRange) -> bool:
        """Return whether it would sell a room for the stay, by its cells alone."""
        return self._has_rooms(room_code, stay) and self._has_no_rule_against(room_code, rate_code, stay)

    def sell(self, first: date, latest: date, *, rooms: int = 1) -> Revision | None:
        """Sell somebody a stay that begins between two dates, if its cells admit the one that was drawn."""
        room_code, rate_code, stay = self._drawn(first, latest)
        if not self.admits(room_code, rate_code, stay):
            return None
        return self._sold(tuple(self._room(room_code, rate_code, stay) for _ in range(rooms)))

    def oversell(self, first: date, latest: date) -> Revision:
        """Sell somebody a stay whatever the cells say, as platforms do now and then."""
        room_code, rate_code, stay = self._drawn(first, latest)
        return self._sold((self._room(room_code, rate_code, stay),))

    def change(self, not_before: date, *, is_blind: bool = False) -> Revision | None:
        """Move some booking that has not begun to other nights, if its cells admit them, or without a look at them."""
        known = self._live(not_before)
        if known is None:
            return None
        room = known.rooms[0]
        arrival = room.stay.arrival + timedelta(days=self._chance.between(-2, 3))
        if arrival <= not_before:
            return None
        stay = StayRange.of(arrival, self._chance.between(1, 4))
        if not (is_blind or self.admits(room.room_code, room.rate_code, stay)):
            return None
        moved = self._room(room.room_code, room.rate_code, stay)
        return self._revised(known, RevisionStatus.CHANGED, (moved, *known.rooms[1:]))

    def cancel(self, not_before: date) -> Revision | None:
        """Cancel some booking that has not begun."""
        known = self._live(not_before)
        return None if known is None else self._revised(known, RevisionStatus.CANCELLED, known.rooms)

    def garble(self) -> Garbled:
        """Send something that nobody can read; it is repeated a few times and then given up."""
        self._numbers += 1
        message_id = f"{self._name}-garbled-{self._numbers}"
        made = Garbled(message_id=message_id, text=f'{{"id": "{message_id}", "rooms": [{{"arrival": "31.02')
        self.garbled.append(made)
        self._garbled_pending[message_id] = _TOLD_GARBLED
        return made

    # What it tells

    def pending(self, most: int = _PAGE) -> tuple[Revision, ...]:
        """Return what nobody has said to know, the oldest first."""
        return tuple(self._pending.values())[:most]

    @property
    def is_all_known(self) -> bool:
        """Whether everything it has to tell was acknowledged."""
        return not self._pending

    def pending_garbled(self) -> tuple[Garbled, ...]:
        """Return the unreadable messages that it still repeats, and count that it did."""
        found = tuple(each for each in self.garbled if self._garbled_pending[each.message_id])
        for each in found:
            self._garbled_pending[each.message_id] -= 1
        return found

    def has_told(self, message_id: str) -> bool:
        """Return whether an unreadable message was told at least once."""
        return self._garbled_pending[message_id] < _TOLD_GARBLED

    def acknowledge(self, revision_ids: Iterable[str]) -> None:
        """Take note that these are known; unknown ones are no matter."""
        for each in revision_ids:
            self._pending.pop(each, None)

    def _sold(self, rooms: tuple[SoldRoom, ...]) -> Revision:
        self._numbers += 1
        key = f"{self._first_key}{self._numbers:04d}"
        self._guests[key] = SoldTo(name=self._chance.one_of(_NAMES), email=f"{key}@guests.example")
        return self._told(key, RevisionStatus.NEW, rooms)

    def _revised(self, known: Revision, status: RevisionStatus, rooms: tuple[SoldRoom, ...]) -> Revision:
        return self._told(known.booking_key, status, rooms)

    def _told(self, key: str, status: RevisionStatus, rooms: tuple[SoldRoom, ...]) -> Revision:
        revised_at = self._clock.now().replace(microsecond=0)
        before = self.bookings.get(key)
        if before is not None:
            revised_at = max(revised_at, before.revised_at + timedelta(seconds=1))
        made = Revision(
            revision_id=sha256(f"{key}/{len(self.history)}".encode()).hexdigest()[:24],
            booking_key=key,
            status=status,
            revised_at=revised_at,
            rooms=rooms,
            currency=self._currency,
            guest=self._guests[key],
            reference=key.upper(),
        )
        if self.counts_itself:
            if before is not None:
                self._count(before, 1)
            self._count(made, -1)
        self.bookings[key] = made
        self.history.append(made)
        self._pending[made.revision_id] = made
        return made

    def _count(self, sold: Revision, step: int) -> None:
        """Move its own counts by a room on each night that it was told something of, never below none."""
        if sold.status is RevisionStatus.CANCELLED:
            return
        for room in sold.rooms:
            row = self.cells.get((room.room_code, "", MatrixField.SELLABLE, 0), {})
            row.update({day: max(row[day] + step, 0) for day in _days(room.stay) if day in row})

    def _live(self, not_before: date) -> Revision | None:
        found = [
            each
            for each in self.bookings.values()
            if each.status is not RevisionStatus.CANCELLED
            and all(room.stay.arrival > not_before for room in each.rooms)
        ]
        return self._chance.one_of(found) if found else None

    def _drawn(self, first: date, latest: date) -> tuple[str, str, StayRange]:
        room_code = self._chance.one_of(tuple(self.rooms))
        rate_code = self._chance.one_of(self.rooms[room_code] or ("",))
        arrival = first + timedelta(days=self._chance.below((latest - first).days + 1))
        return room_code, rate_code, StayRange.of(arrival, self._chance.between(1, 4))

    def _room(self, room_code: str, rate_code: str, stay: StayRange) -> SoldRoom:
        days = range(stay.arrival.toordinal(), stay.departure.toordinal())
        rates = self._rates(room_code, rate_code)
        return SoldRoom(
            room_code=room_code,
            rate_code=rate_code,
            stay=stay,
            adults=1,
            nightly=tuple(max(rates.get(day, 0), 0) or 9_900 for day in days),
        )

    def _rates(self, room_code: str, rate_code: str) -> Mapping[int, int]:
        for (room, rate, name, _), row in self.cells.items():
            if name is MatrixField.RATE and (room, rate) == (room_code, rate_code):
                return row
        return {}

    def _has_rooms(self, room_code: str, stay: StayRange) -> bool:
        counts = self.cells.get((room_code, "", MatrixField.SELLABLE, 0), {})
        return all(counts.get(day, 0) > 0 for day in _days(stay))

    def _has_no_rule_against(self, room_code: str, rate_code: str, stay: StayRange) -> bool:
        def value(name: MatrixField, day: int) -> int:
            return self.cells.get((room_code, rate_code, name, 0), {}).get(day, 0)

        days, length = _days(stay), stay.length
        first, end = days[0], days[-1] + 1
        longest = [value(MatrixField.MAX_STAY_ARRIVAL, first)]
        longest += [value(MatrixField.MAX_STAY_THROUGH, day) for day in days]
        shortest = [value(MatrixField.MIN_STAY_ARRIVAL, first)]
        shortest += [value(MatrixField.MIN_STAY_THROUGH, day) for day in days]
        lengths = value(MatrixField.ALLOWED_LENGTHS, first)
        return (
            not any(value(MatrixField.CLOSED, day) for day in days)
            and not value(MatrixField.CLOSED_TO_ARRIVAL, first)
            and not value(MatrixField.CLOSED_TO_DEPARTURE, end)
            and length >= max(shortest)
            and all(length <= each for each in longest if each)
            and (not lengths or bool(lengths >> length & 1))
        )


def _days(stay: StayRange) -> range:
    return range(stay.arrival.toordinal(), stay.departure.toordinal())
