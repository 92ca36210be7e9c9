"""Sentences for people: what happened, why, what to do next.

Owns the English of every code that a visitor can meet. The core has codes only. A code without a sentence still
gets one that can be acted on; a test sees to it that none of ours needs that.
"""

from __future__ import annotations

from collections.abc import Mapping

from pms_web.channel_texts import CHANNEL_FIELD_TEXTS
from pms_web.price_texts import PRICE_FIELD_TEXTS, PRICE_VIOLATION_TEXTS
from pms_web.transition_texts import ACT_TEXTS, REASON_TEXTS
from pmscore.kernel.errors import (
    NotFoundError,
    PmsError,
    PriceChangedError,
    TransitionError,
    UnreachableError,
    Violation,
)

__all__ = [
    "FIELD_TEXTS",
    "VIOLATION_TEXTS",
    "detail_of",
    "field_text",
    "violation_text",
]

Params = Mapping[str, str | int | None]

FIELD_TEXTS: Mapping[str, str] = {
    **PRICE_FIELD_TEXTS,
    **CHANNEL_FIELD_TEXTS,
    "allotment_overlaps": "has nights in common with the allotment {allotment_id} of this type and channel; change that one",
    "below_guaranteed": "is less than the {least} that are guaranteed",
    "belongs_to_the_allotment": "cannot be changed; end the allotment and make another one",
    "after_departure": "must end by the departure",
    "broken_gzip": "is not a whole gzip file; unpack it, or fetch it again",
    "closed_address": "leads to a network that is not public; name an address that everybody can reach",
    "closed_port": "names a port that is not open here; open are: {allowed}",
    "column_twice": "is a column that stands in the heading twice",
    "control_character": "holds a control character; remove it",
    "admin_reaches_all": "has no place for an admin, who reaches all properties",
    "empty": "must not be empty",
    "fraction": 'holds a number with a decimal point; write amounts as text, such as "123.45"',
    "in_the_past": "must lie in the future",
    "key_cannot_be_read": "holds a key that cannot be read",
    "key_named_twice": "names one key id twice",
    "key_of_unknown_kind": "holds a key of another kind than these: {allowed}",
    "key_without_id": "holds a key without a usable kid",
    "not_a_key_set": "must be a JSON Web Key Set",
    "password_unencrypted": "would send a password without encryption; use smtp:// or smtps://",
    "secret_too_short": "holds a secret that is too short{limits}",
    "made_without_quote": "was made with amounts of its own, not from a quote, so nobody knows which plan to price it by; "
    "give the amount of each night",
    "rooms_unlike_quote": "has other rooms ({rooms}) than it was quoted with; give the amount of each night",
    "holds_a_user": "must not hold a user or password; the signature says who sends",
    "incomplete": "lacks members that a booking needs",
    "key_twice": "holds the same key twice",
    "lone_surrogate": "holds half of a character pair, which is no text; send valid Unicode",
    "member_twice": "names a member twice; send each member once",
    "missing": "is missing",
    "missing_column": "is a column that is missing; the file needs all of: {columns}",
    "mixed_currencies": "mixes currencies; use the property's one currency",
    "more_rooms_than_adults": "asks for more rooms than there are adults; each room needs one",
    "more_units_than_rooms": "names more units than there are rooms",
    "name_twice": "holds the same name twice; give each unit of a type a name of its own",
    "moved_by_action": "is moved by an action of its own: POST to the property's advance-business-date",
    "naive": "must be an instant with its offset from UTC",
    "negative": "must not be negative",
    "negative_amount": "must not be negative; amounts begin at zero",
    "never_changes": "cannot be changed: the nights that are sold and the amounts that are agreed are in it; "
    "make a new property instead",
    "negative_mask": "must not be negative",
    "no_face": "is the address of no simulated platform",
    "no_adult": "needs at least one adult",
    "no_lengths": "must name at least one length",
    "no_such_day": "names a day that does not exist; look at the month and at leap years",
    "no_weight": "must have a weight above zero",
    "not_a_code": "must be a code: lower-case letters, digits and _ . : -, at most 64",
    "not_a_country_code": "must be a country code of two capitals, such as PT",
    "not_a_date": "must be a date",
    "not_a_key": "must be 1 to 200 visible ASCII characters without blanks",
    "not_a_key_of_32_bytes": "must be keys of 32 bytes in base64, divided by commas; number {at} is none",
    "not_a_lead_time": "must be a lead time, such as 2d before arrival",
    "not_a_length": "must be a number of nights",
    "not_a_list": "must be a list",
    "not_a_number": "must be a whole number",
    "not_a_reference": "must be a booking reference: ten letters and digits, such as 0F3KQ7X2MA",
    "not_a_slug": "must be lower-case letters, digits and hyphens",
    "not_a_host_name": "must be names of hosts, separated by commas",
    "not_an_ip_address": "must be an IP address; 0.0.0.0 is every one that this machine has",
    "not_a_module_name": "must be small letters, digits and underscores, beginning with a letter",
    "not_a_network": "must be addresses or networks such as 10.0.0.0/8, separated by commas",
    "not_a_position": "must be the position of an event, such as 48213-9017",
    "not_a_switch": "must be true or false",
    "not_an_origin": "must be origins such as https://www.example.com, separated by commas",
    "not_a_url": "must be a URL",
    "not_a_whole_number": "must be a whole number",
    "not_a_version": 'must be a version in quotes as ETag gives it, such as "3", or *',
    "not_a_port": "must be ports from 1 to 65535, divided by commas",
    "not_a_webhook_secret": "must be a webhook secret: whsec_ and 24 to 64 bytes in base64",
    "not_absolute": "must be an absolute path",
    "not_after_arrival": "must be after the arrival; a stay has at least one night",
    "not_after_business_date": "must be after the business date",
    "not_after_start": "must be after the start; the end itself is not included",
    "not_a_time": "must be a time of the day written HH:MM, such as 15:00",
    "not_an_address": "must be an e-mail address",
    "not_an_id": "must be an id of 36 characters, such as 0190163d-8694-739b-aea5-966c26f8ad91",
    "not_an_instant": "must be a date and time with offset, such as 2026-07-01T18:00:00Z",
    "not_an_event_kind": "must be kinds of events, such as booking.created, booking.* or *",
    "not_an_integer": "must be a whole number",
    "not_an_object": "must be a JSON object",
    "not_ascending": "must be in ascending order",
    "not_csv": "is no CSV file ({said})",
    "not_days": "must be a number of days",
    "not_decimal": 'must be a plain decimal number as text, such as "123.45"',
    "not_empty": "must be empty",
    "not_found": "is not there",
    "not_https": "must begin with https://",
    "not_iso_date": "must be a date written YYYY-MM-DD",
    "not_json": "is not valid JSON",
    "not_local": "must be a local date and time",
    "neither_kept_nor_capped": "is needed, or a cap: an allotment keeps rooms, limits them, or both",
    "not_loopback": "must be an address of this machine, such as 127.0.0.1",
    "not_money": 'must be an amount: {{"amount": "123.45", "currency": "EUR"}}',
    "not_month_day": "must be a day of the year written MM-DD",
    "not_normalised": "must be in its normal form",
    "not_one_amount_a_night": "must have one amount for each of the {nights} nights",
    "not_readable": "cannot be read",
    "not_rooms": "must be a JSON object of whole numbers by type",
    "not_the_phrase": "must be {phrase}, in capitals, so that nothing is deleted by mistake",
    "not_null": "must not be null: leave it out to keep what there is, or send what is to be there instead",
    "not_storable": "holds something that the database cannot keep",
    "not_text": "must be text in quotes",
    "not_utf8": "is not valid UTF-8",
    "not_weekdays": "must be a mask of weekdays",
    "not_writable": "cannot be written",
    "nothing_to_change": "names nothing to change",
    "number_too_long": "holds a number of more than {most} digits",
    "of_another_type": "is of another type than the one that is named",
    "one_of_two": "must not be there together with {other}; send one of the two",
    "out_of_calendar": "must lie in the years 1900 to 2199",
    "out_of_range": "is out of range{limits}",
    "outside_range": "must lie within the range",
    "outside_the_stay": "must lie within the stay",
    "overlap_or_before_arrival": "overlaps, or begins before the arrival",
    "only_with_reprice": "goes with reprice; send both, or leave it out",
    "oversold_room_has_no_unit": "cannot name a unit for an oversold room",
    "repeated": "may be given once only",
    "required": "is needed",
    "required_for_new_nights": "is needed, because the stay has new nights from {first_night} on",
    "room_twice": "names a room twice; give each room one entry, with all the nights that are given up",
    "sync_type_not_supported": "is nothing that the gateway {gateway} does",
    "taken": "is taken",
    "set_by_capacity": "is set from a night on: PUT to the type's capacity",
    "too_deep": "is nested more than {most} levels deep",
    "too_common": "is among the first that anybody would try; a few words that nobody would guess are fine",
    "too_large": "is too large",
    "sync_workers": (
        "must not be sync: one slow answer would hold up all others of its process, and health checks with them; leave"
        " it out for gthread"
    ),
    "too_long": "is too long{limits}",
    "too_short": "is too short{limits}; {advised} characters or more are advised",
    "too_many": "has too many entries{limits}",
    "too_precise": "has more decimal places than {currency} knows ({digits})",
    "unknown": "is not known",
    "unknown_currency": "must be an ISO 4217 currency code of three capitals, such as EUR",
    "unknown_field": "is not known here; check its spelling or leave it out",
    "unknown_home": "names a home folder that is not known",
    "unknown_measurement": "names no measurement; there are: {known}",
    "unknown_month": "must be the English name of a month",
    "unknown_property": "names a property that this agency does not have: {property_id}; GET /api/v1/properties lists those it has",
    "unknown_rule": "is no rule that is known here",
    "unknown_scheme": "must begin with one of: {allowed}",
    "unknown_status": "must be a status that the format knows",
    "unknown_value": "must be one of: {allowed}",
    "unknown_weekday": "must be a weekday",
    "unknown_zone": "must be an IANA time zone, such as Europe/Lisbon",
    "unprintable": "holds characters that cannot be shown",
    "without_offset": "needs its offset from UTC, such as a Z at the end",
    "wrong_number_of_fields": "has another number of fields than the heading",
}
_ANY_FIELD = "has a value that cannot be used"
_LIMITS = (("least", "at least {}"), ("most", "at most {}"), ("longest", "at most {} characters"),
           ("max_nights", "at most {} nights"), ("most_nights", "at most {} nights"))  # fmt: skip

