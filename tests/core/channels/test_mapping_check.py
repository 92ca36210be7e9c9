"""The check of mappings names each gap, and nothing else."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve

from core.channels.selling import EUR, HOUSE, PLAIN, TOLD_TYPES
from pmscore.channels.model.manifest import Lane
from pmscore.channels.policies.mapping_check import Gap, GapKind, gaps
from pmscore.kernel.ids import UnitId, UnitTypeId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import Per
from pmscore.pricing.model.charges.fees import Fee
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.plans import RatePlan, TypePrices, WeekPrices
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.restrictions.model.rules import Rule
from pmscore.testing.channel_strategies import TOLD

ROOM, SUITE = TOLD_TYPES
GONE = UnitTypeId(UUID(int=77))


def found(mappings, manifest, *, book=PLAIN.book, house=HOUSE, rules=()):
    return [
        (gap.kind, gap.room_code, gap.plan, gap.detail)
        for gap in gaps(house, book, mappings, manifest, rules)
    ]


def test_whole_mappings_have_no_gap(rooms, channex_like):
    assert found(rooms, channex_like) == []


def test_types_and_plans_that_are_not_mapped(rooms, channex_like):
    only_bar = evolve(
        rooms,
        rooms=rooms.rooms[:1],
        rates=tuple(each for each in rooms.rates if each.plan == "bar" and each.unit_type_id == ROOM),
    )
    assert gaps(HOUSE, PLAIN.book, only_bar, channex_like, ()) == (
        Gap(kind=GapKind.TYPE_UNMAPPED, unit_type_id=SUITE),
        Gap(kind=GapKind.PLAN_UNMAPPED, unit_type_id=ROOM, plan="flex"),
    )
    counts_only = evolve(channex_like, messages={Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),)})
    assert found(only_bar, counts_only) == [(GapKind.TYPE_UNMAPPED, "", "", "")]


def test_a_code_that_two_mappings_have(rooms, channex_like):
    twice = evolve(
        rooms,
        rooms=(*rooms.rooms, rooms.rooms[0]),
        rates=(*rooms.rates, rooms.rates[1]),
    )
    assert found(twice, channex_like)[:2] == [
        (GapKind.CODE_TWICE, "R1", "", ""),
        (GapKind.CODE_TWICE, "R1", "", "flex"),
    ]


def test_mappings_of_what_is_not_there(rooms, channex_like):
    lost = evolve(
        rooms,
        rooms=(evolve(rooms.rooms[0], unit_type_id=GONE), rooms.rooms[1]),
        rates=(evolve(rooms.rates[2], plan="gone"), rooms.rates[3]),
    )
    assert found(lost, channex_like) == [
        (GapKind.TYPE_UNKNOWN, "R1", "", ""),
        (GapKind.PLAN_UNKNOWN, "R2", "gone", ""),
        (GapKind.TYPE_UNMAPPED, "", "", ""),
        (GapKind.PLAN_UNMAPPED, "", "bar", ""),
    ]
    assert found(rooms, channex_like, book=None) == [
        (GapKind.PLAN_UNKNOWN, rate.room_code, rate.plan, "") for rate in rooms.rates
    ]


def test_a_plan_that_has_no_price_for_the_type(rooms, channex_like):
    bar = RatePlan(code="bar", name="bar", prices={ROOM: TypePrices(default=WeekPrices.of(9_000))})
    book = evolve(PLAIN.book, plans=(bar, PLAIN.book.plan("flex")))
    assert found(rooms, channex_like, book=book) == [
        (GapKind.PLAN_WITHOUT_PRICE, "R2", "bar", ""),
        (GapKind.PLAN_WITHOUT_PRICE, "R2", "flex", ""),
    ]


def test_a_rate_of_a_room_that_is_another_type(rooms, channex_like):
    stray = evolve(rooms, rates=(evolve(rooms.rates[0], room_code="R2"), *rooms.rates[1:]))
    assert (GapKind.ROOM_UNMAPPED, "R2", "bar", "") in found(stray, channex_like)


def test_occupancies_that_do_not_fit(rooms, channex_like):
    three = evolve(rooms, rates=(evolve(rooms.rates[0], occupancies=(1, 2, 3)), *rooms.rates[1:]))
    assert found(three, channex_like) == [(GapKind.PARTY_TOO_LARGE, "R1", "bar", "3")]
    one_price = evolve(channex_like, has_occupancies=False)
    assert found(three, one_price)[0] == (GapKind.NO_OCCUPANCIES, "R1", "bar", "")


def test_a_single_unit_where_counts_are_told(rooms, channex_like):
    unit = evolve(rooms.rooms[0], unit_id=UnitId(UUID(int=5)))
    mapped = evolve(rooms, rooms=(unit, rooms.rooms[1]))
    assert found(mapped, channex_like) == [(GapKind.UNIT_NOT_COUNTED, "R1", "", "")]
    bookings_only = evolve(channex_like, messages={})
    assert found(mapped, bookings_only) == []


def test_charges_on_top_and_rules_that_the_platform_has_to_keep(rooms, channex_like):
    fee = Fee(code="clean", name="Cleaning", per=Per.STAY, amount=5_000)
    chosen = evolve(fee, code="dog", is_mandatory=False)
    tax = Tax(code="vat", name="VAT", rate=Percent.parse("10"))
    included = evolve(tax, is_inclusive=True)
    added = [(GapKind.TAXES_ADDED, "", "", "")]
    for changes, expected in (
        ({"fees": (fee,)}, added),
        ({"fees": (chosen,)}, []),
        ({"taxes": TaxTable((tax,))}, added),
        ({"taxes": TaxTable((included,))}, []),
    ):
        book = evolve(PLAIN.book, **changes)
        assert book.currency == EUR
        assert found(rooms, channex_like, book=book) == expected
    left = evolve(channex_like, left_to_platform=frozenset({MatrixField.ALLOWED_LENGTHS}))
    rules = (Rule("allowed_lengths", TOLD, value=(7,)), Rule("closed_night", TOLD))
    assert found(rooms, left, rules=rules) == [(GapKind.LEFT_TO_PLATFORM, "", "", "allowed_lengths")]
