"""Sentences about prices: what is wrong with a price list, a quote or their terms.

A part of ``texts``, to be read after the name of the field; the same rules hold for it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DISPLAY_TEXTS", "PRICE_FIELD_TEXTS", "PRICE_VIOLATION_TEXTS"]

_LISTS: Mapping[str, str] = {
    "derived_from_itself": "is derived from itself ({value}); give one of these plans prices of its own",
    "exclusions_in_a_circle": "shut each other out in a circle ({value}); let one of these groups stay",
    "no_other_base": "changes the parent's price only; leave out the base",
    "not_one_a_weekday": "must have one price for each weekday, seven in all",
    "not_sold_by_parent": "names a unit type that the parent plan is not sold for: {value}",
    "only_with_inherited_price": "is for plans that have their prices from a parent; leave it out here",
    "overlapping": "overlaps with an earlier entry from {value} on; give each night one price",
    "overlapping_bands": "has bands that share the age {value}; let each age belong to one band",
    "overlaps_with_equal_priority": "shares nights with the season {value} at the same priority; give one a higher one",
    "own_group": "names the rule's own group ({value}); a group takes one rule of its own anyway",
    "price_is_inherited": "comes from the parent plan; leave out the prices, or do not inherit them",
    "price_not_inherited": "changes a price that is not inherited; leave the operations out, or inherit the price",
    "same_rank": "is the same as that of the rule {by}; give each rule of a stage a rank of its own",
    "twice": "is there twice; each needs a code or name of its own",
    "unknown_format": "is a form that is not known here; the known one is {known}",
    "unknown_group": "names a group that no rule is in: {value}",
    "unknown_inclusion": "names an inclusion that is not in the list: {value}",
    "unknown_kind": "is no kind of rule that is known here; there are: {known}",
    "unknown_name": "has a member that is not known here ({value}); check its spelling or leave it out",
    "unknown_season": "names a season that is not in the list: {value}",
    "unknown_terms": "names terms that are not in the list: {value}",
    "unknown_type": "names a unit type that is not known ({value}); there are: {known}",
    "unknown_version": "is a version that is not known here; the known one is {known}",
}
_AMOUNTS: Mapping[str, str] = {
    "amount_has_no_base": "goes with a percentage; an amount has no base",
    "amount_or_percent": "must have either an amount or a percent, and not both",
    "below_amount": "must not be less than the amount ({amount})",
    "below_floor": "must not be below the floor ({floor})",
    "below_least": "must not be below the least value ({least})",
    "besides_percent": "must not stand beside a percent; send one of the two",
    "no_band": "needs at least one entry",
    "no_channel": "needs at least one channel",
    "no_places_by_person": "has no meaning where each person is priced; leave it out",
    "no_weekday": "must name at least one weekday",
    "not_a_flag": "must be true or false",
    "not_a_share": "must be a percentage from 0 to 100",
    "not_one_a_night": "must have one entry for each of the {nights} nights",
    "not_positive": "must be above zero",
    "percent_or_amount": "must have either a percent or an amount, and not both",
    "same_threshold": "begins at the same number as another entry ({value})",
    "takes_more_than_all": "takes off more than all of it ({value}); use -100 at most",
    "unknown_base": "must be one of: {known}",
}
_CHARGES: Mapping[str, str] = {
    "before_from_age": "must not be below the first age",
    "counts_nobody": "counts nobody; let it count adults or some age",
    "differs": "must be the level that the same tax has in its other entry ({other})",
    "flat": "goes with a percentage; a fixed amount is not taken on other taxes",
    "in_a_price_that_includes_it": "cannot be limited for a percentage that the price includes",
    "inclusive_on_exclusive": "is contained in the price, but is taken on the tax {tax}, which is added to it",
    "inclusive_on_flat": "is contained in the price, but is taken on the fixed amount of the tax {tax}",
    "inclusive_over_100": "makes the taxes in a price more than the price itself ({on}); use lower rates",
    "named_and_all": "names taxes and takes all lower ones; choose one of the two",
    "no_basis": "is needed: a tax must say what it is charged on",
    "no_basis_in_common": "is taken on the tax {tax}, which is charged on nothing that it is charged on itself",
    "nobody_is_counted": "has no meaning {per}; only what is charged per person counts people",
    "not_available": "names something that is not to be had in this stay: {value}",
    "not_nightly": "has no meaning {per}; only what is charged by night counts nights",
    "not_of_this_stay": "names a room or night that the stay does not have",
    "not_part_of_a_night": "must be per night, or per person and night",
    "overlaps": "shares days with another entry of the same tax; let one begin where the other ends",
    "percentage_has_none": "has no meaning for a percentage; leave it out",
    "percentage_per_head": "cannot be a percentage {per}; write an amount",
    "unknown_fee": "names something that is not for sale here: {value}",
    "unknown_tax": "names a tax that is not in the list: {tax}",
}
_TERMS: Mapping[str, str] = {
    "at_or_no_show": "must say either when it was cancelled or that nobody came",
    "before_creation": "must not lie before the booking itself",
    "less_than_the_total": "come to less than the total; add one that takes the rest",
    "more_than_captured": "must not be more than what was paid",
    "more_than_the_total": "comes to more than the total",
    "no_such_room": "names a room that the booking does not have",
    "not_a_time": "must be a time of day, such as 18:00",
    "nothing_is_removed": "names nothing that is to be cancelled",
    "only_with_arrival_at": "goes with arrival_at only; leave it out here",
    "rest_of_nothing": "leave nothing for the one that takes the rest",
    "room_is_kept": "names nights of a room that is kept",
    "same_moment": "has two entries for the same moment; keep one of them",
    "sign_differs_from_days": "must be on the same side of the moment as the days",
    "splits_the_stay": "would split the stay; only its first or last nights can be cancelled",
    "two_rests": "has two entries that take the rest; keep one of them",
}
_RATES: Mapping[str, str] = {
    "no_currencies": "names no currency of today in its heading; the reference rates have one a column, such as USD",
    "not_a_reference_day": "must be a day written 2027-03-01 or 1 March 2027",
    "day_twice": "gives two rates of the same day: {value}",
    "same_currency": "is the currency that the rate begins with ({currency}); a rate leads to another one",
    "zipped": "is a ZIP archive; unpack it and name the file inside",
    "too_many_digits": "may have {before} digits before the decimal point and {after} behind it",
}
_QUOTES: Mapping[str, str] = {
    "outside_of_tables": "lies outside of the nights that are priced ({range})",
    "unknown_code": "is no promotion code that is known here: {value}",
    "unknown_plan": "names a rate plan that is not known here: {value}",
}

PRICE_FIELD_TEXTS: Mapping[str, str] = {
    **_LISTS,
    **_AMOUNTS,
    **_CHARGES,
    **_TERMS,
    **_RATES,
    **_QUOTES,
}

DISPLAY_TEXTS: Mapping[str, str] = {
    "no_rate": "No exchange rate from {own} to {currency} is known for {day}.",
    "own_currency": "The amounts are in {currency} already.",
    "rate_too_old": "The latest exchange rate from {own} to {currency} is of {rate_day}; a rate holds for {most} days.",
    "too_large": "The amounts are too large to be shown in {currency}.",
}
"""Why a quote is not shown in a currency, as sentences."""

PRICE_VIOLATION_TEXTS: Mapping[str, str] = {
    "code_does_not_apply": "The promotion code {value} is not for this stay, room type or rate plan.",
    "code_used_up": "The promotion code {value} has been used as often as it may be.",
    "no_price": "There is no price for the night of {night} in the rate plan {value}.",
    "plan_not_sold_for_type": "The rate plan {value} is not sold for this room type.",
}
