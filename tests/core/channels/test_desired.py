"""What a platform should have: delta equals full, and each cell is what the house says."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.channels.selling import (
    CHANNEL,
    NOW,
    PLAIN,
    TOLD_TYPES,
    books,
    counted,
    counts_of,
    nothing,
    plans_of,
    rule_books,
    sellings,
)
from pmscore.channels.model.ari import ANY, AriRows, RowKey
from pmscore.channels.model.manifest import Lane
from pmscore.channels.policies.dialects import touched
from pmscore.channels.policies.diffing import runs
from pmscore.channels.policies.packing import cells_of, entries
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import AllotmentId
from pmscore.pricing.model.plans import DatedPrice, TypePrices, WeekPrices
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule
from pmscore.testing.channel_strategies import TOLD, told_manifests, told_mappings, told_nights


def told(acked, desired, manifest):
    """Return what a platform has after it was told the difference, message by message."""
    found = runs(acked, desired)
    for messages in manifest.messages.values():
        for message in messages:
            acked = acked.put(cells_of(entries(found, desired, manifest, message)))
    return acked


def agree(acked, desired):
    for key, row in desired.rows.items():
        for was, wanted in zip(acked.row(key), row, strict=True):
            assert wanted in (ANY, was), key


@settings(max_examples=40)
@given(data=st.data())
def test_differences_in_any_order_come_to_the_same_as_all_at_once(data):
    selling, manifest = data.draw(sellings()), data.draw(told_manifests())
    mappings = data.draw(told_mappings())
    acked = told(nothing(), selling.wanted(mappings, manifest).rows, manifest)
    agree(acked, selling.wanted(mappings, manifest).rows)
    left = []
    for _ in range(data.draw(st.integers(1, 4))):
        nights = data.draw(told_nights())
        match data.draw(st.sampled_from(("counts", "rules", "prices"))):
            case "counts":
                after = data.draw(counted())
                selling = evolve(selling, counts=_only_on(nights, selling.counts, after))
            case "rules":
                inside = [
                    evolve(rule, nights=rule.nights.intersection(nights))
                    for rule in data.draw(rule_books(3)).rules
                    if rule.nights.overlaps(nights)
                ]
                selling = evolve(selling, rules=selling.rules.with_rules(nights, inside))
                nights = touched(nights, manifest)
            case _:
                selling = evolve(selling, book=data.draw(books()))
                nights = TOLD
        left.append(nights)
        if data.draw(st.booleans()):
            each = left.pop(data.draw(st.integers(0, len(left) - 1))).intersection(TOLD)
            if each is not None:
                acked = _flushed(acked, selling, mappings, manifest, each)
    for each in left:
        if (inside := each.intersection(TOLD)) is not None:
            acked = _flushed(acked, selling, mappings, manifest, inside)
    full = selling.wanted(mappings, manifest).rows
    agree(acked, full)
    anew = told(nothing(), full, manifest)
    for key, row in full.rows.items():
        for mine, theirs, wanted in zip(acked.row(key), anew.row(key), row, strict=True):
            assert wanted == ANY or mine == theirs


def _only_on(nights, before, after):
    return tuple(
        evolve(
            one,
            overbooking=one.overbooking,
            claims={
                kind: tuple(
                    new if night in nights else old
                    for night, old, new in zip(TOLD.nights(), claims, other.claims[kind], strict=True)
                )
                for kind, claims in one.claims.items()
            },
        )
        for one, other in zip(before, after, strict=True)
    )


def _flushed(acked, selling, mappings, manifest, nights):
    part = selling.wanted(mappings, manifest, nights).rows
    after = told(acked.between(nights), part, manifest)
    kept = AriRows(TOLD, dict(acked.rows))
    rows = {key: [*kept.row(key)] for key in {*kept.rows, *after.rows}}
    first = nights.first_ordinal - TOLD.first_ordinal
    for key, row in rows.items():
        row[first : first + nights.length] = after.row(key)
    return AriRows(TOLD, {key: tuple(row) for key, row in rows.items()})


@settings(max_examples=40)
@given(selling=sellings(), manifest=told_manifests(), mappings=told_mappings(), nights=told_nights())
def test_rows_of_some_nights_are_those_nights_of_all(selling, manifest, mappings, nights):
    full = selling.wanted(mappings, manifest)
    part = selling.wanted(mappings, manifest, nights)
    assert part.rows == full.rows.between(nights)
    for lane in Lane:
        keys = keys_of(mappings, manifest, lane)
        some = selling.wanted(mappings, manifest, nights, keys)
        assert some.rows.rows == {key: row for key, row in part.rows.rows.items() if key in keys}


def test_one_more_booking_is_one_entry_of_its_nights(channex_like, rooms):
    mappings, manifest = rooms, channex_like
    acked = told(nothing(), PLAIN.wanted(mappings, manifest).rows, manifest)
    claimed = [0] * TOLD.length
    claimed[3:5] = [1, 1]
    after = evolve(PLAIN, counts=(counts_of(TOLD_TYPES[0], claimed), PLAIN.counts[1]))
    found = runs(acked, after.wanted(mappings, manifest).rows)
    (entry,) = entries(
        found, after.wanted(mappings, manifest).rows, manifest, frozenset({MatrixField.SELLABLE})
    )
    assert entry.nights == DateRange.of(TOLD.start + timedelta(days=3), 2)
    assert dict(entry.values) == {(MatrixField.SELLABLE, 0): 4}


def test_after_one_nights_price_only_that_night_of_the_plan_and_its_child_is_sent(channex_like, rooms):
    mappings, manifest = rooms, channex_like
    acked = told(nothing(), PLAIN.wanted(mappings, manifest).rows, manifest)
    night = DateRange.of(TOLD.start + timedelta(days=4), 1)
    prices = TypePrices(default=WeekPrices.of(10_000), dates=(DatedPrice(night, 12_000),))
    book = plans_of(prices, TypePrices(default=WeekPrices.of(20_000)))
    found = runs(acked, evolve(PLAIN, book=book).wanted(mappings, manifest).rows)
    assert {run.nights for run in found} == {night}
    assert {run.value for run in found} == {12_000, 11_500}


def test_a_night_without_a_price_is_closed_and_its_rate_may_be_anything(channex_like, rooms):
    mappings, manifest = rooms, channex_like
    night = DateRange.of(TOLD.start + timedelta(days=1), 1)
    prices = TypePrices(default=WeekPrices.of(10_000), dates=(DatedPrice(night, None),))
    book = plans_of(prices, TypePrices(default=WeekPrices.of(20_000)))
    rows = evolve(PLAIN, book=book).wanted(mappings, manifest).rows
    rate = next(each for each in mappings.rates if each.unit_type_id == TOLD_TYPES[0])
    assert rows.row(RowKey(rate.mapping_id, MatrixField.CLOSED))[:3] == (0, 1, 0)
    assert rows.row(RowKey(rate.mapping_id, MatrixField.RATE))[1] == ANY


def test_rates_are_told_by_the_number_of_adults(channex_like, rooms):
    rates = tuple(evolve(each, occupancies=(1, 2, 3)) for each in rooms.rates)
    rows = PLAIN.wanted(evolve(rooms, rates=rates), channex_like).rows
    bar = next(each for each in rates if each.plan == "bar")
    told_for = [rows.row(RowKey(bar.mapping_id, MatrixField.RATE, number))[0] for number in (1, 2, 3)]
    assert told_for == [9_000, 10_000, 11_500]


def test_without_prices_only_counts_are_told(channex_like, rooms):
    rows = evolve(PLAIN, book=None).wanted(rooms, channex_like).rows
    assert {key.field for key in rows.rows} == {MatrixField.SELLABLE}
    assert set(rows.rows[RowKey(rooms.rooms[0].mapping_id, MatrixField.SELLABLE)]) == {5}


def test_a_channel_sells_what_is_kept_for_it_and_never_more_than_its_cap(channex_like, rooms):
    first, second = TOLD_TYPES
    kept = Allotment(
        allotment_id=AllotmentId(UUID(int=1)),
        property_id=PLAIN.house.property.property_id,
        unit_type_id=first,
        channel=CHANNEL,
        nights=DateRange.of(TOLD.start - timedelta(days=1), 4),
        guaranteed=2,
        cap=3,
        sold=(0, 0, 1, 3),
    )
    full = counts_of(first, (3,) * TOLD.length)
    claims = {**full.claims, ClaimKind.ALLOTTED: (2, 1, 0, *(0,) * (TOLD.length - 3))}
    house = evolve(PLAIN, counts=(evolve(full, claims=claims), PLAIN.counts[1]), allotted=(kept,))
    key = RowKey(rooms.rooms[0].mapping_id, MatrixField.SELLABLE)
    assert house.wanted(rooms, channex_like).rows.row(key)[:4] == (2, 2, 0, 2)
    others = evolve(house, allotted=(evolve(kept, channel="other"), evolve(kept, unit_type_id=second)))
    assert others.wanted(rooms, channex_like).rows.row(key)[:4] == (0, 1, 2, 2)


def test_dates_that_nobody_may_ask_for_now_are_closed_to_arrival(channex_like, rooms):
    days = TOLD.length
    rules = RuleBook(
        (
            Rule("lead_time", TOLD, value="2d before arrival"),
            Rule("booking_window", TOLD, value=10, plan="flex"),
        )
    )
    rows = evolve(PLAIN, rules=rules).wanted(rooms, channex_like).rows
    first = TOLD_TYPES[0]
    for rate in (each for each in rooms.rates if each.unit_type_id == first):
        row = rows.row(RowKey(rate.mapping_id, MatrixField.CLOSED_TO_ARRIVAL))
        window = days if rate.plan == "bar" else 11
        assert row == tuple(int(day < 2 or day >= window) for day in range(days)), rate.plan
    # An hour before midnight, tomorrow's first hour counts already.
    late = evolve(PLAIN, rules=rules, now=NOW + timedelta(hours=13, minutes=30))
    bar, flex = (each for each in rooms.rates if each.unit_type_id == first)
    rows = late.wanted(rooms, channex_like).rows
    assert rows.row(RowKey(bar.mapping_id, MatrixField.CLOSED_TO_ARRIVAL))[:4] == (1, 1, 1, 0)
    # And what opens within the hour is not open before.
    assert rows.row(RowKey(flex.mapping_id, MatrixField.CLOSED_TO_ARRIVAL))[10:12] == (0, 1)


def test_dates_before_the_business_day_are_closed_to_arrival(channex_like, rooms):
    home = evolve(PLAIN.house.property, business_date=TOLD.start + timedelta(days=2))
    ahead = evolve(PLAIN, house=evolve(PLAIN.house, property=home))
    rows = ahead.wanted(rooms, channex_like).rows
    row = rows.row(RowKey(rooms.rates[0].mapping_id, MatrixField.CLOSED_TO_ARRIVAL))
    assert row[:4] == (1, 1, 0, 0)


def test_keys_of_some_types_are_of_these_alone(channex_like, rooms):
    both = keys_of(rooms, channex_like, Lane.PRICING)
    first = keys_of(rooms, channex_like, Lane.PRICING, {TOLD_TYPES[0]})
    assert set(first) < set(both)
    assert {rooms.by_id(key.mapping_id).unit_type_id for key in first} == {TOLD_TYPES[0]}
