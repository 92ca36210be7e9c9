"""Rules that a platform lacks are narrowed, never widened, and each of them is named."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.channels.selling import CHANNEL, KINDS, NOW, PLAIN, all_keys, rule_books, sellings, stay_rules
from pmscore.channels.model.ari import AriRows, LossKind, RowKey
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappedRate, MappingBook
from pmscore.channels.policies.dialects import folds_closures, looked_ahead, touched, translated
from pmscore.channels.policies.stay_lengths import arrival_maxima, arrival_minima, longest_run
from pmscore.channels.views.desired import LOOKS_EVERY
from pmscore.dates.nights import MAX_NIGHTS, StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.pricing.views.matrix_rows import PLAN_FIELDS, MatrixField
from pmscore.pricing.views.matrix_stays import STAY_FIELDS, field_of
from pmscore.pricing.views.rate_tables import RateTables
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of
from pmscore.testing.channel_profiles import profile
from pmscore.testing.channel_strategies import TOLD, told_manifests, told_mappings, told_nights
from pmscore.testing.clocks import SeededIds

F = MatrixField
DAYS = TOLD.length
STAYS = [
    StayRange.of(TOLD.start + timedelta(days=first), length)
    for first in range(DAYS - 1)
    for length in (1, 2, 3, 4, 5, 7, 10)
    if first + length < DAYS
]


class Told:
    """What a platform makes of its cells: a reading of its own, stay by stay."""

    def __init__(self, wanted, manifest, room, rate):
        self.rows, self.manifest, self.room, self.rate = wanted.rows, manifest, room, rate

    def cell(self, field, day):
        mapped = self.room if field is F.SELLABLE else self.rate
        if field not in self.manifest.fields or mapped is None:
            return None
        return self.rows.row(RowKey(mapped.mapping_id, field))[day]

    def admits(self, stay):
        first, end = (day.toordinal() - TOLD.first_ordinal for day in (stay.arrival, stay.departure))
        for day in range(first, end):
            if self.cell(F.SELLABLE, day) == 0 or self.cell(F.CLOSED, day):
                return False
            if (self.cell(F.MIN_STAY_THROUGH, day) or 0) > stay.length:
                return False
            if stay.length > (self.cell(F.MAX_STAY_THROUGH, day) or MAX_NIGHTS):
                return False
        if self.cell(F.CLOSED_TO_ARRIVAL, first) or self.cell(F.CLOSED_TO_DEPARTURE, end):
            return False
        if (self.cell(F.MIN_STAY_ARRIVAL, first) or 0) > stay.length:
            return False
        lengths = self.cell(F.ALLOWED_LENGTHS, first)
        if lengths and not lengths >> stay.length & 1:
            return False
        return stay.length <= (self.cell(F.MAX_STAY_ARRIVAL, first) or MAX_NIGHTS)


def ours(selling, type_id, plan, left):
    """Return whether our own rules admit a stay now and until the next look, those left to the platform set aside."""
    book = selling.book
    rules = RuleBook(
        tuple(
            evolve(rule, plan=None)
            for rule in selling.rules.rules
            if (rule.plan is None or (plan is not None and rule.plan in book.rule_owners(plan, rule.kind)))
            and field_of(rule.kind) not in left
        )
    )
    prices = None if plan is None else RateTables(book, TOLD).row(book.plan(plan), type_id)
    (counts,) = (each for each in selling.counts if each.unit_type_id == type_id)

    def admits(stay, *, has_counts):
        nights = slice(*(day.toordinal() - TOLD.first_ordinal for day in (stay.arrival, stay.departure)))
        if prices is not None and None in prices[nights]:
            return False
        if has_counts and 0 in counts.sellable()[nights]:
            return False
        return not any(
            violations_of(
                rules,
                StayQuestion(
                    stay=stay,
                    unit_type_id=type_id,
                    asked_at=asked_at,
                    business_date=TOLD.start,
                    zone=selling.house.property.zone,
                    check_in_at=selling.house.property.check_in_at,
                    channel=CHANNEL,
                ),
            )
            for asked_at in (NOW, NOW + LOOKS_EVERY / 2, NOW + LOOKS_EVERY)
        )

    return admits


def readings(mappings, manifest):
    """Yield the rooms and rates by which a platform sells; without rates, a room that is sold for one plan or none."""
    for room in mappings.rooms:
        rates = [each for each in mappings.rates if each.room_code == room.room_code]
        if F.CLOSED in manifest.fields or F.RATE in manifest.fields:
            yield from ((room, rate) for rate in rates)
        elif len(rates) <= 1:
            yield room, (rates or [None])[0]


@settings(max_examples=100)
@given(data=st.data())
def test_a_stay_that_a_platform_admits_our_rules_admit(data):
    manifest, mappings = data.draw(told_manifests()), data.draw(told_mappings(occupancies=False))
    # Mostly a rule that cannot be said, for everybody and in a house that has room: there something can go wrong.
    selling = data.draw(st.sampled_from((PLAIN, PLAIN, None))) or data.draw(sellings())
    lacking = tuple(kind for kind in KINDS if field_of(kind) not in manifest.fields)
    rule = data.draw(stay_rules(lacking, is_for_all=True))
    selling = evolve(selling, rules=RuleBook((rule, *data.draw(rule_books(2)).rules)))
    wanted = selling.wanted(mappings, manifest)
    left = manifest.left_to_platform - manifest.fields
    for room, rate in readings(mappings, manifest):
        told = Told(wanted, manifest, room, rate)
        admits = ours(selling, room.unit_type_id, None if rate is None else rate.plan, left)
        for stay in STAYS:
            if told.admits(stay):
                assert admits(stay, has_counts=F.SELLABLE in manifest.fields), (stay, rate)


@settings(max_examples=40)
@given(data=st.data())
def test_where_no_loss_is_told_a_platform_admits_just_what_our_rules_admit(data):
    rules = data.draw(rule_books(2))
    selling = evolve(PLAIN, rules=rules)
    manifest = data.draw(told_manifests(can_rate=True))
    mappings = data.draw(told_mappings(occupancies=False))
    wanted = selling.wanted(mappings, manifest)
    lossy = {each.mapping_id for each in wanted.losses}
    for room, rate in readings(mappings, manifest):
        mine = {each.mapping_id for each in mappings.rates if each.room_code == room.room_code}
        if rate.mapping_id in lossy or (folds_closures(manifest) and lossy & mine):
            continue
        told = Told(wanted, manifest, room, rate)
        admits = ours(selling, room.unit_type_id, rate.plan, frozenset())
        for stay in STAYS:
            # What changes within the hour is refused before it has to be.
            if admits(stay, has_counts=False):
                assert told.admits(stay), (stay, rules)


@given(rule=stay_rules())
def test_a_rule_that_cannot_be_said_is_named_with_its_nights(rule, rooms, channex_like):
    field = field_of(rule.kind)
    selling = evolve(PLAIN, rules=RuleBook((rule,)))
    said = frozenset(PLAN_FIELDS) - {field}
    manifest = evolve(
        channex_like,
        messages={
            Lane.AVAILABILITY: (frozenset({F.SELLABLE}),),
            Lane.PRICING: (said,),
        },
    )
    losses = selling.wanted(rooms, manifest).losses
    everything = evolve(manifest, messages={Lane.PRICING: (frozenset(PLAN_FIELDS),)})
    assert selling.wanted(rooms, everything).losses == ()
    if field is None:
        return
    cells = selling.wanted(rooms, everything).rows
    floor = 1 if field in {F.MIN_STAY_ARRIVAL, F.MIN_STAY_THROUGH} else 0
    expected = {
        (rate.mapping_id, night)
        for rate in rooms.rates
        for night, value in zip(TOLD.nights(), cells.row(RowKey(rate.mapping_id, field)), strict=True)
        if value > floor
    }
    named = {
        (loss.mapping_id, night)
        for loss in losses
        if loss.field is field
        for night in loss.nights.nights()
        if night in TOLD
    }
    assert named == expected
    assert all(loss.kind is LossKind.NARROWED and loss.said for loss in losses)


@pytest.mark.parametrize(
    ("kind", "value", "lacking", "field", "expected"),
    [
        ("closed_to_arrival", None, {F.CLOSED_TO_ARRIVAL}, F.CLOSED, {3: 1}),
        ("closed_to_departure", None, {F.CLOSED_TO_DEPARTURE}, F.CLOSED, {2: 1}),
        ("min_stay_through", 3, {F.MIN_STAY_THROUGH}, F.MIN_STAY_ARRIVAL, {2: 3, 3: 3}),
        ("min_stay_arrival", 3, {F.MIN_STAY_ARRIVAL}, F.MIN_STAY_THROUGH, {3: 3}),
        ("max_stay_arrival", 2, {F.MAX_STAY_ARRIVAL}, F.MAX_STAY_THROUGH, {3: 2}),
        ("min_stay_arrival", 2, {F.MIN_STAY_ARRIVAL, F.MIN_STAY_THROUGH}, F.CLOSED_TO_ARRIVAL, {3: 1}),
        ("max_stay_arrival", 2, {F.MAX_STAY_ARRIVAL, F.MAX_STAY_THROUGH}, F.CLOSED_TO_ARRIVAL, {3: 1}),
        ("max_stay_through", 2, {F.MAX_STAY_THROUGH}, F.MAX_STAY_ARRIVAL, {0: 3, 1: 2, 2: 2, 3: 2}),
        ("allowed_lengths", (2, 3, 7), {F.ALLOWED_LENGTHS}, F.MIN_STAY_ARRIVAL, {3: 2}),
        ("allowed_lengths", (2, 3, 7), {F.ALLOWED_LENGTHS}, F.MAX_STAY_ARRIVAL, {3: 3}),
    ],
)
def test_what_stands_for_a_rule_of_one_night(kind, value, lacking, field, expected, rooms, channex_like):
    night = DateRange.of(TOLD.start + timedelta(days=3), 1)
    selling = evolve(PLAIN, rules=RuleBook((Rule(kind, night, value=value),)))
    manifest = evolve(channex_like, messages={Lane.PRICING: (frozenset(PLAN_FIELDS) - lacking,)})
    wanted = selling.wanted(rooms, manifest)
    row = wanted.rows.row(RowKey(rooms.rates[0].mapping_id, field))
    assert {day: row[day] for day in range(DAYS) if row[day]} == expected
    assert {(each.field, each.said) for each in wanted.losses} >= {(field_of(kind), wanted.losses[0].said)}


def test_where_nights_cannot_be_closed_a_room_is_sold_out_when_all_its_plans_are(rooms, channex_like):
    night = DateRange.of(TOLD.start + timedelta(days=3), 1)
    rules = (Rule("closed_night", night, plan="bar"), Rule("closed_night", night, plan="flex"))
    counts = evolve(channex_like, messages={Lane.AVAILABILITY: (frozenset({F.SELLABLE}),)})
    by_rate = evolve(
        channex_like,
        messages={Lane.AVAILABILITY: (frozenset({F.SELLABLE}),), Lane.PRICING: (frozenset({F.RATE}),)},
    )
    key = RowKey(rooms.rooms[0].mapping_id, F.SELLABLE)
    for taken, manifest, left in ((1, counts, 5), (2, counts, 0), (1, by_rate, 0)):
        selling = evolve(PLAIN, rules=RuleBook(rules[:taken]))
        wanted = selling.wanted(rooms, manifest)
        assert wanted.rows.row(key)[2:5] == (5, left, 5)
        assert {each.said for each in wanted.losses} == {"sellable"}
        assert folds_closures(manifest)


def test_a_room_without_plans_keeps_the_rules_of_its_type(rooms, channex_like):
    night = DateRange.of(TOLD.start + timedelta(days=3), 1)
    first = rooms.rooms[0].unit_type_id
    rules = (
        Rule("closed_to_arrival", night, unit_type_id=first),
        Rule("closed_night", night.shifted(2), plan="bar"),
    )
    counts = evolve(channex_like, messages={Lane.AVAILABILITY: (frozenset({F.SELLABLE}),)})
    for book in (PLAIN.book, None):
        selling = evolve(PLAIN, rules=RuleBook(rules), book=book)
        rows = selling.wanted(evolve(rooms, rates=()), counts).rows
        assert rows.row(RowKey(rooms.rooms[0].mapping_id, F.SELLABLE))[2:6] == (5, 0, 5, 5)
        assert rows.row(RowKey(rooms.rooms[1].mapping_id, F.SELLABLE))[2:6] == (5, 5, 5, 5)


def test_rules_left_to_the_platform_are_named_and_nothing_stands_for_them(rooms, channex_like):
    night = DateRange.of(TOLD.start + timedelta(days=3), 1)
    manifest = evolve(
        channex_like,
        messages={Lane.PRICING: (frozenset({F.CLOSED}),)},
        left_to_platform=frozenset({F.MIN_STAY_ARRIVAL}),
    )
    selling = evolve(PLAIN, rules=RuleBook((Rule("min_stay_arrival", night, value=3),)))
    wanted = selling.wanted(rooms, manifest)
    assert {(each.kind, each.nights, each.said) for each in wanted.losses} == {
        (LossKind.LEFT_TO_PLATFORM, night, "")
    }
    assert all(set(row) == {0} for row in wanted.rows.rows.values())


ROWS = st.lists(st.sampled_from((0, 0, 1, 2, 3, 5, 9)), min_size=12, max_size=12)


@given(through=ROWS, own=ROWS)
def test_limits_by_arrival_admit_only_what_limits_through_the_stay_admit(through, own):
    least, most = arrival_minima(through, own), arrival_maxima(through, own)
    for arrival in range(12):
        for length in range(1, 13 - arrival):
            inside = through[arrival : arrival + length]
            by_least = length >= (own[arrival] or 0) and all(length >= each for each in inside)
            if length >= least[arrival]:
                assert by_least
            by_most = all(length <= (each or MAX_NIGHTS) for each in (own[arrival], *inside))
            # A maximum by arrival says exactly what those through the stay say.
            assert (length <= (most[arrival] or MAX_NIGHTS)) == by_most


@given(lengths=st.sets(st.integers(1, 12)), least=st.integers(1, 6), most=st.integers(1, 14))
def test_the_longest_run_is_allowed_and_none_is_longer(lengths, least, most):
    allowed = {each for each in lengths if least <= each <= most}
    runs = [
        (first, last)
        for first in sorted(allowed)
        for last in range(first, 15)
        if set(range(first, last + 1)) <= allowed
    ]
    found = longest_run(sum(1 << each - 1 for each in lengths), least, most)
    assert found == max(runs, key=lambda run: (run[1] - run[0], -run[0]), default=None)


@given(manifest=told_manifests(), nights=told_nights())
def test_what_is_looked_at_reaches_as_far_as_a_rule_can_touch(manifest, nights):
    ahead, back = looked_ahead(nights, manifest), touched(nights, manifest)
    assert (ahead.start, back.end) == (nights.start, nights.end)
    assert ahead.length == back.length
    assert set(STAY_FIELDS) > {F.MIN_STAY_THROUGH, F.MAX_STAY_THROUGH}
    said = manifest.fields | manifest.left_to_platform
    if {F.MIN_STAY_THROUGH, F.MAX_STAY_THROUGH} <= said:
        assert ahead.length - nights.length <= 1
    else:
        assert ahead.length - nights.length == MAX_NIGHTS


def test_keys_are_all_there(rooms, channex_like):
    rows = PLAIN.wanted(rooms, channex_like).rows
    assert set(rows.rows) == set(all_keys(rooms, channex_like))


@pytest.mark.parametrize("name", [F.MIN_STAY_ARRIVAL, F.MIN_STAY_THROUGH])
def test_a_least_stay_of_one_night_is_told_as_no_rule(name):
    """Every stay has a night, and platforms show one and none alike."""
    ids = SeededIds("least")
    rate = MappedRate(
        mapping_id=MappingId(ids.new()),
        connection_id=ConnectionId(ids.new()),
        unit_type_id=UnitTypeId(ids.new()),
        plan="flex",
        room_code="R",
        rate_code="F",
    )
    nights, key = DateRange.of(TOLD.start, 4), RowKey(rate.mapping_id, name)
    said, losses = translated(
        AriRows(nights, {key: (1, 0, 2, 1)}), profile("plain"), MappingBook((), (rate,))
    )
    assert (said.row(key), losses) == ((0, 0, 2, 0), ())