VIOLATION_TEXTS: Mapping[str, str] = {
    **PRICE_VIOLATION_TEXTS,
    "allowed_lengths": "A stay that arrives on {night} must last one of these numbers of nights: {value}.",
    "arrival_in_past": "The arrival on {night} lies before the house's business date.",
    "arrival_weekdays": "Arrivals are possible on {value} only, and {night} is another weekday.",
    "booking_window": "The arrival on {night} is further ahead than bookings are taken ({value}).",
    "closed_night": "The night of {night} is closed.",
    "closed_to_arrival": "No stay may begin on {night}.",
    "closed_to_departure": "No stay may end on {night}.",
    "departure_weekdays": "Departures are possible on {value} only, and {night} is another weekday.",
    "lead_time": "The arrival on {night} is too close; it must be asked for earlier ({value}).",
    "max_stay_arrival": "A stay that arrives on {night} may last at most {value} nights.",
    "max_stay_through": "A stay over the night of {night} may last at most {value} nights.",
    "min_stay_arrival": "A stay that arrives on {night} must last at least {value} nights.",
    "min_stay_through": "A stay over the night of {night} must last at least {value} nights.",
    "party_too_large": "A room of this type takes at most {value} guests with a bed.",
    "turnover_taken": "The night of {night} must stay empty after the departure, and it is taken.",
    "type_full": "No room of this type is left on the night of {night}.",
    "unit_taken": "The unit is taken on the night of {night}.",
}

