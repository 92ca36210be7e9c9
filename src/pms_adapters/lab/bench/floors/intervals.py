"""Floors of P9: free rooms from a list of stays, an interval tree, and interval sets by room.

Each of the makers takes stays as (room, first night, end) and the number of rooms, and returns a function from
(first, end) to the free rooms by number. The two libraries are optional; a maker whose library is not
installed raises ``ImportError``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["Search", "by_interval_tree", "by_portion", "by_scan"]

Search = Callable[[int, int], list[int]]
_Stays = Sequence[tuple[int, int, int]]


def by_scan(stays: _Stays, rooms: int) -> Search:
    """Look at every stay."""

    def search(first: int, end: int) -> list[int]:
        taken = {room for room, arrival, departure in stays if arrival < end and departure > first}
        return [room for room in range(rooms) if room not in taken]

    return search


def by_interval_tree(stays: _Stays, rooms: int) -> Search:
    """Ask one tree of all stays for those that overlap."""
    from intervaltree import Interval, IntervalTree  # noqa: PLC0415 - optional

    tree = IntervalTree(Interval(first, end, room) for room, first, end in stays)

    def search(first: int, end: int) -> list[int]:
        taken = {found.data for found in tree.overlap(first, end)}
        return [room for room in range(rooms) if room not in taken]

    return search


def by_portion(stays: _Stays, rooms: int) -> Search:
    """Ask the set of occupied nights of each room whether it overlaps."""
    import portion  # noqa: PLC0415 - optional

    by_room: list[list[object]] = [[] for _ in range(rooms)]
    for room, first, end in stays:
        by_room[room].append(portion.closedopen(first, end))
    occupied = [portion.Interval(*atoms) for atoms in by_room]

    def search(first: int, end: int) -> list[int]:
        wanted = portion.closedopen(first, end)
        return [room for room in range(rooms) if not occupied[room].overlaps(wanted)]

    return search
