"""What is written to Google about nights, and what its answers mean: contracts on one side, bytes on the other.

Owns the shape of messages: both ends of their ranges are nights, ours end before the departure. Rates overlay what
was there on their nights, for all numbers of guests; rules and counts are deltas. What may be sold at all is said
first, for a product is closed there until it was opened. Leaves sending to ``gateway``, and rooms and packages to
``property_data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Final

from attrs import frozen

from pms_adapters.channels.google.mapping import (
    LENGTHS,
    NAMESPACE,
    PARTNER_KEY,
    PASSING,
    SAYS,
    SHORTEST,
    STATUSES,
    UNLIMITED,
    MessageKind,
)
from pms_adapters.serialization.xml import Element, Node, element, parse, written
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Outcome, OutcomeKind
from pmscore.channels.model.mappings import MappedRate
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.money import Money
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["Message", "kind_of", "message", "outcome_in", "partner_name"]

_VERSION: Final = "3.0"
_MINIMA: Final = frozenset({MatrixField.MIN_STAY_ARRIVAL, MatrixField.MIN_STAY_THROUGH})
_BEFORE_TAX: Final = "before_tax"
_LONGEST_REASON: Final = 200


@frozen
class Message:
    """A whole message and its kind."""

    kind: MessageKind
    body: bytes


def kind_of(entries: Iterable[Entry]) -> MessageKind:
    """Return the kind of message that says these entries; those without any are about rules."""
    fields = {name for entry in entries for name, _ in entry.values}
    if MatrixField.SELLABLE in fields:
        return MessageKind.COUNTS
    return MessageKind.RATES if MatrixField.RATE in fields else MessageKind.RULES


def message(at: At, entries: tuple[Entry, ...], *, token: str, partner: str) -> Message:
    """Return the message that says the entries; ``token`` comes back in its answer.

    Raises:
        MisuseError: an entry is of no mapping of the connection.
    """
    kind = kind_of(entries)
    match kind:
        case MessageKind.COUNTS:
            says = _counts(at, entries)
        case MessageKind.RATES:
            says = _rates(at, entries)
        case _:
            says = _rules(at, entries)
    head = {
        "EchoToken": token,
        "TimeStamp": f"{at.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Version": _VERSION,
    }
    if kind is MessageKind.RATES:
        head |= {"NotifType": "Overlay", "NotifScopeType": "ProductRate"}
    asks = element("POS", element("Source", element("RequestorID", ID=partner)))
    root = Element(f"{SAYS[kind].name}RQ", head, "", (asks, says))
    return Message(kind, written(root, namespace=NAMESPACE))


def partner_name(at: At) -> str:
    """Return the key of the partner's account, empty where the deployment has none."""
    found = at.partner.get(PARTNER_KEY)
    return "" if found is None else found.reveal()


def outcome_in(body: bytes, kind: MessageKind, *, token: str) -> Outcome:
    """Return what an answer says about the message with this token.

    A warning says that a part may not be taken, and not which: so it is as good as a refusal, and whoever
    sent many entries finds out by sending fewer.

    Raises:
        UnreadableError: it is no XML.
    """
    said = parse(body)
    if said.name != f"{SAYS[kind].name}RS" or said.attr.get("EchoToken", token) != token:
        return Outcome(OutcomeKind.UNSURE, "unreadable_shape")
    errors, warnings = [*said.walk("Error")], [*said.walk("Warning")]
    if errors:
        is_passing = all(each.attr.get("Code", "") in PASSING for each in errors)
        return Outcome(OutcomeKind.DOWN if is_passing else OutcomeKind.REFUSED, _reason(errors[0], "error"))
    if warnings:
        return Outcome(OutcomeKind.REFUSED, _reason(warnings[0], "warning"))
    if said.child("Success") is None:
        return Outcome(OutcomeKind.UNSURE, "unreadable_shape")
    return Outcome(OutcomeKind.DONE)


