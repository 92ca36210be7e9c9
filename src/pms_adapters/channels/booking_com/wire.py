"""What is written to Booking.com, and what its answers say: bytes on one side, contracts on the other.

Owns messages about nights, acknowledgements, and answers of success, warnings or errors. Each night is said
by itself, as the manifest has it: that is right whether the end of a range belongs to it or not. Leaves
reservations to ``sales`` and sending to ``gateway``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from pms_adapters.channels.booking_com.mapping import LENGTHS, NAMESPACE, PASSING, RESTRICTIONS
from pms_adapters.serialization.xml import Element, Node, element, written
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Push, PushResult, Refused
from pmscore.channels.model.mappings import MappedRate
from pmscore.channels.model.revisions import StoredRevision
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["acknowledgement", "outcome_said", "push_message", "push_result"]

_VERSION: Final = "1.0"
_RESERVATION_VERSION: Final = "2.001"
_LONGEST_ERROR: Final = 64
_LONGEST_REASON: Final = 200
_UNREADABLE: Final = Outcome(OutcomeKind.UNSURE, "unreadable_shape")


def push_message(at: At, push: Push) -> tuple[str, bytes]:
    """Return the name of the message that says the entries of ``push``, and the message."""
    if any(name is MatrixField.RATE for entry in push.entries for name, _ in entry.values):
        name, body = "OTA_HotelRateAmountNotif", _rates(at, push.entries)
    else:
        name, body = "OTA_HotelAvailNotif", _statuses(at, push.entries)
    root = element(
        f"{name}RQ", body, EchoToken=str(push.push_id), TimeStamp=_instant(at.now), Version=_VERSION
    )
    return name, written(root, namespace=NAMESPACE)


def push_result(push: Push, name: str, answer: Node) -> PushResult:
    """Return what came of a push by its answer; warnings do not say what they are about, so they put all in doubt."""
    outcome = outcome_said(answer, f"{name}RS")
    if outcome.kind is not OutcomeKind.PARTLY:
        return PushResult(outcome)
    return PushResult(
        outcome,
        tuple(
            Refused(
                mapping_id=entry.mapping_id,
                nights=entry.nights,
                fields=frozenset(name for name, _ in entry.values),
                reason=outcome.error,
            )
            for entry in push.entries
        ),
    )


def acknowledgement(now: datetime, revisions: Sequence[StoredRevision], *, is_change: bool) -> bytes:
    """Return the message that says that these reservations are known, with the bookings that they are here."""
    one, many, root = (
        ("HotelResModify", "HotelResModifies", "OTA_HotelResModifyNotifRS")
        if is_change
        else ("HotelReservation", "HotelReservations", "OTA_HotelResNotifRS")
    )
    known = (
        element(one, element("ResGlobalInfo", element("HotelReservationIDs", *_ids(each))))
        for each in revisions
    )
    attributes = {"TimeStamp": _instant(now), "Target": "Production", "Version": _RESERVATION_VERSION}
    said = element(root, element("Success"), element(many, *known), **attributes)
    return written(said, namespace=NAMESPACE)


def outcome_said(answer: Node, *names: str) -> Outcome:
    """Return what an answer says: success, success with warnings, or errors; of none of ``names`` it is no answer."""
    errors, succeeded = answer.child("Errors"), answer.child("Success") is not None
    if answer.name not in names or (errors is not None) == succeeded:
        return _UNREADABLE
    if errors is not None:
        found = errors.children("Error")
        is_passing = any(each.attr.get("Code") in PASSING for each in found)
        kind = OutcomeKind.UNSURE if is_passing else OutcomeKind.REFUSED
        return Outcome(kind, _said(found, _LONGEST_ERROR) or "error")
    warnings = answer.child("Warnings")
    if warnings is not None:
        return Outcome(OutcomeKind.PARTLY, _said(warnings.children("Warning"), _LONGEST_REASON) or "warning")
    return Outcome(OutcomeKind.DONE)


def _statuses(at: At, entries: Iterable[Entry]) -> Element:
    messages = (message for entry in entries for message in _status_messages(at, entry))
    return element("AvailStatusMessages", *messages, HotelCode=at.connection.listing_id)


def _status_messages(at: At, entry: Entry) -> Iterator[Element]:
    where = _where(at, entry)
    values = {name: value for (name, _), value in entry.values.items()}
    count = values.get(MatrixField.SELLABLE)
    if count is not None:
        # The standard has no limit of nothing: a room type without rooms is closed.
        limit = {"BookingLimit": str(count), "BookingLimitMessageType": "SetLimit"} if count else {}
        yield element("AvailStatusMessage", where, _status(is_closed=not count), **limit)
    lengths = [_length(name, values[name]) for name in LENGTHS if name in values]
    if lengths:
        yield element("AvailStatusMessage", where, element("LengthsOfStay", *lengths))
    for name, restriction in RESTRICTIONS.items():
        if name in values:
            status = _status(is_closed=bool(values[name]), restriction=restriction)
            yield element("AvailStatusMessage", where, status)


def _length(name: MatrixField, value: int) -> Element:
    setting, removing = LENGTHS[name]
    if not value:
        return element("LengthOfStay", MinMaxMessageType=removing)
    return element("LengthOfStay", MinMaxMessageType=setting, Time=str(value), TimeUnit="Day")


def _status(*, is_closed: bool, restriction: str = "") -> Element:
    named = {"Restriction": restriction} if restriction else {}
    return element("RestrictionStatus", **named, Status="Close" if is_closed else "Open")


def _rates(at: At, entries: Iterable[Entry]) -> Element:
    return element(
        "RateAmountMessages",
        *(
            element(
                "RateAmountMessage",
                _where(at, entry),
                element("Rates", element("Rate", element("BaseByGuestAmts", *_amounts(at, entry)))),
            )
            for entry in entries
        ),
        HotelCode=at.connection.listing_id,
    )


def _amounts(at: At, entry: Entry) -> Iterator[Element]:
    for (_, occupancy), value in entry.values.items():
        guests = {"NumberOfGuests": str(occupancy)} if occupancy else {}
        yield element(
            "BaseByGuestAmt",
            AmountAfterTax=str(value),
            DecimalPlaces=str(at.currency.digits),
            CurrencyCode=at.currency.code,
            **guests,
        )


def _where(at: At, entry: Entry) -> Element:
    """Return the nights, the room and the rate of an entry; Start and End are both nights of it."""
    mapped = at.mappings.by_id(entry.mapping_id)
    if mapped is None:
        raise MisuseError(unmapped=str(entry.mapping_id))
    codes = {"InvTypeCode": mapped.room_code}
    if isinstance(mapped, MappedRate):
        codes["RatePlanCode"] = mapped.rate_code
    first, last = entry.nights.start.isoformat(), entry.nights.last_night.isoformat()
    return element("StatusApplicationControl", Start=first, End=last, **codes)


def _ids(stored: StoredRevision) -> Iterator[Element]:
    receipt: Mapping[str, Json] = {} if stored.revision is None else stored.revision.receipt
    named = {"type": "ResID_Type", "value": "ResID_Value", "source": "ResID_Source", "date": "ResID_Date"}
    told = {name: str(receipt[key]) for key, name in named.items() if receipt.get(key)}
    yield element("HotelReservationID", **told)
    if stored.booking_id is not None:
        yield element("HotelReservationID", ResID_Value=str(stored.booking_id), ResID_Source="RT")


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _said(found: Iterable[Node], longest: int) -> str:
    """Return in one line what errors or warnings say: code and text."""
    parts = (
        " ".join((each.attr.get("Code", ""), each.attr.get("ShortText", "") or each.text)) for each in found
    )
    line = " ".join("; ".join(parts).split())
    return "".join(each if each.isprintable() else "\ufffd" for each in line)[:longest]
