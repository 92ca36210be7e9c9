"""What a quoter remembers from one stay never gets into the price of another: against the naive model."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.naive import naive_amounts, read_change
from core.pricing.price_scene import COUPLE, MARCH, asking, base, book, longer
from pmscore.dates.recurrence import Weekdays
from pmscore.dates.zones import Zone
from pmscore.kernel.ids import QuoteId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceQuestion
from pmscore.pricing.views.quoting import Quoter
from pmscore.testing.price_strategies import PRICED, guest_parties, price_books, price_questions

FEWER = settings(max_examples=max(settings.default.max_examples // 2, 10))
UTC_HOUSE = Zone("UTC")


def quoted(quoter: Quoter, question: PriceQuestion, party: GuestParty = COUPLE) -> Quote | list[str]:
    """The quote, or the codes of what stands against it."""
    answer = quoter.quote(
        QuoteRequest(
            stay=question.stay, parties=(party,), channel=question.channel, codes=tuple(question.codes)
        ),
        question.unit_type_id,
        question.plan,
        now=datetime.combine(question.booked_on, time(12), UTC),
        quote_id=QuoteId(UUID(int=5)),
        occupied=question.occupied,
    )
    return answer if isinstance(answer, Quote) else [each.code for each in answer]


def codes_of(what: PriceBook, question: PriceQuestion) -> set[str]:
    """The promotion codes that would change some night; one that stands back for a better one was of use, too."""
    promotions = [rule for rule in what.rules if rule.kind == "promotion"]
    return {
        rule.value["code"]
        for rule in promotions
        if any(read_change(rule, question, night) is not None for night in question.stay.nights())
    }


@FEWER
@given(price_books(), st.lists(guest_parties(), min_size=1, max_size=2), st.data())
def test_a_quoter_keeps_no_answer_for_the_wrong_question(what, parties, data):
    if data.draw(st.booleans()):
        # Without dates, stays are taken for each other wherever they begin.
        what = evolve(what, rules=[evolve(each, nights=None, booked=None) for each in what.rules])
    quoter = Quoter(what, PRICED, UTC_HOUSE)
    known = {rule.value.get("code") for rule in what.rules}
    asked = data.draw(price_questions(what))
    # A quote refuses codes that nobody knows, and those that would change nothing.
    asked = evolve(asked, codes=asked.codes & known if data.draw(st.booleans()) else frozenset())
    for days in data.draw(st.lists(st.integers(0, 10), min_size=3, max_size=5)):
        # Stays of one length, asked for as far ahead, are those that may be taken for each other.
        question = shifted(asked, days)
        if not PRICED.contains(question.stay):
            continue
        party = data.draw(st.sampled_from(parties))
        amounts = naive_amounts(what, question, party)
        answer = quoted(quoter, question, party)
        if question.codes - codes_of(what, question):
            assert set(answer) == {"code_does_not_apply"}
        elif None in amounts:
            assert answer == ["no_price"] * amounts.count(None)
        else:
            assert [list(room) for room in answer.nightly] == [amounts]


def shifted(question: PriceQuestion, days: int) -> PriceQuestion:
    return PriceQuestion(
        stay=question.stay.shifted(days),
        unit_type_id=question.unit_type_id,
        plan=question.plan,
        booked_on=question.booked_on.fromordinal(question.booked_on.toordinal() + days),
        channel=question.channel,
        codes=question.codes,
        occupied=None,
    )


def test_a_rule_of_weekdays_is_not_forgotten_after_a_stay_on_others():
    weekend = longer("weekend", "50", weekdays=Weekdays.from_names(["fri", "sat"]))
    quoter = Quoter(book(base(), rules=[weekend]), MARCH, UTC_HOUSE)
    by_arrival = [list(quoted(quoter, asking(day, day + 2)).nightly[0]) for day in (1, 4, 5, 6, 8, 12)]
    assert by_arrival == [
        [10_000, 10_000],  # Monday and Tuesday
        [10_000, 15_000],  # Thursday and Friday
        [15_000, 15_000],
        [15_000, 10_000],
        [10_000, 10_000],
        [15_000, 15_000],
    ]