def _counts(at: At, entries: Iterable[Entry]) -> Element:
    found = (
        element(
            "Inventory",
            _placed(at, entry),
            element(
                "InvCounts",
                element("InvCount", Count=str(entry.values[MatrixField.SELLABLE, 0]), CountType="2"),
            ),
        )
        for entry in entries
    )
    return element("Inventories", *found, HotelCode=at.connection.listing_id)


def _rates(at: At, entries: Iterable[Entry]) -> Element:
    name = "AmountBeforeTax" if at.connection.settings.get("amounts") == _BEFORE_TAX else "AmountAfterTax"
    found: list[Element] = []
    for entry in entries:
        amounts = (
            Element("BaseByGuestAmt", _amount(at, name, minor, occupancy))
            for (_, occupancy), minor in sorted(entry.values.items())
        )
        rate = element("Rates", element("Rate", element("BaseByGuestAmts", *amounts)))
        found.append(element("RateAmountMessage", _placed(at, entry), rate))
    return element("RateAmountMessages", *found, HotelCode=at.connection.listing_id)


def _amount(at: At, name: str, minor: int, occupancy: int) -> Mapping[str, str]:
    """Return an amount for a number of guests; without one it is for two, as Google takes it."""
    said = {name: Money(minor, at.currency).plain(), "CurrencyCode": at.currency.code}
    return said | ({"NumberOfGuests": str(occupancy)} if occupancy else {})


def _rules(at: At, entries: tuple[Entry, ...]) -> Element:
    first = (each for entry in entries for each in _opened(at, entry))
    others = (each for entry in entries for each in _restricted(at, entry))
    return element("AvailStatusMessages", *first, *others, HotelCode=at.connection.listing_id)


def _opened(at: At, entry: Entry) -> Iterator[Element]:
    """Yield whether the nights are for sale at all."""
    closed = entry.values.get((MatrixField.CLOSED, 0))
    if closed is not None:
        yield element("AvailStatusMessage", _placed(at, entry), _status(MatrixField.CLOSED, closed))


def _restricted(at: At, entry: Entry) -> Iterator[Element]:
    """Yield what else is said of the nights, one status a message."""
    lengths = tuple(
        element("LengthOfStay", Time=_time(name, value), TimeUnit="Day", MinMaxMessageType=LENGTHS[name])
        for (name, _), value in sorted(entry.values.items())
        if name in LENGTHS
    )
    if lengths:
        yield element("AvailStatusMessage", _placed(at, entry), element("LengthsOfStay", *lengths))
    for (name, _), value in sorted(entry.values.items()):
        if name in STATUSES and name is not MatrixField.CLOSED:
            yield element("AvailStatusMessage", _placed(at, entry), _status(name, value))


def _status(name: MatrixField, value: int) -> Element:
    return element("RestrictionStatus", Status="Close" if value else "Open", Restriction=STATUSES[name])


def _time(name: MatrixField, value: int) -> str:
    return str(value or (SHORTEST if name in _MINIMA else UNLIMITED))


def _placed(at: At, entry: Entry) -> Element:
    """Return whose nights an entry is about; both ends are nights."""
    mapped = at.mappings.by_id(entry.mapping_id)
    if mapped is None:
        raise MisuseError(mapping_id=str(entry.mapping_id), reason="unmapped")
    place = {
        "Start": entry.nights.start.isoformat(),
        "End": entry.nights.last_night.isoformat(),
        "InvTypeCode": mapped.room_code,
    }
    if isinstance(mapped, MappedRate):
        place["RatePlanCode"] = mapped.rate_code
    return Element("StatusApplicationControl", place)


def _reason(said: Node, word: str) -> str:
    text = said.attr.get("ShortText") or said.text
    told = " ".join(each for each in (word, said.attr.get("Code", ""), text) if each)
    return "".join(each if each.isprintable() else "\ufffd" for each in told)[:_LONGEST_REASON]
