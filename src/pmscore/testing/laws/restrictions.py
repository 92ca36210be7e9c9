"""Laws of keeping stay rules: a book comes back equal and takes effect at once.

Owns the restriction repository; what a rule means is tested with its policy.
"""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import RefusedError
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.scenes import Scene, hotel, nights, pool, stay
from pmscore.testing.strategies import rule_books

__all__ = ["RestrictionLaws"]


class RestrictionLaws(StoreLaws):
    """Rules are stored whole, by property, under its lock and version."""

    def test_a_property_without_rules_has_an_empty_book(self) -> None:
        """No rules, no error."""
        assert _book(self.scene()) == RuleBook()

    def test_any_book_comes_back_equal(self) -> None:
        """Every kind, level, weekday mask and value survives the store, and replaces the book before."""
        scene = self.scene(hotel(1), pool(2))
        house = scene.house()

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(book=rule_books(house))
        def comes_back(book: RuleBook) -> None:
            _save(scene, book)
            assert _book(scene) == book

        comes_back()

    def test_a_book_belongs_to_its_property(self) -> None:
        """Rules of one property are not those of another agency's."""
        ours, theirs = self.scene(), self.scene()
        _save(ours, RuleBook((Rule("closed_night", nights(0, 3)),)))
        assert _book(theirs) == RuleBook()

    def test_rules_refuse_stays_from_their_commit_on(self) -> None:
        """What was set is what the next booking meets; what was cleared is met no more."""
        scene = self.scene(pool(5))
        closed = Rule("closed_night", nights(1, 1))
        _set(scene, nights(0, 5), closed)
        error = raised(RefusedError, lambda: scene.book(stay(0, 3)))
        assert [(each.code, each.night) for each in error.violations] == [("closed_night", nights(1).start)]
        scene.book(stay(2, 3))
        command = SetRestrictions(
            **scene.asked(), property_id=scene.property_id, nights=nights(0, 5), clear=(closed.slot,)
        )
        set_restrictions(command, uow=scene.store)
        scene.book(stay(0, 3))


def _set(scene: Scene, when: DateRange, *rules: Rule) -> None:
    command = SetRestrictions(**scene.asked(), property_id=scene.property_id, nights=when, rules=rules)
    set_restrictions(command, uow=scene.store)


def _book(scene: Scene) -> RuleBook:
    with scene.begin() as work:
        return work.restrictions.get(scene.property_id)


def _save(scene: Scene, book: RuleBook) -> None:
    with scene.begin() as work:
        house = work.houses.lock(scene.property_id)
        work.houses.save(evolve(house, property=evolve(house.property, version=house.property.version + 1)))
        work.restrictions.save(scene.property_id, book)
        work.commit()