_KINDS: Mapping[str, str] = {
    "property": "property",
    "unit_type": "unit type",
    "unit": "unit",
    "guest": "guest",
    "hold": "hold",
    "user": "user",
    "api_key": "key",
    "block": "block",
    "booking": "booking",
    "booking_room": "room of this booking",
    "price_book": "price list, or version of it,",
    "quote": "quote",
    "rate_plan": "rate plan",
    "agency": "agency",
    "module": "module",
    "allotment": "allotment",
    "channel_calendar": "calendar",
    "channel_batch": "batch of this connection",
    "channel_issue": "issue",
    "channel_operation": "operation",
    "channel_revision": "revision of this connection",
    "channel_webhook": "address for messages",
    "webhook": "webhook",
    "webhook_delivery": "delivery of this webhook",
}
_BOOKED_QUOTE = (
    "This quote has been booked already, and a quote makes one booking only; its booking_id says which. Nothing was"
    " done. To book or hold the stay once more, ask for a new quote."
)
_DETAILS: Mapping[str, str] = {
    "already_connected": (
        "This property has a connection to this platform already. Nothing was done; change that one, or delete it first."
    ),
    "no_calendar": (
        "The gateway of this connection gives out no calendars: its platform is told by itself what it may sell. Nothing was"
        " done; calendars are for connections of the gateway ical."
    ),
    "busy": "Somebody else is working on the same booking or nights just now. Nothing was changed; try again.",
    "conflict": "Somebody else was faster. Nothing was changed; look again and repeat what is still wanted.",
    "idempotency_key_reused": (
        "This Idempotency-Key belongs to an earlier request with another content. Use a new key for a new request."
    ),
    "internal_server_error": (
        "Something went wrong that is not your fault. Repeat the request with the same Idempotency-Key; if it"
        " happens again, tell the operator the request id."
    ),
    "inventory_overlap": (
        "Some of these nights are taken by another booking, hold or block. Nothing was booked; choose other"
        " dates, another type or another unit."
    ),
    "link_refused": "This link was used, or its time is up. Ask for a new one.",
    "log_in_refused": (
        "The address or the password is wrong, or there were too many tries. Wait some minutes and try again, or ask for a"
        " new password."
    ),
    "invalid_input": "Some of what was sent cannot be used; each entry of errors says what and why.",
    "method_not_allowed": "This address does not know that method. Bookings are cancelled with PATCH.",
    "misdirected_request": "This app does not go by that name. Call it localhost, or have the operator add the name to ALLOWED_HOSTS.",
    "misconfigured": "The service is not set up correctly. Its operator can run `pms doctor` to see what to do.",
    "unsafe_role": (
        "The service may not use its database: its login there is above row-level security ({why}), so one agency could"
        " be shown what is another's. Its operator gives DATABASE_URL the role pms_app, which `pms migrate` makes."
    ),
    "origin_not_allowed": "Scripts of that page may not call this app; the operator names those that may in ALLOWED_ORIGINS.",
    "no_such_address": "There is nothing at this address; /docs lists what there is.",
    "payload_too_large": "The body is larger than 1 MiB. Send less at once.",
    "price_changed": (
        "The quote has expired, and it would be made differently now: old_total is what it came to, new_total what"
        " the stay costs today, null where it is no longer offered. Nothing was booked; ask for a new quote."
    ),
    "too_many_requests": "You ask more often than is allowed. Wait {retry_after} seconds, then go on.",
    "not_authenticated": "Nobody is logged in, or the token or key does not hold. Log in, or send a valid one.",
    "price_moved": (
        "The price has moved since you looked: old_total is what you expected, new_total what the stay comes to now."
        " Nothing was changed; look at the preview again and send the total that it shows."
    ),
    "permission_denied": "You may not do this. Ask somebody with a larger role.",
    "refused": "This cannot be done.",
    "request_in_progress": (
        "A request with the same Idempotency-Key is still being worked on. Repeat it in a moment for its answer."
    ),
    # Programs read this one word for word; when to ask again stands in Retry-After.
    "service_unavailable": "Database is temporarily unavailable.",
    "outcome_unknown": (
        "Database is temporarily unavailable. It went away while this was being stored, so nobody knows whether it was;"
        " look before you send it again, or send it with an Idempotency-Key."
    ),
    "stale_house": "The house has changed in the meantime. Nothing was done; try again.",
    "stale_version": "Somebody has changed this since you read it. Nothing was done; read it again and repeat what is still wanted.",
    "stay_refused": "The stay breaks rules of the house; violations lists them. Search shows the nearest stays that pass.",
    "unsupported_media_type": "The body must be JSON, sent as Content-Type: application/json.",
}  # fmt: skip


