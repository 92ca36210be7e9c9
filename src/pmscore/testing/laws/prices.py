"""Laws of keeping prices: every version stays, the next one is written once, and quoters know theirs.

Owns the price books in the store; what a book may say is its own affair, and what it comes to the policies'.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from attrs import evolve

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError, PmsError, StaleVersionError
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.quote import Quote
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.price_scenes import keep_one, price_book, quoted, repriced, set_book
from pmscore.testing.races import at_once
from pmscore.testing.scenes import Scene, hotel, pool, stay

__all__ = ["PriceLaws"]


class PriceLaws(StoreLaws):
    """A book is added as the next version, or not at all."""

    def test_a_property_without_prices_has_no_book(self) -> None:
        """None to be found, and nobody can quote."""
        scene = self.scene()
        assert _book(scene) is None
        raised(NotFoundError, lambda: quoted(scene, stay(0)))

    def test_a_book_comes_back_equal(self) -> None:
        """Seasons, plans, rules, fees, taxes and terms survive the store."""
        scene = self.scene(hotel(2), pool(3))
        stored = set_book(scene, price_book(scene))
        assert stored.version == 1
        assert _book(scene) == stored

    def test_versions_rise_by_one_and_every_version_is_kept(self) -> None:
        """A quoter of an earlier version says what it said before."""
        scene = self.scene(pool(3))
        set_book(scene, price_book(scene))
        old = _only(scene)
        assert [repriced(scene, night=each).version for each in (11_000, 12_000)] == [2, 3]
        reader = scene.store.prices(scene.agency_id)
        assert [reader.quoter(scene.property_id, each).book.version for each in (1, 2, 3)] == [1, 2, 3]
        assert reader.quoter(scene.property_id).book.version == 3
        assert reader.quoter(scene.property_id, 1).charged(old) == old.charged
        assert _only(scene).totals.due > old.totals.due
        raised(NotFoundError, lambda: reader.quoter(scene.property_id, 4))
        raised(NotFoundError, lambda: reader.quoter(scene.property_id, 0))
        raised(NotFoundError, lambda: reader.quoter(PropertyId(scene.ids.new())))

    def test_a_stale_write_is_refused(self) -> None:
        """Whoever has read an earlier version, or none, writes nothing."""
        scene = self.scene()
        set_book(scene, price_book(scene))
        repriced(scene, night=11_000)
        for based_on in (None, 1, 3):
            raised(StaleVersionError, set_book, scene, price_book(scene, night=12_000), based_on=based_on)
        found = _book(scene)
        assert found is not None
        assert found.version == 2

    def test_the_store_refuses_every_version_but_the_next(self) -> None:
        """Also for a program that skips the use case."""
        scene = self.scene()
        for version in (0, 2):
            raised(PmsError, _add, scene, evolve(price_book(scene), version=version))
        _add(scene, price_book(scene))
        raised(StaleVersionError, _add, scene, price_book(scene))
        found = _book(scene)
        assert found is not None
        assert found.version == 1

    def test_of_two_at_once_one_wins(self) -> None:
        """Both have read the same version; the other is told so."""
        scene = self.scene()
        set_book(scene, price_book(scene))
        for version in range(1, 11):
            changes = [
                partial(set_book, scene, price_book(scene, night=each + version), based_on=version)
                for each in (10_000, 20_000)
            ]
            assert sorted(at_once(changes)) == ["stale_version", "won"]
            found = _book(scene)
            assert found is not None
            assert found.version == version + 1

    def test_another_currency_or_type_is_refused(self) -> None:
        """A book is in the property's currency and about its types."""
        scene = self.scene()
        book = PriceBook(property_id=scene.property_id, currency=Currency.of("USD"))
        raised(InvalidInputError, lambda: set_book(scene, book))
        plan = price_book(scene).plan("flex")
        foreign = evolve(plan, prices={UnitTypeId(scene.ids.new()): next(iter(plan.prices.values()))})
        with_foreign = evolve(price_book(scene), plans=(foreign,), rules=())
        raised(NotFoundError, lambda: set_book(scene, with_foreign))
        assert _book(scene) is None

    def test_another_agency_sees_no_prices(self) -> None:
        """Neither the book nor a quoter."""
        ours, theirs = self.scene(), self.scene()
        set_book(theirs, price_book(theirs))
        with ours.begin() as work:
            assert work.prices.find(theirs.property_id) is None
        reader = ours.store.prices(ours.agency_id)
        raised(NotFoundError, lambda: reader.quoter(theirs.property_id))
        raised(NotFoundError, lambda: reader.quoter(theirs.property_id, 1))
        raised(PmsError, _add, ours, price_book(theirs))

    def test_quoters_go_with_the_business_date(self) -> None:
        """Three years ahead can be quoted, today and after a year."""
        scene = self.scene(pool(3))
        set_book(scene, price_book(scene))
        assert _only(scene, 1_090).totals.due
        for _ in range(4):
            scene.clock.advance(timedelta(days=1))
            scene.advance(100)
        assert _only(scene, 400 + 1_090).totals.due

    def test_a_change_is_told(self) -> None:
        """An event names the version and the parts that differ."""
        scene = self.scene()
        set_book(scene, price_book(scene))
        repriced(scene, night=11_000)
        told = scene.store.events_after((0, 0))
        changed = [
            each for each in told if each.agency_id == scene.agency_id and each.kind == "prices.changed"
        ]
        assert [each.version for each in changed] == [1, 2]
        assert changed[1].payload["parts"] == ["plans"]

    def test_quotes_of_an_old_version_keep_their_lines(self) -> None:
        """A kept quote is restored with the quoter of its own book."""
        scene = self.scene(pool(3))
        set_book(scene, price_book(scene))
        kept = keep_one(scene, stay(3, 4))
        lines = kept.quote.charged
        repriced(scene, night=99_000)
        with scene.begin() as work:
            assert work.quotes.read(kept.quote.quote_id).quote.charged == lines


def _book(scene: Scene) -> PriceBook | None:
    with scene.begin() as work:
        return work.prices.find(scene.property_id)


def _add(scene: Scene, book: PriceBook) -> None:
    with scene.begin() as work:
        work.prices.add(book)
        work.commit()


def _only(scene: Scene, first: int = 3) -> Quote:
    (found,) = quoted(scene, stay(first, 2)).quotes
    return found
