"""Laws of exchange rates: one for two currencies and a day, exact, and found by the latest day.

Owns the rates in the store. How old a rate may be, and what is shown by it, is the policies'.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Final

from attrs import evolve

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AgencyId
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed, WhyNotDisplayed
from pmscore.pricing.use_cases.exchange_rates import (
    MOST_RATES,
    SetExchangeRates,
    display_quotes,
    set_exchange_rates,
)
from pmscore.testing.laws.setting import StoreLaws, raised
from pmscore.testing.price_scenes import quoted, with_prices
from pmscore.testing.races import at_once
from pmscore.testing.scenes import EUR, FIRST_DAY, Scene, pool, stay

__all__ = ["ExchangeRateLaws"]

USD, JPY, GBP = (Currency.of(code) for code in ("USD", "JPY", "GBP"))
MOST_DIGITS: Final = "999999999.9999999999"
FEWEST_DIGITS: Final = "0.0000000001"


class ExchangeRateLaws(StoreLaws):
    """Put in, replaced, and found."""

    def test_rates_come_back_equal(self) -> None:
        """Down to the last digit, the largest and the smallest, with whoever said so."""
        scene = self.scene()
        wanted = [
            _rate(USD, MOST_DIGITS),
            _rate(JPY, FEWEST_DIGITS),
            _rate(GBP, "0.85", source="Änne's 'Bank' \\"),
        ]
        assert _put(scene, *wanted) == 3
        for each in wanted:
            assert _find(scene, each.shown) == each

    def test_the_rate_that_holds_is_the_newest_of_the_day_or_before(self) -> None:
        """Never one of a later day, and none where there is none before."""
        scene = self.scene()
        first, second = _rate(USD, "1.1", day=0), _rate(USD, "1.2", day=5)
        _put(scene, second, first)
        assert [_find(scene, USD, day=day) for day in (-1, 0, 4, 5, 400)] == [
            None,
            first,
            first,
            second,
            second,
        ]

    def test_a_rate_leads_one_way_between_its_own_currencies(self) -> None:
        """It is not turned round, and says nothing of a third currency."""
        scene = self.scene()
        _put(scene, _rate(USD, "1.1"))
        rates = scene.store.exchange_rates(scene.agency_id)
        assert rates.find(USD, EUR, FIRST_DAY) is None
        assert rates.find(EUR, JPY, FIRST_DAY) is None
        assert rates.find(GBP, USD, FIRST_DAY) is None

    def test_the_latest_of_all_currencies_are_those_that_are_found_one_by_one(self) -> None:
        """In the order of the codes."""
        scene = self.scene()
        _put(
            scene,
            _rate(USD, "1.1", day=-3),
            _rate(USD, "1.2"),
            _rate(USD, "1.3", day=1),
            _rate(GBP, "0.8", day=-9),
        )
        _put(scene, ExchangeRate.parse(GBP, EUR, "1.2", FIRST_DAY, source="test"), _rate(JPY, "160", day=2))
        rates = scene.store.exchange_rates(scene.agency_id)
        found = rates.latest(FIRST_DAY)
        assert [(each.base.code, each.shown.code) for each in found] == [
            ("EUR", "GBP"),
            ("EUR", "USD"),
            ("GBP", "EUR"),
        ]
        assert all(each == rates.find(each.base, each.shown, FIRST_DAY) for each in found)
        assert not rates.latest(FIRST_DAY - timedelta(days=10))

    def test_the_same_day_twice_replaces(self) -> None:
        """The rate, its source, or both; other days and currencies stay."""
        scene = self.scene()
        other = _rate(JPY, "160")
        _put(scene, _rate(USD, "1.1"), other)
        assert _put(scene, _rate(USD, "1.2")) == 1
        assert _find(scene, USD) == _rate(USD, "1.2")
        assert _put(scene, _rate(USD, "1.2", source="another")) == 1
        assert _find(scene, USD) == _rate(USD, "1.2", source="another")
        assert _find(scene, JPY) == other

    def test_what_is_known_already_says_nothing_new(self) -> None:
        """However many zeros it is written with; nothing is recorded then."""
        scene = self.scene()
        assert _put(scene, _rate(USD, "1.1"), _rate(JPY, "160")) == 2
        assert _put(scene, _rate(USD, "1.1000"), _rate(JPY, "161")) == 1
        assert _put(scene, _rate(USD, "1.1"), _rate(JPY, "161")) == 0
        assert [each["count"] for each in _told(scene)] == [2, 1]

    def test_a_change_is_told_without_any_rate(self) -> None:
        """The event has currencies and days."""
        scene = self.scene()
        _put(scene, _rate(USD, "1.1", day=3), _rate(USD, "1.2", day=-2), _rate(GBP, "0.8"))
        assert _told(scene) == [
            {
                "pairs": ["EUR/GBP", "EUR/USD"],
                "first_day": _day(-2).isoformat(),
                "last_day": _day(3).isoformat(),
                "count": 3,
            }
        ]

    def test_rates_are_put_in_all_or_none(self) -> None:
        """Nothing of a command that is refused, nor of a transaction that is left."""
        scene = self.scene()
        _put(scene, _rate(USD, "1.1"))
        for mistaken in ((), (_rate(USD, "1.2"), _rate(USD, "1.3")), (_rate(USD, "1.2"),) * (MOST_RATES + 1)):
            error = raised(InvalidInputError, _put, scene, *mistaken)
            assert error.field == "rates"
        with scene.begin() as work:
            assert work.exchange_rates.put((_rate(USD, "1.2"), _rate(GBP, "0.8"))) == 2
        assert _find(scene, USD) == _rate(USD, "1.1")
        assert _find(scene, GBP) is None
        assert len(_told(scene)) == 1

    def test_rates_are_put_in_for_a_whole_agency_that_exists(self) -> None:
        """By somebody who reaches all of its properties."""
        scene = self.scene()
        asked = SetExchangeRates(**scene.asked(), rates=(_rate(USD, "1.1"),))
        small = evolve(asked, property_ids=frozenset({scene.property_id}))
        raised(PermissionDeniedError, lambda: set_exchange_rates(small, uow=scene.store))
        stray = evolve(asked, agency_id=AgencyId(scene.ids.new()))
        raised(NotFoundError, lambda: set_exchange_rates(stray, uow=scene.store))
        assert _find(scene, USD) is None

    def test_as_many_as_allowed_are_put_in_at_once(self) -> None:
        """A year and more of one currency."""
        scene = self.scene()
        many = [_rate(USD, f"1.{day + 1}", day=day) for day in range(MOST_RATES)]
        assert _put(scene, *many) == MOST_RATES
        assert _find(scene, USD, day=MOST_RATES // 2) == many[MOST_RATES // 2]

    def test_of_two_at_once_the_last_one_stays_whole(self) -> None:
        """Both write the same days, in opposite orders, and neither waits for the other for ever."""
        scene = self.scene()
        first = [_rate(USD, f"1.{day + 1}", day=day, source="first") for day in range(50)]
        second = [_rate(USD, f"2.{day + 1}", day=day, source="second") for day in reversed(range(50))]
        for _ in range(5):
            assert at_once([partial(_put, scene, *first), partial(_put, scene, *second)]) == ["won", "won"]
            found = [_find(scene, USD, day=day) for day in range(50)]
            assert len({None if each is None else each.source for each in found}) == 1

    def test_another_agency_has_rates_of_its_own(self) -> None:
        """It neither sees ours nor replaces them."""
        ours, theirs = self.scene(), self.scene()
        _put(ours, _rate(USD, "1.1"))
        assert _find(theirs, USD) is None
        assert not theirs.store.exchange_rates(theirs.agency_id).latest(FIRST_DAY)
        _put(theirs, _rate(USD, "9.9"))
        assert _find(ours, USD) == _rate(USD, "1.1")

    def test_quotes_are_shown_by_the_rate_of_their_day(self) -> None:
        """In amounts of their own, the quote as it was; or with a reason."""
        scene = with_prices(self.scene(pool(3)))
        (quote,) = quoted(scene, stay(3, 2)).quotes
        made = quote.booked_on
        right = ExchangeRate.parse(EUR, USD, "2", made, source="test")
        later = ExchangeRate.parse(EUR, USD, "3", made + timedelta(days=1), source="test")
        old = ExchangeRate.parse(EUR, JPY, "160", made - timedelta(days=8), source="test")
        _put(scene, right, later, old)
        rates = scene.store.exchange_rates(scene.agency_id)
        shown = display_quotes((quote,), USD, rates=rates)[quote.quote_id]
        assert isinstance(shown, DisplayedQuote)
        assert shown.rate == right
        assert (shown.due.minor, shown.due.currency) == (2 * quote.due.minor, USD)
        for currency, why in (
            (JPY, WhyNotDisplayed.RATE_TOO_OLD),
            (GBP, WhyNotDisplayed.NO_RATE),
            (EUR, WhyNotDisplayed.OWN_CURRENCY),
        ):
            missing = display_quotes((quote,), currency, rates=rates)[quote.quote_id]
            assert isinstance(missing, NotDisplayed)
            assert missing.why is why
        (again,) = quoted(scene, stay(3, 2)).quotes
        assert again.fingerprint == quote.fingerprint


def _day(offset: int) -> date:
    return FIRST_DAY + timedelta(days=offset)


def _rate(shown: Currency, text: str, *, day: int = 0, source: str = "test") -> ExchangeRate:
    return ExchangeRate.parse(EUR, shown, text, _day(day), source=source)


def _put(scene: Scene, *rates: ExchangeRate) -> int:
    return set_exchange_rates(SetExchangeRates(**scene.asked(), rates=rates), uow=scene.store)


def _find(scene: Scene, shown: Currency, *, day: int = 0) -> ExchangeRate | None:
    return scene.store.exchange_rates(scene.agency_id).find(EUR, shown, _day(day))


def _told(scene: Scene) -> list[Mapping[str, Json]]:
    found = scene.store.events_after((0, 0), scene.agency_id)
    return [each.payload for each in found if each.kind == "exchange_rates.changed"]