_WITH_PARAMS: Mapping[str, str] = {
    "connection_test_failed": "Connection test failed: {message}",
    "platform_unavailable": (
        "The platform did not answer as it should ({outcome}; {said}). Nothing was changed; ask again in a minute, and test"
        " the connection if it goes on."
    ),
    "platform_not_supported": "Platform {platform} not yet supported",
    "sync_type_not_supported": "The gateway {gateway} of this connection does not do a sync of {sync_type}.",
    "wrong_phrase": "Nothing was deleted: {field} must be {phrase}, in capitals, so that nothing goes by mistake.",
    "unknown_choice": "Invalid {field}. Must be one of: [{choices}]",
}


def field_text(code: str, params: Params) -> str:
    """Return what is wrong with a member, to be read after its name."""
    limits = ", ".join(text.format(params[name]) for name, text in _LIMITS if params.get(name) is not None)
    known = _Known({"allowed": params.get("known"), **params}, limits=f": {limits}" if limits else "")
    return FIELD_TEXTS.get(code, _ANY_FIELD).format_map(known)


def violation_text(violation: Violation) -> str:
    """Return why a stay is refused, as a sentence."""
    text = VIOLATION_TEXTS.get(violation.code, "The stay breaks the rule {code} ({night}, {value}).")
    night = violation.night.isoformat() if violation.night is not None else "any night"
    return text.format_map(_Known({"code": violation.code, "value": violation.value}, night=night))


