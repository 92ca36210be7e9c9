"""How much is measured: sizes of houses, numbers of bookings, operations a round."""

from __future__ import annotations

from attrs import frozen

__all__ = ["FULL", "QUICK", "TINY", "Scale"]


@frozen(kw_only=True)
class Scale:
    """The sizes of one run.

    ``small``, ``usual`` and ``large`` are bookings already there (ten times as many years at ten times as
    many); without ``large`` the growth is measured from small to usual. ``rated_types`` and ``rated_plans`` are those
    of a year matrix, which has a tenth of the types where its growth is measured. The rest are operations a round.
    """

    rooms: int = 1_000
    types: int = 20
    small: int = 10_000
    usual: int = 50_000
    large: int | None = 500_000
    bookings: int = 600
    clients: int = 8
    bookings_a_client: int = 150
    searches: int = 300
    calendars: int = 25
    reads: int = 200
    racers: int = 50
    races: int = 40
    rated_types: int = 100
    rated_plans: int = 20
    changes: int = 200
    quotes: int = 3_000
    calls: int = 2_000
    calls_in_turn: int = 6_000
    events: int = 2_000
    jobs: int = 150
    platforms: int = 16

    @property
    def largest(self) -> int:
        """The most bookings that a database of this run starts with."""
        return self.large or self.usual


FULL = Scale()
QUICK = Scale(large=None)
TINY = Scale(
    rooms=40,
    types=4,
    small=200,
    usual=400,
    large=None,
    bookings=30,
    clients=2,
    bookings_a_client=15,
    searches=10,
    calendars=3,
    reads=5,
    racers=6,
    races=2,
    rated_types=10,
    rated_plans=4,
    changes=5,
    quotes=20,
    calls=40,
    calls_in_turn=60,
    events=60,
    jobs=6,
    platforms=2,
)
