"""Laws of races: the last room is sold once, whoever asks at the same moment.

Owns the verdict on :mod:`pmscore.testing.races`. ``THREADS`` and ``ROUNDS`` may be set by the subclass; the
positive control is :class:`pmscore.testing.naive.NaiveStore`, on which the first law must fail.
"""

from __future__ import annotations

from typing import ClassVar

from pmscore.inventory.use_cases.houses import NewUnitType
from pmscore.testing.laws.setting import StoreLaws, all_agree
from pmscore.testing.races import RaceReport, race
from pmscore.testing.scenes import hotel, pool

__all__ = ["RaceLaws"]


class RaceLaws(StoreLaws):
    """Exactly as many winners as rooms, and every loser is told that the nights are taken."""

    THREADS: ClassVar[int] = 16
    ROUNDS: ClassVar[int] = 30

    def test_the_last_unit_is_sold_once(self) -> None:
        """One unit, claimed at once by every booking."""
        self._sells_each_room_once(hotel(1), 1)

    def test_the_last_unit_with_turnover_is_sold_once(self) -> None:
        """The turnover night is part of the claim."""
        self._sells_each_room_once(hotel(1, turnover_nights=1), 1)

    def test_as_many_rooms_are_sold_by_number_as_there_are(self) -> None:
        """Pools of two to five rooms."""
        for rooms in range(2, 6):
            self._sells_each_room_once(pool(rooms), rooms)

    def test_an_allowance_is_used_up_once(self) -> None:
        """Capacity and overbooking together are the limit."""
        self._sells_each_room_once(pool(2, overbooking=1), 3)

    def test_a_room_behind_an_expired_hold_is_sold_once(self) -> None:
        """Whoever releases the hold first has the room; nobody else gets in between."""
        report = self._raced(hotel(1, turnover_nights=1), with_expired_holds=True)
        assert set(report.winners) == {1}, report.winners
        assert set(report.refusals) <= {"inventory_overlap"}, report.refusals

    def test_all_rooms_behind_expired_holds_are_sold_once(self) -> None:
        """Who meets somebody releasing the holds waits and has what is left; nobody is refused too early."""
        rooms = 3
        report = self._raced(pool(rooms), with_expired_holds=True)
        assert set(report.winners) == {rooms}, report.winners
        assert set(report.refusals) <= {"inventory_overlap"}, report.refusals

    def _sells_each_room_once(self, unit_type: NewUnitType, rooms: int) -> None:
        report = self._raced(unit_type)
        assert report.attempts == self.THREADS * self.ROUNDS
        assert set(report.winners) == {rooms}, report.winners
        assert set(report.refusals) <= {"inventory_overlap"}, report.refusals

    def _raced(self, unit_type: NewUnitType, *, with_expired_holds: bool = False) -> RaceReport:
        scene = self.scene(unit_type)
        report = race(scene, threads=self.THREADS, rounds=self.ROUNDS, with_expired_holds=with_expired_holds)
        all_agree(scene)
        return report