def detail_of(error: PmsError) -> str:
    """Return what happened, why, and what to do next."""
    match error:
        case NotFoundError(kind="channel_connection"):
            return "Connection not found"
        case NotFoundError(kind="synced_property"):
            return "Property not found or does not belong to your agency"
        case NotFoundError():
            kind = _KINDS.get(error.kind, error.kind)
            return f"There is no such {kind} here. Check the id; it may belong to another agency."
        case TransitionError():
            return _transition_text(error.params)
        case UnreachableError() if error.params.get("reason") == "outcome_unknown":
            return _DETAILS["outcome_unknown"]
        case PriceChangedError() if "booking_id" in error.params:
            return _DETAILS["price_moved"]
        case _:
            pass
    if error.code in _WITH_PARAMS:
        return _WITH_PARAMS[error.code].format_map(_Known(error.params))
    if error.code == "too_many_requests":
        return _DETAILS[error.code].format(retry_after=error.params.get("retry_after", "some"))
    if error.params.get("reason") == "unsafe_role":
        return _DETAILS["unsafe_role"].format(why=error.params.get("why"))
    if error.code == "schema_out_of_date":
        return _schema_text(error.params)
    return _DETAILS.get(error.code, _DETAILS["internal_server_error"])


def detail(code: str) -> str:
    """Return the sentence of a code that is not an error of the tree."""
    return _DETAILS[code]


def _transition_text(params: Params) -> str:
    if "quote_id" in params and params.get("status") == "booked":
        return _BOOKED_QUOTE
    act = ACT_TEXTS.get(str(params.get("act")), "be changed so")
    reason = REASON_TEXTS.get(str(params.get("reason")))
    status = str(params.get("status")).replace("_", " ")
    if reason is None:
        return f"This cannot {act}, because its status is {status}."
    return f"This cannot {act}: {reason}."


def _schema_text(params: Params) -> str:
    table, column, migration = params.get("table"), params.get("column"), params.get("migration")
    missing = f"missing column {table}.{column}" if column else f"missing table: {table}"
    brings = f", which brings migration {migration}" if migration else ""
    return f"Database schema not installed or out of date ({missing}). Run `pms migrate`{brings}."


class _Known(dict[str, object]):
    """Parameters of a sentence; one that is missing shows as a question mark and never raises."""

    def __init__(self, params: Params, **more: object) -> None:
        super().__init__({**params, **more})

    def __missing__(self, key: str) -> str:
        return "?"
