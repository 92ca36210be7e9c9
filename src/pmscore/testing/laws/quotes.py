"""Laws of kept quotes: what was quoted comes back, and what is held is promised.

Owns the quotes in the store. Prices themselves are the policies', and booking a quote is ``booked_quotes``'.
"""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from pmscore.inventory.model.holds import HoldStatus
from pmscore.kernel.errors import (
    KeyReusedError,
    MisuseError,
    NightsTakenError,
    NotFoundError,
    TransitionError,
)
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import QuoteId
from pmscore.pricing.model.quote import KeptQuote, QuoteStatus
from pmscore.pricing.use_cases.keeping import PurgeQuotes, purge_quotes
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.price_scenes import (
    COUPLE,
    FAMILY,
    book_kept,
    hold_kept,
    keep_one,
    quoted,
    with_prices,
)
from pmscore.testing.scenes import Scene, pool, stay

__all__ = ["QuoteLaws"]

DAY = timedelta(days=1)


class QuoteLaws(StoreLaws):
    """Kept, held and purged."""

    def priced(self, rooms: int = 3) -> Scene:
        """Open a scene whose rooms are sold by number, with prices."""
        return with_prices(self.scene(evolve(pool(rooms), largest_party=4)))

    def test_a_kept_quote_comes_back_equal(self) -> None:
        """Parties, nights, totals, terms, versions and fingerprint; and its lines can be worked out again."""
        scene = self.priced()
        kept = keep_one(scene, stay(58, 9), FAMILY, COUPLE, codes=("spring",))
        for found in (_read(scene, kept.quote.quote_id), _get(scene, kept.quote.quote_id)):
            assert found == kept
            assert found.quote.fingerprint == kept.quote.fingerprint
            assert found.quote.charged == kept.quote.charged
            assert found.quote.charged.net == kept.quote.totals.net

    def test_a_quote_that_nobody_kept_is_not_there(self) -> None:
        """Neither one that was only asked for, nor one whose transaction was left."""
        scene = self.priced()
        quote = quoted(scene, stay(0)).quotes[0]
        raised(NotFoundError, lambda: _read(scene, quote.quote_id))
        with scene.begin() as work:
            work.quotes.add(KeptQuote(quote=quote))
        raised(NotFoundError, lambda: _get(scene, quote.quote_id))

    def test_a_quote_is_saved_only_where_it_was_read(self) -> None:
        """Its lock is what keeps two from writing it."""
        scene = self.priced()
        kept = keep_one(scene, stay(0))

        def save() -> None:
            with scene.begin() as work:
                work.quotes.save(evolve(kept, version=2))
                work.commit()

        raised(MisuseError, save)

    def test_a_held_quote_keeps_its_price(self) -> None:
        """Longer than it would by itself, without claiming anything."""
        scene = self.priced(1)
        kept = keep_one(scene, stay(5, 2))
        held = hold_kept(scene, kept.quote.quote_id, hours=72)
        assert (held.status, held.hold_ids) == (QuoteStatus.HELD, ())
        assert _read(scene, kept.quote.quote_id) == held
        assert held.quote.expires_at == scene.clock.now() + timedelta(hours=72)
        scene.book(stay(5, 2))
        all_agree(scene)

    def test_a_quote_is_held_once_under_a_key(self) -> None:
        """A repetition claims nothing more, and is answered as the quote was held, also when it is booked by now."""
        scene = self.priced(1)
        kept = keep_one(scene, stay(1, 2), COUPLE)
        once = OnceKey("8f2c", "POST /quotes/hold", "fingerprint-1")
        held = hold_kept(scene, kept.quote.quote_id, with_stock=True, once=once)
        assert hold_kept(scene, kept.quote.quote_id, with_stock=True, once=once) == held
        assert held.version == 2
        book_kept(scene, kept.quote.quote_id)
        assert hold_kept(scene, kept.quote.quote_id, with_stock=True, once=once) == held
        other = evolve(once, fingerprint="other")
        raised(KeyReusedError, lambda: hold_kept(scene, kept.quote.quote_id, hours=1, once=other))
        all_agree(scene)

    def test_a_quote_held_with_stock_keeps_its_rooms(self) -> None:
        """One for each party; nobody else gets them until the time is over."""
        scene = self.priced(2)
        kept = keep_one(scene, stay(5, 2), COUPLE, COUPLE)
        held = hold_kept(scene, kept.quote.quote_id, with_stock=True)
        assert len(held.hold_ids) == 2
        assert _read(scene, kept.quote.quote_id) == held
        raised(NightsTakenError, lambda: scene.book(stay(5, 2)))
        scene.clock.advance(3 * DAY)
        scene.book(stay(5, 2))
        all_agree(scene)

    def test_a_hold_claims_all_rooms_or_nothing(self) -> None:
        """Neither a room nor a longer price where one room is missing."""
        scene = self.priced(2)
        kept = keep_one(scene, stay(5, 2), COUPLE, COUPLE)
        scene.book(stay(6, 1))
        raised(NightsTakenError, hold_kept, scene, kept.quote.quote_id, with_stock=True)
        assert _read(scene, kept.quote.quote_id) == kept
        scene.book(stay(5, 2))
        all_agree(scene)

    def test_holding_again_replaces_the_earlier_hold(self) -> None:
        """The rooms are kept once, and given up by a hold that does not ask for them."""
        scene = self.priced(2)
        kept = keep_one(scene, stay(5, 2), COUPLE, COUPLE)
        first = hold_kept(scene, kept.quote.quote_id, with_stock=True)
        second = hold_kept(scene, kept.quote.quote_id, hours=72, with_stock=True)
        assert not set(first.hold_ids) & set(second.hold_ids)
        with scene.begin() as work:
            assert {work.holds.get(each).status for each in first.hold_ids} == {HoldStatus.RELEASED}
        raised(NightsTakenError, lambda: scene.book(stay(5, 2)))
        third = hold_kept(scene, kept.quote.quote_id, hours=72)
        assert third.hold_ids == ()
        scene.book(stay(5, 2))
        all_agree(scene)

    def test_an_expired_or_booked_quote_is_not_held(self) -> None:
        """What is promised no longer cannot be prolonged."""
        scene = self.priced()
        first, second = keep_one(scene, stay(5)), keep_one(scene, stay(5))
        book_kept(scene, first.quote.quote_id)
        raised(TransitionError, hold_kept, scene, first.quote.quote_id)
        scene.clock.advance(2 * DAY)
        raised(TransitionError, hold_kept, scene, second.quote.quote_id)

    def test_only_expired_quotes_that_were_never_booked_are_purged(self) -> None:
        """The oldest first, and no more at once than asked."""
        scene = self.priced(9)
        old = [keep_one(scene, stay(each)) for each in range(3)]
        booked = keep_one(scene, stay(3))
        book_kept(scene, booked.quote.quote_id)
        held = hold_kept(scene, keep_one(scene, stay(4)).quote.quote_id, hours=96)
        scene.clock.advance(2 * DAY)
        late = keep_one(scene, stay(5))
        assert _purge(scene, most=2) == 2
        assert _purge(scene, most=9) == 1
        assert _purge(scene, most=9) == 0
        for each in old:
            raised(NotFoundError, _read, scene, each.quote.quote_id)
        for each in (booked, held, late):
            assert _read(scene, each.quote.quote_id).quote.fingerprint == each.quote.fingerprint

    def test_a_purge_that_is_not_committed_deletes_nothing(self) -> None:
        """All or nothing, as everything."""
        scene = self.priced()
        kept = keep_one(scene, stay(0))
        scene.clock.advance(2 * DAY)
        with scene.begin() as work:
            assert work.quotes.purge(scene.clock.now(), most=5) == 1
        assert _read(scene, kept.quote.quote_id) == kept

    def test_another_agency_sees_no_quote(self) -> None:
        """Neither by reading nor by holding or booking, and does not purge it."""
        ours, theirs = self.priced(), self.priced()
        kept = keep_one(theirs, stay(0))
        quote_id = kept.quote.quote_id
        raised(NotFoundError, lambda: _read(ours, quote_id))
        raised(NotFoundError, lambda: _get(ours, quote_id))
        raised(NotFoundError, lambda: hold_kept(ours, quote_id))
        raised(NotFoundError, lambda: book_kept(ours, quote_id))
        ours.clock.advance(9 * DAY)
        assert _purge(ours, most=9) == 0
        assert _read(theirs, quote_id) == kept


def _read(scene: Scene, quote_id: QuoteId) -> KeptQuote:
    with scene.begin() as work:
        return work.quotes.read(quote_id)


def _get(scene: Scene, quote_id: QuoteId) -> KeptQuote:
    with scene.begin() as work:
        return work.quotes.get(quote_id)


def _purge(scene: Scene, *, most: int) -> int:
    command = PurgeQuotes(**scene.asked(), kept_for=timedelta(0), most=most)
    return purge_quotes(command, uow=scene.store, clock=scene.clock)
