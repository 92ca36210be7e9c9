"""Laws of booking quotes: what was quoted is booked, once, while it is promised or would be made alike.

Owns the way from a quote to a booking; keeping and holding quotes is ``quotes``'.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from attrs import evolve

from pmscore.booking.model.lifecycle import Act, Status
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.holds import HoldStatus
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import (
    ConflictError,
    KeyReusedError,
    NightsTakenError,
    NotFoundError,
    PriceChangedError,
    RefusedError,
    TransitionError,
)
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import GuestId, QuoteId
from pmscore.pricing.model.quote import KeptQuote, QuoteStatus
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.price_scenes import (
    COUPLE,
    FAMILY,
    USES,
    book_kept,
    hold_kept,
    keep_one,
    price_book,
    quoted,
    repriced,
    set_book,
    with_prices,
)
from pmscore.testing.races import at_once
from pmscore.testing.scenes import Scene, hotel, nights, pool, stay

__all__ = ["BookedQuoteLaws"]

KEY = OnceKey("q-1", "POST /bookings", "fingerprint-1")
DAY = timedelta(days=1)


class BookedQuoteLaws(StoreLaws):
    """From a quote to a booking."""

    def priced(self, rooms: int = 3) -> Scene:
        """Open a scene whose rooms are sold by number, with prices."""
        return with_prices(self.scene(evolve(pool(rooms), largest_party=4)))

    def test_what_was_quoted_is_booked(self) -> None:
        """Rooms, guests, nights, terms and channel are the quote's; the quote knows its booking."""
        scene = self.priced()
        kept = keep_one(scene, stay(4, 3), FAMILY, COUPLE)
        quote = kept.quote
        receipt = book_kept(scene, quote.quote_id)
        booking = scene.booking(receipt.booking_id)
        assert booking.quote_id == quote.quote_id
        assert [room.nightly for room in booking.rooms] == [tuple(each) for each in quote.nightly]
        assert [room.party for room in booking.rooms] == [Party(2, 1, 1), Party(2)]
        assert {room.stay for room in booking.rooms} == {quote.stay}
        assert booking.source.channel == quote.channel
        assert quote.terms is not None
        assert booking.terms == quote.terms.to_json()
        after = _read(scene, quote.quote_id)
        assert (after.status, after.booking_id) == (QuoteStatus.BOOKED, receipt.booking_id)
        kinds = [each.kind for each in scene.store.events_after((0, 0)) if each.agency_id == scene.agency_id]
        assert kinds[-2:] == ["quote.booked", "booking.created"]
        all_agree(scene)

    def test_an_old_price_holds_until_the_quote_expires(self) -> None:
        """Whatever the price list has become, and whatever the house allows by now."""
        scene = self.priced()
        kept = keep_one(scene, stay(4, 3))
        repriced(scene, night=50_000)
        _close(scene, nights(4, 3))
        receipt = book_kept(scene, kept.quote.quote_id)
        assert receipt.total.minor == kept.quote.totals.room

    def test_an_expired_quote_is_booked_where_it_would_be_made_alike(self) -> None:
        """Asked anew, and the same."""
        scene = self.priced()
        kept = keep_one(scene, stay(40, 3))
        scene.clock.advance(2 * DAY)
        receipt = book_kept(scene, kept.quote.quote_id)
        assert receipt.total.minor == kept.quote.totals.room

    def test_an_expired_quote_that_would_be_made_differently_is_refused(self) -> None:
        """The conflict names both totals, and nothing is written."""
        scene = self.priced()
        kept = keep_one(scene, stay(40, 3))
        scene.clock.advance(2 * DAY)
        repriced(scene, night=10_001)
        error = raised(PriceChangedError, book_kept, scene, kept.quote.quote_id)
        assert error.params["old_minor"] == kept.quote.totals.due
        assert error.params["new_minor"] == kept.quote.totals.due + 3
        assert _read(scene, kept.quote.quote_id) == kept
        assert scene.guest().metrics.total_bookings == 0
        all_agree(scene)

    def test_an_expired_quote_of_a_plan_that_is_gone_is_refused(self) -> None:
        """Then there is no new total."""
        scene = self.priced()
        kept = keep_one(scene, stay(40, 3), plan="saver")
        scene.clock.advance(2 * DAY)
        book = price_book(scene)
        set_book(scene, evolve(book, plans=(book.plan("flex"),)), based_on=1)
        error = raised(PriceChangedError, book_kept, scene, kept.quote.quote_id)
        assert error.params["new_minor"] is None

    def test_an_expired_quote_keeps_to_the_rules_of_the_house(self) -> None:
        """They are asked as they are now."""
        scene = self.priced()
        kept = keep_one(scene, stay(40, 3))
        scene.clock.advance(2 * DAY)
        _close(scene, nights(41))
        error = raised(RefusedError, book_kept, scene, kept.quote.quote_id)
        assert [each.code for each in error.violations] == ["closed_night"]

    def test_a_stay_that_has_begun_is_not_booked(self) -> None:
        """However long its price was promised."""
        scene = self.priced()
        kept = hold_kept(scene, keep_one(scene, stay(1)).quote.quote_id, hours=240)
        scene.advance(3)
        error = raised(RefusedError, book_kept, scene, kept.quote.quote_id)
        assert [each.code for each in error.violations] == ["arrival_in_past"]

    def test_the_stock_is_always_asked(self) -> None:
        """A price is no room."""
        scene = self.priced(1)
        kept = keep_one(scene, stay(4, 3))
        scene.book(stay(5))
        raised(NightsTakenError, book_kept, scene, kept.quote.quote_id)
        assert _read(scene, kept.quote.quote_id) == kept
        all_agree(scene)

    def test_holds_are_taken_up_with_the_booking(self) -> None:
        """In one step: nobody gets in between, and nothing is claimed twice."""
        scene = self.priced(2)
        kept = keep_one(scene, stay(4, 3), COUPLE, COUPLE)
        held = hold_kept(scene, kept.quote.quote_id, with_stock=True)
        book_kept(scene, kept.quote.quote_id)
        with scene.begin() as work:
            assert {work.holds.get(each).status for each in held.hold_ids} == {HoldStatus.TAKEN_UP}
        raised(NightsTakenError, lambda: scene.book(stay(4)))
        all_agree(scene)

    def test_expired_holds_are_in_nobodys_way(self) -> None:
        """The quote is booked where it would be made alike and the rooms are still free."""
        scene = self.priced(1)
        kept = keep_one(scene, stay(40, 3))
        held = hold_kept(scene, kept.quote.quote_id, with_stock=True)
        scene.clock.advance(3 * DAY)
        book_kept(scene, kept.quote.quote_id)
        with scene.begin() as work:
            assert work.holds.get(held.hold_ids[0]).status is HoldStatus.EXPIRED
        all_agree(scene)

    def test_released_holds_are_in_nobodys_way(self) -> None:
        """Somebody gave the room back; the price is still promised."""
        scene = self.priced(1)
        kept = keep_one(scene, stay(4, 3))
        held = hold_kept(scene, kept.quote.quote_id, with_stock=True)
        scene.release(held.hold_ids[0])
        book_kept(scene, kept.quote.quote_id)
        all_agree(scene)

    def test_a_unit_that_is_alone_in_its_type_is_booked(self) -> None:
        """As for every booking of such a type."""
        scene = self.scene(hotel(1))
        set_book(scene, price_book(scene))
        kept = keep_one(scene, stay(4, 3))
        booking = scene.booking(book_kept(scene, kept.quote.quote_id).booking_id)
        assert booking.rooms[0].is_placed

    def test_a_quote_is_booked_once(self) -> None:
        """The second is told so."""
        scene = self.priced()
        kept = keep_one(scene, stay(4, 3))
        receipt = book_kept(scene, kept.quote.quote_id)
        raised(TransitionError, book_kept, scene, kept.quote.quote_id)
        scene.act(receipt.booking_id, Act.CANCEL)
        raised(TransitionError, book_kept, scene, kept.quote.quote_id)
        all_agree(scene)

    def test_of_many_at_once_one_books(self) -> None:
        """Whoever is second finds it booked, or is told that somebody is at it."""
        scene = self.priced(20)
        for number in range(5):
            kept = keep_one(scene, stay(10 * number, 2))
            outcomes = at_once([partial(book_kept, scene, kept.quote.quote_id)] * 4)
            assert outcomes.count("won") == 1, outcomes
            assert set(outcomes) <= {"won", "illegal_transition", "busy"}, outcomes
        assert scene.guest().metrics.total_bookings == 5
        all_agree(scene)

    def test_a_repetition_gets_the_first_receipt(self) -> None:
        """Also after the quote has expired and the prices have changed; another quote needs another key."""
        scene = self.priced()
        first, second = keep_one(scene, stay(40, 2)), keep_one(scene, stay(50, 2))
        newcomer = evolve(scene.guest(), guest_id=GuestId(scene.ids.new()))
        receipt = book_kept(scene, first.quote.quote_id, guest=newcomer, once=KEY)
        scene.clock.advance(2 * DAY)
        repriced(scene, night=20_000)
        again = evolve(newcomer, guest_id=GuestId(scene.ids.new()))
        assert book_kept(scene, first.quote.quote_id, guest=again, once=KEY) == receipt
        other = evolve(KEY, fingerprint="other")
        raised(KeyReusedError, book_kept, scene, first.quote.quote_id, once=other)
        raised(ConflictError, book_kept, scene, second.quote.quote_id, once=evolve(KEY, key="q-2"))
        all_agree(scene)

    def test_a_booking_for_nobody_is_refused(self) -> None:
        """And leaves the quote as it was."""
        scene = self.priced()
        kept = keep_one(scene, stay(4))
        nobody = GuestId(scene.ids.new())
        raised(NotFoundError, book_kept, scene, kept.quote.quote_id, guest=nobody)
        assert _read(scene, kept.quote.quote_id) == kept

    def test_a_promotion_is_used_as_often_as_it_may_be(self) -> None:
        """Counted with the booking; a refused one counts nothing."""
        scene = self.priced(9)
        kept = [keep_one(scene, stay(each), codes=("spring",)) for each in range(USES + 1)]
        plain = keep_one(scene, stay(0))
        for each in kept[:USES]:
            book_kept(scene, each.quote.quote_id)
        error = raised(RefusedError, book_kept, scene, kept[USES].quote.quote_id)
        assert [(each.code, each.value) for each in error.violations] == [("code_used_up", "spring")]
        assert _read(scene, kept[USES].quote.quote_id) == kept[USES]
        with scene.begin() as work:
            assert work.promotions.uses(scene.property_id, ("spring", "autumn")) == {"spring": USES}
        (refusal,) = quoted(scene, stay(5), codes=("spring",)).refusals
        assert [each.code for each in refusal.violations] == ["code_used_up"]
        book_kept(scene, plain.quote.quote_id)
        all_agree(scene)

    def test_a_booking_that_ends_without_a_stay_gives_its_use_back_once(self) -> None:
        """However often it is cancelled; whoever reinstates it needs one that is left."""
        scene = self.priced(9)
        kept = [keep_one(scene, stay(each), codes=("spring",)) for each in range(USES + 2)]
        booked = [book_kept(scene, each.quote.quote_id).booking_id for each in kept[:USES]]
        plain = book_kept(scene, keep_one(scene, stay(0)).quote.quote_id).booking_id
        scene.act(plain, Act.CANCEL)
        assert _uses(scene) == USES
        for _ in range(2):
            scene.act(booked[0], Act.CANCEL)
            assert _uses(scene) == USES - 1
        book_kept(scene, kept[USES].quote.quote_id)
        assert _uses(scene) == USES
        error = raised(RefusedError, scene.act, booked[0], Act.REINSTATE)
        assert [(each.code, each.value) for each in error.violations] == [("code_used_up", "spring")]
        assert scene.booking(booked[0]).status is Status.CANCELLED
        scene.act(booked[1], Act.CANCEL)
        scene.act(booked[0], Act.REINSTATE)
        assert _uses(scene) == USES
        raised(RefusedError, book_kept, scene, kept[USES + 1].quote.quote_id)
        all_agree(scene)

    def test_of_many_who_cancel_at_once_one_gives_the_use_back(self) -> None:
        """The others find it done, or are told that somebody is at it."""
        scene = self.priced(9)
        kept = [keep_one(scene, stay(each), codes=("spring",)) for each in range(USES)]
        booked = [book_kept(scene, each.quote.quote_id).booking_id for each in kept]
        outcomes = at_once([partial(scene.act, booked[0], Act.CANCEL)] * 4)
        assert set(outcomes) <= {"won", "busy"}, outcomes
        assert _uses(scene) == USES - 1
        all_agree(scene)

    def test_a_guest_who_does_not_come_has_used_the_promotion(self) -> None:
        """As one who has stayed; the room was kept for them."""
        scene = self.priced()
        receipt = book_kept(scene, keep_one(scene, stay(0), codes=("spring",)).quote.quote_id)
        scene.act(receipt.booking_id, Act.MARK_NO_SHOW)
        assert _uses(scene) == 1
        all_agree(scene)

    def test_the_last_use_of_a_promotion_is_given_once(self) -> None:
        """Of many at once as many win as there are uses left."""
        scene = self.priced(20)
        kept = [keep_one(scene, stay(each), codes=("spring",)) for each in range(6)]
        outcomes = at_once([partial(book_kept, scene, each.quote.quote_id) for each in kept])
        assert outcomes.count("won") == USES, outcomes
        assert set(outcomes) <= {"won", "stay_refused", "busy"}, outcomes
        all_agree(scene)


def _uses(scene: Scene) -> int:
    """Return how often the code ``spring`` is used."""
    with scene.begin() as work:
        return work.promotions.uses(scene.property_id, ("spring",)).get("spring", 0)


def _read(scene: Scene, quote_id: QuoteId) -> KeptQuote:
    with scene.begin() as work:
        return work.quotes.read(quote_id)


def _close(scene: Scene, when: DateRange) -> None:
    command = SetRestrictions(
        **scene.asked(), property_id=scene.property_id, nights=when, rules=(Rule("closed_night", when),)
    )
    set_restrictions(command, uow=scene.store)
